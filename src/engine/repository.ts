/**
 * Making a repository: the folder that holds one database.
 *
 *   config.json  settings, users, replicas       log           server log
 *   wal/         write-ahead log                 pid           process of the running server
 *   checkpoint/  snapshots                       lock          locked while open (repository-lock.ts)
 *   certs/       certificates                    amelie.sock   Unix socket of the running server
 *
 * config.json is written last: a folder that has it is a whole repository.
 */

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultSettings, type SettingValues } from './settings.ts';
import { configPath, saveConfig, syncDirectory } from './settings-file.ts';

const FOLDERS: readonly string[] = ['wal', 'checkpoint', 'certs'];
const DIRECTORY_MODE = 0o700;

/** Whether there is a whole repository in `directory`. */
export function isRepository(directory: string): boolean {
  return existsSync(configPath(directory));
}

/**
 * Makes the folder where it is missing, so that it can be locked; an Error where it holds something that is no
 * repository, which is then left alone.
 */
export function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  if (isRepository(directory)) return;
  // What an init that was cut off, or that runs at this moment in another process, has made so far.
  const own = new Set([...FOLDERS, 'lock', 'pid', 'config.json', 'config.json.new']);
  const foreign = readdirSync(directory).find((name) => !own.has(name));
  const filled = FOLDERS.find(
    (name) => existsSync(join(directory, name)) && readdirSync(join(directory, name)).length > 0,
  );
  const found = foreign ?? filled;
  if (found !== undefined) {
    throw new Error(`${directory} is no repository, and not empty (it holds ${found}): choose another folder`);
  }
}

/** Makes a repository in a prepared, locked folder. `given` is saved, with what can never change later. */
export function createRepository(directory: string, given: Partial<SettingValues>): void {
  for (const name of FOLDERS) mkdirSync(join(directory, name), { recursive: true, mode: DIRECTORY_MODE });
  const { uuid, backends } = defaultSettings(directory);
  saveConfig(directory, { settings: { uuid, backends, ...given }, users: [], replicas: [] });
  syncDirectory(join(directory, '..'));
}
