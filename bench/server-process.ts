/** A real server, as its users start it: `bin/amelie.js start` in a process of its own, in a temporary repository. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HttpClient } from '../src/bench/http-client.ts';
import type { Target } from '../src/bench/target.ts';
import { onExit, removeOnExit } from './cleanup.ts';

/** What a server is started from. */
export type Program = {
  readonly node: string;
  /** The tree's `bin/amelie.js`. */
  readonly launcher: string;
  readonly environment: NodeJS.ProcessEnv;
};

export type ServerOptions = {
  /** By default this tree, on the Node that runs this. */
  readonly program?: Program;
  /** The folder that the repository is made in; by default that of temporary files. */
  readonly parent?: string;
};

const THIS_PROGRAM: Program = {
  node: process.execPath,
  launcher: fileURLToPath(new URL('../bin/amelie.js', import.meta.url)),
  environment: process.env,
};
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export class ServerProcess {
  /** The repository; it stays over restarts and goes with `remove`. */
  readonly directory: string;
  /** TCP on this machine. */
  readonly tcp: Target & { readonly port: number };
  /** The repository's Unix socket. */
  readonly socket: Target;
  readonly #settings: readonly string[];
  readonly #program: Program;
  #child: ChildProcess | undefined;
  #output = '';
  readonly #forget: () => void;

  private constructor(directory: string, port: number, settings: readonly string[], program: Program) {
    this.directory = directory;
    this.tcp = { host: '127.0.0.1', port };
    this.socket = { path: join(directory, 'amelie.sock') };
    this.#settings = settings;
    this.#program = program;
    this.#forget = onExit(() => {
      this.#child?.kill('SIGKILL');
      removeOnExit(directory);
    });
  }

  /** Makes a repository and starts its server on a free port; `settings` are `--name=value` arguments. */
  static async start(settings: readonly string[] = [], options: ServerOptions = {}): Promise<ServerProcess> {
    const directory = await mkdtemp(join(options.parent ?? tmpdir(), 'amelie-'));
    const server = new ServerProcess(directory, await findFreePort(), settings, options.program ?? THIS_PROGRAM);
    try {
      await server.restart();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Starts the server in the same repository, and waits until it serves. An Error shows what the server printed. */
  async restart(): Promise<void> {
    this.#output = '';
    const listen = JSON.stringify([{ host: '127.0.0.1', port: this.tcp.port }]);
    const { node, launcher, environment } = this.#program;
    const child = spawn(node, [launcher, 'start', this.directory, `--listen=${listen}`, ...this.#settings], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const client = new HttpClient(this.tcp);
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    try {
      while (!(await isHealthy(client))) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the server did not start:\n${this.#output}`);
        }
        if (performance.now() > deadlineMs) throw new Error(`the server did not get ready:\n${this.#output}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } finally {
      client.close();
    }
  }

  /** The process that serves, which is not the launcher's where that had to start another Node. */
  get processId(): number {
    const processId = this.#servingId();
    if (processId === undefined) throw new Error('the server has no pid file');
    return processId;
  }

  #servingId(): number | undefined {
    try {
      return Number.parseInt(readFileSync(join(this.directory, 'pid'), 'utf8'), 10);
    } catch {
      return undefined;
    }
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    return statusBytes(this.processId, 'VmRSS');
  }

  /** CPU seconds that all threads of the server have used so far. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.processId}/stat`, 'utf8').split(') ')[1]!.split(' ');
    // Fields 14 and 15 of the line, in ticks, of which Linux has 100 a second for all programs.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Ends the server by a signal and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const isGone = new Promise((resolve) => child.once('exit', resolve));
    // The launcher may be a go-between that has started another Node.
    const servingId = this.#servingId() ?? child.pid!;
    process.kill(servingId, signal);
    await isGone;
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#forget();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function isHealthy(client: HttpClient): Promise<boolean> {
  try {
    return (await client.send('GET', '/health', 'text/plain', '')).status === 200;
  } catch {
    return false;
  }
}

/** A line of /proc/<pid>/status in bytes. */
function statusBytes(processId: number, name: string): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc/${processId}/status has no ${name}`);
  return Number(match[1]) * 1024;
}

/** A port that is free now. */
function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
