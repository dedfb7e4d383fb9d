/**
 * Code for an UPDATE of primary key columns. Its rows may move to partitions of other nodes, so it takes two steps of the
 * request, with a round between them in which the nodes hand each other their rows:
 *
 *   find a row, compute SET, move_row: it goes, and into a batch … ── round ── moved_open: insert those that are mine …
 *
 * As a new key may belong to any node, all nodes of the table take part. Where a shared table is changed together with
 * others, its owner alone takes both steps, and the other nodes just come to the round.
 */

import { type TableDefinition, tableName } from '../../catalog/catalog.ts';
import { chooseAccess } from '../../planner/access.ts';
import { describeChange } from '../../planner/describe.ts';
import type { BoundReturning, BoundUpdate } from '../../sql/binder/statements.ts';
import type { Label } from './assembler.ts';
import { makesTemporaries } from './bound-properties.ts';
import type { RequestBuilder } from './request-builder.ts';
import { collectsFirst, emitChanges, emitUpdate, finish, type NodeCode, nodeCode, returningOutput } from './write.ts';

/** Where nodes that do not run the statement go on: at its round, to which they jump, and behind the second step. */
export type MoveJumps = { readonly toRound: Label; readonly toEnd: Label };

/** Compiles an UPDATE that sets primary key columns. */
export function compileMove(
  request: RequestBuilder,
  update: BoundUpdate,
  isLast: boolean,
  others: MoveJumps | undefined,
): void {
  const { table, assignments, where } = update;
  const node = nodeCode(request);
  const { body, expressions } = node;
  const plan = chooseAccess(table, where, undefined, undefined);
  request.addPlan(describeChange(update, plan, collectsFirst(plan)));
  const tableOrdinal = request.table(table);
  const name = tableName(table);
  const { kind } = plan.access;
  // The other access paths route to all nodes themselves.
  if (kind === 'point' || kind === 'list') request.head.emit('route_all', tableOrdinal, 0, 0, name);
  expressions.rows = { table, cursor: 0 };
  const makesText = [plan.residual, ...assignments.map(({ value }) => value)].some(
    (bound) => bound !== undefined && makesTemporaries(bound),
  );
  emitChanges(request, node, table, plan, () => {
    emitUpdate(request, node, table, assignments, 'move_row');
    expressions.forgetRow();
    if (makesText) body.emit('scratch_reset');
  });
  finish(request, node);
  if (others !== undefined) request.node.place(others.toRound);
  const round = request.rounds.push({ kind: 'move', table: tableOrdinal }) - 1;
  request.node.emit('round', round, 0, 0, name);
  if (others !== undefined) request.node.emit('jmp_unless_owner', others.toEnd);
  const arrivals = nodeCode(request);
  arrivals.expressions.rows = { table, cursor: 0 };
  emitArrivals(request, arrivals, table, round, isLast ? update.returning : undefined);
  finish(request, arrivals);
}

/** The second step: the rows that belong to this node are inserted, and RETURNING sends them. */
function emitArrivals(
  request: RequestBuilder,
  { body, expressions }: NodeCode,
  table: TableDefinition,
  round: number,
  returning: BoundReturning | undefined,
): void {
  const { steps } = request;
  const name = tableName(table);
  const batch = request.batchCount++;
  const end = body.label();
  body.emit('moved_open', batch, round, end, name);
  if (returning === undefined && !steps.isProfiled) {
    body.emit('insert_all', batch, request.table(table), 0, name);
    body.place(end);
    return;
  }
  const start = body.label();
  const clash = body.label();
  body.place(start);
  body.emit('insert', batch, 0, clash, name);
  steps.row(body, 'nodes', 'move rows');
  steps.row(body, 'statement', 0);
  if (returning !== undefined) {
    const values = returning.outputs.map(({ expression }) => expression);
    body.emit('send_row', returningOutput(request, returning), expressions.consecutive(values), 0);
    request.tail.emit('reply_rows', 0, -1, -1);
    expressions.forgetRow();
    if (values.some(makesTemporaries)) body.emit('scratch_reset');
  }
  body.emit('batch_next', batch, start);
  body.emit('jmp', end);
  body.place(clash);
  body.emit('key_conflict', batch);
  body.place(end);
  steps.end(body, 'nodes', 'move rows');
}
