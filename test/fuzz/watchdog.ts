/**
 * What hangs does not answer, so another thread watches: before each case a test writes it down in shared memory, and when
 * nothing new has come for a long time the watching thread prints the case and kills the process.
 */

import { Worker } from 'node:worker_threads';

/** No case takes a hundredth of it, also on a busy machine. */
const HANG_MS = 60_000;
const TEXT_BYTES = 4096;

const WATCH = `
  const { workerData } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  const words = new Int32Array(workerData.shared, 0, 2);
  const text = new Uint8Array(workerData.shared, 8);
  let seen = -1;
  setInterval(() => {
    const now = Atomics.load(words, 0);
    if (now === seen && now !== 0) {
      const shown = Buffer.from(text.slice(0, words[1]));
      writeSync(2, 'no progress for ' + workerData.hangMs + ' ms in: ' + shown.toString() + '\\nas hex: ' + shown.toString('hex') + '\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    seen = now;
  }, workerData.hangMs);
`;

export class Watchdog {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;
  readonly #worker: Worker;

  constructor() {
    const shared = new SharedArrayBuffer(8 + TEXT_BYTES);
    this.#words = new Int32Array(shared, 0, 2);
    this.#text = new Uint8Array(shared, 8);
    this.#worker = new Worker(WATCH, { eval: true, workerData: { shared, hangMs: HANG_MS } });
    this.#worker.unref();
  }

  /** The next case begins. */
  next(bytes: Uint8Array): void {
    const shown = bytes.subarray(0, TEXT_BYTES);
    this.#text.set(shown);
    this.#words[1] = shown.length;
    Atomics.add(this.#words, 0, 1);
  }

  /** Nothing runs until the next case. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
