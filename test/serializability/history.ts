/**
 * What clients saw: transactions that append values to lists and read whole lists, with the moments between which each ran.
 * A value is appended to a key at most once in a history, so a list tells which appends it holds, and in which order.
 */

import assert from 'node:assert/strict';

export type Append = { readonly kind: 'append'; readonly key: number; readonly value: number };
export type Read = { readonly kind: 'read'; readonly key: number; readonly list: readonly number[] };
export type Operation = Append | Read;

/** `unknown`: the server was gone before it answered. */
export type Outcome = 'committed' | 'aborted' | 'unknown';

export type Transaction = {
  /** Its place in the history. */
  readonly id: number;
  readonly client: number;
  /** In the order of the request; reads only where it was committed. */
  readonly operations: readonly Operation[];
  readonly outcome: Outcome;
  /** Moments of one clock: it ran after the first and, unless unknown, before the second. */
  readonly invokedAt: number;
  readonly completedAt: number;
};

export type History = readonly Transaction[];

/** Takes down a history in the process of the clients; its clock counts events. */
export class Recorder {
  #eventCount = 0;
  readonly #transactions: Transaction[] = [];

  get history(): History {
    return this.#transactions;
  }

  /** The moment before a request is sent. */
  invoke(): number {
    return this.#eventCount++;
  }

  /** The moment after its answer has come, or after it is clear that none will. */
  complete(client: number, invokedAt: number, operations: readonly Operation[], outcome: Outcome): void {
    const completedAt = outcome === 'unknown' ? Number.POSITIVE_INFINITY : this.#eventCount++;
    const id = this.#transactions.length;
    this.#transactions.push({ id, client, operations, outcome, invokedAt, completedAt });
  }
}

/** `append 7 to 2, read 3 [1 4]`; of long lists the end. */
export function describeTransaction({ id, client, operations, outcome, invokedAt, completedAt }: Transaction): string {
  const parts = operations.map((operation) => {
    if (operation.kind === 'append') return `append ${operation.value} to ${operation.key}`;
    const { key, list } = operation;
    return `read ${key} [${list.length > 8 ? `${list.length - 8} more, ` : ''}${list.slice(-8).join(' ')}]`;
  });
  return `t${id} (client ${client}, ${outcome}, from ${invokedAt} to ${completedAt}): ${parts.join(', ')}`;
}

/** The transaction of each append, by key, then by value. */
export function appendersOf(history: History): ReadonlyMap<number, ReadonlyMap<number, Transaction>> {
  const byKey = new Map<number, Map<number, Transaction>>();
  for (const [index, transaction] of history.entries()) {
    assert.equal(transaction.id, index, 'transactions are numbered');
    for (const operation of transaction.operations) {
      if (operation.kind !== 'append') continue;
      const { key, value } = operation;
      let byValue = byKey.get(key);
      if (byValue === undefined) byKey.set(key, (byValue = new Map()));
      assert.ok(!byValue.has(value), `the history appends ${value} to ${key} twice`);
      byValue.set(value, transaction);
    }
  }
  return byKey;
}
