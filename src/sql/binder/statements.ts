/** Binds SELECT, INSERT, UPDATE and DELETE against a catalog snapshot. What is not there yet is refused here. */

import { notSupported, SqlError } from '../../base/errors.ts';
import { type Catalog, findColumn, findTable, type TableDefinition, tableName } from '../../catalog/catalog.ts';
import { formatFlags } from '../../types/result-format.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  NULL_TYPE,
  TEXT,
  TIMESTAMP,
  TYPE_NAMES,
  type TypeId,
  UUID,
  VALUE_NAMES,
  VECTOR,
  wideType,
} from '../../types/type.ts';
import type {
  Assignment,
  Delete,
  Format,
  Insert,
  ObjectName,
  Query,
  Returning,
  RowStatement,
  SelectCore,
  SelectItem,
  TableSource,
  Update,
} from '../ast/ast.ts';
import type { Expression } from '../ast/expressions.ts';
import { type Bound, type BoundAggregate, type BoundOrder, type BoundOutput, shownType } from './bound.ts';
import { bindCondition, bindExpression, integerNode, textNode, toJson } from './expressions.ts';
import { setPath } from './json.ts';
import { BOUND_NULL, operatorNode } from './operators.ts';
import { columnNode, constantScope, type GroupKey, isSameTree, type RequestScope, type Scope } from './scope.ts';
import { type BoundFunctionSource, bindFunctionSource } from './sources.ts';

export type BoundSelect = {
  readonly kind: 'select';
  readonly table: TableDefinition | undefined;
  /** A function in FROM, in the place of a table. */
  readonly source: BoundFunctionSource | undefined;
  /** USE INDEX. */
  readonly forcedIndex: number | undefined;
  readonly where: Bound | undefined;
  readonly grouping: { readonly keys: readonly Bound[]; readonly aggregates: readonly BoundAggregate[] } | undefined;
  readonly having: Bound | undefined;
  readonly isDistinct: boolean;
  readonly outputs: readonly BoundOutput[];
  readonly order: readonly (BoundOrder & { /** Ordinal of the output that it is, or -1. */ readonly output: number })[];
  readonly limit: Bound | undefined;
  readonly offset: Bound | undefined;
  readonly format: string;
};

export type BoundReturning = { readonly outputs: readonly BoundOutput[]; readonly format: string };
export type BoundAssignment = { readonly column: number; readonly value: Bound };

export type BoundInsert = {
  readonly kind: 'insert';
  readonly table: TableDefinition;
  readonly columns: readonly number[];
  readonly source:
    | { readonly kind: 'literals'; readonly list: number }
    | { readonly kind: 'rows'; readonly rows: readonly (readonly (Bound | undefined)[])[] }
    | { readonly kind: 'generate'; readonly count: Bound };
  readonly conflict:
    | { readonly kind: 'error' | 'nothing' }
    | { readonly kind: 'update'; readonly assignments: readonly BoundAssignment[]; readonly where: Bound | undefined };
  readonly returning: BoundReturning | undefined;
};

export type BoundUpdate = {
  readonly kind: 'update';
  readonly table: TableDefinition;
  readonly assignments: readonly BoundAssignment[];
  /** It sets a column of the primary key: rows may move to other partitions. */
  readonly isMoving: boolean;
  readonly where: Bound | undefined;
  readonly returning: BoundReturning | undefined;
};

export type BoundDelete = {
  readonly kind: 'delete';
  readonly table: TableDefinition;
  readonly where: Bound | undefined;
  readonly returning: BoundReturning | undefined;
};

export type BoundStatement = BoundSelect | BoundInsert | BoundUpdate | BoundDelete;

/** Binds one statement. Errors: SqlError with positions. */
export function bindStatement(statement: RowStatement, catalog: Catalog, request: RequestScope): BoundStatement {
  switch (statement.kind) {
    case 'select':
      return bindQuery(statement.query, catalog, request);
    case 'insert':
      return bindInsert(statement, catalog, request);
    case 'update':
      return bindUpdate(statement, catalog, request);
    case 'delete':
      return bindDelete(statement, catalog, request);
    case 'with':
      throw notSupported('WITH', statement.position);
  }
}

/** Finds a table by its written name. Errors: unknown_schema, unknown_table with the position. */
export function lookupTable(
  catalog: Catalog,
  name: { readonly schema: string | undefined; readonly name: string; readonly position: number },
): TableDefinition {
  const schema = name.schema ?? 'public';
  if (!catalog.schemas.some((candidate) => candidate.name === schema))
    throw new SqlError('unknown_schema', `schema '${schema}' does not exist`, name.position);
  const table = findTable(catalog, schema, name.name);
  if (table === undefined)
    throw new SqlError('unknown_table', `table '${schema}.${name.name}' does not exist`, name.position);
  return table;
}

function tableScope(request: RequestScope, table: TableDefinition, alias: string | undefined, clause: string): Scope {
  return { request, table, alias: alias ?? table.name, hasExcluded: false, grouping: undefined, clause };
}

function coreOf(query: Query): SelectCore {
  if (query.with !== undefined) throw notSupported('WITH', query.with.position);
  switch (query.body.kind) {
    case 'core':
      return query.body;
    case 'setOperation':
      throw notSupported(query.body.operator.toUpperCase(), query.body.position);
    case 'values':
      throw notSupported('VALUES as a query', query.body.position);
    case 'query':
      throw notSupported('a query in parentheses', query.body.position);
  }
}

type FoundTable = { readonly table: TableDefinition; readonly source: TableSource };

function bindSource(
  core: SelectCore,
  catalog: Catalog,
  request: RequestScope,
): FoundTable | BoundFunctionSource | undefined {
  if (core.from.length === 0) return undefined;
  if (core.from.length > 1) throw notSupported('joins', core.from[1]!.position);
  const source = core.from[0]!;
  switch (source.kind) {
    case 'join':
      throw notSupported('joins', source.position);
    case 'subquery':
      throw notSupported('subqueries', source.position);
    case 'function':
      if (source.columnAliases !== undefined) throw notSupported('column aliases', source.position);
      if (source.lateral) throw notSupported('LATERAL', source.position);
      return bindFunctionSource(source, request);
    case 'table':
      if (source.columnAliases !== undefined) throw notSupported('column aliases', source.position);
      return { table: lookupTable(catalog, source), source };
  }
}

function bindQuery(query: Query, catalog: Catalog, request: RequestScope): BoundSelect {
  const core = coreOf(query);
  if (typeof core.distinct !== 'string') throw notSupported('DISTINCT ON', core.position);
  if (core.windows.length > 0) throw notSupported('window functions', core.windows[0]!.position);
  const from = bindSource(core, catalog, request);
  const found = from !== undefined && 'table' in from ? from : undefined;
  const source = from !== undefined && 'kind' in from ? from : undefined;
  const base: Scope =
    found !== undefined
      ? tableScope(request, found.table, found.source.alias, 'SELECT')
      : { ...constantScope(request, 'SELECT'), ...functionScope(source, core) };
  const items = expandItems(core.items, base);
  const where = core.where === undefined ? undefined : bindCondition(core.where, { ...base, clause: 'WHERE' });
  const keys = bindGroupKeys(core, items, base);
  const isGrouped = keys !== undefined || core.having !== undefined || usesAggregates(items, query);
  const aggregates: BoundAggregate[] = [];
  const scope: Scope = isGrouped ? { ...base, grouping: { keys: keys ?? [], aggregates } } : base;
  const outputs = items.map((item): BoundOutput => ({ name: item.name, expression: item.bind(scope) }));
  const having = core.having === undefined ? undefined : bindCondition(core.having, { ...scope, clause: 'HAVING' });
  const order = bindOrder(query, items, outputs, scope, core.distinct === 'all');
  return {
    kind: 'select',
    table: found?.table,
    source,
    forcedIndex: bindForcedIndex(found),
    where,
    grouping: isGrouped ? { keys: (keys ?? []).map((key) => key.bound), aggregates } : undefined,
    having,
    isDistinct: core.distinct === 'all',
    outputs,
    order,
    limit: bindCount(query.limit, request, 'LIMIT'),
    offset: bindCount(query.offset, request, 'OFFSET'),
    format: checkedFormat(query.format),
  };
}

/** The text of FORMAT, '' where there is none. Errors: unknown_format with its position. */
function checkedFormat(format: Format | undefined): string {
  if (format === undefined) return '';
  formatFlags(format.text, format.position);
  return format.text;
}

/** The columns of a function in FROM: called by its alias, or by its own name. */
function functionScope(source: BoundFunctionSource | undefined, core: SelectCore): Partial<Scope> {
  if (source === undefined) return {};
  const [tree] = core.from;
  return { source: source.columns, alias: (tree!.kind === 'function' ? tree!.alias : undefined) ?? source.name };
}

function bindForcedIndex(found: FoundTable | undefined): number | undefined {
  const wanted = found?.source.index;
  if (found === undefined || wanted === undefined) return undefined;
  const index = found.table.indexes.findIndex((candidate) => candidate.name === wanted.name);
  if (index < 0)
    throw new SqlError(
      'unknown_index',
      `index '${wanted.name}' does not exist on table '${tableName(found.table)}'`,
      wanted.position,
    );
  return index;
}

type Item = {
  readonly name: string;
  readonly alias: string | undefined;
  readonly tree: Expression | undefined;
  bind(scope: Scope): Bound;
};

function expandItems(items: readonly SelectItem[], base: Scope): Item[] {
  const expanded: Item[] = [];
  for (const item of items) {
    if (item.kind === 'expression') {
      const { expression } = item;
      const name = item.alias ?? defaultName(expression, expanded.length + 1);
      expanded.push({ name, alias: item.alias, tree: expression, bind: (scope) => bindExpression(expression, scope) });
      continue;
    }
    const { table, source } = base;
    const names = source?.names ?? table?.columns.map((column) => column.name);
    if (names === undefined) throw new SqlError('syntax_error', '* needs a table in FROM', item.position);
    const qualifier = item.table.at(-1);
    if (qualifier !== undefined && qualifier !== base.alias)
      throw new SqlError('unknown_table', `'${item.table.join('.')}' is not a source of the query`, item.position);
    for (const name of names) {
      const tree: Expression = { kind: 'name', parts: [base.alias!, name], position: item.position };
      expanded.push({ name, alias: undefined, tree, bind: (scope) => bindExpression(tree, scope) });
    }
  }
  return expanded;
}

function defaultName(tree: Expression, position: number): string {
  if (tree.kind === 'name') return tree.parts.at(-1)!;
  if (tree.kind === 'call') return tree.name;
  return `col${position}`;
}

function bindGroupKeys(core: SelectCore, items: readonly Item[], base: Scope): GroupKey[] | undefined {
  if (core.groupBy.length === 0) return undefined;
  return core.groupBy.map(({ expression, ordinal }) => {
    const item = itemOf(ordinal, expression, items, base);
    const tree = item?.tree ?? expression;
    const bound = bindExpression(tree, { ...base, clause: 'GROUP BY' });
    return { tree, bound: bound.type === NULL_TYPE ? { ...BOUND_NULL, type: BIGINT } : bound };
  });
}

/** The select item that a position or an alias stands for. A column of the table goes before an alias of the same name. */
function itemOf(ordinal: number | undefined, tree: Expression, items: readonly Item[], base: Scope): Item | undefined {
  if (ordinal !== undefined) {
    const item = items[ordinal - 1];
    if (item === undefined)
      throw new SqlError('out_of_range', `position ${ordinal} is not in the select list`, tree.position);
    return item;
  }
  if (tree.kind !== 'name' || tree.parts.length !== 1) return undefined;
  const [name] = tree.parts;
  if (base.table !== undefined && findColumn(base.table, name!) >= 0) return undefined;
  if (base.source?.names.includes(name!) === true) return undefined;
  return items.find((item) => item.alias === name);
}

function usesAggregates(items: readonly Item[], query: Query): boolean {
  return (
    items.some((item) => containsAggregate(item.tree)) ||
    query.orderBy.some((item) => containsAggregate(item.expression))
  );
}

const AGGREGATES: ReadonlySet<unknown> = new Set([
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'bool_and',
  'bool_or',
  'string_agg',
  'json_agg',
]);

function containsAggregate(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  if (Array.isArray(tree)) return tree.some(containsAggregate);
  const node = tree as Record<string, unknown>;
  if (node.kind === 'call' && AGGREGATES.has(node.name) && node.over === undefined) return true;
  return Object.values(node).some(containsAggregate);
}

function bindOrder(
  query: Query,
  items: readonly Item[],
  outputs: readonly BoundOutput[],
  scope: Scope,
  isDistinct: boolean,
): BoundSelect['order'] {
  return query.orderBy.map((entry) => {
    // In ORDER BY an alias goes before a column of the same name, as the standard has it.
    const { expression: tree } = entry;
    const byAlias =
      entry.ordinal === undefined && tree.kind === 'name' && tree.parts.length === 1
        ? items.find((item) => item.alias === tree.parts[0])
        : undefined;
    const item = byAlias ?? itemOf(entry.ordinal, tree, items, scope);
    const output =
      item !== undefined
        ? items.indexOf(item)
        : items.findIndex((candidate) => candidate.tree !== undefined && isSameName(scope, candidate.tree, tree));
    const expression =
      output >= 0 ? outputs[output]!.expression : bindExpression(tree, { ...scope, clause: 'ORDER BY' });
    if (isDistinct && output < 0)
      throw new SqlError('invalid_definition', 'ORDER BY of a DISTINCT query must name its columns', tree.position);
    if (expression.type === JSON_TYPE)
      throw new SqlError('type_mismatch', 'ORDER BY of json is not supported, cast it first', tree.position);
    return {
      expression,
      output,
      key: {
        type: expression.type,
        isDescending: entry.descending,
        isNullsFirst: entry.nulls === undefined ? !entry.descending : entry.nulls === 'first',
      },
    };
  });
}

function isSameName(scope: Scope, a: Expression, b: Expression): boolean {
  if (a.kind === 'name' && b.kind === 'name') {
    if (scope.table === undefined && scope.source === undefined) return false;
    return (
      a.parts.at(-1) === b.parts.at(-1) &&
      isSameTree(scope.request, withoutAlias(a.parts, scope), withoutAlias(b.parts, scope))
    );
  }
  return isSameTree(scope.request, a, b);
}

function withoutAlias(parts: readonly string[], scope: Scope): readonly string[] {
  return parts.length > 1 && parts[0] === scope.alias ? parts.slice(1) : parts;
}

/** LIMIT, OFFSET and GENERATE: an int that is the same for the whole request. */
function bindCount(tree: Expression | undefined, request: RequestScope, clause: string): Bound | undefined {
  if (tree === undefined) return undefined;
  const bound = bindExpression(tree, constantScope(request, clause));
  if (bound.kind === 'null') {
    if (clause === 'GENERATE')
      throw new SqlError('type_mismatch', 'GENERATE: expected an int, not null', tree.position);
    return undefined;
  }
  if (bound.type !== BIGINT)
    throw new SqlError('type_mismatch', `${clause}: expected an int, not ${VALUE_NAMES[bound.type]}`, tree.position);
  if (!bound.isNullable) return bound;
  // NULL is no limit, an offset of nothing, and no rows.
  const operands = [bound, integerNode(clause === 'LIMIT' ? 2n ** 63n - 1n : 0n)];
  return { kind: 'coalesce', operands, type: BIGINT, isNullable: false, isConstant: true };
}

function bindReturning(returning: Returning | undefined, scope: Scope): BoundReturning | undefined {
  if (returning === undefined) return undefined;
  const items = expandItems(returning.items, scope);
  return {
    outputs: items.map((item) => ({ name: item.name, expression: item.bind({ ...scope, clause: 'RETURNING' }) })),
    format: checkedFormat(returning.format),
  };
}

function bindInsert(statement: Insert, catalog: Catalog, request: RequestScope): BoundInsert {
  if (statement.with !== undefined) throw notSupported('WITH', statement.with.position);
  const table = lookupTable(catalog, statement.target);
  const columns = bindColumns(statement, table);
  const { source } = statement;
  let bound: BoundInsert['source'];
  switch (source.kind) {
    case 'select':
      throw notSupported('INSERT from a SELECT', source.position);
    case 'generate':
      if (statement.columns !== undefined && statement.columns.length > 0)
        throw new SqlError('invalid_definition', 'GENERATE takes no columns', statement.columns[0]!.position);
      bound = { kind: 'generate', count: bindCount(source.count, request, 'GENERATE')! };
      break;
    case 'values':
      if (source.literalRows) {
        checkWidth(source.width, columns.length, table, source.position);
        bound = { kind: 'literals', list: source.list };
      } else {
        const scope = constantScope(request, 'VALUES');
        bound = {
          kind: 'rows',
          rows: source.rows.map((row) => {
            checkWidth(row.length, columns.length, table, source.position);
            return row.map((cell, ordinal) =>
              cell.kind === 'default'
                ? undefined
                : toBatch(bindExpression(cell, scope), table, columns[ordinal]!, cell.position),
            );
          }),
        };
      }
      break;
  }
  const scope = tableScope(request, table, undefined, 'ON CONFLICT');
  return {
    kind: 'insert',
    table,
    columns: source.kind === 'generate' ? [] : columns,
    source: bound,
    conflict: bindConflict(statement, { ...scope, hasExcluded: true }),
    returning: bindReturning(statement.returning, scope),
  };
}

/** Types that a batch converts itself, and then says in which row it could not. */
const CONVERTED: ReadonlySet<TypeId> = new Set([BOOL, BIGINT, DOUBLE, TEXT, JSON_TYPE]);

/** A cell of VALUES: in its column's type, or in a type that the batch converts. Errors: as toColumn. */
function toBatch(value: Bound, table: TableDefinition, column: number, position: number): Bound {
  const converted = toColumn(value, table, column, position);
  return value.kind !== 'null' && CONVERTED.has(value.type) ? value : converted;
}

function checkWidth(width: number, expected: number, table: TableDefinition, position: number): void {
  if (width !== expected)
    throw new SqlError(
      'wrong_arguments',
      `table '${tableName(table)}': expected ${expected} value${expected === 1 ? '' : 's'} a row, got ${width}`,
      position,
    );
}

function bindColumns(statement: Insert, table: TableDefinition): number[] {
  if (statement.columns === undefined) return table.columns.map((_, ordinal) => ordinal);
  const columns: number[] = [];
  for (const { name, position } of statement.columns) {
    const column = findColumn(table, name);
    if (column < 0)
      throw new SqlError('unknown_column', `column '${name}' does not exist in table '${tableName(table)}'`, position);
    if (columns.includes(column)) throw new SqlError('duplicate_object', `column '${name}' is named twice`, position);
    columns.push(column);
  }
  return columns;
}

function bindConflict(statement: Insert, scope: Scope): BoundInsert['conflict'] {
  const { conflict } = statement;
  if (conflict === undefined || conflict.kind === 'error' || conflict.kind === 'resolve') return { kind: 'error' };
  if (conflict.kind === 'nothing') return { kind: 'nothing' };
  return {
    kind: 'update',
    assignments: bindConflictAssignments(conflict.assignments, scope, scope.table!),
    where: conflict.where === undefined ? undefined : bindCondition(conflict.where, { ...scope, clause: 'WHERE' }),
  };
}

function isKeyColumn(table: TableDefinition, column: number): boolean {
  return table.indexes[0]!.keys.some((key) => key.column === column);
}

function bindConflictAssignments(
  assignments: readonly Assignment[],
  scope: Scope,
  table: TableDefinition,
): BoundAssignment[] {
  for (const { column, position } of assignments) {
    if (isKeyColumn(table, findColumn(table, column)))
      throw notSupported('UPDATE of a primary key column in ON CONFLICT', position);
  }
  return bindAssignments(assignments, scope, table);
}

function bindAssignments(assignments: readonly Assignment[], scope: Scope, table: TableDefinition): BoundAssignment[] {
  /** By column: its assignment, to which other paths of the same JSON column are added. */
  const byColumn = new Map<number, BoundAssignment & { readonly isPath: boolean }>();
  for (const assignment of assignments) {
    const column = findColumn(table, assignment.column);
    if (column < 0)
      throw new SqlError(
        'unknown_column',
        `column '${assignment.column}' does not exist in table '${tableName(table)}'`,
        assignment.position,
      );
    const earlier = byColumn.get(column);
    const isPath = assignment.path.length > 0;
    if (earlier !== undefined && !(isPath && earlier.isPath))
      throw new SqlError('duplicate_object', `column '${assignment.column}' is set twice`, assignment.position);
    const { value } = assignment;
    if (isPath) {
      const base = earlier?.value ?? columnNode(table, column, 'column');
      byColumn.set(column, { column, value: bindPathAssignment(assignment, base, scope, table, column), isPath });
    } else if (value.kind === 'default') byColumn.set(column, { column, value: defaultNode(table, column), isPath });
    else {
      const bound = bindExpression(value, { ...scope, clause: 'SET' });
      byColumn.set(column, { column, value: toColumn(bound, table, column, value.position), isPath });
    }
  }
  return [...byColumn.values()];
}

/** `column.a.b = value`: the column, or what earlier paths have made of it, with the value inside. */
function bindPathAssignment(
  { path, value, position, column: name }: Assignment,
  base: Bound,
  scope: Scope,
  table: TableDefinition,
  column: number,
): Bound {
  const { type } = table.columns[column]!;
  if (type !== JSON_TYPE)
    throw new SqlError('type_mismatch', `column '${name}' is ${TYPE_NAMES[type]} and has no keys to set`, position);
  if (value.kind === 'default')
    throw new SqlError(
      'invalid_definition',
      `DEFAULT belongs to a column, not to a key in column '${name}'`,
      value.position,
    );
  return setPath(base, path, toJson(bindExpression(value, { ...scope, clause: 'SET' })));
}

/** The column's default as a constant. */
function defaultNode(table: TableDefinition, column: number): Bound {
  const { defaultValue, type } = table.columns[column]!;
  if (defaultValue === undefined) return { ...BOUND_NULL, type: wideType(type) };
  const base = { type: wideType(type), isNullable: false, isConstant: true } as const;
  switch (defaultValue.kind) {
    case 'int':
      return { ...base, kind: 'integer', value: BigInt(defaultValue.value) };
    case 'bool':
      return { ...base, kind: 'integer', value: defaultValue.value ? 1n : 0n };
    case 'double':
      return {
        ...base,
        kind: 'double',
        value: Number(defaultValue.value),
        ...(type === FLOAT ? { isFloat: true } : {}),
      };
    case 'text':
      if (type === UUID) return operatorNode('text_to_uuid', UUID, [textNode(defaultValue.value)]);
      if (type === INTERVAL) return operatorNode('text_to_interval', INTERVAL, [textNode(defaultValue.value)]);
      return textNode(defaultValue.value);
    case 'json': {
      const json: Bound = { ...base, type: JSON_TYPE, kind: 'json', value: defaultValue.value };
      return type === VECTOR ? operatorNode('json_to_vector', VECTOR, [json], { canGiveNull: true }) : json;
    }
  }
}

/** The value in the column's wide type, by the conversion rules of INSERT. Errors: type_mismatch naming column and both types. */
export function toColumn(value: Bound, table: TableDefinition, column: number, position: number): Bound {
  const { type, name } = table.columns[column]!;
  const wide = wideType(type);
  if (value.type === NULL_TYPE) return { ...BOUND_NULL, type: wide };
  if (value.type === wide) return value;
  const failure = `column '${name}': % is not ${type === INT ? 'an' : 'a'} ${TYPE_NAMES[type]}`;
  if (value.type === BIGINT && wide === DOUBLE)
    return { ...operatorNode('int_to_double_exact', DOUBLE, [value]), failure } as Bound;
  if (value.type === DOUBLE && wide === BIGINT)
    return { ...operatorNode('double_to_int_exact', BIGINT, [value]), failure } as Bound;
  if (value.type === TEXT && wide === UUID) return operatorNode('text_to_uuid', UUID, [value]);
  if (value.type === JSON_TYPE && wide === VECTOR)
    return operatorNode('json_to_vector', VECTOR, [value], { canGiveNull: true });
  if (value.type === TEXT && wide === TIMESTAMP) return operatorNode('text_to_timestamp', TIMESTAMP, [value]);
  if (value.type === TEXT && wide === DATE) return operatorNode('text_to_date', DATE, [value], { immediate: 1 });
  if (value.type === TEXT && wide === INTERVAL) return operatorNode('text_to_interval', INTERVAL, [value]);
  if (wide === JSON_TYPE) return operatorNode('to_json', JSON_TYPE, [value], { immediate: shownType(value) });
  throw new SqlError(
    'type_mismatch',
    `column '${name}': ${VALUE_NAMES[value.type]} cannot be stored as ${TYPE_NAMES[type]}`,
    position,
  );
}

function bindUpdate(statement: Update, catalog: Catalog, request: RequestScope): BoundUpdate {
  if (statement.with !== undefined) throw notSupported('WITH', statement.with.position);
  if (statement.from.length > 0) throw notSupported('UPDATE … FROM', statement.from[0]!.position);
  const { table, scope } = bindTarget(statement.target, statement.alias, catalog, request);
  const assignments = bindAssignments(statement.assignments, scope, table);
  return {
    kind: 'update',
    table,
    assignments,
    isMoving: assignments.some(({ column }) => isKeyColumn(table, column)),
    where: statement.where === undefined ? undefined : bindCondition(statement.where, scope),
    returning: bindReturning(statement.returning, scope),
  };
}

function bindDelete(statement: Delete, catalog: Catalog, request: RequestScope): BoundDelete {
  if (statement.with !== undefined) throw notSupported('WITH', statement.with.position);
  if (statement.using.length > 0) throw notSupported('DELETE … USING', statement.using[0]!.position);
  const { table, scope } = bindTarget(statement.target, statement.alias, catalog, request);
  return {
    kind: 'delete',
    table,
    where: statement.where === undefined ? undefined : bindCondition(statement.where, scope),
    returning: bindReturning(statement.returning, scope),
  };
}

function bindTarget(
  target: ObjectName,
  alias: string | undefined,
  catalog: Catalog,
  request: RequestScope,
): { table: TableDefinition; scope: Scope } {
  const table = lookupTable(catalog, target);
  return { table, scope: tableScope(request, table, alias, 'WHERE') };
}
