/**
 * A tiny assembler for tests: lines of `opcode operand operand operand`, labels as `name:`, label names as operands. And
 * programs that have every list empty but for what a test gives.
 */

import { strict as assert } from 'node:assert';
import { OP } from '../../program/opcodes.ts';
import type { Program, Section } from '../../program/program.ts';

/** Assembles a section; `registerCount` 64 unless given. */
export function assemble(source: string, registerCount = 64): Section {
  const labels = new Map<string, number>();
  const lines: string[][] = [];
  for (const line of source.split('\n')) {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') continue;
    if (text.endsWith(':')) labels.set(text.slice(0, -1), lines.length);
    else lines.push(text.split(/\s+/));
  }
  const code = lines.flatMap(([name, ...operands]) => {
    assert.ok(OP[name!] !== undefined, `no opcode ${name}`);
    const words = operands.map((operand) => labels.get(operand) ?? Number(operand));
    for (const [i, word] of words.entries()) assert.ok(Number.isInteger(word), `${name}: operand ${operands[i]}`);
    return [OP[name!]!, words[0] ?? 0, words[1] ?? 0, words[2] ?? 0];
  });
  return { code, registerCount, comments: {} };
}

const EMPTY_SECTION: Section = { code: [], registerCount: 0, comments: {} };

/** A program of the given parts; everything else is empty. */
export function makeProgram(parts: Partial<Program>): Program {
  return {
    id: 1,
    catalogVersion: 1,
    isWrite: false,
    canTailFail: false,
    sharedUse: 'none',
    isLocal: false,
    hasResult: true,
    requestParameterCount: 0,
    parameterCount: 16,
    statementCount: 1,
    coordinator: EMPTY_SECTION,
    node: EMPTY_SECTION,
    tables: [],
    constants: [],
    points: [],
    lists: [],
    ranges: [],
    groups: [],
    sorts: [],
    outputs: [],
    limits: [],
    inserts: [],
    updates: [],
    rounds: [],
    failures: [],
    systemInputs: [],
    jsonPaths: [],
    cursorCount: 4,
    batchCount: 4,
    groupCount: 4,
    sorterCount: 4,
    rowListCount: 4,
    plan: [],
    stepCount: 0,
    slotEqualities: [],
    ...parts,
  };
}
