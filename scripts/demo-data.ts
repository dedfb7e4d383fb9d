/**
 * The files of the demo, real ones from vega-datasets: their tables, their batches for the import over HTTP, and their rows
 * as plain JavaScript sees them, for the answers that the database has to give.
 *
 * What is imported are the bytes of the files, cut between rows; the JavaScript rows come by another way (JSON.parse of
 * the whole file, and a split at commas).
 */

import { readFileSync } from 'node:fs';

export type Batch = { readonly rowCount: number; readonly body: Buffer };

export type DemoTable = {
  readonly name: string;
  readonly file: string;
  readonly definition: string;
  /** Where the batches are posted, with what content type. */
  readonly path: string;
  readonly contentType: string;
  readonly batches: readonly Batch[];
};

export type Flight = { readonly delay: number; readonly distance: number; readonly time: number };
export type Place = {
  readonly zip: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly city: string;
  readonly state: string;
  readonly county: string;
};
export type Movie = Readonly<Record<string, string | number | null>>;
export type Strike = Readonly<Record<string, string>>;
export type Quake = {
  readonly id: string;
  readonly properties: Readonly<Record<string, number | string | null>>;
  readonly geometry: { readonly coordinates: readonly number[] };
};

export type DemoRows = {
  readonly flights: readonly Flight[];
  readonly zipcodes: readonly Place[];
  readonly movies: readonly Movie[];
  readonly birdstrikes: readonly Strike[];
  readonly earthquakes: readonly Quake[];
};

/** Well below what a server takes in one request by default, which is 1 MiB. */
const BATCH_BYTES_MAX = 200_000;
const JSON_TYPE = 'application/json';

const MOVIE_COLUMNS = `id serial primary key, Title json, \`US Gross\` bigint, \`Worldwide Gross\` bigint,
  \`US DVD Sales\` bigint, \`Production Budget\` bigint, \`Release Date\` text, \`MPAA Rating\` text, \`Running Time min\` int,
  Distributor text, Source text, \`Major Genre\` text, \`Creative Type\` text, Director text, \`Rotten Tomatoes Rating\` int,
  \`IMDB Rating\` double, \`IMDB Votes\` int`;
const STRIKE_COLUMNS = `id serial primary key, \`Airport Name\` text, \`Aircraft Make Model\` text,
  \`Effect Amount of damage\` text, \`Flight Date\` timestamp, \`Aircraft Airline Operator\` text, \`Origin State\` text,
  \`Phase of flight\` text, \`Wildlife Size\` text, \`Wildlife Species\` text, \`Time of day\` text, \`Cost Other\` int,
  \`Cost Repair\` int, \`Cost Total $\` int, \`Speed IAS in knots\` int`;

function read(file: string): Buffer {
  return readFileSync(new URL(`../node_modules/vega-datasets/data/${file}`, import.meta.url));
}

/** The tables and rows of all files, of each at most `rowCountMax` rows, spread over the file. */
export function readDemoData(rowCountMax: number): { readonly tables: readonly DemoTable[]; readonly rows: DemoRows } {
  const flights = read('flights-200k.json');
  const zipcodes = read('zipcodes.csv');
  const movies = read('movies.json');
  const strikes = read('birdstrikes.csv');
  const quakes = read('earthquakes.json');
  const tables: DemoTable[] = [
    {
      name: 'flights',
      file: 'flights-200k.json',
      definition: 'id serial primary key, delay int, distance int, time double',
      path: '/public/flights',
      contentType: JSON_TYPE,
      batches: arrayBatches(spread(arrayElements(flights, 0), rowCountMax)),
    },
    {
      name: 'zipcodes',
      file: 'zipcodes.csv',
      definition: 'zip_code text primary key, latitude double, longitude double, city text, state text, county text',
      path: '/public/zipcodes?columns=zip_code,latitude,longitude,city,state,county',
      contentType: 'text/csv',
      batches: joinBatches(spread(csvLines(zipcodes).lines, rowCountMax), '', '\n', '\n'),
    },
    {
      name: 'movies',
      file: 'movies.json',
      definition: MOVIE_COLUMNS,
      path: '/public/movies',
      contentType: 'application/jsonl',
      batches: joinBatches(spread(arrayElements(movies, 0), rowCountMax), '', '\n', '\n'),
    },
    {
      name: 'birdstrikes',
      file: 'birdstrikes.csv',
      definition: STRIKE_COLUMNS,
      path: '/public/birdstrikes?header=true',
      contentType: 'text/csv; charset=utf-8',
      batches: strikeBatches(strikes, rowCountMax),
    },
    {
      name: 'earthquakes',
      file: 'earthquakes.json',
      definition: 'id text primary key, type text, properties json, geometry json',
      path: '/public/earthquakes',
      contentType: JSON_TYPE,
      batches: arrayBatches(spread(arrayElements(quakes, quakes.indexOf('"features":[')), rowCountMax)),
    },
  ];
  const rows: DemoRows = {
    flights: spread(JSON.parse(flights.toString()) as Flight[], rowCountMax),
    zipcodes: spread(csvRows(zipcodes).map(readPlace), rowCountMax),
    movies: spread(JSON.parse(movies.toString()) as Movie[], rowCountMax),
    birdstrikes: spread(csvRows(strikes), rowCountMax),
    earthquakes: spread((JSON.parse(quakes.toString()) as { features: Quake[] }).features, rowCountMax),
  };
  return { tables, rows };
}

function readPlace(row: Strike): Place {
  return {
    zip: row.zip_code!,
    latitude: Number(row.latitude),
    longitude: Number(row.longitude),
    city: row.city!,
    state: row.state!,
    county: row.county!,
  };
}

/** Every n-th row, so that at most `countMax` are left. */
function spread<Row>(rows: readonly Row[], countMax: number): readonly Row[] {
  const step = Math.ceil(rows.length / countMax);
  return rows.filter((_, index) => index % step === 0);
}

function strikeBatches(file: Buffer, rowCountMax: number): Batch[] {
  const { header, lines } = csvLines(file);
  return joinBatches(spread(lines, rowCountMax), `${header}\r\n`, '\r\n', '\r\n');
}

/** The bytes of the elements of the first array at or after `offset`: cut where the depth of brackets says so. */
export function arrayElements(file: Buffer, offset: number): Buffer[] {
  const elements: Buffer[] = [];
  let depth = 0;
  let start = -1;
  let isInText = false;
  for (let index = file.indexOf('[', offset); index < file.length; index++) {
    const byte = file[index]!;
    if (isInText) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) isInText = false;
      continue;
    }
    if (byte === 0x22) isInText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth === 2) start = index;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 1) elements.push(file.subarray(start, index + 1));
      if (depth === 0) break;
    }
  }
  return elements;
}

function arrayBatches(elements: readonly Buffer[]): Batch[] {
  return joinBatches(elements, '[', ',', ']');
}

/** Rows with a separator between them, as many in a batch as fit. */
function joinBatches(rows: readonly Buffer[], head: string, separator: string, tail: string): Batch[] {
  const batches: Batch[] = [];
  const glue = Buffer.from(separator);
  for (let index = 0; index < rows.length; ) {
    const parts: Buffer[] = [Buffer.from(head)];
    let byteCount = 0;
    const first = index;
    for (; index < rows.length && byteCount < BATCH_BYTES_MAX; index++) {
      if (index > first) parts.push(glue);
      parts.push(rows[index]!);
      byteCount += rows[index]!.length + glue.length;
    }
    parts.push(Buffer.from(tail));
    batches.push({ rowCount: index - first, body: Buffer.concat(parts) });
  }
  return batches;
}

/** The lines of a CSV file in which no field is quoted; that is checked. */
function csvLines(file: Buffer): { readonly header: string; readonly lines: readonly Buffer[] } {
  if (file.includes('"')) throw new Error('the file has quoted fields: cutting it at line ends would be wrong');
  const [header, ...lines] = file.toString().trimEnd().split(/\r?\n/);
  return { header: header!, lines: lines.map((line) => Buffer.from(line)) };
}

function csvRows(file: Buffer): Strike[] {
  const { header, lines } = csvLines(file);
  const names = header.split(',');
  return lines.map((line) => {
    const fields = line.toString().split(',');
    return Object.fromEntries(names.map((name, column) => [name, fields[column]!]));
  });
}
