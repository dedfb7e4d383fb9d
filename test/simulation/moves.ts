/** UPDATE of primary keys: rows that move, perhaps to another partition. In the model, and as SQL. */

import type { Row } from './model.ts';

/** Of the rows of a table, those that are chosen get other ids; all at once. */
export type Move = {
  readonly kind: 'move';
  readonly table: string;
  /** 'range', 'ends': ids from low to high, and only these two. 'values': v from low to high, both ends included. */
  readonly chosen: 'range' | 'ends' | 'values';
  readonly low: number;
  readonly high: number;
  /** 'shift': up by `by`. 'mirror': low gets high, and so on: with ids that are chosen nothing clashes. 'point': all get `by`. */
  readonly target: 'shift' | 'mirror' | 'point';
  readonly by: number;
  /** What v gets beside; 'divide': 1 / (id - divisor) more, by the old id. */
  readonly value: 'kept' | 'addId' | 'divide';
  readonly divisor: number;
  readonly isReturning: boolean;
};

/** A table whose primary key has two columns, (g, id), where g follows from id. */
export const PAIRED_TABLE = 'p';
const GROUP_COUNT = 3;

/** The other column of the key, of an id that is not negative. */
export function groupOf(id: number): number {
  return id % GROUP_COUNT;
}

/** The rows after it, and those that RETURNING gives; or the error. */
export function applyMove(
  rows: ReadonlyMap<number, Row>,
  move: Move,
): { readonly rows: ReadonlyMap<number, Row>; readonly returned: readonly [number, number][] } | string {
  const moved: [number, Row][] = [];
  const left = new Map(rows);
  for (const [id, row] of rows) {
    if (!isChosen(move, id, row)) continue;
    const v = newValue(move, id, row.v);
    if (v === undefined) return 'zero_division';
    moved.push([newId(move, id), { v, s: row.s }]);
    left.delete(id);
  }
  for (const [id, row] of moved) {
    if (left.has(id)) return 'key_conflict';
    left.set(id, row);
  }
  return { rows: left, returned: moved.map(([id, { v }]) => [id, v]) };
}

function isChosen({ chosen, low, high }: Move, id: number, { v }: Row): boolean {
  if (chosen === 'ends') return id === low || id === high;
  const value = chosen === 'range' ? id : v;
  return value >= low && value <= high;
}

function newId({ target, low, high, by }: Move, id: number): number {
  if (target === 'shift') return id + by;
  return target === 'mirror' ? low + high - id : by;
}

/** Undefined where it divides by zero. */
function newValue({ value, divisor }: Move, id: number, v: number): number | undefined {
  if (value === 'kept') return v;
  if (value === 'addId') return v + id;
  return id === divisor ? undefined : v + Math.trunc(1 / (id - divisor));
}

export function moveSql(move: Move): string {
  const { table, chosen, low, high, target, by, value, divisor } = move;
  const id = { shift: `id + ${by}`, mirror: `${low} + ${high} - id`, point: `${by}` }[target];
  const group = table === PAIRED_TABLE ? `, g = (${id}) % ${GROUP_COUNT}` : '';
  const v = { kept: '', addId: ', v = v + id', divide: `, v = v + 1 / (id - ${divisor})` }[value];
  const where = {
    range: low === high ? `id = ${low}` : `id >= ${low} and id <= ${high}`,
    ends: `id in (${low}, ${high})`,
    values: `v >= ${low} and v <= ${high}`,
  }[chosen];
  return `update ${table} set id = ${id}${group}${v} where ${where}${move.isReturning ? ' returning id, v' : ''}`;
}
