/** tpcb at 12 and 64 clients against pgbench, each over a Unix socket and neither waiting for the disk. */

import { PgbenchPeer } from './peer-pgbench.ts';
import { type Measurement, median } from './report.ts';
import { runOurs, type SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const CLIENTS_FEW = 12;
const CLIENTS_MANY = 64;

export async function measureTpcb(options: SectionOptions): Promise<Measurement[]> {
  const peer = await PgbenchPeer.start();
  if (peer === undefined) options.print('  PostgreSQL is not installed: no pgbench to compare with');
  const server = await ServerProcess.start();
  const few: number[] = [];
  const many: number[] = [];
  const theirs: number[] = [];
  try {
    for (let round = 0; round < options.roundCount; round++) {
      few.push(await runOurs(server, server.socket, 'tpcb', CLIENTS_FEW, options));
      if (peer !== undefined) {
        const rate = await peer.measure(CLIENTS_FEW, options.seconds);
        options.print(`  pgbench ${CLIENTS_FEW} clients: ${Math.round(rate)} tx/s`);
        theirs.push(rate);
      }
      many.push(await runOurs(server, server.socket, 'tpcb', CLIENTS_MANY, options));
    }
  } finally {
    await server.remove();
    await peer?.stop();
  }
  const pgbench = peer && { name: `pgbench, 12 clients, ${peer.version}`, value: median(theirs) };
  const compare = (name: string, rates: readonly number[], ratio: number): Measurement => ({
    name,
    ours: median(rates),
    unit: 'tx/s',
    ...(pgbench && { peer: pgbench, target: { bound: 'at least', value: ratio } }),
  });
  return [
    compare('tpcb, 12 clients', few, 12),
    compare('tpcb, 64 clients', many, 18),
    {
      name: 'tpcb, 64 clients against 12',
      ours: median(many),
      unit: 'tx/s',
      peer: { name: 'amelie, 12 clients', value: median(few) },
      target: { bound: 'at least', value: 1 },
    },
  ];
}
