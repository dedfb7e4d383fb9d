/** The command line without a server: help, version, init, refusals. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { amelie, temporaryFolder } from './amelie.ts';

const root = temporaryFolder('command');

test('--version and --help', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const shown = await amelie('--version');
  assert.deepEqual([shown.code, shown.stdout, shown.stderr], [0, `amelie ${version}\n`, '']);
  const help = await amelie('--help');
  assert.equal(help.code, 0);
  for (const command of ['init', 'start', 'stop', 'bench']) assert.match(help.stdout, new RegExp(`amelie ${command} `));
  const startHelp = await amelie('start', '--help');
  assert.equal(startHelp.code, 0);
  for (const name of ['daemon', 'listen', 'wal_sync_on_write', 'backends'])
    assert.match(startHelp.stdout, new RegExp(name));
});

test('init makes a repository with its settings, once', async () => {
  const directory = join(root, 'new', 'repository');
  const made = await amelie(
    'init',
    directory,
    '--backends=3',
    '--json={"limit_send": 1000, "log_enable": false}',
    '--wal_sync_on_write',
  );
  assert.deepEqual([made.code, made.stderr], [0, '']);
  const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual(
    [config.backends, config.limit_send, config.log_enable, config.wal_sync_on_write],
    [3, 1000, false, true],
  );
  const again = await amelie('init', directory);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is a repository already/);
});

test('a wrong command line says what is wrong and exits 1', async () => {
  const empty = join(root, 'wrong');
  const table: readonly [readonly string[], RegExp][] = [
    [[], /not supported yet: amelie client/],
    [['./data'], /not supported yet: amelie client/],
    [['top'], /not supported yet: amelie top/],
    [['import', 'test', 'a.csv'], /not supported yet: amelie import/],
    [['backup', empty], /not supported yet: amelie backup/],
    [['login', 'x'], /not supported yet: amelie login/],
    [['bench', '--token=x'], /not supported yet: --token/],
    [['bench', '--type=tpch'], /--type.*tpcb.*tpch/],
    [['strat', empty], /no command strat/],
    [['init'], /which repository/],
    [['init', empty, 'more'], /more/],
    [['init', empty, '--color=red'], /--color/],
    [['init', empty, '--lsn=5'], /lsn.*read-only/],
    [['init', empty, '--backends=0'], /backends.*from 1/],
    [['start', empty, '--limit_recv=much'], /limit_recv.*"much"/],
    [['start', empty, '--limit_recv=much', '--daemon'], /limit_recv.*"much"/],
    [['stop', empty], /no repository/],
  ];
  for (const [args, message] of table) {
    const outcome = await amelie(...args);
    assert.deepEqual([outcome.code, outcome.stdout], [1, ''], args.join(' '));
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stderr.trim().split('\n').length, 1, 'one line, no stack');
  }
  assert.ok(!readdirSync(root).includes('wrong'), 'nothing was made');
});

test('stop without a server says so and exits 1', async () => {
  const directory = join(root, 'stopped');
  await amelie('init', directory);
  const outcome = await amelie('stop', directory);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /no server is running/);
});
