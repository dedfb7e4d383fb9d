import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { BIGINT } from '../types/type.ts';
import { disassemble, disassembleProgram } from './disassembler.ts';
import { OP, OPCODES } from './opcodes.ts';
import type { Program, Section } from './program.ts';
import { verifyProgram } from './verifier.ts';

function section(...instructions: readonly (readonly [string, ...number[]])[]): Section {
  const code = instructions.flatMap(([name, a = 0, b = 0, c = 0]) => [OP[name]!, a, b, c]);
  return { code, registerCount: 4, comments: {} };
}

const NONE: Section = { code: [], registerCount: 0, comments: {} };

function program(parts: Partial<Program>): Program {
  return {
    id: 1,
    catalogVersion: 1,
    isWrite: false,
    canTailFail: false,
    sharedUse: 'none',
    isLocal: false,
    hasResult: true,
    requestParameterCount: 0,
    parameterCount: 2,
    statementCount: 1,
    coordinator: NONE,
    node: NONE,
    tables: [],
    jsonPaths: [],
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
    cursorCount: 1,
    batchCount: 1,
    groupCount: 1,
    sorterCount: 1,
    rowListCount: 1,
    plan: [],
    stepCount: 0,
    slotEqualities: [],
    ...parts,
  }; // prettier-ignore
}

function refused(node: Section, parts: Partial<Program> = {}): string {
  try {
    verifyProgram(program({ node, ...parts }));
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('a sound program passes', () => {
  const outputs = [{ columns: [{ name: 'a', type: BIGINT, isNullable: false }], format: '' }];
  assert.equal(refused(section(['load_int', 3, 7], ['jmp', 2], ['send_row', 0, 3, 0], ['ret']), { outputs }), '');
});

test('operands out of range are named', () => {
  assert.match(refused(section(['load_int', 4], ['ret'])), /^node 0: load_int: operand 0 \(d\) is 4$/);
  assert.match(refused(section(['move', 0, -1], ['ret'])), /operand 1 \(r\)/);
  assert.match(refused(section(['jmp', 2], ['ret'])), /operand 0 \(j\)/);
  assert.match(refused(section(['param', 0, 2], ['ret'])), /operand 1 \(p\)/);
  assert.match(refused(section(['const', 0, 0], ['ret'])), /operand 1 \(k\)/);
  assert.match(refused(section(['scan_open', 0, 0, 1], ['ret'])), /operand 1 \(t\)/);
  assert.match(refused(section(['scan_next', 1, 0], ['ret'])), /operand 0 \(c\)/);
  assert.match(refused(section(['point_open', 0, 0, 1], ['ret'])), /operand 1 \(q\)/);
  assert.match(refused(section(['call', 0, 65_535, 0], ['ret'])), /operand 1 \(f\)/);
  assert.match(refused(section(['load_int', 0.5], ['ret'])), /operand 0/);
});

test('runs of registers end inside', () => {
  assert.match(refused(section(['guard_n', 0, 2, 3], ['ret'])), /needs 5 registers of 4/);
  assert.match(refused(section(['cmp_int_double', 0, 3, 0], ['ret'])), /needs 5 registers/);
  assert.match(refused(section(['json_object', 0, 0, 3], ['ret'])), /needs 6 registers/);
  const outputs = [{ columns: [1, 2].map(() => ({ name: 'a', type: BIGINT, isNullable: false })), format: '' }];
  assert.match(refused(section(['send_row', 0, 3, 0], ['ret']), { outputs }), /needs 5 registers/);
});

test('opcodes stand in their section; code does not run past its end', () => {
  assert.match(refused(section(['send'], ['ret'])), /send does not belong here/);
  const coordinator = section(['scan_next', 0, 0], ['ret']);
  assert.throws(() => verifyProgram(program({ coordinator })), /coordinator 0: scan_next does not belong here/);
  assert.match(refused(section(['scan_next_int64', 0, 0], ['ret'])), /scan_next_int64 is made by loading/);
  assert.match(refused(section(['load_int', 0, 1])), /runs past its end after load_int/);
  assert.match(refused({ code: [63, 0, 0, 0], registerCount: 1, comments: {} }), /no opcode 63/);
  assert.match(refused({ code: [1, 2], registerCount: 1, comments: {} }), /whole instructions/);
});

test('rounds stand in their order, each once, and what they left is opened behind them', () => {
  const tables = [{ tableId: 1, name: 'public.t' }];
  const rounds = [0, 0].map((table) => ({ kind: 'move' as const, table }));
  const opened = (round: number): [string, ...number[]] => ['moved_open', 0, round, 0];
  const given = { tables, rounds };
  assert.equal(refused(section(['round', 0], opened(0), ['round', 1], opened(1), ['ret']), given), '');
  assert.match(refused(section(['round', 1], ['round', 0], ['ret']), given), /node 0: round 1 is out of its order/);
  assert.match(refused(section(['round', 0], ['ret']), given), /the node section has 1 rounds/);
  assert.match(refused(section(['round', 0], ['round', 0], ['ret']), given), /node 1: round 0 is out of its order/);
  assert.match(refused(section(['round', 0], ['round', 1], opened(0), ['ret']), given), /round 0 left is not opened/);
  assert.match(refused(section(opened(0), ['round', 0], ['round', 1], ['ret']), given), /round 0 left is not opened/);
  assert.match(refused(section(['round', 0], ['ret'])), /node 0: round: operand 0 \(q\) is 0/);
  const coordinator = section(['round', 0], ['ret']);
  assert.throws(() => verifyProgram(program({ coordinator, ...given })), /coordinator 0: round does not belong here/);
});

test('code as text: numbered lines, aligned columns, comments', () => {
  const listing: Section = { ...section(['load_int', 1, -5], ['add_int', 0, 1, 2], ['ret']), comments: { 1: 'a + 1' } };
  assert.deepEqual(disassemble(listing), [
    ['00', 'load_int           1      -5     0'],
    ['01', 'add_int            0      1      2      # a + 1'],
    ['02', 'ret                0      0      0'],
  ]);
  assert.deepEqual(Object.keys(disassembleProgram(program({ node: listing }))), ['node']);
  const long = section(...Array.from({ length: 101 }, () => ['ret'] as const));
  assert.equal(disassemble(long)[100]![0], '100');
  assert.equal(disassemble(long)[7]![0], '007');
});

test('names of opcodes fit their column', () => {
  for (const { name } of OPCODES) assert.ok(name.length < 20, name);
});
