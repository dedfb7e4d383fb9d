/**
 * `--daemon`: a second process in a session of its own serves; this one waits until it does, or has failed, and leaves.
 *
 * The two talk over Node's channel: the child sends `{ready: text}` or `{failure: text}` and closes it.
 */

import { spawn } from 'node:child_process';

/** Set for the child only, by its value the same program: its own children are no daemons. */
const VARIABLE = 'AMELIE_DAEMON';

type Message = { readonly ready: string } | { readonly failure: string };

/** Whether this process is the one in the background. */
export function isDaemon(): boolean {
  return process.env[VARIABLE] === '1' && process.send !== undefined;
}

/** Starts this same command line in the background. Resolves to 0 once it serves, with its message printed. */
export async function startDaemon(print: (text: string) => void): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [VARIABLE]: '1' },
  });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  child.on('message', (message) => resolve(message as Message));
  child.on('error', reject);
  child.on('exit', (code, signal) =>
    reject(new Error(`the server ended before it was ready (${signal ?? `exit code ${code}`})`)),
  );
  const message = await promise;
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if ('failure' in message) throw new Error(message.failure);
  child.disconnect();
  child.unref();
  print(message.ready.replace('\n', ` (process ${child.pid})\n`));
  return 0;
}

/** In the background process: it serves, the one that waits may leave. */
export function reportReady(text: string): void {
  delete process.env[VARIABLE];
  // Where the one that waits has been killed the channel is closed: no reason to stop serving.
  void send({ ready: text }).then(() => {
    if (process.connected) process.disconnect?.();
  });
}

/** In the background process: it does not serve, and ends. Resolves when the message is on its way. */
export function reportFailure(error: unknown): Promise<void> {
  return send({ failure: (error as Error).message });
}

function send(message: Message): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
