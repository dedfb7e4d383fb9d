/** Random typed expressions over the columns of a table. */

import type { Random } from '../random.ts';
import { kindOf, type Operand, type Operation } from './operations.ts';
import {
  AND,
  between,
  COALESCE,
  caseOf,
  comparison,
  type Form,
  inList,
  isNull,
  NOT,
  type Node,
  NULLIF,
  OR,
} from './tree.ts';
import { KINDS, type Kind, type Value } from './values.ts';

export type Column = { readonly name: string; readonly kind: Kind };

const ORDERED: readonly Kind[] = KINDS.filter((kind) => kind !== 'json');
/** Kinds that compare with one another: false is 0, ints and doubles by their value, ints with the ticks of times. */
const NUMBERS: readonly Kind[] = ['int', 'int', 'double', 'bool'];

export class Generator {
  readonly #random: Random;
  readonly #columns: readonly Column[];
  readonly #byResult: ReadonlyMap<Kind, readonly Operation[]>;
  readonly #kinds: readonly Kind[];
  readonly #pools: Readonly<Record<Kind, readonly Value[]>>;

  /** `pools` are the constants of each kind. */
  constructor(
    random: Random,
    columns: readonly Column[],
    operations: readonly Operation[],
    pools: Readonly<Record<Kind, readonly Value[]>>,
  ) {
    this.#random = random;
    this.#columns = columns;
    this.#byResult = Map.groupBy(operations, (operation) => operation.result);
    this.#kinds = [...new Set(columns.map((column) => column.kind))];
    this.#pools = pools;
  }

  kind(): Kind {
    return this.#random.pick(this.#kinds);
  }

  expression(kind: Kind, depth: number): Node {
    const random = this.#random;
    if (depth <= 0 || random.oneIn(8)) return this.#leaf(kind);
    if (random.oneIn(6)) return this.#choice(kind, depth - 1);
    if (kind === 'bool' && !random.oneIn(4)) return this.#condition(depth - 1);
    const operations = this.#byResult.get(kind);
    if (operations === undefined) return this.#leaf(kind);
    return this.applied(random.pick(operations), depth - 1);
  }

  /** The operation on operands of that depth. */
  applied({ form, operands, result }: Operation, depth: number): Node {
    return { kind: result, form, children: operands.map((operand) => this.#operand(operand, depth)) };
  }

  #operand(operand: Operand, depth: number): Node {
    if (typeof operand === 'string') return this.expression(operand, depth);
    if (operand.isConstant !== true && this.#random.oneIn(4)) return this.expression(operand.kind, depth);
    return { kind: kindOf(operand), children: [], value: operand.pick(this.#random) };
  }

  #leaf(kind: Kind): Node {
    const columns = this.#columns.filter((column) => column.kind === kind);
    if (columns.length > 0 && !this.#random.oneIn(3))
      return { kind, children: [], column: this.#random.pick(columns).name };
    const value = this.#random.oneIn(12) ? null : this.#random.pick(this.#pools[kind]);
    return { kind, children: [], value };
  }

  #made(kind: Kind, form: Form, ...children: readonly Node[]): Node {
    return { kind, form, children };
  }

  /** What takes one of several values. */
  #choice(kind: Kind, depth: number): Node {
    const random = this.#random;
    const e = (): Node => this.expression(kind, depth);
    const condition = (): Node =>
      random.oneIn(6) ? this.expression(random.pick(['int', 'double']), depth) : this.expression('bool', depth);
    switch (random.below(6)) {
      case 0:
        return this.#made(kind, caseOf(1, false, true), condition(), e(), e());
      case 1:
        return this.#made(kind, caseOf(2, false, false), condition(), e(), condition(), e());
      case 2: {
        const subject = this.kind();
        const when = (): Node => this.expression(subject, 0);
        const hasElse = random.oneIn(2);
        const branches = [when(), e(), when(), e(), ...(hasElse ? [e()] : [])];
        return this.#made(kind, caseOf(2, true, hasElse), this.expression(subject, depth), ...branches);
      }
      case 3:
        return this.#made(kind, COALESCE, e(), e(), ...(random.oneIn(2) ? [e()] : []));
      default:
        return this.#made(kind, NULLIF, e(), e());
    }
  }

  #condition(depth: number): Node {
    const random = this.#random;
    const made = (form: Form, ...children: readonly Node[]): Node => this.#made('bool', form, ...children);
    const ordered = random.pick(this.#kinds.filter((kind) => ORDERED.includes(kind)));
    const operand = (): Node =>
      random.oneIn(8) ? this.expression(random.pick(['int', 'double']), depth) : this.expression('bool', depth);
    switch (random.below(10)) {
      case 0:
        return made(AND, operand(), operand());
      case 1:
        return made(OR, operand(), operand());
      case 2:
        return made(NOT, operand());
      case 3:
        return made(isNull(random.oneIn(2)), this.expression(this.kind(), depth));
      case 4:
        return made(
          between(random.oneIn(3)),
          this.expression(ordered, depth),
          this.expression(ordered, random.below(depth + 1)),
          this.expression(ordered, 0),
        );
      case 5: {
        const kind = this.kind();
        const items = Array.from({ length: 1 + random.below(4) }, () =>
          this.expression(kind, random.oneIn(4) ? depth : 0),
        );
        return made(inList(random.oneIn(3)), this.expression(kind, depth), ...items);
      }
      case 6:
        // Numbers of different kinds.
        return made(
          comparison(this.#operator()),
          this.expression(random.pick(NUMBERS), depth),
          this.expression(random.pick(NUMBERS), depth),
        );
      case 7: {
        const kind = this.kind();
        const operator = kind === 'json' ? random.pick(['=', '<>']) : this.#operator();
        return made(comparison(operator), this.expression(kind, depth), this.expression(kind, depth));
      }
      default:
        return made(comparison(this.#operator()), this.expression(ordered, depth), this.expression(ordered, depth));
    }
  }

  #operator(): string {
    return this.#random.pick(['=', '<>', '!=', '<', '<=', '>', '>=']);
  }
}
