/** docs/manual/errors.md: every error of the catalogue, with a request that raises it where one statement can. */

import { ERROR_CATALOGUE, ERROR_CHAPTERS } from '../src/base/errors.ts';
import { ERROR_EXAMPLES, type ErrorExample, SETUP } from './error-examples.ts';

const INTRODUCTION = `# Errors

A request that fails changes nothing, and its answer is one JSON object:

- \`msg\` says what is wrong, and names the table, column, type, key or function concerned. Its words may change.
- \`code\` is one of the names below, which do not change: what a program should look at.
- \`position\`, where the text of the request is what is wrong, is a byte offset from 0 in it. Errors in the rows of an import
  name row, column and offset in \`msg\`.

Over HTTP the status is 400, but for those that [http-api.md](http-api.md#replies) lists; in the library the object is an
\`SqlError\`. Only \`out_of_memory\`, \`log_failure\`, \`commit_unknown\` and \`shutting_down\` are a reason to send the same request
again; conflicts between transactions never reach a client.

This page is made by \`npm run docs\` from the catalogue in the program, and a test runs its requests in the order of the page.
They work on this table:
`;

/** The whole page. */
export function errorsPage(): string {
  const chapters = ERROR_CHAPTERS.map((chapter) => {
    const errors = ERROR_CATALOGUE.filter(([, of]) => of === chapter);
    return [`## ${chapter}`, ...errors.map(([code, , meaning]) => entry(code, meaning, ERROR_EXAMPLES[code]))];
  });
  const list = ERROR_CHAPTERS.map((chapter) => {
    const codes = ERROR_CATALOGUE.filter(([, of]) => of === chapter).map(([code]) => `[\`${code}\`](#${code})`);
    return `- ${chapter}: ${codes.join(', ')}`;
  });
  const parts = [INTRODUCTION.trimEnd(), block('sql', SETUP.join('\n\n')), list.join('\n'), ...chapters.flat()];
  return `${parts.join('\n\n')}\n`;
}

function entry(code: string, meaning: string, example: ErrorExample | undefined): string {
  const parts = [`### ${code}`, meaning];
  if (example !== undefined) parts.push(block('sql', example.requests.join('\n\n')), block('jsonl', example.output));
  return parts.join('\n\n');
}

function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
