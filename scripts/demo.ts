/**
 * `npm run demo`: starts a server, imports real files over HTTP, asks questions in SQL, and checks every answer against
 * plain JavaScript. Then it kills the server the hard way, starts it again, and asks once more.
 *
 *   npm run demo -- --short      at most 2,000 rows of each file
 *
 * It exits with 1 and shows what differs when an answer is wrong.
 */

import { parseArgs } from 'node:util';
import { ServerProcess } from '../bench/server-process.ts';
import { HttpClient } from '../src/bench/http-client.ts';
import { type DemoTable, readDemoData } from './demo-data.ts';
import { QUESTIONS, type Question } from './demo-questions.ts';

const SHORT_ROW_COUNT = 2000;
/** Sums of doubles differ in their last digits by the order of the rows. */
const RELATIVE_ERROR = 1e-9;

export type DemoOptions = {
  /** Rows of each file, at most. */
  readonly rowCountMax: number;
  readonly print: (line: string) => void;
};

/** Runs the demo; the number of answers that are wrong. A server that refuses something is an Error. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { print } = options;
  const { tables, rows } = readDemoData(options.rowCountMax);
  const expected = QUESTIONS.map((question) => question.answer(rows));
  // Dates in the files carry no zone: whatever the machine's is, they are read and shown as UTC.
  const server = await ServerProcess.start(['--timezone_default=UTC']);
  let wrongCount = 0;
  try {
    const client = new HttpClient(server.tcp);
    for (const table of tables) await importTable(client, table, print);
    for (const [index, question] of QUESTIONS.entries()) {
      if (!(await ask(client, question, expected[index]!, print))) wrongCount++;
    }
    client.close();

    print('\nNow the server is killed (SIGKILL) and started again.');
    await server.stop('SIGKILL');
    const startMs = performance.now();
    await server.restart();
    print(`It serves again after ${milliseconds(startMs)}; the same questions:`);
    const again = new HttpClient(server.tcp);
    let sameCount = 0;
    for (const [index, question] of QUESTIONS.entries()) {
      const answer = JSON.parse(await again.sql(question.sql)) as unknown;
      if (isSame(answer, expected[index])) sameCount++;
      else printDifference(question, answer, expected[index]!, print);
    }
    again.close();
    wrongCount += QUESTIONS.length - sameCount;
    print(`${sameCount} of ${QUESTIONS.length} answers are the same.`);
  } finally {
    await server.remove();
  }
  return wrongCount;
}

async function importTable(client: HttpClient, table: DemoTable, print: (line: string) => void): Promise<void> {
  await client.sql(`create table ${table.name} (${table.definition})`);
  const startMs = performance.now();
  let rowCount = 0;
  for (const batch of table.batches) {
    await client.post(table.path, table.contentType, batch.body);
    rowCount += batch.rowCount;
  }
  const count = rowCount.toLocaleString('en-US').padStart(7);
  print(`${count} rows of ${table.file} in ${table.batches.length} batches, ${milliseconds(startMs)}`);
}

/** Asks, prints and checks one question; whether the answer is right. */
async function ask(
  client: HttpClient,
  question: Question,
  expected: readonly unknown[],
  print: (line: string) => void,
): Promise<boolean> {
  print(`\n${question.text}`);
  for (const line of question.sql.split('\n')) print(`    ${line.trimStart()}`);
  const startMs = performance.now();
  const content = await client.sql(question.sql);
  const time = milliseconds(startMs);
  const answer = JSON.parse(content) as unknown[];
  for (const row of answer) print(`  ${JSON.stringify(row)}`);
  if (!isSame(answer, expected)) {
    printDifference(question, answer, expected, print);
    return false;
  }
  print(`  (${answer.length} ${answer.length === 1 ? 'row' : 'rows'}, ${time}, the same in JavaScript)`);
  return true;
}

function printDifference(
  question: Question,
  answer: unknown,
  expected: readonly unknown[],
  print: (line: string) => void,
): void {
  print(`  WRONG: ${question.text}`);
  const answers = Array.isArray(answer) ? (answer as unknown[]) : [answer];
  for (let row = 0; row < Math.max(answers.length, expected.length); row++) {
    if (isSame(answers[row], expected[row])) continue;
    print(`  - expected ${JSON.stringify(expected[row])}`);
    print(`  + got      ${JSON.stringify(answers[row])}`);
  }
}

/** Equal values of JSON; numbers may differ by what the order of additions does to doubles. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isInteger(a) && Number.isInteger(b)) return a === b;
    return Math.abs(a - b) <= RELATIVE_ERROR * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => isSame(element, b[index]));
  }
  return a === b;
}

function milliseconds(startMs: number): string {
  return `${(performance.now() - startMs).toFixed(1)} ms`;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { short: { type: 'boolean', default: false } } });
  const rowCountMax = values.short ? SHORT_ROW_COUNT : Number.MAX_SAFE_INTEGER;
  try {
    const wrongCount = await runDemo({ rowCountMax, print: (line) => console.log(line) });
    if (wrongCount > 0) process.exitCode = 1;
  } catch (error) {
    console.error(`the demo failed: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
