/** The launcher under an older Node, where this machine has one. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LAUNCHER, REPOSITORY_PROGRAM, run, startServer, temporaryFolder } from './amelie.ts';
import { findOlderNode } from './older-node.ts';

const olderNode = findOlderNode();
const skip = olderNode === undefined ? 'no Node older than 26 in the PATH' : false;

test('in the repository an older Node starts the newer one of the platform package', { skip }, async () => {
  const outcome = await run({ command: olderNode!, args: [LAUNCHER] }, '--version');
  assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
  assert.match(outcome.stdout, /^amelie \d+\.\d+\.\d+\n$/);
});

test('signals and the exit code pass through', { skip }, async () => {
  const directory = join(temporaryFolder('launcher'), 'repository');
  const server = await startServer({ command: olderNode!, args: [LAUNCHER] }, directory);
  server.process.kill('SIGINT');
  assert.equal((await server.ended).code, 0);
});

test('without a platform package the message names the version that is needed', { skip }, async () => {
  const folder = temporaryFolder('alone');
  mkdirSync(join(folder, 'bin'));
  cpSync(LAUNCHER, join(folder, 'bin', 'amelie.js'));
  cpSync(new URL('../../package.json', import.meta.url), join(folder, 'package.json'));
  const outcome = await run({ command: olderNode!, args: [join(folder, 'bin', 'amelie.js')] }, '--version');
  assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
  assert.match(outcome.stderr, /^amelie needs Node\.js 26 or later; this is v\d+\.\d+\.\d+ .*\n$/);
});

test('every thread has the compile cache', async () => {
  const cache = temporaryFolder('cache');
  const { NODE_COMPILE_CACHE: _cache, NODE_DISABLE_COMPILE_CACHE: _disable, ...others } = process.env;
  const env = { ...others, XDG_CACHE_HOME: cache };
  const code = `
    import module from 'node:module';
    import { Worker } from 'node:worker_threads';
    process.argv.push('amelie', '--version');
    process.exit = () => {};
    await import(${JSON.stringify(LAUNCHER)});
    const source = "process.stdout.write(process.getBuiltinModule('node:module').getCompileCacheDir() ?? 'none')";
    new Worker(source, { eval: true });`;
  const outcome = await run({ ...REPOSITORY_PROGRAM, args: ['--input-type=module', '-e', code], env });
  assert.match(outcome.stdout, new RegExp(`\n${join(cache, 'amelie', 'compile')}/`), outcome.stderr);
  assert.ok(readFileSync(LAUNCHER, 'utf8').startsWith('#!/usr/bin/env node\n'));
});

test('no thread of a first start takes types off: V8 would check typed arrays for being detached from then on', async () => {
  const { NODE_COMPILE_CACHE: _cache, NODE_DISABLE_COMPILE_CACHE: _disable, ...others } = process.env;
  const detachments = async (env: NodeJS.ProcessEnv): Promise<number> => {
    const program = { ...REPOSITORY_PROGRAM, args: ['--trace-protector-invalidation', LAUNCHER], env };
    const server = await startServer(program, join(temporaryFolder('first'), 'repository'));
    server.process.kill('SIGINT');
    const { stdout } = await server.ended;
    return stdout.split('Invalidating protector cell ArrayBufferDetaching').length - 1;
  };
  assert.equal(await detachments({ ...others, XDG_CACHE_HOME: temporaryFolder('cache') }), 0);
  assert.ok((await detachments({ ...others, NODE_DISABLE_COMPILE_CACHE: '1' })) > 0, 'without a cache it is seen');
});
