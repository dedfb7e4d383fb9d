/**
 * What a request has in shared memory, in its block (executor/layout.ts): parameters and header, written before its ticket
 * is taken and never after, so that a rerun has the same inputs; and the results that the nodes leave.
 */

import type { Memory } from '../../base/memory.ts';
import {
  BLOCK_FLAGS,
  BLOCK_FORMAT,
  BLOCK_LIMIT_SEND,
  BLOCK_LIMIT_STATEMENT_MS,
  BLOCK_LIMIT_WRITE,
  BLOCK_NOW_HIGH,
  BLOCK_NOW_LOW,
  BLOCK_PROFILE,
  BLOCK_PROGRAM_BYTES,
  BLOCK_PROGRAM_REF,
  BLOCK_SEED_HIGH,
  BLOCK_SEED_LOW,
  BLOCK_TIMEZONE_REF,
  FLAG_ROUNDS,
  PART_HEADER_BYTES,
  PART_PROFILE_PAGE,
} from '../../executor/layout.ts';
import type { BlockView } from '../../executor/request-block.ts';
import type { Parameters } from '../../program/parameters.ts';
import type { Program } from '../../program/program.ts';
import { decodeTextInto } from '../../sql/lexer/text.ts';
import type { Constants } from '../../sql/shape/constants.ts';
import { JSON_TYPE, TEXT } from '../../types/type.ts';
import { freeResults } from '../../vm/core/result.ts';
import { freeBatches } from '../moved-batches.ts';
import type { PendingRequest } from './pending-request.ts';
import type { CachedProgram } from './program-cache.ts';
import { KIND_BOOL, KIND_DOUBLE, KIND_INT, KIND_JSON, KIND_TEXT } from './request-parameters.ts';

/** Limits travel as 32-bit words; what is larger is no limit in practice. */
const LIMIT_MAX = 2 ** 31 - 1;

/** Writes the constants of the text, `$1 …`, and what main has said of the database. */
export function writeParameters(
  target: Parameters,
  request: PendingRequest,
  program: Program,
  constants: Constants,
): void {
  const { parameters } = request;
  const given = parameters?.count ?? 0;
  const constantCount = program.requestParameterCount - given;
  writeConstants(target, request, constantCount, constants);
  for (let index = 0; index < given; index++) {
    const slot = constantCount + index;
    const bytes = parameters!.bytes[index]!;
    const parameterKind = parameters!.kinds[index]!;
    if (parameterKind === KIND_INT) target.setInt(slot, parameters!.numbers[index]!, parameters!.bigs[index]!);
    else if (parameterKind === KIND_DOUBLE) target.setDouble(slot, parameters!.numbers[index]!);
    else if (parameterKind === KIND_BOOL) target.setBool(slot, parameters!.numbers[index] === 1);
    else if (parameterKind === KIND_TEXT) target.setRef(slot, request.store(bytes, 0, bytes.length), TEXT);
    else if (parameterKind === KIND_JSON) target.setRef(slot, request.store(bytes, 0, bytes.length), JSON_TYPE);
    else target.setNull(slot);
  }
  for (const { parameter, what } of program.systemInputs) {
    const json = request.systemValues!.get(what)!;
    target.setRef(parameter, request.store(json, 0, json.length), JSON_TYPE);
  }
}

function writeConstants(target: Parameters, request: PendingRequest, count: number, constants: Constants): void {
  const { kind, number, big, start, end, escaped } = constants;
  for (let slot = 0; slot < count; slot++) {
    switch (kind[slot]) {
      case 1: // int
        target.setInt(slot, number[slot]!, big[slot]!);
        break;
      case 2: // double
        target.setDouble(slot, number[slot]!);
        break;
      case 3: // text
        target.setRef(slot, storeText(request, start[slot]!, end[slot]!, escaped[slot] === 1), TEXT);
        break;
      case 4: // bool
        target.setBool(slot, number[slot] === 1);
        break;
      default: // null
        target.setNull(slot);
    }
  }
}

function storeText(request: PendingRequest, start: number, end: number, isEscaped: boolean): number {
  if (!isEscaped) return request.store(request.text, start, end);
  const decoded = new Uint8Array(end - start);
  return request.store(decoded, 0, decodeTextInto(request.text, start, end, decoded, 0));
}

/** Writes what the nodes read of the request besides its parameters. 0 is no limit. */
export function writeHeader(
  view: BlockView,
  request: PendingRequest,
  entry: CachedProgram,
  limitWriteBytes: number,
  limitStatementMs: number,
): void {
  view.set(BLOCK_PROGRAM_REF, (entry.page * 1024) | 0);
  view.set(BLOCK_PROGRAM_BYTES, entry.byteLength);
  view.set(BLOCK_NOW_LOW, request.now | 0);
  view.set(BLOCK_NOW_HIGH, Math.floor(request.now / 4294967296));
  view.set(BLOCK_SEED_LOW, request.seedLow);
  view.set(BLOCK_SEED_HIGH, request.seedHigh);
  view.set(BLOCK_FORMAT, request.format);
  view.set(BLOCK_LIMIT_SEND, request.limitSendBytes);
  view.set(BLOCK_LIMIT_WRITE, Math.min(limitWriteBytes, LIMIT_MAX));
  view.set(BLOCK_LIMIT_STATEMENT_MS, limitStatementMs);
  view.set(BLOCK_PROFILE, entry.explain === 'profile' ? 1 : 0);
  if (request.timeZone.isUtc) view.set(BLOCK_TIMEZONE_REF, 0);
  else {
    const name = new TextEncoder().encode(request.timeZone.name);
    view.set(BLOCK_TIMEZONE_REF, request.store(name, 0, name.length) | 0);
  }
}

/** Frees what the parts of a request have left. */
export function freeParts(memory: Memory, nodeCount: number, view: BlockView): void {
  const hasRounds = (view.get(BLOCK_FLAGS) & FLAG_ROUNDS) !== 0;
  if (hasRounds) freeBatches(memory, view, view.part(nodeCount));
  for (let node = 0; node < nodeCount; node++) {
    // A part that failed has freed its results, and its error stands in their place.
    if (!view.hasRun(node)) continue;
    const part = view.part(node);
    freePart(memory, view, part);
    if (hasRounds) freeBatches(memory, view, part);
  }
}

function freePart(memory: Memory, view: BlockView, part: number): void {
  freeResults(memory, view.page >>> 16, part * 4 + PART_HEADER_BYTES);
  if (view.get(BLOCK_PROFILE) === 0) return;
  const page = view.words[part + PART_PROFILE_PAGE]!;
  memory.free(page, memory.pageCountOf(page));
}
