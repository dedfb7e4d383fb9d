/** SHOW: what the database says about itself. Each statement gives one column, called as the word after SHOW. */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { notSupported, SqlError } from '../../base/errors.ts';
import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import { type Catalog, type TableDefinition, tableName } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';
import type { Show } from '../../sql/ast/utilities.ts';
import { partitionPageCount } from '../../storage/partition.ts';
import { liveRowCount } from '../../storage/partition-writes.ts';
import { COLUMN_BYTES, TYPE_NAMES } from '../../types/type.ts';
import type { StatementStatistics } from '../frontend/program-cache.ts';
import { findSetting, SETTINGS, type SettingValues, shownSetting } from '../settings.ts';

/** Counters of the threads that main cannot see itself. */
export type ProcessStatus = {
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly cpuFrontendsNs: number;
  readonly cpuBackendsNs: number;
};

export type ShowContext = {
  readonly catalog: Catalog;
  readonly control: Control;
  readonly memory: Memory;
  readonly settings: SettingValues;
  /** First LSNs of the WAL files there are. */
  readonly walLsns: readonly number[];
  readonly isLogKept: boolean;
  readonly frontendCount: number;
  readonly uptimeSeconds: number;
  readonly process: ProcessStatus;
  /** Of all frontends; only for SHOW STATEMENTS. */
  readonly statements: readonly StatementStatistics[];
};

/** The rows of a SHOW, each the value of its one column. Errors: unknown_setting, unknown_table, not_supported. */
export function showRows(show: Show, context: ShowContext): unknown[] {
  const { catalog } = context;
  switch (show.what) {
    case 'setting':
      return [settingValue(show.name!, context)];
    case 'all':
    case 'config':
      return SETTINGS.map(({ name }) => ({ name, value: settingValue(name, context) }));
    case 'wal':
      return [walStatus(context)];
    case 'status':
      return [status(context)];
    case 'schemas':
      return catalog.schemas.map(schemaRow);
    case 'schema':
      return orNull(catalog.schemas.filter(({ name }) => name === show.name).map(schemaRow));
    case 'tables':
      return catalog.tables
        .filter((table) => show.schema === undefined || table.schema === show.schema)
        .map((table) => tableRow(table, show.extended, context));
    case 'table':
      return orNull(
        catalog.tables
          .filter((table) => table.name === show.name && table.schema === (show.schema ?? 'public'))
          .map((table) => tableRow(table, show.extended, context)),
      );
    case 'indexes':
      return catalog.tables.flatMap((table) =>
        table.indexes.map((index) => ({ table: tableName(table), ...indexRow(table, index) })),
      );
    case 'nodes':
      return catalog.nodes.map((id, node) => nodeRow(id, node, show.extended, catalog));
    case 'node':
      return orNull(
        catalog.nodes.flatMap((id, node) => (id === show.name ? [nodeRow(id, node, show.extended, catalog)] : [])),
      );
    case 'statements':
      return statementRows(context.statements);
    case 'replicas':
      return [];
    case 'repl':
    case 'replication':
      return [{ active: false, role: 'primary', primary: null, replicas: [] }];
    default:
      throw notSupported(`SHOW ${show.what.toUpperCase()}`, show.position);
  }
}

/** One row a statement, whatever frontends have it compiled: those that took most time come first. */
function statementRows(statements: readonly StatementStatistics[]): unknown[] {
  const byText = Map.groupBy(statements, ({ text }) => text);
  const sums = [...byText].map(([text, parts]) => ({
    statement: text,
    calls: sum(parts.map(({ calls }) => calls)),
    rows: sum(parts.map(({ rows }) => rows)),
    time_total_ms: milliseconds(sum(parts.map(({ totalMs }) => totalMs))),
    time_max_ms: milliseconds(Math.max(...parts.map(({ maxMs }) => maxMs))),
    compiled: false,
  }));
  return sums.sort((a, b) => b.time_total_ms - a.time_total_ms);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** To microseconds. */
function milliseconds(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function orNull(rows: unknown[]): unknown[] {
  return rows.length === 0 ? [null] : rows;
}

function settingValue(name: string, context: ShowContext): unknown {
  const setting = findSetting(name);
  if (setting === undefined) throw new SqlError('unknown_setting', `there is no setting ${name}`);
  if (name === 'lsn') return context.control.lsn;
  if (name === 'psn') return context.catalog.lastPartitionId;
  return shownSetting(context.settings, setting.name);
}

function schemaRow({ name, isSystem }: Catalog['schemas'][number]): unknown {
  return { name, system: isSystem };
}

function nodeRow(id: string, node: number, isExtended: boolean, catalog: Catalog): unknown {
  if (!isExtended) return { id };
  const owned = catalog.tables.flatMap((table) => table.partitions.filter((partition) => partition.node === node));
  return { id, partitions: owned.map((partition) => partition.id) };
}

function indexRow(table: TableDefinition, index: TableDefinition['indexes'][number]): Record<string, unknown> {
  return {
    name: index.name,
    type: index.method,
    unique: index.isUnique,
    primary: index.isPrimary,
    keys: index.keys.map(({ column }) => ({ column: table.columns[column]!.name })),
  };
}

function tableRow(table: TableDefinition, isExtended: boolean, context: ShowContext): unknown {
  const brief = { schema: table.schema, name: table.name, shared: table.isShared, unlogged: table.isUnlogged };
  if (!isExtended) return brief;
  return {
    ...brief,
    columns: table.columns.map((column) => ({
      name: column.name,
      type: TYPE_NAMES[column.type],
      type_size: COLUMN_BYTES[column.type],
      constraints: {
        not_null: column.isNotNull,
        random: column.randomModulo !== undefined,
        random_modulo: column.randomModulo === undefined ? null : BigInt(column.randomModulo),
        default: defaultOf(column.defaultValue),
        as_identity: column.isIdentity,
        as_stored: null,
        as_resolved: null,
      },
    })),
    indexes: table.indexes.map((index) => indexRow(table, index)),
    partitions: table.partitions.map((partition) => ({
      id: partition.id,
      node: context.catalog.nodes[partition.node],
      min: partition.slotFirst,
      max: partition.slotEnd,
      rows: liveRowCount(context.memory.i32, partition.rootPage),
      bytes: partitionPageCount(context.memory, table, partition.rootPage) * PAGE_BYTES,
    })),
  };
}

function defaultOf(value: TableDefinition['columns'][number]['defaultValue']): unknown {
  if (value === undefined) return null;
  if (value.kind === 'json') return JSON.parse(value.value);
  return value.kind === 'int' ? BigInt(value.value) : value.value;
}

function walCounters({ control, walLsns, settings }: ShowContext): Record<string, unknown> {
  const { lsn, writes, writesBytes, operations } = control.logCounters();
  return {
    checkpoint: settings.checkpoint,
    lsn,
    lsn_min: walLsns[0] ?? 1,
    files: walLsns.length,
    slots: 0,
    slots_min: -1,
    writes,
    writes_bytes: writesBytes,
    ops: operations,
  };
}

function walStatus(context: ShowContext): unknown {
  const { settings, isLogKept } = context;
  return {
    active: isLogKept,
    rotate_wm: settings.wal_rotate_wm,
    sync_on_rotate: settings.wal_sync_on_rotate,
    sync_on_write: settings.wal_sync_on_write,
    ...walCounters(context),
  };
}

function status(context: ShowContext): unknown {
  const { catalog, memory, settings, frontendCount, uptimeSeconds, process: counters } = context;
  const usage = process.resourceUsage();
  return {
    uuid: settings.uuid,
    version: settings.version,
    frontends: frontendCount,
    backends: catalog.nodes.length,
    db: {
      schemas: catalog.schemas.length,
      tables: catalog.tables.length,
      tables_shared: catalog.tables.filter((table) => table.isShared).length,
      secondary_indexes: catalog.tables.reduce((sum, table) => sum + table.indexes.length - 1, 0),
    },
    process: {
      uptime: Math.floor(uptimeSeconds),
      ...processMemory(),
      cpu_count: cpus().length,
      cpu: (usage.userCPUTime + usage.systemCPUTime) * 1000,
      cpu_frontends: Math.round(counters.cpuFrontendsNs),
      cpu_backends: Math.round(counters.cpuBackendsNs),
    },
    // Rows, indexes and what requests need while they run: what memory_limit bounds.
    memory: { used: memory.usedPages() * PAGE_BYTES, limit: memory.limitBytes() },
    net: {
      connections: counters.connections,
      sent_bytes: counters.sentBytes,
      recv_bytes: counters.receivedBytes,
    },
    wal: walCounters(context),
    repl: { active: false, role: 'primary', primary: null, replicas: [] },
  };
}

/** Bytes by /proc/self/statm; what the runtime itself knows where there is no such file. */
function processMemory(): Record<string, number> {
  try {
    const [virtual, resident, shared] = readFileSync('/proc/self/statm', 'utf8').split(' ').map(Number);
    return { mem_virt: virtual! * 4096, mem_resident: resident! * 4096, mem_shared: shared! * 4096 };
  } catch {
    const { rss } = process.memoryUsage();
    return { mem_virt: rss, mem_resident: rss, mem_shared: 0 };
  }
}
