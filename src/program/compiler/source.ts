/** Opening, walking and routing of the rows of one table by an access path. */

import type { TableDefinition } from '../../catalog/catalog.ts';
import type { Access, AccessPlan, RangeBound } from '../../planner/access.ts';
import type { Bound } from '../../sql/binder/bound.ts';
import { hasAhead } from './ahead.ts';
import type { Assembler, Label } from './assembler.ts';
import type { ExpressionCompiler } from './expression-compiler.ts';
import { SET_ITEMS_MIN } from './in-list.ts';
import type { RequestBuilder } from './request-builder.ts';

export type SourceLoop = {
  /** Stands at the end of the loop's body. */
  readonly next: Label;
  /** After the loop. */
  readonly end: Label;
  close(): void;
};

/**
 * Emits the routing into the head and the opening of the loop into the node section; the caller emits the body and calls
 * close(). The residual predicate is already in the loop.
 */
export function openSource(
  request: RequestBuilder,
  code: Assembler,
  expressions: ExpressionCompiler,
  table: TableDefinition,
  plan: AccessPlan,
  cursor: number,
): SourceLoop {
  const next = code.label();
  const end = code.label();
  const start = code.label();
  const nextOpcode = openCursor(request, code, expressions, table, plan.access, cursor, end);
  code.place(start);
  expressions.isInLoop = nextOpcode !== undefined;
  expressions.isScan = plan.access.kind === 'scan';
  if (plan.residual !== undefined) {
    // What an index has taken out of WHERE stood before it: errors of constants wait until there is a row.
    if (plan.access.kind === 'scan') expressions.condition(plan.residual, next);
    else expressions.laterCondition(plan.residual, next);
  }
  request.steps.row(code, 'nodes', 0);
  return {
    next,
    end,
    close: () => {
      code.place(next);
      if (nextOpcode !== undefined) code.emit(nextOpcode, cursor, start);
      code.place(end);
      request.steps.end(code, 'nodes', 0);
      expressions.isInLoop = false;
      expressions.isScan = false;
      expressions.forgetRow();
    },
  };
}

/** A key is computed for the routing and for the nodes: what runs ahead must not run twice. */
function onceAhead(request: RequestBuilder, key: Bound): Bound {
  if (!hasAhead(key)) return key;
  const { type, isNullable } = key;
  return { kind: 'parameter', parameter: request.parameterOf(key), type, isNullable, isConstant: true };
}

function openCursor(
  request: RequestBuilder,
  code: Assembler,
  expressions: ExpressionCompiler,
  table: TableDefinition,
  access: Access,
  cursor: number,
  end: Label,
): string | undefined {
  const tableOrdinal = request.table(table);
  const { name } = request.tables[tableOrdinal]!;
  const { head, headCompiler } = request;
  switch (access.kind) {
    case 'point': {
      const partitionParam = request.newParameter();
      const keys = access.keys.map((key) => onceAhead(request, key));
      const headKey = headCompiler.consecutive(keys);
      const spec = { table: tableOrdinal, keyCount: access.keys.length, partitionParam };
      const headPoint = request.points.push({ ...spec, keyRegister: headKey }) - 1;
      head.emit('route_point', partitionParam, headPoint, 0, name);
      const nodeKey = expressions.consecutive(keys);
      const nodePoint = request.points.push({ ...spec, keyRegister: nodeKey }) - 1;
      code.emit('point_open', cursor, nodePoint, end, name);
      return undefined;
    }
    case 'list': {
      const items = access.items.map((item) => onceAhead(request, item));
      if (items.length >= SET_ITEMS_MIN) {
        const type = items[0]!.type;
        const base = { table: tableOrdinal, keyCount: 1 };
        const headSet = headCompiler.literalSet(type, items);
        const headSpec = { ...base, keyRegister: request.headRegisters.take(), set: headSet };
        head.emit('route_list', request.lists.push(headSpec) - 1, 0, 0, name);
        const set = expressions.literalSet(type, items);
        const spec = { ...base, keyRegister: request.nodeRegisters.take(), set };
        code.emit('list_open', cursor, request.lists.push(spec) - 1, end, name);
        return 'list_next';
      }
      const spec = { table: tableOrdinal, keyCount: items.length, set: -1 };
      const headKey = headCompiler.consecutive(items, true);
      head.emit('route_list', request.lists.push({ ...spec, keyRegister: headKey }) - 1, 0, 0, name);
      const nodeKey = expressions.consecutive(items, true);
      code.emit('list_open', cursor, request.lists.push({ ...spec, keyRegister: nodeKey }) - 1, end, name);
      return 'list_next';
    }
    case 'range': {
      head.emit('route_all', tableOrdinal, 0, 0, name);
      const bound = (value: RangeBound | undefined): number =>
        value === undefined ? -1 : expressions.consecutive([value.value]);
      const range = request.ranges.push({
        table: tableOrdinal,
        index: access.index,
        equalRegister: access.equal.length === 0 ? -1 : expressions.consecutive(access.equal),
        equalCount: access.equal.length,
        lowerRegister: bound(access.lower),
        isLowerInclusive: access.lower?.isInclusive ?? false,
        upperRegister: bound(access.upper),
        isUpperInclusive: access.upper?.isInclusive ?? false,
        isDescending: access.isDescending,
        isOrdered: access.isOrdered,
      });
      code.emit('range_open', cursor, range - 1, end, `${name} (${table.indexes[access.index]!.name})`);
      return 'range_next';
    }
    case 'scan':
      head.emit('route_all', tableOrdinal, 0, 0, name);
      code.emit('scan_open', cursor, tableOrdinal, end, name);
      return 'scan_next';
  }
}
