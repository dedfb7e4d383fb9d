/**
 * Requests of a benchmark: fixed bytes with random numbers between them.
 *
 * A template is data, so that it can be sent to a thread; a RequestWriter turns it into the bytes of one request after
 * another, in the same memory.
 */

import { randomInt } from 'node:crypto';

/** A number drawn anew for each request, evenly from `low` up to and including `high`; both are 32-bit integers. */
export type RandomVariable = { readonly low: number; readonly high: number };

export type RequestTemplate = {
  readonly path: string;
  readonly contentType: string;
  /** The body is texts[0], a number, texts[1], a number, … texts[n]. */
  readonly texts: readonly string[];
  readonly variables: readonly RandomVariable[];
  /** Which variable each number shows; one fewer than texts. */
  readonly slots: readonly number[];
};

/**
 * A template from a body in which `{name}` stands for the variable of that name.
 * A name that is no variable is an Error.
 */
export function makeTemplate(
  path: string,
  contentType: string,
  body: string,
  variables: Readonly<Record<string, RandomVariable>>,
): RequestTemplate {
  const names = Object.keys(variables);
  const parts = body.split(/\{(\w+)\}/);
  const texts: string[] = [];
  const slots: number[] = [];
  for (let index = 0; index < parts.length; index++) {
    if (index % 2 === 0) {
      texts.push(parts[index]!);
      continue;
    }
    const slot = names.indexOf(parts[index]!);
    if (slot < 0) throw new Error(`no variable '${parts[index]}' in the template`);
    slots.push(slot);
  }
  return { path, contentType, texts, variables: Object.values(variables), slots };
}

/** The longest 32-bit integer: -2147483648. */
const INTEGER_BYTES_MAX = 11;
/** Room for the digits of Content-Length; shorter lengths have blanks in front, which HTTP allows. */
const LENGTH_DIGITS = 8;

/** Writes `value`, a 32-bit integer, in decimal at `offset`; returns the offset after it. */
function writeInteger(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  if (rest < 0) {
    bytes[offset++] = 0x2d;
    rest = -rest;
  }
  let digitCount = 1;
  for (let bound = 10; rest >= bound; bound *= 10) digitCount++;
  for (let position = offset + digitCount - 1; position >= offset; position--) {
    const quotient = Math.floor(rest / 10);
    bytes[position] = 0x30 + rest - quotient * 10;
    rest = quotient;
  }
  return offset + digitCount;
}

/**
 * The bytes of requests of one template. `next` overwrites the memory that it returned before, so it may be called only
 * when the earlier request has been answered: then the kernel has taken all its bytes.
 */
export class RequestWriter {
  readonly #bytes: Buffer;
  readonly #texts: readonly Buffer[];
  readonly #low: Float64Array;
  readonly #span: Float64Array;
  readonly #values: Int32Array;
  readonly #slots: Int32Array;
  readonly #lengthOffset: number;
  readonly #bodyOffset: number;
  /** Views of the memory by their length: a request makes no new one once its length has been seen. */
  readonly #views: (Buffer | undefined)[];
  readonly #state: Uint32Array = new Uint32Array(4);

  /** `seed`: any integer; writers of the same seed and template write the same requests. */
  constructor(template: RequestTemplate, host: string, seed: number = randomInt(2 ** 32)) {
    const head = Buffer.from(
      `POST ${template.path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${template.contentType}\r\nContent-Length: `,
    );
    this.#texts = template.texts.map((text) => Buffer.from(text));
    const textBytes = this.#texts.reduce((sum, text) => sum + text.length, 0);
    const bodyBytesMax = textBytes + template.slots.length * INTEGER_BYTES_MAX;
    this.#lengthOffset = head.length;
    this.#bodyOffset = head.length + LENGTH_DIGITS + 4;
    this.#bytes = Buffer.alloc(this.#bodyOffset + bodyBytesMax, 0x20);
    this.#views = new Array<Buffer | undefined>(this.#bytes.length + 1).fill(undefined);
    head.copy(this.#bytes);
    this.#bytes.write('\r\n\r\n', this.#lengthOffset + LENGTH_DIGITS);
    this.#bytes.set(this.#texts[0]!, this.#bodyOffset);
    this.#low = Float64Array.from(template.variables, (variable) => variable.low);
    this.#span = Float64Array.from(template.variables, (variable) => variable.high - variable.low + 1);
    this.#values = new Int32Array(template.variables.length);
    this.#slots = Int32Array.from(template.slots);
    this.#state.set([seed, seed ^ 0x9e37_79b9, 0x243f_6a88, 1]);
    for (let round = 0; round < 12; round++) this.#random();
  }

  /** The next request; the memory is valid until the next call. */
  next(): Buffer {
    const values = this.#values;
    for (let variable = 0; variable < values.length; variable++) {
      values[variable] = this.#low[variable]! + Math.floor(this.#random() * this.#span[variable]!);
    }
    const bytes = this.#bytes;
    // The first text is there already.
    let offset = this.#bodyOffset + this.#texts[0]!.length;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      offset = writeInteger(bytes, offset, values[this.#slots[slot]!]!);
      const text = this.#texts[slot + 1]!;
      if (text.length > 0) bytes.set(text, offset);
      offset += text.length;
    }
    this.#writeLength(offset - this.#bodyOffset);
    const view = this.#views[offset] ?? bytes.subarray(0, offset);
    this.#views[offset] = view;
    return view;
  }

  #writeLength(bodyBytes: number): void {
    let rest = bodyBytes;
    let position = this.#lengthOffset + LENGTH_DIGITS;
    do {
      const quotient = Math.floor(rest / 10);
      this.#bytes[--position] = 0x30 + rest - quotient * 10;
      rest = quotient;
    } while (rest > 0);
    while (position > this.#lengthOffset) this.#bytes[--position] = 0x20;
  }

  /** A number from 0 up to but not 1, by Chris Doty-Humphrey's sfc32 generator. */
  #random(): number {
    const state = this.#state;
    const sum = (state[0]! + state[1]! + state[3]!) >>> 0;
    state[3] = state[3]! + 1;
    state[0] = state[1]! ^ (state[1]! >>> 9);
    state[1] = state[2]! + (state[2]! << 3);
    state[2] = ((state[2]! << 21) | (state[2]! >>> 11)) + sum;
    return sum / 0x1_0000_0000;
  }
}
