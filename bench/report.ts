/** What the benchmarks print: the machine, and one line a measurement with its peer, ratio and target. */

import { cpus, totalmem } from 'node:os';

export type Measurement = {
  readonly name: string;
  readonly ours: number;
  readonly unit: string;
  /** Absent where the target is a plain number, or the peer is not installed. */
  readonly peer?: { readonly name: string; readonly value: number };
  /** A ratio to the peer, or without one a number in `unit`. */
  readonly target?: { readonly bound: 'at least' | 'at most'; readonly value: number };
};

/** Cores, processor, memory and Node of this machine, in one line. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const memoryGib = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} cores ${model}, ${memoryGib} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

export function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Whether a measurement meets its target; undefined where there is nothing to compare with. */
export function meetsTarget(measurement: Measurement): boolean | undefined {
  const target = measurement.target;
  if (target === undefined) return undefined;
  const value = measurement.peer === undefined ? measurement.ours : measurement.ours / measurement.peer.value;
  return target.bound === 'at least' ? value >= target.value : value <= target.value;
}

function columnsOf(measurement: Measurement): string[] {
  const { peer, target } = measurement;
  const verdict = meetsTarget(measurement);
  const sign = target?.bound === 'at most' ? '≤' : '≥';
  const suffix = peer === undefined ? '' : '×';
  return [
    measurement.name,
    `${formatNumber(measurement.ours)} ${measurement.unit}`,
    peer === undefined ? '' : `${formatNumber(peer.value)} (${peer.name})`,
    peer === undefined ? '' : `${(measurement.ours / peer.value).toFixed(2)}×`,
    target === undefined ? '' : `${sign} ${target.value}${suffix}`,
    verdict === undefined ? '' : verdict ? 'met' : 'MISSED',
  ];
}

/** All measurements as a Markdown table, as it stands in README.md. */
export function formatTable(measurements: readonly Measurement[]): string {
  const rows = [
    ['what', 'amelie', 'peer', 'ratio', 'target', ''],
    ['---', '---', '---', '---', '---', '---'],
    ...measurements.map(columnsOf),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => {
    const isRule = row[0] === '---';
    const cells = row.map((cell, column) => (isRule ? '-'.repeat(widths[column]!) : cell.padEnd(widths[column]!)));
    return `| ${cells.join(' | ')} |`;
  };
  return rows.map(line).join('\n');
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
