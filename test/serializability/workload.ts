/**
 * Clients against a real server, each with a connection of its own, so that all frontends are in use; each sends its next
 * request when it has the answer to the last. What they saw is the history. The server may be killed in the middle: what
 * had no answer is unknown, and after the restart the clients go on.
 */

import assert from 'node:assert/strict';
import type { HttpClient, HttpReplyText } from '../../src/bench/http-client.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import type { Database } from '../server/database.ts';
import { type History, type Operation, Recorder } from './history.ts';
import { CLEARING, FINAL_READS, type Request, RequestMaker, SETUP } from './statements.ts';

const CLIENT_COUNT = 24;

export type RoundOptions = {
  readonly seed: number;
  readonly transactionCount: number;
  /** Kills the server when so many transactions are done; 0 for never. */
  readonly killAfter: number;
};

/** One round on tables of its own, with a read of everything at its end. */
export async function recordRound(db: Database, { seed, transactionCount, killAfter }: RoundOptions): Promise<History> {
  for (const statement of SETUP) await db.text(statement);
  const recorder = new Recorder();
  const maker = new RequestMaker(new SeededRandom(seed));
  let leftCount = transactionCount;
  let restart: Promise<void> | undefined;
  const runClient = async (client: number): Promise<void> => {
    let http = db.newClient(1);
    let isAfterRestart = false;
    while (leftCount-- > 0) {
      if (killAfter !== 0 && restart === undefined && leftCount < transactionCount - killAfter) {
        db.server.process.kill('SIGKILL');
        restart = db.server.ended.then(() => db.restart());
      }
      const isAnswered = await runRequest(recorder, http, client, maker.next());
      if (isAnswered) continue;
      assert.ok(restart !== undefined && !isAfterRestart, 'a server that nobody killed answers');
      await restart;
      isAfterRestart = true;
      http.close();
      http = db.newClient(1);
    }
    http.close();
  };
  await Promise.all(Array.from({ length: CLIENT_COUNT }, (_, client) => runClient(client)));
  await restart;
  const http = db.newClient(1);
  for (const request of FINAL_READS) assert.ok(await runRequest(recorder, http, CLIENT_COUNT, request));
  http.close();
  for (const statement of CLEARING) await db.text(statement);
  return recorder.history;
}

/** Sends a request and takes down what came of it; whether an answer came. */
async function runRequest(recorder: Recorder, http: HttpClient, client: number, request: Request): Promise<boolean> {
  const { sql, appends, errorCodes } = request;
  const invokedAt = recorder.invoke();
  const body = JSON.stringify({ sql, format: 'json' });
  const reply = await http.send('POST', '/', 'application/json', body).catch(() => undefined);
  if (reply === undefined) {
    recorder.complete(client, invokedAt, appends, 'unknown');
    return false;
  }
  if (reply.status < 300) {
    assert.deepEqual(errorCodes, [], `${sql} has to fail`);
    recorder.complete(client, invokedAt, [...appends, ...readsOf(reply, request)], 'committed');
    return true;
  }
  const { code } = JSON.parse(reply.content) as { code: string };
  assert.ok(errorCodes.includes(code), `${sql}: ${reply.content}`);
  recorder.complete(client, invokedAt, appends, 'aborted');
  return true;
}

function readsOf({ content }: HttpReplyText, { sql, readKeys }: Request): Operation[] {
  if (readKeys.length === 0) return [];
  const lists = new Map<number, number[]>();
  for (const [key, list] of JSON.parse(content) as [number, number[]][]) {
    assert.ok(readKeys.includes(key) && !lists.has(key), `${sql}: ${content}`);
    lists.set(key, list);
  }
  return readKeys.map((key) => ({ kind: 'read', key, list: lists.get(key) ?? [] }));
}
