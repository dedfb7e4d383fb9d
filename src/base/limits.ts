/**
 * Every fixed limit, in one place. Relations between limits are asserted when this file loads.
 */

import { assert } from './assert.ts';

/** A page: the unit of row memory. 4,096 values of 32 bits, so a column segment of a 32-bit type is one page. */
export const PAGE_BYTES: number = 16 * 1024;
/** An arena: one shared WebAssembly.Memory, reserved once. */
export const ARENA_BYTES: number = 1024 * 1024 * 1024;
export const PAGES_PER_ARENA: number = ARENA_BYTES / PAGE_BYTES;
/** Refs address 16-byte units with 32 bits: 64 arenas. */
export const ARENA_COUNT_MAX = 64;
/** Row slots of a segment. */
export const SEGMENT_ROWS = 4096;

/** Touched pages that a node keeps for copies while a snapshot is on. */
export const COPY_RESERVE_BYTES: number = 64 * 1024 * 1024;

/** Hash slots over which the rows of a distributed table spread. */
export const HASH_SLOT_COUNT = 8096;
export const PARTITION_COUNT_MAX = 8096;
/** Nodes: the node mask of a ticket is two 32-bit words. */
export const NODE_COUNT_MAX = 64;
export const FRONTEND_COUNT_MAX = 64;
/** Slots of the order ring, a power of two. Tests use 16. */
export const ORDER_SLOT_COUNT = 4096;

/** Registers of one section, cursors, groups, sorters, batches and row lists of one program. */
export const REGISTER_COUNT_MAX = 4096;
export const PARAMETER_COUNT_MAX = 16_384;
export const COLUMN_COUNT_MAX = 1000;
export const KEY_COLUMN_COUNT_MAX = 16;

/** Depth of nested expressions, JSON values and statements. */
export const NESTING_DEPTH_MAX = 200;
export const IDENTIFIER_BYTES_MAX = 255;
/** A text that a function makes longer than its arguments: repeat, lpad, replace and the like. */
export const TEXT_RESULT_BYTES_MAX: number = 64 * 1024 * 1024;

/** Shapes that a frontend keeps compiled (`limit_shapes`). */
export const SHAPE_COUNT_MAX = 4096;
/** Programs that a node keeps decoded. */
export const NODE_PROGRAM_COUNT_MAX = 8192;

assert(ARENA_BYTES % PAGE_BYTES === 0, 'arenas are whole pages');
assert((ORDER_SLOT_COUNT & (ORDER_SLOT_COUNT - 1)) === 0, 'ring sizes are powers of two');
assert(SEGMENT_ROWS * 4 === PAGE_BYTES, 'a segment of a 32-bit column is one page');
assert(ARENA_COUNT_MAX * (ARENA_BYTES / 16) === 2 ** 32, 'refs cover all arenas');
