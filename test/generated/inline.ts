/** The engine in this thread with its imports, which the library does not have. */

import { SqlError } from '../../src/base/errors.ts';
import { SystemClock, SystemFiles, SystemRandom } from '../../src/base/files.ts';
import { InlineEngine } from '../../src/engine/inline-engine.ts';
import { defaultSettings, type SettingValues } from '../../src/engine/settings.ts';
import { CsvRows } from '../../src/program/import/csv-rows.ts';
import { JsonRows } from '../../src/program/import/json-rows.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type Format = 'csv' | 'json' | 'jsonl';

export class Engine {
  readonly #engine: InlineEngine;
  readonly #timezone: string;

  constructor(timezone: string, nodeCount: number) {
    const settings: SettingValues = { ...defaultSettings(''), backends: nodeCount, timezone };
    this.#timezone = timezone;
    this.#engine = new InlineEngine({
      settings,
      directory: undefined,
      nodeCount,
      files: new SystemFiles(),
      clock: new SystemClock(),
      random: new SystemRandom(),
      changeSetting: () => {},
    });
  }

  /** The result in format json; throws SqlError. */
  async run(sql: string): Promise<string> {
    const body = await this.#engine.execute(encoder.encode(sql), undefined, 'json', this.#timezone);
    return body === undefined ? '' : decoder.decode(body);
  }

  /** Inserts rows; undefined, or the error. */
  import(
    table: string,
    columns: readonly string[] | undefined,
    format: Format,
    body: Uint8Array,
  ): Promise<SqlError | undefined> {
    return new Promise((resolve, reject) => {
      const rows = (bytes: Uint8Array, length: number): CsvRows | JsonRows =>
        format === 'csv'
          ? new CsvRows(bytes, 0, length, 0)
          : new JsonRows(bytes, 0, length, format === 'jsonl', columns !== undefined);
      try {
        this.#engine.frontend.import(
          { schema: 'public', table, columns, rows },
          body,
          0,
          body.length,
          this.#timezone,
          (error) => {
            if (error === undefined || error instanceof SqlError) resolve(error);
            else reject(error);
          },
        );
        this.#engine.run();
      } catch (error) {
        reject(error);
      }
    });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
