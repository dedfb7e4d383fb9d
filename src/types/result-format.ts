/**
 * Rows of a result as JSON text, by the format of the request or statement.
 *
 * A result is `[`, rows joined by `, `, `]`. A row is written without regard to where it stands, so nodes write rows and
 * the frontend only joins them. json-array: a row of one column is the bare value, of several an array; json-obj: an object.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { notSupported, SqlError } from '../base/errors.ts';
import type { Memory } from '../base/memory.ts';
import type { RegisterFile } from '../base/registers.ts';
import { writeDate } from './date.ts';
import { createInterval, readInterval } from './interval.ts';
import { writeInterval } from './interval-text.ts';
import { ONE_LINE, writeComma, writeJson, writeJsonString, writeLine, writeMemberStart } from './json/text.ts';
import { writeDouble, writeFloat, writeInt } from './number-text.ts';
import type { TimeZone } from './time-zone.ts';
import { writeTimestamp } from './timestamp.ts';
import { TYPE_NAMES, type TypeId } from './type.ts';
import { writeUuid } from './uuid.ts';
import { writeVector } from './vector.ts';

/** A format: FORMAT_OBJECT and FORMAT_PRETTY, each set or not; as it stands in request blocks. 0 is json-array. */
export type ResultFormat = number;
export const FORMAT_OBJECT = 1;
export const FORMAT_PRETTY = 2;

/**
 * The flags of `json`, `json-array`, `json-obj`, each with `-pretty` or not, in any order. Throws unknown_format, with the
 * position that is given.
 */
export function formatFlags(format: string, position?: number): ResultFormat {
  const parts = format.split('-');
  let flags = 0;
  if (parts[0] === 'json') parts.shift();
  else if (!parts.includes('json')) throw unknownFormat(format, position);
  let shapes = 0;
  for (const part of parts) {
    if (part === 'obj') flags |= FORMAT_OBJECT;
    else if (part === 'pretty') flags |= FORMAT_PRETTY;
    else if (part !== 'array' && part !== 'json') throw unknownFormat(format, position);
    if (part === 'obj' || part === 'array') shapes++;
  }
  if (shapes > 1) throw unknownFormat(format, position);
  return flags;
}

function unknownFormat(format: string, position: number | undefined): SqlError {
  return new SqlError('unknown_format', `unknown format '${format.slice(0, 64)}'`, position);
}

/** The columns of a result, ready to write rows in one format. Immutable. */
export class RowFormat {
  private readonly types: readonly TypeId[];
  private readonly isNullable: readonly boolean[];
  private readonly flags: ResultFormat;
  /** By column: its name as JSON string, with the colon. */
  private readonly names: readonly Uint8Array[];

  constructor(
    columns: readonly { readonly name: string; readonly type: TypeId; readonly isNullable: boolean }[],
    flags: ResultFormat,
  ) {
    this.types = columns.map((column) => column.type);
    this.isNullable = columns.map((column) => column.isNullable);
    this.flags = flags;
    const encoder = new TextEncoder();
    this.names = columns.map((column) => encoder.encode(`${JSON.stringify(column.name)}: `));
  }

  /** Appends the row whose values are in registers first, first + 1, …; nul[] is read for nullable columns. */
  writeRow(writer: ByteWriter, memory: Memory, registers: RegisterFile, first: number, zone: TimeZone): void {
    const indent = (this.flags & FORMAT_PRETTY) === 0 ? ONE_LINE : 0;
    if ((this.flags & FORMAT_OBJECT) !== 0) {
      this.writeObject(writer, memory, registers, first, zone, indent);
      return;
    }
    const count = this.types.length;
    if (count === 1) {
      this.writeColumn(writer, memory, registers, first, 0, zone, indent);
      return;
    }
    writer.byte(91);
    for (let i = 0; i < count; i++) {
      if (i > 0) writeComma(writer);
      this.writeColumn(writer, memory, registers, first, i, zone, indent);
    }
    writer.byte(93);
  }

  private writeObject(
    writer: ByteWriter,
    memory: Memory,
    registers: RegisterFile,
    first: number,
    zone: TimeZone,
    indent: number,
  ): void {
    const inner = indent === ONE_LINE ? ONE_LINE : 1;
    writer.byte(123);
    for (let i = 0; i < this.types.length; i++) {
      writeMemberStart(writer, i, inner);
      const name = this.names[i]!;
      writer.copy(name, 0, name.length);
      this.writeColumn(writer, memory, registers, first, i, zone, inner);
    }
    if (inner !== ONE_LINE) writeLine(writer, 0);
    writer.byte(125);
  }

  private writeColumn(
    writer: ByteWriter,
    memory: Memory,
    registers: RegisterFile,
    first: number,
    column: number,
    zone: TimeZone,
    indent: number,
  ): void {
    const register = first + column;
    if (this.isNullable[column]! && registers.nul[register] !== 0) writer.ascii('null');
    else writeValue(writer, memory, registers, register, this.types[column]!, zone, indent);
  }
}

const INTERVAL_VALUE = createInterval();

/** Appends the JSON text of register `register`, of that type and not NULL. `indent` as in json/text.ts. */
export function writeValue(
  writer: ByteWriter,
  memory: Memory,
  registers: RegisterFile,
  register: number,
  type: TypeId,
  zone: TimeZone,
  indent: number,
): void {
  const num = registers.num[register]!;
  switch (type as number) {
    case 0: // null
      writer.ascii('null');
      break;
    case 1: // bool
      writer.ascii(num === 0 ? 'false' : 'true');
      break;
    case 2: // tinyint
    case 3: // smallint
    case 4: // int
    case 5: // bigint
      writeInt(writer, num, Number.isNaN(num) ? registers.big[register]! : 0n);
      break;
    case 6: // float
      writeFloat(writer, num);
      break;
    case 7: // double
      writeDouble(writer, num);
      break;
    case 8: {
      // text
      const start = ((num & 0x3ffffff) << 4) + 4;
      const length = memory.i32[num >>> 26]![(num & 0x3ffffff) << 2]!;
      writeJsonString(writer, memory.u8[num >>> 26]!, start, start + length);
      break;
    }
    case 9: // json
      writeJson(writer, memory.u8[num >>> 26]!, ((num & 0x3ffffff) << 4) + 4, indent);
      break;
    case 11: // interval
      writer.byte(34);
      readInterval(memory.i32[num >>> 26]!, (num & 0x3ffffff) << 2, INTERVAL_VALUE);
      writeInterval(writer, INTERVAL_VALUE);
      writer.byte(34);
      break;
    case 12: // date
      writer.byte(34);
      writeDate(writer, num);
      writer.byte(34);
      break;
    case 13: // vector
      writeVector(writer, memory, num);
      break;
    case 14: // uuid
      writer.byte(34);
      writeUuid(writer, memory.u8[num >>> 26]!, (num & 0x3ffffff) << 4);
      writer.byte(34);
      break;
    case 10: // timestamp
      writer.byte(34);
      writeTimestamp(writer, num, Number.isNaN(num) ? registers.big[register]! : 0n, zone);
      writer.byte(34);
      break;
    default:
      throw notSupported(`values of type ${TYPE_NAMES[type]}`);
  }
}
