/** Peers that are scripts of this folder, each a process of its own: it prints one line of JSON for its parent. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onExit } from './cleanup.ts';

/** Starts `./<script>.ts` with arguments, and gives the first line it prints, parsed, and the process. */
export async function startPeer(
  script: string,
  args: readonly string[],
): Promise<{ readonly answer: unknown; readonly child: ChildProcess }> {
  const file = fileURLToPath(new URL(`./${script}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answer = await new Promise<unknown>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line)));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with code ${code} before it answered`)));
  });
  return { answer, child };
}

/** A peer that gets ready, says so by a first line, and then answers each line it is sent by one line; both are JSON. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #forget: () => void;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    this.#forget = onExit(() => child.kill('SIGKILL'));
  }

  static async start(script: string, args: readonly string[]): Promise<PeerProcess> {
    const file = fileURLToPath(new URL(`./${script}.ts`, import.meta.url));
    const peer = new PeerProcess(spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await peer.#nextLine();
    return peer;
  }

  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return this.#nextLine();
  }

  stop(): void {
    this.#forget();
    this.#child.kill();
  }

  async #nextLine(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('a peer ended before it answered');
    return JSON.parse(line.value);
  }
}
