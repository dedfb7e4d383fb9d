/** A node's way over batches: exactly its rows, and of those read ahead the stored row with their key. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { OwnPartitions } from '../../engine/node/node-storage.ts';
import { freeBatch, linkBatch } from '../../program/batch.ts';
import { BatchBuilder } from '../../program/batch-builder.ts';
import { FileDatabase } from '../../testing/file-database.ts';
import { SimulatedFiles } from '../../testing/simulated-files.ts';
import { BatchCursor } from './batch-cursor.ts';

const NODE_COUNT = 3;
const STORED = 700;
const encoder = new TextEncoder();

/** Sets the key cells of a row from its number, in the order of the columns. */
type Form = { readonly keys: string; readonly texts: (key: number) => readonly string[] };
const FORMS: readonly Form[] = [
  { keys: 'k int', texts: (key) => [String(key - 350)] },
  { keys: 'k bigint', texts: (key) => [String(BigInt(key - 350) * 5_000_000_001n)] },
  { keys: 'k date', texts: (key) => [new Date(key * 86_400_000).toISOString().slice(0, 10)] },
  { keys: 'k text', texts: (key) => [`key ${key}`] },
  { keys: 'k uuid', texts: (key) => [`00000000-0000-4000-8000-${String(key).padStart(12, '0')}`] },
  { keys: 'k text, l int', texts: (key) => [`key ${key % 7}`, String(key)] },
];

for (const { keys, texts } of FORMS)
  for (const columnCount of [1, 12])
    for (const method of ['hash', 'tree'])
      test(`key ${keys}, ${method}, ${columnCount} more columns`, async () => {
        const db = new FileDatabase(new SimulatedFiles(), {}, NODE_COUNT);
        const names = keys.split(', ').map((column) => column.split(' ')[0]!);
        const types = keys.split(', ').map((column) => column.split(' ')[1]!);
        const more = Array.from({ length: columnCount }, (_, at) => `c${at} int`).join(', ');
        await db.run(`create table t (${keys}, ${more}, primary key (${names.join(', ')})) with (type = '${method}')`);
        const literal = (key: number): string =>
          texts(key)
            .map((value, at) => (types[at] === 'int' || types[at] === 'bigint' ? value : `'${value}'`))
            .join(', ');
        const list = Array.from({ length: STORED }, (_, key) => `(${literal(key)})`).join(', ');
        await db.run(`insert into t (${names.join(', ')}) values ${list}`);
        const { memory, publisher } = db.engine.database;
        const table = publisher.catalog.tables.find(({ name }) => name === 't')! as TableDefinition;
        const builder = new BatchBuilder(memory);
        const build = (rows: readonly number[]): number => {
          builder.begin(table, []);
          for (const key of rows) {
            builder.beginRow();
            texts(key).forEach((value, at) => {
              if (types[at] === 'int' || types[at] === 'bigint') builder.setInt(at, Number(value), BigInt(value));
              else {
                const bytes = encoder.encode(value);
                builder.setTextBytes(at, bytes, 0, bytes.length);
              }
            });
            builder.endRow();
          }
          builder.route();
          return builder.finish();
        };
        const storages = Array.from({ length: NODE_COUNT }, (_, node) => {
          const storage = new OwnPartitions(memory, node);
          storage.load(publisher.catalog);
          return storage;
        });
        // Stored ones, new ones, twice the same, and more than are read ahead.
        const rows = Array.from({ length: 9000 }, (_, at) => (at * 31) % 900);
        const ref = build(rows);
        const met: number[] = [];
        for (const storage of storages) {
          const cursor = new BatchCursor(memory);
          cursor.open(ref, storage);
          cursor.readAhead();
          let place = 0;
          let before = -1;
          for (; cursor.next(); place++) {
            assert.ok(cursor.row > before);
            before = cursor.row;
            assert.equal(cursor.partition.definition.node, storage.node);
            met.push(cursor.row);
            const index = cursor.partition.indexes[0]!;
            index.key.loadBatch(cursor.reader, cursor.partition);
            const found = index.find();
            assert.equal(found >= 0, rows[cursor.row]! < STORED);
            assert.equal(cursor.knownRow(), method === 'hash' && place < 1024 ? found : -1, `row ${cursor.row}`);
          }
          assert.ok(place > 1024);
          assert.equal(cursor.next(), false);
        }
        assert.deepEqual(
          met.sort((a, b) => a - b),
          rows.map((_, at) => at),
        );
        // Three batches of one round, one of them without a row of some nodes, one of another round behind.
        const batches = [rows.slice(0, 2500), [5], rows.slice(100, 130)].map(build);
        const other = build([1, 2, 3]);
        linkBatch(memory, other, 0, 0);
        linkBatch(memory, batches[2]!, 1, other);
        linkBatch(memory, batches[1]!, 1, batches[2]!);
        linkBatch(memory, batches[0]!, 1, batches[1]!);
        let count = 0;
        for (const storage of storages) {
          const cursor = new BatchCursor(memory);
          // Something of another batch that was read ahead says nothing of these.
          cursor.open(ref, storage);
          cursor.readAhead();
          if (!cursor.openMoved(batches[0]!, 1, storage)) continue;
          do {
            count++;
            assert.equal(cursor.partition.definition.node, storage.node);
            assert.equal(cursor.knownRow(), -1);
          } while (cursor.next());
        }
        assert.equal(count, 2500 + 1 + 30);
        for (const each of [ref, other, ...batches]) freeBatch(memory, each);
      });
