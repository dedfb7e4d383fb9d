import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { checkReply, Database } from './database.ts';

const MIB = 1024 * 1024;

let db: Database;
before(async () => {
  db = await Database.start();
});

test('statements of a mebibyte run or are refused, whatever is long in them', async () => {
  await db.text('create table long (id int primary key, v int)');
  const repeat = (text: string, byteCount = MIB - 200): string => text.repeat(Math.floor(byteCount / text.length));
  const rows = Array.from({ length: 50_000 }, (_, id) => `(${id}, ${id % 7})`).join(',');
  checkReply(await db.send(`insert into long values ${rows}`), 204, '');
  checkReply(await db.send('select count(*), sum(v) from long'), 200, `[[50000, ${149_997}]]`);
  const items = Array.from({ length: 100_000 }, (_, id) => id * 2).join(',');
  const fewItems = Array.from({ length: 1000 }, (_, id) => id * 60).join(',');
  const statements: readonly (readonly [string, string | undefined])[] = [
    [`select '${repeat('x')}' = ''`, '[false]'],
    [`select count(*) from long where id in (${items})`, undefined],
    [`select count(*) from long where id in (${fewItems})`, '[834]'],
    [`select 1 ${repeat('+1')}`, undefined],
    [`select count(*) from long where id = 1 ${repeat('or id = 2 ')}`, undefined],
    [`select ${repeat('(')}1`, undefined],
    [`select ${repeat('- ')}1`, undefined],
    [`select ${repeat('not ')}true`, undefined],
    [`select ${repeat('[')}`, undefined],
    [`select ${repeat('{"a":')}1`, undefined],
    [`select ${repeat('1,')}1`, undefined],
    [`select ${repeat('case when true then ')}1`, undefined],
    [`select case ${repeat('when false then 1 ')}else 2 end`, undefined],
    [`select 1${repeat('::int')}`, undefined],
    [`select 'x'${repeat("||'y'")} = ''`, undefined],
    [`select id from long order by ${repeat('id,')}id limit 1`, undefined],
    [`select id from long group by ${repeat('id,')}id limit 1`, undefined],
    [`select coalesce(${repeat('null,')}1)`, undefined],
    [`${repeat('select 1;')}select 2`, undefined],
    [`${repeat('update long set v = v;', 2_000)}select 2`, undefined],
    [`create table t${repeat('x')} (id int primary key)`, undefined],
    [`create table t (id int primary key ${repeat(', a int')})`, undefined],
    [`select ${repeat('a')}`, undefined],
    [`select $${repeat('9')}`, undefined],
    [`select ${repeat('9')}`, undefined],
    [`select ${repeat('9')}.5`, undefined],
    [repeat('/* '), undefined],
    [repeat('x '), undefined],
    [`select '${repeat('\\u0041')}' = ''`, '[false]'],
    [`select count(*) from long where 'a' like '${repeat('%')}'`, undefined],
  ];
  for (const [sql, expected] of statements) {
    const { status, content } = await db.send(sql);
    if (expected !== undefined) checkReply({ status, content }, 200, expected);
    assert.ok(status === 200 || status === 204 || status === 400, `${sql.slice(0, 60)}: ${status} ${content}`);
    if (status === 400) assert.equal(typeof (JSON.parse(content) as { code: unknown }).code, 'string');
    assert.doesNotMatch(content, /"internal"/, sql.slice(0, 60));
  }
  const body = (params: string): string => `{"sql": "select 1", "params": ${params}}`;
  for (const params of [repeat('[', 500_000), `[${repeat('1,', 500_000)}1]`, `["${repeat('x')}"]`]) {
    const { status } = await db.import('/', 'application/json', body(params));
    assert.equal(status, 400);
  }
  checkReply(await db.send('select count(*) from long'), 200, '[50000]');
  await db.text('drop table long');
});
