/**
 * The order in which values were appended to each key, and what is wrong already without looking for cycles.
 *
 * The longest list that any committed transaction read of a key gives the order of its values; every other list must be a
 * beginning of it. What a transaction has appended itself before it reads is not part of the version it read from outside.
 * Appends that no list shows come behind all that are shown, for a list never loses a value; their own order is not known.
 */

import { type Append, appendersOf, type History, type Read, type Transaction } from './history.ts';

export type AnomalyName =
  | 'internal inconsistency'
  | 'duplicate append'
  | 'phantom append'
  | 'lost append'
  | 'incompatible order'
  | 'G1a'
  | 'G1b'
  | 'lost update'
  | 'stale read'
  | 'G0'
  | 'G1c'
  | 'G-single'
  | 'G2'
  | 'real-time G0'
  | 'real-time G1c'
  | 'real-time G-single'
  | 'real-time G2';

export type Anomaly = {
  readonly name: AnomalyName;
  readonly message: string;
  readonly transactions: readonly Transaction[];
};

/** A read from outside: what the key held before the transaction's own appends. */
export type OuterRead = { readonly reader: Transaction; readonly list: readonly number[] };

export type KeyVersions = {
  readonly key: number;
  /** Values that have a committed append, in the order of the appends, and who appended each. */
  readonly writers: readonly Transaction[];
  /** Committed appends that no read shows. */
  readonly unseen: readonly Transaction[];
  /** Reads, with how many of `writers` each has seen. */
  readonly reads: readonly { readonly reader: Transaction; readonly seenCount: number }[];
};

export type Versions = {
  /** Transactions that took place: committed ones, and unknown ones of which something was read. */
  readonly present: ReadonlySet<Transaction>;
  readonly keys: readonly KeyVersions[];
  readonly anomalies: readonly Anomaly[];
};

export function findVersions(history: History): Versions {
  const anomalies: Anomaly[] = [];
  const appenders = appendersOf(history);
  const readsByKey = outerReads(history, anomalies);
  const present = new Set(history.filter(({ outcome }) => outcome === 'committed'));
  for (const [key, reads] of readsByKey) {
    for (const { list } of reads) {
      for (const value of list) {
        const writer = appenders.get(key)?.get(value);
        if (writer?.outcome === 'unknown') present.add(writer);
      }
    }
  }
  const keys: KeyVersions[] = [];
  for (const key of new Set([...appenders.keys(), ...readsByKey.keys()])) {
    const byValue = appenders.get(key) ?? new Map<number, Transaction>();
    keys.push(keyVersions(key, byValue, readsByKey.get(key) ?? [], present, anomalies));
  }
  return { present, keys, anomalies };
}

/** Each committed transaction's reads from outside, one a key; what contradicts itself is reported and left out. */
function outerReads(history: History, anomalies: Anomaly[]): Map<number, OuterRead[]> {
  const byKey = new Map<number, OuterRead[]>();
  for (const reader of history) {
    if (reader.outcome !== 'committed') continue;
    const own = new Map<number, number[]>();
    const outer = new Map<number, readonly number[]>();
    for (const operation of reader.operations) {
      const appended = own.get(operation.key) ?? [];
      if (operation.kind === 'append') {
        own.set(operation.key, [...appended, operation.value]);
        continue;
      }
      const list = withoutOwn(operation, appended);
      const earlier = outer.get(operation.key);
      if (list === undefined || (earlier !== undefined && !isSame(list, earlier))) {
        const message = `t${reader.id} read ${operation.key} as [${operation.list.join(' ')}], against what it did or read before`;
        anomalies.push({ name: 'internal inconsistency', message, transactions: [reader] });
      } else outer.set(operation.key, list);
    }
    for (const [key, list] of outer) {
      const reads = byKey.get(key);
      if (reads === undefined) byKey.set(key, [{ reader, list }]);
      else reads.push({ reader, list });
    }
  }
  return byKey;
}

/** What is before the transaction's own appends; undefined where those are not the list's end. */
function withoutOwn({ list }: Read, appended: readonly number[]): readonly number[] | undefined {
  const outerLength = list.length - appended.length;
  if (outerLength < 0 || appended.some((value, index) => list[outerLength + index] !== value)) return undefined;
  return appended.length === 0 ? list : list.slice(0, outerLength);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && isBeginning(a, b);
}

function isBeginning(a: readonly number[], b: readonly number[]): boolean {
  return a.length <= b.length && a.every((value, index) => b[index] === value);
}

function keyVersions(
  key: number,
  byValue: ReadonlyMap<number, Transaction>,
  reads: readonly OuterRead[],
  present: ReadonlySet<Transaction>,
  anomalies: Anomaly[],
): KeyVersions {
  const report = (name: AnomalyName, message: string, ...transactions: Transaction[]): void => {
    anomalies.push({ name, message: `key ${key}: ${message}`, transactions });
  };
  const longest = longestList(key, reads, byValue, present);
  checkValues(longest, byValue, report);

  // Where each value stands among those with a writer; what a longer list counts, a shorter one counts too.
  const writers: Transaction[] = [];
  const seenCounts = [0];
  const seenValues = new Set<number>();
  for (const value of longest.list) {
    const writer = byValue.get(value);
    if (writer !== undefined && present.has(writer) && !seenValues.has(value)) writers.push(writer);
    seenValues.add(value);
    seenCounts.push(writers.length);
  }
  const kept: { reader: Transaction; seenCount: number }[] = [];
  for (const { reader, list } of reads) {
    if (!isBeginning(list, longest.list)) {
      // A list that is wrong in itself is reported for that.
      checkValues({ reader, list }, byValue, report);
      report('incompatible order', `t${reader.id} and t${longest.reader?.id} read different orders`, reader);
      continue;
    }
    const last = byValue.get(list.at(-1)!);
    if (last !== undefined && last !== reader && lastAppend(last, key) !== list.at(-1)) {
      report('G1b', `t${reader.id} read ${list.at(-1)}, and not what t${last.id} appended after it`, reader, last);
    }
    kept.push({ reader, seenCount: seenCounts[list.length]! });
  }
  const unseen = new Set<Transaction>();
  for (const [value, writer] of byValue) {
    if (!present.has(writer) || seenValues.has(value)) continue;
    const later = kept.find(({ reader }) => reader.invokedAt > writer.completedAt);
    if (later === undefined) unseen.add(writer);
    else report('lost append', `${value} of t${writer.id} is in no list, not in that of t${later.reader.id}`, writer);
  }
  const versions = { key, writers, unseen: [...unseen], reads: kept };
  checkReads(versions, report);
  return versions;
}

type LongestRead = { readonly reader: Transaction | undefined; readonly list: readonly number[] };

/**
 * The longest list of the key. Where only the appender read it, the end of the list is its own; without any read the key has
 * no order.
 */
function longestList(
  key: number,
  reads: readonly OuterRead[],
  byValue: ReadonlyMap<number, Transaction>,
  present: ReadonlySet<Transaction>,
): LongestRead {
  let longest: LongestRead = { reader: undefined, list: [] };
  for (const { reader, list } of reads) {
    if (list.length > longest.list.length) longest = { reader, list };
    for (const operation of reader.operations) {
      if (operation.kind !== 'read' || operation.key !== key || operation.list.length <= longest.list.length) continue;
      const isOwn = operation.list.slice(list.length).every((value) => byValue.get(value) === reader);
      if (isOwn && present.has(reader)) longest = { reader, list: operation.list };
    }
  }
  return longest;
}

type Report = (name: AnomalyName, message: string, ...transactions: Transaction[]) => void;

/** Values that should not be in a list at all. */
function checkValues({ reader, list }: LongestRead, byValue: ReadonlyMap<number, Transaction>, report: Report): void {
  const seen = new Set<number>();
  for (const value of list) {
    const writer = byValue.get(value);
    if (seen.has(value)) report('duplicate append', `${value} is twice in what t${reader!.id} read`, reader!);
    else if (writer === undefined)
      report('phantom append', `t${reader!.id} read ${value}, which nobody appended`, reader!);
    else if (writer.outcome === 'aborted')
      report('G1a', `t${reader!.id} read ${value} of t${writer.id}, aborted`, reader!, writer);
    seen.add(value);
  }
}

function lastAppend(transaction: Transaction, key: number): number | undefined {
  return transaction.operations.findLast((operation): operation is Append => {
    return operation.kind === 'append' && operation.key === key;
  })?.value;
}

/** Reads that miss what was there before they began, and pairs of which each overwrote what the other had not seen. */
function checkReads({ writers, unseen, reads }: KeyVersions, report: Report): void {
  // The append from each place on that was completed first.
  const firstCompleted: Transaction[] = [];
  for (let place = writers.length - 1; place >= 0; place--) {
    const later = firstCompleted[place + 1];
    const writer = writers[place]!;
    firstCompleted[place] = later !== undefined && later.completedAt < writer.completedAt ? later : writer;
  }
  const appending = new Set([...writers, ...unseen]);
  const updaters = new Map<number, Transaction>();
  for (const { reader, seenCount } of reads) {
    const missed = firstCompleted[seenCount];
    if (missed !== undefined && missed.completedAt < reader.invokedAt) {
      report(
        'stale read',
        `t${reader.id} did not read what t${missed.id} had appended before it began`,
        reader,
        missed,
      );
    }
    if (!appending.has(reader)) continue;
    const other = updaters.get(seenCount);
    if (other === undefined) updaters.set(seenCount, reader);
    else report('lost update', `t${other.id} and t${reader.id} read the same version and both appended`, other, reader);
  }
}
