/** A client that changes definitions all the time, in the same order again and again, and knows what each step leaves. */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { Database } from '../server/database.ts';

type State = {
  /** Table `side`: its columns, and its rows as they are selected. */
  readonly side: { readonly columns: readonly string[]; readonly rows: readonly (readonly number[])[] } | undefined;
  readonly accountIndexes: readonly string[];
  /** Of the schema `area` and the unlogged table `cache`: what there is, with tables and indexes. */
  readonly others: readonly string[];
};

type Step = { readonly sql: string; readonly after: State };

/** Whether this server has the statement; it must succeed where it has. */
export async function hasStatement(db: Database, sql: string): Promise<boolean> {
  const { status, content } = await db.send(sql);
  if (status < 300) return true;
  const { code } = JSON.parse(content) as { code: string };
  assert.ok(code === 'not_supported' || code === 'syntax_error', `${sql}: ${content}`);
  return false;
}

export class Definer {
  readonly #steps: readonly Step[];
  #doneCount = 0;

  private constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** Tries out which definitions the server has. */
  static async create(db: Database): Promise<Definer> {
    await db.text('create table tried (id int primary key)');
    const hasAlter =
      (await hasStatement(db, 'alter table tried add column w int default 7')) &&
      (await hasStatement(db, 'alter table tried rename column w to x')) &&
      (await hasStatement(db, 'alter table tried drop column x'));
    const hasTruncate = await hasStatement(db, 'truncate tried');
    await db.text('drop table tried');
    return new Definer(stepsOf(hasAlter, hasTruncate));
  }

  async run(http: HttpClient): Promise<void> {
    for (;;) {
      const { sql } = this.#steps[this.#doneCount % this.#steps.length]!;
      const reply = await http.send('POST', '/', 'text/plain', sql).catch(() => undefined);
      if (reply === undefined) return;
      assert.equal(reply.status, 204, reply.content);
      this.#doneCount++;
    }
  }

  /** What was acknowledged is there; the step in the air is done or not. Takes down which. */
  async check(db: Database): Promise<void> {
    const found = await findState(db);
    const acknowledged = this.#stateAfter(this.#doneCount);
    const possible = this.#stateAfter(this.#doneCount + 1);
    if (JSON.stringify(found) === JSON.stringify(possible)) this.#doneCount++;
    else assert.deepEqual(found, acknowledged, 'definitions');
  }

  #stateAfter(stepCount: number): State {
    const count = this.#steps.length;
    return this.#steps[(stepCount + count - 1) % count]!.after;
  }
}

/** No two neighbours leave the same state. */
function stepsOf(hasAlter: boolean, hasTruncate: boolean): Step[] {
  const steps: Step[] = [];
  let others: readonly string[] = [];
  const add = (sql: string, side: State['side'], ...secondary: string[]): void => {
    steps.push({ sql, after: { side, accountIndexes: ['primary', ...secondary], others } });
  };
  const addOther = (sql: string, after: readonly string[]): void => {
    others = after;
    add(sql, steps.at(-1)?.after.side, ...(steps.at(-1)?.after.accountIndexes.slice(1) ?? []));
  };
  const plain = ['id', 'v'];
  add('create table side (id int primary key, v int)', { columns: plain, rows: [] });
  addOther('create schema area', ['area']);
  addOther('create table area.kept (id int primary key, v text)', ['area', 'area.kept']);
  addOther('create unlogged table cache (id serial primary key, v text)', ['area', 'area.kept', 'cache']);
  addOther('create index cache_v on cache (v)', ['area', 'area.kept', 'cache', 'cache_v']);
  add('create index account_v on account (v)', { columns: plain, rows: [] }, 'account_v');
  add(
    'insert into side values (1, 1), (2, 2)',
    {
      columns: plain,
      rows: [
        [1, 1],
        [2, 2],
      ],
    },
    'account_v',
  );
  if (hasAlter) {
    const widened = [
      [1, 1, 7],
      [2, 2, 7],
    ];
    const changed = [
      [1, 5, 7],
      [2, 5, 7],
    ];
    add('alter table side add column w int default 7', { columns: [...plain, 'w'], rows: widened }, 'account_v');
    add('alter table side rename column w to x', { columns: [...plain, 'x'], rows: widened }, 'account_v');
    add('update side set v = 5', { columns: [...plain, 'x'], rows: changed }, 'account_v');
    add(
      'alter table side drop column x',
      {
        columns: plain,
        rows: [
          [1, 5],
          [2, 5],
        ],
      },
      'account_v',
    );
  } else
    add(
      'update side set v = 5',
      {
        columns: plain,
        rows: [
          [1, 5],
          [2, 5],
        ],
      },
      'account_v',
    );
  if (hasTruncate) {
    add('truncate side', { columns: plain, rows: [] }, 'account_v');
    add('insert into side values (3, 3)', { columns: plain, rows: [[3, 3]] }, 'account_v');
  }
  addOther('drop schema area cascade', ['cache', 'cache_v']);
  addOther('drop index cache_v on cache', ['cache']);
  addOther('drop table cache', []);
  add('drop index account_v on account', steps.at(-1)!.after.side);
  add('drop table side', undefined);
  return steps;
}

async function findState(db: Database): Promise<State> {
  type Shown = {
    readonly schema: string;
    readonly name: string;
    readonly columns: { name: string }[];
    readonly indexes: { name: string }[];
  };
  const tables = (await db.rows("show tables extended format 'json'")) as Shown[];
  const schemas = (await db.rows("show schemas format 'json'")) as { name: string; system: boolean }[];
  const cache = tables.find(({ name }) => name === 'cache');
  const others = [
    ...schemas.filter(({ system }) => !system).map(({ name }) => name),
    ...tables.filter(({ schema }) => schema === 'area').map(({ name }) => `area.${name}`),
    ...(cache === undefined ? [] : ['cache', ...cache.indexes.slice(1).map(({ name }) => name)]),
  ];
  const account = tables.find(({ name }) => name === 'account');
  const side = tables.find(({ name }) => name === 'side');
  return {
    side: side && {
      columns: side.columns.map(({ name }) => name),
      rows: (await db.rows("select * from side order by id format 'json'")) as number[][],
    },
    accountIndexes: account!.indexes.map(({ name }) => name),
    others,
  };
}
