/** Peers that are scripts of this folder, each a process of its own: it prints one line of JSON for its parent. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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
