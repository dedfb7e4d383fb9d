/**
 * Runs SQL test files. A file is a list of blocks with empty lines between them:
 *
 *     select a from t        the request, one or more lines
 *     ----
 *     [1, 2]                 the reply
 *
 * The reply is the JSON text of the result, exactly as the server sends it with format json-array; or `ok` where a request
 * has none; or `error: <code>` and, behind it, a part of the message. A line `?rowsort` before the request says that the
 * order of rows does not count. `{{1..9 (<#>, 'n<#%3>')}}` in a request stands for that list, with `<#>` as the number,
 * `<#*n>`, `<#/n>`, `<#%n>`, `<#+n>` computed from it. Lines that begin with `#` are comments; no request contains an empty line.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

export type Reply = { readonly status: number; readonly body: string };
export type Execute = (sql: string) => Promise<Reply>;

type Block = {
  readonly line: number;
  readonly sql: string;
  readonly expected: string;
  readonly isUnordered: boolean;
};

const CASES = join(import.meta.dirname, 'cases');

/** Paths of all test files. */
export function testFiles(): string[] {
  return readdirSync(CASES)
    .filter((name) => name.endsWith('.sqltest'))
    .sort()
    .map((name) => join(CASES, name));
}

/** Registers one test per file. Each gets a database in which its tables and schemas do not exist. */
export function runFiles(execute: Execute): void {
  for (const path of testFiles()) test(basename(path), () => runFile(path, execute));
}

/** Runs the blocks of a file in their order and throws one error with all that went wrong. Drops what the file has created. */
export async function runFile(path: string, execute: Execute): Promise<void> {
  const blocks = parseBlocks(readFileSync(path, 'utf8'));
  const wrong: string[] = [];
  for (const block of blocks) {
    const problem = checkReply(block, await execute(block.sql));
    if (problem !== undefined) {
      const shown = block.sql.length > 2000 ? `${block.sql.slice(0, 2000)}…` : block.sql;
      wrong.push(`${basename(path)}:${block.line}: ${shown}\n  ${problem}`);
    }
  }
  for (const statement of cleanup(blocks)) {
    const { body, status } = await execute(statement);
    if (status >= 300) wrong.push(`${basename(path)}: ${statement}\n  ${body}`);
  }
  assert.equal(wrong.length, 0, `${wrong.length} of ${blocks.length} requests:\n${wrong.join('\n')}`);
}

function parseBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; ) {
    if (lines[at]!.trim() === '' || lines[at]!.startsWith('#')) {
      at++;
      continue;
    }
    const line = at + 1;
    const isUnordered = lines[at] === '?rowsort';
    if (isUnordered) at++;
    const request: string[] = [];
    while (at < lines.length && lines[at] !== '----') request.push(lines[at++]!);
    assert.ok(at < lines.length, `line ${line}: a block without ----`);
    const reply: string[] = [];
    for (at++; at < lines.length && lines[at] !== ''; at++) reply.push(lines[at]!);
    blocks.push({ line, sql: expand(request.join('\n')), expected: reply.join('\n'), isUnordered });
  }
  return blocks;
}

/** Writes the lists out. */
function expand(sql: string): string {
  return sql.replace(/\{\{(\d+)\.\.(\d+) (.*?)\}\}(?!\})/gs, (_match, first: string, last: string, row: string) => {
    const rows: string[] = [];
    for (let number = Number(first); number <= Number(last); number++)
      rows.push(
        row.replace(/<#(?:([*/%+])(\d+))?>/g, (_part, operator?: string, operand?: string) => {
          const right = Number(operand);
          if (operator === '*') return String(number * right);
          if (operator === '/') return String(Math.floor(number / right));
          if (operator === '%') return String(number % right);
          return String(operator === '+' ? number + right : number);
        }),
      );
    return rows.join(', ');
  });
}

/** What is wrong with the reply, or undefined. */
function checkReply({ expected, isUnordered }: Block, { status, body }: Reply): string | undefined {
  const got = `got ${status} ${body}`;
  if (expected.startsWith('error: ')) {
    const [code, ...rest] = expected.slice('error: '.length).split(' ');
    if (status < 300) return `expected error ${code}, ${got}`;
    const { msg, code: actual } = JSON.parse(body) as { msg: string; code: string };
    return actual === code && msg.includes(rest.join(' ')) ? undefined : `expected ${expected}, ${got}`;
  }
  if (status >= 300) return `expected ${expected}, ${got}`;
  const wanted = expected === 'ok' ? '' : expected;
  const isSame = isUnordered ? sortedRows(body) === sortedRows(wanted) : body === wanted;
  return isSame ? undefined : `expected ${expected}\n  ${got}`;
}

/** The elements of a JSON array's text, each as it is written, in a fixed order. */
function sortedRows(text: string): string {
  const rows: string[] = [];
  let depth = 0;
  let isInText = false;
  let start = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (isInText) {
      if (character === '\\') at++;
      else if (character === '"') isInText = false;
    } else if (character === '"') isInText = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if ((character === ',' && depth === 1 && !isInText) || (depth === 0 && character === ']')) {
      rows.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return rows.sort().join('\n');
}

/** Drops the tables and schemas that the requests have created. */
function cleanup(blocks: readonly Block[]): string[] {
  const tables = new Set<string>();
  const schemas = new Set<string>();
  for (const { sql } of blocks) {
    const table =
      /^create\s+(?:unlogged\s+)?(?:shared\s+|distributed\s+)?table\s+(?:if\s+not\s+exists\s+)?([\w.]+)/i.exec(sql);
    if (table !== null && !table[1]!.includes('.')) tables.add(table[1]!);
    const schema = /^create\s+schema\s+(?:if\s+not\s+exists\s+)?(\w+)/i.exec(sql);
    if (schema !== null && schema[1] !== 'system' && schema[1] !== 'public') schemas.add(schema[1]!);
  }
  return [
    ...[...tables].map((name) => `drop table if exists ${name}`),
    ...[...schemas].map((name) => `drop schema if exists ${name} cascade`),
  ];
}
