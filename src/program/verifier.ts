/**
 * Checks the code of a program once, when it is loaded: every opcode exists and stands in the right section, every operand
 * is in range, jumps stay inside, the code cannot run past its end. So the VM checks nothing of this at run time.
 */

import { AssertionFailure } from '../base/assert.ts';
import { PARAMETER_COUNT_MAX, REGISTER_COUNT_MAX } from '../base/limits.ts';
import { isFunctionIndex } from '../functions/registry.ts';
import { type OpcodeRow, opcodeRow } from './opcodes.ts';
import type { Program, Section } from './program.ts';

const NODE_ONLY: ReadonlySet<number> = new Set([3, 4]);
/** Of the families that both sections have. */
const NODE_ONLY_NAMES: ReadonlySet<string> = new Set(['round']);
const COORDINATOR_ONLY: ReadonlySet<number> = new Set([6]);
/** What loading makes of others, with operands that nobody has checked together. */
const LOADING_ONLY: ReadonlySet<string> = new Set(['scan_next_int64', 'scan_next_int32']);
/** Results streams of a part: the stream is one byte of a record, and a program knows 16 plain ones. */
const STREAM_COUNT_MAX = 16;

/** The list of the program that a spec operand (kind q) of an opcode names. */
const SPEC_LISTS: Readonly<Record<string, keyof Program>> = {
  fail: 'failures',
  range_open: 'ranges',
  point_open: 'points',
  list_open: 'lists',
  update: 'updates',
  round: 'rounds',
  move_row: 'updates',
  moved_open: 'rounds',
  group_open: 'groups',
  sort_open: 'sorts',
  send_row: 'outputs',
  send_row_key: 'outputs',
  route_point: 'points',
  route_list: 'lists',
  batch_values: 'inserts',
  batch_new: 'inserts',
  batch_generate: 'inserts',
  out_open: 'outputs',
  out_row: 'outputs',
  json_path: 'jsonPaths',
  json_path_int: 'jsonPaths',
  json_path_double: 'jsonPaths',
  json_path_text: 'jsonPaths',
  json_path_bool: 'jsonPaths',
  json_path_exists: 'jsonPaths',
  json_path_set: 'jsonPaths',
};

/** Throws an AssertionFailure that names section, instruction and operand where the program is malformed. */
export function verifyProgram(program: Program): void {
  verifySection(program, program.coordinator, 'coordinator');
  verifySection(program, program.node, 'node');
  verifyRounds(program);
  for (const [path, steps] of program.jsonPaths.entries()) {
    const isRight = steps.every((step) => !('parameter' in step) || step.parameter < program.requestParameterCount);
    if (!isRight || steps.length === 0) throw new AssertionFailure(`JSON path ${path} is malformed`);
  }
}

/** Every round stands once in the node section, in its order, and what it left is opened behind it. */
function verifyRounds({ node, rounds }: Program): void {
  const { code } = node;
  let passedCount = 0;
  for (let word = 0; word < code.length; word += 4) {
    const { name } = opcodeRow(code[word]!)!;
    if (name === 'round' && code[word + 1] !== passedCount++)
      throw new AssertionFailure(`node ${word / 4}: round ${code[word + 1]} is out of its order`);
    if (name === 'moved_open' && (code[word + 2] !== passedCount - 1 || rounds[passedCount - 1]!.kind !== 'move'))
      throw new AssertionFailure(`node ${word / 4}: what round ${code[word + 2]} left is not opened behind it`);
  }
  if (passedCount !== rounds.length) throw new AssertionFailure(`the node section has ${passedCount} rounds`);
}

function verifySection(program: Program, section: Section, name: 'coordinator' | 'node'): void {
  const { code } = section;
  if (code.length % 4 !== 0) throw new AssertionFailure(`${name}: code is not whole instructions`);
  if (section.registerCount > REGISTER_COUNT_MAX) throw new AssertionFailure(`${name}: too many registers`);
  if (program.parameterCount > PARAMETER_COUNT_MAX) throw new AssertionFailure(`${name}: too many parameters`);
  if (code.length === 0) return;
  for (let word = 0; word < code.length; word += 4) {
    const row = opcodeRow(code[word]!);
    const place = `${name} ${word / 4}`;
    if (row === undefined) throw new AssertionFailure(`${place}: no opcode ${code[word]}`);
    const family = row.number >>> 6;
    if (LOADING_ONLY.has(row.name)) throw new AssertionFailure(`${place}: ${row.name} is made by loading`);
    const isForeign =
      name === 'node' ? COORDINATOR_ONLY.has(family) : NODE_ONLY.has(family) || NODE_ONLY_NAMES.has(row.name);
    if (isForeign) throw new AssertionFailure(`${place}: ${row.name} does not belong here`);
    verifyInstruction(program, section, row, word, place);
  }
  const last = opcodeRow(code[code.length - 4]!)!.name;
  if (last !== 'ret' && last !== 'jmp' && last !== 'fail' && last !== 'send') {
    throw new AssertionFailure(`${name}: runs past its end after ${last}`);
  }
}

function verifyInstruction(program: Program, section: Section, row: OpcodeRow, word: number, place: string): void {
  for (let operand = 0; operand < 3; operand++) {
    const value = section.code[word + 1 + operand]!;
    const kind = row.operands[operand]!;
    const isInRange = (value | 0) === value && inRange(program, section, row, kind, operand, value);
    if (!isInRange) throw new AssertionFailure(`${place}: ${row.name}: operand ${operand} (${kind}) is ${value}`);
  }
  const [, a, b, c] = section.code.slice(word, word + 4) as [number, number, number, number];
  const end = registerEnd(program, row.name, a, b, c);
  if (end > section.registerCount) {
    throw new AssertionFailure(`${place}: ${row.name}: needs ${end} registers of ${section.registerCount}`);
  }
  if ((row.name === 'group_send' || row.name === 'sort_send') && b >= STREAM_COUNT_MAX) {
    throw new AssertionFailure(`${place}: no result stream ${b}`);
  }
}

function inRange(
  program: Program,
  section: Section,
  row: OpcodeRow,
  kind: string,
  operand: number,
  value: number,
): boolean {
  switch (kind) {
    case '-':
    case 'i':
      return true;
    case 'd':
      return value >= 0 && value < section.registerCount;
    case 'r':
      // A sorter without limit has register -1; a run of no registers may start at the end; `fail` may have none.
      return mayBeNoRegister(row.name, operand, value)
        ? value >= -1 && value <= section.registerCount
        : value >= 0 && value < section.registerCount;
    case 'p':
      return value >= 0 && value < program.parameterCount;
    case 'k':
      return value >= 0 && value < program.constants.length;
    case 'j':
      return value >= 0 && value * 4 < section.code.length;
    case 't':
      return value >= 0 && value < program.tables.length;
    case 'c':
      return value >= 0 && value < program.cursorCount;
    case 'b':
      return value >= 0 && value < program.batchCount;
    case 'g':
      return value >= 0 && value < program.groupCount;
    case 's':
      return value >= 0 && value < program.sorterCount;
    case 'x':
      return value >= 0 && value < program.rowListCount;
    case 'n':
      return value >= 0;
    case 'y':
      return value >= 0 && value < program.stepCount;
    case 'f':
      return isFunctionIndex(value);
    case 'q':
      return specInRange(program, row.name, operand, value);
    default:
      return false;
  }
}

function mayBeNoRegister(name: string, operand: number, value: number): boolean {
  if (name === 'sort_open') return operand === 2;
  if (name === 'fail') return operand === 1;
  return (
    value >= 0 &&
    (name === 'group_find' || name === 'call' || name === 'update' || name === 'send_row' || name === 'out_row')
  );
}

function specInRange(program: Program, name: string, operand: number, value: number): boolean {
  if (name === 'reply_rows') {
    const list = operand === 1 ? program.sorts : program.limits;
    return value >= -1 && value < list.length;
  }
  if (name === 'out_close') return value >= 0 && value < program.outputs.length;
  const list = SPEC_LISTS[name];
  return list !== undefined && value >= 0 && value < (program[list] as readonly unknown[]).length;
}

/** One past the last register that the instruction reads or writes as a run; 0 where it has none. */
function registerEnd(program: Program, name: string, a: number, b: number, c: number): number {
  switch (name) {
    case 'guard_n':
    case 'json_array':
      return b + c;
    case 'json_object':
      return b + 2 * c;
    case 'call':
      return c + (b >>> 16);
    case 'cmp_int_double':
    case 'json_find':
    case 'cmp_vector':
    case 'vector_arithmetic':
    case 'json_path_set':
    case 'json_any':
      return b + 2;
    case 'make_vector':
      return b + c;
    case 'update':
    case 'move_row':
      return c + program.updates[b]!.columns.length;
    case 'send_row':
      return b + program.outputs[a]!.columns.length;
    case 'send_row_key':
      return b + 1 + program.outputs[a]!.columns.length;
    case 'out_row':
      return b + program.outputs[a]!.columns.length;
    case 'point_open':
    case 'route_point':
      return program.points[b]!.keyRegister + program.points[b]!.keyCount;
    case 'list_open':
      return program.lists[b]!.keyRegister + program.lists[b]!.keyCount;
    case 'route_list':
      return program.lists[a]!.keyRegister + program.lists[a]!.keyCount;
    default:
      return 0;
  }
}
