/**
 * For tests: trees as s-expressions, so that a table of cases reads on one line each. Not imported by production code.
 */
import { unreachable } from '../../base/assert.ts';
import type { OrderItem, Query, QueryBody, RowStatement, SelectCore, SelectItem, Source, With } from '../ast/ast.ts';
import type { Call, Expression, FrameBound, WindowSpecification } from '../ast/expressions.ts';

/** An expression, as `(+ 1 (* a b))`. Text is in JSON's quotes, a slot follows its constant as `1@0`. */
export function printExpression(e: Expression): string {
  switch (e.kind) {
    case 'literal': {
      const text =
        e.type === 'text' ? JSON.stringify(e.value) : e.type === 'double' ? printDouble(e.value) : `${e.value}`;
      return e.slot === undefined ? text : `${text}@${e.slot}`;
    }
    case 'parameter':
      return `$${e.index}`;
    case 'name':
      return e.parts.join('.');
    case 'typedLiteral':
      return `(${e.type} ${JSON.stringify(e.text)})`;
    case 'vector':
      return list('vector', e.elements);
    case 'array':
      return list('array', e.elements);
    case 'object':
      return `(object${e.entries.map(({ key, value }) => ` ${JSON.stringify(key)}: ${printExpression(value)}`).join('')})`;
    case 'unary':
      return list(e.operator, [e.operand]);
    case 'binary':
      return list(e.operator, [e.left, e.right]);
    case 'isNull':
      return list(e.not ? 'is-not-null' : 'is-null', [e.operand]);
    case 'like':
      return list(e.not ? 'not-like' : 'like', [e.operand, e.pattern]);
    case 'between':
      return list(e.not ? 'not-between' : 'between', [e.operand, e.low, e.high]);
    case 'in':
      return list(e.not ? 'not-in' : 'in', [e.operand, ...e.items]);
    case 'quantified':
      return list(`${e.operator}-${e.quantifier}`, [e.operand, e.set]);
    case 'exists':
      return `(exists ${printQuery(e.query)})`;
    case 'subquery':
      return printQuery(e.query);
    case 'case': {
      const branches = e.branches.map(({ when, result }) => ` (${printExpression(when)} ${printExpression(result)})`);
      return `(case${optional(e.operand)}${branches.join('')}${optional(e.otherwise)})`;
    }
    case 'cast':
      return `(cast ${e.type} ${printExpression(e.operand)})`;
    case 'extract':
      return `(extract ${e.field} ${printExpression(e.operand)})`;
    case 'call':
      return printCall(e);
    case 'index':
      return list('index', [e.operand, e.index]);
    case 'field':
      return `(field ${printExpression(e.operand)} ${e.key})`;
    case 'atTimezone':
      return list('at-timezone', [e.operand, e.zone]);
    case 'current':
      return `current_${e.what}`;
    case 'lambda':
      return list('->', [e.seed, e.body]);
    default:
      return unreachable(e);
  }
}

function list(head: string, elements: readonly Expression[]): string {
  return `(${[head, ...elements.map(printExpression)].join(' ')})`;
}

function optional(e: Expression | undefined, head = ''): string {
  return e === undefined ? '' : ` ${head}${printExpression(e)}`;
}

/** Doubles always have a fraction or an exponent here, to tell them from ints. */
function printDouble(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

function printCall(e: Call): string {
  const name = e.schema === undefined ? e.name : `${e.schema}.${e.name}`;
  const head = `${e.method ? '::' : ''}${name}${e.distinct ? ' distinct' : ''}${e.star ? ' *' : ''}`;
  let over = '';
  if (e.over !== undefined) over = ` over ${'kind' in e.over ? printWindow(e.over) : e.over.name}`;
  const args = e.arguments.map((argument) => ` ${printExpression(argument)}`).join('');
  return `(${head}${args}${printOrderBy(e.orderBy)}${optional(e.filter, 'filter ')}${over})`;
}

function printWindow(window: WindowSpecification): string {
  const base = window.base === undefined ? '' : ` ${window.base.name}`;
  const partition = window.partitionBy.length === 0 ? '' : ` ${list('partition', window.partitionBy)}`;
  const { frame } = window;
  const bounds = frame === undefined ? '' : ` (${frame.unit} ${printBound(frame.start)} ${printBound(frame.end)})`;
  return `(window${base}${partition}${printOrderBy(window.orderBy)}${bounds})`;
}

function printBound(bound: FrameBound): string {
  return 'offset' in bound ? `(${bound.kind} ${printExpression(bound.offset)})` : bound.kind;
}

function printOrderBy(items: readonly OrderItem[]): string {
  if (items.length === 0) return '';
  const printed = items.map(({ expression, ordinal, descending, nulls }) => {
    const mark = ordinal === undefined ? '' : `#${ordinal}=`;
    return ` ${mark}${printExpression(expression)}${descending ? ' desc' : ''}${nulls === undefined ? '' : ` nulls-${nulls}`}`;
  });
  return ` (order${printed.join('')})`;
}

/** A query, clause by clause. */
export function printQuery(query: Query): string {
  const rest = `${printOrderBy(query.orderBy)}${optional(query.limit, 'limit ')}${optional(query.offset, 'offset ')}`;
  const format = query.format === undefined ? '' : ` format ${query.format.text}`;
  if (query.with === undefined && rest === '' && format === '') return printBody(query.body);
  return `(query${printWith(query.with)} ${printBody(query.body)}${rest}${format})`;
}

function printWith(clause: With | undefined): string {
  if (clause === undefined) return '';
  const entries = clause.entries.map(({ name, columns, statement }) => {
    const names = columns === undefined ? '' : `(${columns.map((column) => column.name).join(' ')})`;
    return ` (${name}${names} ${statement.kind === 'query' ? printQuery(statement) : printStatement(statement)})`;
  });
  return ` (with${clause.recursive ? '-recursive' : ''}${entries.join('')})`;
}

function printBody(body: QueryBody): string {
  switch (body.kind) {
    case 'core':
      return printSelect(body);
    case 'setOperation':
      return `(${body.operator}${body.all ? '-all' : ''} ${printBody(body.left)} ${printBody(body.right)})`;
    case 'values':
      return `(values${body.rows.map((row) => ` ${list('row', row)}`).join('')})`;
    default:
      return printQuery(body);
  }
}

function printSelect(core: SelectCore): string {
  let distinct = '';
  if (core.distinct === 'all') distinct = ' distinct';
  else if (core.distinct !== 'none') distinct = ` ${printItems('distinct-on', core.distinct)}`;
  const groupBy = core.groupBy.length === 0 ? '' : ` ${printItems('group', core.groupBy)}`;
  const windows = core.windows.map(({ name, specification }) => ` (${name} ${printWindow(specification)})`).join('');
  const where = `${optional(core.where, 'where ')}${groupBy}${optional(core.having, 'having ')}`;
  return `(select${distinct}${printSelectItems(core.items)}${printSources('from', core.from)}${where}${windows})`;
}

function printItems(head: string, items: Exclude<SelectCore['distinct'], string>): string {
  const printed = items.map(
    ({ expression, ordinal }) => `${ordinal === undefined ? '' : `#${ordinal}=`}${printExpression(expression)}`,
  );
  return `(${[head, ...printed].join(' ')})`;
}

function printSelectItems(items: readonly SelectItem[]): string {
  return items
    .map((item) => {
      if (item.kind === 'star') return ` ${[...item.table, '*'].join('.')}`;
      const text = printExpression(item.expression);
      return item.alias === undefined ? ` ${text}` : ` (as ${item.alias} ${text})`;
    })
    .join('');
}

function printSources(head: string, sources: readonly Source[]): string {
  return sources.length === 0 ? '' : ` (${[head, ...sources.map(printSource)].join(' ')})`;
}

function printSource(source: Source): string {
  if (source.kind === 'join') {
    const using = source.using === undefined ? '' : ` using(${source.using.map(({ name }) => name).join(' ')})`;
    return `(${source.type} ${printSource(source.left)} ${printSource(source.right)}${optional(source.on, 'on ')}${using})`;
  }
  let text: string;
  if (source.kind === 'table') {
    text = source.schema === undefined ? source.name : `${source.schema}.${source.name}`;
    if (source.index !== undefined) text = `(use ${source.index.name} ${text})`;
  } else {
    text = source.kind === 'function' ? printCall(source.call) : printQuery(source.query);
    if (source.lateral) text = `(lateral ${text})`;
  }
  if (source.alias === undefined) return text;
  const { columnAliases } = source;
  const columns = columnAliases === undefined ? '' : `(${columnAliases.map(({ name }) => name).join(' ')})`;
  return `(as ${source.alias}${columns} ${text})`;
}

/** A statement that reads or changes rows. */
export function printStatement(statement: RowStatement): string {
  if (statement.kind === 'select') return printQuery(statement.query);
  const withClause = printWith(statement.with);
  if (statement.kind === 'with') return withClause.trim();
  const { target, returning } = statement;
  const name = target.schema === undefined ? target.name : `${target.schema}.${target.name}`;
  const format = returning?.format === undefined ? '' : ` format ${returning.format.text}`;
  const tail = returning === undefined ? '' : ` (returning${printSelectItems(returning.items)}${format})`;
  if (statement.kind === 'insert') {
    const columns =
      statement.columns === undefined ? '' : `(${statement.columns.map((column) => column.name).join(' ')})`;
    return `(insert${withClause} ${name}${columns} ${printInsertSource(statement.source)}${printConflict(statement.conflict)}${tail})`;
  }
  const alias = statement.alias === undefined ? '' : ` as ${statement.alias}`;
  const where = optional(statement.where, 'where ');
  if (statement.kind === 'delete') {
    return `(delete${withClause} ${name}${alias}${printSources('using', statement.using)}${where}${tail})`;
  }
  const sets = printAssignments(statement.assignments);
  return `(update${withClause} ${name}${alias}${sets}${printSources('from', statement.from)}${where}${tail})`;
}

type InsertStatement = Extract<RowStatement, { kind: 'insert' }>;

function printInsertSource(source: InsertStatement['source']): string {
  if (source.kind === 'generate') return `(generate ${printExpression(source.count)})`;
  if (source.kind === 'select') return printQuery(source.query);
  if (source.literalRows) return `(list ${source.list} width ${source.width})`;
  const rows = source.rows.map((row) => {
    const cells = row.map((cell) => ` ${cell.kind === 'default' ? 'default' : printExpression(cell)}`);
    return ` (row${cells.join('')})`;
  });
  return `(values${rows.join('')})`;
}

function printConflict(conflict: InsertStatement['conflict']): string {
  if (conflict === undefined) return '';
  if (conflict.kind !== 'update') return ` (on-conflict ${conflict.kind})`;
  return ` (on-conflict${printAssignments(conflict.assignments)}${optional(conflict.where, 'where ')})`;
}

function printAssignments(
  assignments: readonly Extract<RowStatement, { kind: 'update' }>['assignments'][number][],
): string {
  return assignments
    .map(({ column, path, value }) => {
      const text = value.kind === 'default' ? 'default' : printExpression(value);
      return ` (set ${[column, ...path].join('.')} ${text})`;
    })
    .join('');
}
