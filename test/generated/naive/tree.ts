/**
 * Expression trees: what they are in SQL, and what they give for a row.
 *
 * Where the order in which operands are computed is not promised, several answers are right. So an outcome is a value that
 * may come out, or none, and the error codes that may come out instead.
 */

import { compareValues, equalTrees, Failure, type Json, type Kind, Uncertain, type Value } from './values.ts';

export type Row = Readonly<Record<string, Value>>;

export type Outcome = {
  /** Undefined: an error is the only right answer. */
  readonly value: Value | undefined;
  readonly errors: readonly string[];
};

/** How an operator, function or construct is written and computed. */
export type Form = {
  print(operands: readonly string[]): string;
  /** Each operand is computed when it is asked for. */
  evaluate(operands: readonly (() => Outcome)[], kinds: readonly Kind[]): Outcome;
};

export type Node = {
  readonly kind: Kind;
  readonly children: readonly Node[];
  /** Of an inner node. */
  readonly form?: Form;
  /** Of a leaf that is a column. */
  readonly column?: string;
  /** Of a leaf that is a constant. */
  readonly value?: Value;
};

export function evaluate(node: Node, row: Row): Outcome {
  if (node.column !== undefined) return sure(row[node.column]!);
  if (node.form === undefined) return sure(node.value!);
  return node.form.evaluate(
    node.children.map((child) => () => evaluate(child, row)),
    node.children.map((child) => child.kind),
  );
}

/** How leaves are written. */
export type Printer = {
  column(name: string, kind: Kind): string;
  constant(value: Value, kind: Kind): string;
};

export function print(node: Node, printer: Printer): string {
  if (node.column !== undefined) return printer.column(node.column, node.kind);
  if (node.form === undefined) return printer.constant(node.value!, node.kind);
  return node.form.print(node.children.map((child) => print(child, printer)));
}

export function sure(value: Value): Outcome {
  return { value, errors: [] };
}

/** The value that is computed now, or the error that this raises. */
function attempt(compute: () => Value | Uncertain, errors: readonly string[]): Outcome {
  try {
    const result = compute();
    if (result instanceof Uncertain) return { value: result.value, errors: [...errors, ...result.codes] };
    return { value: result, errors };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { value: undefined, errors: [...errors, ...error.codes] };
  }
}

/** All operands are computed; a NULL among them makes the result NULL, which may show before an error of the others. */
export function strict(template: string, compute: (...values: never[]) => Value | Uncertain): Form {
  return {
    print: fill(template),
    evaluate(operands) {
      const outcomes = operands.map((operand) => operand());
      const errors = outcomes.flatMap((outcome) => outcome.errors);
      const values = outcomes.map((outcome) => outcome.value);
      if (values.includes(null)) return { value: null, errors };
      if (values.includes(undefined)) return { value: undefined, errors };
      return attempt(() => compute(...(values as never[])), errors);
    },
  };
}

/** All operands are computed, NULLs are operands like others. */
export function eager(template: string, compute: (...values: Value[]) => Value | Uncertain): Form {
  return {
    print: fill(template),
    evaluate(operands) {
      const outcomes = operands.map((operand) => operand());
      const errors = outcomes.flatMap((outcome) => outcome.errors);
      const values = outcomes.map((outcome) => outcome.value);
      if (values.includes(undefined)) return { value: undefined, errors };
      return attempt(() => compute(...(values as Value[])), errors);
    },
  };
}

/** The template with its `#` replaced by the operands; `#...` stands for all that are left, with commas. */
function fill(template: string): (operands: readonly string[]) => string {
  const parts = template.split(/(#\.\.\.|#)/);
  return (operands) => {
    let next = 0;
    return parts
      .map((part) => (part === '#' ? operands[next++] : part === '#...' ? operands.slice(next).join(', ') : part))
      .join('');
  };
}

/** A value as a condition. */
function truth(value: Value): boolean | null {
  return value === null ? null : typeof value === 'boolean' ? value : value !== 0 && value !== 0n;
}

function withErrors({ value, errors }: Outcome, more: readonly string[]): Outcome {
  return more.length === 0 ? { value, errors } : { value, errors: [...more, ...errors] };
}

/** The right side is computed only where the left does not decide. */
function logical(word: string, decisive: boolean): Form {
  return {
    print: fill(`(# ${word} #)`),
    evaluate([left, right]) {
      const first = left!();
      if (first.value === undefined) return first;
      const a = truth(first.value);
      if (a === decisive) return { value: decisive, errors: first.errors };
      const second = withErrors(right!(), first.errors);
      // NULL AND what fails: where only true counts, the right side need not be computed.
      if (second.value === undefined) return a === null && !decisive ? { value: null, errors: second.errors } : second;
      const b = truth(second.value);
      return { value: b === decisive ? decisive : a === null || b === null ? null : !decisive, errors: second.errors };
    },
  };
}

export const AND: Form = logical('and', false);
export const OR: Form = logical('or', true);
export const NOT: Form = strict('(not #)', (value: Value) => !truth(value));

/** What cannot be NULL need not be computed. */
export function isNull(isNegated: boolean): Form {
  return {
    print: fill(`(# is ${isNegated ? 'not ' : ''}null)`),
    evaluate([operand]) {
      const { value, errors } = operand!();
      return { value: (value === null) !== isNegated, errors };
    },
  };
}

/** True, false, or NULL where one of the two is; numbers of both kinds are compared exactly. */
export function isEqual(left: Value, right: Value, kind: Kind): boolean | null {
  if (left === null || right === null) return null;
  if (kind === 'json') return equalTrees((left as Json).tree, (right as Json).tree);
  return compare(left, right, kind) === 0;
}

function compare(left: Exclude<Value, null>, right: Exclude<Value, null>, kind: Kind): number {
  if (typeof left === 'boolean') left = left ? 1n : 0n;
  if (typeof right === 'boolean') right = right ? 1n : 0n;
  return compareValues(left, right, kind);
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** `= <> != < <= > >=`; the kind is that of the left operand. */
export function comparison(operator: string): Form {
  return {
    print: fill(`(# ${operator} #)`),
    evaluate(operands, [kind]) {
      return strict('', (left: Exclude<Value, null>, right: Exclude<Value, null>) => {
        if (operator === '=') return isEqual(left, right, kind!);
        if (operator === '<>' || operator === '!=') return !isEqual(left, right, kind!);
        return COMPARISONS[operator]!(compare(left, right, kind!));
      }).evaluate(operands, [kind!]);
    },
  };
}

export function between(isNegated: boolean): Form {
  return {
    print: fill(`(#${isNegated ? ' not' : ''} between # and #)`),
    evaluate(operands, kinds) {
      const [operand, low, high] = operands.map((each) => each());
      const once = [() => operand!, () => low!, () => high!] as const;
      const above = comparison('>=').evaluate([once[0], once[1]], kinds);
      const below = comparison('<=').evaluate([once[0], once[2]], kinds);
      const both = AND.evaluate([() => above, () => below], ['bool', 'bool']);
      const errors = [...above.errors, ...below.errors];
      const value = isNegated && typeof both.value === 'boolean' ? !both.value : both.value;
      return { value, errors };
    },
  };
}

/** Items behind the one that matches may be computed or not. */
export function inList(isNegated: boolean): Form {
  return {
    print: fill(`(#${isNegated ? ' not' : ''} in (#...))`),
    evaluate([first, ...rest], [kind]) {
      const operand = first!();
      const items = rest.map((item) => item());
      const errors = [operand, ...items].flatMap((outcome) => outcome.errors);
      if (operand.value === undefined) return { value: undefined, errors };
      if (operand.value === null) return { value: null, errors };
      let found: boolean | null = false;
      for (const { value } of items) {
        if (value === undefined) return { value: undefined, errors };
        const isSame = isEqual(operand.value, value, kind!);
        if (isSame === true) return { value: !isNegated, errors };
        if (isSame === null) found = null;
      }
      return { value: found === null ? null : isNegated, errors };
    },
  };
}

/** `case when c then r … [else r] end`, or with an operand; branches are computed in order, results when they are chosen. */
export function caseOf(branchCount: number, hasOperand: boolean, hasElse: boolean): Form {
  const branches = ' when # then #'.repeat(branchCount);
  return {
    print: fill(`(case${hasOperand ? ' #' : ''}${branches}${hasElse ? ' else #' : ''} end)`),
    evaluate(operands, kinds) {
      const rest = [...operands];
      const subject = hasOperand ? rest.shift()!() : sure(true);
      if (subject.value === undefined) return subject;
      let errors = subject.errors;
      for (let branch = 0; branch < branchCount; branch++) {
        const when = withErrors(rest[branch * 2]!(), errors);
        if (when.value === undefined) return when;
        errors = when.errors;
        const isChosen = hasOperand ? isEqual(subject.value, when.value, kinds[0]!) : truth(when.value);
        if (isChosen === true) return withErrors(rest[branch * 2 + 1]!(), errors);
      }
      return hasElse ? withErrors(rest.at(-1)!(), errors) : { value: null, errors };
    },
  };
}

export const COALESCE: Form = {
  print: fill('coalesce(#...)'),
  evaluate(operands) {
    let errors: readonly string[] = [];
    for (const operand of operands) {
      const outcome = withErrors(operand(), errors);
      if (outcome.value !== null) return outcome;
      errors = outcome.errors;
    }
    return { value: null, errors };
  },
};

export const NULLIF: Form = {
  print: fill('nullif(#, #)'),
  evaluate([left, right], [kind]) {
    const a = left!();
    const b = right!();
    const errors = [...a.errors, ...b.errors];
    if (a.value === undefined || b.value === undefined) return { value: a.value === null ? null : undefined, errors };
    return { value: isEqual(a.value, b.value, kind!) === true ? null : a.value, errors };
  },
};

/** `type(e)` need not compute what cannot be NULL. */
export function typeOf(name: string): Form {
  return {
    print: fill('type(#)'),
    evaluate([operand]) {
      const { value, errors } = operand!();
      return { value: value === null ? 'null' : name, errors };
    },
  };
}
