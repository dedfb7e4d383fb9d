/**
 * The embedded library: the engine inside a Node.js program, in its thread, without a server.
 *
 *     import { open } from 'amelie';
 *     const db = await open({ directory: './data' });
 *     await db.query('create table t (id int primary key, v text)');
 *     await db.query('insert into t values ($1, $2)', [1, 'one']);
 *     console.log(await db.query('select id, v from t')); // [ { id: 1, v: 'one' } ]
 *     await db.close();
 */

import { resolve } from 'node:path';
import { SqlError } from '../base/errors.ts';
import { SystemClock, SystemFiles, SystemRandom } from '../base/files.ts';
import { RequestParameters } from '../engine/frontend/request-parameters.ts';
import { InlineEngine } from '../engine/inline-engine.ts';
import { createRepository, isRepository, prepareDirectory } from '../engine/repository.ts';
import { RepositoryLock } from '../engine/repository-lock.ts';
import { defaultSettings, type SettingValues, settingChange, settingFromValue } from '../engine/settings.ts';
import { changeSetting, checkedSettings, loadConfig, settingsOf } from '../engine/settings-file.ts';

export { SqlError };

/** Settings of the reference under their names, and where the data is. */
export type OpenOptions = Partial<
  Pick<
    SettingValues,
    | 'backends'
    | 'timezone'
    | 'memory_limit'
    | 'limit_send'
    | 'wal_sync_on_write'
    | 'wal_sync_on_rotate'
    | 'wal_rotate_wm'
  >
> & {
  /** The repository; made where it is missing. Without it the database is in memory, and nothing is kept. */
  readonly directory?: string;
};

/** A row: its values by column name. */
export type Row = Record<string, unknown>;

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** An open database. Requests run in the order of the calls, each as one transaction. */
export class AmelieDatabase {
  readonly #engine: InlineEngine;
  readonly #onClose: () => void;
  #isClosed = false;

  /** Use `open`. */
  constructor(engine: InlineEngine, onClose: () => void) {
    this.#engine = engine;
    this.#onClose = onClose;
  }

  /**
   * Runs the statements of `sql` as one transaction and gives the rows of the last one, as objects by column name; no rows
   * where it has no result. By type:
   *
   * - bool is a boolean, text a string, NULL null;
   * - integers are numbers, beyond ±2^53 bigints; doubles and floats are always numbers;
   * - json is what JSON.parse gives, its integers beyond ±2^53 as bigints; a vector is an array of numbers;
   * - uuid, date, timestamp and interval are the strings that a server would send.
   *
   * `parameters` are the values of $1, $2, …: null, boolean, number, bigint, string, Date, an array or object for json, an
   * array or a typed array of floats for a vector.
   * Rejects with SqlError, and then nothing of the request is kept.
   */
  async query<T extends Row = Row>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    const body = await this.#run(sql, parameters, 'json-obj');
    return body === undefined ? [] : (parseRows(DECODER.decode(body)) as T[]);
  }

  /** Runs a request and gives the answer as the server would: HTTP status, and JSON text in format json. */
  async execute(sql: string, parameters: readonly unknown[] = []): Promise<{ status: number; body: string }> {
    try {
      const body = await this.#run(sql, parameters, 'json');
      return body === undefined ? { status: 204, body: '' } : { status: 200, body: DECODER.decode(body) };
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return { status: 400, body: error.toJson() };
    }
  }

  /** Closes the database; what was committed is in the repository. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#engine.close();
    } finally {
      this.#onClose();
    }
  }

  async #run(sql: string, values: readonly unknown[], format: string): Promise<Uint8Array | undefined> {
    if (this.#isClosed) throw new SqlError('shutting_down', 'the database is closed');
    let parameters: RequestParameters | undefined;
    if (values.length > 0) {
      parameters = new RequestParameters();
      for (const [index, value] of values.entries()) parameters.addValue(value, index + 1);
    }
    return await this.#engine.execute(ENCODER.encode(sql), parameters, format);
  }
}

/**
 * Opens a database. Throws SqlError for a wrong setting, Error where the repository is in use, damaged, or cannot be made.
 */
export async function open(options: OpenOptions = {}): Promise<AmelieDatabase> {
  const { directory, ...given } = options;
  return directory === undefined ? openInMemory(given) : openRepository(resolve(directory), given);
}

function openInMemory(given: Readonly<Record<string, unknown>>): AmelieDatabase {
  const settings: SettingValues = { ...defaultSettings(''), backends: 1, ...checkedSettings(given, 'init') };
  const change = (name: string, value: unknown): void => {
    Object.assign(settings, settingChange(name as keyof SettingValues, settingFromValue(name, value, 'set')));
  };
  return new AmelieDatabase(createEngine(settings, undefined, change), () => {});
}

function openRepository(directory: string, given: Readonly<Record<string, unknown>>): AmelieDatabase {
  const values = checkedSettings(given, 'init');
  prepareDirectory(directory);
  const lock = RepositoryLock.acquire(directory);
  try {
    const { backends } = values;
    if (!isRepository(directory)) createRepository(directory, backends === undefined ? {} : { backends });
    const config = loadConfig(directory);
    const settings = settingsOf(directory, config, { ...values, ...pickBackends(config.settings) });
    if (backends !== undefined && settings.backends !== backends)
      throw new SqlError(
        'invalid_value',
        `setting backends cannot be changed: the repository was made with ${settings.backends}`,
      );
    const change = (name: string, value: unknown): void => {
      changeSetting(directory, settings, name, value);
    };
    return new AmelieDatabase(createEngine(settings, directory, change), () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

function pickBackends({ backends }: Partial<SettingValues>): Partial<SettingValues> {
  return backends === undefined ? {} : { backends };
}

function createEngine(
  settings: SettingValues,
  directory: string | undefined,
  change: (name: string, value: unknown) => void,
): InlineEngine {
  return new InlineEngine({
    settings,
    directory,
    nodeCount: settings.backends,
    files: new SystemFiles(),
    clock: new SystemClock(),
    random: new SystemRandom(),
    changeSetting: change,
  });
}

/** Rows of JSON text in which doubles are marked: what is written in digits only and is no safe number is a bigint. */
function parseRows(text: string): Row[] {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Row[];
  return JSON.parse(text, reviveExact as (this: unknown, key: string, value: unknown) => unknown) as Row[];
}

function reviveExact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const { source } = context;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
