import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from './memory.ts';
import { Scratch } from './scratch.ts';

const ENCODER = new TextEncoder();

function readText(memory: Memory, ref: number): string {
  const start = (ref & 0x3ffffff) << 4;
  const length = memory.i32[ref >>> 26]![start >>> 2]!;
  return Buffer.from(memory.u8[ref >>> 26]!.slice(start + 4, start + 4 + length)).toString();
}

test('texts of any length stay until their mark is released', () => {
  const memory = Memory.create({ limitBytes: 1 << 28, eagerArenas: false });
  const scratch = new Scratch(memory);
  const texts = ['', 'a', 'eleven byte', 'x'.repeat(16_379), 'y'.repeat(16_380), 'z'.repeat(5_000_000), 'é\0ü'];
  const empty = scratch.mark();
  for (let round = 0; round < 3; round++) {
    const refs = texts.map((text) => scratch.text(ENCODER.encode(text)));
    const mark = scratch.mark();
    const more = texts.map((text) => scratch.text(ENCODER.encode(`more ${text}`)));
    assert.deepEqual(
      more.map((ref) => readText(memory, ref)),
      texts.map((text) => `more ${text}`),
    );
    scratch.release(mark);
    assert.deepEqual(
      refs.map((ref) => readText(memory, ref)),
      texts,
    );
    const again = scratch.text(ENCODER.encode('again'));
    assert.equal(readText(memory, again), 'again');
    assert.deepEqual(
      refs.map((ref) => readText(memory, ref)),
      texts,
    );
    if (round === 0) scratch.release(empty);
    else scratch.reset();
  }
  scratch.dispose();
  assert.equal(memory.usedPages(), 0);
});

test('a part of a buffer is stored as given', () => {
  const memory = Memory.create({ limitBytes: 1 << 24, eagerArenas: false });
  const scratch = new Scratch(memory);
  const bytes = ENCODER.encode('0123456789'.repeat(20));
  assert.equal(readText(memory, scratch.text(bytes, 3, 7)), '3456');
  assert.equal(readText(memory, scratch.text(bytes, 5, 155)).length, 150);
  assert.equal(scratch.allocate(1) % 1, 0);
});
