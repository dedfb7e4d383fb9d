import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createRepository, isRepository, prepareDirectory } from './repository.ts';
import { changeSetting, configPath, loadConfig, saveConfig, settingsOf } from './settings-file.ts';

const root = mkdtempSync(join(tmpdir(), 'amelie-settings-'));
after(() => rmSync(root, { recursive: true }));

function newRepository(given: Parameters<typeof createRepository>[1] = {}): string {
  const directory = mkdtempSync(join(root, 'repository-'));
  prepareDirectory(directory);
  createRepository(directory, given);
  return directory;
}

test('a new repository keeps what it was given, and what can never change', () => {
  const directory = newRepository({ format: 'json', backends: 3 });
  assert.ok(isRepository(directory));
  assert.deepEqual(readdirSync(directory).sort(), ['certs', 'checkpoint', 'config.json', 'wal']);
  const { settings, users, replicas } = loadConfig(directory);
  assert.deepEqual(Object.keys(settings).sort(), ['backends', 'format', 'uuid']);
  assert.deepEqual([settings.format, settings.backends, users, replicas], ['json', 3, [], []]);
});

test('config.json is for its owner only, also after it was replaced', () => {
  const directory = newRepository();
  saveConfig(directory, { ...loadConfig(directory), users: [{ name: 'ann', secret: 's' }] });
  assert.equal(statSync(configPath(directory)).mode & 0o777, 0o600);
  assert.deepEqual(loadConfig(directory).users, [{ name: 'ann', secret: 's' }]);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('.new')),
    [],
  );
});

test('what start is given comes over config.json, and that over the defaults', () => {
  const directory = newRepository({ limit_send: 100, limit_recv: 200 });
  const values = settingsOf(directory, loadConfig(directory), { limit_recv: 300 });
  assert.deepEqual([values.limit_send, values.limit_recv, values.limit_write], [100, 300, 0]);
  assert.equal(values.directory, directory);
});

test('SET changes the run and the file, and saves nothing that start was given', () => {
  const directory = newRepository();
  const values = settingsOf(directory, loadConfig(directory), { limit_recv: 300 });
  changeSetting(directory, values, 'limit_send', 100);
  assert.equal(values.limit_send, 100);
  const { settings } = loadConfig(directory);
  assert.deepEqual([settings.limit_send, settings.limit_recv], [100, undefined]);
  assert.throws(() => changeSetting(directory, values, 'backends', 7), /backends/);
  assert.throws(() => changeSetting(directory, values, 'limit_send', 'much'), /limit_send/);
  assert.equal(loadConfig(directory).settings.limit_send, 100);
});

test('a damaged or wrong config.json stops with the reason', () => {
  const directory = newRepository();
  const table: readonly [string, RegExp][] = [
    ['{"backends": 2', /config\.json/],
    ['[]', /config\.json/],
    ['{"users": 1}', /users/],
    ['{"color": "red"}', /color/],
    ['{"lsn": 5}', /lsn/],
    ['{"limit_send": "5"}', /limit_send/],
  ];
  for (const [text, message] of table) {
    writeFileSync(configPath(directory), text);
    assert.throws(() => loadConfig(directory), message, text);
  }
  assert.equal(readFileSync(configPath(directory), 'utf8'), '{"limit_send": "5"}');
});

test('a folder with something else in it is left alone', () => {
  const directory = mkdtempSync(join(root, 'foreign-'));
  writeFileSync(join(directory, 'thesis.txt'), 'all my work');
  assert.throws(() => prepareDirectory(directory), /thesis\.txt/);
  assert.deepEqual(readdirSync(directory), ['thesis.txt']);
});

test('an init that was cut off is made again', () => {
  const directory = newRepository();
  rmSync(configPath(directory));
  prepareDirectory(directory);
  writeFileSync(join(directory, 'wal', '00000000000000000001.wal'), '');
  assert.throws(() => prepareDirectory(directory), /wal/, 'but never where a log file was left');
});
