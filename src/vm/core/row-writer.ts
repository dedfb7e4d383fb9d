/**
 * Rows of results as JSON text: of the format of the request, unless the statement has its own. One row, or several joined
 * ones that wait to be sent together (groups-and-results.ts).
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { OutputSpec } from '../../program/program.ts';
import { formatFlags, type ResultFormat, RowFormat } from '../../types/result-format.ts';
import type { TimeZone } from '../../types/time-zone.ts';

/** A buffer that has grown beyond this is dropped when it is cleared. */
const KEPT_BYTES = 1 << 20;

export class RowWriter extends ByteWriter {
  /** Rows that wait, and the result stream they are for. */
  rowCount = 0;
  stream = 0;
  private readonly memory: Memory;
  private format: ResultFormat = 0;
  private zone!: TimeZone;
  private output: OutputSpec | undefined;
  private row!: RowFormat;
  /** By output and format flags. */
  private readonly rows: WeakMap<OutputSpec, (RowFormat | undefined)[]> = new WeakMap();

  constructor(memory: Memory) {
    super(16_384);
    this.memory = memory;
  }

  /** Starts a run: format and time zone are those of the request. */
  begin(format: ResultFormat, zone: TimeZone): void {
    this.format = format;
    this.zone = zone;
    this.output = undefined;
    this.clear();
  }

  /** Appends a row: values in registers first, first + 1, … */
  writeRow(output: OutputSpec, registers: RegisterFile, first: number): void {
    if (output !== this.output) this.select(output);
    this.row.writeRow(this, this.memory, registers, first, this.zone);
    this.rowCount++;
  }

  private select(output: OutputSpec): void {
    const format = output.format === '' ? this.format : formatFlags(output.format);
    let formats = this.rows.get(output);
    if (formats === undefined) {
      formats = [];
      this.rows.set(output, formats);
    }
    this.row = formats[format] ??= new RowFormat(output.columns, format);
    this.output = output;
  }

  /** What stands between two rows. */
  separate(): void {
    this.ensure(2);
    this.bytes[this.length] = 0x2c;
    this.bytes[this.length + 1] = 0x20;
    this.length += 2;
  }

  clear(): void {
    this.rowCount = 0;
    this.reset(KEPT_BYTES);
  }
}
