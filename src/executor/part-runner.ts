/** What the executor runs on a node, and knows nothing of: the VM, storage, undo and redo. */

import type { BlockView } from './request-block.ts';

/** Result of a part, a sum: it changed data. */
export const PART_WROTE = 1;
/** It has redo to log: the PART_REDO_* words are set, for all steps so far. */
export const PART_REDO = 2;
/** It gave up because `shouldGiveUp` said so, and has freed what it had made since it was called; not with others. */
export const PART_INTERRUPTED = 4;
/** It changed rows of unlogged tables. */
export const PART_UNLOGGED = 8;

/** Result of a middle section: a step follows, and a middle section behind it. */
export const MIDDLE_STEP = 0;
/** One step follows, the last: participants vote as soon as they have done it. */
export const MIDDLE_LAST = 1;
/** No step follows. */
export const MIDDLE_END = 2;
/** It gave up because `shouldGiveUp` said so. */
export const MIDDLE_INTERRUPTED = 3;

/** Result of `fenceWorker`: whichever node arrives last. Only for fences that do not write. */
export const WORKER_ANY = -1;

/**
 * What a node loop runs. Marks are positions that only the runner understands; they rise. All calls come from the node's
 * thread. What throws SqlError fails, and is undone by `rollbackTo`; anything else that is thrown is a bug and ends the
 * process.
 */
export interface PartRunner extends Partial<RoundRunner>, Partial<FenceRunner> {
  /**
   * Runs the part of this node of a request, its step 0, or the work of a plain fence: `part` is the word index of its
   * record in `view.words`, made fresh. Returns PART_* flags; throws SqlError (with `statement` and `row`) when it fails.
   * Long loops ask NodeLoop.shouldGiveUp.
   */
  run(view: BlockView, part: number, ticket: number): number;
  /** Runs the tail of the coordinator section where it can fail, once all parts have run; throws SqlError. */
  runTail(view: BlockView): void;
  /** Frees the result pages of a part whose result nobody will read, of this node. */
  discardResult(view: BlockView, part: number): void;
  undoMark(): number;
  redoMark(): number;
  /** Undoes, youngest first, what was done since both marks; drops the redo. Never fails. */
  rollbackTo(undoMark: number, redoMark: number): void;
  /** What was undone or logged before both marks is final: space freed there may be used again. */
  release(undoMark: number, redoMark: number): void;
  /** The work of a drained fence: the command of the block (BLOCK_COMMAND_*). Not undone; throws SqlError. */
  applyFence(view: BlockView, part: number): void;
  /** Between two parts, when there is nothing else to do. True when there is more of it to do at once. */
  housekeep?(): boolean;
}

/**
 * The rest of a request with FLAG_ROUNDS. Between two calls the part is a state of the runner (its registers): the node
 * runs nothing else meanwhile. What is awaited follows from program and mask alone, so all nodes find the same.
 *
 * Who reads what: a middle section reads the records of the parts that it, or one before it, awaited. It writes the record
 * of the coordinator (part number `nodeCount`) and pages that hang there, and only adds to what middle sections before it
 * left: parts of later steps may be reading that. A step that is not the last and is awaited may read what an awaited part
 * left, too.
 */
export interface RoundRunner {
  /** Participants, at least one, whose part of that step the middle section behind it needs. */
  awaitedCount(view: BlockView, step: number): number;
  /** Whether this node is one of them. */
  isAwaited(view: BlockView, step: number): boolean;
  /** Runs the part of a step from 1 on; as `run`. Its record still holds what earlier steps left. */
  runStep(view: BlockView, part: number, ticket: number, step: number): number;
  /** The coordinator's section behind that step, on the node that arrived last. Returns MIDDLE_*; throws SqlError. */
  runMiddle(view: BlockView, step: number): number;
  /** Frees the pages of all middle sections of an attempt that is undone: on the node that ran the first of them. */
  discardMiddle(view: BlockView): void;
}

/**
 * The rest of a request with FLAG_FENCE, and of one with FLAG_STANDS: rounds of all nodes, whose last step all await and
 * MIDDLE_END follows. There the node is the owner of what all read, which it may write in steps from 1 on; others read none of it
 * in those. All await step 0.
 */
export interface FenceRunner {
  /** The node that runs the part: the owner of what it writes, or WORKER_ANY. Alike on all nodes. */
  fenceWorker(view: BlockView): number;
}
