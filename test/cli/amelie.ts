/** The real command in a process of its own, for tests. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The launcher of this repository. */
export const LAUNCHER: string = fileURLToPath(new URL('../../bin/amelie.js', import.meta.url));

export type Outcome = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type Program = { readonly command: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv };

/** Amelie as the repository has it, under this Node. */
export const REPOSITORY_PROGRAM: Program = { command: process.execPath, args: [LAUNCHER] };

const children = new Set<ChildProcess>();
const folders: string[] = [];

// A test that failed half-way must not leave its server behind, which would also keep the test's own process running.
after(async () => {
  const ended = [...children].map((child) => once(child, 'close'));
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(ended);
  for (const directory of folders) rmSync(directory, { recursive: true, force: true });
});

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `amelie-${name}-`));
  folders.push(directory);
  return directory;
}

/** Runs a command to its end. */
export async function run(program: Program, ...args: string[]): Promise<Outcome> {
  const running = launch(program, args);
  return await running.ended;
}

/** Runs `amelie` to its end. */
export function amelie(...args: string[]): Promise<Outcome> {
  return run(REPOSITORY_PROGRAM, ...args);
}

/** `--listen` on a port of the loopback interface that was free a moment ago. */
export async function listenOption(): Promise<{ option: string; url: string; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const option = `--listen=${JSON.stringify([{ host: '127.0.0.1', port }])}`;
  return { option, url: `http://127.0.0.1:${port}/`, port };
}

export type Server = {
  readonly process: ChildProcess;
  readonly url: string;
  readonly ended: Promise<Outcome>;
  /** What it has written so far. */
  output(): string;
  /** Waits until the output matches. */
  outputMatches(pattern: RegExp): Promise<void>;
};

/** Starts a server on a free port and waits until it says that it listens. */
export async function startServer(program: Program, directory: string, ...args: string[]): Promise<Server> {
  const { option, url } = await listenOption();
  const running = launch(program, ['start', directory, option, ...args]);
  await running.outputMatches(/^try: /m);
  return { ...running, url };
}

/** Posts SQL as text. */
export async function query(url: string, sql: string): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: sql });
  return { status: response.status, body: await response.text() };
}

function launch({ command, args: first, env }: Program, args: readonly string[]): Omit<Server, 'url'> {
  const child = spawn(command, [...first, ...args], { env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    changed();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    changed();
  });
  let isEnded = false;
  const ended = (once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>).then(([code, signal]) => {
    isEnded = true;
    children.delete(child);
    changed();
    return { code, signal, stdout, stderr };
  });
  const output = (): string => stdout + stderr;
  const outputMatches = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (pattern.test(output())) resolve();
        else if (isEnded) reject(new Error(`ended without ${pattern}:\n${output()}`));
        else return;
        watchers.delete(check);
      };
      watchers.add(check);
      check();
    });
  return { process: child, ended, output, outputMatches };
}
