import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { checkError, checkReply, Database } from './database.ts';

let db: Database;
before(async () => {
  db = await Database.start();
});

test('text and application/sql run as one transaction; what has no result is 204', async () => {
  checkReply(await db.send('create table plain (id int primary key, v text)'), 204, '');
  checkReply(await db.client.send('POST', '/', 'application/sql', "insert into plain values (1, 'a')"), 204, '');
  checkReply(
    await db.client.send('POST', '/', 'Text/Plain; charset=utf-8', 'select id, v from plain'),
    200,
    '[[1, "a"]]',
  );
  checkReply(await db.send("insert into plain values (2, 'b'); select count(*) from plain; select 7"), 200, '[7]');
  checkReply(await db.send('select 7; delete from plain where id = 2'), 204, '');
  checkReply(await db.send(''), 204, '');
  checkReply(await db.send(' ; -- nothing\n;'), 204, '');
});

test('parameters of a JSON body keep their values exactly', async () => {
  const exact = async (params: string, sql: string, expected: string): Promise<void> => {
    const body = `{"sql": ${JSON.stringify(sql)}, "params": ${params}, "format": "json"}`;
    checkReply(await db.client.send('POST', '/', 'application/json', body), 200, expected);
  };
  await exact('[9007199254740993]', 'select $1', '[9007199254740993]');
  await exact(
    '[9223372036854775807, -9223372036854775808]',
    'select $1, $2',
    '[[9223372036854775807, -9223372036854775808]]',
  );
  await exact('[2.0]', 'select $1 / 4', '[0.5]');
  await exact('[2]', 'select $1 / 4', '[0]');
  await exact('[1e3, 0.1, -0.5e-3]', 'select $1, $2, $3', '[[1000, 0.1, -0.0005]]');
  await exact('["it\'s \\"\\u00e9\\n"]', 'select $1', '["it\'s \\"é\\n"]');
  await exact('[true, false, null]', 'select $1, $2, $3', '[[true, false, null]]');
  await exact('[{"b": [1, 9007199254740993], "a": null}]', 'select $1', '[{"b": [1, 9007199254740993], "a": null}]');
  await exact('[3, 4]', 'select $2, $1, $2', '[[4, 3, 4]]');
});

test('parameters are stored exactly', async () => {
  await db.text('create table stored (id bigint primary key, i int, d double, t text, b bool, j json, at timestamp)');
  const params = '[9007199254740993, -7, 2.0, "x", true, {"k": [1, 2]}, "2031-07-04 09:08:07.0605+02"]';
  const insert = `{"sql": "insert into stored values ($1, $2, $3, $4, $5, $6, $7)", "params": ${params}}`;
  checkReply(await db.client.send('POST', '/', 'application/json', insert), 204, '');
  checkReply(
    await db.sendJson('select * from stored', { format: 'json', timezone: 'UTC' }),
    200,
    '[[9007199254740993, -7, 2, "x", true, {"k": [1, 2]}, "2031-07-04 07:08:07.060500+00"]]',
  );
  const key = '{"sql": "select i from stored where id = $1", "params": [9007199254740993]}';
  checkReply(await db.client.send('POST', '/', 'application/json', key), 200, '[-7]');
  const near = '{"sql": "select i from stored where id = $1", "params": [9007199254740992]}';
  checkReply(await db.client.send('POST', '/', 'application/json', near), 200, '[]');
});

test('format and time zone of a request', async () => {
  await db.text('create table shown (id int primary key, at timestamp)');
  await db.text("insert into shown values (1, '2024-01-02 03:04:05+00')");
  const sql = 'select id, at from shown';
  checkReply(await db.sendJson(sql, { format: 'json' }), 200, '[[1, "2024-01-02 03:04:05+00"]]');
  checkReply(
    await db.sendJson(sql, { format: 'json-obj', timezone: 'Asia/Kolkata' }),
    200,
    '[{"id": 1, "at": "2024-01-02 08:34:05+05:30"}]',
  );
  checkReply(
    await db.sendJson(sql, { format: 'json-obj-pretty' }),
    200,
    '[{\n  "id": 1,\n  "at": "2024-01-02 03:04:05+00"\n}]',
  );
  checkReply(
    await db.sendJson(`${sql} format 'json-obj'`, { format: 'json' }),
    200,
    '[{"id": 1, "at": "2024-01-02 03:04:05+00"}]',
  );
  checkError(await db.sendJson(sql, { format: 'xml' }), 400, 'unknown_format', 'xml');
  checkError(await db.sendJson(sql, { timezone: 'Mars/Olympus' }), 400, 'invalid_value', 'Mars/Olympus');
  // A timestamp without a zone is read in the request's.
  await db.sendJson("insert into shown values (2, '2024-01-02 00:00:00')", { timezone: 'Asia/Kolkata' });
  checkReply(
    await db.sendJson('select at from shown where id = 2', { format: 'json' }),
    200,
    '["2024-01-01 18:30:00+00"]',
  );
});

test('an array of statements is one transaction, each with parameters of its own', async () => {
  await db.text('create table items (id int primary key, v int)');
  const send = (body: unknown): ReturnType<Database['send']> =>
    db.client.send('POST', '/', 'application/json', JSON.stringify(body));
  checkReply(
    await send([
      { sql: 'insert into items values ($1, $2)', params: [1, 10] },
      { sql: 'insert into items values ($1, $2), ($3, $4)', params: [2, 20, 3, 30] },
      { sql: 'update items set v = v + $1', params: [1] },
      { sql: 'select sum(v) from items' },
    ]),
    200,
    '[63]',
  );
  checkReply(await send([]), 204, '');
  checkError(
    await send([
      { sql: 'insert into items values ($1, $2)', params: [4, 0] },
      { sql: 'insert into items values ($1, $2)', params: [1, 0] },
    ]),
    400,
    'key_conflict',
    "table 'public.items': row with primary key (1) already exists",
  );
  checkReply(await db.send('select count(*) from items'), 200, '[3]');
  checkError(await send([{ sql: 'select $1', params: [] }]), 400, 'invalid_parameter', '$1');
});

test('what is wrong with a JSON body', async () => {
  const send = (body: string): ReturnType<Database['send']> => db.client.send('POST', '/', 'application/json', body);
  checkError(await send('{"sql": "select 1"'), 400, 'invalid_json');
  checkError(await send('"select 1"'), 400, 'invalid_request');
  checkError(await send('{"params": [1]}'), 400, 'invalid_request', 'sql');
  checkError(await send('{"sql": 1}'), 400, 'invalid_request', 'sql');
  checkError(await send('{"sql": "select $1", "params": 1}'), 400, 'invalid_request', 'params');
  checkError(await send('{"sql": "select 1", "parameters": []}'), 400, 'invalid_request', 'parameters');
  checkError(await send('{"sql": "select $1", "params": []}'), 400, 'invalid_parameter', '$1');
  checkError(await send('{"sql": "select $2", "params": [1]}'), 400, 'invalid_parameter', '$2');
  checkError(await send('{"sql": "select 1", "params": [1]}'), 400, 'invalid_parameter');
  checkError(await send('{"sql": "select $1", "params": [9223372036854775808]}'), 400, 'invalid_json');
});

test('the statuses of what is not served', async () => {
  const { client } = db;
  checkError(await client.send('POST', '/a/b/c', 'text/plain', 'select 1'), 404, 'not_found', '/a/b/c');
  checkError(await client.send('POST', '/public', 'application/json', '[]'), 404, 'not_found');
  checkError(
    await client.send('POST', '/public/missing', 'application/json', '[[1]]'),
    404,
    'not_found',
    'public.missing',
  );
  checkError(await client.send('GET', '/', 'text/plain', ''), 405, 'invalid_request');
  checkError(await client.send('PUT', '/', 'text/plain', 'select 1'), 405, 'invalid_request');
  checkError(await client.send('POST', '/health', 'text/plain', ''), 405, 'invalid_request');
  checkError(await client.send('GET', '/public/plain', 'text/plain', ''), 405, 'invalid_request');
  checkError(await client.send('POST', '/', 'text/html', 'select 1'), 415, 'invalid_request');
  checkError(await client.send('POST', '/', '', 'select 1'), 415, 'invalid_request');
  checkError(await client.send('POST', '/', 'text/csv', 'select 1'), 415, 'invalid_request');
  assert.equal((await client.send('GET', '/health', 'text/plain', '')).status, 200);
});

test('errors are objects with message, code and position', async () => {
  await db.fails('select 1 +', 'syntax_error');
  const { msg, code, position } = JSON.parse((await db.send('select nothing from plain')).content) as Record<
    string,
    unknown
  >;
  assert.equal(code, 'unknown_column');
  assert.equal(position, 7);
  assert.match(String(msg), /nothing/);
  await db.fails('select * from nowhere', 'unknown_table', 'nowhere');
  await db.fails('select 1 / 0', 'zero_division', 'zero division');
  await db.fails('select 9223372036854775807 + 1', 'overflow', 'int + int overflow');
  await db.fails('create table plain (id int primary key)', 'duplicate_object', 'plain');
  await db.fails('create table x (id int primary key); select 1', 'misplaced_statement');
});

test('the Unix socket serves the same database', async () => {
  const client = db.newSocketClient(2);
  const replies = await Promise.all([1, 2, 3, 4].map((n) => client.send('POST', '/', 'text/plain', `select ${n}`)));
  client.close();
  assert.deepEqual(
    replies.map(({ content }) => content),
    ['[1]', '[2]', '[3]', '[4]'],
  );
});
