/** The plan as a readable tree, for EXPLAIN. */

import { type TableDefinition, tableName } from '../catalog/catalog.ts';
import type { BoundDelete, BoundInsert, BoundSelect, BoundUpdate } from '../sql/binder/statements.ts';
import type { AccessPlan } from './access.ts';
import type { PlanNode } from './plan-node.ts';

function describeAccess(table: TableDefinition, plan: AccessPlan): PlanNode {
  const { access, residual } = plan;
  const base = { table: tableName(table), partitions: table.partitions.length };
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
  if (select.table === undefined || plan === undefined) return { node: 'values', on: 'coordinator' };
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

export function describeInsert(insert: BoundInsert): PlanNode {
  return {
    node: 'insert',
    table: tableName(insert.table),
    partitions: insert.table.partitions.length,
    source: insert.source.kind,
    conflict: insert.conflict.kind,
    ...(insert.returning === undefined ? {} : { returning: true }),
  };
}

export function describeChange(change: BoundUpdate | BoundDelete, plan: AccessPlan, collectsFirst: boolean): PlanNode {
  return {
    node: change.kind,
    nodes: [describeAccess(change.table, plan), ...(collectsFirst ? [{ node: 'collect rows' }] : [])],
    ...(change.returning === undefined ? {} : { returning: true }),
  };
}
