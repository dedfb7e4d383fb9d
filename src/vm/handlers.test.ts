/** Every opcode has one handler, whose case is its number and whose comment is its name: the cases are literals for V8. */

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPCODES } from '../program/opcodes.ts';

const FILES = [
  'core/interpreter.ts',
  'core/numbers.ts',
  'core/text-and-json.ts',
  'core/time.ts',
  'core/uuids-and-vectors.ts',
  'core/groups-and-results.ts',
  'core/json-path.ts',
  'node/cursors.ts',
  'node/writes.ts',
  'coordinator/coordination.ts',
];

/** Numbers and names of the cases of the switches over opcodes, which stand in front of `unknownOpcode`. */
function cases(file: string): { number: number; name: string }[] {
  const source = readFileSync(new URL(file, import.meta.url), 'utf8');
  const body = source.slice(source.indexOf('switch (op'), source.lastIndexOf('throw unknownOpcode'));
  return [...body.matchAll(/case (\d+): ?\{?\s*\/\/ (\w+)/g)].map(([, number, name]) => ({
    number: Number(number),
    name: name!,
  }));
}

test('the cases of the interpreter are those of the opcode table', () => {
  const handled = FILES.flatMap(cases).sort((a, b) => a.number - b.number);
  assert.deepEqual(
    handled,
    OPCODES.map(({ number, name }) => ({ number, name })),
  );
});
