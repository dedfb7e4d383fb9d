/**
 * `amelie start`: serves a repository until a signal or `amelie stop`.
 *
 *   LOCKED ──▶ STARTING ──▶ SERVING ──▶ STOPPING ──▶ exit 0
 *     │            │            │           │
 *     │            │            │           └ second signal: exit 128 + its number, at once
 *     │            │            └ the server ends by itself (a thread died): exit 1
 *     │            └ signal: STOPPING as soon as it serves
 *     └ anything wrong up to SERVING: message, exit 1
 *
 * The pid file is there from LOCKED until the end.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { VERSION } from '../base/version.ts';
import { createRepository, isRepository, prepareDirectory } from '../engine/repository.ts';
import { processIdPath, RepositoryLock } from '../engine/repository-lock.ts';
import { findSetting, refuseUnsupported, type SettingName, type SettingValues } from '../engine/settings.ts';
import { loadConfig, settingsOf } from '../engine/settings-file.ts';
import { RepositoryLog } from '../server/log.ts';
import { type Arguments, booleanOption } from './arguments.ts';
import { type Command, repositoryArgument } from './command.ts';
import { isDaemon, reportFailure, reportReady, startDaemon } from './daemon.ts';
import { settingNames } from './help.ts';
import { givenSettings, SETTING_OPTIONS } from './setting-options.ts';

/**
 * A terminal's Ctrl-C reaches npm and the server, and npm passes it on: the same signal within this time is the first
 * one again, not the user's second.
 */
const ECHO_MS = 100;

export const startCommand: Command = {
  name: 'start',
  synopsis: '<repository> [--setting=value …] [--daemon]',
  summary: 'Serves a repository; makes it first when it is missing. Settings given here hold for this run.',
  details: [
    '  --daemon  goes on in the background once it serves; its messages are in <repository>/log',
    '',
    'Settings:',
    ...settingNames((change) => change === 'start' || change === 'set'),
    '',
    'When the repository is made, also:',
    ...settingNames((change) => change === 'init'),
  ],
  options: { ...SETTING_OPTIONS, daemon: 'boolean' },
  run: start,
};

async function start(given: Arguments): Promise<number> {
  const directory = repositoryArgument(given, 'start');
  if (isDaemon()) {
    try {
      return await serve(directory, given, reportReady);
    } catch (error) {
      await reportFailure(error);
      throw error;
    }
  }
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  // What is given is checked here too, so that a wrong option needs no second process to be found.
  if (booleanOption(given, 'daemon', false)) {
    givenSettings(given, 'init');
    return await startDaemon(print);
  }
  return await serve(directory, given, print);
}

/** From the lock to the end. `ready` is called with what listens where, as text. */
async function serve(directory: string, given: Arguments, ready: (text: string) => void): Promise<number> {
  const givenValues = givenSettings(given, 'init');
  prepareDirectory(directory);
  const lock = RepositoryLock.acquire(directory);
  const pidPath = processIdPath(directory);
  const removePid = (): void => rmSync(pidPath, { force: true });
  // The kernel gives the lock back whatever happens; the pid file goes with every end but SIGKILL.
  process.on('exit', removePid);
  try {
    writeFileSync(pidPath, `${process.pid}\n`);
    return await serveLocked(directory, readSettings(directory, givenValues), ready);
  } finally {
    // In this order: once the lock is free, the file may be another server's.
    removePid();
    process.off('exit', removePid);
    lock.release();
  }
}

async function serveLocked(directory: string, settings: SettingValues, ready: (text: string) => void): Promise<number> {
  const log = new RepositoryLog(directory, settings);
  log.info('starting', { version: VERSION, process: process.pid, directory: settings.directory });
  if (settings.log_options) log.detail('settings', shownSettings(settings));
  const end = catchSignals(log);
  try {
    const { startServer } = await import('../server/server.ts');
    const server = await startServer(directory, settings, log);
    for (const address of server.addresses) log.detail('listening', { address });
    ready(readyText(settings, server.addresses));
    const failure = await Promise.race([server.done, end.requested]);
    if (failure !== undefined) throw failure;
    log.info('stopping');
    await server.close();
    log.info('stopped');
    return 0;
  } catch (error) {
    log.error('the server ends', { reason: (error as Error).message });
    throw error;
  } finally {
    end.release();
    log.close();
  }
}

/** The settings of this run; makes the repository where it is missing. */
function readSettings(directory: string, given: Partial<SettingValues>): SettingValues {
  const lasting: Partial<SettingValues> = {};
  for (const [name, value] of Object.entries(given)) {
    if (findSetting(name)?.change === 'init') Object.assign(lasting, { [name]: value });
  }
  if (!isRepository(directory)) createRepository(directory, lasting);
  const config = loadConfig(directory);
  for (const name of Object.keys(lasting) as SettingName[]) {
    if (config.settings[name] === lasting[name]) continue;
    throw new Error(
      `setting ${name} cannot be changed by amelie start: the repository was made with ${config.settings[name]}`,
    );
  }
  const settings = settingsOf(directory, config, given);
  refuseUnsupported(settings);
  return settings;
}

type End = { readonly requested: Promise<undefined>; release(): void };

/** The first signal asks for the end, a second one exits at once. */
function catchSignals(log: RepositoryLog): End {
  const { promise, resolve: request } = Promise.withResolvers<undefined>();
  let first: { readonly signal: NodeJS.Signals; readonly timeMs: number } | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    const timeMs = performance.now();
    if (first === undefined) {
      first = { signal, timeMs };
      log.info('signal', { signal });
      request(undefined);
    } else if (signal !== first.signal || timeMs - first.timeMs > ECHO_MS) {
      log.warn('second signal, exiting at once', { signal });
      process.exit(128 + constants.signals[signal]);
    }
  };
  const failed = (error: unknown): void => {
    // A bug: nothing in this process can be trusted any more. Recovery brings the data back.
    log.error('unexpected error, the process ends', { stack: (error as Error).stack ?? String(error) });
    process.stderr.write(`amelie: unexpected error: ${(error as Error).stack ?? String(error)}\n`);
    process.exit(1);
  };
  process.on('SIGINT', listener).on('SIGTERM', listener);
  process.on('uncaughtException', failed);
  const release = (): void => {
    process.off('SIGINT', listener).off('SIGTERM', listener).off('uncaughtException', failed);
  };
  return { requested: promise, release };
}

/** Everything but what belongs to the state of the data. Settings hold no secrets: keys are names of files. */
function shownSettings(settings: SettingValues): Record<string, string | number | boolean> {
  const { listen, lsn: _lsn, psn: _psn, checkpoint: _checkpoint, read_only: _readOnly, ...plain } = settings;
  return { ...plain, listen: JSON.stringify(listen) };
}

function readyText(settings: SettingValues, addresses: readonly string[]): string {
  const { directory, frontends, backends } = settings;
  const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const lines = [
    `amelie ${VERSION}: ${resolve(directory)}, ${count(frontends, 'frontend')}, ${count(backends, 'backend')}`,
  ];
  for (const address of addresses) lines.push(`listening on ${address}`);
  const [address] = addresses;
  if (address !== undefined) lines.push(`try: ${tryLine(address)}`);
  return `${lines.join('\n')}\n`;
}

/** A command that asks the server something. An address is a URL, or the path of a Unix socket. */
function tryLine(address: string): string {
  const query = `-H 'Content-Type: text/plain' -d 'SELECT 1, 2, 3'`;
  const path = address.replace(/^unix:(\/\/(?=\/))?/, '');
  if (!address.includes('://') || path !== address) return `curl --unix-socket ${path} ${query} http://localhost/`;
  const url = new URL(address);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]' || url.hostname === '*') url.hostname = 'localhost';
  return `curl ${query} ${url.href}`;
}
