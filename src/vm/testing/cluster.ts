/** Several node VMs and a coordinator VM over one memory in one thread: what the executor does, without tickets and rounds. */

import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import type { ColumnDefinition, TableDefinition } from '../../catalog/catalog.ts';
import { freeBatch } from '../../program/batch.ts';
import type { RowSource } from '../../program/batch-builder.ts';
import { Parameters } from '../../program/parameters.ts';
import type { Program } from '../../program/program.ts';
import { Partition } from '../../storage/partition.ts';
import { RedoBuffer } from '../../storage/redo-buffer.ts';
import { UndoLog } from '../../storage/undo.ts';
import { UTC } from '../../types/time-zone.ts';
import { BIGINT, type TypeId } from '../../types/type.ts';
import { CoordinatorVm } from '../coordinator/coordinator-vm.ts';
import type { RequestContext } from '../coordinator/request.ts';
import { loadProgram } from '../core/loaded-program.ts';
import { freeResults } from '../core/result.ts';
import { NodeVm } from '../node/node-vm.ts';
import type { PartContext } from '../node/part.ts';

export type RunOptions = {
  readonly parameters?: (parameters: Parameters, text: (value: string) => number) => void;
  readonly rows?: RowSource;
  readonly format?: number;
  readonly limitSendBytes?: number;
  readonly poll?: () => boolean;
};

const INLINE_BYTES = 960;

export class Cluster {
  readonly memory: Memory;
  readonly tables: Map<number, TableDefinition> = new Map();
  readonly partitions: Map<number, Partition[]> = new Map();
  readonly nodes: NodeVm[] = [];
  readonly undo: UndoLog[] = [];
  readonly redo: RedoBuffer[] = [];
  readonly coordinator: CoordinatorVm;
  readonly nodeCount: number;
  private readonly blockPage: number;
  /** Bytes of the redo of each node in the last run. */
  readonly redoBytes: number[] = [];

  constructor(memory: Memory, nodeCount: number) {
    this.memory = memory;
    this.nodeCount = nodeCount;
    this.blockPage = memory.allocateZeroed(2);
    for (let node = 0; node < nodeCount; node++) {
      this.undo.push(new UndoLog(memory));
      this.redo.push(new RedoBuffer(memory));
      this.nodes.push(
        new NodeVm(memory, {
          node,
          table: (tableId) => this.tables.get(tableId)!,
          partitionsOf: (tableId) => this.partitions.get(tableId)!.filter(({ definition }) => definition.node === node),
          partitionByOrdinal: (tableId, ordinal) => {
            const partition = this.partitions.get(tableId)![ordinal]!;
            return partition.definition.node === node ? partition : undefined;
          },
        }),
      );
    }
    this.coordinator = new CoordinatorVm(memory, { table: (tableId) => this.tables.get(tableId)! });
  }

  /** Makes a table of two partitions a node; columns[0] is its primary key. */
  createTable(
    id: number,
    columns: readonly (Partial<ColumnDefinition> & { name: string; type: TypeId })[],
    more: Partial<TableDefinition> = {},
  ): TableDefinition {
    const count = this.nodeCount * 2;
    const identityPage = this.memory.allocateZeroed(1);
    const table: TableDefinition = {
      id,
      schema: 'public',
      name: `t${id}`,
      isShared: false,
      isUnlogged: false,
      columns: columns.map((column, ordinal) => ({ isNotNull: ordinal === 0, isIdentity: false, ...column })),
      indexes: [
        {
          id: 1,
          name: 'pk',
          method: 'tree',
          isUnique: true,
          isPrimary: true,
          keys: [{ column: 0, isDescending: false }],
        },
      ],
      partitions: [],
      identityRef: (identityPage * 1024) >>> 0,
      ...more,
    };
    const partitions = Array.from({ length: count }, (_, ordinal) => ({
      id: ordinal,
      node: ordinal % this.nodeCount,
      slotFirst: Math.floor((8096 * ordinal) / count),
      slotEnd: Math.floor((8096 * (ordinal + 1)) / count),
      rootPage: Partition.create(this.memory, table),
    }));
    const whole = { ...table, partitions };
    this.tables.set(id, whole);
    this.partitions.set(
      id,
      partitions.map((definition) => Partition.open(this.memory, whole, definition)),
    );
    return whole;
  }

  /** Runs a program as one transaction; the reply. An error undoes it on all nodes and is thrown. */
  run(program: Program, options: RunOptions = {}): string {
    const { memory } = this;
    const arena = this.blockPage >>> 16;
    const blockByte = (this.blockPage & 0xffff) << 14;
    const parameterByte = blockByte + 16_384;
    const parameters = new Parameters(memory);
    parameters.at(arena, parameterByte);
    const values = this.coordinator.workspace;
    options.parameters?.(parameters, (value) => values.text(new TextEncoder().encode(value)));
    const pages: number[] = [];
    const request: RequestContext = {
      parameterArena: arena,
      parameterByte,
      now: 1_700_000_000_000_000,
      seedLow: 1,
      seedHigh: 2,
      timeZone: UTC,
      format: options.format ?? 0,
      limitSendBytes: options.limitSendBytes ?? 1 << 20,
      rowSource: options.rows ?? null,
      maskLow: 0,
      maskHigh: 0,
      batches: [],
      allocate: (byteLength) => {
        const count = Math.ceil(byteLength / 16_384);
        const page = memory.allocate(count);
        pages.push(page);
        return (page * 1024) >>> 0;
      },
      sleep: () => {},
      checkTime: () => {},
    };
    assert(program.rounds.length === 0, 'programs of one step');
    const loaded = loadProgram(program);
    const local = this.coordinator.runHead(loaded, request);
    if (program.isLocal) return new TextDecoder().decode(local);
    const parts = { count: 0, arenas: [] as number[], bytes: [] as number[] };
    const marks = this.undo.map((undo) => undo.mark());
    try {
      for (let node = 0; node < this.nodeCount; node++) {
        this.redo[node]!.begin();
        this.redoBytes[node] = 0;
        if (((request.maskLow >>> node) & 1) === 0) continue;
        const resultByte = blockByte + node * 1024 + 64;
        const part: PartContext = {
          hasUnloggedChanges: false,
          movedBatch: 0,
          firstMoved: 0,
          ...request,
          resultArena: arena,
          resultByte,
          resultBytes: INLINE_BYTES,
          undo: this.undo[node]!,
          redo: this.redo[node]!,
          poll: options.poll ?? (() => false),
        };
        this.nodes[node]!.run(loaded, part);
        this.redoBytes[node] = this.redo[node]!.byteLength();
        parts.arenas.push(arena);
        parts.bytes.push(resultByte);
        parts.count++;
      }
      return new TextDecoder().decode(this.coordinator.runTail(loaded, request, parts));
    } catch (error) {
      for (const [node, undo] of this.undo.entries()) undo.rollbackTo(marks[node]!);
      throw error;
    } finally {
      for (let i = 0; i < parts.count; i++) freeResults(memory, parts.arenas[i]!, parts.bytes[i]!);
      for (const ref of request.batches) freeBatch(memory, ref);
      for (const page of pages) memory.free(page, memory.pageCountOf(page));
      for (const undo of this.undo) undo.release(undo.mark());
      for (const redo of this.redo) redo.release(redo.mark());
    }
  }
}

/** Rows of a literal list: JavaScript values by the columns of the insert; undefined is DEFAULT. */
export function literalRows(
  rows: readonly (readonly (bigint | number | string | boolean | null | undefined)[])[],
): RowSource {
  const encoder = new TextEncoder();
  return {
    fill(builder): void {
      builder.expectRows(rows.length);
      for (const row of rows) {
        builder.beginRow();
        row.forEach((value, i) => {
          const column = builder.columns[i]!;
          if (value === null) builder.setNull(column);
          else if (value === undefined) builder.setDefault(column);
          else if (typeof value === 'bigint') {
            const isExact = value >= -(2n ** 53n) && value <= 2n ** 53n;
            builder.setInt(column, isExact ? Number(value) : Number.NaN, value);
          } else if (typeof value === 'boolean') builder.setBool(column, value);
          else if (typeof value === 'number') {
            if (Number.isInteger(value)) builder.setInt(column, value, 0n);
            else builder.setDouble(column, value);
          } else {
            const bytes = encoder.encode(value);
            builder.setTextBytes(column, bytes, 0, bytes.length);
          }
        });
        builder.endRow();
      }
    },
  };
}

export const ID: { name: string; type: TypeId } = { name: 'id', type: BIGINT };
