/** What all statements of a request share while it compiles: the spec lists of the program, its parameters and its head. */

import { SqlError } from '../../base/errors.ts';
import { PARAMETER_COUNT_MAX, REGISTER_COUNT_MAX } from '../../base/limits.ts';
import { type TableDefinition, tableName } from '../../catalog/catalog.ts';
import type { Bound, SystemObject } from '../../sql/binder/bound.ts';
import type { JsonStep } from '../../types/json/json-step.ts';
import type {
  ConstantList,
  FailureSpec,
  GroupSpec,
  InsertSpec,
  JsonPathSpec,
  LimitSpec,
  ListSpec,
  OutputSpec,
  PlanNode,
  PointSpec,
  ProgramConstant,
  ProgramTable,
  RangeSpec,
  RoundSpec,
  SortSpec,
  SystemInput,
  UpdateSpec,
} from '../program.ts';
import { Assembler } from './assembler.ts';
import { ExpressionCompiler } from './expression-compiler.ts';
import { StepCounter } from './step-counter.ts';

/** Gives out registers of one section; a new statement starts again from 0. */
export class Registers {
  #next = 0;
  #highest = 0;

  take(count = 1): number {
    const first = this.#next;
    this.#next += count;
    if (this.#next > REGISTER_COUNT_MAX)
      throw new SqlError(
        'limit_exceeded',
        `the statement is too large: it needs more than ${REGISTER_COUNT_MAX} registers`,
      );
    if (this.#next > this.#highest) this.#highest = this.#next;
    return first;
  }

  reset(): void {
    this.#next = 0;
  }

  mark(): number {
    return this.#next;
  }

  /** Frees what was taken since the mark. */
  release(mark: number): void {
    this.#next = mark;
  }

  get count(): number {
    return this.#highest;
  }
}

export class RequestBuilder {
  readonly head: Assembler = new Assembler();
  readonly tail: Assembler = new Assembler();
  readonly node: Assembler = new Assembler();
  readonly headRegisters: Registers = new Registers();
  readonly tailRegisters: Registers = new Registers();
  readonly nodeRegisters: Registers = new Registers();
  readonly tables: ProgramTable[] = [];
  readonly constants: ProgramConstant[] = [];
  readonly points: PointSpec[] = [];
  readonly lists: ListSpec[] = [];
  readonly ranges: RangeSpec[] = [];
  readonly groups: GroupSpec[] = [];
  readonly sorts: SortSpec[] = [];
  readonly outputs: OutputSpec[] = [];
  readonly limits: LimitSpec[] = [];
  readonly inserts: InsertSpec[] = [];
  readonly updates: UpdateSpec[] = [];
  readonly rounds: RoundSpec[] = [];
  readonly failures: FailureSpec[] = [];
  readonly systemInputs: SystemInput[] = [];
  readonly jsonPaths: JsonPathSpec[] = [];
  readonly #jsonPathNumbers = new Map<string, number>();
  readonly plan: PlanNode[] = [];
  batchCount = 0;
  /** The parameter with the node that reads shared tables, in a request that does and changes none; else -1. */
  readerParameter = -1;
  /** Sets of literals. */
  setCount = 0;
  statementCount = 0;
  parameterCount: number;
  readonly #constantNumbers = new Map<string, number>();
  readonly #parameterOf = new Map<Bound, number>();
  readonly #deferred = new Map<Bound, number>();
  readonly #headCompiler: ExpressionCompiler;
  /** Counts the steps of the plan, in a program for PROFILE. */
  readonly steps: StepCounter;

  constructor(requestParameterCount: number, isProfiled: boolean) {
    this.parameterCount = requestParameterCount;
    this.steps = new StepCounter(isProfiled);
    this.#headCompiler = new ExpressionCompiler(this, this.head, this.head, this.headRegisters, 'head');
  }

  get headCompiler(): ExpressionCompiler {
    return this.#headCompiler;
  }

  /** The plan of the statement that is compiled. */
  addPlan(plan: PlanNode): void {
    this.plan.push(plan);
    this.steps.open(plan);
  }

  /** A new statement: registers of head and nodes are free again. */
  startStatement(): void {
    this.statementCount++;
    this.headRegisters.reset();
    this.nodeRegisters.reset();
    this.#headCompiler.forget();
  }

  table(table: TableDefinition): number {
    const found = this.tables.findIndex((entry) => entry.tableId === table.id);
    if (found >= 0) return found;
    return this.tables.push({ tableId: table.id, name: tableName(table) }) - 1;
  }

  constant(value: ProgramConstant): number {
    const key = JSON.stringify(value);
    const found = this.#constantNumbers.get(key);
    if (found !== undefined) return found;
    const number = this.constants.push(value) - 1;
    this.#constantNumbers.set(key, number);
    return number;
  }

  /** A constant that is not looked for among the others. */
  constantList(list: ConstantList): number {
    return this.constants.push(list) - 1;
  }

  failure(failure: FailureSpec): number {
    const found = this.failures.findIndex((entry) => entry.message === failure.message && entry.code === failure.code);
    return found >= 0 ? found : this.failures.push(failure) - 1;
  }

  jsonPath(steps: readonly JsonStep[]): number {
    const key = JSON.stringify(steps);
    const found = this.#jsonPathNumbers.get(key);
    if (found !== undefined) return found;
    const number = this.jsonPaths.push(steps) - 1;
    this.#jsonPathNumbers.set(key, number);
    return number;
  }

  /** The parameter that main's answer will be. */
  systemInput(what: SystemObject): number {
    const known = this.systemInputs.find((input) => input.what === what);
    if (known !== undefined) return known.parameter;
    const parameter = this.newParameter();
    this.systemInputs.push({ parameter, what });
    return parameter;
  }

  newParameter(): number {
    if (this.parameterCount >= PARAMETER_COUNT_MAX)
      throw new SqlError('limit_exceeded', `the request needs more than ${PARAMETER_COUNT_MAX} parameters`);
    return this.parameterCount++;
  }

  /** True where parameterOf has computed it: then it has not failed. */
  isComputed(bound: Bound): boolean {
    return bound.kind === 'parameter' || this.#parameterOf.has(bound);
  }

  /**
   * As parameterOf, for a value that may never be wanted: where it fails, the parameter is the error, which check_param
   * raises where the value is used.
   */
  deferredOf(bound: Bound): number {
    const known = this.#deferred.get(bound);
    if (known !== undefined) return known;
    const { head } = this;
    const parameter = this.newParameter();
    const end = head.label();
    head.emit('defer_error', parameter, end);
    this.#headCompiler.conditional(() => {
      const register = this.#headCompiler.value(bound);
      head.emit(bound.isNullable ? 'set_param_null' : 'set_param', parameter, register, bound.type);
    });
    head.emit('defer_end');
    head.place(end);
    this.#deferred.set(bound, parameter);
    return parameter;
  }

  /** The parameter that carries a constant expression: the head computes it, once a request. */
  parameterOf(bound: Bound): number {
    if (bound.kind === 'parameter') return bound.parameter;
    if (bound.kind === 'system') return this.systemInput(bound.what);
    const known = this.#parameterOf.get(bound);
    if (known !== undefined) return known;
    const register = this.#headCompiler.value(bound);
    const parameter = this.newParameter();
    this.head.emit(bound.isNullable ? 'set_param_null' : 'set_param', parameter, register, bound.type);
    this.#parameterOf.set(bound, parameter);
    return parameter;
  }
}
