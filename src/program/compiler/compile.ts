/** From a parsed request to a program. */

import { SqlError } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Request, RowStatement } from '../../sql/ast/ast.ts';
import type { RequestScope } from '../../sql/binder/scope.ts';
import { type BoundStatement, bindStatement } from '../../sql/binder/statements.ts';
import type { Program, SharedUse } from '../program.ts';
import { Assembler, type Label } from './assembler.ts';
import { compileMove } from './move.ts';
import { RequestBuilder } from './request-builder.ts';
import { compileSelect } from './select.ts';
import { isSharedChange, sharedUseOf, usesShared } from './shared-use.ts';
import { compileChange, compileInsert } from './write.ts';

export type CompileOptions = {
  readonly programId: number;
  /** Kinds of the shape's constants, then of $1 …: 1 int, 2 double, 3 text, 4 bool, 5 null, 6 json. */
  readonly parameterKinds: Uint8Array | readonly number[];
  readonly constantCount: number;
};

const ROW_STATEMENTS: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'with']);

/**
 * Compiles the row statements of a request against a catalog snapshot into one program.
 * Errors: SqlError with the position of what is wrong; not_supported for what this version has not.
 */
export function compileRequest(request: Request, catalog: Catalog, options: CompileOptions): Program {
  const scope: RequestScope = {
    parameterKinds: options.parameterKinds,
    constantCount: options.constantCount,
    slotEqualities: [],
  };
  const builder = new RequestBuilder(options.parameterKinds.length, request.explain === 'profile');
  const { steps } = builder;
  let isWrite = false;
  let hasResult = false;
  let sharedUse: SharedUse = 'none';
  try {
    const bounds = bindAll(request, catalog, scope);
    sharedUse = sharedUseOf(bounds);
    if (sharedUse === 'reads') builder.readerParameter = builder.newParameter();
    for (const [index, bound] of bounds.entries()) {
      const isLast = index === request.statements.length - 1;
      builder.startStatement();
      // Any round does: from the first one on all nodes are at this request.
      if (sharedUse === 'mixed' && isSharedChange(bound) && builder.rounds.length === 0)
        builder.node.emit('round', builder.rounds.push({ kind: 'stand' }) - 1, 0, 0, 'all nodes stand here');
      builder.node.emit('statement', index);
      const skipped = builder.node.label();
      const isMove = bound.kind === 'update' && bound.isMoving;
      const others = sharedUse === 'mixed' && isMove && usesShared(bound) ? builder.node.label() : undefined;
      skipElsewhere(builder, sharedUse, bound, others ?? skipped);
      const replies = isLast && (bound.kind === 'select' || bound.returning !== undefined);
      for (const code of [builder.head, builder.node]) steps.begin(code);
      if (replies) steps.begin(builder.tail);
      if (bound.kind === 'select') compileSelect(builder, bound, isLast);
      else {
        isWrite = true;
        if (bound.kind === 'insert') compileInsert(builder, bound, isLast);
        else if (bound.kind === 'update' && isMove)
          compileMove(builder, bound, isLast, others && { toRound: others, toEnd: skipped });
        else compileChange(builder, bound, isLast);
      }
      for (const code of [builder.head, builder.node]) steps.end(code, 'statement', 0);
      builder.node.place(skipped);
      if (!replies) continue;
      hasResult = true;
      if (bound.kind === 'select') steps.sent(builder.tail, 'statement', 0);
      steps.end(builder.tail, 'statement', 0);
    }
  } catch (error) {
    if (error instanceof RangeError && /call stack/.test(error.message))
      throw new SqlError('limit_exceeded', 'an expression of the request is nested too deeply');
    throw error;
  }
  routeShared(builder, sharedUse, catalog.nodes.length);
  return finish(builder, catalog, options, scope, request.statements.length, isWrite, hasResult, sharedUse);
}

/** Statements on shared tables are run by one node. */
function skipElsewhere(builder: RequestBuilder, use: SharedUse, bound: BoundStatement, skipped: Label): void {
  if (!usesShared(bound)) return;
  if (use === 'reads') builder.node.emit('jmp_unless_node', builder.readerParameter, skipped);
  else if (use === 'mixed') builder.node.emit('jmp_unless_owner', skipped);
}

/** Binds all statements, as the use of shared tables is a matter of the request as a whole. */
function bindAll(request: Request, catalog: Catalog, scope: RequestScope): BoundStatement[] {
  return request.statements.map((statement) => {
    if (!ROW_STATEMENTS.has(statement.kind))
      throw new SqlError('misplaced_statement', 'this statement must stand alone in its request', statement.position);
    return bindStatement(statement as RowStatement, catalog, scope);
  });
}

/** The last of the head: which nodes take part because of shared tables. */
function routeShared(builder: RequestBuilder, use: SharedUse, nodeCount: number): void {
  if (use === 'reads') builder.head.emit('route_reader', builder.readerParameter, nodeCount);
  else if (use !== 'none') builder.head.emit('route_fence', nodeCount);
}

function finish(
  builder: RequestBuilder,
  catalog: Catalog,
  options: CompileOptions,
  scope: RequestScope,
  statementCount: number,
  isWrite: boolean,
  hasResult: boolean,
  sharedUse: SharedUse,
): Program {
  const coordinator = new Assembler();
  coordinator.append(builder.head);
  if (builder.tables.length > 0) coordinator.emit('send');
  coordinator.append(builder.tail);
  return {
    id: options.programId,
    catalogVersion: catalog.version,
    isWrite,
    canTailFail: isWrite && hasResult,
    sharedUse,
    isLocal: builder.tables.length === 0,
    hasResult,
    requestParameterCount: options.parameterKinds.length,
    parameterCount: builder.parameterCount,
    statementCount,
    coordinator: coordinator.finish(Math.max(builder.headRegisters.count, builder.tailRegisters.count)),
    node: builder.node.finish(builder.nodeRegisters.count),
    tables: builder.tables,
    constants: builder.constants,
    points: builder.points,
    lists: builder.lists,
    ranges: builder.ranges,
    groups: builder.groups,
    sorts: builder.sorts,
    outputs: builder.outputs,
    limits: builder.limits,
    inserts: builder.inserts,
    updates: builder.updates,
    rounds: builder.rounds,
    failures: builder.failures,
    systemInputs: builder.systemInputs,
    jsonPaths: builder.jsonPaths,
    cursorCount: 1,
    batchCount: builder.batchCount,
    groupCount: 2,
    sorterCount: 1,
    rowListCount: 1,
    plan: builder.plan,
    stepCount: builder.steps.count,
    slotEqualities: scope.slotEqualities,
  };
}
