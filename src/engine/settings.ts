/**
 * Every setting: its name, kind, bounds, default, and how it may be changed.
 *
 * Values come from four places, the later over the earlier:
 *
 *   defaults (of this machine)  <  config.json  <  options of `start` or of the library  <  SET
 *
 * What is saved in config.json: options of `init` and what SET changed. Options of `start` hold for that run. The checks
 * of a single value are in settings-check.ts, the file in settings-file.ts.
 */

import { randomUUID } from 'node:crypto';
import { availableParallelism, totalmem } from 'node:os';
import { notSupported, SqlError } from '../base/errors.ts';
import { ARENA_BYTES, ARENA_COUNT_MAX, FRONTEND_COUNT_MAX, NODE_COUNT_MAX } from '../base/limits.ts';
import { VERSION } from '../base/version.ts';
import { checkSettingValue, parseSettingText } from './settings-check.ts';

/** One place that takes connections: a host and port, or the path of a Unix socket. */
export type Listener = {
  /** `*` is every interface. */
  readonly host?: string;
  readonly port?: number;
  /** Relative paths start at the repository. */
  readonly path?: string;
  /** Octal, as text: `0700`. */
  readonly path_mode?: string;
  readonly tls: boolean;
  readonly auth: boolean;
};

/** The values of all settings under their public names; plain data, so that it can be sent to threads. */
export type SettingValues = {
  version: string;
  directory: string;
  lsn: number;
  psn: number;
  checkpoint: number;
  read_only: boolean;
  uuid: string;
  timezone_default: string;
  /** Empty: timezone_default. Ask `timezoneOf`. */
  timezone: string;
  format: string;
  log_enable: boolean;
  log_to_file: boolean;
  log_to_stdout: boolean;
  log_connections: boolean;
  log_options: boolean;
  log_slow_ms: number;
  tls_cert: string;
  tls_key: string;
  tls_ca: string;
  tls_capath: string;
  listen: readonly Listener[];
  limit_send: number;
  limit_recv: number;
  limit_write: number;
  frontends: number;
  backends: number;
  memory_limit: number;
  limit_statement_ms: number;
  wal_sync_on_write: boolean;
  wal_sync_on_rotate: boolean;
  wal_rotate_wm: number;
  checkpoint_interval: string;
  checkpoint_workers: number;
  repl: boolean;
  repl_primary: string;
  repl_reconnect_ms: number;
};

export type SettingName = keyof SettingValues;
export type SettingValue = SettingValues[SettingName];

/** Where a value comes from. `config` is config.json, which holds what `init` and SET have put there. */
export type SettingSource = 'config' | 'init' | 'start' | 'set';

/** Each includes those before it: what SET can change can be given to `start`, and what `start` takes, `init` takes. */
export type SettingChange = 'read-only' | 'init' | 'start' | 'set';

export type SettingKind = 'text' | 'bool' | 'integer' | 'interval' | 'listeners' | 'uuid' | 'timezone' | 'format';

export type SettingDefinition = {
  readonly name: SettingName;
  readonly kind: SettingKind;
  readonly change: SettingChange;
  /** Of integers, both ends included. Sizes are bytes, names that end in `_ms` milliseconds. */
  readonly minimum: number;
  readonly maximum: number;
};

const MIB = 1024 * 1024;
/** What setTimeout takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** A request or a result is one piece of memory. */
const MESSAGE_BYTES_MAX = 1024 * MIB;
const MEMORY_BYTES_MAX = ARENA_COUNT_MAX * ARENA_BYTES;

function define(
  name: SettingName,
  kind: SettingKind,
  change: SettingChange,
  minimum: number = 0,
  maximum: number = Number.MAX_SAFE_INTEGER,
): SettingDefinition {
  return { name, kind, change, minimum, maximum };
}

/** In the order of SHOW ALL. */
export const SETTINGS: readonly SettingDefinition[] = [
  define('version', 'text', 'read-only'),
  define('directory', 'text', 'read-only'),
  define('uuid', 'uuid', 'init'),
  define('timezone_default', 'timezone', 'start'),
  define('timezone', 'timezone', 'set'),
  define('format', 'format', 'set'),
  define('log_enable', 'bool', 'set'),
  define('log_to_file', 'bool', 'set'),
  define('log_to_stdout', 'bool', 'set'),
  define('log_connections', 'bool', 'set'),
  define('log_options', 'bool', 'set'),
  define('log_slow_ms', 'integer', 'set', 0, TIMER_MS_MAX),
  define('tls_cert', 'text', 'start'),
  define('tls_key', 'text', 'start'),
  define('tls_ca', 'text', 'start'),
  define('tls_capath', 'text', 'start'),
  define('listen', 'listeners', 'start'),
  define('limit_send', 'integer', 'set', 1, MESSAGE_BYTES_MAX),
  define('limit_recv', 'integer', 'set', 1, MESSAGE_BYTES_MAX),
  define('limit_write', 'integer', 'set'),
  define('frontends', 'integer', 'start', 1, FRONTEND_COUNT_MAX),
  define('backends', 'integer', 'init', 1, NODE_COUNT_MAX),
  define('memory_limit', 'integer', 'set', 16 * MIB, MEMORY_BYTES_MAX),
  define('limit_statement_ms', 'integer', 'set', 0, TIMER_MS_MAX),
  define('wal_sync_on_write', 'bool', 'set'),
  define('wal_sync_on_rotate', 'bool', 'set'),
  define('wal_rotate_wm', 'integer', 'set', 4096),
  define('checkpoint_interval', 'interval', 'set'),
  define('checkpoint_workers', 'integer', 'set', 1, NODE_COUNT_MAX),
  define('repl', 'bool', 'start'),
  define('repl_primary', 'text', 'start'),
  define('repl_reconnect_ms', 'integer', 'set', 1, TIMER_MS_MAX),
  define('lsn', 'integer', 'read-only'),
  define('psn', 'integer', 'read-only'),
  define('checkpoint', 'integer', 'read-only'),
  define('read_only', 'bool', 'read-only'),
];

const BY_NAME: ReadonlyMap<string, SettingDefinition> = new Map(SETTINGS.map((setting) => [setting.name, setting]));

/** What SettingSource may bring, by SettingChange. */
const ALLOWED: Readonly<Record<SettingChange, readonly SettingSource[]>> = {
  'read-only': [],
  init: ['config', 'init'],
  start: ['config', 'init', 'start'],
  set: ['config', 'init', 'start', 'set'],
};

const HINT: Readonly<Record<SettingChange, string>> = {
  'read-only': 'it is read-only',
  init: 'it is chosen by amelie init',
  start: 'it is chosen by amelie init or amelie start',
  set: '',
};

/** The definition of a setting, undefined where there is none of that name. */
export function findSetting(name: string): SettingDefinition | undefined {
  return BY_NAME.get(name);
}

/** The setting called `name`, if it may be changed from `source`; else an SqlError that names it. */
export function settingFor(name: string, source: SettingSource): SettingDefinition {
  const setting = BY_NAME.get(name);
  if (setting === undefined) throw new SqlError('unknown_setting', `there is no setting ${name}`);
  if (!ALLOWED[setting.change].includes(source)) {
    const how = source === 'set' ? 'cannot be changed by SET' : 'cannot be given';
    throw new SqlError('invalid_value', `setting ${name} ${how}: ${HINT[setting.change]}`);
  }
  return setting;
}

/** The checked value of `--name=text`. */
export function settingFromText(name: string, text: string, source: SettingSource): SettingValue {
  return parseSettingText(settingFor(name, source), text);
}

/** The checked value of a JSON or JavaScript value: of config.json, `--json`, the library's options, or SET. */
export function settingFromValue(name: string, value: unknown, source: SettingSource): SettingValue {
  return checkSettingValue(settingFor(name, source), value);
}

/** `name: value` as a piece of SettingValues. The value has been checked, which the compiler cannot see. */
export function settingChange(name: SettingName, value: SettingValue): Partial<SettingValues> {
  return { [name]: value } as Partial<SettingValues>;
}

/** What this machine and a new repository in `directory` (an absolute path) have where nothing is given. */
export function defaultSettings(directory: string): SettingValues {
  const coreCount = availableParallelism();
  return {
    version: VERSION,
    directory,
    lsn: 0,
    psn: 0,
    checkpoint: 0,
    read_only: false,
    uuid: randomUUID(),
    timezone_default: systemTimezone(),
    timezone: '',
    format: 'json-pretty',
    log_enable: true,
    log_to_file: true,
    log_to_stdout: true,
    log_connections: true,
    log_options: true,
    log_slow_ms: 0,
    tls_cert: '',
    tls_key: '',
    tls_ca: '',
    tls_capath: '',
    listen: [{ host: '*', port: 3485, tls: false, auth: false }],
    limit_send: 3 * MIB,
    limit_recv: MIB,
    limit_write: 0,
    frontends: Math.min(FRONTEND_COUNT_MAX, Math.max(1, Math.floor(coreCount / 4))),
    backends: Math.min(NODE_COUNT_MAX, coreCount),
    memory_limit: Math.max(16 * MIB, Math.min(MEMORY_BYTES_MAX, Math.floor(machineMemoryBytes() * 0.8))),
    limit_statement_ms: 0,
    wal_sync_on_write: false,
    wal_sync_on_rotate: true,
    wal_rotate_wm: 100 * MIB,
    checkpoint_interval: '5 min',
    checkpoint_workers: 3,
    repl: false,
    repl_primary: '',
    repl_reconnect_ms: 3000,
  };
}

/** Refuses what a setting can ask for and this version has not, rather than to serve without it. */
export function refuseUnsupported(values: SettingValues): void {
  if (values.listen.some((listener) => listener.tls)) throw notSupported('tls in the setting listen');
  if (values.listen.some((listener) => listener.auth)) throw notSupported('auth in the setting listen');
  if (values.repl) throw notSupported('the setting repl');
}

/** The time zone of requests that bring none. */
export function timezoneOf(values: SettingValues): string {
  return values.timezone === '' ? values.timezone_default : values.timezone;
}

/** The value that SHOW gives: a JSON value. */
export function shownSetting(values: SettingValues, name: SettingName): SettingValue {
  return name === 'timezone' ? timezoneOf(values) : values[name];
}

/** The machine's memory, or the cgroup's limit where that is lower. */
function machineMemoryBytes(): number {
  const limitBytes = process.constrainedMemory(); // 0 or a huge number where there is none
  return limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
}

function systemTimezone(): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  // ICU gives Etc/Unknown, or nothing, for a TZ that it cannot read.
  return zone === undefined || zone === 'Etc/Unknown' ? 'UTC' : zone;
}
