/** The manual says what is true: the SQL of its pages, run in the order of each page, gives the outputs printed there. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorsPage } from '../../scripts/errors-page.ts';
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

test('errors.md is up to date: npm run docs makes it', () => {
  assert.equal(readFileSync(pagePath('errors.md'), 'utf8'), errorsPage());
});

test('links of the documents lead to files and headings', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const documents = [
    ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'GLOSSARY.md'],
    ...['docs/manual', 'docs/internals', 'docs/decisions'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    ),
  ];
  const wrong: string[] = [];
  for (const document of documents) {
    for (const [, link] of withoutBlocks(join(root, document)).matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file, heading] = link!.split('#') as [string, string?];
      if (link!.includes('://')) continue;
      const target = file === '' ? join(root, document) : join(root, dirname(document), file);
      if (!existsSync(target)) wrong.push(`${document}: ${link}`);
      else if (heading !== undefined && !headingsOf(target).includes(heading)) wrong.push(`${document}: ${link}`);
    }
  }
  assert.deepEqual(wrong, []);
});

function withoutBlocks(path: string): string {
  return readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}

/** Headings as links name them. */
function headingsOf(path: string): string[] {
  return [...withoutBlocks(path).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
