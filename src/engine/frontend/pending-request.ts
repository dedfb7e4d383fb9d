/** One request in the air at a frontend, from its text to its reply. Objects are used again. */

import type { Clock } from '../../base/effects.ts';
import { type SqlError, statementTimeout } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import { Scratch } from '../../base/scratch.ts';
import type { RowSource } from '../../program/batch-builder.ts';
import { type TimeZone, UTC } from '../../types/time-zone.ts';
import type { RequestContext } from '../../vm/coordinator/request.ts';
import type { StepProfile } from '../../vm/core/step-profile.ts';
import type { CachedProgram } from './program-cache.ts';
import type { RequestParameters } from './request-parameters.ts';

/** Takes the outcome of a request, once: an error, or the JSON text of the result, or undefined where there is none. */
export type Reply = (error: SqlError | undefined, body: Uint8Array | undefined) => void;

const SHORT_TEXT_BYTES = 128;

/** Rows of an import: what fills them, and the target. */
export type ImportRequest = {
  readonly schema: string;
  readonly table: string;
  /** Undefined: all columns in their order. */
  readonly columns: readonly string[] | undefined;
  readonly rows: (body: Uint8Array, length: number, width: number) => RowSource;
};

export class PendingRequest implements RequestContext {
  parameterArena = 0;
  parameterByte = 0;
  now = 0;
  seedLow = 0;
  seedHigh = 0;
  timeZone: TimeZone = UTC;
  /** FORMAT_* flags. */
  format = 0;
  formatName = '';
  limitSendBytes = 0;
  limitStatementMs = 0;
  rowSource: RowSource | null = null;
  maskLow = 0;
  maskHigh = 0;
  readonly batches: number[] = [];

  /** The request's own copy of its text, or of the import's body: a stale request is prepared again from it. */
  text: Uint8Array;
  textLength = 0;
  parameters: RequestParameters | undefined = undefined;
  importRequest: ImportRequest | undefined = undefined;
  reply!: Reply;
  entry: CachedProgram | undefined = undefined;
  /** What main has said, by what was asked: binary JSON. Undefined where nothing was asked yet. */
  systemValues: ReadonlyMap<string, Uint8Array> | undefined = undefined;
  /** First page of its block, 0 while it has none. */
  block = 0;
  /** True while its block has been with the nodes: they may have left results. */
  isOrdered = false;
  /** Rises with each request that comes in; a stale one keeps it. */
  sequence = 0;
  /** By the clock's milliseconds: when the request came, -1 before; for PROFILE, when it was ordered. */
  startedMs = -1;
  submittedMs = 0;
  /** Milliseconds that the head asked to wait; once it has waited, it runs again and does not wait. */
  sleepMs = 0;
  hasSlept = false;
  /** Set for PROFILE only. */
  steps: StepProfile | null = null;
  readonly #values: Scratch;
  readonly #clock: Clock;

  constructor(memory: Memory, clock: Clock) {
    this.#values = new Scratch(memory);
    this.#clock = clock;
    this.text = new Uint8Array(1024);
  }

  setText(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.text.length < length) this.text = new Uint8Array(Math.max(length, this.text.length * 2));
    // A view for a call costs as much as copying a short text by hand.
    if (length <= SHORT_TEXT_BYTES) {
      const { text } = this;
      for (let at = 0; at < length; at++) text[at] = bytes[start + at]!;
    } else if (start === 0 && end === bytes.length) this.text.set(bytes, 0);
    else this.text.set(bytes.subarray(start, end), 0);
    this.textLength = length;
  }

  sleep(milliseconds: number): void {
    if (!this.hasSlept) this.sleepMs += milliseconds;
  }

  /** Throws timeout where the request has taken longer than limit_statement_ms. */
  checkTime(): void {
    const limitMs = this.limitStatementMs;
    if (limitMs > 0 && this.#clock.monotonicMilliseconds() - this.startedMs > limitMs) throw statementTimeout(limitMs);
  }

  allocate(byteLength: number): number {
    return this.#values.allocate(byteLength);
  }

  /** Stores a text or JSON value for as long as the request lives. */
  store(bytes: Uint8Array, start: number, end: number): number {
    return this.#values.text(bytes, start, end);
  }

  /** Frees the values. */
  releaseValues(): void {
    this.#values.reset();
  }

  /** The request is over. A large text is not kept. */
  dropText(): void {
    if (this.text.length > TEXT_KEPT_BYTES) this.text = new Uint8Array(1024);
  }
}

/** A text buffer larger than this is not kept for the next request. */
const TEXT_KEPT_BYTES = 65_536;
