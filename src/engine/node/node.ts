/** A node put together: loop, runner, committer. The same in a thread of its own and inline. */

import type { Memory } from '../../base/memory.ts';
import { Committer } from '../../executor/committer.ts';
import type { Control } from '../../executor/control.ts';
import { NodeLoop } from '../../executor/node-loop.ts';
import type { Log } from '../../log/log.ts';
import { NodeRunner } from './node-runner.ts';

export function createNode(control: Control, memory: Memory, node: number, log: Log): NodeLoop {
  const committer = new Committer(control, memory, log);
  const runner = new NodeRunner(control, memory, node, log.isKept);
  const loop = new NodeLoop(control, memory, node, committer, runner);
  runner.shouldGiveUp = () => loop.shouldGiveUp();
  return loop;
}
