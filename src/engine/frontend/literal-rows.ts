/** Literal VALUES lists of the request's text as rows of a batch: cells are converted to their columns on the way. */

import { SqlError } from '../../base/errors.ts';
import type { BatchBuilder, RowSource } from '../../program/batch-builder.ts';
import { decodeTextInto } from '../../sql/lexer/text.ts';
import type { ShapeScanner } from '../../sql/shape/scanner.ts';
import {
  KIND_BOOL,
  KIND_DOUBLE,
  KIND_INT,
  KIND_JSON,
  KIND_NULL,
  KIND_TEXT,
  type RequestParameters,
} from './request-parameters.ts';

const CELL_DEFAULT = 6;
const CELL_PARAMETER = 7;
const CELL_NUMBERS = 8;

/** Reads the lists of the scanner's last scan; valid until its next one. */
export class LiteralRows implements RowSource {
  readonly #scanner: ShapeScanner;
  #text: Uint8Array = new Uint8Array(0);
  #parameters: RequestParameters | undefined;
  #decoded: Uint8Array = new Uint8Array(256);

  constructor(scanner: ShapeScanner) {
    this.#scanner = scanner;
  }

  /** Sets what the next fill reads from. */
  of(text: Uint8Array, parameters: RequestParameters | undefined): this {
    this.#text = text;
    this.#parameters = parameters;
    return this;
  }

  fill(builder: BatchBuilder, list: number): void {
    const scanner = this.#scanner;
    const { columns } = builder;
    const { kind, number, big } = scanner.cells;
    const rowCount = scanner.listRowCount[list]!;
    let cell = scanner.listCellStart[list]!;
    builder.expectRows(rowCount);
    for (let row = 0; row < rowCount; row++) {
      builder.beginRow();
      for (let index = 0; index < columns.length; index++, cell++) {
        const column = columns[index]!;
        const cellKind = kind[cell]!;
        if (cellKind === KIND_INT) builder.setInt(column, number[cell]!, big[cell]!);
        else if (cellKind === KIND_TEXT) this.#textCell(builder, column, cell);
        else if (cellKind === KIND_DOUBLE) builder.setDouble(column, number[cell]!);
        else if (cellKind === KIND_NULL) builder.setNull(column);
        else if (cellKind === KIND_BOOL) builder.setBool(column, number[cell] === 1);
        else if (cellKind === CELL_DEFAULT) builder.setDefault(column);
        else if (cellKind === CELL_PARAMETER) this.#parameter(builder, column, number[cell]!);
        else if (cellKind === CELL_NUMBERS)
          builder.setJsonTextBytes(column, this.#text, scanner.cells.start[cell]!, scanner.cells.end[cell]!);
      }
      builder.endRow();
    }
  }

  #textCell(builder: BatchBuilder, column: number, cell: number): void {
    const { start, end, escaped } = this.#scanner.cells;
    const from = start[cell]!;
    const to = end[cell]!;
    if (escaped[cell] === 0) {
      builder.setTextBytes(column, this.#text, from, to);
      return;
    }
    if (this.#decoded.length < to - from) this.#decoded = new Uint8Array((to - from) * 2);
    const length = decodeTextInto(this.#text, from, to, this.#decoded, 0);
    builder.setTextBytes(column, this.#decoded, 0, length);
  }

  #parameter(builder: BatchBuilder, column: number, index: number): void {
    const parameters = this.#parameters;
    if (parameters === undefined || index > parameters.count)
      throw new SqlError('invalid_parameter', `parameter $${index} has no value`);
    const at = index - 1;
    const bytes = parameters.bytes[at]!;
    switch (parameters.kinds[at]) {
      case KIND_INT:
        builder.setInt(column, parameters.numbers[at]!, parameters.bigs[at]!);
        break;
      case KIND_DOUBLE:
        builder.setDouble(column, parameters.numbers[at]!);
        break;
      case KIND_TEXT:
        builder.setTextBytes(column, bytes, 0, bytes.length);
        break;
      case KIND_BOOL:
        builder.setBool(column, parameters.numbers[at] === 1);
        break;
      case KIND_JSON:
        builder.setJsonBytes(column, bytes, 0, bytes.length);
        break;
      default:
        builder.setNull(column);
    }
  }
}
