/**
 * What the executor costs by itself: submit, walk, vote, commit, poll, with parts that do nothing, all in one thread; and
 * the checksum of the log. Run: node bench/micro-executor.ts
 */

import { Committer } from '../src/executor/committer.ts';
import { Control } from '../src/executor/control.ts';
import { NodeLoop, PART_REDO, PART_WROTE, type PartRunner } from '../src/executor/node-loop.ts';
import { TicketClient } from '../src/executor/ticket-client.ts';
import { crc32c } from '../src/log/crc32c.ts';
import { type Log, NullLog } from '../src/log/log.ts';
import { TestArena } from '../src/testing/test-arena.ts';

const ROUNDS = 300_000;

class EmptyRunner implements PartRunner {
  private readonly result: number;
  private mark = 0;

  constructor(result: number) {
    this.result = result;
  }

  run(view: { readonly words: Int32Array }, part: number): number {
    if (this.result !== 0) {
      this.mark++;
      view.words[part + 6] = 64;
      view.words[part + 7] = 100;
      view.words[part + 8] = 1;
    }
    return this.result;
  }

  runTail(): void {}
  discardResult(): void {}
  undoMark(): number {
    return this.mark;
  }
  redoMark(): number {
    return this.mark;
  }
  rollbackTo(): void {}
  release(): void {}
  applyFence(): void {}
}

/** A log that takes everything and keeps nothing, so that only the making of records is measured. */
class BottomlessLog extends NullLog {
  override readonly isKept = true;
}

function measure(name: string, nodeCount: number, result: number, log: Log, burst: number): void {
  const control = Control.create({ nodeCount, frontendCount: 1, slotCount: 4096 });
  control.publishCatalog(1, 0, 0);
  const memory = new TestArena(TestArena.reserve(8192), 0, 8192);
  const client = new TicketClient(control, memory, 0);
  const loops: NodeLoop[] = [];
  for (let node = 0; node < nodeCount; node++) {
    const committer = new Committer(control, memory, log);
    loops.push(new NodeLoop(control, memory, node, committer, new EmptyRunner(result)));
  }
  const mask = (1 << nodeCount) - 1;
  const onFinal = (block: number): void => client.blocks.release(block);
  let bestNs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    for (let round = 0; round < ROUNDS; round += burst) {
      for (let count = 0; count < burst; count++) client.submit(client.blocks.take(), mask, 0, 0, 1, 1);
      client.flushWakeups();
      for (const loop of loops) loop.step(64);
      client.poll(onFinal, 256);
    }
    bestNs = Math.min(bestNs, ((performance.now() - start) * 1e6) / ROUNDS);
  }
  console.log(`${name.padEnd(44)} ${bestNs.toFixed(0).padStart(6)} ns a ticket`);
}

const wrote = PART_WROTE | PART_REDO;
measure('read, one node, one at a time', 1, 0, new NullLog(), 1);
measure('read, one node, bursts of 16', 1, 0, new NullLog(), 16);
measure('write, one node, not kept, bursts of 16', 1, wrote, new NullLog(), 16);
measure('write, one node, 100 bytes of redo, bursts of 16', 1, wrote, new BottomlessLog(), 16);
measure('read, four nodes, bursts of 16', 4, 0, new NullLog(), 16);

for (const byteCount of [128, 4096, 1024 * 1024]) {
  const bytes = new Uint8Array(byteCount).map((_, at) => at * 31);
  const count = Math.ceil(64e6 / byteCount);
  let bestNs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    for (let each = 0; each < count; each++) crc32c(bytes, 0, byteCount);
    bestNs = Math.min(bestNs, ((performance.now() - start) * 1e6) / count);
  }
  console.log(
    `crc32c of ${byteCount} bytes`.padEnd(44),
    `${bestNs.toFixed(0).padStart(6)} ns, ${(byteCount / bestNs).toFixed(2)} GB/s`,
  );
}
