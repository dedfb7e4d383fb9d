/**
 * The examples of a manual page: its fenced blocks, in the order of the page. Outputs are called jsonl where they are JSON,
 * because the formatter would change what is called json.
 *
 *   ```sql            requests, an empty line between two; the last one answers with the block that follows, else with
 *   ```jsonl          nothing; all before it answer with nothing
 *   ```sql refused    requests, one a line, that this version does not have
 *   ```sh ```text     a command, and what it prints, where the page is run against a server
 *   ```js ```text     a program, and what it prints
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Example = {
  /** Line of the page, from 1, for messages. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The block that follows with nothing but empty lines between, where it is an output. */
  readonly output: string | undefined;
};

const OUTPUTS: readonly string[] = ['jsonl', 'text'];

/** The path of a page of the manual. */
export function pagePath(name: string): string {
  return fileURLToPath(new URL(`../../docs/manual/${name}`, import.meta.url));
}

/** The examples of a page that are no outputs themselves. */
export function examplesOf(page: string): Example[] {
  const lines = readFileSync(pagePath(page), 'utf8').split('\n');
  const blocks: { line: number; end: number; language: string; text: string }[] = [];
  for (let index = 0; index < lines.length; index++) {
    const fence = /^```(\S.*)$/.exec(lines[index]!);
    if (fence === null) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`${page}:${index + 1}: the block has no end`);
    blocks.push({ line: index + 1, end, language: fence[1]!, text: lines.slice(index + 1, end).join('\n') });
    index = end;
  }
  return blocks.flatMap((block, index) => {
    if (OUTPUTS.includes(block.language)) return [];
    const next = blocks[index + 1];
    const isOutput =
      next !== undefined &&
      OUTPUTS.includes(next.language) &&
      lines.slice(block.end + 1, next.line - 1).every((line) => line === '');
    return [{ line: block.line, language: block.language, text: block.text, output: isOutput ? next.text : undefined }];
  });
}

/** The requests of a block of SQL. */
export function requestsOf(text: string): string[] {
  return text.split(/\n\n+/).filter((request) => request.trim() !== '');
}
