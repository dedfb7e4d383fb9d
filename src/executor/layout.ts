/**
 * Bytes shared by the threads that order and execute transactions. All words are 32-bit, native byte order.
 *
 * 1. Control: one SharedArrayBuffer. A "line" is 64 bytes; every word by which two threads decide something has a line
 *    of its own and is touched by Atomics only.
 *
 *   line     word  writer              meaning
 *   0        0     creator             node count
 *            1     creator             frontend count (main not counted; main is frontend number `frontend count`)
 *            2     creator             slot count of the order ring, a power of two
 *   1        0     frontends (add)     next: the ticket that the next claim gets
 *   2        0     committer           final: every ticket before it is final
 *   3        0     committer           epoch: count of rollbacks begun
 *   4        0     committer, last ack rollback state (ROLLBACK_*)
 *   5        0     committer           abortAt: first ticket to undo; published by epoch
 *   6        0     nodes (add, or)     acks: nodes that have undone, that have stopped, that wait for it (rollback.ts)
 *   7        0     last ack            resume: the epoch whose rollback is complete
 *   8        0     committer, log      mode (MODE_*)
 *            1     main                1: the log thread commits; 0: the node that has cast the last vote does
 *            2     committer           first ticket behind the group that the log failed to take
 *   9        0     committer (CAS)     committer lock
 *   10       0-1   lock holder         LSN of the last record, float64
 *            2-3   lock holder         WAL writes, float64
 *            4-5   lock holder         WAL bytes, float64
 *            6-7   lock holder         row changes logged, float64
 *            8-9   lock holder         transactions that changed rows of unlogged tables, float64
 *   11       0     main, in a drained  catalog version (Atomics)
 *            1     fence               ref of its serialised form
 *            2                         bytes of it
 *            3                         sequence (Atomics): odd while words 0-2 change
 *   12       0     main                stop: 1 asks the node threads to end
 *   13-14    0-31  lock holder         state of the log (src/log/log-state.ts), 16 float64
 *   15-21    text  lock holder         why the log fails: word 0 = byte length, then UTF-8
 *   22-85    0     anyone              parked words: nodes from line 22 …
 *   86-150   0     anyone              … frontends and main from line 86 …
 *   151      0     anyone              … and the log thread
 *   152 …          see 2.              the order ring
 *
 * 2. Slot of the order ring, 64 bytes; ticket t lies in slot t mod size and is valid while t is in [final, next).
 *
 *   word  field         written by                        when
 *   0     published     frontend, Atomics, last           holds the ticket once the slot is complete
 *   1     frontend      frontend
 *   2, 3  node mask     frontend                          node n is bit n % 32 of word 2 + (n >> 5)
 *   4     flags         frontend, then nodes by or        SLOT_*
 *   5     votes         frontend, then nodes by sub       participants that have not voted
 *   6     fate          nodes                             FATE_*
 *   7     attempt       last ack of a rollback            runs begun before this one
 *   8     step          main (drained fence)              number of the work asked for; 0 while arriving
 *                       nodes (rounds), the last to arrive  number of the step published, + ROUND_LAST (rounds.ts)
 *                       nodes (plain fence) by CAS        state and arrivals (plain-fence.ts)
 *   9     arrived       nodes by add                      at a drained fence; in a step; that have left a WAIT ticket
 *   10    version       frontend                          catalog version of the program
 *   11    program       frontend                          program id
 *   12    request block frontend                          its first page
 *   13    participants  frontend                          bits set in the mask
 *   14    work votes    main, then nodes by sub           nodes that have not done the work of this step
 *
 * 3. Request block: a run of pages in the arenas, of one frontend until the reply is taken.
 *
 *   byte           what
 *   0              header, 256 bytes: BLOCK_* words
 *   256            parts: one 1-KiB record a node by node number, and one more for the coordinator section: the error of
 *                  its tail, what its middle sections leave
 *   256+1024(n+1)  parameters, 16-byte cells, to the end of the run; a request with more has them in a run of its own
 *
 * 4. Part record: 16 words, then 960 inline bytes: the error text of a failed part, or the start of its result streams.
 *
 *   word  what
 *   0     state PART_*
 *   1     attempt it belongs to
 *   2     error: number of its code
 *   3     error: statement, from 0
 *   4     error: row ordinal, from 1; 0 = none
 *   5     error: text bytes in the inline area
 *   6     redo: ref of the first byte (0 = none); the record lies contiguous in its arena
 *   7     redo: bytes
 *   8     redo: row changes in it
 *   9     what hangs at the record beside its results, of runners with rounds: rows that move (0 = none)
 *   10-14 of a profiled part (PROFILE): start, end, and first page of what it tells; else not set
 */

import { assert } from '../base/assert.ts';
import { FRONTEND_COUNT_MAX, NODE_COUNT_MAX, PAGE_BYTES } from '../base/limits.ts';

/** Words of a line. */
const LINE = 16;

export const CONTROL_NODE_COUNT = 0;
export const CONTROL_FRONTEND_COUNT = 1;
export const CONTROL_SLOT_COUNT = 2;
export const CONTROL_NEXT: number = 1 * LINE;
export const CONTROL_FINAL: number = 2 * LINE;
export const CONTROL_EPOCH: number = 3 * LINE;
export const CONTROL_ROLLBACK: number = 4 * LINE;
export const CONTROL_ABORT_AT: number = 5 * LINE;
export const CONTROL_ACKS: number = 6 * LINE;
export const CONTROL_RESUME: number = 7 * LINE;
export const CONTROL_MODE: number = 8 * LINE;
export const CONTROL_LOG_COMMITS: number = 8 * LINE + 1;
export const CONTROL_FAILED_END: number = 8 * LINE + 2;
export const CONTROL_LOCK: number = 9 * LINE;
/** Line of the counters; as float64 index: half of it. */
export const CONTROL_COUNTERS: number = 10 * LINE;
export const CONTROL_CATALOG_VERSION: number = 11 * LINE;
export const CONTROL_CATALOG_REF: number = 11 * LINE + 1;
export const CONTROL_CATALOG_BYTES: number = 11 * LINE + 2;
export const CONTROL_CATALOG_SEQUENCE: number = 11 * LINE + 3;
export const CONTROL_STOP: number = 12 * LINE;
export const CONTROL_LOG_STATE: number = 13 * LINE;
export const CONTROL_FAILURE: number = 15 * LINE;
export const CONTROL_FAILURE_TEXT_BYTES: number = 7 * 64 - 4;
export const CONTROL_NODE_PARKED: number = 22 * LINE;
export const CONTROL_FRONTEND_PARKED: number = CONTROL_NODE_PARKED + NODE_COUNT_MAX * LINE;
export const CONTROL_LOG_PARKED: number = CONTROL_FRONTEND_PARKED + (FRONTEND_COUNT_MAX + 1) * LINE;
export const CONTROL_SLOTS: number = CONTROL_LOG_PARKED + LINE;

/** No rollback: commits may run. */
export const ROLLBACK_NONE = 0;
/** The head failed: it becomes final, what follows runs again. */
export const ROLLBACK_ABORT = 1;
/** The log failed: everything not final runs again. */
export const ROLLBACK_REPLAY = 2;
/** All nodes have undone; slots are being made fresh. */
export const ROLLBACK_RESUMING = 3;
/** The log failed, and may hold the records of the group at hand: nothing becomes final before it is known. */
export const ROLLBACK_HELD = 4;

export const MODE_NORMAL = 0;
/** The log takes no writes, and holds none of those that it has refused. */
export const MODE_READ_ONLY = 1;
/** So, but it may still hold those that failed, which are being cut out of it: their clients wait. */
export const MODE_UNDECIDED = 2;
/** So, and it has taken too long: those clients are told that nobody knows. */
export const MODE_UNKNOWN = 3;

export const SLOT_WORDS = 16;
export const SLOT_SHIFT = 4;
export const SLOT_PUBLISHED = 0;
export const SLOT_FRONTEND = 1;
export const SLOT_MASK_LOW = 2;
export const SLOT_MASK_HIGH = 3;
export const SLOT_FLAGS = 4;
export const SLOT_VOTES = 5;
export const SLOT_FATE = 6;
export const SLOT_ATTEMPT = 7;
export const SLOT_STEP = 8;
export const SLOT_ARRIVED = 9;
export const SLOT_VERSION = 10;
export const SLOT_PROGRAM = 11;
export const SLOT_BLOCK = 12;
export const SLOT_PARTICIPANTS = 13;
export const SLOT_WORK_VOTES = 14;

/** Flag: participants stay until all have voted, and undo at once when it failed. Kept in reruns. */
export const FLAG_WAIT = 1;
/** Flag: a participant holds undo after voting, logged or not. */
export const FLAG_WROTE = 2;
/** Flag: a participant has redo to log. */
export const FLAG_REDO = 4;
/** Flag: a drained fence of main. */
export const FLAG_DRAINED = 8;
/** Flag: the program writes; refused while the log takes no writes. */
export const FLAG_WRITES = 16;
/** Flag: the last voter runs the tail of the coordinator section, which can still fail. */
export const FLAG_TAIL = 32;
/** Flag: a participant has changed rows of unlogged tables, which only a checkpoint keeps. */
export const FLAG_UNLOGGED = 64;

/** Flag: PROFILE; the committer leaves BLOCK_FINAL_TIME. */
export const FLAG_PROFILE = 1024;
/** Flag: the program has several steps, and its participants stay from one to the next (rounds.ts). */
export const FLAG_ROUNDS = 128;
/** Flag: a plain fence, a ticket of all nodes (plain-fence.ts). */
export const FLAG_FENCE = 256;
/** Flag, with FLAG_ROUNDS: all nodes stay until all steps are done, as one of them writes what all read (rounds.ts). */
export const FLAG_STANDS = 512;

/** Step word of a ticket with rounds: no other step follows the one whose number it holds besides. */
export const ROUND_LAST = 0x40000000;
/** The same of one with FLAG_STANDS that has failed: the owner of what all read undoes its part, before anyone leaves. */
export const ROUND_UNDO = 0x20000000;

export const FATE_OK = 0;
export const FATE_FAILED = 1;
/** Compiled for another catalog version; prepared again under a new ticket. */
export const FATE_STALE = 2;

export const BLOCK_HEADER_BYTES = 256;
/** Ordinal of the block at its frontend, dense from 0: index for what the frontend keeps per request. */
export const BLOCK_ORDINAL = 0;
export const BLOCK_FRONTEND = 1;
export const BLOCK_TICKET = 2;
/** Fate, written by the committer before `final` passes the ticket. */
export const BLOCK_FATE = 3;
export const BLOCK_MASK_LOW = 4;
export const BLOCK_MASK_HIGH = 5;
export const BLOCK_FLAGS = 6;
export const BLOCK_VERSION = 7;
export const BLOCK_PROGRAM_ID = 8;
/** Serialised program: ref and bytes. */
export const BLOCK_PROGRAM_REF = 9;
export const BLOCK_PROGRAM_BYTES = 10;
/** Parameter cells: ref of the first, and how many. */
export const BLOCK_PARAMETER_REF = 11;
export const BLOCK_PARAMETER_COUNT = 12;
/** Run of pages that holds parameters which do not fit the block, 0 = none. */
export const BLOCK_EXTRA_PAGE = 13;
export const BLOCK_EXTRA_PAGE_COUNT = 14;
/** Transaction time, int64 microseconds. */
export const BLOCK_NOW_LOW = 16;
export const BLOCK_NOW_HIGH = 17;
/** Random seed, 64 bits. */
export const BLOCK_SEED_LOW = 18;
export const BLOCK_SEED_HIGH = 19;
/** Ref of [u32 bytes][name] of the time zone; 0 = UTC. */
export const BLOCK_TIMEZONE_REF = 20;
export const BLOCK_FORMAT = 21;
/** limit_send in bytes; 0 = none. */
export const BLOCK_LIMIT_SEND = 22;
/** 1: parts leave PART_PROFILE_*. */
export const BLOCK_PROFILE = 23;
/** limit_write in bytes of a part's redo, limit_statement_ms of a part; 0 = none. */
export const BLOCK_LIMIT_WRITE = 26;
export const BLOCK_LIMIT_STATEMENT_MS = 27;
/** Drained fence: ref and bytes of the command for the nodes. */
export const BLOCK_COMMAND_REF = 24;
export const BLOCK_COMMAND_BYTES = 25;
/** Of a ticket with FLAG_PROFILE: when it became final, float64 as Clock.monotonicMilliseconds. */
export const BLOCK_FINAL_TIME = 28;
/** Words 32 to 63 are the frontend's own. */
export const BLOCK_USER = 32;

export const PART_BYTES = 1024;
export const PART_HEADER_BYTES = 64;
export const PART_INLINE_BYTES: number = PART_BYTES - PART_HEADER_BYTES;
export const PART_STATE = 0;
export const PART_ATTEMPT = 1;
export const PART_ERROR_CODE = 2;
export const PART_ERROR_STATEMENT = 3;
export const PART_ERROR_ROW = 4;
export const PART_ERROR_BYTES = 5;
export const PART_REDO_REF = 6;
export const PART_REDO_BYTES = 7;
export const PART_REDO_OPERATIONS = 8;
export const PART_RESULT_PAGE = 9;
/** Of a profiled part: start and end, float64 as Clock.monotonicMilliseconds; page of its steps, two float64 each: rows, ms. */
export const PART_PROFILE_START = 10;
export const PART_PROFILE_END = 12;
export const PART_PROFILE_PAGE = 14;

/** Values of PART_STATE. */
export const PART_STATE_NONE = 0;
export const PART_STATE_OK = 1;
export const PART_STATE_FAILED = 2;

/** Bytes from the start of a block to its parameters. */
export function parameterOffset(nodeCount: number): number {
  return BLOCK_HEADER_BYTES + (nodeCount + 1) * PART_BYTES;
}

/** Pages of a request block: the parts, and at least 256 parameters. */
export function blockPageCount(nodeCount: number): number {
  return Math.ceil((parameterOffset(nodeCount) + 4096) / PAGE_BYTES);
}

/** Bytes of the control buffer. */
export function controlBytes(slotCount: number): number {
  return (CONTROL_SLOTS + slotCount * SLOT_WORDS) * 4;
}

assert(CONTROL_FAILURE + 7 * LINE === CONTROL_NODE_PARKED, 'control lines do not overlap');
assert(parameterOffset(1) % 16 === 0, 'parameter cells are refs');
