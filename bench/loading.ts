/**
 * Loading a checkpoint at start, next to threads that read and decompress the same files and do nothing else, in turns. Each
 * run is a process of its own (peer-loading.ts), with as many threads and partitions as there are cores. The files are in the
 * page cache in all runs: what is compared is work, not the disk. CPU time is a second witness, on a machine that others use.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './cleanup.ts';
import { type RowsFile, writeLoadingData } from './loading-data.ts';
import { startPeer } from './peer-process.ts';
import { type Measurement, median } from './report.ts';
import type { SectionOptions } from './section.ts';

/** What loading may take, in times of reading and decompressing. */
const TIMES_MAX = 4;
const RUNS_A_ROUND = 5;

type Run = { readonly ms: number; readonly cpuMs: number };

export async function measureLoading(options: SectionOptions): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'amelie-loading-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = onExit(remove);
  try {
    // What the launcher does for a server: modules are compiled once.
    process.env.NODE_COMPILE_CACHE ??= join(directory, 'compile-cache');
    return await measure(directory, options);
  } finally {
    forget();
    remove();
  }
}

async function measure(directory: string, options: SectionOptions): Promise<Measurement[]> {
  const { rowCount, roundCount, print } = options;
  const threadCount = availableParallelism();
  const files = writeLoadingData(join(directory, 'rows'), rowCount, threadCount);
  const bytes = files.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  print(`  ${rowCount.toLocaleString('en-US')} rows, ${(bytes / 2 ** 20).toFixed(0)} MiB in ${files.length} files`);
  const ours: Run[] = [];
  const bare: Run[] = [];
  // The first run of each fills the compile cache, and the first of ours is verified; they do not count.
  await run('ours', files, threadCount, 'verify');
  await run('bare', files, threadCount, '');
  // A run takes less than a second, in which a shared machine may be another one than in the next: so there are more of them.
  for (let round = 0; round < roundCount * RUNS_A_ROUND; round++) {
    ours.push(await run('ours', files, threadCount, ''));
    bare.push(await run('bare', files, threadCount, ''));
    const [we, peer] = [ours.at(-1)!, bare.at(-1)!];
    print(
      `  loading ${we.ms.toFixed(0)} ms (CPU ${we.cpuMs.toFixed(0)}), read and decompress ${peer.ms.toFixed(0)} ms ` +
        `(CPU ${peer.cpuMs.toFixed(0)}): ${(we.ms / peer.ms).toFixed(2)}×, CPU ${(we.cpuMs / peer.cpuMs).toFixed(2)}×`,
    );
  }
  const name = `loading, ${rowCount / 1e6} million rows`;
  const ms = median(ours.map((one) => one.ms));
  const peerName = `read and decompress, ${threadCount} threads`;
  return [
    {
      name,
      ours: ms,
      unit: 'ms',
      peer: { name: peerName, value: median(bare.map((one) => one.ms)) },
      target: { bound: 'at most', value: TIMES_MAX },
    },
    {
      name: `${name}, CPU`,
      ours: median(ours.map((one) => one.cpuMs)),
      unit: 'ms',
      peer: { name: peerName, value: median(bare.map((one) => one.cpuMs)) },
    },
    { name: `${name}, of the files`, ours: bytes / 2 ** 30 / (ms / 1000), unit: 'GiB/s' },
    { name: `${name}, rows`, ours: rowCount / 1e3 / ms, unit: 'M rows/s' },
  ];
}

async function run(kind: string, files: readonly RowsFile[], threadCount: number, check: string): Promise<Run> {
  const { answer } = await startPeer('peer-loading', [kind, JSON.stringify(files), String(threadCount), check]);
  return answer as Run;
}
