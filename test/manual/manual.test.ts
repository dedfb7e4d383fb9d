/** The manual says what is true: the SQL of its pages, run in the order of each page, gives the outputs printed there. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/base/errors.ts';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { type Example, examplesOf, pagePath, requestsOf } from './examples.ts';

async function runBlock(database: AmelieDatabase, place: string, { text, output }: Example): Promise<void> {
  const requests = requestsOf(text);
  for (const [index, request] of requests.entries()) {
    const { status, body } = await database.execute(request);
    const expected = index === requests.length - 1 ? (output ?? '') : '';
    assert.equal(body, expected, `${place}: status ${status} of\n${request}`);
  }
}

async function runRefused(database: AmelieDatabase, place: string, text: string): Promise<void> {
  for (const request of text.split('\n')) {
    const { body } = await database.execute(request);
    assert.match(body, /^\{"msg": "not supported yet: .*"code": "not_supported"/, `${place}: ${request}`);
  }
}

for (const page of readdirSync(pagePath('')).filter((name) => name.endsWith('.md'))) {
  const examples = examplesOf(page).filter(({ language }) => language === 'sql' || language === 'sql refused');
  if (examples.length === 0) continue;
  test(page, async () => {
    const database = await open({ timezone: 'UTC', backends: 2 });
    try {
      for (const example of examples) {
        const place = `${page}:${example.line}`;
        if (example.language === 'sql') await runBlock(database, place, example);
        else await runRefused(database, place, example.text);
      }
    } finally {
      await database.close();
    }
  });
}

test('http-api.md lists every error code', () => {
  const text = readFileSync(pagePath('http-api.md'), 'utf8');
  assert.deepEqual(
    ERROR_CODES.filter((code) => !text.includes(`\`${code}\``)),
    [],
  );
});
