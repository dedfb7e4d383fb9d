/**
 * Code as text, for EXPLAIN: an object from instruction number to a line of aligned columns,
 * `"00": "op                 a      b      c     # comment"`.
 */

import { opcodeRow } from './opcodes.ts';
import type { Program, Section } from './program.ts';

const NAME_WIDTH = 19;
const OPERAND_WIDTH = 7;

/** Both sections; one without code is left out. Mind that JavaScript puts keys like "10" before "00": `disassemble` has the order. */
export function disassembleProgram(program: Program): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  if (program.coordinator.code.length > 0) sections.coordinator = Object.fromEntries(disassemble(program.coordinator));
  if (program.node.code.length > 0) sections.node = Object.fromEntries(disassemble(program.node));
  return sections;
}

/** The lines of a section in order, each with its number (two digits at least); none for a section without code. */
export function disassemble(section: Section): [number: string, text: string][] {
  const lines: [string, string][] = [];
  const instructionCount = section.code.length / 4;
  const digits = Math.max(2, String(Math.max(0, instructionCount - 1)).length);
  for (let index = 0; index < instructionCount; index++) {
    lines.push([String(index).padStart(digits, '0'), line(section, index)]);
  }
  return lines;
}

function line(section: Section, index: number): string {
  const word = index * 4;
  const row = opcodeRow(section.code[word]!);
  const name = row === undefined ? `op_${section.code[word]}` : row.name;
  let text = `${name} `.padEnd(NAME_WIDTH);
  for (let operand = 0; operand < 3; operand++) text += `${section.code[word + 1 + operand]} `.padEnd(OPERAND_WIDTH);
  const comment = section.comments[index];
  return comment === undefined ? text.trimEnd() : `${text}# ${comment}`;
}
