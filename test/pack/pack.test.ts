/**
 * The package as a user gets it: packed, installed into an empty folder, its command and its library used.
 *
 * The repository is copied first, so that packing (which changes package.json for a moment) disturbs no other test.
 */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Outcome, type Program, query, run, startServer, temporaryFolder } from '../cli/amelie.ts';
import { findOlderNode, pathOutsideOfPackages } from '../cli/older-node.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKED = [
  'package.json',
  'README.md',
  'LICENSE',
  'tsconfig.json',
  'tsconfig.build.json',
  'bin',
  'lib',
  'scripts',
  'src',
];

const root = temporaryFolder('pack');
const repository = join(root, 'repository');
const folder = join(root, 'user');

/** The user's machine: nothing of this repository in the PATH, and npm's variables of this run gone. */
function userEnvironment(firstFolder?: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE|INIT_CWD|AMELIE)/.test(name));
  const path = pathOutsideOfPackages();
  return {
    ...Object.fromEntries(inherited),
    PATH: firstFolder === undefined ? path : `${firstFolder}${delimiter}${path}`,
  };
}

/** A command in the user's folder, under this Node. */
function inFolder(command: string, ...args: string[]): Program {
  return { command: 'env', args: ['-C', folder, command, ...args], env: userEnvironment(dirname(process.execPath)) };
}

async function succeed(program: Program): Promise<Outcome> {
  const outcome = await run(program);
  assert.equal(outcome.code, 0, `${program.args.join(' ')}\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

/** `node --version` as a script of the user's package sees it. */
async function scriptNodeVersion(): Promise<string> {
  const program = {
    command: 'env',
    args: ['-C', folder, 'npm', 'run', '--silent', 'which-node'],
    env: userEnvironment(),
  };
  return (await succeed(program)).stdout.trim();
}

let nodeVersionBefore = '';

before(async () => {
  mkdirSync(repository);
  for (const name of PACKED) cpSync(join(ROOT, name), join(repository, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  const packed = await succeed({ command: 'env', args: ['-C', repository, 'npm', 'pack', '--json'], env: process.env });
  assert.ok(packed.stdout.includes('.tgz'));
  const [archive] = readdirSync(repository).filter((name) => name.endsWith('.tgz'));
  assert.ok(archive !== undefined);

  mkdirSync(folder);
  const manifest = {
    name: 'user',
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: { 'which-node': 'node --version' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  nodeVersionBefore = await scriptNodeVersion();
  await succeed(inFolder('npm', 'install', '--offline', join(repository, archive)));
});

test('the package has what it needs, and nothing of the repository', () => {
  const installed = join(folder, 'node_modules', 'amelie');
  assert.deepEqual(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'bin', 'dist', 'lib', 'package.json']);
  const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    files.filter((name) => name.includes('.test.') || (name.endsWith('.ts') && !name.endsWith('.d.ts'))),
    [],
  );
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual(
    [manifest.optionalDependencies, manifest.dependencies, manifest.engines],
    [undefined, undefined, { node: '>=26' }],
  );
  const own = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Record<string, unknown>;
  assert.ok(own.optionalDependencies !== undefined, 'and the repository has its manifest back');
});

test('the node of the user’s own scripts is the one it was', async () => {
  assert.equal(await scriptNodeVersion(), nodeVersionBefore);
  assert.deepEqual(readdirSync(join(folder, 'node_modules', '.bin')), ['amelie']);
});

test('the installed command makes, starts, serves, and stops a repository', async () => {
  const directory = join(folder, 'data');
  const command = join('node_modules', '.bin', 'amelie');
  await succeed(inFolder(command, 'init', directory, '--backends=2'));
  // Several frontends too: every kind of thread starts from the built files.
  const server = await startServer(inFolder(command), directory, '--frontends=2');
  assert.equal((await query(server.url, 'create table t (id serial primary key, v int)')).status, 204);
  assert.equal((await query(server.url, 'insert into t (v) values (10), (20), (30)')).status, 204);
  assert.equal((await query(server.url, 'select sum(v) from t')).body, '[60]');
  await succeed(inFolder(command, 'stop', directory));
  assert.equal((await server.ended).code, 0);
});

test('the installed library opens a database, in memory and in a folder', async () => {
  const use = `
    const db = await open(process.argv[2] ? { directory: process.argv[2] } : {});
    await db.query('create table if not exists t (id int primary key, v text)');
    if (process.argv[3]) await db.query('insert into t values (1, $1)', [process.argv[3]]);
    console.log(JSON.stringify(await db.query('select v from t')));
    await db.close();`;
  writeFileSync(join(folder, 'use.js'), `import { open } from 'amelie';${use}`);
  writeFileSync(join(folder, 'use.cjs'), `const { open } = require('amelie');(async () => {${use}})()`);
  const inMemory = await succeed(inFolder('node', 'use.js', '', 'gone'));
  assert.match(inMemory.stdout, /gone/);
  await succeed(inFolder('node', 'use.js', './library-data', 'kept'));
  const again = await succeed(inFolder('node', 'use.cjs', './library-data'));
  assert.match(again.stdout, /kept/);
});

test('the types of the library are found', async () => {
  writeFileSync(
    join(folder, 'types.ts'),
    `import { open } from 'amelie';
    const db = await open({});
    const rows = await db.query('select 1', []);
    const closed: Promise<void> = db.close();
    // @ts-expect-error a text is no set of options
    await open('data');
    export { closed, rows };`,
  );
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'esnext',
    '--types',
    '',
  ];
  await succeed(inFolder(join(ROOT, 'node_modules', '.bin', 'tsc'), ...options, 'types.ts'));
});

const olderNode = findOlderNode();
const skip = olderNode === undefined ? 'no Node older than 26 in the PATH' : false;

test('an older Node is told which one is needed, by the command and by the library', { skip }, async () => {
  const env = userEnvironment(dirname(olderNode!));
  writeFileSync(join(folder, 'older.mjs'), `import { open } from 'amelie';\nawait open({});`);
  writeFileSync(join(folder, 'older.cjs'), `require('amelie');`);
  for (const args of [
    [join('node_modules', '.bin', 'amelie'), '--version'],
    ['node', 'older.mjs'],
    ['node', 'older.cjs'],
  ]) {
    const outcome = await run({ command: 'env', args: ['-C', folder, ...args], env });
    assert.deepEqual([outcome.code, outcome.stdout], [1, ''], args.join(' '));
    assert.match(outcome.stderr, /amelie needs Node\.js 26 or later; this is v\d+/, args.join(' '));
  }
});
