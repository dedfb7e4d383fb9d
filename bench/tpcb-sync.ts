/**
 * tpcb where a reply means that the transaction is on the disk: `wal_sync_on_write` next to pgbench with synchronous_commit
 * on, both below one temporary folder, so on the same disk.
 */

import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit, removeOnExit } from './cleanup.ts';
import { describeDisk, probeDisk } from './disk.ts';
import { PgbenchPeer } from './peer-pgbench.ts';
import { type Measurement, median } from './report.ts';
import { runOurs, type SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const CLIENT_COUNTS: readonly number[] = [1, 12, 64];
const TARGET_CLIENTS = 64;
const RATIO_MIN = 10;

type Rates = { readonly clientCount: number; readonly ours: number[]; readonly theirs: number[] };

export async function measureTpcbSync(options: SectionOptions): Promise<Measurement[]> {
  const parent = mkdtempSync(join(realpathSync(tmpdir()), 'amelie-sync-'));
  const forget = onExit(() => removeOnExit(parent));
  try {
    // PostgreSQL may run as another user, who has to get through to its own folder.
    chmodSync(parent, 0o711);
    options.print(`  disk: ${describeDisk(probeDisk(parent))}`);
    return await measureBelow(parent, options);
  } finally {
    forget();
    rmSync(parent, { recursive: true, force: true });
  }
}

async function measureBelow(parent: string, options: SectionOptions): Promise<Measurement[]> {
  const peer = await PgbenchPeer.start({ parent, isSynchronous: true });
  if (peer === undefined) options.print('  PostgreSQL is not installed: no pgbench to compare with');
  const rates: Rates[] = CLIENT_COUNTS.map((clientCount) => ({ clientCount, ours: [], theirs: [] }));
  try {
    if (peer !== undefined) options.print(`  pgbench: ${await peer.describeDurability()}`);
    const server = await ServerProcess.start(['--wal_sync_on_write=true'], { parent });
    try {
      for (let round = 0; round < options.roundCount; round++) {
        for (const { clientCount, ours, theirs } of rates) {
          ours.push(await runOurs(server, server.socket, 'tpcb', clientCount, options));
          if (peer === undefined) continue;
          const rate = await peer.measure(clientCount, options.seconds);
          options.print(`  pgbench ${clientCount} clients: ${Math.round(rate)} tx/s`);
          theirs.push(rate);
        }
      }
    } finally {
      await server.remove();
    }
  } finally {
    await peer?.stop();
  }
  return rates.map(({ clientCount, ours, theirs }) => ({
    name: `tpcb, synced, ${clientCount} client${clientCount === 1 ? '' : 's'}`,
    ours: median(ours),
    unit: 'tx/s',
    ...(peer && { peer: { name: `pgbench, synced, as many, ${peer.version}`, value: median(theirs) } }),
    ...(peer && clientCount === TARGET_CLIENTS && { target: { bound: 'at least' as const, value: RATIO_MIN } }),
  }));
}
