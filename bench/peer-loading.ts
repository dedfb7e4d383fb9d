/**
 * One run of the section "loading", in a process of its own so that it begins with untouched memory. Arguments: `ours` or
 * `bare`, and as JSON the rows files, and the threads. It prints milliseconds and CPU milliseconds of all threads.
 *
 * `ours` is what a server does at start: empty partitions are made, threads load them and build their indexes. `bare` is as
 * many threads that read and decompress the same files, and do nothing else.
 */

import { Worker } from 'node:worker_threads';
import { Memory } from '../src/base/memory.ts';
import { workerEntry } from '../src/base/worker-entry.ts';
import { loadByThreads } from '../src/engine/main/load-threads.ts';
import { Partition } from '../src/storage/partition.ts';
import { verify } from '../src/storage/verify.ts';
import { CHECKPOINT_LSN, LOADED_TABLE, type RowsFile } from './loading-data.ts';

const [kind = 'bare', filesJson = '[]', threadsText = '1', check = ''] = process.argv.slice(2);
const files = JSON.parse(filesJson) as RowsFile[];
const threadCount = Number(threadsText);

async function loadOurs(): Promise<() => void> {
  const memory = Memory.create({ limitBytes: 4 * 2 ** 30, eagerArenas: true });
  const partitions = files.map((_, ordinal) => ({
    id: ordinal + 1,
    node: 0,
    slotFirst: 0,
    slotEnd: 1,
    rootPage: Partition.create(memory, LOADED_TABLE),
  }));
  const table = { ...LOADED_TABLE, partitions };
  const jobs = files.map((file, ordinal) => ({
    ...file,
    lsn: CHECKPOINT_LSN,
    table,
    definition: partitions[ordinal]!,
  }));
  await loadByThreads(memory, jobs, threadCount, () => {});
  return () => {
    for (const definition of partitions) verify(Partition.open(memory, table, definition));
  };
}

async function readBare(): Promise<() => void> {
  let next = 0;
  const run = async (): Promise<void> => {
    const worker = new Worker(workerEntry(import.meta.url, './peer-loading-thread'));
    while (next < files.length) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage(files[next++]!.path);
      await promise;
      worker.off('error', reject);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(threadCount, files.length) }, run));
  return () => {};
}

const cpuBefore = process.cpuUsage();
const startMs = performance.now();
const verifyAll = await (kind === 'ours' ? loadOurs() : readBare());
const ms = performance.now() - startMs;
const cpu = process.cpuUsage(cpuBefore);
if (check === 'verify') verifyAll();
console.log(JSON.stringify({ ms, cpuMs: (cpu.user + cpu.system) / 1000 }));
