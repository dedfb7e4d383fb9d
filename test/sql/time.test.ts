/** Dates, intervals and timestamps: the request's time zone, parameters, and what the log brings back. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'amelie-time-'));
after(() => rmSync(directory, { recursive: true }));

async function run(db: AmelieDatabase, sql: string, ...parameters: readonly unknown[]): Promise<string> {
  const { status, body } = await db.execute(sql, parameters);
  if (status < 300) return body;
  const { code, msg, position } = JSON.parse(body) as { code: string; msg: string; position?: number };
  return `${code}: ${msg}${position === undefined ? '' : ` @${position}`}`;
}

test('months, days and midnights count in the time zone of the request', async () => {
  const db = await open({ backends: 2, timezone: 'Europe/Berlin' });
  const cases: readonly (readonly [string, string])[] = [
    ["timestamp '2024-03-31 02:30'", '2024-03-31 03:30:00+02'],
    ["timestamp '2024-10-27 02:30'", '2024-10-27 02:30:00+01'],
    ["date '2024-07-01'::timestamp", '2024-07-01 00:00:00+02'],
    ["date '2024-03-30' + interval '36 hours'", '2024-03-31 13:00:00+02'],
    ["date '2024-03-31' + interval '3 hours'", '2024-03-31 04:00:00+02'],
    ["timestamp '2024-03-30 12:00' + interval '1 day'", '2024-03-31 12:00:00+02'],
    ["timestamp '2024-03-30 12:00' + interval '24 hours'", '2024-03-31 13:00:00+02'],
    ["timestamp '2024-02-29 02:30' + interval '1 month 2 days'", '2024-03-31 03:30:00+02'],
    ["timestamp '2024-04-01' - timestamp '2024-03-31'", '23 hours'],
    ["age(timestamp '2024-04-01', timestamp '2024-03-31')", '1 day'],
    ["timestamp '2024-06-30 22:30Z'::date", '2024-07-01'],
    ["date_trunc('day', timestamp '2024-06-30 22:30Z')", '2024-07-01 00:00:00+02'],
    ["date_trunc('hour', timestamp '2024-10-27 00:59Z')", '2024-10-27 02:00:00+02'],
    ["date_trunc('hour', timestamp '2024-10-27 01:59Z')", '2024-10-27 02:00:00+01'],
    ["date_bin(timestamp '2024-07-01 12:00', interval '1 day')", '2024-07-01 01:00:00+02'],
    ['make_timestamp(2024, 7, 1, 12, 30, 0.25)', '2024-07-01 12:30:00.250+02'],
    ["to_char(timestamp '2024-07-01 12:00', 'HH24 OF')", '12 +02'],
    ["timestamp '1890-01-01'", '1890-01-01 00:00:00+00:53:28'],
    ["timestamp '9999-12-31 23:59:59.999999'", '9999-12-31 23:59:59.999999+01'],
  ]; // prettier-ignore
  for (const [expression, result] of cases)
    assert.equal(await run(db, `select ${expression}`), `["${result}"]`, expression);
  assert.equal(
    await run(
      db,
      "select current_date = now()::date, extract(hour from now()) = extract(now(), 'hour', 'Europe/Berlin')",
    ),
    '[[true, true]]',
  );
  // Midnight of the first day is before the year 1 in UTC.
  assert.match(await run(db, "select date '0001-01-01'::timestamp"), /^out_of_range: /);
  assert.match(await run(db, "select timestamp '0001-01-01 00:00'"), /^out_of_range: /);
  await run(db, "create table d (id int primary key, ts timestamp default '2024-07-01 12:00')");
  await run(db, 'insert into d (id) values (1)');
  assert.equal(await run(db, "select ts = timestamp '2024-07-01 10:00Z' from d"), '[true]');
  await db.close();
});

test('wrong literals are errors with their place in the request', async () => {
  const db = await open({ timezone: 'UTC' });
  assert.equal(
    await run(db, "select 1, date '2024-02-30'"),
    "invalid_value: invalid date '2024-02-30' at 8: the month has 29 days @10",
  );
  assert.equal(
    await run(db, "select timestamp '2024-02-01 25:00'"),
    "invalid_value: invalid timestamp '2024-02-01 25:00' at 11: expected an hour from 00 to 23 @7",
  );
  assert.match(
    await run(db, "select interval '1 dy'"),
    /^invalid_value: invalid interval '1 dy' at 2: expected a unit: .* @7$/,
  );
  assert.equal(
    await run(db, "select extract(hour from date '2024-01-01')"),
    'invalid_value: extract: a date has no hour @7',
  );
  await db.close();
});

test('parameters go into columns and casts as text and numbers', async () => {
  const db = await open({ backends: 2, timezone: 'UTC' });
  await run(db, 'create table t (d date primary key, i interval, ts timestamp)');
  for (let round = 0; round < 2; round++) {
    assert.equal(
      await run(
        db,
        'insert into t values ($1, $2, $3) on conflict do update set i = $2::interval returning *',
        '2024-02-29',
        '1 month',
        '2024-02-29T10:00:00Z',
      ),
      '[["2024-02-29", "1 month", "2024-02-29 10:00:00+00"]]',
    );
    assert.equal(await run(db, 'select i from t where d = $1::date', '2024-02-29'), '["1 month"]');
    assert.equal(await run(db, 'select i from t where d = $1', 2460370), '["1 month"]');
    assert.equal(
      await run(db, 'select $1::interval + $2::interval, $3::date + $4', '1 day', '2 hours', '2024-01-01', 31),
      '[["1 day 2 hours", "2024-02-01"]]',
    );
    assert.equal(
      await run(db, 'select date_trunc($1, ts), extract(ts, $2) from t', 'month', 'dow'),
      '[["2024-02-01 00:00:00+00", 4]]',
    );
    assert.equal(
      await run(db, 'select date_trunc($1, ts), extract(ts, $2) from t', 'year', 'doy'),
      '[["2024-01-01 00:00:00+00", 60]]',
    );
    assert.equal(await run(db, 'update t set i = $1, ts = $2 returning i, ts', '3 days', null), '[["3 days", null]]');
    assert.equal(await run(db, 'update t set ts = $1 returning ts is null', '2024-02-29 10:00'), '[false]');
    assert.match(await run(db, 'update t set i = $1', 'soon'), /^invalid_value: /);
    assert.match(await run(db, 'insert into t (d) values ($1)', '2023-02-29'), /^invalid_value: row 1, column 'd': /);
  }
  await db.close();
});

test('the log brings dates and intervals back', async () => {
  let db = await open({ directory, backends: 2, timezone: 'UTC' });
  await run(
    db,
    "create table t (d date primary key, n date, i interval, w interval not null default '-1 months 2 days 3 us', ts timestamp)",
  );
  await run(db, 'create index by_i on t (i)');
  await run(
    db,
    "insert into t (d, n, i, ts) values ('0001-01-01', '9999-12-31', '1 month', '0001-01-01'), ('9999-12-31', null, null, '9999-12-31 23:59:59.999999'), ('1969-12-31', '1969-12-31', '9223372036854775807 us', null)",
  );
  await run(db, "insert into t (d) values ('2024-02-29'), ('2024-03-01')");
  await run(db, "update t set i = interval '30 days', n = d + 1 where d = date '2024-02-29'");
  await run(db, "update t set i = w, w = interval '1 us' where d = date '0001-01-01'");
  await run(db, "delete from t where d = date '2024-03-01'");
  const content = await run(db, 'select * from t order by d');
  assert.equal(
    content,
    '[["0001-01-01", "9999-12-31", "-1 months 2 days 3 us", "1 us", "0001-01-01 00:00:00+00"], ' +
      '["1969-12-31", "1969-12-31", "2562047788 hours 54 seconds 775 ms 807 us", "-1 months 2 days 3 us", null], ' +
      '["2024-02-29", "2024-03-01", "30 days", "-1 months 2 days 3 us", null], ' +
      '["9999-12-31", null, null, "-1 months 2 days 3 us", "9999-12-31 23:59:59.999999+00"]]',
  );
  await db.close();
  for (let round = 0; round < 2; round++) {
    db = await open({ directory });
    assert.equal(await run(db, 'select * from t order by d'), content);
    assert.equal(await run(db, "select d from t where i = interval '1 month'"), '["2024-02-29"]');
    assert.equal(await run(db, "insert into t (d) values ('2030-01-01') returning w"), '["-1 months 2 days 3 us"]');
    assert.equal(await run(db, "delete from t where d = date '2030-01-01' returning d"), '["2030-01-01"]');
    await db.close();
  }
});
