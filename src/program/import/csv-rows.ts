/**
 * Rows of an import as CSV (RFC 4180), straight from the bytes of the request into a batch.
 *
 * Fields are separated by commas, rows by LF or CR LF; quotes around a field protect commas, line ends and doubled quotes.
 * An empty field without quotes is NULL; every other field is read as the type of its column: json and vector as JSON text,
 * bool as true, false, 1 or 0. A byte order mark at the start is skipped, and so are empty lines where there are several columns.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { SqlError } from '../../base/errors.ts';
import { NUMBER_BIG, parseDouble, parseInteger } from '../../types/number-text.ts';
import { decodeUtf8, findInvalidUtf8, showText } from '../../types/utf8.ts';
import type { BatchBuilder, RowSource } from '../batch-builder.ts';

const COMMA = 44;
const QUOTE = 34;
const CR = 13;
const LF = 10;

/** The first line of a CSV body with header=true: column names, and the offset where the rows start. */
export type CsvHeader = { readonly columns: readonly string[]; readonly rowsStart: number };

/** Reads the header of bytes[start, end). Throws invalid_csv where there is none or a name is empty or stands twice. */
export function readCsvHeader(bytes: Uint8Array, start: number, end: number): CsvHeader {
  const scanner = new FieldScanner(bytes, start, end);
  const columns: string[] = [];
  scanner.position = skipMark(bytes, start, end);
  if (scanner.position >= end) throw new SqlError('invalid_csv', 'invalid CSV: the header is missing');
  do {
    scanner.field(1);
    const name = decodeUtf8(scanner.source, scanner.from, scanner.to);
    const where = `header, offset ${scanner.fieldStart - start}`;
    if (name === '') throw new SqlError('invalid_csv', `${where}: a column name is empty`);
    if (columns.includes(name)) throw new SqlError('duplicate_object', `${where}: column '${name}' is named twice`);
    columns.push(name);
  } while (!scanner.isRowEnd);
  return { columns, rowsStart: scanner.position };
}

function skipMark(bytes: Uint8Array, start: number, end: number): number {
  return end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
    ? start + 3
    : start;
}

/** Finds one field after the other. */
class FieldScanner {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Offset of the next field. */
  position = 0;
  /** The last field: source[from, to) without quotes. */
  source: Uint8Array;
  from = 0;
  to = 0;
  fieldStart = 0;
  isQuoted = false;
  /** The last field was the last of its row. */
  isRowEnd = false;
  private readonly unquoted: ByteWriter = new ByteWriter(1024);

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.source = bytes;
  }

  /** Reads the field at `position`. `row` is its number from 1, for errors. */
  field(row: number): void {
    const { bytes, end } = this;
    let at = this.position;
    this.fieldStart = at;
    if (at < end && bytes[at] === QUOTE) {
      this.quoted(row, at + 1);
      return;
    }
    let hasHighBytes = 0;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === COMMA || byte === LF) break;
      if (byte === QUOTE) throw this.error(row, at, 'a quote inside a field without quotes');
      hasHighBytes |= byte;
      at++;
    }
    this.source = bytes;
    this.from = this.position;
    this.to = at > this.from && at < end && bytes[at] === LF && bytes[at - 1] === CR ? at - 1 : at;
    this.isQuoted = false;
    if (hasHighBytes >= 128) this.checkUtf8(row, this.from, this.to);
    this.endField(at);
  }

  private quoted(row: number, at: number): void {
    const { bytes, end } = this;
    const first = at;
    let hasDoubled = false;
    for (;;) {
      while (at < end && bytes[at] !== QUOTE) at++;
      if (at >= end) throw this.error(row, this.fieldStart, 'the quotes do not end');
      if (at + 1 >= end || bytes[at + 1] !== QUOTE) break;
      hasDoubled = true;
      at += 2;
    }
    this.isQuoted = true;
    this.checkUtf8(row, first, at);
    if (hasDoubled) {
      this.dropDoubled(first, at);
    } else {
      this.source = bytes;
      this.from = first;
      this.to = at;
    }
    at++;
    if (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at++;
    if (at < end && bytes[at] !== COMMA && bytes[at] !== LF) {
      throw this.error(row, at, 'expected a comma or the end of the line behind the quotes');
    }
    this.endField(at);
  }

  private dropDoubled(first: number, last: number): void {
    const target = this.unquoted;
    target.length = 0;
    target.ensure(last - first);
    const output = target.bytes;
    let length = 0;
    for (let i = first; i < last; i++) {
      const byte = this.bytes[i]!;
      output[length++] = byte;
      if (byte === QUOTE) i++;
    }
    this.source = output;
    this.from = 0;
    this.to = length;
  }

  /** `at` is the comma, the line end, or the end of the body. */
  private endField(at: number): void {
    this.isRowEnd = at >= this.end || this.bytes[at] === LF;
    this.position = Math.min(at + 1, this.end);
  }

  private checkUtf8(row: number, from: number, to: number): void {
    const invalid = findInvalidUtf8(this.bytes, from, to);
    if (invalid >= 0) throw this.error(row, invalid, 'invalid UTF-8');
  }

  private error(row: number, at: number, what: string): SqlError {
    return new SqlError('invalid_csv', `row ${row}, offset ${at - this.start}: ${what}`);
  }
}

export class CsvRows implements RowSource {
  private readonly scanner: FieldScanner;
  private readonly rowsStart: number;

  /** bytes[start, end) is the body; `rowsStart` is where its rows start: start, or CsvHeader.rowsStart. */
  constructor(bytes: Uint8Array, start: number, end: number, rowsStart: number) {
    this.scanner = new FieldScanner(bytes, start, end);
    this.rowsStart = rowsStart === start ? skipMark(bytes, start, end) : rowsStart;
  }

  /** Reads all rows into builder.columns. Errors: SqlErrors that name row (from 1), column and byte offset in the body. */
  fill(builder: BatchBuilder): void {
    const scanner = this.scanner;
    const columns = builder.columns;
    const width = columns.length;
    scanner.position = this.rowsStart;
    while (scanner.position < scanner.end) {
      if (width !== 1 && skipsEmptyLine(scanner)) {
        if (width > 1) continue;
        builder.beginRow();
        builder.endRow();
        continue;
      }
      const row = builder.rowCount + 1;
      const rowStart = scanner.position;
      builder.beginRow();
      let count = 0;
      do {
        scanner.field(row);
        if (count < width) readField(builder, columns[count]!, scanner);
        count++;
      } while (!scanner.isRowEnd);
      if (count !== width) {
        const expected = width === 1 ? '1 field' : `${width} fields`;
        const where = `row ${row}, offset ${rowStart - scanner.start}`;
        throw new SqlError('invalid_csv', `${where}: expected ${expected} but found ${count}`);
      }
      builder.endRow();
    }
  }
}

function skipsEmptyLine(scanner: FieldScanner): boolean {
  const at = scanner.position;
  if (scanner.bytes[at] === LF) scanner.position = at + 1;
  else if (scanner.bytes[at] === CR && at + 1 < scanner.end && scanner.bytes[at + 1] === LF) scanner.position = at + 2;
  else return false;
  return true;
}

function readField(builder: BatchBuilder, column: number, scanner: FieldScanner): void {
  const { source, from, to } = scanner;
  builder.sourceOffset = scanner.fieldStart - scanner.start;
  if (from === to && !scanner.isQuoted) {
    builder.setNull(column);
    return;
  }
  switch (builder.table.columns[column]!.type as number) {
    case 1: // bool
      builder.setBool(column, readBool(builder, column, source, from, to));
      break;
    case 2: // tinyint
    case 3: // smallint
    case 4: // int
    case 5: // bigint
    case 6: // float
    case 7: // double
      readNumber(builder, column, source, from, to);
      break;
    case 9: // json
    case 13: // vector
      builder.setJsonTextBytes(column, source, from, to);
      break;
    default:
      builder.setTextBytes(column, source, from, to);
  }
}

function readNumber(builder: BatchBuilder, column: number, source: Uint8Array, from: number, to: number): void {
  const isDouble = builder.table.columns[column]!.type > 5;
  let value: number;
  try {
    value = isDouble ? parseDouble(source, from, to) : parseInteger(source, from, to);
  } catch (error) {
    throw builder.located(column, error);
  }
  if (isDouble) builder.setDouble(column, value);
  else builder.setInt(column, value, NUMBER_BIG[0]!);
}

function readBool(builder: BatchBuilder, column: number, source: Uint8Array, from: number, to: number): boolean {
  const text = to - from > 5 ? '' : decodeUtf8(source, from, to).toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw builder.error('invalid_value', column, `invalid bool ${showText(source, from, to)}`);
}
