/**
 * What BatchRows needs to know of a table, as flat arrays by column ordinal; made once a table definition and thread.
 */

import { unreachable } from '../base/assert.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import type { Constant, TableDefinition } from '../catalog/catalog.ts';
import { WORDS, wordsOfBig } from '../types/int64.ts';
import { createInterval, writeIntervalWords } from '../types/interval.ts';
import { parseInterval } from '../types/interval-text.ts';
import { JsonWriter } from '../types/json/json-writer.ts';
import { parseJson } from '../types/json/parse.ts';
import { INTERVAL, UUID, VECTOR } from '../types/type.ts';
import { parseUuid, UUID_BYTES } from '../types/uuid.ts';
import { appendJsonElements } from '../types/vector.ts';

/** Actions for a column that a row leaves unset. */
export const UNSET_NULL = 0;
export const UNSET_ERROR = 1;
export const UNSET_IDENTITY = 2;
/** A random integer below randomModulo, at most 2^53. */
export const UNSET_RANDOM = 3;
/** A random integer below randomBig: beyond 2^53. */
export const UNSET_RANDOM_BIG = 4;
/** A random integer below 2^63. */
export const UNSET_RANDOM_ANY = 5;
/** The cell in cellLow, cellHigh. */
export const UNSET_CELL = 6;
/** The value bytes of defaultBytes. */
export const UNSET_VALUE = 7;

export type TablePlan = {
  /** Type numbers. */
  readonly types: Uint8Array;
  /** 1 where NULL is refused: NOT NULL columns and those of the primary key. */
  readonly notNull: Uint8Array;
  readonly isIdentity: Uint8Array;
  readonly unset: Uint8Array;
  readonly cellLow: Int32Array;
  readonly cellHigh: Int32Array;
  readonly randomModulo: Float64Array;
  readonly randomBig: readonly bigint[];
  readonly defaultBytes: readonly (Uint8Array | undefined)[];
  readonly hasIdentity: boolean;
  /** Column ordinals of the primary key. */
  readonly keyColumns: readonly number[];
};

const plans: WeakMap<TableDefinition, TablePlan> = new WeakMap();

/** The plan of a table definition. */
export function tablePlanOf(table: TableDefinition): TablePlan {
  let plan = plans.get(table);
  if (plan === undefined) {
    plan = makePlan(table);
    plans.set(table, plan);
  }
  return plan;
}

function makePlan(table: TableDefinition): TablePlan {
  const count = table.columns.length;
  const keyColumns = table.indexes[0]!.keys.map((key) => key.column);
  const randomBig = new Array<bigint>(count).fill(0n);
  const defaultBytes = new Array<Uint8Array | undefined>(count).fill(undefined);
  const plan: TablePlan = {
    types: Uint8Array.from(table.columns, (column) => column.type),
    notNull: Uint8Array.from(table.columns, (column, index) => +(column.isNotNull || keyColumns.includes(index))),
    isIdentity: Uint8Array.from(table.columns, (column) => +column.isIdentity),
    unset: new Uint8Array(count),
    cellLow: new Int32Array(count),
    cellHigh: new Int32Array(count),
    randomModulo: new Float64Array(count),
    randomBig,
    defaultBytes,
    hasIdentity: table.columns.some((column) => column.isIdentity),
    keyColumns,
  };
  table.columns.forEach((column, index) => {
    if (column.isIdentity) {
      plan.unset[index] = UNSET_IDENTITY;
    } else if (column.randomModulo !== undefined) {
      const modulo = BigInt(column.randomModulo);
      plan.unset[index] =
        modulo === 2n ** 63n ? UNSET_RANDOM_ANY : modulo <= 2n ** 53n ? UNSET_RANDOM : UNSET_RANDOM_BIG;
      plan.randomModulo[index] = Number(modulo);
      randomBig[index] = modulo;
    } else if (column.defaultValue !== undefined) {
      const bytes = constantBytes(column.defaultValue, plan, index);
      defaultBytes[index] = bytes;
      plan.unset[index] = bytes === undefined ? UNSET_CELL : UNSET_VALUE;
    } else {
      plan.unset[index] = plan.notNull[index] === 1 ? UNSET_ERROR : UNSET_NULL;
    }
  });
  return plan;
}

/** Sets the cell of a default, or gives the bytes of one that lies outside the cell. */
function constantBytes(constant: Constant, plan: TablePlan, column: number): Uint8Array | undefined {
  switch (constant.kind) {
    case 'int':
      wordsOfBig(BigInt(constant.value));
      break;
    case 'bool':
      WORDS[0] = constant.value ? 1 : 0;
      WORDS[1] = 0;
      break;
    case 'double':
      new Float64Array(WORDS.buffer)[0] = Number(constant.value);
      break;
    case 'text': {
      const text = new TextEncoder().encode(constant.value);
      if (plan.types[column] === INTERVAL) return intervalBytes(text);
      return plan.types[column] === UUID ? uuidBytes(text) : text;
    }
    case 'json': {
      const writer = new JsonWriter(64);
      const text = new TextEncoder().encode(constant.value);
      parseJson(text, 0, text.length, writer);
      return plan.types[column] === VECTOR ? vectorBytes(writer.bytes) : writer.toBytes();
    }
    default:
      return unreachable(constant);
  }
  plan.cellLow[column] = WORDS[0]!;
  plan.cellHigh[column] = WORDS[1]!;
  return undefined;
}

/** The 16 bytes of an interval. */
function intervalBytes(text: Uint8Array): Uint8Array {
  const words = new Int32Array(4);
  const value = createInterval();
  parseInterval(text, 0, text.length, value);
  writeIntervalWords(words, 0, value);
  return new Uint8Array(words.buffer);
}

function uuidBytes(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(UUID_BYTES);
  parseUuid(text, 0, text.length, bytes, 0);
  return bytes;
}

function vectorBytes(json: Uint8Array): Uint8Array {
  const writer = new ByteWriter(64);
  appendJsonElements(writer, json, 0);
  return writer.toBytes();
}
