/**
 * Request blocks (layout.ts): what a frontend hands to the nodes with a ticket, and gets back. The number of a block is
 * that of its first page.
 */

import { assert } from '../base/assert.ts';
import { ERROR_CODES, type ErrorCode, errorNumber, SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import {
  BLOCK_EXTRA_PAGE,
  BLOCK_EXTRA_PAGE_COUNT,
  BLOCK_FRONTEND,
  BLOCK_HEADER_BYTES,
  BLOCK_MASK_LOW,
  BLOCK_ORDINAL,
  BLOCK_PARAMETER_COUNT,
  BLOCK_PARAMETER_REF,
  blockPageCount,
  PART_ATTEMPT,
  PART_BYTES,
  PART_ERROR_BYTES,
  PART_ERROR_CODE,
  PART_ERROR_ROW,
  PART_ERROR_STATEMENT,
  PART_HEADER_BYTES,
  PART_INLINE_BYTES,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  PART_RESULT_PAGE,
  PART_STATE,
  PART_STATE_FAILED,
  PART_STATE_OK,
  parameterOffset,
} from './layout.ts';

/** What the executor needs of base/memory.ts. */
export interface BlockMemory {
  readonly u8: readonly Uint8Array[];
  readonly i32: readonly Int32Array[];
  allocate(pageCount: number): number;
  free(page: number, pageCount: number): void;
}

const TIME: Float64Array<ArrayBuffer> = new Float64Array(1);
const TIME_WORDS: Int32Array = new Int32Array(TIME.buffer);

/** Where one request block lies. One object is moved from block to block. */
export class BlockView {
  page = 0;
  /** Arena of the block, and the word index of its header. */
  words: Int32Array;
  bytes: Uint8Array;
  base = 0;
  readonly memory: BlockMemory;

  constructor(memory: BlockMemory) {
    this.memory = memory;
    this.words = memory.i32[0]!;
    this.bytes = memory.u8[0]!;
  }

  /** Moves to the block of that page. */
  at(page: number): this {
    const arena = page >>> 16;
    this.page = page;
    this.words = this.memory.i32[arena]!;
    this.bytes = this.memory.u8[arena]!;
    this.base = (page & 0xffff) << 12;
    return this;
  }

  /** A word of the header (BLOCK_*). */
  get(word: number): number {
    return this.words[this.base + word]!;
  }

  set(word: number, value: number): void {
    this.words[this.base + word] = value;
  }

  /** A time in two words of the arena, at word index `word`: float64. */
  setTime(word: number, milliseconds: number): void {
    TIME[0] = milliseconds;
    this.words[word] = TIME_WORDS[0]!;
    this.words[word + 1] = TIME_WORDS[1]!;
  }

  getTime(word: number): number {
    TIME_WORDS[0] = this.words[word]!;
    TIME_WORDS[1] = this.words[word + 1]!;
    return TIME[0]!;
  }

  /** Word index, in `words`, of the record of a part: by node, or of the tail at `nodeCount`. */
  part(ordinal: number): number {
    return this.base + ((BLOCK_HEADER_BYTES + ordinal * PART_BYTES) >> 2);
  }

  /** True where that node takes part. */
  hasNode(node: number): boolean {
    return ((this.words[this.base + BLOCK_MASK_LOW + (node >> 5)]! >>> (node & 31)) & 1) === 1;
  }

  /** True where its part has left a result: in a plain fence of all nodes one has. Only when all have voted, or in a tail. */
  hasRun(node: number): boolean {
    return this.hasNode(node) && this.words[this.part(node) + PART_STATE] === PART_STATE_OK;
  }
}

/** Makes the record of a part fresh for a run: nothing of an earlier attempt or request is left in it. */
export function beginPart(words: Int32Array, part: number, attempt: number): void {
  words[part + PART_STATE] = 0;
  words[part + PART_ATTEMPT] = attempt;
  words[part + PART_REDO_REF] = 0;
  words[part + PART_REDO_BYTES] = 0;
  words[part + PART_REDO_OPERATIONS] = 0;
  words[part + PART_RESULT_PAGE] = 0;
  words[part + PART_RESULT_PAGE + 1] = 0;
}

const ENCODER: TextEncoder = new TextEncoder();
const DECODER: TextDecoder = new TextDecoder();

/** Stores an error in a part record. The text is cut at 960 bytes of UTF-8, at a character. */
export function writeError(
  view: BlockView,
  ordinal: number,
  error: SqlError & { readonly statement?: number; readonly row?: number },
): void {
  const part = view.part(ordinal);
  const words = view.words;
  let text = ENCODER.encode(error.message);
  if (text.length > PART_INLINE_BYTES) {
    let end = PART_INLINE_BYTES;
    while ((text[end]! & 0xc0) === 0x80) end--;
    text = text.subarray(0, end);
  }
  words[part + PART_STATE] = PART_STATE_FAILED;
  words[part + PART_ERROR_CODE] = errorNumber(error.code);
  words[part + PART_ERROR_STATEMENT] = error.statement ?? 0;
  words[part + PART_ERROR_ROW] = error.row ?? 0;
  words[part + PART_ERROR_BYTES] = text.length;
  words[part + PART_REDO_BYTES] = 0;
  words[part + PART_RESULT_PAGE] = 0;
  view.bytes.set(text, part * 4 + PART_HEADER_BYTES);
}

/**
 * The error that the client of a FAILED request gets: the smallest by (statement, row ordinal, code) over its parts, else
 * that of the tail. Only of a request below `final`.
 */
export function readError(view: BlockView, nodeCount: number): SqlError {
  const words = view.words;
  let smallest = -1;
  for (let node = 0; node < nodeCount; node++) {
    if (!view.hasNode(node) || words[view.part(node) + PART_STATE] !== PART_STATE_FAILED) continue;
    if (smallest < 0 || comparesBelow(words, view.part(node), view.part(smallest))) smallest = node;
  }
  if (smallest < 0) smallest = nodeCount;
  const part = view.part(smallest);
  assert(words[part + PART_STATE] === PART_STATE_FAILED, 'a failed request has the error of a part');
  const code: ErrorCode = ERROR_CODES[words[part + PART_ERROR_CODE]!]!;
  const start = part * 4 + PART_HEADER_BYTES;
  return new SqlError(code, DECODER.decode(view.bytes.slice(start, start + words[part + PART_ERROR_BYTES]!)));
}

function comparesBelow(words: Int32Array, part: number, other: number): boolean {
  const statement = words[part + PART_ERROR_STATEMENT]! - words[other + PART_ERROR_STATEMENT]!;
  if (statement !== 0) return statement < 0;
  const row = words[part + PART_ERROR_ROW]! - words[other + PART_ERROR_ROW]!;
  if (row !== 0) return row < 0;
  return words[part + PART_ERROR_CODE]! < words[other + PART_ERROR_CODE]!;
}

/** The request blocks of one frontend: taken before the head runs, given back after the reply. */
export class RequestBlocks {
  private readonly memory: BlockMemory;
  private readonly frontend: number;
  private readonly nodeCount: number;
  private readonly pageCount: number;
  private readonly freePages: number[] = [];
  private readonly view: BlockView;
  /** Blocks made so far: ordinals are below it. */
  blockCount = 0;

  constructor(memory: BlockMemory, frontend: number, nodeCount: number) {
    this.memory = memory;
    this.frontend = frontend;
    this.nodeCount = nodeCount;
    this.pageCount = blockPageCount(nodeCount);
    this.view = new BlockView(memory);
  }

  /** A free block: its page. Its header keeps what an earlier request left, but for the words of parameters. Throws out_of_memory. */
  take(): number {
    const page = this.freePages.pop();
    if (page !== undefined) return page;
    const fresh = this.memory.allocate(this.pageCount);
    const view = this.view.at(fresh);
    view.words.fill(0, view.base, view.base + (parameterOffset(this.nodeCount) >> 2));
    view.set(BLOCK_ORDINAL, this.blockCount++);
    view.set(BLOCK_FRONTEND, this.frontend);
    this.setParameterPlace(view, fresh);
    return fresh;
  }

  /**
   * Makes room for that many parameter cells and sets their place and count in the header: in the block, or in a run of
   * pages of their own. Cells already written are not kept. Throws out_of_memory.
   */
  reserveParameters(page: number, count: number): void {
    const view = this.view.at(page);
    this.dropExtra(view);
    view.set(BLOCK_PARAMETER_COUNT, count);
    if (parameterOffset(this.nodeCount) + count * 16 <= this.pageCount * PAGE_BYTES) return;
    const extraPageCount = Math.ceil((count * 16) / PAGE_BYTES);
    const extraPage = this.memory.allocate(extraPageCount);
    view.set(BLOCK_EXTRA_PAGE, extraPage);
    view.set(BLOCK_EXTRA_PAGE_COUNT, extraPageCount);
    view.set(BLOCK_PARAMETER_REF, (extraPage * 1024) | 0);
  }

  /** Gives a block back. Result pages and batches of the request have been freed before. */
  release(page: number): void {
    this.dropExtra(this.view.at(page));
    this.freePages.push(page);
  }

  private dropExtra(view: BlockView): void {
    const extraPage = view.get(BLOCK_EXTRA_PAGE);
    if (extraPage === 0) return;
    this.memory.free(extraPage, view.get(BLOCK_EXTRA_PAGE_COUNT));
    view.set(BLOCK_EXTRA_PAGE, 0);
    this.setParameterPlace(view, view.page);
  }

  private setParameterPlace(view: BlockView, page: number): void {
    view.set(BLOCK_PARAMETER_REF, (page * 1024 + (parameterOffset(this.nodeCount) >> 4)) | 0);
    view.set(BLOCK_PARAMETER_COUNT, 0);
  }
}
