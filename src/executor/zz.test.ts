import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SystemFiles } from '../base/files.ts';
import { workerEntry } from '../base/worker-entry.ts';
import { setLogSettings } from '../log/log-state.ts';
import { createLog, LogWriter, openLogState } from '../log/log-writer.ts';
import { SECTION_COMMAND } from '../log/record.ts';
import { recover } from '../log/recover.ts';
import { checkOutcomes, type Outcome } from '../testing/counter-oracle.ts';
import type { StressFrontendData } from '../testing/stress-frontend-entry.ts';
import type { StressNodeData } from '../testing/stress-node-entry.ts';
import { STRESS_COUNTERS } from '../testing/stress-request.ts';
import { TestArena } from '../testing/test-arena.ts';
import { Committer } from './committer.ts';
import { Control } from './control.ts';
import { Doorbell } from './doorbell.ts';
import { DrainedFence } from './fence.ts';
import { FATE_FAILED, FATE_OK } from './layout.ts';
import { TicketClient } from './ticket-client.ts';

const PAGES_PER_THREAD = 512;
const files = new SystemFiles();

async function stress(
  nodeCount: number,
  frontendCount: number,
  slotCount: number,
  requestCount: number,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'amelie-executor-'));
  const control = Control.create({ nodeCount, frontendCount, slotCount, firstTicket: 2 ** 31 - 1000 });
  createLog(files, directory, '{"command":"create"}');
  const { fileLsn, end, lastLsn } = recover(files, directory, 1, () => {});
  openLogState(control.logState, fileLsn, end);
  setLogSettings(control.logState, { syncOnWrite: false, syncOnRotate: true, rotateBytes: 256 * 1024 });
  control.lsn = lastLsn;
  control.publishCatalog(1, 0, 0);
  const arena = TestArena.reserve((nodeCount + frontendCount + 1) * PAGES_PER_THREAD);
  const counters = new SharedArrayBuffer(nodeCount * STRESS_COUNTERS * 4);
  let threadCount = 0;
  const place = (): { arena: SharedArrayBuffer; firstPage: number; endPage: number; control: SharedArrayBuffer } => {
    const firstPage = threadCount++ * PAGES_PER_THREAD;
    return { arena, firstPage, endPage: firstPage + PAGES_PER_THREAD, control: control.shared };
  };
  const nodes: Worker[] = [];
  for (let node = 0; node < nodeCount; node++) {
    const workerData: StressNodeData = { ...place(), counters, node, directory };
    nodes.push(new Worker(workerEntry(import.meta.url, '../testing/stress-node-entry'), { workerData }));
  }
  const replies: Promise<unknown[]>[] = [];
  for (let frontend = 0; frontend < frontendCount; frontend++) {
    const workerData: StressFrontendData = { ...place(), frontend, seed: frontend + 1, requestCount };
    replies.push(
      once(new Worker(workerEntry(import.meta.url, '../testing/stress-frontend-entry'), { workerData }), 'message'),
    );
  }
  const { firstPage, endPage } = place();
  setTimeout(() => { const w = control.words; const f = w[32]!, n = w[16]!; console.log('next', n, 'final', f, 'epoch', w[48], 'rb', w[64], 'abort', w[80], 'acks', w[96], 'resume', w[112], 'mode', w[128], 'lock', w[144], control.failure());
   const sl = control.slotOf(f); console.log('head', [...w.subarray(sl, sl+16)]); for (let i=0;i<nodeCount;i++) console.log('node parked', w[22*16+i*16]); for (let i=0;i<=frontendCount;i++) console.log('fe parked', w[86*16+i*16]); process.exit(1) }, 8000);
  const fences = runFences(control, new TestArena(arena, firstPage, endPage), directory);
  const outcomes = (await Promise.all(replies)).flatMap(([list]) => list as Outcome[]);
  const fenceCount = await fences();
  const ends = nodes.map((node) => once(node, 'exit'));
  control.stop();
  await Promise.all(ends);

  const expected = checkOutcomes(outcomes, nodeCount, STRESS_COUNTERS);
  assert.deepEqual(
    new Int32Array(counters),
    Int32Array.from(expected.counters.flatMap((row) => [...row])),
    'the counters of all nodes',
  );
  const logged: string[] = [];
  let changes: string[] = [];
  let logLsn = 1;
  let commandCount = 0;
  const recovery = recover(files, directory, 2, (lsn, kind, bytes, start, sectionEnd) => {
    if (lsn !== logLsn && changes.length > 0) logged.push(changes.join(' '));
    if (lsn !== logLsn) changes = [];
    logLsn = lsn;
    if (kind === SECTION_COMMAND) commandCount++;
    else {
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, sectionEnd - start);
      for (let at = 0; at < sectionEnd - start; at += 8) {
        const key = view.getInt32(at, true);
        changes.push(`${key >>> 16}.${key & 0xffff}=${view.getInt32(at + 4, true)}`);
      }
    }
  });
  if (changes.length > 0) logged.push(changes.join(' '));
  assert.deepEqual(logged, expected.changes, 'the log holds what was acknowledged, in order');
  assert.equal(recovery.lastLsn, control.lsn);
  assert.equal(commandCount, fenceCount);
  assert.ok(recovery.fileCount > 1, 'the log has rotated');
  rmSync(directory, { recursive: true });
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

