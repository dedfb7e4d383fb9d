import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { createRegisters } from '../../base/registers.ts';
import { Scratch } from '../../base/scratch.ts';
import type { AggregateSpec } from '../../program/program.ts';
import { jsonFromText } from '../../types/json.ts';
import { BIGINT, BOOL, DOUBLE, JSON_TYPE, TEXT, type TypeId } from '../../types/type.ts';
import { textOf } from './bytes.ts';
import { GroupSet } from './group-set.ts';
import { readInteger, writeInteger } from './integers.ts';
import { freeResults, ResultReader, ResultWriter } from './result.ts';

const memory = Memory.create({ limitBytes: 512 << 20, eagerArenas: false });
const registers = createRegisters(16);
const scratch = new Scratch(memory);

function spec(kind: AggregateSpec['kind'], argument: TypeId, isDistinct = false): AggregateSpec {
  return { kind, argument, isNullable: true, isDistinct };
}

function add(set: GroupSet, aggregate: number, value: bigint): void {
  writeInteger(registers.num, registers.big, 3, value);
  set.aggregates[aggregate]!.add(set.current, registers, 3);
}

function integerResult(set: GroupSet, aggregate: number): bigint | null {
  return set.aggregates[aggregate]!.result(set.current, registers, 0)
    ? null
    : readInteger(registers.num, registers.big, 0);
}

test('integer sums are exact whatever they pass on the way; only the total must fit', () => {
  const set = new GroupSet(
    { keys: [], aggregates: [spec('sum_int', BIGINT), spec('avg', BIGINT)] },
    memory,
    new Scratch(memory),
  );
  const run = (values: bigint[]): bigint | null => {
    set.open();
    for (const value of values) {
      add(set, 0, value);
      add(set, 1, value);
    }
    return integerResult(set, 0);
  };
  const MAX = 2n ** 63n - 1n;
  assert.equal(run([]), null);
  assert.equal(run([2n ** 53n, 1n]), 2n ** 53n + 1n);
  assert.equal(run([2n ** 53n - 1n, 1n, 1n, -1n]), 2n ** 53n);
  assert.equal(run([MAX, MAX, MAX, -MAX, -MAX]), MAX);
  assert.equal(run([-MAX - 1n, 5n]), -MAX + 4n);
  assert.equal(run(Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? MAX : -MAX + 1n))), 1500n);
  assert.throws(() => run([MAX, 1n]), { code: 'overflow' });
  assert.throws(() => run([-MAX, -2n]), { code: 'overflow' });
});

test('averages of integers beyond 64 bits', () => {
  const set = new GroupSet({ keys: [], aggregates: [spec('avg', BIGINT)] }, memory, new Scratch(memory));
  set.open();
  for (let i = 0; i < 4; i++) add(set, 0, 2n ** 62n);
  assert.equal(set.aggregates[0]!.result(0, registers, 0), 0);
  assert.equal(registers.num[0], 2 ** 62);
  set.open();
  assert.equal(set.aggregates[0]!.result(0, registers, 0), 1);
});

test('sums of doubles beyond their range are errors', () => {
  const set = new GroupSet(
    { keys: [], aggregates: [spec('sum_double', DOUBLE), spec('avg', DOUBLE)] },
    memory,
    new Scratch(memory),
  );
  set.open();
  registers.num[3] = 1.7e308;
  for (let i = 0; i < 2; i++) for (const aggregate of set.aggregates) aggregate.add(0, registers, 3);
  for (const aggregate of set.aggregates) assert.throws(() => aggregate.result(0, registers, 0), { code: 'overflow' });
});

test('keys of several types, NULL, 0 and -0, beyond 2^53, against a Map', () => {
  const set = new GroupSet(
    { keys: [BIGINT, DOUBLE, TEXT, BOOL, JSON_TYPE], aggregates: [spec('count', BIGINT)] },
    memory,
    new Scratch(memory),
  );
  set.open();
  const integers = [null, 0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, -(2n ** 63n), 2n ** 63n - 1n];
  const doubles = [null, 0, -0, 0.5, -1e300];
  const texts = [null, '', 'a', 'a\0', 'long text with more than sixteen bytes'];
  const bools = [null, 0, 1];
  const documents = [null, '{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}', '[1]'];
  const counts = new Map<string, number>();
  let seed = 7;
  const pick = <T>(values: readonly T[]): T => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return values[(seed >>> 8) % values.length]!;
  };
  for (let i = 0; i < 20_000; i++) {
    const key = [pick(integers), pick(doubles), pick(texts), pick(bools), pick(documents)] as const;
    key.forEach((value, k) => {
      registers.nul[k] = value === null ? 1 : 0;
    });
    if (key[0] !== null) writeInteger(registers.num, registers.big, 0, key[0]);
    if (key[1] !== null) registers.num[1] = key[1];
    if (key[2] !== null) registers.num[2] = scratch.text(new TextEncoder().encode(key[2]));
    if (key[3] !== null) registers.num[3] = key[3];
    if (key[4] !== null) registers.num[4] = scratch.text(jsonFromText(key[4]));
    set.find(registers, 0);
    set.aggregates[0]!.counts[set.current]! += 1;
    scratch.reset();
    const name = [
      String(key[0]),
      String(key[1] === null ? null : key[1] + 0),
      JSON.stringify(key[2]),
      key[3],
      key[4]?.startsWith('{') ? 'object' : key[4],
    ].join('|');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assert.equal(set.count, counts.size);
  const found = Array.from({ length: set.count }, (_, group) => set.aggregates[0]!.counts[group]!).sort();
  assert.deepEqual(found, [...counts.values()].sort());
  for (const register of [0, 1, 2, 3, 4]) registers.nul[register] = 0;
});

test('a million groups; memory goes back', () => {
  const workspace = new Scratch(memory);
  const set = new GroupSet({ keys: [BIGINT], aggregates: [spec('count', BIGINT)] }, memory, workspace);
  set.open();
  for (let round = 0; round < 2; round++) {
    for (let key = 0; key < 1_000_000; key++) {
      registers.num[0] = Math.imul(key, 2654435761);
      set.find(registers, 0);
      set.aggregates[0]!.counts[set.current]! += 1;
    }
  }
  assert.equal(set.count, 1_000_000);
  for (const group of [0, 77, 999_999]) assert.equal(set.aggregates[0]!.counts[group], 2);
  set.open();
  assert.equal(set.count, 0);
});

test('partial groups of two parts merge to what one set would have, over many pages', () => {
  const groupSpec = {
    keys: [TEXT],
    aggregates: [
      spec('count', BIGINT),
      spec('sum_int', BIGINT),
      spec('min', TEXT),
      spec('max', BIGINT),
      spec('avg', BIGINT),
      spec('count_value', BIGINT, true),
      spec('sum_int', BIGINT, true),
      spec('sum_double', DOUBLE),
      spec('min', BIGINT, true),
    ],
  };
  const make = (): GroupSet => new GroupSet(groupSpec, memory, new Scratch(memory));
  const parts = [make(), make()];
  const whole = make();
  for (const set of [...parts, whole]) set.open();
  for (let i = 0; i < 5000; i++) {
    const value = (i % 899) % 13 === 0 ? 2n ** 62n - BigInt(i % 3) : BigInt((i * 7919) % 100) - 50n;
    for (const set of [parts[i & 1]!, whole]) {
      registers.num[0] = scratch.text(
        new TextEncoder().encode(`group ${i % 899} ${'x'.repeat(i % 60 === 0 ? 300 : 3)}`),
      );
      registers.nul[0] = i % 899 === 5 ? 1 : 0;
      set.find(registers, 0);
      const { aggregates, current } = set;
      aggregates[0]!.counts[current]! += 1;
      if (i % 899 === 17) continue; // only NULLs
      for (const aggregate of [1, 3, 4, 5, 6, 8]) add(set, aggregate, value);
      registers.num[3] = scratch.text(new TextEncoder().encode(`value ${(i * 31) % 1000}`));
      aggregates[2]!.add(current, registers, 3);
      registers.num[3] = Number(value % 1024n) / 4;
      aggregates[7]!.add(current, registers, 3);
    }
    scratch.reset();
  }
  const merged = make();
  merged.open();
  const writer = new ResultWriter(memory);
  const reader = new ResultReader(memory);
  const page = memory.allocateZeroed(1);
  const used = memory.usedPages();
  for (const part of parts) {
    writer.begin(page >>> 16, (page & 0xffff) << 14, 960, 1 << 20);
    part.send(writer, 3);
    writer.finish();
    reader.open(page >>> 16, (page & 0xffff) << 14);
    merged.merge(reader, 3);
    freeResults(memory, page >>> 16, (page & 0xffff) << 14);
  }
  assert.equal(memory.usedPages() < used + 200, true);
  const show = (set: GroupSet): string[] => {
    const lines: string[] = [];
    for (set.current = 0; set.current < set.count; set.current++) {
      set.loadKey(0, registers, 0);
      const cells = [registers.nul[0] ? 'null' : textOf(memory, registers.num[0]!)];
      set.aggregates.forEach((aggregate, i) => {
        let cell: unknown;
        try {
          const isNull = aggregate.result(set.current, registers, 0);
          cell = isNull
            ? null
            : i === 2
              ? textOf(memory, registers.num[0]!)
              : i === 4 || i === 7
                ? registers.num[0]
                : readInteger(registers.num, registers.big, 0);
        } catch (error) {
          cell = (error as Error).message;
        }
        cells.push(String(cell));
      });
      lines.push(cells.join('|'));
    }
    return lines.sort();
  };
  assert.deepEqual(show(merged), show(whole));
  assert.ok(show(whole).some((line) => line.includes('overflow')) && show(whole).some((line) => line.includes('null')));
  registers.nul[0] = 0;
});
