/** The commands and programs of the manual print what the manual says: curl against a real server, and the library. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { amelie, REPOSITORY_PROGRAM, startServer, temporaryFolder } from '../cli/amelie.ts';
import { examplesOf } from './examples.ts';

const run = promisify(execFile);
const LIBRARY = new URL('../../src/embed/index.ts', import.meta.url).href;
/** Where the pages say that the server listens. */
const PAGE_ADDRESS = 'http://localhost:3485';

const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

for (const page of ['getting-started.md', 'http-api.md']) {
  test(`commands of ${page}`, hasCurl ? {} : { skip: 'curl is not installed' }, async () => {
    const folder = temporaryFolder('manual');
    const server = await startServer(REPOSITORY_PROGRAM, join(folder, 'data'), '--timezone=UTC', '--backends=2');
    for (const { line, language, text, output } of examplesOf(page)) {
      if (language !== 'sh' || output === undefined) continue;
      const command = text.replaceAll(PAGE_ADDRESS, server.url.replace(/\/$/, ''));
      const { stdout } = await run('bash', ['-euc', command], { cwd: folder });
      assert.equal(stdout.trimEnd(), output, `${page}:${line}`);
    }
    await amelie('stop', join(folder, 'data'));
    await server.ended;
  });
}

test('programs of library.md', async () => {
  const folder = temporaryFolder('manual');
  mkdirSync(join(folder, 'programs'));
  for (const { line, language, text, output } of examplesOf('library.md')) {
    if (language !== 'js' || output === undefined) continue;
    const path = join(folder, 'programs', `line-${line}.mjs`);
    writeFileSync(path, text.replaceAll("from 'amelie'", `from ${JSON.stringify(LIBRARY)}`));
    const { stdout } = await run(process.execPath, [path], { cwd: folder });
    assert.equal(stdout.trimEnd(), output, `library.md:${line}`);
  }
});
