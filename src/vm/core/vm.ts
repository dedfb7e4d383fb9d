/**
 * The state that both VMs have: registers, temporaries, what the program of the moment needs. One VM runs one section at a
 * time to its end; nothing of a run stays, but buffers for the next.
 *
 * scratch     temporaries of expressions: freed by scratch_reset and at the end of the run
 * workspace   what lives until the end of the run: text constants, group keys, sorted rows
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { REGISTER_COUNT_MAX } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import { RandomGenerator } from '../../base/random-generator.ts';
import { Scratch } from '../../base/scratch.ts';
import type { AheadServices } from '../../functions/signature.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { type TimeZone, UTC } from '../../types/time-zone.ts';
import { GroupSet } from './group-set.ts';
import { unknownOpcode } from './interpreter.ts';
import { LiteralSet } from './literal-set.ts';
import type { LoadedProgram } from './loaded-program.ts';
import { ResultWriter } from './result.ts';
import { RowWriter } from './row-writer.ts';
import { Sorter } from './sorter.ts';
import type { StepProfile } from './step-profile.ts';

/**
 * What the interpreter reads of a partition (storage/partition.ts), by the row that a cursor is on. A segment has 4,096 rows;
 * its column starts at a ref (base/memory.ts), so that the place of a value is a matter of shifts.
 */
export interface PartitionView {
  /** By column and segment: ref of its values. */
  readonly columnRefs: readonly Int32Array[];
  /** By column and segment: ref of its null bits, only where isNullable[column]. */
  readonly nullRefs: readonly Int32Array[];
  readonly isNullable: Uint8Array;
  readonly i32: readonly Int32Array[];
  readonly f64: readonly Float64Array[];
}

/** What the interpreter itself does with a node's cursor; the rest is the node VM's (vm/node/cursor.ts). */
export interface CursorView {
  readonly partition: PartitionView;
  readonly row: number;
  /** Of a scan, by column, for the segment of the row: the arena with its values, and the index of row slot 0 in it. */
  readonly columnWords: readonly Int32Array[];
  readonly columnBases: Int32Array;
  /** The same as 64-bit floats; the index is half of that above. */
  readonly columnDoubles: readonly Float64Array[];
  /** The same of the null bits. */
  readonly nullWords: readonly Int32Array[];
  readonly nullBases: Int32Array;
  /** To the next row of a scan; false at the end. */
  nextScan(): boolean;
}

/** Group sets, sorters and sets of literals of one program, kept for its next run on this VM. */
type Sets = {
  readonly groups: (GroupSet | undefined)[];
  readonly sorters: (Sorter | undefined)[];
  readonly literals: (LiteralSet | undefined)[];
};

export class Vm {
  readonly memory: Memory;
  readonly num: Float64Array = new Float64Array(REGISTER_COUNT_MAX);
  readonly big: BigInt64Array = new BigInt64Array(REGISTER_COUNT_MAX);
  readonly nul: Uint8Array = new Uint8Array(REGISTER_COUNT_MAX);
  readonly scratch: Scratch;
  readonly workspace: Scratch;
  readonly results: ResultWriter;
  readonly rows: RowWriter;
  /** Where casts write text and expressions build JSON, before it goes into scratch. */
  readonly text: ByteWriter = new ByteWriter(256);
  readonly json: JsonWriter = new JsonWriter(256);
  /** None on a coordinator. */
  readonly cursors: CursorView[] = [];
  /** Of the run: */
  program!: LoadedProgram;
  constants: Float64Array = new Float64Array(0);
  parameterArena = 0;
  parameterWord = 0;
  /** The transaction's time, microseconds since 1970. */
  now = 0;
  timeZone: TimeZone = UTC;
  /** Rows written into a result stream or a reply by the run. */
  sentRowCount = 0;
  /** Where a program for PROFILE counts its steps; null where nobody asks. */
  steps: StepProfile | null = null;
  /** What runs ahead reaches; a coordinator has it. */
  services: AheadServices | undefined = undefined;
  private readonly generator: RandomGenerator = new RandomGenerator();
  private seedLow = 0;
  private seedHigh = 0;
  private isSeeded = false;
  private readonly sets: WeakMap<LoadedProgram, Sets> = new WeakMap();

  constructor(memory: Memory) {
    this.memory = memory;
    this.scratch = new Scratch(memory);
    this.workspace = new Scratch(memory);
    this.results = new ResultWriter(memory);
    this.rows = new RowWriter(memory);
  }

  /** Makes the registers and constants of a section ready. Parameters are at `parameterByte` of `parameterArena`. */
  protected prepare(
    program: LoadedProgram,
    registerCount: number,
    parameterArena: number,
    parameterByte: number,
    now: number,
    timeZone: TimeZone,
  ): void {
    this.program = program;
    this.parameterArena = parameterArena;
    this.parameterWord = parameterByte >> 2;
    this.now = now;
    this.timeZone = timeZone;
    this.sentRowCount = 0;
    const nul = this.nul;
    for (let register = 0; register < registerCount; register++) nul[register] = 0;
    this.constants = program.constantNum;
    if (program.constantBytes.length > 0) this.placeConstants(program);
  }

  /** Random values of the run come from that seed. */
  protected seed(low: number, high: number): void {
    this.seedLow = low;
    this.seedHigh = high;
    this.isSeeded = false;
  }

  /** The generator of the run; mixing its seed is left out of the many runs that need none. */
  get random(): RandomGenerator {
    if (!this.isSeeded) {
      this.generator.seed(this.seedLow, this.seedHigh);
      this.isSeeded = true;
    }
    return this.generator;
  }

  /** Texts among the constants get a place in the workspace for this run. */
  private placeConstants(program: LoadedProgram): void {
    const constants = Float64Array.from(program.constantNum);
    program.constantBytes.forEach((bytes, ordinal) => {
      if (bytes !== null) constants[ordinal] = this.workspace.text(bytes);
    });
    this.constants = constants;
  }

  /** Ends a run: temporaries and sets are forgotten. */
  protected finish(): void {
    this.scratch.reset();
    this.workspace.reset();
  }

  private setsOf(program: LoadedProgram): Sets {
    let sets = this.sets.get(program);
    if (sets === undefined) {
      sets = { groups: [], sorters: [], literals: [] };
      this.sets.set(program, sets);
    }
    return sets;
  }

  readonly groups: GroupSet[] = [];
  private readonly sorters: Sorter[] = [];

  openGroups(ordinal: number, spec: number): void {
    const kept = this.setsOf(this.program).groups;
    const wanted = this.program.program.groups[spec];
    let set = kept[ordinal];
    if (set === undefined || set.spec !== wanted) {
      set = new GroupSet(wanted, this.memory, this.workspace);
      kept[ordinal] = set;
    }
    set.open();
    this.groups[ordinal] = set;
  }

  group(ordinal: number): GroupSet {
    return this.groups[ordinal];
  }

  /** `limit` < 0: all rows are kept. */
  openSorter(ordinal: number, spec: number, limit: number): void {
    const kept = this.setsOf(this.program).sorters;
    const wanted = this.program.program.sorts[spec];
    let sorter = kept[ordinal];
    if (sorter === undefined || sorter.spec !== wanted || sorter.isBounded !== limit >= 0) {
      sorter = new Sorter(wanted, limit >= 0, this.memory, this.workspace);
      kept[ordinal] = sorter;
    }
    sorter.open(limit);
    this.sorters[ordinal] = sorter;
  }

  sorter(ordinal: number): Sorter {
    return this.sorters[ordinal];
  }

  private readonly literalSets: LiteralSet[] = [];

  /** Empties a set of literals. */
  openSet(ordinal: number, type: number): void {
    const kept = this.setsOf(this.program).literals;
    const set = (kept[ordinal] ??= new LiteralSet(type, this.memory, this.workspace));
    set.clear();
    this.literalSets[ordinal] = set;
  }

  literalSet(ordinal: number): LiteralSet {
    return this.literalSets[ordinal];
  }

  /** From here, or no more where `pc` is -1, errors become that parameter, and the section goes on at `pc`. Only in heads. */
  deferErrors(_parameter: number, _pc: number): void {
    throw unknownOpcode(27);
  }

  /** The step of a part ends; `pc` is where its next one begins. */
  endStep(_round: number, _pc: number): void {
    throw unknownOpcode(37);
  }

  /** Rows that cursors have passed in this part. */
  get passedRows(): number {
    return 0;
  }

  /** Cursors have passed that many rows: now and then a node asks whether to give up. */
  countRows(_rowCount: number): void {
    throw unknownOpcode(193);
  }

  /** Family 3; the next program counter. */
  runCursors(op: number, _a: number, _b: number, _c: number, _pc: number): number {
    throw unknownOpcode(op);
  }

  /** Family 4. */
  runWrites(op: number, _a: number, _b: number, _c: number, _pc: number): number {
    throw unknownOpcode(op);
  }

  /** Family 6; negative ends the section. */
  runCoordination(op: number, _a: number, _b: number, _c: number, _pc: number): number {
    throw unknownOpcode(op);
  }

  /** set_param of a text or json: the bytes must live as long as the request. Only a coordinator's head sets parameters. */
  keepForRequest(_ref: number, _type: number): number {
    throw unknownOpcode(23);
  }
}
