/** `amelie start` and `stop` with the real server. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { amelie, listenOption, query, REPOSITORY_PROGRAM, startServer, temporaryFolder } from './amelie.ts';

const root = temporaryFolder('start');

test('start makes the repository, says what listens where, serves, and ends with exit code 0', async () => {
  const directory = join(root, 'served');
  const server = await startServer(REPOSITORY_PROGRAM, directory, '--backends=2');
  assert.match(server.output(), new RegExp(`listening on ${server.url.slice(0, -1)}`));
  assert.match(server.output(), /try: curl .*http:\/\/127\.0\.0\.1/);
  assert.equal(readFileSync(join(directory, 'pid'), 'utf8'), `${server.process.pid}\n`);
  assert.deepEqual(await query(server.url, 'select 1, 2, 3'), { status: 200, body: '[[1, 2, 3]]' });
  server.process.kill('SIGINT');
  const { code, stderr } = await server.ended;
  assert.deepEqual([code, stderr], [0, '']);
  assert.ok(!existsSync(join(directory, 'pid')));
  const lines = readFileSync(join(directory, 'log'), 'utf8').trim().split('\n');
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  for (const message of ['starting', 'settings', 'listening', 'stopped'])
    assert.ok(messages.includes(message), message);
});

test('a second start says which process holds the repository', async () => {
  const directory = join(root, 'held');
  const server = await startServer(REPOSITORY_PROGRAM, directory);
  const { option } = await listenOption();
  for (const more of [[], ['--daemon']]) {
    const second = await amelie('start', directory, option, ...more);
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`in use by process ${server.process.pid}\n`));
  }
  assert.equal((await query(server.url, 'select 1')).status, 200);
  server.process.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
});

test('a port in use is an error that names it', async () => {
  const { option, port } = await listenOption();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  for (const more of [[], ['--daemon']]) {
    const outcome = await amelie('start', join(root, 'port'), option, ...more);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, new RegExp(`${port}`));
  }
  other.close();
  const server = await startServer(REPOSITORY_PROGRAM, join(root, 'port'));
  server.process.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
});

test('a daemon serves when start has ended, and stop ends it', async () => {
  const directory = join(root, 'daemon');
  const { option, url } = await listenOption();
  const started = await amelie('start', '--daemon', directory, option);
  assert.deepEqual([started.code, started.stderr], [0, '']);
  try {
    assert.match(started.stdout, /listening on /);
    const processId = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    assert.match(started.stdout, new RegExp(`process ${processId}`));
    assert.equal((await query(url, 'select 1')).body, '[1]');
  } finally {
    const stopped = await amelie('stop', directory);
    assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
  }
  assert.ok(!existsSync(join(directory, 'pid')));
  assert.equal((await amelie('stop', directory)).code, 1);
});

test('a killed server leaves nothing that stops the next one', async () => {
  const directory = join(root, 'killed');
  const first = await startServer(REPOSITORY_PROGRAM, directory);
  first.process.kill('SIGKILL');
  assert.equal((await first.ended).signal, 'SIGKILL');
  assert.ok(existsSync(join(directory, 'pid')));
  // The id in it may by now be that of any process: this one.
  writeFileSync(join(directory, 'pid'), `${process.pid}\n`);
  const stop = await amelie('stop', directory);
  assert.deepEqual([stop.code, stop.stdout], [1, '']);
  const second = await startServer(REPOSITORY_PROGRAM, directory);
  second.process.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
});

test('settings of start hold for that run, those of a missing repository that never change are kept', async () => {
  const directory = join(root, 'settings');
  const first = await startServer(REPOSITORY_PROGRAM, directory, '--backends=3', '--limit_send=4321');
  assert.equal((await query(first.url, 'show limit_send')).body, '[4321]');
  first.process.kill('SIGTERM');
  await first.ended;
  const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([config.backends, config.limit_send], [3, undefined]);
  const refused = await amelie('start', directory, '--backends=2');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /backends cannot be changed by amelie start: .* 3/);
  const second = await startServer(REPOSITORY_PROGRAM, directory, '--backends=3');
  assert.equal((await query(second.url, 'show limit_send')).body, '[3145728]');
  second.process.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
});
