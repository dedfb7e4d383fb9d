/** A VM without nodes or requests, for tests of families 0, 1, 2 and 5: `run` interprets the node section. */

import type { Memory } from '../../base/memory.ts';
import type { Program } from '../../program/program.ts';
import { UTC } from '../../types/time-zone.ts';
import { interpret } from '../core/interpreter.ts';
import { type LoadedProgram, loadProgram } from '../core/loaded-program.ts';
import { Vm } from '../core/vm.ts';
import { assemble, makeProgram } from './assemble.ts';

export class BareVm extends Vm {
  readonly page: number;

  constructor(memory: Memory) {
    super(memory);
    this.page = memory.allocateZeroed(16);
  }

  /** Runs the node section of a program. Registers stay as they are left; temporaries are not freed. */
  run(program: LoadedProgram): void {
    this.load(program);
    interpret(this, program.node, 0);
  }

  /** Makes ready for `program` without running it. */
  load(program: LoadedProgram): void {
    this.prepare(program, 64, this.page >>> 16, (this.page & 0xffff) << 14, 1_700_000_000_000_000, UTC);
  }

  /** Assembles and runs a node section. */
  assemble(source: string, parts: Partial<Program> = {}): void {
    const program = loadProgram(makeProgram({ node: assemble(`${source}\nret`), ...parts }));
    this.load(program);
    interpret(this, program.node, 0);
  }

  override keepForRequest(ref: number): number {
    return ref;
  }
}
