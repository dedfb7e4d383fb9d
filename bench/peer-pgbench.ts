/**
 * A peer: PostgreSQL of the system's packages, with its own pgbench, in a temporary folder and over a Unix socket only.
 *
 * PostgreSQL refuses to run as root; then its processes run as the user `postgres`, else `nobody`.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onExit, removeOnExit } from './cleanup.ts';

const run = promisify(execFile);
const PROGRAMS: readonly string[] = ['initdb', 'postgres', 'pgbench', 'psql'];
const POLL_MS = 50;
const START_TIMEOUT_MS = 30_000;

type Identity = { readonly uid?: number; readonly gid?: number };

export type PgbenchOptions = {
  /** The folder that its own is made in, which other users can pass through; by default that of temporary files. */
  readonly parent?: string;
  /** Wait for the disk at every commit. */
  readonly isSynchronous?: boolean;
};

export class PgbenchPeer {
  /** Like `PostgreSQL 15.8`. */
  readonly version: string;
  readonly #programs: string;
  readonly #directory: string;
  readonly #identity: Identity;
  readonly #server: ChildProcess;
  readonly #forget: () => void;

  private constructor(
    version: string,
    programs: string,
    directory: string,
    identity: Identity,
    server: ChildProcess,
    forget: () => void,
  ) {
    this.#forget = forget;
    this.version = version;
    this.#programs = programs;
    this.#directory = directory;
    this.#identity = identity;
    this.#server = server;
  }

  /**
   * A running PostgreSQL with pgbench's tables at scale 1, by default with synchronous_commit off; undefined where none is
   * installed.
   */
  static async start(options: PgbenchOptions = {}): Promise<PgbenchPeer | undefined> {
    const programs = findPrograms();
    if (programs === undefined) return undefined;
    const identity = findIdentity();
    const directory = mkdtempSync(join(options.parent ?? tmpdir(), 'pgbench-'));
    if (identity.uid !== undefined) chownSync(directory, identity.uid, identity.gid!);
    const asUser = { ...identity, cwd: directory };
    const data = join(directory, 'data');
    let server: ChildProcess | undefined;
    const setUp = new AbortController();
    const forget = onExit(() => {
      setUp.abort();
      server?.kill('SIGQUIT');
      removeOnExit(directory);
    });
    try {
      await run(join(programs, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-locale'], {
        ...asUser,
        signal: setUp.signal,
        killSignal: 'SIGKILL',
      });
      const durability = options.isSynchronous
        ? ['-c', 'fsync=on', '-c', 'synchronous_commit=on']
        : ['-c', 'synchronous_commit=off'];
      const settings = ['-c', 'listen_addresses=', ...durability];
      server = spawn(join(programs, 'postgres'), ['-D', data, '-k', directory, ...settings], {
        ...asUser,
        stdio: 'ignore',
      });
      const version = await untilReady(join(programs, 'psql'), directory, asUser, server);
      const peer = new PgbenchPeer(version, programs, directory, identity, server, forget);
      await peer.#pgbench(['-i', '-s', '1', '-q']);
      return peer;
    } catch (error) {
      forget();
      server?.kill('SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Transactions a second of the tpcb-like script, simple protocol. */
  async measure(clientCount: number, seconds: number): Promise<number> {
    const output = await this.#pgbench(['-c', String(clientCount), '-j', '2', '-M', 'simple', '-T', String(seconds)]);
    const match = /^tps = ([\d.]+)/m.exec(output);
    if (match === null) throw new Error(`pgbench printed no tps:\n${output}`);
    return Number(match[1]);
  }

  /** The settings that decide what a commit waits for, as the server has them. */
  async describeDurability(): Promise<string> {
    const names = ['synchronous_commit', 'fsync', 'wal_sync_method'];
    const query = names.flatMap((name) => ['-c', `show ${name}`]);
    const args = ['-h', this.#directory, '-U', 'bench', '-At', ...query, 'postgres'];
    const { stdout } = await run(join(this.#programs, 'psql'), args, { ...this.#identity, cwd: this.#directory });
    const values = stdout.trim().split('\n');
    return names.map((name, index) => `${name} ${values[index]}`).join(', ');
  }

  async stop(): Promise<void> {
    const isGone = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill('SIGINT');
    await isGone;
    this.#forget();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #pgbench(args: readonly string[]): Promise<string> {
    const { stdout } = await run(
      join(this.#programs, 'pgbench'),
      ['-h', this.#directory, '-U', 'bench', ...args, 'postgres'],
      { ...this.#identity, cwd: this.#directory },
    );
    return stdout;
  }
}

/** The folder that has all programs: of the newest version below /usr/lib/postgresql, or of the PATH. */
function findPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  return folders.find((folder) => PROGRAMS.every((program) => existsSync(join(folder, program))));
}

function findIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined) throw new Error('PostgreSQL cannot run as root, and there is no user postgres or nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Waits until the server answers; its version. */
async function untilReady(
  psql: string,
  directory: string,
  options: Identity & { readonly cwd: string },
  server: ChildProcess,
): Promise<string> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const args = ['-h', directory, '-U', 'bench', '-At', '-c', 'show server_version', 'postgres'];
      const { stdout } = await run(psql, args, options);
      return `PostgreSQL ${stdout.split(' ')[0]!.trim()}`;
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`postgres ended with code ${server.exitCode}`, { cause: error });
      if (performance.now() > deadlineMs) throw new Error('postgres did not get ready', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
