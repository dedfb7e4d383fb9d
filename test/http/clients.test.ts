/** Real clients: curl, fetch, undici's pipelining client, node:http with an agent; TCP and Unix socket. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { Client, fetch as undiciFetch } from 'undici';
import { HttpServer } from '../../src/server/http/server.ts';
import { echo, TestServer } from './raw.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
const curlOptions = hasCurl ? {} : { skip: 'curl is not installed' };

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'amelie-http-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  'curl: text, two requests on one connection, a large file with Expect, chunks, statuses',
  curlOptions,
  async () => {
    await using server = await TestServer.start();
    const url = `http://127.0.0.1:${server.port}`;
    const text = await run('curl', ['-sS', '-H', 'Content-Type: text/plain', '-d', 'select 1', `${url}/`]);
    assert.equal(text.stdout, 'POST / select 1');
    const two = await run('curl', ['-sS', '-w', '[%{http_code} %{num_connects}]', `${url}/a`, `${url}/b`]);
    assert.equal(two.stdout, 'GET /a [200 1]GET /b [200 0]');
    await withFolder(async (folder) => {
      const file = join(folder, 'large');
      const content = 'x'.repeat(1_048_576);
      await writeFile(file, content);
      const maxBuffer = 4_000_000;
      const expecting = ['-sS', '-H', 'Expect: 100-continue', '--expect100-timeout', '60', '--data-binary', `@${file}`];
      assert.equal((await run('curl', [...expecting, url], { maxBuffer })).stdout, `POST / ${content}`);
      const chunked = ['-sS', '-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`, url];
      assert.equal((await run('curl', chunked, { maxBuffer })).stdout, `POST / ${content}`);
      await writeFile(file, `${content}y`);
      const tooLarge = await run('curl', ['-sS', '-w', '%{http_code}', '--data-binary', `@${file}`, url]);
      assert.match(tooLarge.stdout, /"code": "limit_exceeded"\}413$/);
    });
    const head = await run('curl', ['-sS', '-I', `${url}/`]);
    assert.match(head.stdout, /^HTTP\/1\.1 405 Method Not Allowed\r\n[\s\S]*\r\nAllow: GET, POST\r\n/);
    const old = await run('curl', ['-sS', '--http1.0', `${url}/old`]);
    assert.equal(old.stdout, 'GET /old ');
  },
);

test('curl over a Unix socket that only its owner may use; a dead socket file is replaced', curlOptions, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'amelie.sock');
    const server = new HttpServer({ handle: echo });
    assert.deepEqual(await server.listen({ path }), { path });
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal((await run('curl', ['-sS', '--unix-socket', path, 'http://localhost/x'])).stdout, 'GET /x ');
    const second = new HttpServer({ handle: echo });
    await assert.rejects(second.listen({ path }), { code: 'EADDRINUSE' });
    await second.close(false);
    await server.close(true);

    // A process that was killed leaves the file: a worker of its own stands in for it.
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    await run(process.execPath, ['-e', script]).catch(() => {});
    assert.equal((await stat(path)).isSocket(), true);
    const third = new HttpServer({ handle: echo });
    await third.listen({ path });
    assert.equal((await run('curl', ['-sS', '--unix-socket', path, 'http://localhost/y'])).stdout, 'GET /y ');
    await third.close(false);
  });
});

test('fetch: many at once, bodies of bytes and streams', async () => {
  await using server = await TestServer.start();
  const url = `http://127.0.0.1:${server.port}`;
  for (const send of [fetch, undiciFetch as unknown as typeof fetch]) {
    const texts = await Promise.all(
      Array.from({ length: 50 }, async (_unused, number) => {
        const response = await send(`${url}/t`, { method: 'POST', body: `select ${number}` });
        assert.equal(response.status, 200);
        return response.text();
      }),
    );
    assert.deepEqual(
      texts,
      Array.from({ length: 50 }, (_unused, number) => `POST /t select ${number}`),
    );
    const stream = new ReadableStream({
      start(controller) {
        for (let number = 0; number < 100; number++) controller.enqueue(Buffer.from(`${number},`));
        controller.close();
      },
    });
    const streamed = await send(url, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    assert.equal(
      await streamed.text(),
      `POST / ${Array.from({ length: 100 }, (_unused, number) => `${number},`).join('')}`,
    );
  }
});

test("undici's pipelining client", async () => {
  await using server = await TestServer.start((request, reply) => {
    const text = request.body.toString();
    // Completed out of order: undici pairs replies with requests by their order alone.
    if (text.length % 3 === 0) setImmediate(() => reply.send(200, text));
    else reply.send(200, text);
  });
  const client = new Client(`http://127.0.0.1:${server.port}`, { pipelining: 10 });
  const texts = await Promise.all(
    Array.from({ length: 1000 }, async (_unused, number) => {
      const reply = await client.request({ method: 'POST', path: '/', body: `n ${number}`, idempotent: true });
      return reply.body.text();
    }),
  );
  assert.deepEqual(
    texts,
    Array.from({ length: 1000 }, (_unused, number) => `n ${number}`),
  );
  assert.equal(server.acceptedCount, 1);
  await client.close();
});

test('node:http with a keep-alive agent', async () => {
  await using server = await TestServer.start();
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const post = (body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, agent, method: 'POST', path: '/n' };
      const request = httpRequest(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      });
      request.on('error', reject);
      // Two writes without a length: it sends chunks.
      request.write(body);
      request.end('!');
    });
  const texts = await Promise.all(Array.from({ length: 100 }, (_unused, number) => post(`é ${number}`)));
  assert.deepEqual(
    texts,
    Array.from({ length: 100 }, (_unused, number) => `POST /n é ${number}!`),
  );
  assert.equal(server.acceptedCount, 2);
  agent.destroy();
});

test('a port in use is an error; several servers share one with reusePort', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const server = new HttpServer({ handle: echo });
  await assert.rejects(server.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  taken.close();
  const first = await server.listen({ host: '127.0.0.1', port: 0, reusePort: true });
  assert.ok('port' in first);
  const other = new HttpServer({ handle: echo });
  await other.listen({ host: '127.0.0.1', port: first.port, reusePort: true });
  await other.close(false);
  assert.equal(await (await fetch(`http://127.0.0.1:${first.port}/z`)).text(), 'GET /z ');
  await server.close(false);
});

test('autocannon: load over 16 connections, every request answered as it should be', async () => {
  await using server = await TestServer.start();
  const body = 'select 1';
  const result = await autocannon({
    url: `http://127.0.0.1:${server.port}/`,
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body,
    expectBody: `POST / ${body}`,
    connections: 16,
    amount: 4000,
  });
  assert.equal(result['2xx'], 4000);
  assert.equal(result.non2xx + result.errors + result.timeouts + result.mismatches, 0);
});
