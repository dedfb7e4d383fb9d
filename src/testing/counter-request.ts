/**
 * Requests of the executor's tests: up to seven operations on counters (counter-runner.ts), in the frontend's own words of
 * a request block:
 *
 *   word BLOCK_USER             operation count
 *   word BLOCK_USER + 1 + 4 i   of operation i: node that does it + 256 × node whose counter it is
 *        + 1, + 2, + 3          counter; kind + 256 × step; amount
 *   word BLOCK_USER + 29        rounds: step count + 16 if the last step is awaited too + 32 if middle sections are long
 *                               fence: 256 × (worker + 2); rounds with FLAG_STANDS: besides, 256 × (owner + 2)
 *   word BLOCK_USER + 30        rounds: nodes awaited, 8 bits a step
 */

import {
  BLOCK_FLAGS,
  BLOCK_TICKET,
  BLOCK_USER,
  FATE_FAILED,
  FLAG_FENCE,
  FLAG_ROUNDS,
  FLAG_STANDS,
  FLAG_TAIL,
  FLAG_WAIT,
  FLAG_WRITES,
  PART_PROFILE_START,
  PART_STATE,
  PART_STATE_OK,
} from '../executor/layout.ts';
import { WORKER_ANY } from '../executor/part-runner.ts';
import { type BlockView, readError } from '../executor/request-block.ts';
import type { TicketClient } from '../executor/ticket-client.ts';
import type { SeededRandom } from './random.ts';

export const OPERATION_READ = 0;
export const OPERATION_ADD = 1;
/** Fails when the counter mod 5 is the amount. */
export const OPERATION_CHECK = 2;
/** Takes long: others run meanwhile, and it may be interrupted. */
export const OPERATION_LONG = 3;
/** Allocates a result page. */
export const OPERATION_PAGE = 4;
/** Reads a shared counter of another node. */
export const OPERATION_READ_SHARED = 5;
/** Rounds: adds what the middle section before this step has found. */
export const OPERATION_ADD_FOUND = 6;
/** Rounds: reads what another node, awaited in the step before, has summed up in it. */
export const OPERATION_READ_PEER = 7;
export const OPERATION_COUNT_MAX = 7;

/** Of a node's counters, so many, the last ones, are shared: all nodes read them, and a fence writes them. */
export const SHARED_COUNT = 1;

export type Operation = {
  /** Who does it; in a fence, whose counter it is. */
  readonly node: number;
  /** Whose counter or sum is read; else the node. */
  readonly owner: number;
  readonly counter: number;
  readonly kind: number;
  readonly amount: number;
  readonly step: number;
};

export type RoundShape = {
  readonly stepCount: number;
  /** Mask of nodes by step; the last step's is 0 where its participants vote at once. */
  readonly awaited: readonly number[];
  readonly isMiddleLong: boolean;
  /** The node that changes its shared counters from step 1 on, while all stay until the end; else nobody does. */
  readonly owner?: number;
};

export type CounterRequest = {
  readonly operations: readonly Operation[];
  readonly rounds?: RoundShape;
  /** Of a fence: the node that works, or WORKER_ANY. */
  readonly fenceWorker?: number;
};

/** A request as its client saw it end. */
export type Outcome = {
  readonly ticket: number;
  readonly request: CounterRequest;
  readonly hasTail: boolean;
  readonly fate: number;
  /** Code and text of the error of a failed one. */
  readonly error: string;
  /** Sum of what was read, by node. */
  readonly sums: readonly number[];
};

export type RequestOptions = {
  readonly nodeCount: number;
  readonly counterCount: number;
  /** One in so many has operations that take long, or allocate; 0 none. */
  readonly longOneIn: number;
  /** One in so many concerns one node only. */
  readonly oneNodeIn: number;
  readonly roundsOneIn: number;
  readonly fenceOneIn: number;
};

export function makeRequest(random: SeededRandom, options: RequestOptions): CounterRequest {
  if (options.roundsOneIn > 0 && random.oneIn(options.roundsOneIn)) return makeRounds(random, options);
  if (options.fenceOneIn > 0 && random.oneIn(options.fenceOneIn)) return makeFence(random, options);
  const onlyNode = random.oneIn(options.oneNodeIn) ? random.below(options.nodeCount) : -1;
  const isRead = random.oneIn(3);
  const operations = repeat(1 + random.below(OPERATION_COUNT_MAX), () =>
    makeOperation(random, options, isRead, 0, onlyNode),
  );
  return { operations };
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function makeOperation(
  random: SeededRandom,
  { nodeCount, counterCount, longOneIn }: RequestOptions,
  isRead: boolean,
  step: number,
  onlyNode: number,
): Operation {
  const node = onlyNode >= 0 ? onlyNode : random.below(nodeCount);
  const counter = random.below(counterCount - SHARED_COUNT);
  const amount = random.below(5);
  if (longOneIn > 0 && random.oneIn(longOneIn)) {
    return { node, owner: node, counter, kind: OPERATION_LONG + random.below(2), amount, step };
  }
  if (random.oneIn(6)) {
    const shared = counterCount - 1 - random.below(SHARED_COUNT);
    return { node, owner: random.below(nodeCount), counter: shared, kind: OPERATION_READ_SHARED, amount, step };
  }
  const choice = random.below(20);
  const kind = isRead || choice < 5 ? OPERATION_READ : choice === 19 ? OPERATION_CHECK : OPERATION_ADD;
  return { node, owner: node, counter, kind, amount, step };
}

/** Two or three steps; what a later one adds and reads depends on what other nodes found in an earlier one. */
function makeRounds(random: SeededRandom, options: RequestOptions): CounterRequest {
  const stepCount = 2 + random.below(2);
  const stands = random.oneIn(3);
  const isRead = !stands && random.oneIn(4);
  const made = repeat(2 + random.below(OPERATION_COUNT_MAX - 1), () =>
    makeOperation(random, options, isRead, random.below(stepCount), -1),
  );
  const mask = stands ? (1 << options.nodeCount) - 1 : made.reduce((sum, { node }) => sum | (1 << node), 0);
  const isEndAwaited = random.oneIn(2);
  const awaited = repeat(stepCount, (step) => {
    if (stands && (step === 0 || step === stepCount - 1)) return mask;
    if (step === stepCount - 1 && !isEndAwaited) return 0;
    const some = mask & random.int32();
    return some === 0 || random.oneIn(3) ? mask : some;
  });
  const operations = made.map((operation) => {
    const { node, step, kind } = operation;
    if (random.oneIn(6)) return { ...operation, kind: OPERATION_CHECK, owner: node };
    if (step === 0) {
      return kind === OPERATION_READ && options.longOneIn > 0 && random.oneIn(3)
        ? { ...operation, kind: OPERATION_PAGE }
        : operation;
    }
    if (kind === OPERATION_ADD && random.oneIn(2)) return { ...operation, kind: OPERATION_ADD_FOUND };
    const peers = repeat(options.nodeCount, (peer) => peer).filter((peer) => ((awaited[step - 1]! >> peer) & 1) === 1);
    // Only a step that all end together may look into the records of others.
    if (kind !== OPERATION_READ || ((awaited[step]! >> node) & 1) === 0) return operation;
    return { ...operation, kind: OPERATION_READ_PEER, owner: peers[random.below(peers.length)]! };
  });
  const rounds = { stepCount, awaited, isMiddleLong: options.longOneIn > 0 && random.oneIn(4) };
  return stands ? makeStanding(random, options, { operations, rounds }) : { operations, rounds };
}

/** Rounds at which all stand until the end: from step 1 on one node changes its shared counters, and nobody else reads them. */
function makeStanding(
  random: SeededRandom,
  { nodeCount, counterCount }: RequestOptions,
  request: { readonly operations: readonly Operation[]; readonly rounds: RoundShape },
): CounterRequest {
  const owner = random.below(nodeCount);
  const operations = request.operations.map((made) => {
    // Most of them shall succeed: middle sections fail where nothing is read.
    const isSpared = made.kind === OPERATION_CHECK && !random.oneIn(4);
    const operation = isSpared ? { ...made, counter: 0, kind: made.step === 0 ? OPERATION_READ : OPERATION_ADD } : made;
    const { kind, node, step } = operation;
    if (step === 0 && kind === OPERATION_ADD && random.oneIn(2)) return { ...operation, kind: OPERATION_READ };
    if (step === 0 || kind === OPERATION_READ_PEER || kind === OPERATION_LONG || kind === OPERATION_PAGE)
      return operation;
    const counter = counterCount - 1 - random.below(SHARED_COUNT);
    if (kind === OPERATION_READ_SHARED || random.oneIn(3)) {
      const own = kind === OPERATION_READ_SHARED || kind === OPERATION_READ ? OPERATION_ADD : kind;
      return { ...operation, node: owner, owner, counter, kind: own };
    }
    return node === owner && random.oneIn(2) ? { ...operation, counter } : operation;
  });
  return { operations, rounds: { ...request.rounds, owner } };
}

/** Reads of any node's counters, changes of the worker's own and shared ones. */
function makeFence(random: SeededRandom, options: RequestOptions): CounterRequest {
  const isRead = random.oneIn(2);
  const fenceWorker = isRead && random.oneIn(2) ? WORKER_ANY : random.below(options.nodeCount);
  const operations = repeat(1 + random.below(OPERATION_COUNT_MAX), () => {
    const made = makeOperation(random, options, isRead, 0, -1);
    const isShared = random.oneIn(2);
    const counter = isShared ? options.counterCount - 1 - random.below(SHARED_COUNT) : made.counter;
    const node = made.kind === OPERATION_ADD ? fenceWorker : made.node;
    return {
      ...made,
      node,
      owner: node,
      counter,
      kind: made.kind === OPERATION_READ_SHARED ? OPERATION_READ : made.kind,
    };
  });
  return { operations, fenceWorker };
}

/** True where the request may change something. */
export function isWriting({ operations }: CounterRequest): boolean {
  return operations.some(({ kind }) => kind === OPERATION_ADD || kind === OPERATION_ADD_FOUND);
}

/** Writes a request into a free block and submits it; there must be a ticket. TAIL and WAIT as random says, or as given. */
export function submitRequest(
  client: TicketClient,
  view: BlockView,
  request: CounterRequest,
  version: number,
  random: SeededRandom | number,
  nodeCount: number,
): number {
  const block = client.blocks.take();
  const { operations, rounds, fenceWorker } = request;
  view.at(block).set(BLOCK_USER, operations.length);
  let mask = 0;
  operations.forEach(({ node, owner, counter, kind, amount, step }, index) => {
    const at = BLOCK_USER + 1 + index * 4;
    view.set(at, node | (owner << 8));
    view.set(at + 1, counter);
    view.set(at + 2, kind | (step << 8));
    view.set(at + 3, amount);
    mask |= 1 << node;
  });
  let flags = isWriting(request) ? FLAG_WRITES : 0;
  let shape = 0;
  let awaited = 0;
  if (rounds !== undefined) {
    flags |= FLAG_ROUNDS;
    if (rounds.owner !== undefined) {
      flags |= FLAG_STANDS;
      mask = (1 << nodeCount) - 1;
    }
    shape = rounds.stepCount | (rounds.awaited.at(-1) !== 0 ? 16 : 0) | (rounds.isMiddleLong ? 32 : 0);
    if (rounds.owner !== undefined) shape |= (rounds.owner + 2) << 8;
    rounds.awaited.forEach((nodes, step) => {
      awaited |= nodes << (step * 8);
    });
  } else if (fenceWorker !== undefined) {
    flags |= FLAG_FENCE;
    mask = (1 << nodeCount) - 1;
    shape = (fenceWorker + 2) << 8;
  }
  view.set(BLOCK_USER + 29, shape);
  view.set(BLOCK_USER + 30, awaited);
  if (typeof random === 'number') flags |= random;
  else {
    if (random.oneIn(8)) flags |= FLAG_TAIL;
    if (random.oneIn(16)) flags |= FLAG_WAIT;
  }
  if (!client.submit(block, mask, 0, flags, version, 0)) throw new Error('no ticket is free');
  return block;
}

/** The outcome of a final request. */
export function readOutcome(view: BlockView, fate: number, request: CounterRequest, nodeCount: number): Outcome {
  const sums: number[] = [];
  for (let node = 0; node < nodeCount; node++) {
    const part = view.part(node);
    const isRun = view.hasNode(node) && view.words[part + PART_STATE] === PART_STATE_OK;
    sums.push(isRun ? view.words[part + PART_PROFILE_START]! : 0);
  }
  const error = fate === FATE_FAILED ? readError(view, nodeCount) : undefined;
  return {
    ticket: view.get(BLOCK_TICKET),
    request,
    hasTail: (view.get(BLOCK_FLAGS) & FLAG_TAIL) !== 0,
    fate,
    error: error === undefined ? '' : `${error.code} ${error.message}`,
    sums,
  };
}
