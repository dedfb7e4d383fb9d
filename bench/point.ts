/** A row by its key over keep-alive HTTP, against an empty node:http server that is sent the same requests. */

import { HttpClient } from '../src/bench/http-client.ts';
import { runLoad } from '../src/bench/load.ts';
import { makeTemplate } from '../src/bench/request-template.ts';
import type { Target } from '../src/bench/target.ts';
import { inserts } from '../src/bench/workload.ts';
import { startPeer } from './peer-process.ts';
import { type Measurement, median } from './report.ts';
import type { SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const ROW_COUNT = 100_000;
const CONNECTION_COUNT = 64;
const GENERATOR_THREADS = 1;

export async function measurePoint(options: SectionOptions): Promise<Measurement[]> {
  const server = await ServerProcess.start();
  const { answer, child } = await startPeer('peer-http', []);
  const empty: Target = { host: '127.0.0.1', port: (answer as { port: number }).port };
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    await loadTable(server.tcp);
    for (let round = 0; round < options.roundCount; round++) {
      ours.push(await runPoint('amelie', server.tcp, options));
      theirs.push(await runPoint('empty node:http server', empty, options));
    }
  } finally {
    child.kill();
    await server.remove();
  }
  return [
    {
      name: 'point select by key, 64 connections',
      ours: median(ours),
      unit: 'requests/s',
      peer: { name: 'empty node:http', value: median(theirs) },
      target: { bound: 'at least', value: 1.2 },
    },
  ];
}

async function loadTable(target: Target): Promise<void> {
  const client = new HttpClient(target);
  try {
    await client.sql('create table point (id int primary key, value int)');
    for (const statement of inserts('insert into point (id, value) values ', ROW_COUNT, (id) => `(${id}, ${id * 7})`)) {
      await client.sql(statement);
    }
  } finally {
    client.close();
  }
}

async function runPoint(name: string, target: Target, options: SectionOptions): Promise<number> {
  const template = makeTemplate('/', 'text/plain', 'select value from point where id = {id}', {
    id: { low: 1, high: ROW_COUNT },
  });
  const load = { target, template, threadCount: GENERATOR_THREADS, clientCount: CONNECTION_COUNT };
  const result = await runLoad({ ...load, seconds: options.seconds });
  options.print(
    `  ${name}: ${Math.round(result.repliesPerSecond)} requests/s, p50 ${result.latencyMs.p50} p99 ${result.latencyMs.p99} ms, ` +
      `generator ${result.generatorCpuMicros.toFixed(1)} µs of CPU a request`,
  );
  return result.repliesPerSecond;
}
