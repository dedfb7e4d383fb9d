/**
 * Small stores with a known isolation, to check the checker by: clients run transactions over them whose steps interleave at
 * random. And the definition of strict serializability itself, tried out over all orders.
 */

import type { SeededRandom } from '../../src/testing/random.ts';
import { type History, type Operation, Recorder, type Transaction } from './history.ts';

export type Isolation = 'strict serializable' | 'snapshot' | 'read committed' | 'read uncommitted' | 'replica reads';

type Lists = Map<number, readonly number[]>;

type Running = {
  readonly client: number;
  readonly invokedAt: number;
  readonly planned: readonly { readonly isAppend: boolean; readonly key: number }[];
  readonly done: Operation[];
  readonly own: Map<number, number[]>;
  readonly snapshot: Lists;
  readonly isToFail: boolean;
};

const KEY_COUNT = 3;
const CLIENT_COUNT = 5;

/** A history of a store that keeps that isolation and no better. */
export function modelHistory(isolation: Isolation, random: SeededRandom, transactionCount: number): History {
  const recorder = new Recorder();
  const lists: Lists = new Map();
  const versions: Lists[] = [new Map()];
  const running: (Running | undefined)[] = Array.from({ length: CLIENT_COUNT }, () => undefined);
  let nextValue = 1;
  let leftCount = transactionCount;
  const begin = (client: number, keys: readonly number[]): Running => {
    const planned = keys.map((key) => ({ isAppend: keys.length < KEY_COUNT && random.oneIn(2), key }));
    // A replica may be some transactions behind.
    const lag = isolation === 'replica reads' && planned.every(({ isAppend }) => !isAppend) ? random.below(4) : 0;
    const snapshot = isolation === 'snapshot' ? new Map(lists) : versions[Math.max(0, versions.length - 1 - lag)]!;
    const isToFail = random.oneIn(6) && planned.some(({ isAppend }) => isAppend);
    return { client, invokedAt: recorder.invoke(), planned, done: [], own: new Map(), snapshot, isToFail };
  };
  const step = (run: Running): void => {
    const { isAppend, key } = run.planned[run.done.length]!;
    const own = run.own.get(key) ?? [];
    if (isAppend) {
      const value = nextValue++;
      run.own.set(key, [...own, value]);
      if (isolation === 'read uncommitted') lists.set(key, [...(lists.get(key) ?? []), value]);
      run.done.push({ kind: 'append', key, value });
    } else if (isolation === 'read uncommitted') run.done.push({ kind: 'read', key, list: lists.get(key) ?? [] });
    else {
      const source = isolation === 'snapshot' || isolation === 'replica reads' ? run.snapshot : lists;
      run.done.push({ kind: 'read', key, list: [...(source.get(key) ?? []), ...own] });
    }
  };
  const end = (run: Running): void => {
    // First committer wins: a snapshot is not enough for who appends to what has changed since.
    const isLate = [...run.own.keys()].some(
      (key) => (run.snapshot.get(key) ?? []).length !== (lists.get(key) ?? []).length,
    );
    if (run.isToFail || (isolation === 'snapshot' && isLate)) {
      const appends = run.done.filter(({ kind }) => kind === 'append');
      recorder.complete(run.client, run.invokedAt, appends, 'aborted');
      return;
    }
    if (isolation !== 'read uncommitted') {
      for (const [key, values] of run.own) lists.set(key, [...(lists.get(key) ?? []), ...values]);
    }
    versions.push(new Map(lists));
    recorder.complete(run.client, run.invokedAt, run.done, 'committed');
  };
  while (leftCount > 0 || running.some((run) => run !== undefined)) {
    const client = random.below(CLIENT_COUNT);
    const run = running[client];
    if (run === undefined) {
      if (leftCount-- > 0) {
        running[client] = begin(
          client,
          Array.from({ length: 1 + random.below(3) }, () => random.below(KEY_COUNT)),
        );
      }
    } else if (run.done.length === run.planned.length) {
      end(run);
      running[client] = undefined;
    } else if (isolation === 'strict serializable' || isolation === 'replica reads') {
      while (run.done.length < run.planned.length) step({ ...run });
      end(run);
      running[client] = undefined;
    } else step(run);
  }
  const last = { ...begin(0, []), done: [...lists].map(([key, list]) => ({ kind: 'read' as const, key, list })) };
  end({ ...last, isToFail: false });
  return recorder.history;
}

/** A few transactions with lists that may or may not have come about, for {@link isStrictSerializable}. */
export function arbitraryHistory(random: SeededRandom): History {
  const transactionCount = 2 + random.below(4);
  const moments = Array.from({ length: transactionCount * 2 }, (_, moment) => moment);
  let nextValue = 1;
  const lists: Lists = new Map();
  const planned = Array.from({ length: transactionCount }, (_, id): Transaction => {
    // Two moments that are left, most often near to each other.
    const invokedAt = moments.shift()!;
    const [completedAt] = moments.splice(random.below(Math.min(3, moments.length)), 1);
    const outcome = random.oneIn(6) ? 'unknown' : random.oneIn(8) ? 'aborted' : 'committed';
    const own: Lists = new Map();
    const operations = Array.from({ length: 1 + random.below(3) }, (): Operation => {
      const key = random.below(2);
      const current = own.get(key) ?? lists.get(key) ?? [];
      if (random.oneIn(2) || outcome !== 'committed') {
        own.set(key, [...current, nextValue]);
        return { kind: 'append', key, value: nextValue++ };
      }
      return { kind: 'read', key, list: current };
    });
    // Now and then its effects do not show, or only in part.
    if (outcome === 'committed' || (outcome === 'unknown' && random.oneIn(2))) {
      for (const [key, list] of own) if (!random.oneIn(8)) lists.set(key, list);
    }
    return {
      id,
      client: id,
      operations,
      outcome,
      invokedAt,
      completedAt: outcome === 'unknown' ? Number.POSITIVE_INFINITY : completedAt!,
    };
  });
  return planned.map((transaction) => ({
    ...transaction,
    operations: transaction.operations.map((operation) => {
      return operation.kind === 'read' && random.oneIn(10)
        ? { ...operation, list: operation.list.slice(0, -1) }
        : operation;
    }),
  }));
}

/** By definition: some order of the transactions, with any of the unknown ones, explains what was read, and keeps real time. */
export function isStrictSerializable(history: History): boolean {
  const committed = history.filter(({ outcome }) => outcome === 'committed');
  const unknown = history.filter(({ outcome }) => outcome === 'unknown');
  for (let chosen = 0; chosen < 2 ** unknown.length; chosen++) {
    const present = [...committed, ...unknown.filter((_, index) => (chosen & (1 << index)) !== 0)];
    if (hasOrder(present, new Map())) return true;
  }
  return false;
}

function hasOrder(left: readonly Transaction[], lists: Lists): boolean {
  if (left.length === 0) return true;
  return left.some((transaction) => {
    if (left.some(({ completedAt }) => completedAt < transaction.invokedAt)) return false;
    const after = new Map(lists);
    for (const operation of transaction.operations) {
      const list = after.get(operation.key) ?? [];
      if (operation.kind === 'append') after.set(operation.key, [...list, operation.value]);
      else if (operation.list.join() !== list.join()) return false;
    }
    const rest = left.filter((other) => other !== transaction);
    return hasOrder(rest, after);
  });
}
