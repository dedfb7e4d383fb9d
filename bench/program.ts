/** Programs that a benchmark runs to their end, and that do not outlive it. */

import { execFile } from 'node:child_process';
import { onExit } from './cleanup.ts';

/** Of what a program printed before it failed, this much goes into the message. */
const REASON_LINES = 5;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export class ProgramFailure extends Error {
  override name = 'ProgramFailure';
  /** True: there is no such program. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean) {
    super(message);
    this.isMissing = isMissing;
  }
}

export type ProgramOptions = {
  readonly directory: string;
  /** The whole environment; this process's own where not given. */
  readonly environment?: NodeJS.ProcessEnv;
};

/** Runs a program; what it printed. A ProgramFailure says how it ended, with the last lines of its errors. */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { cwd: options.directory, env: options.environment ?? process.env, maxBuffer: OUTPUT_BYTES_MAX },
      (error, stdout, stderr) => {
        forget();
        if (error === null) return resolve(stdout);
        const isMissing = error.code === ('ENOENT' as unknown as number);
        const ending =
          typeof error.code === 'number' ? `ended with code ${error.code}` : `${error.signal ?? error.code}`;
        const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(-REASON_LINES);
        reject(new ProgramFailure(`${file} ${args[0] ?? ''}: ${ending}: ${lines.join('\n')}`, isMissing));
      },
    );
    const forget = onExit(() => child.kill('SIGKILL'));
  });
}
