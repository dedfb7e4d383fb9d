/**
 * What is on disk, against the model, without running a machine on it: each checkpoint alone has exactly the state of its
 * place in the order; and had the power gone at some moment, a start would have found all that was acknowledged.
 */

import { strict as assert } from 'node:assert';
import { SeededRandom } from '../../src/testing/random.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { type History, type OnDisk, recognize, savedState } from './check.ts';
import type { CheckpointRecord, SkippedCheckpoint } from './checkpoints.ts';
import { readImage, withoutLog } from './image.ts';
import { isSame, matchFound, stateText } from './model.ts';

/** The disk at a moment at which the power might have gone. */
export type Moment = OnDisk & {
  readonly files: SimulatedFiles;
  readonly operation: number;
  /** One for each power loss. */
  readonly seeds: readonly number[];
};

export function checkContents(record: CheckpointRecord, history: History, nodeCount: number): void {
  const { ticket, lsn, image, identityLow, identityHigh } = record;
  const expected = savedState(history, ticket);
  const found = readImage(withoutLog(image!, lsn), nodeCount);
  assert.equal(found.lsn, lsn, 'a checkpoint alone has its LSN');
  if (matchFound(expected, found.state) === undefined)
    assert.fail(
      `the checkpoint of LSN ${lsn}, ticket ${ticket}, is not of that state\nfound:\n${stateText(found.state)}\nexpected:\n${stateText(expected)}`,
    );
  if (expected.events === undefined) return;
  const { identity } = found;
  const isRight = identity !== undefined && identity >= identityLow! && identity <= identityHigh!;
  assert.ok(isRight, `identity counter ${identity} of LSN ${lsn} is of its fence, ${identityLow} to ${identityHigh}`);
}

/** Where no checkpoint was taken as there was nothing new, all was in the one before. */
export function checkSkipped({ finalCount, fence }: SkippedCheckpoint, history: History): void {
  const { state } = history.states.findLast(({ ticket }) => ticket < finalCount)!;
  if (isSame(state, savedState(history, fence))) return;
  assert.fail(
    `no checkpoint at ticket ${finalCount}, though that of ticket ${fence} has not everything:\n${stateText(state)}`,
  );
}

export function checkMoment(moment: Moment, history: History, nodeCount: number): void {
  const { files, operation, seeds } = moment;
  for (const seed of seeds) {
    try {
      const { state } = readImage(files.afterPowerLoss(new SeededRandom(seed)), nodeCount);
      recognize(history, moment, state);
    } catch (error) {
      throw new Error(`had the power gone at operation ${operation} (${seed}): ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
