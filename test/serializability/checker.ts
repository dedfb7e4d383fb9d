/**
 * Strict serializability of a history of appends and reads, after Elle (Kingsbury and Alvaro, 2020).
 *
 * Nodes are the transactions that took place. Edges say that one was before another in any order that explains the history:
 *
 *   ww  appended to a key right before the other           rw  read the version that the other appended to
 *   wr  appended what the other read last                  rt  was completed before the other was invoked
 *
 * The history is strictly serializable if nothing is wrong in the lists themselves (`versions.ts`) and there is no cycle. A
 * cycle is named after Adya by the edges it needs:
 *
 *   G0 ww  ·  G1c ww, wr  ·  G-single ww, wr and one rw  ·  G2 several rw  ·  "real-time" before the name: rt too
 *
 * Real time is a chain of moments: a completed transaction has an edge to the next moment, and one that is invoked has an edge
 * from the last moment. So the edges are as many as the transactions, not as their pairs.
 */

import { type Edge, Graph, READ_WRITE, REAL_TIME, WRITE_READ, WRITE_WRITE } from './graph.ts';
import { describeTransaction, type History, type Transaction } from './history.ts';
import { type Anomaly, type AnomalyName, findVersions, type KeyVersions } from './versions.ts';

/** So many nodes are visited to find a cycle of a component that shows well what is wrong: a short one, of few rw edges. */
const VISITS_MAX = 2_000_000;

const LEVELS: readonly [mask: number, single: AnomalyName, several: AnomalyName][] = [
  [WRITE_WRITE, 'G0', 'G0'],
  [WRITE_WRITE | WRITE_READ, 'G1c', 'G1c'],
  [WRITE_WRITE | WRITE_READ | READ_WRITE, 'G-single', 'G2'],
  [WRITE_WRITE | REAL_TIME, 'real-time G0', 'real-time G0'],
  [WRITE_WRITE | WRITE_READ | REAL_TIME, 'real-time G1c', 'real-time G1c'],
  [WRITE_WRITE | WRITE_READ | READ_WRITE | REAL_TIME, 'real-time G-single', 'real-time G2'],
];

/**
 * Everything that shows that the history is not strictly serializable; empty where it is. Of the cycles of a component, one
 * is reported, and none where another anomaly has named transactions of it already.
 */
export function checkHistory(history: History): readonly Anomaly[] {
  const { present, keys, anomalies } = findVersions(history);
  const found: Anomaly[] = [...anomalies];
  const graph = new Graph();
  for (let id = 0; id < history.length; id++) graph.addNode();
  for (const versions of keys) addDependencies(graph, versions);
  addRealTime(graph, [...present]);
  for (const [mask, single, several] of LEVELS) {
    for (const component of graph.components(mask)) {
      const members = new Set(component);
      if (found.some(({ transactions }) => transactions.every(({ id }) => members.has(id)))) continue;
      const { cycle, isSingle } = findCycle(graph, members, mask);
      found.push(describeCycle(history, isSingle ? single : several, cycle));
    }
  }
  return found;
}

/** The anomalies as text, with the transactions concerned; at most some of them. */
export function describeAnomalies(anomalies: readonly Anomaly[]): string {
  const shown = anomalies.slice(0, 10).map(({ name, message, transactions }) => {
    return [`${name}: ${message}`, ...transactions.map((transaction) => `  ${describeTransaction(transaction)}`)].join(
      '\n',
    );
  });
  return [`${anomalies.length} anomalies`, ...shown].join('\n');
}

function addDependencies(graph: Graph, { key, writers, unseen, reads }: KeyVersions): void {
  for (let place = 1; place < writers.length; place++) {
    graph.addEdge(writers[place - 1]!.id, writers[place]!.id, WRITE_WRITE, key);
  }
  const last = writers.at(-1);
  if (last !== undefined) for (const writer of unseen) graph.addEdge(last.id, writer.id, WRITE_WRITE, key);
  for (const { reader, seenCount } of reads) {
    if (seenCount > 0) graph.addEdge(writers[seenCount - 1]!.id, reader.id, WRITE_READ, key);
    const overwriters = seenCount < writers.length ? [writers[seenCount]!] : unseen;
    for (const writer of overwriters) graph.addEdge(reader.id, writer.id, READ_WRITE, key);
  }
}

function addRealTime(graph: Graph, present: readonly Transaction[]): void {
  const invoked = [...present].sort((a, b) => a.invokedAt - b.invokedAt);
  const completed = present
    .filter(({ completedAt }) => completedAt !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.completedAt - b.completedAt);
  let completedCount = 0;
  let moment = -1;
  for (const { id, invokedAt } of invoked) {
    if (completedCount < completed.length && completed[completedCount]!.completedAt < invokedAt) {
      const earlier = moment;
      moment = graph.addNode();
      if (earlier !== -1) graph.addEdge(earlier, moment, REAL_TIME);
      while (completedCount < completed.length && completed[completedCount]!.completedAt < invokedAt) {
        graph.addEdge(completed[completedCount++]!.id, moment, REAL_TIME);
      }
    }
    if (moment !== -1) graph.addEdge(moment, id, REAL_TIME);
  }
}

/** A short cycle of a component, with as few rw edges as can be: one, or several where one is not enough. */
function findCycle(
  graph: Graph,
  members: ReadonlySet<number>,
  mask: number,
): { readonly cycle: readonly Edge[]; readonly isSingle: boolean } {
  let shortest: Edge[] | undefined;
  const take = (cycle: Edge[] | undefined): void => {
    if (cycle !== undefined && (shortest === undefined || cycle.length < shortest.length)) shortest = cycle;
  };
  const inside = [...members].flatMap((node) => graph.edgesOf(node)).filter(({ to }) => members.has(to));
  const antiDependencies = inside.filter(({ kind }) => (kind & mask & READ_WRITE) !== 0);
  const attemptCount = Math.ceil(VISITS_MAX / members.size);
  for (const edge of antiDependencies.slice(0, attemptCount)) {
    const back = graph.path(edge.to, edge.from, mask & ~READ_WRITE, members);
    if (back !== undefined) take([edge, ...back]);
  }
  if (shortest !== undefined) return { cycle: shortest, isSingle: true };
  for (const node of [...members].slice(0, attemptCount)) take(graph.path(node, node, mask, members));
  return { cycle: shortest!, isSingle: false };
}

function describeCycle(history: History, name: AnomalyName, cycle: readonly Edge[]): Anomaly {
  // Begins at a transaction; of a path through moments only the ends are shown.
  const start = cycle.findIndex(({ from }) => from < history.length);
  const edges = [...cycle.slice(start), ...cycle.slice(0, start)];
  let message = `t${edges[0]!.from}`;
  const transactions: Transaction[] = [];
  for (const { from, to, kind, key } of edges) {
    if (from < history.length) transactions.push(history[from]!);
    if (to >= history.length) continue;
    const label = kind === WRITE_WRITE ? 'ww' : kind === WRITE_READ ? 'wr' : kind === READ_WRITE ? 'rw' : 'rt';
    message += ` -${label}${key === -1 ? '' : ` ${key}`}-> t${to}`;
  }
  return { name, message, transactions };
}
