/**
 * config.json: what a repository keeps beside its data.
 *
 *   {
 *     "uuid": "…", "backends": 4,        settings that were given to `init` or changed by SET, each under its name;
 *     "format": "json", …                what is not here has the default of the machine and version that starts
 *     "users": [ … ],                    with their secrets, therefore mode 0600
 *     "replicas": [ … ]
 *   }
 *
 * The file is replaced as a whole: a new one is written, synced and renamed, and the folder synced, so that after a crash
 * either the old or the new one is there. Only main writes it, while the repository is locked.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  defaultSettings,
  type SettingName,
  type SettingSource,
  type SettingValue,
  type SettingValues,
  settingChange,
  settingFromValue,
} from './settings.ts';

export type Config = {
  readonly settings: Partial<SettingValues>;
  readonly users: readonly unknown[];
  readonly replicas: readonly unknown[];
};

const FILE_MODE = 0o600;

/** The path of a repository's config.json. */
export function configPath(directory: string): string {
  return join(directory, 'config.json');
}

/** Reads and checks config.json; an Error where it is missing or damaged, an SqlError for a wrong setting in it. */
export function loadConfig(directory: string): Config {
  const path = configPath(directory);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`cannot read ${path}: ${(error as Error).message}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Error(`cannot read ${path}: it has to hold one JSON object`);
  }
  const { users = [], replicas = [], ...settings } = content as Record<string, unknown>;
  if (!Array.isArray(users) || !Array.isArray(replicas)) {
    throw new Error(`cannot read ${path}: users and replicas have to be arrays`);
  }
  return { settings: checkedSettings(settings, 'config'), users, replicas };
}

/** Replaces config.json. Throws the system's error, with the old file still in place, where that fails. */
export function saveConfig(directory: string, config: Config): void {
  const path = configPath(directory);
  const newPath = `${path}.new`;
  const { settings, users, replicas } = config;
  const text = `${JSON.stringify({ ...settings, users, replicas }, null, 2)}\n`;
  rmSync(newPath, { force: true }); // a leftover might have another mode
  const file = openSync(newPath, 'wx', FILE_MODE);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(newPath, path);
  syncDirectory(directory);
}

/** Checks a record of settings that came as JSON or JavaScript values. */
export function checkedSettings(
  values: Readonly<Record<string, unknown>>,
  source: SettingSource,
): Partial<SettingValues> {
  const checked: Partial<SettingValues> = {};
  for (const [name, value] of Object.entries(values)) {
    Object.assign(checked, settingChange(name as SettingName, settingFromValue(name, value, source)));
  }
  return checked;
}

/** All values of a run: defaults, then config.json, then what this start was given. */
export function settingsOf(directory: string, config: Config, given: Partial<SettingValues>): SettingValues {
  return { ...defaultSettings(resolve(directory)), ...config.settings, ...given };
}

/**
 * SET: checks, saves in config.json, then changes `values` in place. The caller tells the threads.
 * SqlError for a wrong setting; the system's error, and nothing changed, where the file cannot be written.
 */
export function changeSetting(directory: string, values: SettingValues, name: string, value: unknown): SettingValue {
  const checked = settingFromValue(name, value, 'set');
  const change = settingChange(name as SettingName, checked);
  const config = loadConfig(directory);
  saveConfig(directory, { ...config, settings: { ...config.settings, ...change } });
  Object.assign(values, change);
  return checked;
}

/** Makes a rename or a new file in `directory` durable. */
export function syncDirectory(directory: string): void {
  const file = openSync(directory, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
