/**
 * Import layers: a folder of src/ imports only folders on lower lines of this list, and others of its own line as long as
 * those do not import it. The list is that of ARCHITECTURE.md, from the top.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importsOf, loadedWith, ROOT, sourceFiles } from './imports.ts';

const LAYERS: readonly (readonly string[])[] = [
  ['cli'],
  ['bench', 'embed', 'server'],
  ['client'],
  ['engine'],
  ['replication', 'log', 'executor'],
  ['vm'],
  ['storage', 'program'],
  ['planner'],
  ['sql'],
  ['catalog'],
  ['functions'],
  ['types'],
  ['base'],
];

/** What a folder may not import although it stands below: `from` to `to`. */
const FORBIDDEN: readonly (readonly [from: string, to: string, reason: string])[] = [
  ['storage', 'planner', 'storage never sees SQL'],
  ['storage', 'sql', 'storage never sees SQL'],
  ['vm', 'planner', 'the VM never sees SQL'],
  ['vm', 'sql', 'the VM never sees SQL'],
  ['log', 'planner', 'the log sees records, not plans'],
  ['log', 'sql', 'the log sees records, not plans'],
  ['replication', 'planner', 'replication sees records, not plans'],
  ['replication', 'sql', 'replication sees records, not plans'],
  ['bench', 'server', 'the benchmark is a client'],
  ['bench', 'engine', 'the benchmark is a client'],
];

/** Threads: what their entry file must not load, by the name of the file. */
const ROLES: readonly (readonly [entry: RegExp, forbidden: RegExp, reason: string])[] = [
  [/\/frontend-entry\.ts$/, /^src\/storage\//, 'a frontend imports no storage'],
  [/\/backend-entry\.ts$/, /^src\/(server|sql|planner)\//, 'a backend imports no server and no parser'],
];

const layerOf = (folder: string): number => LAYERS.findIndex((layer) => layer.includes(folder));
const folderOf = (file: string): string => file.split('/')[1] as string;
/** Simulated effects and checkers for tests: no part of the program. */
const isTestCode = (file: string): boolean => file.endsWith('.test.ts') || file.startsWith('src/testing/');

const files = sourceFiles('src');

test('every folder of src has its place in the layers', () => {
  const unknown = files.map(folderOf).filter((folder) => layerOf(folder) < 0 && folder !== 'testing');
  assert.deepEqual([...new Set(unknown)], []);
});

test('imports go down the layers only', () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => !isTestCode(name))) {
    for (const { to, isOurs } of importsOf(file)) {
      if (!isOurs) continue;
      const [from, target] = [folderOf(file), folderOf(to)];
      if (!to.startsWith('src/')) wrong.push(`${file} imports ${to}, outside of src`);
      else if (isTestCode(to)) wrong.push(`${file} imports ${to}, which is for tests`);
      else if (layerOf(target) < layerOf(from)) wrong.push(`${file} imports ${to}, from above`);
      const rule = FORBIDDEN.find(([above, below]) => above === from && below === target);
      if (rule !== undefined) wrong.push(`${file} imports ${to}: ${rule[2]}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('folders of one layer do not import each other in a circle', () => {
  const pairs = new Set<string>();
  for (const file of files.filter((name) => !isTestCode(name))) {
    for (const { to, isOurs } of importsOf(file)) if (isOurs) pairs.add(`${folderOf(file)} ${folderOf(to)}`);
  }
  const circles = [...pairs].filter((pair) => {
    const [from, to] = pair.split(' ') as [string, string];
    return from < to && pairs.has(`${to} ${from}`) && layerOf(from) === layerOf(to);
  });
  assert.deepEqual(circles, []);
});

test('imports name files that exist, with their extension', () => {
  const wrong = files
    .flatMap(importsOf)
    .filter(({ to, isOurs }) => isOurs && !(to.endsWith('.ts') && existsSync(join(ROOT, to))))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('a thread loads only what its role needs', () => {
  for (const [entryPattern, forbidden, reason] of ROLES) {
    const entries = files.filter((file) => entryPattern.test(`/${file}`));
    assert.ok(entries.length > 0, `there is no entry file ${entryPattern}`);
    for (const entry of entries) {
      const wrong = [...loadedWith(entry)].filter(([file]) => forbidden.test(file));
      assert.deepEqual(
        wrong.map(([, chain]) => chain.join(' → ')),
        [],
        reason,
      );
    }
  }
});

test('the program has no dependencies: only Node itself is imported', () => {
  const foreign = files
    .filter((file) => !isTestCode(file))
    .flatMap(importsOf)
    .filter(({ to, isOurs }) => !isOurs && !to.startsWith('node:'))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(foreign, []);
});
