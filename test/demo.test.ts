import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDemo } from '../scripts/demo.ts';

test('the demo: real files over HTTP, answers as in plain JavaScript, also after SIGKILL', async () => {
  const lines: string[] = [];
  const wrongCount = await runDemo({ rowCountMax: 2000, print: (line) => lines.push(line) });
  assert.equal(wrongCount, 0, lines.filter((line) => /WRONG|^ {2}[-+] /.test(line)).join('\n'));
});
