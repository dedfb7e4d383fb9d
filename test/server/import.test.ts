import { before, test } from 'node:test';
import { checkError, checkReply, Database } from './database.ts';

const JSON_ROWS = 'application/json';
const LINES = 'application/jsonl';
const CSV = 'text/csv';

let db: Database;
before(async () => {
  db = await Database.start();
});

/** A table of its own for a test, with all types there are. */
async function makeTable(name: string): Promise<string> {
  await db.text(`create table ${name} (id bigint primary key, i int, d double, t text, b bool, j json, at timestamp)`);
  return `/public/${name}`;
}

async function checkRows(name: string, expected: string): Promise<void> {
  checkReply(await db.send(`select * from ${name} order by id format 'json'`), 200, expected);
}

test('JSON rows: arrays, objects, and what a column makes of a value', async () => {
  const path = await makeTable('j1');
  const body = `[
    [9007199254740993, -2147483648, 2.5, "a\\u00e9\\"", true, {"k": [1, 9007199254740993]}, "2024-02-29 12:00:00+01"],
    {"id": 2, "t": "object", "d": 3, "j": "text", "b": null},
    [3, null, null, null, null, null, null]
  ]`;
  checkReply(await db.import(path, JSON_ROWS, body), 204, '');
  await checkRows(
    'j1',
    '[[2, null, 3, "object", null, "text", null], [3, null, null, null, null, null, null], ' +
      '[9007199254740993, -2147483648, 2.5, "aé\\"", true, {"k": [1, 9007199254740993]}, "2024-02-29 11:00:00+00"]]',
  );
  checkReply(await db.import(path, JSON_ROWS, '[]'), 204, '');
  checkReply(await db.send('select count(*) from j1'), 200, '[3]');
});

test('JSON rows with columns=', async () => {
  const path = await makeTable('j2');
  checkReply(await db.import(`${path}?columns=t,id`, JSON_ROWS, '[["one", 1], ["two", 2]]'), 204, '');
  checkReply(await db.import(`${path}?columns=id`, JSON_ROWS, '[3, [4]]'), 204, '');
  checkReply(await db.send('select id, t from j2 order by id'), 200, '[[1, "one"], [2, "two"], [3, null], [4, null]]');
  checkError(
    await db.import(`${path}?columns=t,id`, JSON_ROWS, '[{"t": "x", "id": 9}]'),
    400,
    'invalid_value',
    'row 1',
  );
  checkError(await db.import(`${path}?columns=t,nothing`, JSON_ROWS, '[["x", 9]]'), 400, 'unknown_column', 'nothing');
  checkError(await db.import(`${path}?columns=id,id`, JSON_ROWS, '[[8, 9]]'), 400, 'duplicate_object', 'id');
  checkError(await db.import(`${path}?rows=id`, JSON_ROWS, '[[8]]'), 400, 'invalid_request', 'rows');
  checkReply(await db.send('select count(*) from j2'), 200, '[4]');
});

test('an object is the value of the one named column', async () => {
  await db.text('create table docs (id serial primary key, doc json)');
  checkReply(await db.import('/public/docs?columns=doc', JSON_ROWS, '[{"a": 1}, {"a": {"b": 2}}]'), 204, '');
  checkReply(await db.import('/public/docs?columns=doc', LINES, '{"a": 3}\n'), 204, '');
  checkReply(
    await db.send("select id, doc from docs order by id format 'json'"),
    200,
    '[[0, {"a": 1}], [1, {"a": {"b": 2}}], [2, {"a": 3}]]',
  );
});

test('an empty column list makes every column default', async () => {
  await db.text("create table defaults (id serial primary key, v int default 7, t text default 'x')");
  checkReply(await db.import('/public/defaults?columns=', JSON_ROWS, '[[], [], []]'), 204, '');
  checkReply(await db.send('select * from defaults order by id'), 200, '[[0, 7, "x"], [1, 7, "x"], [2, 7, "x"]]');
});

test('JSON Lines: one row a line, or any white space between', async () => {
  const path = await makeTable('l1');
  checkReply(await db.import(`${path}?columns=id,t`, LINES, '[1, "a"]\n[2, "b"]\r\n\n  [3, "c"] [4, "d"]'), 204, '');
  checkReply(await db.import(path, LINES, '{"id": 5, "t": "e"}\n{"id": 6}\n'), 204, '');
  checkReply(
    await db.send('select id, t from l1 order by id'),
    200,
    '[[1, "a"], [2, "b"], [3, "c"], [4, "d"], [5, "e"], [6, null]]',
  );
  checkReply(await db.import(path, LINES, ''), 204, '');
});

test('CSV: quotes, newlines, empty fields, all types', async () => {
  const path = await makeTable('c1');
  const body = [
    '9007199254740993,-7,2.5,"a ""quoted"", text\nof two lines",true,"{""k"": [1]}",2024-01-02 03:04:05',
    '2,,,,,,',
    '3,0,-1e3,"",0,null,2024-01-02',
    '4,2147483647,.5, spaced ,1,[],2024-01-02T00:00:00Z',
  ].join('\r\n');
  checkReply(await db.import(path, CSV, body), 204, '');
  await checkRows(
    'c1',
    '[[2, null, null, null, null, null, null], [3, 0, -1000, "", false, null, "2024-01-02 00:00:00+00"], ' +
      '[4, 2147483647, 0.5, " spaced ", true, [], "2024-01-02 00:00:00+00"], ' +
      '[9007199254740993, -7, 2.5, "a \\"quoted\\", text\\nof two lines", true, {"k": [1]}, "2024-01-02 03:04:05+00"]]',
  );
});

test('CSV with a header, and with columns=', async () => {
  const path = await makeTable('c2');
  checkReply(await db.import(`${path}?header=true`, CSV, 't,id\none,1\n"two",2\n'), 204, '');
  checkReply(await db.import(`${path}?columns=id,t`, CSV, '3,three\n'), 204, '');
  checkReply(await db.send('select id, t from c2 order by id'), 200, '[[1, "one"], [2, "two"], [3, "three"]]');
  checkReply(await db.import(`${path}?header=true`, CSV, 't,id\n'), 204, '');
  checkError(await db.import(`${path}?header=true`, CSV, 'id,nothing\n4,5\n'), 400, 'unknown_column', 'nothing');
  checkError(await db.import(`${path}?header=true&columns=id`, CSV, 'id\n4\n'), 400, 'invalid_request', 'columns');
  checkError(await db.import(`${path}?header=maybe`, CSV, 'id\n4\n'), 400, 'invalid_request', 'header');
  checkError(await db.import(`${path}?header=true`, JSON_ROWS, '[]'), 400, 'invalid_request', 'header');
});

test('a wrong row fails the whole request, and the message says which row and column', async () => {
  const path = await makeTable('wrong');
  const fails = async (type: string, query: string, body: string, code: string, ...parts: string[]): Promise<void> => {
    const reply = await db.import(`${path}${query}`, type, body);
    for (const part of parts) checkError(reply, 400, code, part);
    checkReply(await db.send('select count(*) from wrong'), 200, '[0]');
  };
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2, "x"]]', 'type_mismatch', 'row 2', "'i'");
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2, 2147483648]]', 'out_of_range', 'row 2', "'i'");
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2, 1.5]]', 'invalid_value', 'row 2', "'i'");
  await fails(JSON_ROWS, '', '[{"id": 1}, {"id": 2, "no": 1}]', 'unknown_column', 'row 2', "'no'");
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2]]', 'invalid_value', 'row 2');
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2, 2, 2]]', 'invalid_value', 'row 2');
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [null, 1]]', 'not_null_violation', 'row 2', "'id'");
  await fails(JSON_ROWS, '?columns=id,i', '[[1, 1], [2, 1', 'invalid_json', 'row 2');
  await fails(JSON_ROWS, '?columns=id,i', '{"id": 1}', 'invalid_json');
  await fails(LINES, '?columns=id,i', '[1, 1]\n[2, 3\n', 'invalid_json', 'row 2');
  await fails(CSV, '?columns=id,i', '1,1\n2,x\n', 'invalid_value', 'row 2', "'i'");
  await fails(CSV, '?columns=id,b', '1,true\n2,yes\n', 'invalid_value', 'row 2', "'b'");
  await fails(CSV, '?columns=id,j', '1,1\n2,{\n', 'invalid_json', 'row 2', "'j'");
  await fails(CSV, '?columns=id,at', '1,2024-02-29\n2,2023-02-29\n', 'invalid_value', 'row 2', "'at'");
  await fails(CSV, '?columns=id,i', '1,1\n2\n', 'invalid_csv', 'row 2');
  await fails(CSV, '?columns=id,t', '1,a\n2,"b\n', 'invalid_csv', 'row 2');
  await fails(JSON_ROWS, '?columns=id', '[1, 2, 1]', 'key_conflict', 'primary key (1)');
});

test('an import meets rows that are there, and leaves nothing', async () => {
  const path = await makeTable('meets');
  checkReply(await db.import(`${path}?columns=id`, JSON_ROWS, '[500]'), 204, '');
  const ids = JSON.stringify(Array.from({ length: 1000 }, (_, id) => id));
  checkError(await db.import(`${path}?columns=id`, JSON_ROWS, ids), 400, 'key_conflict', 'primary key (500)');
  checkReply(await db.send('select id from meets'), 200, '[500]');
  checkReply(await db.send('delete from meets'), 204, '');
  checkReply(await db.import(`${path}?columns=id`, JSON_ROWS, ids), 204, '');
  checkReply(await db.send('select count(*), sum(id) from meets'), 200, '[[1000, 499500]]');
});

test('imports of 100,000 rows', async () => {
  await db.text('set limit_recv to 16777216');
  await db.text('create table big (id int primary key, v int, t text)');
  await db.text('create index big_v on big (v)');
  const csv = Array.from({ length: 100_000 }, (_, id) => `${id},${id % 1000},text ${id}`).join('\n');
  checkReply(await db.import('/public/big', CSV, csv), 204, '');
  const json = JSON.stringify(
    Array.from({ length: 100_000 }, (_, n) => [n + 100_000, n % 1000, `text ${n + 100_000}`]),
  );
  checkReply(await db.import('/public/big', JSON_ROWS, json), 204, '');
  checkReply(
    await db.send('select count(*), sum(id), sum(v), min(t), max(id) from big'),
    200,
    `[[200000, ${(200_000 * 199_999) / 2}, ${200 * 499_500}, "text 0", 199999]]`,
  );
  checkReply(await db.send('select count(*) from big where v = 7'), 200, '[200]');
  checkReply(await db.send('select t from big where id = 123456'), 200, '["text 123456"]');
  checkError(await db.import('/public/big', CSV, csv), 400, 'key_conflict', 'primary key (0)');
  checkReply(await db.send('select count(*) from big'), 200, '[200000]');
});
