/** The requests of the workload: SQL, what it appends, which keys it reads, and how it may fail. */

import type { SeededRandom } from '../../src/testing/random.ts';
import type { Append } from './history.ts';

/** Keys whose rows are there from the start, over all partitions. */
export const FIXED_KEY_COUNT = 16;
/** Keys behind them, whose rows come by the first INSERT ... ON CONFLICT. */
const LATE_KEY_COUNT = 6;
export const KEYS: readonly number[] = Array.from({ length: FIXED_KEY_COUNT + LATE_KEY_COUNT }, (_, key) => key);
const SHELF_COUNT = 4;
/** Keys behind these, whose lists are in a shared table: appended to in fences, and read on any node. */
const SHARED_KEYS: readonly number[] = [100, 101, 102, 103];

export const SETUP: readonly string[] = [
  'create table lists (id int primary key, shelf int not null, list json not null, spare int not null)',
  'create index lists_shelf on lists (shelf)',
  'create shared table shared_lists (id int primary key, list json not null, spare int not null)',
  'create table taken (id int primary key)',
  'insert into taken values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)',
  `insert into lists values ${KEYS.slice(0, FIXED_KEY_COUNT)
    .map((key) => `(${key}, ${shelfOf(key)}, [], 0)`)
    .join(', ')}`,
];

export const CLEARING: readonly string[] = ['drop table lists', 'drop table shared_lists', 'drop table taken'];

export type Request = {
  readonly sql: string;
  readonly appends: readonly Append[];
  /** The keys whose lists are the result: a key without a row has an empty one. */
  readonly readKeys: readonly number[];
  /** Error codes with which it may be refused. */
  readonly errorCodes: readonly string[];
};

/** Reads everything, by each way of access. */
export const FINAL_READS: readonly Request[] = [
  reading('id >= 0', KEYS),
  reading('id + 0 >= 0', KEYS),
  ...Array.from({ length: SHELF_COUNT }, (_, shelf) => shelfRead(shelf)),
  sharedRead(SHARED_KEYS),
];

export class RequestMaker {
  readonly #random: SeededRandom;
  #nextValue = 1;
  #nextFree = 1000;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Request {
    const kind = this.#random.below(100);
    if (kind < 15) return this.#readSome();
    if (kind < 20) return reading('id >= 0', KEYS);
    if (kind < 25) return shelfRead(this.#random.below(SHELF_COUNT));
    if (kind < 35) return this.#appendReturning();
    if (kind < 42) return this.#appendRange();
    if (kind < 50) return this.#failSurely();
    if (kind < 65) return this.#shared();
    return this.#appendThen();
  }

  #key(): number {
    // A few keys are wanted by all.
    return this.#random.oneIn(2) ? this.#random.below(4) : this.#random.below(KEYS.length);
  }

  #keys(countMax: number): number[] {
    return [...new Set(Array.from({ length: 1 + this.#random.below(countMax) }, () => this.#key()))];
  }

  #append(key: number): { readonly sql: string; readonly append: Append } {
    const value = this.#nextValue++;
    const append: Append = { kind: 'append', key, value };
    const isUpdate = key < FIXED_KEY_COUNT && !this.#random.oneIn(4);
    const sql = isUpdate
      ? `update lists set list = list || [${value}] where id = ${key}`
      : `insert into lists values (${key}, ${shelfOf(key)}, [${value}], 0) on conflict do update set list = list || excluded.list`;
    return { sql, append };
  }

  #readSome(): Request {
    const keys = this.#keys(4);
    return reading(`id in (${keys.join(', ')})`, keys);
  }

  /** One statement that appends and gives the list. */
  #appendReturning(): Request {
    const { sql, append } = this.#append(this.#key());
    return { sql: `${sql} returning id, list`, appends: [append], readKeys: [append.key], errorCodes: [] };
  }

  /** The same value to several lists, on several nodes, by one statement. */
  #appendRange(): Request {
    const first = this.#random.below(FIXED_KEY_COUNT - 1);
    const end = first + 2 + this.#random.below(FIXED_KEY_COUNT - first - 1);
    const keys = KEYS.slice(first, end);
    const value = this.#nextValue++;
    const appends = keys.map((key): Append => ({ kind: 'append', key, value }));
    const sql = `update lists set list = list || [${value}] where id >= ${first} and id < ${end} returning id, list`;
    return { sql, appends, readKeys: keys, errorCodes: [] };
  }

  /** Appends to several lists, in this order perhaps to one twice; then reads, or may fail on a node of its own. */
  #appendThen(): Request {
    const keys = this.#keys(3);
    if (this.#random.oneIn(5)) keys.push(keys[0]!);
    const parts = keys.map((key) => this.#append(key));
    const appends = parts.map(({ append }) => append);
    const statements = parts.map(({ sql }) => sql);
    const kind = this.#random.below(4);
    if (kind === 0) return { sql: statements.join('; '), appends, readKeys: [], errorCodes: [] };
    if (kind === 1) {
      // Seldom enough that the nodes go on ahead, and all that ran behind it is undone and runs again.
      const divisor = this.#random.oneIn(25) ? 0 : 1;
      statements.splice(
        this.#random.below(2) * statements.length,
        0,
        `update lists set spare = spare / ${divisor} where id = ${this.#random.below(FIXED_KEY_COUNT)}`,
      );
      return { sql: statements.join('; '), appends, readKeys: [], errorCodes: divisor === 0 ? ['zero_division'] : [] };
    }
    const readKeys = this.#keys(4);
    if (kind === 2) {
      const isTaken = this.#random.oneIn(25);
      statements.push(`insert into taken values (${isTaken ? this.#random.below(10) : this.#nextFree++})`);
      statements.push(reading(`id in (${readKeys.join(', ')})`, readKeys).sql);
      return { sql: statements.join('; '), appends, readKeys, errorCodes: isTaken ? ['key_conflict'] : [] };
    }
    statements.push(reading(`id in (${readKeys.join(', ')})`, readKeys).sql);
    return { sql: `begin; ${statements.join('; ')}; commit`, appends, readKeys, errorCodes: [] };
  }

  /** Lists of the shared table: read alone, or behind appends to others; appended to, and read then, or refused. */
  #shared(): Request {
    const keys = SHARED_KEYS.filter(() => this.#random.oneIn(2));
    if (keys.length === 0) keys.push(SHARED_KEYS[0]!);
    const reading = sharedRead(keys);
    const kind = this.#random.below(4);
    if (kind === 0) return reading;
    if (kind === 1) {
      const parts = this.#keys(3).map((key) => this.#append(key));
      const sql = [...parts.map((part) => part.sql), reading.sql].join('; ');
      return { ...reading, sql, appends: parts.map(({ append }) => append) };
    }
    const appends = keys.map((key): Append => ({ kind: 'append', key, value: this.#nextValue++ }));
    const statements = appends.map(
      ({ key, value }) =>
        `insert into shared_lists values (${key}, [${value}], 0) on conflict do update set list = list || excluded.list`,
    );
    if (kind === 2) return { ...reading, sql: [...statements, reading.sql].join('; '), appends };
    const isRefused = this.#random.oneIn(4);
    if (isRefused) statements.push(`insert into shared_lists values (${keys[0]}, [], 0)`);
    const errorCodes = isRefused ? ['key_conflict'] : [];
    return { sql: statements.join('; '), appends, readKeys: [], errorCodes };
  }

  /** Requests that fail each time: after a while their nodes wait for one another's votes. */
  #failSurely(): Request {
    const parts = this.#keys(3).map((key) => this.#append(key));
    const statements = parts.map(({ sql }) => sql);
    const appends = parts.map(({ append }) => append);
    const key = this.#random.below(FIXED_KEY_COUNT);
    const kind = this.#random.below(3);
    if (kind === 0) statements.push(`select 1 / spare from lists where id = ${key}`);
    else if (kind === 1) statements.push(`update lists set spare = 1 / spare where id >= ${key}`);
    else {
      // A row of a late key is made, and taken back when the row of another key is found to be there.
      const late = FIXED_KEY_COUNT + this.#random.below(LATE_KEY_COUNT);
      const value = this.#nextValue++;
      statements.push(`insert into lists values (${late}, ${shelfOf(late)}, [${value}], 0), (${key}, 0, [], 0)`);
      appends.push({ kind: 'append', key: late, value });
    }
    const errorCodes = [kind === 2 ? 'key_conflict' : 'zero_division'];
    return { sql: statements.join('; '), appends, readKeys: [], errorCodes };
  }
}

/** Lists of the shared table. */
function sharedRead(readKeys: readonly number[]): Request {
  const sql = `select id, list from shared_lists where id in (${readKeys.join(', ')})`;
  return { sql, appends: [], readKeys, errorCodes: [] };
}

function shelfOf(key: number): number {
  return key % SHELF_COUNT;
}

function reading(condition: string, readKeys: readonly number[]): Request {
  return { sql: `select id, list from lists where ${condition}`, appends: [], readKeys, errorCodes: [] };
}

function shelfRead(shelf: number): Request {
  const keys = KEYS.filter((key) => shelfOf(key) === shelf);
  return reading(`shelf = ${shelf}`, keys);
}
