/**
 * Rows of an import as JSON (an array of rows) or JSON Lines (rows separated by white space), straight from the bytes of the
 * request into a batch, without a JavaScript object a row.
 *
 * A row is an array (cells in the order of the columns named in the request, else of the table), an object keyed by column
 * (only where the request names no columns; what it leaves out gets its default), or, for one column, the bare value: with
 * one column named, an object is such a value too.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { SqlError } from '../../base/errors.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import {
  isEscaped,
  isWord,
  jsonErrorBase,
  parseValue,
  scanJsonNumber,
  scanString,
  skipColon,
  skipJsonSpace,
  unescapeString,
  unexpected,
} from '../../types/json/parse.ts';
import { NUMBER, NUMBER_BIG, NUMBER_INT, numberKind } from '../../types/number-text.ts';
import { JSON_TYPE, VECTOR } from '../../types/type.ts';
import { decodeUtf8 } from '../../types/utf8.ts';
import type { BatchBuilder, RowSource } from '../batch-builder.ts';

const BRACKET = 91;
const BRACKET_END = 93;
const BRACE = 123;
const BRACE_END = 125;
const QUOTE = 34;
const COMMA = 44;

const encoder = new TextEncoder();

export class JsonRows implements RowSource {
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly end: number;
  private readonly isLines: boolean;
  private readonly hasColumns: boolean;
  private readonly string = new ByteWriter(1024);
  private readonly json = new JsonWriter(1024);
  private builder!: BatchBuilder;
  /** Column being read, -1 between cells: for errors. */
  private column = -1;
  /** By column of the table: its name in UTF-8. */
  private names: readonly Uint8Array[] = [];
  /** Column that stood at this place of the objects before. */
  private readonly guesses: number[] = [];

  /**
   * bytes[start, end) is the body, unchanged while `fill` runs. `isLines`: JSON Lines. `hasColumns`: the request names its
   * columns (they are builder.columns), so objects are no rows.
   */
  constructor(bytes: Uint8Array, start: number, end: number, isLines: boolean, hasColumns: boolean) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.isLines = isLines;
    this.hasColumns = hasColumns;
  }

  /** Reads all rows. Errors: SqlErrors that name row (from 1), column and byte offset in the body. */
  fill(builder: BatchBuilder): void {
    this.builder = builder;
    this.names = builder.table.columns.map((column) => encoder.encode(column.name));
    this.guesses.length = 0;
    this.column = -1;
    jsonErrorBase(this.start);
    try {
      if (this.isLines) this.fillLines();
      else this.fillArray();
    } catch (error) {
      throw this.located(error);
    }
  }

  private fillLines(): void {
    const { bytes, end } = this;
    let at = skipJsonSpace(bytes, this.start, end);
    while (at < end) {
      const next = this.row(at);
      at = skipJsonSpace(bytes, next, end);
      // Values that touch are one malformed value, as in `12[3]`.
      if (at === next && at < end) throw unexpected(bytes, at, end, 'white space between rows');
    }
  }

  private fillArray(): void {
    const { bytes, end } = this;
    let at = skipJsonSpace(bytes, this.start, end);
    if (at >= end || bytes[at] !== BRACKET) throw unexpected(bytes, at, end, "'['");
    at = skipJsonSpace(bytes, at + 1, end);
    if (at < end && bytes[at] === BRACKET_END) {
      at++;
    } else {
      for (;;) {
        at = skipJsonSpace(bytes, this.row(at), end);
        const byte = at < end ? bytes[at++] : 0;
        if (byte === BRACKET_END) break;
        if (byte !== COMMA) throw unexpected(bytes, at < end ? at - 1 : end, end, "',' or ']'");
        at = skipJsonSpace(bytes, at, end);
      }
    }
    at = skipJsonSpace(bytes, at, end);
    if (at < end) throw unexpected(bytes, at, end, 'the end');
  }

  /** Reads the row at `at`; gives the offset behind it. */
  private row(at: number): number {
    const builder = this.builder;
    builder.beginRow();
    const byte = at < this.end ? this.bytes[at] : 0;
    if (byte === BRACKET) at = this.arrayRow(at);
    else if (byte === BRACE && !(this.hasColumns && builder.columns.length === 1)) at = this.objectRow(at);
    else if (builder.columns.length === 1) at = this.cell(at, builder.columns[0]!);
    else throw unexpected(this.bytes, at, this.end, this.hasColumns ? 'an array' : 'an array or an object');
    builder.endRow();
    return at;
  }

  private arrayRow(at: number): number {
    const { bytes, end } = this;
    const columns = this.builder.columns;
    const rowStart = at;
    at = skipJsonSpace(bytes, at + 1, end);
    let count = 0;
    if (at < end && bytes[at] === BRACKET_END) {
      at++;
    } else {
      for (;;) {
        if (count === columns.length) throw this.rowError(at, `expected ${values(columns.length)} but found more`);
        at = skipJsonSpace(bytes, this.cell(at, columns[count]!), end);
        count++;
        const byte = at < end ? bytes[at] : 0;
        if (byte === BRACKET_END) {
          at++;
          break;
        }
        if (byte !== COMMA) throw unexpected(bytes, at, end, "',' or ']'");
        at = skipJsonSpace(bytes, at + 1, end);
      }
    }
    if (count < columns.length) throw this.rowError(rowStart, `expected ${values(columns.length)} but found ${count}`);
    return at;
  }

  private objectRow(at: number): number {
    const { bytes, end } = this;
    const rowStart = at;
    at = skipJsonSpace(bytes, at + 1, end);
    if (at < end && bytes[at] === BRACE_END) return at + 1;
    if (this.hasColumns) throw this.rowError(rowStart, 'an object has no place here, as the request names its columns');
    for (let place = 0; ; place++) {
      if (at >= end || bytes[at] !== QUOTE) throw unexpected(bytes, at, end, 'a key in double quotes');
      let column = place < this.guesses.length ? this.guesses[place]! : -1;
      if (column >= 0 && this.isName(at + 1, column)) {
        at = skipColon(bytes, at + this.names[column]!.length + 2, end);
      } else {
        const close = scanString(bytes, at + 1, end);
        column = this.findColumn(at, close);
        this.guesses[place] = column;
        at = skipColon(bytes, close + 1, end);
      }
      if (this.builder.isSet(column)) {
        this.builder.sourceOffset = at - this.start;
        throw this.builder.error('duplicate_object', column, 'the column is named twice');
      }
      at = skipJsonSpace(bytes, this.cell(at, column), end);
      const byte = at < end ? bytes[at] : 0;
      if (byte === BRACE_END) return at + 1;
      if (byte !== COMMA) throw unexpected(bytes, at, end, "',' or '}'");
      at = skipJsonSpace(bytes, at + 1, end);
    }
  }

  /** True if the key whose first byte is at `at` is the name of the column. */
  private isName(at: number, column: number): boolean {
    const name = this.names[column]!;
    const bytes = this.bytes;
    for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
    return at + name.length < this.end && bytes[at + name.length] === QUOTE;
  }

  private findColumn(at: number, close: number): number {
    let name: string;
    if (isEscaped) {
      this.string.length = 0;
      unescapeString(this.bytes, at + 1, close, this.string);
      name = decodeUtf8(this.string.bytes, 0, this.string.length);
    } else {
      name = decodeUtf8(this.bytes, at + 1, close);
    }
    const column = this.builder.table.columns.findIndex((candidate) => candidate.name === name);
    if (column < 0) throw this.rowError(at, `column '${name}' does not exist`, 'unknown_column');
    return column;
  }

  /** Reads the value at `at` into a column; gives the offset behind it. */
  private cell(at: number, column: number): number {
    const { bytes, end, builder } = this;
    this.column = column;
    builder.sourceOffset = at - this.start;
    const byte = at < end ? bytes[at]! : 0;
    if (byte === QUOTE) {
      const close = scanString(bytes, at + 1, end);
      if (isEscaped) {
        this.string.length = 0;
        unescapeString(bytes, at + 1, close, this.string);
        builder.setTextBytes(column, this.string.bytes, 0, this.string.length);
      } else {
        builder.setTextBytes(column, bytes, at + 1, close);
      }
      at = close + 1;
    } else if (byte === 45 || (byte >= 48 && byte <= 57)) {
      at = scanJsonNumber(bytes, at, end);
      if (numberKind === NUMBER_INT) builder.setInt(column, NUMBER[0]!, NUMBER_BIG[0]!);
      else builder.setDouble(column, NUMBER[0]!);
    } else if (isWord(bytes, at, end, 'null')) {
      builder.setNull(column);
      at += 4;
    } else if (isWord(bytes, at, end, 'true')) {
      builder.setBool(column, true);
      at += 4;
    } else if (isWord(bytes, at, end, 'false')) {
      builder.setBool(column, false);
      at += 5;
    } else {
      at = this.container(at, column);
    }
    this.column = -1;
    return at;
  }

  /** An array or object, or what is no JSON at all. */
  private container(at: number, column: number): number {
    const { bytes, end, builder, json } = this;
    json.start();
    const next = parseValue(bytes, at, end, json);
    const { type } = builder.table.columns[column]!;
    const isStored = type === JSON_TYPE || (type === VECTOR && bytes[at] === BRACKET);
    if (isStored) builder.setJsonBytes(column, json.bytes, 0, json.length);
    else throw builder.mismatch(column, bytes[at] === BRACE ? 'json (an object)' : 'json (an array)');
    return next;
  }

  private rowError(at: number, what: string, code: 'unknown_column' | 'invalid_value' = 'invalid_value'): SqlError {
    return new SqlError(code, `row ${this.builder.rowCount + 1}, offset ${at - this.start}: ${what}`);
  }

  /** Errors of the JSON scanners know the offset; row and column are put before them. */
  private located(error: unknown): unknown {
    if (!(error instanceof SqlError) || (error.code !== 'invalid_json' && error.code !== 'limit_exceeded'))
      return error;
    const row = `row ${this.builder.rowCount + 1}`;
    const column = this.column < 0 ? '' : `, column '${this.builder.table.columns[this.column]!.name}'`;
    return new SqlError(error.code, `${row}${column}: ${error.message}`);
  }
}

/** `1 value`, `2 values`. */
function values(count: number): string {
  return count === 1 ? '1 value' : `${count} values`;
}
