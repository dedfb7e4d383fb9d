import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SystemFiles } from '../base/files.ts';
import { workerEntry } from '../base/worker-entry.ts';
import { createLog } from '../log/log-files.ts';
import { setLogSettings } from '../log/log-state.ts';
import { LogWriter, openLogState } from '../log/log-writer.ts';
import { SECTION_COMMAND } from '../log/record.ts';
import { type Recovery, recover } from '../log/recover.ts';
import { checkOutcomes } from '../testing/counter-oracle.ts';
import type { Outcome } from '../testing/counter-request.ts';
import type { StressFrontendData } from '../testing/stress-frontend-entry.ts';
import type { StressNodeData } from '../testing/stress-node-entry.ts';
import { TestArena } from '../testing/test-arena.ts';
import { Committer } from './committer.ts';
import { Control } from './control.ts';
import { Doorbell } from './doorbell.ts';
import { DrainedFence } from './fence.ts';
import { CONTROL_STOP, FATE_FAILED, FATE_OK } from './layout.ts';
import { TicketClient } from './ticket-client.ts';

const PAGES_PER_THREAD = 512;
const COUNTER_COUNT = 16;
const files = new SystemFiles();

async function stress(
  nodeCount: number,
  frontendCount: number,
  slotCount: number,
  requestCount: number,
  roundsOneIn = 0,
  fenceOneIn = 0,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'amelie-executor-'));
  const control = Control.create({ nodeCount, frontendCount, slotCount, firstTicket: 2 ** 31 - 1000 });
  createLog(files, directory, '{"command":"create"}');
  const { fileLsn, end, lastLsn } = recover(files, directory, 1, () => {});
  openLogState(control.logState, fileLsn, end);
  setLogSettings(control.logState, { syncOnWrite: false, syncOnRotate: true, rotateBytes: 64 * 1024 });
  control.lsn = lastLsn;
  control.publishCatalog(1, 0, 0);
  const arena = TestArena.reserve((nodeCount + frontendCount + 1) * PAGES_PER_THREAD);
  const counters = new SharedArrayBuffer(nodeCount * COUNTER_COUNT * 4);
  let threadCount = 0;
  const place = (): { arena: SharedArrayBuffer; firstPage: number; endPage: number; control: SharedArrayBuffer } => {
    const firstPage = threadCount++ * PAGES_PER_THREAD;
    return { arena, firstPage, endPage: firstPage + PAGES_PER_THREAD, control: control.shared };
  };
  const workers: Worker[] = [];
  const start = (entry: string, workerData: StressNodeData | StressFrontendData): Worker => {
    const worker = new Worker(workerEntry(import.meta.url, entry), { workerData });
    workers.push(worker);
    return worker;
  };
  let outcomes: Outcome[];
  let fenceCount: number;
  try {
    const ends: Promise<unknown>[] = [];
    for (let node = 0; node < nodeCount; node++) {
      ends.push(
        once(
          start('../testing/stress-node-entry', { ...place(), counters, counterCount: COUNTER_COUNT, node, directory }),
          'exit',
        ),
      );
    }
    const counts = { nodeCount, counterCount: COUNTER_COUNT, longOneIn: 0, oneNodeIn: 2 };
    const requests = { ...counts, roundsOneIn, fenceOneIn };
    const replies: Promise<unknown[]>[] = [];
    for (let frontend = 0; frontend < frontendCount; frontend++) {
      const workerData = { ...place(), frontend, seed: frontend + 1, requestCount, requests };
      replies.push(once(start('../testing/stress-frontend-entry', workerData), 'message'));
    }
    const { firstPage, endPage } = place();
    const fences = runFences(control, new TestArena(arena, firstPage, endPage), directory);
    // A node ends before its time only with an error.
    const death = Promise.race(ends).then(() => assert.equal(Atomics.load(control.words, CONTROL_STOP), 1));
    const all = Promise.all(replies);
    await Promise.race([all, death]);
    outcomes = (await all).flatMap(([list]) => list as Outcome[]);
    fenceCount = await fences();
    control.stop();
    await Promise.all(ends);
  } finally {
    for (const worker of workers) await worker.terminate();
  }

  const expected = checkOutcomes(outcomes, nodeCount, COUNTER_COUNT);
  assert.deepEqual(
    new Int32Array(counters),
    Int32Array.from(expected.counters.flatMap((row) => [...row])),
    'the counters of all nodes',
  );
  const { recovery, logged, commandCount } = readLog(directory);
  assert.deepEqual(logged, expected.changes, 'the log holds what was acknowledged, in order');
  assert.equal(recovery.lastLsn, control.lsn);
  assert.equal(commandCount, fenceCount);
  assert.ok(recovery.fileCount > 1, 'the log has rotated');
  rmSync(directory, { recursive: true });
}

/** The changes of each transaction in the log, as the oracle writes them. */
function readLog(directory: string): { recovery: Recovery; logged: string[]; commandCount: number } {
  const byLsn: Map<number, string[]> = new Map();
  let commandCount = 0;
  const recovery = recover(files, directory, 2, (lsn, kind, bytes, start, end) => {
    if (kind === SECTION_COMMAND) {
      commandCount++;
      return;
    }
    const changes = byLsn.get(lsn) ?? [];
    byLsn.set(lsn, changes);
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
    for (let at = 0; at < end - start; at += 8) {
      const key = view.getInt32(at, true);
      changes.push(`${key >>> 16}.${key & 0xffff}=${view.getInt32(at + 4, true)}`);
    }
  });
  return { recovery, logged: [...byLsn.values()].map((changes) => changes.join(' ')), commandCount };
}

/** DDL one after another, until the returned function is called; it gives how many were logged. */
function runFences(control: Control, memory: TestArena, directory: string): () => Promise<number> {
  const client = new TicketClient(control, memory, control.frontendCount);
  const log = new LogWriter(files, directory, control.logState, () => {});
  const committer = new Committer(control, memory, log);
  const fence = new DrainedFence(control, memory, client, committer);
  const doorbell = new Doorbell(
    control,
    control.frontendCount,
    () => false,
    () => {},
  );
  let isEnding = false;
  const all = (async () => {
    let version = 1;
    let fenceCount = 0;
    while (!isEnding) {
      const block = client.blocks.take();
      assert.ok(fence.begin(block));
      await doorbell.until(() => fence.isDrained());
      fence.startWork();
      await doorbell.until(() => fence.isWorkDone());
      assert.equal(fence.workError(), undefined);
      const isKept = ++fenceCount % 3 !== 0;
      if (isKept) {
        fence.appendRecord(SECTION_COMMAND, new TextEncoder().encode(`{"version":${version}}`));
        control.publishCatalog(++version, 0, 0);
      }
      fence.finish(isKept ? FATE_OK : FATE_FAILED);
      await doorbell.until(() => client.hasFinal());
      client.poll((page, fate) => {
        assert.equal(fate, isKept ? FATE_OK : FATE_FAILED);
        client.blocks.release(page);
      }, 1);
      // The frontends have the order to themselves for a while.
      const until = Atomics.load(control.words, 16) + 500;
      while (!isEnding && ((Atomics.load(control.words, 16) - until) | 0) < 0) await new Promise(setImmediate);
    }
    log.close();
    doorbell.close();
    return version - 1;
  })();
  return () => {
    isEnding = true;
    return all;
  };
}

test('threads: two nodes, two frontends', () => stress(2, 2, 256, 15_000));

test('threads, invariants 2 and 13: four nodes, three frontends, a ring of 16 slots', () => stress(4, 3, 16, 6_000));

test('threads: one node, one frontend', () => stress(1, 1, 512, 15_000));

test('threads: three nodes, two frontends, tickets with rounds', () => stress(3, 2, 64, 6_000, 2));

test('threads: three nodes, two frontends, plain fences', () => stress(3, 2, 64, 6_000, 0, 4));

test('threads: four nodes, three frontends, a ring of 16 slots, rounds and fences', () =>
  stress(4, 3, 16, 3_000, 3, 6));
