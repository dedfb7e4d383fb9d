/** The plan as a readable tree, for EXPLAIN. */

import { type TableDefinition, tableName } from '../catalog/catalog.ts';
import type { BoundDelete, BoundInsert, BoundSelect, BoundUpdate } from '../sql/binder/statements.ts';
import type { AccessPlan } from './access.ts';
import type { PlanNode } from './plan-node.ts';

function tableOf(table: TableDefinition): { table: string; partitions: number; shared?: true } {
  const base = { table: tableName(table), partitions: table.partitions.length };
  return table.isShared ? { ...base, shared: true } : base;
}

function describeAccess(table: TableDefinition, plan: AccessPlan): PlanNode {
  const { access, residual } = plan;
  const base = tableOf(table);
  const filter = residual === undefined ? {} : { filter: true };
  switch (access.kind) {
    case 'point':
      return { node: 'point lookup', ...base, partitions: 1, index: table.indexes[0]!.name, ...filter };
    case 'list':
      return { node: 'key list', ...base, index: table.indexes[0]!.name, keys: access.items.length, ...filter };
    case 'scan':
      return { node: 'scan', ...base, ...filter };
    case 'range': {
      const index = table.indexes[access.index]!;
      const columns = index.keys.map(({ column }) => table.columns[column]!.name);
      return {
        node: index.method === 'hash' ? 'hash index lookup' : 'index range',
        ...base,
        index: index.name,
        equal: columns.slice(0, access.equal.length),
        ...(access.lower === undefined && access.upper === undefined ? {} : { range: columns[access.equal.length] }),
        ...(access.isOrdered ? { order: access.isDescending ? 'backward' : 'forward' } : {}),
        ...filter,
      };
    }
  }
}

export function describeSelect(select: BoundSelect, plan: AccessPlan | undefined): PlanNode {
  if (select.table === undefined || plan === undefined) return describeLocal(select);
  const onNodes: PlanNode[] = [describeAccess(select.table, plan)];
  const merged: PlanNode[] = [];
  const order = select.order.map(({ key }) => (key.isDescending ? 'desc' : 'asc'));
  const limit = {
    ...(select.limit === undefined ? {} : { limit: true }),
    ...(select.offset === undefined ? {} : { offset: true }),
  };
  if (select.grouping !== undefined) {
    const shape = {
      keys: select.grouping.keys.length,
      aggregates: select.grouping.aggregates.map(({ kind, isDistinct }) => (isDistinct ? `${kind} distinct` : kind)),
    };
    onNodes.push({ node: 'partial aggregate', ...shape });
    merged.push({ node: 'merge groups', ...shape });
    if (select.having !== undefined) merged.push({ node: 'having' });
    if (select.isDistinct) merged.push({ node: 'distinct' });
    if (order.length > 0) merged.push({ node: 'sort', order, ...limit });
    else if (select.limit !== undefined || select.offset !== undefined) merged.push({ node: 'limit', ...limit });
  } else if (order.length > 0) {
    onNodes.push({ node: select.limit === undefined ? 'sort' : 'top rows', order });
    merged.push({ node: 'merge sorted', order, ...limit });
  } else {
    if (select.limit !== undefined) onNodes.push({ node: 'limit' });
    merged.push({ node: 'concatenate', ...limit });
  }
  return { node: 'select', nodes: onNodes, coordinator: merged };
}

/** A SELECT without FROM, or from a function. */
function describeLocal(select: BoundSelect): PlanNode {
  const { source, grouping, where, having, isDistinct, order, limit, offset } = select;
  const steps: PlanNode[] = [];
  if (grouping !== undefined)
    steps.push({
      node: 'aggregate',
      keys: grouping.keys.length,
      aggregates: grouping.aggregates.map(({ kind, isDistinct: distinct }) => (distinct ? `${kind} distinct` : kind)),
    });
  if (having !== undefined) steps.push({ node: 'having' });
  if (isDistinct) steps.push({ node: 'distinct' });
  if (order.length > 0)
    steps.push({ node: 'sort', order: order.map(({ key }) => (key.isDescending ? 'desc' : 'asc')) });
  if (limit !== undefined || offset !== undefined)
    steps.push({
      node: 'limit',
      ...(limit === undefined ? {} : { limit: true }),
      ...(offset === undefined ? {} : { offset: true }),
    });
  if (source === undefined && steps.length === 0) return { node: 'values', on: 'coordinator' };
  const filter = where === undefined ? {} : { filter: true };
  const rows =
    source === undefined ? { node: 'values', ...filter } : { node: 'function', function: source.name, ...filter };
  return { node: 'select', coordinator: [rows, ...steps] };
}

export function describeInsert(insert: BoundInsert): PlanNode {
  return {
    node: 'insert',
    ...tableOf(insert.table),
    source: insert.source.kind,
    conflict: insert.conflict.kind,
    ...(insert.returning === undefined ? {} : { returning: true }),
  };
}

export function describeChange(change: BoundUpdate | BoundDelete, plan: AccessPlan, collectsFirst: boolean): PlanNode {
  return {
    node: change.kind,
    nodes: [
      describeAccess(change.table, plan),
      ...(collectsFirst ? [{ node: 'collect rows' }] : []),
      ...(change.kind === 'update' && change.isMoving ? [{ node: 'move rows' }] : []),
    ],
    ...(change.returning === undefined ? {} : { returning: true }),
  };
}
