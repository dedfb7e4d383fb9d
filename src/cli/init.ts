/** `amelie init`: makes a repository. */

import { createRepository, isRepository, prepareDirectory } from '../engine/repository.ts';
import { RepositoryLock } from '../engine/repository-lock.ts';
import type { Arguments } from './arguments.ts';
import { type Command, repositoryArgument } from './command.ts';
import { settingNames } from './help.ts';
import { givenSettings, SETTING_OPTIONS } from './setting-options.ts';

export const initCommand: Command = {
  name: 'init',
  synopsis: '<repository> [--setting=value …]',
  summary: 'Makes a repository, and keeps the settings given in its config.json.',
  details: ['Settings:', ...settingNames((change) => change !== 'read-only')],
  options: SETTING_OPTIONS,
  run: init,
};

async function init(given: Arguments): Promise<number> {
  const directory = repositoryArgument(given, 'init');
  const settings = givenSettings(given, 'init');
  prepareDirectory(directory);
  const lock = RepositoryLock.acquire(directory);
  try {
    if (isRepository(directory)) throw new Error(`${directory} is a repository already`);
    createRepository(directory, settings);
  } finally {
    lock.release();
  }
  process.stdout.write(`made the repository ${directory}; amelie start ${directory} serves it\n`);
  return 0;
}
