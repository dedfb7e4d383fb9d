import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { checkHistory, describeAnomalies } from './checker.ts';
import { describeTransaction, type History, type Operation, type Outcome, type Transaction } from './history.ts';
import { arbitraryHistory, type Isolation, isStrictSerializable, modelHistory } from './models.ts';
import type { AnomalyName } from './versions.ts';

/** `0-3 a:x1 r:y12 !`: from moment 0 to 3, appends 1 to x, reads [1, 2] of y; `!` aborted, `?` unknown. */
function historyOf(...lines: string[]): History {
  return lines.map((line, id): Transaction => {
    const [interval, ...words] = line.split(' ');
    const [invokedAt, completedAt] = interval!.split('-').map(Number) as [number, number];
    const mark = words.at(-1);
    const outcome: Outcome = mark === '!' ? 'aborted' : mark === '?' ? 'unknown' : 'committed';
    const operations = words
      .filter((word) => word.length > 1)
      .map((word): Operation => {
        const key = word.charCodeAt(2) - 'x'.charCodeAt(0);
        const values = [...word.slice(3)].map(Number);
        return word[0] === 'a' ? { kind: 'append', key, value: values[0]! } : { kind: 'read', key, list: values };
      });
    const end = outcome === 'unknown' ? Number.POSITIVE_INFINITY : completedAt;
    return { id, client: id, operations, outcome, invokedAt, completedAt: end };
  });
}

function checkNames(history: History, ...expected: AnomalyName[]): void {
  const anomalies = checkHistory(history);
  assert.deepEqual(
    anomalies.map(({ name }) => name),
    expected,
    `${describeAnomalies(anomalies)}\nof\n${history.map(describeTransaction).join('\n')}`,
  );
  assert.equal(isStrictSerializable(history), expected.length === 0, 'tried out over all orders');
}

test('histories that one order explains are accepted', () => {
  checkNames([]);
  checkNames(historyOf('0-1 r:x r:y', '2-3 a:x1', '4-5 r:x1 a:y2', '6-7 r:x1 r:y2'));
  // Both under way at the same time: the later one may be first.
  checkNames(historyOf('0-9 a:x1 r:y', '1-8 a:y2', '2-3 r:x1 r:y', '10-11 r:x1 r:y2'));
  checkNames(historyOf('0-5 r:x', '1-2 a:x1', '3-4 r:x1'));
  // Reads its own appends, before anyone else sees them.
  checkNames(historyOf('0-1 a:x1', '2-7 r:x1 a:x2 r:x12 a:x3 r:x123', '3-4 r:x1', '8-9 r:x123'));
  // An aborted one is not there; an unknown one may be, and may be late, or not.
  checkNames(historyOf('0-1 a:x1 a:y1 !', '2-3 r:x r:y'));
  checkNames(historyOf('0-1 a:x1 a:y1 ?', '2-3 r:x r:y', '4-5 r:x1 r:y1'));
  checkNames(historyOf('0-1 a:x1 a:y1 ?', '2-3 r:x r:y', '4-5 a:x2', '6-7 r:x2'));
  // What no read shows may be in any order.
  checkNames(historyOf('0-5 a:x1 a:y1', '1-4 a:x2 a:y2', '2-3 r:x r:y'));
});

test('each anomaly is found, and named', () => {
  // The two appended in different orders.
  checkNames(historyOf('0-9 a:x1 a:y1', '1-8 a:x2 a:y2', '10-11 r:x12 r:y21'), 'G0');
  checkNames(historyOf('0-1 a:x1 !', '2-3 r:x1'), 'G1a');
  checkNames(historyOf('0-1 a:x1 !', '2-3 a:x2', '4-5 r:x12', '6-7 r:x12'), 'G1a');
  checkNames(historyOf('0-5 a:x1 a:x2', '1-4 r:x1', '6-7 r:x12'), 'G1b');
  // Each read what the other appended.
  checkNames(historyOf('0-5 a:x1 r:y2', '1-4 a:y2 r:x1'), 'G1c');
  // Read x before the other one and y after it.
  checkNames(historyOf('0-9 a:x1 a:y1', '1-8 r:x r:y1', '10-11 r:x1 r:y1'), 'G-single');
  // Write skew: each read what the other then changed.
  checkNames(historyOf('0-9 r:x a:y1', '1-8 r:y a:x2', '10-11 r:x2 r:y1'), 'G2');
  checkNames(historyOf('0-9 r:x a:y1', '1-8 r:y a:x2'), 'G2');
  // Two readers that saw two independent appends in different orders.
  checkNames(historyOf('0-9 a:x1', '1-9 a:y1', '2-8 r:x1 r:y', '3-8 r:x r:y1'), 'G2');
  checkNames(historyOf('0-9 r:x a:x1', '1-8 r:x a:x2', '10-11 r:x12'), 'lost update');
  checkNames(historyOf('0-1 a:x1', '2-3 r:x1', '4-5 r:x', '6-7 r:x1'), 'stale read');
  checkNames(historyOf('0-1 a:x1', '2-3 a:x2', '4-5 r:x21'), 'real-time G0');
  // Read what was invoked only after it.
  checkNames(historyOf('0-1 r:x1', '2-3 a:x1', '4-5 r:x1'), 'real-time G1c');
  // Serial order and real time disagree over two keys: no single read is stale.
  checkNames(historyOf('0-9 a:x1 r:y', '1-2 r:x1', '3-4 a:y1', '5-6 r:y1', '10-11 r:x1 r:y1'));
  checkNames(historyOf('0-3 r:x', '1-2 a:x1 a:z1', '4-5 r:z', '6-7 r:z1 r:x1'), 'stale read');
  checkNames(historyOf('0-20 a:x1', '1-2 r:x1', '3-4 r:x', '21-22 r:x1'), 'real-time G-single');
  checkNames(historyOf('0-9 a:x1', '0-9 a:y1', '1-2 r:x1', '3-4 r:y1 r:x1', '5-6 r:y r:x1'), 'real-time G-single');
});

test('wrong lists are found, and named', () => {
  checkNames(historyOf('0-1 a:x1', '2-3 a:x2', '4-5 r:x2'), 'lost append');
  checkNames(historyOf('0-1 a:x1', '2-3 r:x11'), 'duplicate append');
  checkNames(historyOf('0-1 a:x1', '2-3 r:x19'), 'phantom append');
  checkNames(historyOf('0-1 a:x1', '0-1 a:x2', '2-3 r:x12', '2-3 r:x21'), 'incompatible order');
  checkNames(historyOf('0-1 a:x1 r:x'), 'internal inconsistency');
  checkNames(historyOf('0-9 r:x r:x1', '1-8 a:x1'), 'internal inconsistency');
  // A crash in the middle: of a transaction without answer a part is there.
  checkNames(historyOf('0-1 a:x1 a:y1 ?', '2-3 r:x1 r:y'), 'G-single');
});

test('the message has the cycle, and the transactions', () => {
  const anomalies = checkHistory(historyOf('0-9 a:x1', '0-9 a:y1', '1-2 r:x1', '3-4 r:y1 r:x1', '5-6 r:y r:x1'));
  assert.match(describeAnomalies(anomalies), /t4 -rw 1-> t1 -wr 1-> t3 -rt-> t4/);
  assert.match(describeAnomalies(anomalies), /t3 \(client 3, committed, from 3 to 4\): read 1 \[1\], read 0 \[1\]/);
});

test('the verdict is that of the definition, tried out over all orders of small histories', () => {
  let acceptedCount = 0;
  const historyCount = 20_000;
  for (let seed = 1; seed <= historyCount; seed++) {
    const history = arbitraryHistory(new SeededRandom(seed));
    const anomalies = checkHistory(history);
    const text = `seed ${seed}: ${describeAnomalies(anomalies)}\nof\n${history.map(describeTransaction).join('\n')}`;
    assert.equal(anomalies.length === 0, isStrictSerializable(history), text);
    if (anomalies.length === 0) acceptedCount++;
  }
  assert.ok(acceptedCount > historyCount / 10 && acceptedCount < (historyCount * 9) / 10, `${acceptedCount} accepted`);
});

test('stores of weaker isolation are found out, each by what it allows', () => {
  const namesOf = (isolation: Isolation): Set<AnomalyName> => {
    const names = new Set<AnomalyName>();
    for (let seed = 1; seed <= 100; seed++) {
      for (const { name } of checkHistory(modelHistory(isolation, new SeededRandom(seed), 100))) names.add(name);
    }
    return names;
  };
  assert.deepEqual([...namesOf('strict serializable')], []);
  assert.deepEqual([...namesOf('snapshot')].sort(), ['G2', 'real-time G2']);
  const committed = namesOf('read committed');
  for (const name of ['lost update', 'G-single', 'G2'] as const) assert.ok(committed.has(name), name);
  for (const name of ['G0', 'G1a', 'G1b', 'G1c'] as const) assert.ok(!committed.has(name), name);
  const uncommitted = namesOf('read uncommitted');
  for (const name of ['G0', 'G1a', 'G1b'] as const) assert.ok(uncommitted.has(name), name);
  const replica = namesOf('replica reads');
  assert.ok(replica.has('stale read'));
  for (const name of ['G0', 'G1a', 'G1b', 'lost append'] as const) assert.ok(!replica.has(name), name);
});

test('a history longer than the call stack is deep is checked', () => {
  const history: Transaction[] = [];
  for (let id = 0; id < 30_000; id++) {
    const key = Math.floor(id / 20);
    const list = Array.from({ length: id % 20 }, (_, index) => index);
    const operations: Operation[] = [
      { kind: 'read', key, list },
      { kind: 'append', key, value: id % 20 },
    ];
    history.push({ id, client: 0, operations, outcome: 'committed', invokedAt: id * 2, completedAt: id * 2 + 1 });
  }
  assert.deepEqual(checkHistory(history), []);
  // One cycle through all of them: the first has read what the last appended.
  history[0] = { ...history[0]!, operations: [...history[0]!.operations, { kind: 'read', key: -1, list: [0] }] };
  const last = history.at(-1)!;
  history[last.id] = { ...last, operations: [...last.operations, { kind: 'append', key: -1, value: 0 }] };
  assert.deepEqual(
    checkHistory(history).map(({ name }) => name),
    ['real-time G1c'],
  );
});
