/** Writes code with labels: four words an instruction, jump targets resolved when sections are linked. */

import { assert } from '../../base/assert.ts';
import { OP, opcodeRow } from '../opcodes.ts';
import type { Section } from '../program.ts';

/** A place in a section, known once it is placed. */
export type Label = { instruction: number };

export class Assembler {
  readonly #words: number[] = [];
  readonly #labels: (Label | undefined)[] = [];
  readonly #comments = new Map<number, string>();

  get instructionCount(): number {
    return this.#words.length / 4;
  }

  label(): Label {
    return { instruction: -1 };
  }

  /** Operands are numbers, or labels where the opcode table says jump target. */
  emit(
    opcode: string,
    a: number | Label = 0,
    b: number | Label = 0,
    c: number | Label = 0,
    comment?: string | undefined,
  ): void {
    const number = OP[opcode];
    assert(number !== undefined, `unknown opcode ${opcode}`);
    if (comment !== undefined) this.#comments.set(this.instructionCount, comment);
    this.#words.push(number);
    for (const operand of [a, b, c]) {
      this.#labels.push(typeof operand === 'number' ? undefined : operand);
      this.#words.push(typeof operand === 'number' ? operand : 0);
    }
  }

  place(label: Label): void {
    assert(label.instruction < 0, 'a label is placed once');
    label.instruction = this.instructionCount;
  }

  /** Appends the code of another assembler; its labels move with it. Each assembler is appended once, after all its labels are placed. */
  append(other: Assembler): void {
    const offset = this.instructionCount;
    const moved = new Set<Label>();
    for (let index = 0; index < other.#words.length; index++) this.#words.push(other.#words[index]!);
    for (const label of other.#labels) {
      if (label !== undefined && !moved.has(label)) {
        moved.add(label);
        label.instruction += offset;
      }
      this.#labels.push(label);
    }
    for (const [instruction, comment] of other.#comments) this.#comments.set(instruction + offset, comment);
  }

  /** The finished section, with `ret` at its end. */
  finish(registerCount: number): Section {
    this.emit('ret');
    const code = this.#words;
    for (const [index, label] of this.#labels.entries()) {
      if (label === undefined) continue;
      const instruction = Math.floor(index / 3);
      const operand = index % 3;
      assert(opcodeRow(code[instruction * 4]!)!.operands[operand] === 'j', 'only jumps have labels');
      assert(label.instruction >= 0, 'every label is placed');
      code[instruction * 4 + 1 + operand] = label.instruction;
    }
    return { code, registerCount, comments: Object.fromEntries(this.#comments) };
  }
}
