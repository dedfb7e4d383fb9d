/**
 * A program as a VM runs it: code as typed arrays with jump targets as word offsets, constants as numbers and bytes. Made
 * once a thread and program by loadProgram, which verifies the program first.
 */

import type { Constant } from '../../catalog/catalog.ts';
import { OP, opcodeRow } from '../../program/opcodes.ts';
import type { JsonPathSpec, Program, ProgramConstant, Section } from '../../program/program.ts';
import { verifyProgram } from '../../program/verifier.ts';
import { jsonFromText } from '../../types/json.ts';
import { writeInteger } from './integers.ts';

const NO_BYTES: readonly (Uint8Array | null)[] = [];

export class LoadedProgram {
  readonly program: Program;
  /** Four words an instruction; jump operands are word offsets. */
  readonly node: Int32Array;
  readonly coordinator: Int32Array;
  /** Word offset in `coordinator` behind `send`; 0 where the program is local. */
  readonly tailStart: number;
  readonly constantNum: Float64Array;
  readonly constantBig: BigInt64Array;
  /** Bytes of text and json constants by ordinal; empty where there are none: then constants need no memory. */
  readonly constantBytes: readonly (Uint8Array | null)[];
  /**
   * By result stream: 1 where the coordinator only concatenates the rows, so that a node may join them itself (result.ts).
   */
  readonly isPlainStream: Uint8Array;
  /** True where the coordinator makes rows itself, maybe many: such a run can pause. */
  readonly makesRows: boolean;
  readonly jsonPaths: readonly LoadedJsonPath[];
  /** What a coordinator VM keeps of the program: routing of its tables. Filled on first use. */
  readonly cache: unknown[] = [];
  /** What a node VM keeps of each update (FixedUpdate). Filled on first use. */
  readonly updates: unknown[];

  constructor(program: Program) {
    this.program = program;
    this.updates = program.updates.map(() => undefined);
    this.node = loadCode(program.node);
    this.coordinator = loadCode(program.coordinator);
    this.tailStart = afterSend(this.coordinator);
    this.isPlainStream = plainStreams(program.coordinator);
    this.makesRows = hasOpcode(this.coordinator, OP.source_next);
    this.jsonPaths = program.jsonPaths.map((path) => new LoadedJsonPath(path));
    this.constantNum = new Float64Array(program.constants.length);
    this.constantBig = new BigInt64Array(program.constants.length);
    const bytes = program.constants.map((constant, ordinal) => this.loadConstant(constant, ordinal));
    this.constantBytes = bytes.some((value) => value !== null) ? bytes : NO_BYTES;
  }

  private loadConstant(constant: ProgramConstant | Constant, ordinal: number): Uint8Array | null {
    switch (constant.kind) {
      case 'int':
      case 'timestamp':
        writeInteger(this.constantNum, this.constantBig, ordinal, BigInt(constant.value));
        return null;
      case 'double':
        this.constantNum[ordinal] = Number(constant.value);
        return null;
      case 'bool':
        this.constantNum[ordinal] = constant.value ? 1 : 0;
        return null;
      case 'list':
        return null;
      case 'text':
        return new TextEncoder().encode(constant.value);
      case 'json':
        return jsonFromText(constant.value);
    }
  }
}

/** A path into JSON, step by step. */
export class LoadedJsonPath {
  /** 0 key, 1 index, 2 key in a parameter, 3 index in a parameter. */
  readonly kinds: Int32Array;
  /** Index, or ordinal of the parameter. */
  readonly numbers: Int32Array;
  /** Bytes of a key; else empty. */
  readonly keys: readonly Uint8Array[];

  constructor(path: JsonPathSpec) {
    this.kinds = Int32Array.from(path, (step) => STEP_KINDS.indexOf(step.kind));
    this.numbers = Int32Array.from(path, (step) =>
      step.kind === 'key' ? 0 : step.kind === 'index' ? step.index : step.parameter,
    );
    this.keys = path.map((step) => new TextEncoder().encode(step.kind === 'key' ? step.key : ''));
  }
}

const STEP_KINDS: readonly string[] = ['key', 'index', 'keyParameter', 'indexParameter'];

/** Verifies and loads a program. Throws an AssertionFailure where the program is malformed: that is a bug of the compiler. */
export function loadProgram(program: Program): LoadedProgram {
  verifyProgram(program);
  return new LoadedProgram(program);
}

function loadCode(section: Section): Int32Array {
  const code = Int32Array.from(section.code);
  for (let word = 0; word < code.length; word += 4) {
    const operands = opcodeRow(code[word])!.operands;
    for (let operand = 0; operand < 3; operand++) if (operands[operand] === 'j') code[word + 1 + operand] *= 4;
  }
  for (let word = 0; word < code.length; word += 4) {
    if (code[word] === OP.scan_next) code[word] = fusedNext(code, word);
  }
  return code;
}

/** One opcode for the step to the next row and the first load behind it: 4 of 30 ns a row. */
function fusedNext(code: Int32Array, word: number): number {
  const start = code[word + 2];
  if (code[start + 2] === code[word + 1]) {
    if (code[start] === OP.scan_int64) return OP.scan_next_int64;
    if (code[start] === OP.scan_int32) return OP.scan_next_int32;
  }
  return code[word];
}

function afterSend(code: Int32Array): number {
  for (let word = 0; word < code.length; word += 4) if (code[word] === OP.send) return word + 4;
  return 0;
}

function plainStreams(section: Section): Uint8Array {
  const plain = new Uint8Array(16);
  for (let word = 0; word < section.code.length; word += 4) {
    const [op, stream, sort, limit] = section.code.slice(word, word + 4);
    if (op === OP.reply_rows && sort === -1 && limit === -1) plain[stream] = 1;
  }
  return plain;
}

function hasOpcode(code: Int32Array, opcode: number): boolean {
  for (let word = 0; word < code.length; word += 4) if (code[word] === opcode) return true;
  return false;
}
