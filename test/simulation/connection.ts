/** Clients' connections to the frontends of the machine. */

import type { Reply } from '../../src/engine/frontend/pending-request.ts';
import { RequestParameters } from '../../src/engine/frontend/request-parameters.ts';
import type { FrontendActor } from './actors.ts';
import type { Machine } from './machine.ts';
import type { SimulatedRequest } from './statements.ts';

/** Says when a request is being prepared: every preparation asks for the kinds first. */
export class WatchedParameters extends RequestParameters {
  private readonly onPrepare: () => void;

  constructor(onPrepare: () => void) {
    super();
    this.onPrepare = onPrepare;
    const { kinds } = this;
    Object.defineProperty(this, 'kinds', {
      get: () => {
        this.onPrepare();
        return kinds;
      },
    });
  }

  override get count(): number {
    return 0;
  }
}

/** A client's connection: several requests in the air, and the rule of the server for what main runs (handler.ts). */
export class Connection {
  inFlightCount = 0;
  readonly index: number;
  private readonly machine: Machine;
  private readonly frontend: FrontendActor;
  /** What was sent behind a request that main runs, and that request. */
  private held: (() => void)[] | undefined;
  private holder: Reply | undefined;

  constructor(machine: Machine, frontend: FrontendActor, index: number) {
    this.machine = machine;
    this.frontend = frontend;
    this.index = index;
  }

  send(request: SimulatedRequest): void {
    this.inFlightCount++;
    this.machine.deliver(this, this.frontend, request);
  }

  receive(request: SimulatedRequest, reply: Reply): void {
    if (this.held !== undefined) {
      this.held.push(() => this.receive(request, reply));
      return;
    }
    const isUnordered = this.machine.execute(this.frontend.engine, request, reply);
    if (!isUnordered || this.machine.isAnswered(reply)) return;
    this.held = [];
    this.holder = reply;
  }

  onReply(): void {
    this.inFlightCount--;
    if (this.holder === undefined || !this.machine.isAnswered(this.holder)) return;
    const held = this.held!;
    this.held = undefined;
    this.holder = undefined;
    for (const [index, receive] of held.entries()) {
      if (this.held !== undefined) {
        (this.held as (() => void)[]).push(...held.slice(index));
        return;
      }
      receive();
    }
  }
}
