import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { Memory } from '../base/memory.ts';
import { compareUuids, equalUuids, parseUuid, UUID_BYTES, uuidPrefix, writeUuid } from './uuid.ts';

const encoder = new TextEncoder();
const memory = Memory.create({ limitBytes: 1 << 20, eagerArenas: false });
const page = memory.allocate(1);

function parse(text: string): Uint8Array {
  const bytes = encoder.encode(`..${text}..`);
  const target = new Uint8Array(UUID_BYTES + 2);
  parseUuid(bytes, 2, bytes.length - 2, target, 1);
  assert.deepEqual([target[0], target[UUID_BYTES + 1]], [0, 0]);
  return target.subarray(1, UUID_BYTES + 1);
}

function written(bytes: Uint8Array): string {
  const writer = new ByteWriter(4);
  writeUuid(writer, bytes, 0);
  return new TextDecoder().decode(writer.view());
}

/** Ref of a uuid in the arenas; `place` from 0. */
function place(text: string, ordinal: number): number {
  const ref = page * 1024 + ordinal;
  memory.u8[0]!.set(parse(text), ref * 16);
  return ref;
}

describe('uuid', () => {
  it('reads the forms of PostgreSQL', () => {
    const canonical = '550e8400-e29b-41d4-a716-446655440000';
    const forms = [
      canonical,
      canonical.toUpperCase(),
      `{${canonical}}`,
      canonical.replaceAll('-', ''),
      '550e8400e29b-41d4a716-446655440000',
      '550e-8400-e29b-41d4-a716-4466-5544-0000',
    ];
    for (const form of forms) {
      assert.deepEqual([...parse(form)], [...Buffer.from(canonical.replaceAll('-', ''), 'hex')], form);
      assert.equal(written(parse(form)), canonical);
    }
  });

  it('refuses everything else, naming it', () => {
    const wrong = [
      '',
      '{}',
      'x',
      '550e8400-e29b-41d4-a716-44665544000',
      '550e8400-e29b-41d4-a716-4466554400000',
      '550e8400-e29b-41d4-a716-44665544000g',
      '550e84-00e29b-41d4-a716-446655440000',
      '550e8400--e29b-41d4-a716-446655440000',
      '-550e8400-e29b-41d4-a716-446655440000',
      '550e8400-e29b-41d4-a716-446655440000-',
      '{550e8400-e29b-41d4-a716-446655440000',
      '550e8400-e29b-41d4-a716-446655440000}',
      ' 550e8400-e29b-41d4-a716-446655440000',
      '550e8400_e29b_41d4_a716_446655440000',
    ];
    for (const text of wrong)
      assert.throws(
        () => parse(text),
        (error) => error instanceof SqlError && error.message === `invalid uuid '${text}'`,
        text,
      );
  });

  it('reads back what it writes', () => {
    for (let round = 0; round < 200; round++) {
      const text = randomUUID();
      assert.equal(written(parse(text)), text);
    }
  });

  it('compares by bytes', () => {
    const texts = [
      '00000000-0000-0000-0000-000000000000',
      '00000000-0000-0000-0000-000000000001',
      '00000000-0000-0000-0000-000000000100',
      '00000000-0000-0000-8000-000000000000',
      '01000000-0000-0000-0000-000000000000',
      '7fffffff-ffff-ffff-ffff-ffffffffffff',
      '80000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ];
    const refs = texts.map(place);
    const again = texts.map((text, ordinal) => place(text, texts.length + ordinal));
    for (const [i, left] of refs.entries())
      for (const [j, right] of again.entries()) {
        assert.equal(Math.sign(compareUuids(memory, left, right)), Math.sign(i - j), `${texts[i]} ${texts[j]}`);
        assert.equal(equalUuids(memory, left, right), i === j);
        const prefixes = uuidPrefix(memory, left) - uuidPrefix(memory, right);
        assert.ok(prefixes === 0 || Math.sign(prefixes) === Math.sign(i - j));
      }
  });
});
