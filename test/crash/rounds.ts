/**
 * Crash rounds: clients load a real server, SIGKILL ends it at a random moment, the next start is checked, and goes on from
 * there. Now and then a start is killed too. What must hold after each start:
 *
 *   - every acknowledged transaction is there, whole; of a client's transaction in the air, all or nothing
 *   - the accounts are what these transactions make of them, and so is their sum
 *   - each index gives the rows that a scan gives
 *   - identity values go on above all that were ever given, also where their rows are deleted
 *   - acknowledged definitions are there; one in the air is there or not
 *   - rows whose primary keys change are where their clients' transactions have moved them, none lost, none twice
 *   - shared tables, written in fences, are what these make of them
 *   - unlogged tables are as they were at one moment, no older than the last checkpoint that was acknowledged
 *
 * Every other round runs with a sync for each group. Checkpoints run all the time. Of three rounds, one is killed at any moment,
 * one behind a checkpoint by statement, and one behind a checkpoint by checkpoint_interval.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpClient } from '../../src/bench/http-client.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { LAUNCHER } from '../cli/amelie.ts';
import { Database } from '../server/database.ts';
import { Definer, hasStatement } from './definer.ts';
import { type Ask, checkIndexes } from './indexes.ts';
import { ACCOUNT_COUNT, LOAD_TABLES, LoadClient } from './load-client.ts';
import { MOVED_CLIENT_COUNT, MOVED_TABLES, MovedLoad } from './moved.ts';
import { SHARED_CLIENT_COUNT, SHARED_LOAD_TABLES, SharedLoad } from './shared.ts';
import { UNLOGGED_CLIENT_COUNT, UNLOGGED_TABLES, UnloggedLoad } from './unlogged.ts';

export type CrashOptions = {
  readonly seed: number;
  readonly settings: readonly string[];
  readonly print: (line: string) => void;
  /** Checkpoints in the load, where the server has them. */
  readonly hasCheckpoints: boolean;
};

const CLIENT_COUNT = 8;
/** One each, and one each for definitions, for checkpoints, and to wait for them. */
const CONNECTION_COUNT = CLIENT_COUNT + UNLOGGED_CLIENT_COUNT + MOVED_CLIENT_COUNT + SHARED_CLIENT_COUNT + 3;
const TAG_COUNT = 40;
/** A start takes about a second; a kill within this time hits any part of it. */
const START_MS = 1200;
/** A checkpoint every second is there long before. */
const INTERVAL_LIMIT_MS = 60_000;

export class CrashRun {
  readonly db: Database;
  readonly clients: readonly LoadClient[];
  readonly moved: readonly MovedLoad[];
  readonly shared: readonly SharedLoad[];
  readonly unlogged: UnloggedLoad;
  /** The highest identity value that was ever given. */
  highestId = -1;
  readonly #options: CrashOptions;
  readonly #random: SeededRandom;
  readonly #definer: Definer;
  readonly #isCheckpointing: boolean;
  #roundCount = 0;
  #checkpointCount = 0;
  /** Checkpoints by the interval that were waited for. */
  #intervalCount = 0;

  private constructor(db: Database, options: CrashOptions, random: SeededRandom, definer: Definer, has: boolean) {
    this.db = db;
    this.#options = options;
    this.#random = random;
    this.#definer = definer;
    this.#isCheckpointing = has && options.hasCheckpoints;
    const newRandom = (): SeededRandom => new SeededRandom(random.int32());
    const each = <Client>(count: number, make: (client: number) => Client): Client[] =>
      Array.from({ length: count }, (_, client) => make(client));
    this.clients = each(CLIENT_COUNT, (client) => new LoadClient(client, newRandom()));
    this.unlogged = new UnloggedLoad(newRandom());
    this.moved = each(MOVED_CLIENT_COUNT, (client) => new MovedLoad(client, newRandom()));
    this.shared = each(SHARED_CLIENT_COUNT, (client) => new SharedLoad(client, newRandom()));
  }

  static async start(options: CrashOptions): Promise<CrashRun> {
    const db = await Database.start(...options.settings);
    const tables = [LOAD_TABLES, UNLOGGED_TABLES, MOVED_TABLES, SHARED_LOAD_TABLES].flat();
    for (const statement of tables) await db.text(statement);
    const definer = await Definer.create(db);
    const hasCheckpoint = await hasStatement(db, 'checkpoint');
    return new CrashRun(db, options, new SeededRandom(options.seed), definer, hasCheckpoint);
  }

  /** Load, kill, start, checks; throws with the seed, and with what is wrong as the cause. */
  async round(): Promise<void> {
    const round = ++this.#roundCount;
    const isSyncing = round % 2 === 0;
    await this.db.text(`set wal_sync_on_write to ${isSyncing}`);
    const awaited = this.#isCheckpointing ? (['interval', 'none', 'statement'] as const)[round % 3]! : 'none';
    await this.db.text(`set checkpoint_interval to '${awaited === 'interval' ? '1 second' : '0 min'}'`);
    const doneCount = await this.#load(awaited);
    const killedStarts = this.#random.oneIn(3) ? 1 + this.#random.below(2) : 0;
    for (let start = 0; start < killedStarts; start++) await this.#killStart();
    try {
      await this.db.restart();
      await this.check();
    } catch (error) {
      throw new Error(`seed ${this.#options.seed}, round ${round}`, { cause: error });
    }
    const total = sumOf(this.clients);
    this.#options.print(
      `round ${round}: ${doneCount} transactions${isSyncing ? ', synced' : ''}, killed, ${killedStarts} starts killed; ` +
        `all ${total} are there, ${this.#checkpointCount} checkpoints so far, ${this.#intervalCount} by interval; ` +
        `${sumOf(this.moved)} moves, ${sumOf(this.shared)} fences, unlogged tables as after ${this.unlogged.saved}`,
    );
  }

  /** Loads the server until it is killed, not before a checkpoint of that kind is over; how many transactions were done. */
  async #load(awaited: 'interval' | 'statement' | 'none'): Promise<number> {
    const killAfter = 20 + this.#random.below(600);
    const killDelayMs = this.#random.below(30);
    const http = this.db.newClient(CONNECTION_COUNT);
    const checkpoints: Promise<void>[] = [];
    let nextCheckpoint = this.#random.below(100);
    let doneCount = 0;
    const countBefore = this.#checkpointCount;
    let isIntervalOver = false;
    const mayDie = (): boolean =>
      awaited === 'none' || (awaited === 'interval' ? isIntervalOver : this.#checkpointCount > countBefore);
    const kill = (): void => void setTimeout(() => this.db.server.process.kill('SIGKILL'), killDelayMs);
    let isDying = false;
    if (awaited === 'interval') {
      const over = this.#checkpointByInterval(http).finally(() => {
        isIntervalOver = true;
      });
      checkpoints.push(over);
    }
    const onDone = (): void => {
      doneCount++;
      // Not at the moment of an answer, but somewhere behind it.
      if (doneCount >= killAfter && !isDying && mayDie()) {
        isDying = true;
        kill();
      }
      if (doneCount < nextCheckpoint || !this.#isCheckpointing || awaited === 'interval') return;
      nextCheckpoint = Number.POSITIVE_INFINITY;
      const isOver = this.#checkpoint(http).finally(() => {
        nextCheckpoint = doneCount + 1 + this.#random.below(100);
      });
      checkpoints.push(isOver);
    };
    await Promise.all([
      ...this.clients.map((client) => client.run(http, onDone)),
      ...Array.from({ length: UNLOGGED_CLIENT_COUNT }, (_, client) => this.unlogged.run(client, http)),
      ...this.moved.map((load) => load.run(http)),
      ...this.shared.map((load) => load.run(http)),
      this.#definer.run(http),
    ]);
    await Promise.all(checkpoints);
    assert.ok(doneCount >= killAfter, 'the load ends by the kill');
    http.close();
    await this.db.server.ended;
    return doneCount;
  }

  async #checkpoint(http: HttpClient): Promise<void> {
    const statement = this.#random.oneIn(2) ? 'checkpoint' : 'checkpoint workers 2';
    const { highest } = this.unlogged;
    const reply = await http.send('POST', '/', 'text/plain', statement).catch(() => undefined);
    if (reply === undefined) return;
    assert.ok(reply.status < 300, reply.content);
    this.#checkpointCount++;
    this.unlogged.saved = Math.max(this.unlogged.saved, highest);
  }

  /** Waits until the server has taken a checkpoint by itself. */
  async #checkpointByInterval(http: HttpClient): Promise<void> {
    const lsn = async (): Promise<string | undefined> => {
      const reply = await http.send('POST', '/', 'text/plain', 'show checkpoint').catch(() => undefined);
      return reply?.content;
    };
    const before = await lsn();
    const deadlineMs = performance.now() + INTERVAL_LIMIT_MS;
    for (let now = before; now === before && now !== undefined; now = await lsn())
      assert.ok(performance.now() < deadlineMs, 'checkpoint_interval takes checkpoints');
    this.#intervalCount++;
  }

  /** A start that does not come to its end, or just so. */
  async #killStart(): Promise<void> {
    const listen = `--listen=${JSON.stringify([{ host: '127.0.0.1', port: 0 }])}`;
    const args = [LAUNCHER, 'start', this.db.directory, listen, ...this.#options.settings];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const ended = once(child, 'close');
    await Promise.race([delay(this.#random.below(START_MS)), ended]);
    assert.equal(child.exitCode, null, 'a start does not end by itself');
    child.kill('SIGKILL');
    await ended;
  }

  async check(): Promise<void> {
    const { db, clients } = this;
    for (const client of clients) await client.check(db);
    await this.#definer.check(db);
    await this.unlogged.check(db);
    for (const load of this.moved) await load.check(db);
    for (const load of this.shared) await load.check(db);
    await SharedLoad.checkAccounts(db, this.shared);
    await this.#checkAccounts();
    const ask: Ask = (sql) => db.text(sql);
    const accountIndexes = await db.text("show table account extended format 'json'");
    await checkIndexes(ask, CLIENT_COUNT, TAG_COUNT, accountIndexes.includes('"account_v"'));
    await this.#checkIdentity();
  }

  async #checkAccounts(): Promise<void> {
    const sum = BigInt(ACCOUNT_COUNT) * 9007199254740992n;
    assert.equal(await this.db.text('select sum(v), count(*) from account'), `[[${sum}, ${ACCOUNT_COUNT}]]`, 'sum');
    const balances = new Array<number>(ACCOUNT_COUNT).fill(0);
    for (const { acknowledged, transfers } of this.clients) {
      for (let n = 1; n <= acknowledged; n++) {
        const { source, target } = transfers[n - 1]!;
        balances[source]! -= n;
        balances[target]! += n;
      }
    }
    const found = await this.db.rows("select v - 9007199254740992 from account order by id format 'json'");
    assert.deepEqual(found, balances, 'accounts');
  }

  async #checkIdentity(): Promise<void> {
    const all = this.clients.flatMap(({ ids }) => ids);
    assert.equal(new Set(all).size, all.length, 'identity values are given once');
    this.highestId = Math.max(this.highestId, ...all);
    const [next] = (await this.db.rows("insert into numbered (client, n, label) values (-1, -1, '') returning id")) as [
      number,
    ];
    assert.ok(next > this.highestId, `identity ${next} after ${this.highestId}`);
    this.highestId = next;
    await this.db.text('delete from numbered where client = -1');
  }
}

function sumOf(clients: readonly { readonly acknowledged: number }[]): number {
  return clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
}
