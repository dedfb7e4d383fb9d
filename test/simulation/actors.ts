/**
 * Threads as actors: each waits as its thread does, by its parked word, and is woken by nothing else.
 *
 *   node      walk ─▶ commit ─▶ walk …; nothing to do: parked word 1 ─▶ walk, commit once more ─▶ asleep until it is 0
 *   frontend  one event (request, answer of main) a step; a turn hands out some replies and wakes nodes; then it parks
 *   log       one step of the log thread, which parks as a node does; while the log takes no writes time wakes it too
 */

import type { FrontendEngine } from '../../src/engine/frontend/frontend-engine.ts';
import type { Control } from '../../src/executor/control.ts';
import {
  CONTROL_FRONTEND_PARKED,
  CONTROL_LOG_PARKED,
  CONTROL_MODE,
  CONTROL_NODE_PARKED,
  MODE_NORMAL,
} from '../../src/executor/layout.ts';
import type { LogLoop } from '../../src/executor/log-loop.ts';
import { type NodeLoop, STEP_RAN } from '../../src/executor/node-loop.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import type { SimulatedClock } from '../../src/testing/simulated-clock.ts';

export type Actor = {
  readonly name: string;
  isBusy: boolean;
  isRunnable(): boolean;
  step(): void;
};

const REPLIES_A_TURN_MAX = 4;
const PARTS_A_STEP_MAX = 4;

export class NodeActor implements Actor {
  readonly name: string;
  isBusy = false;
  private readonly loop: NodeLoop;
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly random: SeededRandom;
  private isAsleep = false;
  private isParking = false;
  private hasWalked = false;
  private hasRun = false;

  constructor(loop: NodeLoop, control: Control, random: SeededRandom) {
    this.loop = loop;
    this.name = `node ${loop.node}`;
    this.words = control.words;
    this.parkedWord = CONTROL_NODE_PARKED + (loop.node << 4);
    this.random = random;
  }

  isRunnable(): boolean {
    return !this.isAsleep || Atomics.load(this.words, this.parkedWord) === 0;
  }

  step(): void {
    this.isAsleep = false;
    if (!this.hasWalked) {
      this.hasRun = this.loop.walk(1 + this.random.below(PARTS_A_STEP_MAX)) === STEP_RAN;
      this.hasWalked = true;
      return;
    }
    this.loop.commit();
    this.hasWalked = false;
    if (this.hasRun) {
      if (this.isParking) Atomics.store(this.words, this.parkedWord, 0);
      this.isParking = false;
    } else if (this.isParking) {
      this.isParking = false;
      this.isAsleep = true;
    } else {
      Atomics.store(this.words, this.parkedWord, 1);
      this.isParking = true;
    }
  }
}

export class LogActor implements Actor {
  readonly name = 'log';
  isBusy = false;
  private readonly loop: LogLoop;
  private readonly words: Int32Array;
  private readonly clock: SimulatedClock;
  private isAsleep = false;
  private isParking = false;
  private sleepCount = 0;

  constructor(loop: LogLoop, clock: SimulatedClock) {
    this.loop = loop;
    this.words = loop.control.words;
    this.clock = clock;
  }

  isRunnable(): boolean {
    return !this.isAsleep || Atomics.load(this.words, CONTROL_LOG_PARKED) === 0;
  }

  step(): void {
    this.isAsleep = false;
    if (this.loop.step() === STEP_RAN) {
      Atomics.store(this.words, CONTROL_LOG_PARKED, 0);
      this.isParking = false;
    } else if (this.isParking) {
      this.isParking = false;
      this.isAsleep = true;
      const sleep = ++this.sleepCount;
      if (Atomics.load(this.words, CONTROL_MODE) === MODE_NORMAL) return;
      this.clock.setTimer(this.loop.parkMs(), () => {
        if (sleep === this.sleepCount) this.isAsleep = false;
      });
    } else {
      Atomics.store(this.words, CONTROL_LOG_PARKED, 1);
      this.isParking = true;
    }
  }
}

export class FrontendActor implements Actor {
  readonly name: string;
  readonly engine: FrontendEngine;
  readonly events: (() => void)[] = [];
  isBusy = false;
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly random: SeededRandom;
  private hasTurn = false;

  constructor(engine: FrontendEngine, control: Control, frontend: number, random: SeededRandom) {
    this.engine = engine;
    this.name = `frontend ${frontend}`;
    this.words = control.words;
    this.parkedWord = CONTROL_FRONTEND_PARKED + (frontend << 4);
    this.random = random;
    Atomics.store(this.words, this.parkedWord, 1);
  }

  isRunnable(): boolean {
    return this.hasTurn || this.events.length > 0 || Atomics.load(this.words, this.parkedWord) === 0;
  }

  step(): void {
    Atomics.store(this.words, this.parkedWord, 0);
    if (this.events.length > 0 && (!this.hasTurn || this.random.oneIn(2))) {
      this.events.shift()!();
      if (this.random.oneIn(3)) this.engine.flush();
      this.hasTurn = true;
      return;
    }
    this.engine.flush();
    this.engine.poll(1 + this.random.below(REPLIES_A_TURN_MAX));
    this.engine.flush();
    this.hasTurn = false;
    Atomics.store(this.words, this.parkedWord, 1);
    if (this.engine.hasWork()) this.hasTurn = true;
  }
}
