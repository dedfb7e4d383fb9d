/** Inserts and upserts of 500 rows a transaction, against node:sqlite in memory with a prepared statement. */

import { startPeer } from './peer-process.ts';
import { type Measurement, median } from './report.ts';
import { runOurs, type SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const BATCH_ROWS = 500;
const CLIENT_COUNT = 12;

/** A peer: an argument of peer-sqlite.ts, its name in the table, and the ratio wanted where there is one. */
type Peer = { readonly type: string; readonly name: string; readonly ratio?: number };

const UPSERT_PEERS: readonly Peer[] = [{ type: 'upsert', name: 'node:sqlite in memory', ratio: 3 }];
const INSERT_PEERS: readonly Peer[] = [
  { type: 'insert', name: 'node:sqlite in memory, autoincrement', ratio: 1.5 },
  { type: 'insert-rowid', name: 'node:sqlite in memory, rowid' },
];

export async function measureBatch(options: SectionOptions): Promise<Measurement[]> {
  const upsert = await compare('upsert', UPSERT_PEERS, options);
  const insert = await compare('insert', INSERT_PEERS, options);
  return [...upsert, ...insert];
}

async function compare(type: string, peers: readonly Peer[], options: SectionOptions): Promise<Measurement[]> {
  // A server for each type: the tables of one leave the other's memory alone.
  const server = await ServerProcess.start();
  const ours: number[] = [];
  const theirs: number[][] = peers.map(() => []);
  try {
    for (let round = 0; round < options.roundCount; round++) {
      ours.push(BATCH_ROWS * (await runOurs(server, server.socket, type, CLIENT_COUNT, options)));
      for (const [index, peer] of peers.entries()) {
        const { answer } = await startPeer('peer-sqlite', [peer.type, String(BATCH_ROWS), String(options.seconds)]);
        const { rowsPerSecond } = answer as { rowsPerSecond: number };
        options.print(`  ${peer.name} ${type}: ${Math.round(rowsPerSecond)} rows/s`);
        theirs[index]!.push(rowsPerSecond);
      }
    }
  } finally {
    await server.remove();
  }
  return peers.map((peer, index) => ({
    name: `${type}, batch ${BATCH_ROWS}, ${CLIENT_COUNT} clients`,
    ours: median(ours),
    unit: 'rows/s',
    peer: { name: peer.name, value: median(theirs[index]!) },
    ...(peer.ratio !== undefined && { target: { bound: 'at least' as const, value: peer.ratio } }),
  }));
}
