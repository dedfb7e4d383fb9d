/** A node put together: loop, runner, committer. The same in a thread of its own and inline. */

import type { Clock } from '../../base/effects.ts';
import type { Memory } from '../../base/memory.ts';
import { Committer } from '../../executor/committer.ts';
import type { Control } from '../../executor/control.ts';
import { NodeLoop } from '../../executor/node-loop.ts';
import type { Log } from '../../log/log.ts';
import { NodeRunner } from './node-runner.ts';

/** What a node is made of; tests put broken variants in, which their checkers have to catch. */
export type NodeClasses = { readonly committer: typeof Committer; readonly runner: typeof NodeRunner };

const NODE_CLASSES: NodeClasses = { committer: Committer, runner: NodeRunner };

export function createNode(
  control: Control,
  memory: Memory,
  node: number,
  log: Log,
  clock: Clock,
  classes: NodeClasses = NODE_CLASSES,
): NodeLoop {
  const committer = new classes.committer(control, memory, log, clock);
  const runner = new classes.runner(control, memory, node, log.isKept, clock);
  const loop = new NodeLoop(control, memory, node, committer, runner);
  runner.shouldGiveUp = () => loop.shouldGiveUp();
  return loop;
}
