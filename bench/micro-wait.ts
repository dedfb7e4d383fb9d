/**
 * What failures of transactions on two nodes cost, with the rule by which a program that fails often waits for the vote
 * (executor/failure-rate.ts) and without it. Half of the transactions are transfers on two nodes, half are on one; two node
 * threads, one frontend in this one, nothing is logged. With and without take turns. Run: node bench/micro-wait.ts [seconds]
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Control } from '../src/executor/control.ts';
import { FailureRate } from '../src/executor/failure-rate.ts';
import { BLOCK_USER, CONTROL_EPOCH, FATE_FAILED, FLAG_WAIT, FLAG_WRITES } from '../src/executor/layout.ts';
import { BlockView } from '../src/executor/request-block.ts';
import { TicketClient } from '../src/executor/ticket-client.ts';
import { TestArena } from '../src/testing/test-arena.ts';
import { median } from './report.ts';
import { COUNTERS, type TransferNodeData } from './transfer-node.ts';

const PAGE_COUNT = 8192;
/** Of 4,096 slots; as 64 clients with a few requests each. */
const IN_AIR_MAX = 512;
const ROUND_COUNT = 5;
const WARM_UP_COUNT = 50_000;
const WARM_UP_MS_MAX = 20_000;
const FAILURE_PERCENTS: readonly number[] = [0, 0.1, 1, 5, 10, 20];

type Run = { readonly rate: number; readonly waiting: number; readonly rollbacks: number };

/** The same requests in every run: a small generator is enough. */
function makeRandom(): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 16777216;
  };
}

async function measure(failureShare: number, hasRule: boolean, seconds: number): Promise<Run> {
  const control = Control.create({ nodeCount: 2, frontendCount: 1, slotCount: 4096 });
  control.publishCatalog(1, 0, 0);
  const arena = TestArena.reserve(PAGE_COUNT);
  const memory = new TestArena(arena, 1, PAGE_COUNT);
  const workers = [0, 1].map((node) => {
    const workerData: TransferNodeData = { control: control.shared, arena, node };
    return new Worker(new URL('./transfer-node.ts', import.meta.url), { workerData });
  });
  const ends = workers.map((worker) => once(worker, 'exit'));
  const client = new TicketClient(control, memory, 0);
  const view = new BlockView(memory);
  const failures = new FailureRate();
  const random = makeRandom();
  let doneCount = 0;
  let pairCount = 0;
  let waitingCount = 0;
  const onFinal = (block: number, fate: number): void => {
    doneCount++;
    if (hasRule && view.at(block).get(BLOCK_USER + 2) === 1) failures.count(fate === FATE_FAILED);
    client.blocks.release(block);
  };
  const submit = (): void => {
    const block = client.blocks.take();
    const isPair = random() < 0.5;
    // Who pays has the money or not: the payer is either node.
    const failing = isPair && random() < failureShare ? 1 + Math.floor(random() * 2) : 0;
    view.at(block).set(BLOCK_USER, failing);
    view.set(BLOCK_USER + 1, Math.floor(random() * COUNTERS));
    view.set(BLOCK_USER + 2, isPair ? 1 : 0);
    const flags = isPair && failures.isWaiting ? FLAG_WRITES | FLAG_WAIT : FLAG_WRITES;
    if (isPair) pairCount++;
    if ((flags & FLAG_WAIT) !== 0) waitingCount++;
    client.submit(block, isPair ? 3 : 1 + Math.floor(random() * 2), 0, flags, 1, 1);
  };
  const run = (untilMs: number): void => {
    while (performance.now() < untilMs) {
      for (let count = 0; count < 64 && client.inAir < IN_AIR_MAX; count++) submit();
      client.flushWakeups();
      client.poll(onFinal, 256);
    }
  };
  // The threads take a while to start, and the rule to see what fails.
  const limitMs = performance.now() + WARM_UP_MS_MAX;
  while (doneCount < WARM_UP_COUNT && performance.now() < limitMs) run(performance.now() + 50);
  doneCount = 0;
  pairCount = 0;
  waitingCount = 0;
  const rollbacksBefore = Atomics.load(control.words, CONTROL_EPOCH);
  const startMs = performance.now();
  run(startMs + seconds * 1000);
  const rate = (doneCount * 1000) / (performance.now() - startMs);
  const rollbacks = Atomics.load(control.words, CONTROL_EPOCH) - rollbacksBefore;
  control.stop();
  await Promise.all(ends);
  return { rate, waiting: waitingCount / Math.max(pairCount, 1), rollbacks };
}

const seconds = Number(process.argv[2] ?? '1');
console.log(`half of the transactions on two nodes; ${ROUND_COUNT} rounds of ${seconds} s, medians`);
console.log('failures   without the rule      with it   ratio   of them waiting   rollbacks/s without, with');
for (const percent of FAILURE_PERCENTS) {
  const without: Run[] = [];
  const having: Run[] = [];
  for (let round = 0; round < ROUND_COUNT; round++) {
    // A B, B A, A B …: what else the machine does falls on both.
    for (const hasRule of round % 2 === 0 ? [false, true] : [true, false])
      (hasRule ? having : without).push(await measure(percent / 100, hasRule, seconds));
  }
  const middle = (runs: readonly Run[], pick: (run: Run) => number): number => median(runs.map(pick));
  const ratio = median(having.map(({ rate }, index) => rate / without[index]!.rate));
  console.log(
    `${String(percent).padStart(6)} %`,
    `${Math.round(middle(without, ({ rate }) => rate))
      .toString()
      .padStart(13)} tx/s`,
    `${Math.round(middle(having, ({ rate }) => rate))
      .toString()
      .padStart(8)} tx/s`,
    `${ratio.toFixed(2).padStart(5)}`,
    `${(middle(having, ({ waiting }) => waiting) * 100).toFixed(1).padStart(13)} %`,
    `${Math.round(middle(without, ({ rollbacks }) => rollbacks) / seconds)
      .toString()
      .padStart(12)},`,
    `${Math.round(middle(having, ({ rollbacks }) => rollbacks) / seconds)}`,
  );
}
