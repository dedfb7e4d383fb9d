/**
 * Parsing and checking the value of one setting. Every error is an SqlError `invalid_value` that names the setting.
 */

import { SqlError } from '../base/errors.ts';
import { formatFlags } from '../types/result-format.ts';
import type { Listener, SettingDefinition, SettingValue } from './settings.ts';

/** As shown to who gives none of them; their words may stand in any order. */
const FORMATS: readonly string[] = [
  'json',
  'json-array',
  'json-obj',
  'json-pretty',
  'json-array-pretty',
  'json-obj-pretty',
];
const PORT_DEFAULT = 3485;
const SOCKET_MODE_DEFAULT = '0700';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const UNIT_MS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ms: 1,
    millisecond: 1,
    s: 1000,
    sec: 1000,
    second: 1000,
    min: 60_000,
    minute: 60_000,
    h: 3_600_000,
    hr: 3_600_000,
    hour: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
  }),
);

/** The value of `--name=text`. Only lists are JSON; text needs no quotes. */
export function parseSettingText(setting: SettingDefinition, text: string): SettingValue {
  if (setting.kind === 'bool') {
    if (text !== 'true' && text !== 'false') throw wrong(setting, 'true or false', text);
    return text === 'true';
  }
  if (setting.kind === 'integer') {
    if (!/^\d{1,16}$/.test(text)) throw wrong(setting, integerExpected(setting), text);
    return checkSettingValue(setting, Number(text));
  }
  if (setting.kind === 'listeners') {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw wrong(setting, 'a JSON array such as [{"host": "*", "port": 3485}]', text);
    }
    return checkSettingValue(setting, value);
  }
  return checkSettingValue(setting, text);
}

/** The checked value of a JSON value. Lists come back in normal form, with the defaults filled in. */
export function checkSettingValue(setting: SettingDefinition, value: unknown): SettingValue {
  switch (setting.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(setting, 'true or false', value);
      return value;
    case 'integer': {
      const number = typeof value === 'bigint' ? Number(value) : value;
      const isInRange =
        Number.isSafeInteger(number) && (number as number) >= setting.minimum && (number as number) <= setting.maximum;
      if (!isInRange) throw wrong(setting, integerExpected(setting), value);
      return number as number;
    }
    case 'listeners':
      return checkListeners(setting, value);
    case 'uuid':
      if (typeof value !== 'string' || !UUID.test(value)) throw wrong(setting, 'a UUID', value);
      return value.toLowerCase();
    case 'timezone':
      if (typeof value !== 'string' || !isTimezone(value)) throw wrong(setting, 'a time zone', value);
      return value;
    case 'format':
      if (typeof value !== 'string' || !isFormat(value)) {
        throw wrong(setting, `one of ${FORMATS.join(', ')}`, value);
      }
      return value;
    case 'interval':
      if (typeof value !== 'string' || intervalMs(value) === undefined) {
        throw wrong(setting, 'an interval such as 5 min', value);
      }
      return value;
    case 'text':
      if (typeof value !== 'string') throw wrong(setting, 'a text', value);
      return value;
  }
}

function isFormat(text: string): boolean {
  try {
    formatFlags(text);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds of an interval such as `5 min` or `1 hour 30 seconds`; undefined where the text is none. */
export function intervalMs(text: string): number | undefined {
  const parts = text.trim().toLowerCase().split(/\s+/);
  if (parts.length === 0 || parts.length % 2 !== 0) return undefined;
  let sumMs = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const count = parts[index] as string;
    const unit = parts[index + 1] as string;
    const unitMs = UNIT_MS.get(unit) ?? UNIT_MS.get(unit.replace(/s$/, ''));
    if (!/^\d{1,9}$/.test(count) || unitMs === undefined) return undefined;
    sumMs += Number(count) * unitMs;
  }
  return sumMs;
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function checkListeners(setting: SettingDefinition, value: unknown): readonly Listener[] {
  if (!Array.isArray(value)) throw wrong(setting, 'a JSON array such as [{"host": "*", "port": 3485}]', value);
  return value.map((entry, index) => checkListener(setting, entry, `entry ${index + 1}`));
}

function checkListener(setting: SettingDefinition, entry: unknown, place: string): Listener {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw wrong(setting, `an object as ${place}`, entry);
  }
  const { host, port, path, path_mode, tls = false, auth = false, ...others } = entry as Record<string, unknown>;
  const unknownName = Object.keys(others)[0];
  if (unknownName !== undefined)
    throw wrong(setting, `host, port, path, path_mode, tls, auth in ${place}`, unknownName);
  if (typeof tls !== 'boolean') throw wrong(setting, `true or false for tls in ${place}`, tls);
  if (typeof auth !== 'boolean') throw wrong(setting, `true or false for auth in ${place}`, auth);
  if ((host === undefined) === (path === undefined)) {
    throw wrong(setting, `either host or path in ${place}`, host === undefined ? 'neither' : 'both');
  }
  if (path !== undefined) {
    if (typeof path !== 'string' || path === '') throw wrong(setting, `a path in ${place}`, path);
    if (port !== undefined) throw wrong(setting, `no port beside the path in ${place}`, port);
    const mode = path_mode ?? SOCKET_MODE_DEFAULT;
    if (typeof mode !== 'string' || !/^0?[0-7]{3}$/.test(mode)) {
      throw wrong(setting, `an octal path_mode such as "0700" in ${place}`, mode);
    }
    return { path, path_mode: mode, tls, auth };
  }
  if (typeof host !== 'string' || host === '') throw wrong(setting, `a host in ${place}`, host);
  if (path_mode !== undefined) throw wrong(setting, `no path_mode without a path in ${place}`, path_mode);
  const number = port ?? PORT_DEFAULT;
  if (!Number.isInteger(number) || (number as number) < 0 || (number as number) > 65_535) {
    throw wrong(setting, `a port from 0 to 65535 in ${place}`, number);
  }
  return { host, port: number as number, tls, auth };
}

function integerExpected(setting: SettingDefinition): string {
  return setting.maximum === Number.MAX_SAFE_INTEGER
    ? `a whole number of at least ${setting.minimum}`
    : `a whole number from ${setting.minimum} to ${setting.maximum}`;
}

function wrong(setting: SettingDefinition, expected: string, value: unknown): SqlError {
  const shown =
    typeof value === 'string' ? `"${value}"` : typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
  return new SqlError('invalid_value', `setting ${setting.name}: expected ${expected}, not ${shown}`);
}
