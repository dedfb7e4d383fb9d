/** House rules that a machine can check. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, sourceFiles, sourceOf } from './imports.ts';

const files = ['src', 'test', 'bench', 'scripts']
  .filter((folder) => existsSync(join(ROOT, folder)))
  .flatMap(sourceFiles);
const LINES_MAX = 1200;

/** `file:line: text` of every line that matches; `isException` sees the line and the one above. */
function findLines(pattern: RegExp, isException: (line: string, above: string) => boolean = () => false): string[] {
  const found: string[] = [];
  for (const file of files) {
    if (file === 'test/tidy/rules.test.ts') continue;
    const lines = sourceOf(file).split('\n');
    for (const [index, line] of lines.entries()) {
      if (pattern.test(line) && !isException(line, lines[index - 1] ?? ''))
        found.push(`${file}:${index + 1}: ${line.trim()}`);
    }
  }
  return found;
}

test('any stands only where a comment says why', () => {
  const hasComment = (line: string, above: string): boolean => /\/\/|\*/.test(line) || /^\s*(\/\/|\*|\/\*)/.test(above);
  assert.deepEqual(findLines(/[:<|]\s*any\b(?!['"`\w])|,\s*any\s*>|\bas any\b/, hasComment), []);
});

test('nothing is left for later', () => {
  assert.deepEqual(findLines(/\b(TODO|FIXME|XXX|HACK)\b/), []);
});

test('every test runs, and no other one alone', () => {
  assert.deepEqual(findLines(/\b(test|it|describe|suite)\.(only|todo)\b|\b(only|todo): true/), []);
});

test('compiler checks are not switched off', () => {
  assert.deepEqual(findLines(/@ts-(ignore|nocheck)/), []);
});

test('no dispatch over named constants: V8 compares them one after the other', () => {
  // In the interpreter's files a case is a numeric literal with a comment.
  const cases = findLines(/^\s*case [A-Z][A-Z0-9_]+:/).filter((line) => line.startsWith('src/vm/'));
  assert.deepEqual(cases, []);
});

test('files stay readable in one sitting', () => {
  const long = files
    .map((file) => [file, sourceOf(file).split('\n').length] as const)
    .filter(([, count]) => count > LINES_MAX);
  assert.deepEqual(long, []);
});

test('README and CI run the same commands, and they exist', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const ci = readFileSync(join(ROOT, '.ci/run'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.match(readme, /npm ci && npm start/);
  assert.match(readme, /npm ci && npm test/);
  assert.match(ci, /^npm ci && npm test$/m);
  for (const [, name] of `${readme}\n${ci}`.matchAll(/\bnpm run ([\w:-]+)/g))
    assert.ok(scripts[name!], `npm run ${name}`);
});

test('links between the documents lead somewhere', () => {
  const wrong: string[] = [];
  for (const document of ['README.md', 'CONTRIBUTING.md', 'GLOSSARY.md', 'ARCHITECTURE.md']) {
    for (const [, target] of readFileSync(join(ROOT, document), 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (!target!.includes('://') && !existsSync(join(ROOT, target!))) wrong.push(`${document}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the program carries no path of the machine that it was written on', () => {
  const names = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const wrong: string[] = [];
  for (const name of names.split('\n')) {
    if (name === '' || name === 'test/tidy/rules.test.ts' || !existsSync(join(ROOT, name))) continue;
    const text = readFileSync(join(ROOT, name), 'latin1');
    const match = /(?<![\w.:/-])\/(?:work|root|home\/\w+)\/[\w.]+|\/tmp\/brief|https?:\/\/registry\./.exec(text);
    if (match !== null) wrong.push(`${name}: ${match[0]}`);
  }
  assert.deepEqual(wrong, []);
});
