/** A frontend's thread of the stress test: keeps as many requests in the air as may be, in bursts; posts their outcomes. */

import { parentPort, workerData } from 'node:worker_threads';
import { Control } from '../executor/control.ts';
import { Doorbell } from '../executor/doorbell.ts';
import { FATE_STALE } from '../executor/layout.ts';
import { BlockView } from '../executor/request-block.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import {
  type CounterRequest,
  makeRequest,
  type Outcome,
  type RequestOptions,
  readOutcome,
  submitRequest,
} from './counter-request.ts';
import { SeededRandom } from './random.ts';
import { TestArena } from './test-arena.ts';

export type StressFrontendData = {
  readonly control: SharedArrayBuffer;
  readonly arena: SharedArrayBuffer;
  readonly firstPage: number;
  readonly endPage: number;
  readonly frontend: number;
  readonly seed: number;
  readonly requestCount: number;
  readonly requests: RequestOptions;
};

const data = workerData as StressFrontendData;
const control = new Control(data.control);
const memory = new TestArena(data.arena, data.firstPage, data.endPage);
const client = new TicketClient(control, memory, data.frontend);
const view = new BlockView(memory);
const random = new SeededRandom(data.seed);
const requests: Map<number, CounterRequest> = new Map();
const outcomes: Outcome[] = [];
const again: CounterRequest[] = [];
let leftCount = data.requestCount;

function submitSome(): void {
  // A burst now and then, else one at a time, so that nodes park and are woken.
  let burst = random.oneIn(4) ? 64 : 1;
  while (burst-- > 0 && client.canSubmit() && (leftCount > 0 || again.length > 0)) {
    const request = again.pop() ?? makeRequest(random, data.requests);
    const block = submitRequest(client, view, request, control.catalogVersion(), random, control.nodeCount);
    requests.set(block, request);
    leftCount--;
  }
  client.flushWakeups();
}

function onFinal(block: number, fate: number): void {
  const request = requests.get(block)!;
  outcomes.push(readOutcome(view.at(block), fate, request, control.nodeCount));
  client.blocks.release(block);
  if (fate !== FATE_STALE) return;
  again.push(request);
  leftCount++;
}

const doorbell = new Doorbell(
  control,
  data.frontend,
  () => client.hasFinal(),
  () => {
    client.poll(onFinal, 256);
    submitSome();
    if (leftCount > 0 || client.inAir > 0) return;
    doorbell.close();
    parentPort!.postMessage(outcomes);
    parentPort!.close();
  },
);
// Keeps the thread alive: a pending waitAsync does not.
parentPort!.on('message', () => {});
submitSome();
doorbell.arm();
