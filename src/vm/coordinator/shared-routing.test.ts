/** Which nodes a head makes take part because of shared tables. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { UTC } from '../../types/time-zone.ts';
import { loadProgram } from '../core/loaded-program.ts';
import { assemble, makeProgram } from '../testing/assemble.ts';
import { CoordinatorVm } from './coordinator-vm.ts';
import type { RequestContext } from './request.ts';

const memory = Memory.create({ limitBytes: 16 * 1024 * 1024, eagerArenas: false });
const parameterPage = memory.allocateZeroed(1);
const vm = new CoordinatorVm(memory, { table: () => assert.fail('no table is asked for') });

/** The mask after a head, as a bigint, and parameter 2. */
function route(source: string, seedLow: number): { mask: bigint; parameter: number } {
  const request: RequestContext = {
    parameterArena: parameterPage >>> 16,
    parameterByte: (parameterPage & 0xffff) << 14,
    now: 0,
    seedLow,
    seedHigh: 0,
    timeZone: UTC,
    format: 0,
    limitSendBytes: 1000,
    rowSource: null,
    maskLow: 0,
    maskHigh: 0,
    batches: [],
    allocate: () => 0,
    sleep: () => {},
    checkTime: () => {},
  };
  vm.runHead(loadProgram(makeProgram({ coordinator: assemble(`${source}\nsend\nret`) })), request);
  const mask = BigInt(request.maskLow >>> 0) | (BigInt(request.maskHigh >>> 0) << 32n);
  return { mask, parameter: memory.i32[request.parameterArena]![(request.parameterByte >> 2) + 2 * 4]! };
}

test('a fence is of all nodes', () => {
  for (const nodeCount of [1, 2, 31, 32, 33, 63, 64])
    assert.equal(route(`route_fence ${nodeCount}`, 0).mask, 2n ** BigInt(nodeCount) - 1n, `${nodeCount}`);
});

test('a reader is any node, by the seed; where nodes take part already, one of them', () => {
  for (const nodeCount of [1, 3, 32, 33, 64]) {
    const seen = new Set<number>();
    for (const seed of [...Array(200).keys(), -1, -(2 ** 31), 2 ** 31 - 1]) {
      const { mask, parameter } = route(`route_reader 2 ${nodeCount}`, seed);
      assert.equal(mask, 1n << BigInt(parameter));
      assert.deepEqual(route(`route_reader 2 ${nodeCount}`, seed), { mask, parameter }, 'a seed gives the same again');
      seen.add(parameter);
    }
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [...Array(nodeCount).keys()],
    );
  }
  for (const partCount of [1, 2, 40]) {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const { mask, parameter } = route(`route_fence ${partCount}\nroute_reader 2 64`, seed);
      assert.equal(mask, 2n ** BigInt(partCount) - 1n);
      seen.add(parameter);
    }
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [...Array(partCount).keys()],
    );
  }
});
