/** Inserts and upserts of many rows against a model: every form of key, one to eight nodes, with failures in between. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileDatabase } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

type Form = {
  readonly columns: string;
  readonly key: string;
  readonly text: (key: number) => string;
  readonly more?: string;
};
const uuid = (key: number): string => `'00000000-0000-4000-8000-${String(key).padStart(12, '0')}'`;
const FORMS: readonly Form[] = [
  { columns: 'k1 int', key: 'k1', text: (key) => String(key * 7 - 300) },
  { columns: 'k1 bigint', key: 'k1', text: (key) => String(BigInt(key - 400) * 1_700_000_000_000_000n) },
  { columns: 'k1 smallint', key: 'k1', text: (key) => String(key - 400) },
  { columns: 'k1 text', key: 'k1', text: (key) => `'key ${'y'.repeat(key % 20)}${key}'` },
  { columns: 'k1 uuid', key: 'k1', text: uuid },
  { columns: 'k1 timestamp', key: 'k1', text: (key) => `'2031-02-03 04:05:06.${String(key).padStart(6, '0')}'` },
  { columns: 'k1 int, k2 text', key: 'k1, k2', text: (key) => `${key % 10}, 'b${key}'` },
  { columns: 'k1 text, k2 bigint, k3 uuid', key: 'k3, k1, k2', text: (key) => `'a', ${key}, ${uuid(key % 5)}` },
];

for (const form of FORMS) {
  for (const nodeCount of [1, 3, 8]) {
    for (const [create, kind] of [
      ['table', 'hash'],
      ['table', 'tree'],
      ['shared table', 'hash'],
      ['unlogged table', 'hash'],
    ] as const) {
      if (kind === 'tree' && nodeCount === 1) continue;
      test(`${create} ${form.columns}, ${kind}, ${nodeCount} backends`, async () => {
        const random = new SeededRandom(nodeCount * 1000 + form.columns.length);
        const db = new FileDatabase(new SimulatedFiles(), {}, nodeCount);
        const filler = Array.from(
          { length: 7 },
          (_, n) => `c${n} ${['int', 'bigint', 'double', 'text', 'float', 'smallint', 'date'][n]}`,
        ).join(', ');
        await db.run(
          `create ${create} t (${form.columns}, n int not null, v bigint, ${filler}, primary key (${form.key})) with (type = '${kind}')`,
        );
        const names = `${form.columns
          .split(', ')
          .map((c) => c.split(' ')[0])
          .join(', ')}, n, v`;
        const model = new Map<number, [number, number | null]>();
        for (let round = 0; round < 6; round++) {
          const rowCount = [3, 16, 700, 1500, 3200][random.below(5)]!;
          const rows: string[] = [];
          const clear = random.oneIn(3);
          for (let row = 0; row < rowCount; row++) {
            const key = random.below(round < 3 ? 2000 : 400);
            const value = random.oneIn(4) ? null : random.below(1000);
            rows.push(`(${form.text(key)}, 1, ${value})`);
            const before = model.get(key);
            if (before === undefined) model.set(key, [1, value]);
            else model.set(key, [before[0] + 1, clear ? null : value]);
          }
          await db.run(
            `insert into t (${names}) values ${rows.join(', ')} on conflict do update set n = n + excluded.n, v = ${clear ? 'null' : 'excluded.v'}`,
          );
          if (random.oneIn(2)) {
            const clash = [...model.keys()][0]!;
            const fresh = Array.from({ length: 40 }, (_, n) => `(${form.text(5000 + n)}, 1, 0)`);
            await db.fails(
              `update t set v = 12345, n = n + 7; insert into t (${names}) values ${fresh.join(', ')}, (${form.text(clash)}, 1, 0)`,
              'key_conflict',
            );
          }
        }
        const sum = [...model.values()].reduce((total, [n]) => total + n, 0);
        const values = [...model.values()].reduce((total, [, v]) => total + (v ?? 0), 0);
        const nulls = [...model.values()].filter(([, v]) => v === null).length;
        const expected = `[[${model.size}, ${sum}, ${values}, ${model.size - nulls}]]`;
        assert.equal(await db.run('select count(*), sum(n), sum(v), count(v) from t'), expected);
        db.verify();
        if (create !== 'unlogged table') {
          const again = db.restarted();
          assert.equal(await again.run('select count(*), sum(n), sum(v), count(v) from t'), expected);
          again.verify();
        }
      });
    }
  }
}
