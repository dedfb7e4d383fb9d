/**
 * Plain JavaScript loops over arrays, as a program without a database would have them: the peers of what node:sqlite lacks.
 * Each makes its arrays and gives a function that runs once over all rows and answers as the SQL query does.
 */

import { DIMENSION_COUNT, elementOfRow, microsOfRow, QUERY_VECTOR, textOfRow } from './expression-data.ts';
import { BERLIN, BERLIN_DAY, MONTH, REGULAR_EXPRESSION } from './expression-families.ts';

type Loop = (rowCount: number) => () => readonly unknown[];

const NEAREST_COUNT = 10;
const HOUR_MICROS = 3_600_000_000;

function texts(rowCount: number): string[] {
  return Array.from({ length: rowCount }, (_, row) => textOfRow(row));
}

function times(rowCount: number): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, row) => microsOfRow(row));
}

function flatVectors(rowCount: number): Float32Array {
  const elements = new Float32Array(rowCount * DIMENSION_COUNT);
  for (let row = 0; row < rowCount; row++) {
    for (let index = 0; index < DIMENSION_COUNT; index++) {
      elements[row * DIMENSION_COUNT + index] = elementOfRow(row, index);
    }
  }
  return elements;
}

function vectors(rowCount: number): Float32Array[] {
  return Array.from({ length: rowCount }, (_, row) =>
    Float32Array.from({ length: DIMENSION_COUNT }, (_element, index) => elementOfRow(row, index)),
  );
}

function regularExpression(rowCount: number): () => readonly unknown[] {
  const values = texts(rowCount);
  const pattern = new RegExp(REGULAR_EXPRESSION);
  return () => {
    let count = 0;
    for (let row = 0; row < values.length; row++) if (pattern.test(values[row]!)) count++;
    return [count];
  };
}

function truncateToHour(rowCount: number): () => readonly unknown[] {
  const values = times(rowCount);
  const wanted = Date.parse(MONTH) * 1000;
  return () => {
    let count = 0;
    for (let row = 0; row < values.length; row++) {
      if (Math.floor(values[row]! / HOUR_MICROS) * HOUR_MICROS < wanted) count++;
    }
    return [count];
  };
}

function truncateToMonth(rowCount: number): () => readonly unknown[] {
  const values = times(rowCount);
  const wanted = Date.parse(MONTH) * 1000;
  return () => {
    let count = 0;
    for (let row = 0; row < values.length; row++) {
      const date = new Date(values[row]! / 1000);
      if (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) * 1000 === wanted) count++;
    }
    return [count];
  };
}

function truncateInBerlin(rowCount: number): () => readonly unknown[] {
  const values = times(rowCount);
  const wanted = Date.parse(BERLIN_DAY);
  return () => {
    let count = 0;
    for (let row = 0; row < values.length; row++) {
      const instant = Temporal.Instant.fromEpochMilliseconds(Math.floor(values[row]! / 1000));
      if (instant.toZonedDateTimeISO(BERLIN).startOfDay().epochMilliseconds === wanted) count++;
    }
    return [count];
  };
}

/** The rows of the smallest distances, kept in order in two small arrays. */
class Nearest {
  readonly distances: Float64Array = new Float64Array(NEAREST_COUNT).fill(Number.POSITIVE_INFINITY);
  readonly rows: Int32Array = new Int32Array(NEAREST_COUNT);

  insert(row: number, distance: number): void {
    let at = NEAREST_COUNT - 1;
    for (; at > 0 && this.distances[at - 1]! > distance; at--) {
      this.distances[at] = this.distances[at - 1]!;
      this.rows[at] = this.rows[at - 1]!;
    }
    this.distances[at] = distance;
    this.rows[at] = row;
  }
}

function euclideanDistance(rowCount: number): () => readonly unknown[] {
  const values = vectors(rowCount);
  const query = Float32Array.from(QUERY_VECTOR);
  return () => {
    const nearest = new Nearest();
    for (let row = 0; row < rowCount; row++) {
      const vector = values[row]!;
      let sum = 0;
      for (let index = 0; index < vector.length; index++) {
        const difference = vector[index]! - query[index]!;
        sum += difference * difference;
      }
      const distance = Math.sqrt(sum);
      if (distance < nearest.distances[NEAREST_COUNT - 1]!) nearest.insert(row, distance);
    }
    return [...nearest.rows];
  };
}

/** The same over one array with all elements one behind the other. */
function flatEuclideanDistance(rowCount: number): () => readonly unknown[] {
  const elements = flatVectors(rowCount);
  const query = Float32Array.from(QUERY_VECTOR);
  return () => {
    const nearest = new Nearest();
    for (let row = 0; row < rowCount; row++) {
      let sum = 0;
      for (let index = 0, at = row * DIMENSION_COUNT; index < DIMENSION_COUNT; index++, at++) {
        const difference = elements[at]! - query[index]!;
        sum += difference * difference;
      }
      const distance = Math.sqrt(sum);
      if (distance < nearest.distances[NEAREST_COUNT - 1]!) nearest.insert(row, distance);
    }
    return [...nearest.rows];
  };
}

function cosineDistance(rowCount: number): () => readonly unknown[] {
  const values = vectors(rowCount);
  const query = Float32Array.from(QUERY_VECTOR);
  return () => {
    const nearest = new Nearest();
    for (let row = 0; row < rowCount; row++) {
      const vector = values[row]!;
      let dot = 0;
      let norm = 0;
      let queryNorm = 0;
      for (let index = 0; index < vector.length; index++) {
        const element = vector[index]!;
        const other = query[index]!;
        dot += element * other;
        norm += element * element;
        queryNorm += other * other;
      }
      const distance = 1 - dot / Math.sqrt(norm * queryNorm);
      if (distance < nearest.distances[NEAREST_COUNT - 1]!) nearest.insert(row, distance);
    }
    return [...nearest.rows];
  };
}

export const LOOPS: Readonly<Record<string, Loop>> = {
  regularExpression,
  truncateToHour,
  truncateToMonth,
  truncateInBerlin,
  euclideanDistance,
  flatEuclideanDistance,
  cosineDistance,
};
