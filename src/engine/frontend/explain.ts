/** EXPLAIN and PROFILE: the program, its plan, and what a run of it took. */

import type { Memory } from '../../base/memory.ts';
import type { Control } from '../../executor/control.ts';
import {
  BLOCK_PARAMETER_COUNT,
  PART_PROFILE_BYTES,
  PART_PROFILE_END,
  PART_PROFILE_PAGE,
  PART_PROFILE_START,
} from '../../executor/layout.ts';
import type { BlockView } from '../../executor/request-block.ts';
import { disassemble } from '../../program/disassembler.ts';
import { PARAMETER_BYTES } from '../../program/parameters.ts';
import type { Program } from '../../program/program.ts';
import { FORMAT_PRETTY, formatFlags } from '../../types/result-format.ts';
import type { StatementProfile } from '../../vm/node/profile.ts';
import { lineJson, prettyJson } from '../json-text.ts';
import { readSharedJson } from '../shared-json.ts';

/** When what happened to a profiled request, milliseconds since 1970. */
export type RequestTimes = { readonly startedMs: number; readonly submittedMs: number; readonly finalMs: number };

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

/**
 * The answer of PROFILE: the program and what its run took; the result itself is not shown. `view` is the request's block,
 * undefined where no node has run it.
 */
export function profileReply(
  memory: Memory,
  control: Control,
  view: BlockView | undefined,
  program: Program,
  format: number,
  times: RequestTimes,
  replyBytes: number,
): Uint8Array {
  const profile =
    view === undefined ? localProfile(times) : readProfile(memory, control, view, program, times, replyBytes);
  return explainReply(program, format, profile);
}

/** Reads what the parts of a profiled request have left. Times of steps are the longest of all nodes, rows the sum. */
function readProfile(
  memory: Memory,
  control: Control,
  view: BlockView,
  program: Program,
  times: RequestTimes,
  replyBytes: number,
): Record<string, unknown> {
  let startMs = Number.POSITIVE_INFINITY;
  let endMs = 0;
  let nodeCount = 0;
  const steps = program.plan.map(({ node }) => ({ statement: node, rows: 0, time_ms: 0 }));
  const doubles = memory.f64[view.page >>> 16]!;
  for (let node = 0; node < control.nodeCount; node++) {
    if (!view.hasNode(node)) continue;
    nodeCount++;
    const part = view.part(node);
    startMs = Math.min(startMs, doubles[(part + PART_PROFILE_START) >> 1]!);
    endMs = Math.max(endMs, doubles[(part + PART_PROFILE_END) >> 1]!);
    const page = view.words[part + PART_PROFILE_PAGE]!;
    const told = readSharedJson(memory, page * 1024, view.words[part + PART_PROFILE_BYTES]!) as StatementProfile[];
    for (const { statement, rows, ms } of told) {
      const step = steps[statement]!;
      step.rows += rows;
      step.time_ms = round(Math.max(step.time_ms, ms));
    }
  }
  return {
    time_compile_ms: round(times.submittedMs - times.startedMs),
    time_wait_ms: round(startMs - times.submittedMs),
    time_run_ms: round(endMs - startMs),
    time_commit_ms: round(times.finalMs - endMs),
    time_ms: round(times.finalMs - times.startedMs),
    sent_total: nodeCount * 2,
    sent_bytes: nodeCount * view.get(BLOCK_PARAMETER_COUNT) * PARAMETER_BYTES + replyBytes,
    compiled: false,
    steps,
  };
}

/** Of a request that no node has run. */
function localProfile(times: RequestTimes): Record<string, unknown> {
  return {
    time_compile_ms: round(times.submittedMs - times.startedMs),
    time_wait_ms: 0,
    time_run_ms: round(times.finalMs - times.submittedMs),
    time_commit_ms: 0,
    time_ms: round(times.finalMs - times.startedMs),
    sent_total: 0,
    sent_bytes: 0,
    compiled: false,
    steps: [],
  };
}

/** To microseconds; clocks of threads may differ by less than that. */
function round(ms: number): number {
  return Math.max(0, Math.round(ms * 1000) / 1000);
}
