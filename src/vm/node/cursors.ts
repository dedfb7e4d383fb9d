/** Family 3: cursors, but for the opcodes that run once a row of a scan: those are in core/interpreter.ts. */

import { SHARED_OWNER_NODE } from '../../catalog/catalog.ts';
import { unknownOpcode } from '../core/interpreter.ts';
import type { Cursor } from './cursor.ts';
import type { NodeVm } from './node-vm.ts';

/** Lists of up to this many keys are searched for the same row. */
const SHORT_LIST_KEYS = 16;

export function runCursors(vm: NodeVm, op: number, a: number, b: number, c: number, pc: number): number {
  const { num, nul, cursors } = vm;
  switch (op) {
    case 192: // scan_open
      return cursors[a].openScan(vm.partitionsOf(b)) ? pc : c;
    case 194: {
      // range_open
      const spec = vm.program.program.ranges[b];
      return cursors[a].openRange(vm.partitionsOf(spec.table), spec, vm) ? pc : c;
    }
    case 195: // range_next
      vm.countRows(1);
      return cursors[a].nextRange(vm) ? b : pc;
    case 196: // point_open
      return openPoint(vm, cursors[a], b) ? pc : c;
    case 197: // list_open
      return openKeys(vm, cursors[a], b) ? pc : c;
    case 198: // list_next
      vm.countRows(1);
      return cursors[a].nextList(cursors[a].list) ? b : pc;
    case 203: {
      // col_bool
      const cursor = cursors[b];
      num[a] = cursor.partition.readBool(cursor.row, c);
      return pc;
    }
    case 204: {
      // col_int16
      const cursor = cursors[b];
      num[a] = cursor.partition.readInt16(cursor.row, c);
      return pc;
    }
    case 205: {
      // col_float
      const cursor = cursors[b];
      num[a] = cursor.partition.readFloat(cursor.row, c);
      return pc;
    }
    case 206: {
      // col_wide
      const cursor = cursors[b];
      num[a] = cursor.partition.readWide(cursor.row, c);
      return pc;
    }
    case 208: {
      // table_count
      let rowCount = 0;
      for (const partition of vm.partitionsOf(b)) rowCount += partition.rowCount;
      num[a] = rowCount;
      return pc;
    }
    case 209: // rows_clear
      vm.rowList(a).clear();
      return pc;
    case 210: {
      // rows_add
      const cursor = cursors[b];
      vm.rowList(a).add(cursor.partition, cursor.row);
      return pc;
    }
    case 211: // rows_open
      return cursors[b].openList(vm.rowList(a)) ? pc : c;
    case 212: // rows_next
      return cursors[b].nextList(vm.rowList(a)) ? c : pc;
    case 217: {
      // col_bool_null
      const cursor = cursors[b];
      nul[a] = cursor.partition.isNull(cursor.row, c) ? 1 : 0;
      num[a] = cursor.partition.readBool(cursor.row, c);
      return pc;
    }
    case 228: // jmp_unless_node
      return vm.parameterWordOf(a) === vm.storage.node ? pc : b;
    case 229: // jmp_unless_owner
      return vm.storage.node === SHARED_OWNER_NODE ? pc : a;
    default:
      throw unknownOpcode(op);
  }
}

function openPoint(vm: NodeVm, cursor: Cursor, point: number): boolean {
  const spec = vm.program.program.points[point];
  const ordinal = vm.parameterWordOf(spec.partitionParam);
  const partition = vm.storage.partitionByOrdinal(vm.tableId(spec.table), ordinal);
  if (partition === undefined) return false;
  const row = partition.findPrimary(vm, spec.keyRegister);
  if (row < 0) return false;
  cursor.partition = partition;
  cursor.row = row;
  return true;
}

/** Finds the rows of a list of keys: those that are here, each once. */
function openKeys(vm: NodeVm, cursor: Cursor, list: number): boolean {
  const spec = vm.program.program.lists[list];
  const found = cursor.list;
  const tableId = vm.tableId(spec.table);
  const routed = vm.routed(spec.table);
  // Equal keys find the same row; a short list is searched, a long one has a set.
  const known = spec.keyCount > SHORT_LIST_KEYS ? new Set<number>() : undefined;
  found.clear();
  if (spec.set >= 0) {
    const set = vm.literalSet(spec.set);
    for (let key = 0; key < set.count; key++) {
      set.load(key, vm, spec.keyRegister);
      const partition = vm.storage.partitionByOrdinal(tableId, routed.ordinal(vm.memory, vm, spec.keyRegister));
      if (partition === undefined) continue;
      const row = partition.findPrimary(vm, spec.keyRegister);
      if (row >= 0) found.add(partition, row);
    }
    return cursor.openList(found);
  }
  for (let register = spec.keyRegister; register < spec.keyRegister + spec.keyCount; register++) {
    if (vm.nul[register] !== 0) continue;
    const ordinal = routed.ordinal(vm.memory, vm, register);
    const partition = vm.storage.partitionByOrdinal(tableId, ordinal);
    if (partition === undefined) continue;
    const row = partition.findPrimary(vm, register);
    if (row < 0) continue;
    if (known === undefined) {
      if (found.has(partition, row)) continue;
    } else {
      const place = ordinal * 4294967296 + row;
      if (known.has(place)) continue;
      known.add(place);
    }
    found.add(partition, row);
  }
  return cursor.openList(found);
}
