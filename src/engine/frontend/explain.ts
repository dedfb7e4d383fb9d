/** EXPLAIN and PROFILE: the program, its plan, and what a run of it took. */

import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import {
  BLOCK_FINAL_TIME,
  BLOCK_PARAMETER_COUNT,
  PART_HEADER_BYTES,
  PART_PROFILE_END,
  PART_PROFILE_PAGE,
  PART_PROFILE_START,
} from '../../executor/layout.ts';
import type { BlockView } from '../../executor/request-block.ts';
import { stepsOfStatement } from '../../planner/plan-node.ts';
import { disassemble } from '../../program/disassembler.ts';
import { PARAMETER_BYTES } from '../../program/parameters.ts';
import type { Program } from '../../program/program.ts';
import { FORMAT_PRETTY, formatFlags } from '../../types/result-format.ts';
import { resultBytes } from '../../vm/core/result.ts';
import type { StepProfile } from '../../vm/core/step-profile.ts';
import { lineJson, prettyJson } from '../json-text.ts';

/** When what happened to a profiled request, by Clock.monotonicMilliseconds of the thread that knows. */
export type RequestTimes = {
  /** It came. */
  readonly startedMs: number;
  /** It has its ticket; of a local one, its program. */
  readonly submittedMs: number;
  /** Its reply is made. */
  readonly repliedMs: number;
};

/**
 * The answer of EXPLAIN, of PROFILE with `profiler`: one row, an object. `format` is of FORMAT_* flags; the statement's own
 * FORMAT goes before it.
 */
export function explainReply(
  program: Program,
  format: number,
  profiler: Record<string, unknown> | undefined,
): Uint8Array {
  const bytecode = new Map<string, unknown>();
  if (program.coordinator.code.length > 4) bytecode.set('coordinator', new Map(disassemble(program.coordinator)));
  if (!program.isLocal) bytecode.set('node', new Map(disassemble(program.node)));
  const plan = program.plan.length === 1 ? program.plan[0] : program.plan;
  const row = { bytecode, plan, profiler };
  const own = program.hasResult ? (program.outputs.at(-1)?.format ?? '') : '';
  const flags = own === '' ? format : formatFlags(own);
  const text = (flags & FORMAT_PRETTY) !== 0 ? prettyJson(row, 0) : lineJson(row);
  return new TextEncoder().encode(`[${text}]`);
}

/** What PROFILE tells of a run besides its times: who ran it, and what its steps counted on the coordinator. */
export type ProfiledRun = {
  readonly memory: Memory;
  readonly program: Program;
  /** The request's block, while its results are there; undefined where no node has run it. */
  readonly view: BlockView | undefined;
  readonly nodeCount: number;
  /** Bytes of the batches that went to the nodes. */
  readonly batchBytes: number;
  readonly steps: StepProfile;
};

/** The answer of PROFILE: the program and what its run took; the result itself is not shown. */
export function profileReply(run: ProfiledRun, times: RequestTimes, format: number): Uint8Array {
  const { program, view } = run;
  const profiler = {
    ...(view === undefined ? localTimes(times) : timesOf(run, view, times)),
    ...(view === undefined ? { sent_total: 0, sent_bytes: 0 } : sentOf(run, view)),
    compiled: false,
    steps: describeSteps(program, countSteps(run)),
  };
  return explainReply(program, format, profiler);
}

/**
 * The times of a request that nodes have run. Each ends where the next begins, so they add up; where the clocks of two
 * threads disagree by some microseconds, the later thread's counts as no earlier.
 */
function timesOf({ nodeCount }: ProfiledRun, view: BlockView, times: RequestTimes): Record<string, number> {
  const { startedMs } = times;
  const submittedMs = Math.max(startedMs, times.submittedMs);
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (let node = 0; node < nodeCount; node++) {
    if (!view.hasRun(node)) continue;
    first = Math.min(first, view.getTime(view.part(node) + PART_PROFILE_START));
    last = Math.max(last, view.getTime(view.part(node) + PART_PROFILE_END));
  }
  const beganMs = Math.max(submittedMs, first);
  const votedMs = Math.max(beganMs, last);
  const finalMs = Math.max(votedMs, view.getTime(view.base + BLOCK_FINAL_TIME));
  return {
    time_compile_ms: round(submittedMs - startedMs),
    time_wait_ms: round(beganMs - submittedMs),
    time_run_ms: round(votedMs - beganMs),
    time_commit_ms: round(finalMs - votedMs),
    time_ms: round(Math.max(finalMs, times.repliedMs) - startedMs),
  };
}

/** Of a request that no node has run. */
function localTimes({ startedMs, submittedMs, repliedMs }: RequestTimes): Record<string, number> {
  const ranMs = Math.max(startedMs, submittedMs);
  return {
    time_compile_ms: round(ranMs - startedMs),
    time_wait_ms: 0,
    time_run_ms: round(Math.max(ranMs, repliedMs) - ranMs),
    time_commit_ms: 0,
    time_ms: round(Math.max(ranMs, repliedMs) - startedMs),
  };
}

/** Messages: the request to each node that took part, and its answer. */
function sentOf(run: ProfiledRun, view: BlockView): { sent_total: number; sent_bytes: number } {
  const parameterBytes = view.get(BLOCK_PARAMETER_COUNT) * PARAMETER_BYTES;
  let nodes = 0;
  let bytes = run.batchBytes;
  for (let node = 0; node < run.nodeCount; node++) {
    if (!view.hasRun(node)) continue;
    nodes++;
    bytes += parameterBytes + resultBytes(run.memory, view.page >>> 16, view.part(node) * 4 + PART_HEADER_BYTES);
  }
  return { sent_total: nodes * 2, sent_bytes: bytes };
}

type CountedStep = { rows: number; ms: number };

/** By number of the step: rows are the sum over all threads, times the longest of the nodes and the coordinator's. */
function countSteps({ memory, program, view, nodeCount, steps }: ProfiledRun): CountedStep[] {
  const counted = Array.from({ length: program.stepCount }, () => ({ rows: 0, ms: 0 }));
  for (let node = 0; view !== undefined && node < nodeCount; node++) {
    if (!view.hasRun(node)) continue;
    const page = view.words[view.part(node) + PART_PROFILE_PAGE]!;
    const doubles = memory.f64[page >>> 16]!;
    const first = ((page & 0xffff) * PAGE_BYTES) / 8;
    for (const [number, step] of counted.entries()) {
      step.rows += doubles[first + number * 2]!;
      step.ms = Math.max(step.ms, doubles[first + number * 2 + 1]!);
    }
  }
  for (const [number, step] of counted.entries()) {
    step.rows += steps.rows[number]!;
    step.ms += steps.milliseconds[number]!;
  }
  return counted;
}

/** In the form of the plan: each statement with its steps on the nodes and on the coordinator. */
function describeSteps(program: Program, counted: readonly CountedStep[]): unknown[] {
  let number = 0;
  return program.plan.map((plan) => {
    const described: Record<string, unknown> = {};
    for (const { side, node } of stepsOfStatement(plan)) {
      const { rows, ms } = counted[number++]!;
      const told = { rows, time_ms: round(ms) };
      if (side === 'statement') Object.assign(described, { statement: node, ...told });
      else ((described[side] ??= []) as unknown[]).push({ node, ...told });
    }
    return described;
  });
}

/** To microseconds. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
