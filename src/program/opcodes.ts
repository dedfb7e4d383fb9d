/**
 * The opcode table: the single source of numbers, names, operands and meaning. The compiler, the interpreter, EXPLAIN and
 * the verifier all go by it; a test checks the interpreter's numeric cases against it.
 *
 * An instruction is four 32-bit words: opcode, a, b, c. An opcode's number is family * 64 + index; a family is one function
 * with one switch of at most 64 numeric cases.
 *
 * Operand kinds (one letter each, in the table below):
 *   d register written, r register read, p parameter (ordinal), k constant (ordinal), j jump target (instruction index),
 *   i immediate integer, t table (ordinal in program.tables), c cursor, b batch, g group set, s sorter, x row list, n column ordinal,
 *   y step of the plan,
 *   q spec (ordinal in the program's list that the opcode names), f function number, - unused
 *
 * Registers: num[] (Float64Array), big[] (BigInt64Array), nul[] (Uint8Array). Every value is a number in num[]: integers and
 * timestamps as the number while within ±2^53, else NaN with the value in big[]; bool as 0/1; doubles; refs (text, json, …).
 * nul[] is read and written only for registers that the compiler made nullable: an opcode writes nul[d] only where it says so.
 * Ordinary operators ignore nul[]; the compiler guards nullable operands by guard1/2/n, which skip the operator.
 */

export type OpcodeRow = {
  readonly number: number;
  readonly name: string;
  readonly operands: string;
  readonly meaning: string;
};

const rows: OpcodeRow[] = [];
function family(number: number, entries: readonly (readonly [string, string, string])[]): void {
  for (const [index, [name, operands, meaning]] of entries.entries())
    rows.push({ number: number * 64 + index, name, operands, meaning });
}

// Family 0: control, loads.
family(0, [
  ['ret', '---', 'end of the section'],
  ['jmp', 'j--', 'pc = a'],
  ['jmp_true', 'rj-', 'if num[a] != 0 (not null) pc = b'],
  ['jmp_false', 'rj-', 'if num[a] == 0 (not null) pc = b'],
  ['jmp_not_true', 'rj-', 'if nul[a] or num[a] == 0: pc = b'],
  ['jmp_null', 'rj-', 'if nul[a] pc = b'],
  ['jmp_not_null', 'rj-', 'if !nul[a] pc = b'],
  ['guard1', 'dr-', 'nul[a] = nul[b]; if set, skip the next instruction'],
  ['guard2', 'drr', 'nul[a] = nul[b] | nul[c]; if set, skip the next instruction'],
  ['guard_n', 'dri', 'nul[a] = or of nul[b .. b+c-1]; if set, skip the next instruction'],
  ['move', 'dr-', 'num[a] = num[b], big too'],
  ['move_null', 'dr-', 'num, big and nul of a = those of b'],
  ['set_null', 'd--', 'nul[a] = 1'],
  ['clear_null', 'd--', 'nul[a] = 0'],
  ['load_int', 'di-', 'num[a] = b (immediate)'],
  ['const', 'dk-', 'num[a] (and big) = constant b'],
  ['param', 'dp-', 'num[a] (and big) = parameter b, which is not null'],
  ['param_null', 'dp-', 'the same, and nul[a] = whether it is null'],
  ['now', 'd--', 'num[a] = the transaction time, microseconds'],
  ['is_null', 'dr-', 'num[a] = nul[b]'],
  ['is_not_null', 'dr-', 'num[a] = 1 - nul[b]'],
  ['count_down', 'rj-', 'num[a] -= 1; if num[a] <= 0 pc = b'],
  [
    'scratch_reset',
    '---',
    'frees the temporaries (text, json) made since the section or the last reset; results and sets keep copies',
  ],
  ['set_param', 'pri', 'parameter a = register b, type number c, never null'],
  ['set_param_null', 'pri', 'the same, null where nul[b]'],
  ['jmp_zero_or_less', 'rj-', 'if num[a] <= 0 pc = b'],
  ['fail', 'qr-', 'raises error spec a (code and text of program.failures)'],
  [
    'defer_error',
    'pj-',
    'head: up to defer_end an error is not raised but becomes parameter a, and the section goes on at b',
  ],
  ['defer_end', '---', ''],
  ['param_deferred', 'dp-', 'as param_null, but nul[a] = 2 where parameter b is an error'],
  ['check_param', 'rp-', 'raises the error that is parameter b where nul[a] is 2'],
  ['jmp_unless_eq', 'rrj', 'integers or doubles, not null: unless num[a] = num[b] pc = c'],
  ['jmp_unless_ne', 'rrj', ''],
  ['jmp_unless_lt', 'rrj', ''],
  ['jmp_unless_le', 'rrj', ''],
  ['jmp_unless_gt', 'rrj', ''],
  ['jmp_unless_ge', 'rrj', ''],
  ['round', 'q--', 'nodes: the step ends; the part goes on behind it when all nodes have come to program.rounds[a]'],
]); // prettier-ignore

// Family 1: numbers, truth, comparison.
family(1, [
  ['add_int', 'drr', '64-bit, overflow is the error "int + int overflow"'],
  ['sub_int', 'drr', '"int - int overflow"'],
  ['mul_int', 'drr', '"int * int overflow"'],
  ['div_int', 'drr', 'truncates; "zero division"; INT64_MIN / -1 overflows'],
  ['mod_int', 'drr', 'sign of the dividend; "zero division"'],
  ['neg_int', 'dr-', ''],
  ['and_int', 'drr', 'bitwise'],
  ['or_int', 'drr', ''],
  ['xor_int', 'drr', ''],
  ['shl_int', 'drr', 'negative or over 63: error; bits shifted out are lost'],
  ['shr_int', 'drr', 'arithmetic'],
  ['not_int', 'dr-', 'bitwise ~'],
  ['add_double', 'drr', 'infinite result is the error "double + double overflow"'],
  ['sub_double', 'drr', ''],
  ['mul_double', 'drr', ''],
  ['div_double', 'drr', '"zero division"'],
  ['neg_double', 'dr-', ''],
  ['int_to_double', 'dr-', ''],
  ['double_to_int', 'dr-', 'drops the fraction; out of range is an error'],
  ['double_to_int_exact', 'dri', 'for storing: a fraction is the error invalid_value; c = failure spec'],
  ['check_int', 'dri', 'a = b if it fits the integer type number c & 255, else out_of_range of failure spec c >> 8'],
  ['to_float', 'dri', 'a = Math.fround(b), infinite is out_of_range of failure spec c'],
  ['not', 'dr-', 'num[a] = num[b] == 0 ? 1 : 0'],
  ['and3', 'drr', 'three-valued, reads and writes nul (operands not nullable must have nul 0)'],
  ['or3', 'drr', 'the same'],
  ['eq_int', 'drr', 'num[a] = 0/1; also for bool, date, timestamp, all of the int kind'],
  ['ne_int', 'drr', ''],
  ['lt_int', 'drr', ''],
  ['le_int', 'drr', ''],
  ['gt_int', 'drr', ''],
  ['ge_int', 'drr', ''],
  ['eq_double', 'drr', ''],
  ['ne_double', 'drr', ''],
  ['lt_double', 'drr', ''],
  ['le_double', 'drr', ''],
  ['gt_double', 'drr', ''],
  ['ge_double', 'drr', ''],
  ['eq_text', 'drr', 'bytes'],
  ['ne_text', 'drr', ''],
  ['lt_text', 'drr', ''],
  ['le_text', 'drr', ''],
  ['gt_text', 'drr', ''],
  ['ge_text', 'drr', ''],
  ['eq_json', 'drr', 'structural'],
  ['ne_json', 'drr', ''],
  ['truth', 'dr-', 'num[a] = num[b] != 0 (big counts as true)'],
  [
    'cmp_int_double',
    'dri',
    'exact comparison of int register b and double register b+1; c: 0 = 1 <> 2 < 3 <= 4 > 5 >=',
  ],
  ['int_to_double_exact', 'dri', 'for storing: an int that is no double is the error invalid_value of failure spec c'],
]); // prettier-ignore

// Family 2: text, JSON, casts, functions.
family(2, [
  ['concat', 'drr', 'text || text'],
  ['like', 'drr', 'text b like pattern c (%, _, backslash)'],
  ['json_key', 'drr', 'd = json b read by key text c; missing: nul[a] = 1, else nul[a] = 0'],
  ['json_index', 'drr', 'the same by int c'],
  ['json_to_int', 'dr-', 'JSON null: nul[a] = 1, else nul[a] = 0; wrong kind: invalid_value with the value'],
  ['json_to_double', 'dr-', 'the same'],
  ['json_to_text', 'dr-', 'the same: a JSON string gives its text, others their JSON text'],
  ['json_to_bool', 'dr-', 'the same'],
  ['json_to_timestamp', 'dr-', 'the same, from JSON string or integer'],
  ['to_json', 'dri', 'json of register b of wide type c (nul[b] gives JSON null when c has bit 8 set)'],
  ['json_concat', 'drr', 'json arrays'],
  ['json_array', 'dri', 'array of json registers b .. b+c-1'],
  ['json_object', 'dri', 'object of c pairs: registers b, b+1 (key text, value json), …'],
  ['int_to_text', 'dr-', ''],
  ['double_to_text', 'dr-', ''],
  ['bool_to_text', 'dr-', 'true, false'],
  ['timestamp_to_text', 'dr-', 'in the request time zone'],
  ['text_to_int', 'dr-', 'whole text; else invalid_value naming it'],
  ['text_to_double', 'dr-', ''],
  ['text_to_bool', 'dr-', ''],
  ['text_to_timestamp', 'dr-', 'ISO 8601, request time zone'],
  ['text_to_json', 'dr-', 'a JSON string'],
  ['call', 'dfr', 'd = function f of its arguments from register c; sets nul[d] where the function can give NULL'],
  ['int_to_timestamp', 'dr-', 'microseconds; outside the years 1 to 9999 is out_of_range'],
  [
    'json_find',
    'dri',
    'object of json array b whose id (c = 0), name (1), or schema and name (2) is text b+1; none: nul[a] = 1, else nul[a] = 0',
  ],
]); // prettier-ignore

// Family 3: cursors (nodes only).
family(3, [
  ['scan_open', 'ctj', 'over all own partitions of table b; without a row pc = c'],
  ['scan_next', 'cj-', 'to the next row: pc = b (loop start); at the end falls through'],
  ['range_open', 'cqj', 'index range of program.ranges[b]; without a row pc = c'],
  ['range_next', 'cj-', 'as scan_next'],
  ['point_open', 'cqj', 'row with the primary key of program.points[b]; partition not mine or no row: pc = c'],
  ['list_open', 'cqj', 'rows with the keys of program.lists[b]; without one pc = c'],
  ['list_next', 'cj-', ''],
  [
    'col_int32',
    'dcn',
    'num[a] = column c of cursor b: bool, tinyint, smallint, int, date by their storage: this one for int and date',
  ],
  ['col_int64', 'dcn', 'bigint, timestamp'],
  ['col_double', 'dcn', ''],
  ['col_ref', 'dcn', 'text, json, vector: the stored ref'],
  ['col_bool', 'dcn', 'bool and tinyint: 1 byte'],
  ['col_int16', 'dcn', ''],
  ['col_float', 'dcn', ''],
  ['col_wide', 'dcn', 'uuid, interval: ref to the 16 bytes in place'],
  ['col_null', 'dcn', 'nul[a] = null flag of the column (follows or precedes the load of the value)'],
  ['table_count', 'dt-', 'num[a] = rows of own partitions'],
  ['rows_clear', 'x--', 'row list'],
  ['rows_add', 'xc-', 'adds the row of cursor b'],
  ['rows_open', 'xcj', 'cursor b to the first row of list a; empty: pc = c'],
  ['rows_next', 'xcj', 'cursor b to the next row: pc = c'],
  ['col_int32_null', 'dcn', 'col_int32 and col_null in one'],
  ['col_int64_null', 'dcn', ''],
  ['col_double_null', 'dcn', ''],
  ['col_ref_null', 'dcn', ''],
  ['col_bool_null', 'dcn', ''],
  ['scan_int32', 'dcn', 'col_int32 of a cursor that was opened by scan_open'],
  ['scan_int64', 'dcn', ''],
  ['scan_double', 'dcn', ''],
  ['scan_ref', 'dcn', ''],
  ['scan_int32_null', 'dcn', ''],
  ['scan_int64_null', 'dcn', ''],
  ['scan_double_null', 'dcn', ''],
  ['scan_ref_null', 'dcn', ''],
  ['scan_next_int64', 'cj-', 'scan_next, and the scan_int64 at b; only loading makes it (loaded-program.ts)'],
  ['scan_next_int32', 'cj-', 'scan_next, and the scan_int32 at b'],
  ['jmp_unless_node', 'pj-', 'unless parameter a is the number of this node pc = b'],
  ['jmp_unless_owner', 'j--', 'unless this node is the owner of the shared tables pc = a'],
]); // prettier-ignore

// Family 4: writes and batches on nodes.
family(4, [
  ['batch_open', 'bpj', 'batch in parameter b: to its first row that is mine; none: pc = c'],
  ['batch_next', 'bj-', 'next row of mine: pc = b; at the end falls through'],
  ['insert_all', 'bt-', 'inserts all rows of mine of batch a into table b; a clash is key_conflict'],
  [
    'insert',
    'bcj',
    'inserts the row; cursor b is then on the stored row. A clash: cursor b on the existing row, pc = c',
  ],
  ['key_conflict', 'b--', 'fails with key_conflict of the batch row: table and key in the message'],
  ['batch_col', 'dbn', 'excluded value of column c, by the column type; nul[d] = null flag'],
  ['update', 'cqr', 'row of cursor a: columns of program.updates[b] = registers c, c+1, …; not-null checked'],
  ['delete', 'c--', 'row of cursor a'],
  ['batch_ordinal', 'db-', 'ordinal of the row in its statement, from 0'],
  ['statement', 'i--', 'statement a of the request starts (for the order of errors)'],
  [
    'move_row',
    'cqr',
    'the row of cursor a goes, and into the batch of the round that follows: columns of program.updates[b] = registers c, c+1, …, the others as they are; not-null checked',
  ],
  ['moved_open', 'bqj', 'batch a is what all nodes have left in round b: to its first row that is mine; none: pc = c'],
]); // prettier-ignore

// Family 5: groups, sorting, results (nodes and coordinator).
family(5, [
  ['group_open', 'gq-', 'empty group set of program.groups[b]; without keys it has its one group'],
  [
    'group_find',
    'gr-',
    'current group = that of keys in registers b, b+1, …; made when missing. nul[] of the keys is read: 0 where not nullable (all are 0 at the start of a section)',
  ],
  ['agg_count', 'gi-', 'aggregate b of the current group: count + 1'],
  [
    'agg_add',
    'gir',
    'aggregate b takes register c, by its spec (sum, avg, min, max, count(e), distinct); nul[c] is read where the spec says nullable',
  ],
  ['group_send', 'gi-', 'writes all groups as partial records into result stream b'],
  ['group_first', 'gj-', 'to the first group; none: pc = b'],
  ['group_next', 'gj-', 'to the next group: pc = b'],
  ['group_key', 'dgi', 'key c of the current group; nul[d] is set'],
  ['agg_result', 'dgi', 'aggregate c of the current group; nul[d] is set'],
  ['sort_open', 'sqr', 'sorter of program.sorts[b]; register c = rows to keep at most, c = -1 all'],
  ['sort_add', 'sr-', 'row: keys then values in registers b, b+1, …; nul[] is read as in group_find'],
  [
    'sort_send',
    'si-',
    'sorts, writes records (key cells, JSON payload of the values by the spec output) into result stream b',
  ],
  ['sort_first', 'srj', 'sorts; registers b, b+1, … = keys then values of the first row; none: pc = c'],
  ['sort_next', 'srj', 'next row: pc = c'],
  ['send_row', 'qri', 'record with JSON payload of program.outputs[a], values in registers b…, into result stream c'],
  ['send_row_key', 'qri', 'the same with one int sort key in register b, values after it'],
  ['sort_skip', 'sr-', 'drops the first num[b] rows (OFFSET); before sort_first'],
  ['group_count_add', 'gir', 'aggregate b of the current group: count + num[c]'],
  ['set_open', 'ii-', 'set a, empty, for values of type number b'],
  ['set_add', 'iri', 'register b, of wide type c and not NULL, into set a; the register may change'],
  ['set_params', 'ipi', 'parameters b … b+c-1, none of them NULL, into set a'],
  ['set_list', 'ikr', 'the list that is constant b into set a; register c is used for it'],
  ['set_has', 'dir', 'num[a] = 1 where register c, not NULL and of the type of set b, is in it, else 0'],
  ['sort_test', 'srj', 'pc = c where no row with the first key in register b can be among those that sorter a keeps'],
  ['step_begin', '---', 'PROFILE: a statement begins in this section'],
  [
    'step_rows',
    'yii',
    'PROFILE: rows of step a: b = 0 one more, 1 the groups of set c, 2 all that the section has sent, 3 all that the statement has passed',
  ],
  ['step_end', 'y--', 'PROFILE: step a ends'],
]); // prettier-ignore

// Family 6: coordinator.
family(6, [
  ['route_all', 't--', 'all nodes with partitions of table a take part'],
  ['route_point', 'pq-', 'hashes the key of program.points[b]; parameter a = partition ordinal; its node takes part'],
  ['route_list', 'q--', 'nodes of the keys of program.lists[a]; its partition parameters are not used'],
  ['batch_values', 'bqi', 'batch a (program.inserts[b]) from literal list c of the request, or import rows'],
  ['batch_new', 'bq-', 'empty batch a for program.inserts[b]'],
  ['batch_row', 'b--', 'starts a row: every column unset'],
  ['batch_set', 'bnr', 'column b of the row = register c, by the column type'],
  ['batch_set_null', 'bnr', 'the same, null where nul[c]'],
  ['batch_row_end', 'b--', 'unset columns get identity, random, default or null; not-null check'],
  ['batch_generate', 'bqr', 'num[c] rows of unset columns'],
  ['batch_route', 'bp-', 'hashes keys, sets partition of each row; parameter b = the batch; nodes take part'],
  [
    'send',
    '---',
    'end of the head: the ticket is taken here. What follows runs when all parts have their results, maybe on another thread: registers and temporaries do not live through it, parameters do (a text in set_param is copied)',
  ],
  [
    'reply_rows',
    'iqq',
    'the reply of result stream a: concatenated, or merged by program.sorts[b] (-1: none), limits of program.limits[c] (-1: none)',
  ],
  ['group_merge', 'gi-', 'merges the partial groups of result stream b of all parts into group set a'],
  ['out_open', 'q--', 'starts the reply of program.outputs[a]'],
  ['out_row', 'qr-', 'appends a row, values in registers b…'],
  ['out_close', 'q--', 'ends the reply'],
  ['limit_check', 'ri-', 'fails when num[a] is negative: b = 0 LIMIT, 1 OFFSET, 2 GENERATE'],
  [
    'series_int',
    'irj',
    'source a: ints (or days) from register b to b+1 by b+2, none of them NULL; step 0 is invalid_value; no row: pc = c',
  ],
  ['series_time', 'irj', 'source a: timestamps from register b to b+1 by the interval in b+2; the same'],
  [
    'each_open',
    'irj',
    'source a: the elements of the JSON array in register b; a value that is none, and NULL, is one row; no row: pc = c',
  ],
  [
    'source_next',
    'ij-',
    'source a to its next row: pc = b; at the end falls through. Now and then the run pauses here',
  ],
  ['source_value', 'di-', 'num[a] = value of the row of source b; nul[a] = whether it is NULL'],
  [
    'batch_put',
    'bir',
    'column b & 65535 of the row = register c of wide type b >> 16, converted as a literal is; an error names the row',
  ],
  ['batch_put_null', 'bir', 'the same, null where nul[c]'],
  [
    'route_reader',
    'pi-',
    'parameter a = the node that reads shared tables, which takes part: one of those that do already, else any of b nodes',
  ],
  ['route_fence', 'i--', 'all a nodes take part, as the request changes shared tables'],
]); // prettier-ignore

// Family 7: dates, intervals, timestamps.
family(7, [
  ['eq_interval', 'drr', 'num[a] = 0/1; a month counts 30 days, a day 24 hours'],
  ['ne_interval', 'drr', ''],
  ['lt_interval', 'drr', ''],
  ['le_interval', 'drr', ''],
  ['gt_interval', 'drr', ''],
  ['ge_interval', 'drr', ''],
  ['add_date_int', 'drr', 'date b + int c days; outside the years 1 to 9999 is out_of_range'],
  ['sub_date_int', 'drr', 'date b - int c days'],
  ['add_time_interval', 'drr', 'months and days in the request time zone, then microseconds'],
  ['sub_time_interval', 'drr', ''],
  ['sub_timestamp', 'drr', 'interval of microseconds'],
  ['add_interval', 'drr', '"interval + interval overflow"'],
  ['sub_interval', 'drr', ''],
  ['neg_interval', 'dr-', ''],
  ['date_to_timestamp', 'dr-', 'midnight in the request time zone'],
  ['timestamp_to_date', 'dr-', 'the day in the request time zone'],
  ['int_to_date', 'dr-', 'Julian day; outside the years 1 to 9999 is out_of_range'],
  ['text_to_date', 'dri', 'YYYY-MM-DD; a time behind it is dropped where c is 0'],
  ['text_to_interval', 'dr-', 'numbers and units'],
  ['date_to_text', 'dr-', ''],
  ['interval_to_text', 'dr-', ''],
  ['json_to_date', 'dr-', 'JSON null: nul[a] = 1, else nul[a] = 0; from JSON string or integer'],
  ['json_to_interval', 'dr-', 'the same, from JSON string'],
  [
    'time_field',
    'dri',
    'number of the field named by text b; c: 0 extract, 1 date_trunc, 2 interval_trunc (for the error)',
  ],
  ['date_trunc', 'drr', 'timestamp b cut to field number c in the request time zone'],
  ['interval_trunc', 'drr', 'interval b cut to field number c'],
  ['extract_timestamp', 'drr', 'field number c of timestamp b in the request time zone, an int'],
  ['extract_date', 'drr', ''],
  ['extract_interval', 'drr', ''],
]); // prettier-ignore

// Family 8: JSON by constant paths. Spec: the path, of program.jsonPaths.
family(8, [
  ['json_path', 'drq', 'part of json b; none: nul[a] = 1, else nul[a] = 0'],
  ['json_path_int', 'drq', 'json_to_int of that part; no part and JSON null: nul[a] = 1, else nul[a] = 0'],
  ['json_path_double', 'drq', 'the same by json_to_double'],
  ['json_path_text', 'drq', 'the same by json_to_text'],
  ['json_path_bool', 'drq', 'the same by json_to_bool'],
  ['json_path_exists', 'drq', 'num[a] = whether json b has that part'],
  ['json_path_set', 'drq', 'json b with json b+1 at that place, levels made where missing; nul[b]: in an empty object'],
  [
    'json_any',
    'dri',
    'compares b with the elements of json array b+1; c: 0 = 1 <> 2 < 3 <= 4 > 5 >=, + 8 for ALL, + 16 * type of b. nul[a] is set: three-valued, JSON null counts as NULL',
  ],
]); // prettier-ignore

// Family 9: uuids, vectors, floats.
family(9, [
  ['eq_uuid', 'drr', 'num[a] = 0/1; uuids compare by their bytes'],
  ['ne_uuid', 'drr', ''],
  ['lt_uuid', 'drr', ''],
  ['le_uuid', 'drr', ''],
  ['gt_uuid', 'drr', ''],
  ['ge_uuid', 'drr', ''],
  ['cmp_vector', 'dri', 'vectors b and b+1, element by element, then the shorter first; c: 0 = 1 <> 2 < 3 <= 4 > 5 >='],
  ['text_to_uuid', 'dr-', ''],
  ['uuid_to_text', 'dr-', ''],
  ['float_to_text', 'dr-', 'shortest text of a double that is a 32-bit float'],
  ['vector_to_text', 'dr-', ''],
  ['text_to_vector', 'dr-', 'JSON text of an array of numbers'],
  ['json_to_vector', 'dr-', 'JSON null: nul[a] = 1, else nul[a] = 0; an array of numbers'],
  ['make_vector', 'dri', 'vector of c double registers from b'],
  ['vector_element', 'drr', 'element c of vector b, from 0; outside is out_of_range'],
  ['vector_arithmetic', 'dri', 'vectors b and b+1 element by element; c: 0 + 1 - 2 * 3 /'],
  ['cos_distance', 'drr', ''],
  ['l2_distance', 'drr', ''],
  ['inner_product', 'drr', ''],
]); // prettier-ignore

export const OPCODES: readonly OpcodeRow[] = rows;

/** Numbers by name, for the compiler: OP.add_int. */
export const OP: Readonly<Record<string, number>> = Object.freeze(
  Object.fromEntries(rows.map((row) => [row.name, row.number])),
);

const BY_NUMBER: ReadonlyMap<number, OpcodeRow> = new Map(rows.map((row) => [row.number, row]));

/** The row of a number, or undefined. */
export function opcodeRow(number: number): OpcodeRow | undefined {
  return BY_NUMBER.get(number);
}
