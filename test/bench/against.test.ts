/** `npm run bench -- --against=<commit>`: its arguments, its checkout and its arithmetic; nothing is measured here. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readArguments } from '../../bench/arguments.ts';
import { checkOut, describeTree, fingerprintTree, installTree } from '../../bench/checkout.ts';
import { describePair, makePair, type Pair, readBenchRate, runOrder, summarizePairs } from '../../bench/pairs.ts';

const SECTIONS: readonly string[] = ['tpcb', 'sync'];

test('without --against it is a suite of all sections', () => {
  assert.deepEqual(readArguments([], SECTIONS), {
    kind: 'suite',
    names: SECTIONS,
    seconds: 10,
    roundCount: 3,
    isLarge: false,
    mebibytes: 2048,
    match: '',
    rowCount: 10_000_000,
  });
  const given = readArguments(
    ['--only=sync', '--seconds=2', '--rounds=1', '--large', '--match=LIKE', '--size=64', '--rows=7'],
    SECTIONS,
  );
  const expected = {
    kind: 'suite',
    names: ['sync'],
    seconds: 2,
    roundCount: 1,
    isLarge: true,
    mebibytes: 64,
    match: 'LIKE',
    rowCount: 7,
  };
  assert.deepEqual(given, expected);
});

test('--against takes a commit, and five pairs where nothing else is said', () => {
  const byDefault = { kind: 'against', commit: 'HEAD~1', pairCount: 5, seconds: 5 };
  assert.deepEqual(readArguments(['--against=HEAD~1'], SECTIONS), byDefault);
  const short = readArguments(['--against', 'main', '--pairs=2', '--seconds=3'], SECTIONS);
  assert.deepEqual(short, { kind: 'against', commit: 'main', pairCount: 2, seconds: 3 });
});

test('arguments that make no sense are refused by name', () => {
  const cases: readonly [args: readonly string[], message: RegExp][] = [
    [['--against='], /--against: expected a commit/],
    [['--against'], /--against/],
    [['--against=HEAD', '--rounds=2'], /--rounds goes with the sections/],
    [['--against=HEAD', '--only=tpcb'], /--only goes with the sections/],
    [['--pairs=2'], /--pairs goes with --against/],
    [['--against=HEAD', '--pairs=0'], /--pairs: expected a whole number from 1, not '0'/],
    [['--against=HEAD', '--seconds=1.5'], /--seconds: expected a whole number from 1, not '1.5'/],
    [['--only=tcpb'], /'tcpb' is none of tpcb, sync/],
    [['--agianst=HEAD'], /agianst/],
  ];
  for (const [args, message] of cases) assert.throws(() => readArguments(args, SECTIONS), message, args.join(' '));
});

test('the median of the ratios of pairs counts, not the ratio of the medians', () => {
  // The machine doubled its speed after two pairs; in each of them but the fourth we were 2 % behind.
  const pairs: readonly Pair[] = [
    { ours: 98, theirs: 100 },
    { ours: 196, theirs: 200 },
    { ours: 392, theirs: 400 },
    { ours: 150, theirs: 400 },
    { ours: 490, theirs: 500 },
  ];
  assert.deepEqual(summarizePairs(pairs), { ratioMedian: 0.98, ratioLowest: 0.375, ratioHighest: 0.98 });
  assert.equal(summarizePairs(pairs.slice(2, 4)).ratioMedian, (0.98 + 0.375) / 2);
  const line = describePair(1, 64, { ours: 69_776.4, theirs: 71_002 });
  assert.equal(line, 'pair 2, 64 clients: 69,776 against 71,002 tx/s, ratio 0.983');
});

test('a machine that gets slower steadily, or a first run that is slow, favours no side', () => {
  // Both sides are as fast; each run is 10 slower than the one before.
  const order = runOrder(0);
  assert.deepEqual(makePair(order, [100, 90, 80, 70]), { ours: 85, theirs: 85 });
  // Ours does twice as much.
  assert.deepEqual(makePair(order, [200, 90, 80, 180]), { ours: 190, theirs: 85 });
  assert.deepEqual(makePair(runOrder(1), [90, 200, 180, 80]), { ours: 190, theirs: 85 });
  assert.deepEqual(
    [0, 1, 2, 3].map((pairIndex) => runOrder(pairIndex)[0]),
    ['ours', 'theirs', 'ours', 'theirs'],
  );
});

test('the rate is read from the totals of amelie bench', () => {
  const output = [
    '   1 s  51,000 transactions/s  0.204 million writes/s',
    '',
    'transactions  1,546,701  in 3.00 s: 515,567 a second',
    'writes        6,186,804: 2.062 million a second',
  ].join('\n');
  assert.equal(readBenchRate(output), 515_567);
  assert.throws(() => readBenchRate('no server listens at x'), /printed no rate:\nno server listens at x/);
  assert.throws(() => readBenchRate('transactions  0  in 3.00 s: 0 a second'), /printed no rate/);
});

let directory = '';
let repository = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'amelie-against-test-'));
  repository = join(directory, 'repository');
  mkdirSync(join(repository, 'src'), { recursive: true });
  commitFile('first');
  commitFile('second');
});

after(() => rmSync(directory, { recursive: true, force: true }));

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], { cwd: repository, encoding: 'utf8' });
}

function commitFile(text: string): void {
  if (!existsSync(join(repository, '.git'))) git('init', '--quiet');
  writeFileSync(join(repository, 'src/program.ts'), text);
  git('add', '.');
  git('commit', '--quiet', '--message', `area: ${text}`);
}

const keepAsItIs = async (): Promise<void> => {};

test('a checkout has the files of the commit, and goes without a trace in the repository', async () => {
  const filesBefore = readdirSync(join(repository, '.git'), { recursive: true }).sort();
  const installed: string[] = [];
  const install = async (tree: string): Promise<void> => {
    installed.push(readFileSync(join(tree, 'src/program.ts'), 'utf8'));
  };
  const checkout = await checkOut({ root: repository, commit: 'HEAD~1', install });
  assert.deepEqual(installed, ['first']);
  assert.match(checkout.title, /^[0-9a-f]{7,} area: first$/);
  assert.equal(readFileSync(join(repository, 'src/program.ts'), 'utf8'), 'second');
  checkout.remove();
  assert.equal(existsSync(join(checkout.root, '..')), false);
  assert.deepEqual(readdirSync(join(repository, '.git'), { recursive: true }).sort(), filesBefore);
});

test('a failed install leaves nothing behind', async () => {
  let tree = '';
  const install = async (made: string): Promise<void> => {
    tree = made;
    throw new Error('no network');
  };
  await assert.rejects(checkOut({ root: repository, commit: 'HEAD', install }), /no network/);
  assert.equal(existsSync(join(tree, '..')), false);
});

test('what is no commit, no repository, or no git is said', async () => {
  for (const commit of ['nowhere', 'HEAD~7', '--all', 'HEAD:src']) {
    const attempt = checkOut({ root: repository, commit, install: keepAsItIs });
    await assert.rejects(attempt, { message: new RegExp(`'${commit}' names no commit of this repository`) });
  }
  // Below a repository is not good enough: the commit's files would be those of another program.
  for (const root of [directory, join(repository, 'src')]) {
    await assert.rejects(checkOut({ root, commit: 'HEAD', install: keepAsItIs }), /is no git repository/);
  }
  const environment = { ...process.env, PATH: join(directory, 'nothing') };
  const attempt = checkOut({ root: repository, commit: 'HEAD', install: keepAsItIs, environment });
  await assert.rejects(attempt, /needs git, and there is none in the PATH/);
});

test('a tree with uncommitted changes says how many, and an edit is noticed', async () => {
  assert.match(await describeTree(repository), /^[0-9a-f]{7,} area: second$/);
  const prints = [await fingerprintTree(repository)];
  writeFileSync(join(repository, 'notes.md'), 'nothing that runs');
  assert.equal(await fingerprintTree(repository), prints[0]);
  for (const text of ['third', 'fourth']) {
    writeFileSync(join(repository, 'src/program.ts'), text);
    prints.push(await fingerprintTree(repository));
  }
  assert.equal(new Set(prints).size, 3);
  writeFileSync(join(repository, 'src/more.ts'), '');
  assert.match(await describeTree(repository), /area: second, with uncommitted changes in 2 of its files/);
  git('checkout', '--quiet', '--', 'src');
  rmSync(join(repository, 'src/more.ts'));
});

test('where npm ci fails, node_modules of the same package-lock.json are linked, and of another one not', async () => {
  const [ours, tree] = [join(directory, 'ours'), join(directory, 'tree')];
  mkdirSync(join(ours, 'node_modules'), { recursive: true });
  mkdirSync(tree);
  const lines: string[] = [];
  // npm refuses a lock file that is none, at once and without a network.
  for (const folder of [ours, tree]) writeFileSync(join(folder, 'package-lock.json'), 'not a lock file');
  await installTree(tree, ours, (line) => lines.push(line));
  assert.equal(readlinkSync(join(tree, 'node_modules')), join(ours, 'node_modules'));
  assert.match(lines.join('\n'), /npm ci failed, so this tree's node_modules are used/);
  writeFileSync(join(tree, 'package-lock.json'), 'another one');
  await assert.rejects(
    installTree(tree, ours, () => {}),
    /the commit cannot be installed: npm ci/,
  );
});
