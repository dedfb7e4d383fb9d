/**
 * The lock of a repository: only one process may have it open.
 *
 * A pid file cannot do this: after a crash it is stale, process ids are used again, and two starters that both find it
 * stale race. The kernel's record locks have none of these troubles: they are taken atomically and end with their process,
 * however it ends. Node has no call for them, but the SQLite that it carries takes one for an exclusive transaction. The
 * file `lock` stays empty: nothing is written in that transaction.
 *
 * Record locks belong to the process: closing any descriptor of the file gives them up. So nothing else may open it.
 */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;
/** Two that try at the same moment may hinder each other: both try again for a while, and one of them gets it. */
const CONTENTION_MS = 250;

/** Another process, or this one, has the repository open. */
export class RepositoryInUse extends Error {
  override name = 'RepositoryInUse';
  /** Undefined where the holder is in another container. */
  readonly processId: number | undefined;

  constructor(directory: string, processId: number | undefined) {
    super(
      `the repository ${directory} is in use by ${processId === undefined ? 'another process' : `process ${processId}`}`,
    );
    this.processId = processId;
  }
}

export class RepositoryLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock of an existing folder, or throws RepositoryInUse. */
  static acquire(directory: string): RepositoryLock {
    const path = join(directory, 'lock');
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: CONTENTION_MS });
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return new RepositoryLock(database);
    } catch (error) {
      database?.close();
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
        throw new RepositoryInUse(directory, findHolder(path) ?? readProcessId(directory));
      }
      throw new Error(`cannot lock ${path}: ${(error as Error).message}`);
    }
  }

  release(): void {
    this.#database.close();
  }
}

/** The path of the file that names the server's process while it runs. */
export function processIdPath(directory: string): string {
  return join(directory, 'pid');
}

/** What the pid file says, undefined where there is none. */
export function readProcessId(directory: string): number | undefined {
  try {
    const processId = Number.parseInt(readFileSync(processIdPath(directory), 'utf8'), 10);
    return processId > 0 ? processId : undefined;
  } catch {
    return undefined;
  }
}

/** The holder by the kernel's table: `1: POSIX  ADVISORY  WRITE 4393 fe:00:2155348 1073741824 1073742335`. */
function findHolder(path: string): number | undefined {
  try {
    const { dev, ino } = statSync(path);
    const major = ((dev >>> 8) & 0xfff).toString(16).padStart(2, '0');
    const minor = ((dev & 0xff) | ((dev >>> 12) & 0xfff00)).toString(16).padStart(2, '0');
    const place = `${major}:${minor}:${ino}`;
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, , , , processId, file] = line.trim().split(/\s+/);
      if (file === place && Number(processId) > 0) return Number(processId);
    }
  } catch {
    // No /proc: the pid file has to do.
  }
  return undefined;
}
