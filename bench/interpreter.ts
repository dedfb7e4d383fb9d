/**
 * Nanoseconds an opcode in the interpreter: a section of 300 instructions on numbers, comparisons, NULL guards, moves and
 * jumps, as expressions compile to them, run again and again in this process.
 *
 * Every jump leads to the next instruction, taken or not, so the number of opcodes run is known. Integers stay below a
 * modulus and doubles below a bound, so no path for large numbers is measured.
 */

import { Memory } from '../src/base/memory.ts';
import { OP } from '../src/program/opcodes.ts';
import { interpret } from '../src/vm/core/interpreter.ts';
import { Vm } from '../src/vm/core/vm.ts';
import { type Measurement, median } from './report.ts';
import type { SectionOptions } from './section.ts';

const BODY_OPCODES = 300;
const LOOP_COUNT = 20_000;
const RUN_COUNT = 15;
const WORDS_PER_INSTRUCTION = 4;
const NS_PER_OPCODE_MAX = 8;

/** Registers of the program. */
const LOOP_COUNTER = 0;
const FACTOR = 1;
const MODULUS = 2;
const HALF = 3;
const ONE = 4;
const FIRST_INTEGER = 8;
const FIRST_DOUBLE = 16;
const FIRST_FLAG = 24;
const REGISTERS_OF_A_KIND = 8;

class Assembler {
  readonly words: number[] = [];

  get next(): number {
    return this.words.length;
  }

  add(name: string, a = 0, b = 0, c = 0): void {
    const opcode = OP[name];
    if (opcode === undefined) throw new Error(`there is no opcode ${name}`);
    this.words.push(opcode, a, b, c);
  }

  /** A jump, taken or not, to the instruction after it; the target is the operand of that number. */
  addJump(name: string, register: number): void {
    this.add(name, register, this.next + WORDS_PER_INSTRUCTION);
  }
}

/** `x = x * factor + y; x = x % modulus; flag = x < y; d = d * half + one; …` on changing registers. */
function addBlock(code: Assembler, round: number): void {
  const integer = FIRST_INTEGER + (round % REGISTERS_OF_A_KIND);
  const other = FIRST_INTEGER + ((round * 3 + 1) % REGISTERS_OF_A_KIND);
  const double = FIRST_DOUBLE + (round % REGISTERS_OF_A_KIND);
  const otherDouble = FIRST_DOUBLE + ((round * 3 + 1) % REGISTERS_OF_A_KIND);
  const flag = FIRST_FLAG + (round % REGISTERS_OF_A_KIND);
  const otherFlag = FIRST_FLAG + ((round * 3 + 1) % REGISTERS_OF_A_KIND);
  code.add('mul_int', integer, integer, FACTOR);
  code.add('guard2', integer, integer, other);
  code.add('add_int', integer, integer, other);
  code.add('mod_int', integer, integer, MODULUS);
  code.add('lt_int', flag, integer, other);
  code.addJump('jmp_false', flag);
  code.add('mul_double', double, double, HALF);
  code.add('add_double', double, double, ONE);
  code.add('sub_int', other, integer, other);
  code.add('ge_double', otherFlag, double, otherDouble);
  code.addJump('jmp_not_true', otherFlag);
  code.add('eq_int', flag, integer, other);
  code.add('not', flag, flag);
  code.add('move', otherDouble, double);
  code.add('is_null', otherFlag, integer);
}

const BLOCK_OPCODES = 15;

function assemble(): Int32Array {
  const code = new Assembler();
  for (let round = 0; round < BODY_OPCODES / BLOCK_OPCODES; round++) addBlock(code, round);
  const end = code.next + 2 * WORDS_PER_INSTRUCTION;
  code.add('count_down', LOOP_COUNTER, end);
  code.add('jmp', 0);
  code.add('ret');
  return Int32Array.from(code.words);
}

export async function measureInterpreter(options: SectionOptions): Promise<Measurement[]> {
  const vm = new Vm(Memory.create({ limitBytes: 64 * 2 ** 20, eagerArenas: false }));
  const code = assemble();
  const opcodeCount = LOOP_COUNT * (BODY_OPCODES + 2);
  const times: number[] = [];
  for (let run = 0; run < RUN_COUNT; run++) {
    vm.num[LOOP_COUNTER] = LOOP_COUNT;
    vm.num[FACTOR] = 69_069;
    vm.num[MODULUS] = 1_000_003;
    vm.num[HALF] = 0.5;
    vm.num[ONE] = 1;
    for (let index = 0; index < REGISTERS_OF_A_KIND; index++) {
      vm.num[FIRST_INTEGER + index] = index * 7919;
      vm.num[FIRST_DOUBLE + index] = index + 0.25;
    }
    const startMs = performance.now();
    interpret(vm, code, 0);
    times.push(((performance.now() - startMs) * 1e6) / opcodeCount);
  }
  // The first third warms the interpreter up.
  const steady = times.slice(RUN_COUNT / 3);
  options.print(
    `  first run ${times[0]!.toFixed(1)} ns an opcode, then ${Math.min(...steady).toFixed(1)} to ${Math.max(...steady).toFixed(1)}`,
  );
  return [
    {
      name: 'interpreter',
      ours: median(steady),
      unit: 'ns/opcode',
      target: { bound: 'at most', value: NS_PER_OPCODE_MAX },
    },
  ];
}
