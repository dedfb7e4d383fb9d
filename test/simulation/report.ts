/** What schedules did, so that tests can see that they reached what they are about. */

import type { Recovered } from '../../src/engine/main/recovery.ts';
import type { Control } from '../../src/executor/control.ts';
import { CONTROL_ROLLBACK, FLAG_FENCE, FLAG_ROUNDS, FLAG_STANDS, ROLLBACK_ABORT } from '../../src/executor/layout.ts';
import type { Machine } from './machine.ts';
import type { StandingCounts } from './parts.ts';
import { SHARED_TABLES } from './random-statements.ts';
import { standsOf } from './stands.ts';
import { isCheckpoint, type SimulatedRequest } from './statements.ts';

export type SimulationReport = {
  steps: number;
  tickets: number;
  errors: number;
  /** Tickets with rounds, and plain fences. */
  rounds: number;
  fences: number;
  /** Parts that gave up for a rollback; in a fence, and in the first step of rounds. */
  interrupted: number;
  interruptedInFences: number;
  interruptedInRounds: number;
  /** Tickets that change shared tables and use others: those that end well. */
  mixed: number;
  /** Parts of them that failed, of the owner of shared tables and of others; and tails. */
  mixedFailedByOwner: number;
  mixedFailedByOthers: number;
  mixedFailedInTail: number;
  /** Rollbacks that began while the owner was in the step that changes shared tables; and that undid it when it was done. */
  mixedAbortsAtWork: number;
  mixedReplaysAtWork: number;
  mixedAbortsBehindWork: number;
  mixedReplaysBehindWork: number;
  /** Steps of them that gave up. */
  mixedInterrupted: number;
  profiled: number;
  /** Requests that moved rows of shared tables, alone and together with others; that moved any; that were refused as moved rows clash, and as they log too much. */
  sharedMoves: number;
  mixedMoves: number;
  moves: number;
  clashes: number;
  limits: number;
  stale: number;
  definitions: number;
  /** DDL while a checkpoint is written. */
  definitionsInCheckpoint: number;
  logFailures: number;
  unknown: number;
  /** After each there was a checkpoint before the log took records again. */
  failedSyncs: number;
  outOfMemory: number;
  cleanStops: number;
  kills: number;
  powerLosses: number;
  /** The end of a life while a checkpoint is written. */
  killsInCheckpoint: number;
  powerLossesInCheckpoint: number;
  /** Rollbacks by kind. */
  aborts: number;
  replays: number;
  /** Those that met nodes in rounds; at a plain fence at which others were missing; and that undid what a fence wrote. */
  abortsInRounds: number;
  replaysInRounds: number;
  abortsInFences: number;
  replaysInFences: number;
  abortsOverFences: number;
  replaysOverFences: number;
  /** Checkpoints that are whole; begun by the clock, or for a failed log; that failed. */
  checkpoints: number;
  checkpointsByInterval: number;
  checkpointsForced: number;
  /** At the LSN of the one before, as unlogged rows have changed or the log has failed; and not taken as nothing had. */
  checkpointsOfSameLsn: number;
  checkpointsSkipped: number;
  checkpointsFailed: number;
  checkpointsCancelled: number;
  /** Allocations that were copied as they were frozen; those whose copy took their place; and that readers gave back. */
  copies: number;
  orphaned: number;
  returned: number;
  /** New log files, and new ones while a checkpoint is written. */
  rotations: number;
  rotationsInCheckpoint: number;
  logFilesRemoved: number;
  /** Starts that loaded a checkpoint, and that had records behind it. */
  starts: number;
  startsFromCheckpoint: number;
  startsFromCheckpointAndLog: number;
  /** With unlogged rows, and with none of those that were not in a checkpoint. */
  startsWithUnlogged: number;
  tornTails: number;
  unfinishedCheckpoints: number;
  /** Checks: of a checkpoint's content alone, of a power loss in the middle of a life, of pages while it is quiet. */
  contentsChecked: number;
  lossesChecked: number;
  pagesChecked: number;
  largeTables: number;
  emptyReserves: number;
  /** Of the disk, from the first request on. */
  operations: number;
  /** Changes with every step that is taken: equal ones are equal runs. */
  trace: number;
};

export function emptyReport(): SimulationReport {
  return {
    steps: 0,
    tickets: 0,
    errors: 0,
    rounds: 0,
    fences: 0,
    interrupted: 0,
    interruptedInFences: 0,
    interruptedInRounds: 0,
    mixed: 0,
    mixedFailedByOwner: 0,
    mixedFailedByOthers: 0,
    mixedFailedInTail: 0,
    mixedAbortsAtWork: 0,
    mixedReplaysAtWork: 0,
    mixedAbortsBehindWork: 0,
    mixedReplaysBehindWork: 0,
    mixedInterrupted: 0,
    profiled: 0,
    sharedMoves: 0,
    mixedMoves: 0,
    moves: 0,
    clashes: 0,
    limits: 0,
    stale: 0,
    definitions: 0,
    definitionsInCheckpoint: 0,
    logFailures: 0,
    unknown: 0,
    failedSyncs: 0,
    outOfMemory: 0,
    cleanStops: 0,
    kills: 0,
    powerLosses: 0,
    killsInCheckpoint: 0,
    powerLossesInCheckpoint: 0,
    aborts: 0,
    replays: 0,
    abortsInRounds: 0,
    replaysInRounds: 0,
    abortsInFences: 0,
    replaysInFences: 0,
    abortsOverFences: 0,
    replaysOverFences: 0,
    checkpoints: 0,
    checkpointsByInterval: 0,
    checkpointsForced: 0,
    checkpointsOfSameLsn: 0,
    checkpointsSkipped: 0,
    checkpointsFailed: 0,
    checkpointsCancelled: 0,
    copies: 0,
    orphaned: 0,
    returned: 0,
    rotations: 0,
    rotationsInCheckpoint: 0,
    logFilesRemoved: 0,
    starts: 0,
    startsFromCheckpoint: 0,
    startsFromCheckpointAndLog: 0,
    startsWithUnlogged: 0,
    tornTails: 0,
    unfinishedCheckpoints: 0,
    contentsChecked: 0,
    lossesChecked: 0,
    pagesChecked: 0,
    largeTables: 0,
    emptyReserves: 0,
    operations: 0,
    trace: 0,
  };
}

export function addReport(total: SimulationReport, report: SimulationReport): void {
  for (const key of Object.keys(total) as (keyof SimulationReport)[]) total[key] += report[key];
}

/** Adds what a machine did that is over. */
export function countLife(report: SimulationReport, machine: Machine, requests: readonly SimulatedRequest[]): void {
  const { orders, checkpoints } = machine;
  report.tickets += orders.length;
  for (const [ticket, { request, isFreeze, flags }] of orders.entries()) {
    if (!isFreeze && request.ticket !== ticket) report.stale++;
    if ((flags & FLAG_ROUNDS) !== 0) report.rounds++;
    if ((flags & FLAG_FENCE) !== 0) report.fences++;
    const { outcome, operations } = request;
    if (request.ticket !== ticket || outcome === undefined || 'error' in outcome) continue;
    if ((flags & FLAG_STANDS) !== 0) report.mixed++;
    if (!operations.some((operation) => operation.kind === 'move' && SHARED_TABLES.includes(operation.table))) continue;
    if ((flags & FLAG_STANDS) !== 0) report.mixedMoves++;
    else report.sharedMoves++;
  }
  for (const { outcome, definition, operations } of requests) {
    if (outcome === undefined) continue;
    const error = 'error' in outcome ? outcome.error : '';
    if (operations[0]?.kind === 'profile') report.profiled++;
    const isMove = operations.some(({ kind }) => kind === 'move');
    if (isMove && error === '') report.moves++;
    if (isMove && error === 'key_conflict') report.clashes++;
    if (error === 'limit_exceeded') report.limits++;
    if (definition !== undefined && error === '') report.definitions++;
    if (error === 'log_failure') report.logFailures++;
    else if (error === 'commit_unknown') report.unknown++;
    else if (error === 'out_of_memory') report.outOfMemory++;
    else if (error !== '') report.errors++;
  }
  const { all, inFences, inRounds } = machine.parts.interrupted;
  report.interrupted += all;
  report.interruptedInFences += inFences;
  report.interruptedInRounds += inRounds;
  countStanding(report, machine.parts.standing);
  const { copies, orphaned, returned } = machine.pages.counts;
  report.copies += copies;
  report.orphaned += orphaned;
  report.returned += returned;
  report.definitionsInCheckpoint += machine.definitionsInCheckpoint;
  report.checkpoints += checkpoints.written.length;
  report.checkpointsFailed += checkpoints.failed.length;
  const asked = requests.filter((request) => isCheckpoint(request)).length;
  report.checkpointsForced += checkpoints.forcedCount;
  report.checkpointsSkipped += checkpoints.skipped.length;
  for (const [index, { lsn }] of checkpoints.written.entries())
    if (lsn === checkpoints.written[index - 1]?.lsn) report.checkpointsOfSameLsn++;
  const freezes = orders.filter(({ isFreeze }) => isFreeze).length;
  report.checkpointsByInterval += Math.max(0, freezes - asked - checkpoints.forcedCount);
}

function countStanding(report: SimulationReport, standing: StandingCounts): void {
  report.mixedFailedByOwner += standing.failedByOwner;
  report.mixedFailedByOthers += standing.failedByOthers;
  report.mixedFailedInTail += standing.failedInTail;
  report.mixedAbortsAtWork += standing.abortsAtWork;
  report.mixedReplaysAtWork += standing.replaysAtWork;
  report.mixedAbortsBehindWork += standing.abortsBehindWork;
  report.mixedReplaysBehindWork += standing.replaysBehindWork;
  report.mixedInterrupted += standing.interrupted;
}

/** Adds a rollback that has just begun. */
export function countRollback(report: SimulationReport, control: Control): void {
  const isAbort = Atomics.load(control.words, CONTROL_ROLLBACK) === ROLLBACK_ABORT;
  const kind = isAbort ? 'aborts' : 'replays';
  const { isInRounds, isInFence, isOverFence } = standsOf(control);
  report[kind]++;
  if (isInRounds) report[`${kind}InRounds`]++;
  if (isInFence) report[`${kind}InFences`]++;
  if (isOverFence) report[`${kind}OverFences`]++;
}

/** Adds what a start found. */
export function countStart(report: SimulationReport, { checkpoint, log, unfinishedCount }: Recovered): void {
  report.starts++;
  if (checkpoint !== undefined) {
    report.startsFromCheckpoint++;
    if (log.recordCount > 0) report.startsFromCheckpointAndLog++;
  }
  if (log.torn !== undefined) report.tornTails++;
  report.unfinishedCheckpoints += unfinishedCount;
}

/** A line each, but for the trace. */
export function reportText(report: SimulationReport): string {
  return Object.entries(report)
    .filter(([name]) => name !== 'trace')
    .map(([name, count]) => `${String(count).padStart(10)} ${name}`)
    .join('\n');
}
