/** `amelie stop`: asks the server of a repository to stop, and waits until it has. */

import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isRepository } from '../engine/repository.ts';
import { RepositoryInUse, RepositoryLock, readProcessId } from '../engine/repository-lock.ts';
import type { Arguments } from './arguments.ts';
import { type Command, repositoryArgument } from './command.ts';

const POLL_MS = 20;
/** Then the wait is given up with a message; the server goes on stopping. */
const WAIT_MS = 60_000;

export const stopCommand: Command = {
  name: 'stop',
  synopsis: '<repository>',
  summary: 'Stops the server of a repository, and waits until what runs is finished and written.',
  details: [],
  options: {},
  run: stop,
};

async function stop(given: Arguments): Promise<number> {
  const directory = repositoryArgument(given, 'stop');
  if (!existsSync(directory) || !isRepository(directory)) throw new Error(`${directory} is no repository`);
  const holder = findHolder(directory);
  if (holder === undefined) throw new Error(`no server is running on ${directory}`);
  const processId = readProcessId(directory);
  // Without a pid file the holder is `init`, or a program that uses the library: not ours to end.
  if (processId === undefined) throw new Error(`${holder.message}, which is no server`);
  if (holder.processId !== undefined && holder.processId !== processId) {
    throw new Error(`${holder.message}, not by the server of its pid file (${processId})`);
  }
  process.kill(processId, 'SIGTERM');
  const endMs = performance.now() + WAIT_MS;
  while (findHolder(directory) !== undefined) {
    if (performance.now() > endMs) throw new Error(`process ${processId} is still stopping after ${WAIT_MS / 1000} s`);
    await delay(POLL_MS);
  }
  process.stdout.write(`stopped the server of ${directory} (process ${processId})\n`);
  return 0;
}

function findHolder(directory: string): RepositoryInUse | undefined {
  try {
    RepositoryLock.acquire(directory).release();
    return undefined;
  } catch (error) {
    if (error instanceof RepositoryInUse) return error;
    throw error;
  }
}
