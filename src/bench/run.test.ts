import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type BenchOptions, runBench } from './run.ts';
import { resolveTarget } from './target.ts';

type Seen = { readonly path: string; readonly type: string; readonly body: string };
type FakeServer = { readonly uri: string; readonly seen: Seen[]; close(): void };

/** A server that keeps what it is sent and answers as `answer` says: a status and a content. */
async function startFake(answer: (seen: Seen, count: number) => [number, string]): Promise<FakeServer> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ path: request.url ?? '', type: request.headers['content-type'] ?? '', body });
      const [status, content] = answer(seen.at(-1)!, seen.length);
      response.writeHead(status, status === 204 ? {} : { 'Content-Length': Buffer.byteLength(content) });
      response.end(status === 204 ? undefined : content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const uri = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { uri, seen, close: () => server.closeAllConnections() ?? server.close() };
}

async function bench(fake: FakeServer, options: Omit<BenchOptions, 'print' | 'uri'>): Promise<string[]> {
  const lines: string[] = [];
  await runBench({ uri: fake.uri, threads: 2, clients: 3, time: 1, ...options, print: (line) => lines.push(line) });
  return lines;
}

test('tpcb makes its tables, fills them, and sends one request of five statements again and again', async () => {
  const fake = await startFake(() => [204, '']);
  try {
    const lines = await bench(fake, {});
    const bodies = fake.seen.map((request) => request.body);
    assert.equal(bodies[0], 'drop schema if exists __bench cascade');
    assert.equal(bodies[1], 'create schema __bench');
    assert.equal(bodies.filter((body) => body.startsWith('create table ')).length, 4);
    const accounts = bodies.filter((body) => body.startsWith('insert into __bench.accounts'));
    assert.equal(accounts.length, 200);
    assert.match(accounts.at(-1)!, /\(100000, 1, 0, '/);
    const run = bodies.filter((body) => body.startsWith('update '));
    assert.ok(run.length > 0);
    for (const body of run) {
      const statements = body.split('; ');
      assert.equal(statements.length, 5);
      const [, delta, aid] = /abalance \+ (-?\d+) where aid = (\d+)$/.exec(statements[0]!)!;
      assert.ok(Math.abs(Number(delta)) <= 5000 && Number(aid) >= 1 && Number(aid) <= 100_000);
      assert.ok(statements[4]!.includes(`, 1, ${aid}, ${delta}, current_timestamp)`));
    }
    assert.match(lines.join('\n'), /^ +1 s {2}[\d,]+ transactions\/s {2}[\d.]+ million writes\/s$/m);
    assert.match(lines.join('\n'), /p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms/);
    assert.match(lines.join('\n'), /generator +[\d.]+ µs of CPU a transaction/);
  } finally {
    fake.close();
  }
});

test('import posts empty rows', async () => {
  const fake = await startFake(() => [204, '']);
  try {
    await bench(fake, { type: 'import', batch: 3 });
    const last = fake.seen.at(-1)!;
    assert.deepEqual(last, { path: '/__bench/test?columns=', type: 'application/json', body: '[[],[],[]]' });
  } finally {
    fake.close();
  }
});

for (const [type, body] of [
  ['insert', 'insert into __bench.test generate 7'],
  ['upsert', 'insert into __bench.test generate 7 on conflict do update set data = data + 1'],
] as const) {
  test(`${type} without init sends only its own requests`, async () => {
    const fake = await startFake(() => [204, '']);
    try {
      await bench(fake, { type, batch: 7, init: false });
      assert.deepEqual([...new Set(fake.seen.map((request) => request.body))], [body]);
    } finally {
      fake.close();
    }
  });
}

test('--unlogged makes its tables unlogged', async () => {
  for (const [type, count] of [
    ['tpcb', 4],
    ['upsert', 1],
  ] as const) {
    const fake = await startFake(() => [204, '']);
    try {
      await bench(fake, { type, unlogged: true });
      const made = fake.seen.map(({ body }) => body).filter((body) => /^create .*table /.test(body));
      assert.equal(made.length, count);
      for (const body of made) assert.ok(body.startsWith('create unlogged table __bench.'), body);
    } finally {
      fake.close();
    }
  }
});

test('an error of the server during the run ends it with its message', async () => {
  const fake = await startFake((_seen, count) =>
    count < 50 ? [204, ''] : [400, '{"msg": "out of luck", "code": "raised"}'],
  );
  try {
    await assert.rejects(bench(fake, { type: 'insert', time: 60 }), { message: 'out of luck' });
  } finally {
    fake.close();
  }
});

test('an error of the server while the tables are made ends it with its message', async () => {
  const fake = await startFake(() => [400, '{"msg": "no room", "code": "out_of_memory"}']);
  try {
    await assert.rejects(bench(fake, {}), { message: 'no room' });
  } finally {
    fake.close();
  }
});

test('a server that is not there is named', async () => {
  const print = (): void => {};
  await assert.rejects(
    runBench({ path: '/nowhere/amelie.sock', print }),
    /no server listens at \/nowhere\/amelie\.sock/,
  );
});

test('options that make no sense are refused', async () => {
  const print = (): void => {};
  await assert.rejects(runBench({ type: 'tpcc', print }), /--type: 'tpcc' is none of/);
  await assert.rejects(runBench({ clients: 0, print }), /--clients: expected a whole number/);
  await assert.rejects(runBench({ type: 'resolved', print }), /not supported yet: resolved columns/);
});

test('targets', () => {
  assert.deepEqual(resolveTarget(undefined, undefined), { host: '127.0.0.1', port: 3485 });
  assert.deepEqual(resolveTarget('localhost', undefined), { host: 'localhost', port: 3485 });
  assert.deepEqual(resolveTarget('http://db:80/', undefined), { host: 'db', port: 80 });
  assert.deepEqual(resolveTarget('[::1]:9', undefined), { host: '::1', port: 9 });
  assert.deepEqual(resolveTarget('ignored', '/tmp/x.sock'), { path: '/tmp/x.sock' });
  assert.throws(() => resolveTarget('https://db', undefined), /not supported yet: https/);
  assert.throws(() => resolveTarget('http://a b', undefined), /is not a URI/);
});
