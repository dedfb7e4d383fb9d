/** Slow clients, with a clock that the test turns. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpReply } from '../../src/server/http/reply.ts';
import { RawClient, replyText, TestServer, until } from './raw.ts';

const REQUEST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd';
const REPLY = replyText(200, 'POST / abcd');

test('10 seconds without a complete header, however many bytes arrive', async () => {
  await using server = await TestServer.start();
  const client = await RawClient.connect(server);
  await client.send('P');
  for (const piece of ['OS', 'T / HTTP/1.1\r\n', 'Host: a\r\n']) {
    server.pass(3000);
    await client.send(piece);
  }
  server.pass(900);
  assert.equal(server.http.connectionCount, 1);
  assert.equal(client.hasEnded, false);
  server.pass(1600);
  assert.equal(await client.ended(), '');
  await until(() => server.http.connectionCount === 0);
});

test('each header has its own 10 seconds', async () => {
  await using server = await TestServer.start();
  const client = await RawClient.connect(server);
  for (let round = 0; round < 5; round++) {
    // The end of one request and the start of the next in one piece.
    await client.send(round === 0 ? REQUEST.slice(0, 20) : REQUEST.slice(20) + REQUEST.slice(0, 20));
    server.pass(9000);
  }
  await client.expect(REPLY.repeat(4));
  server.pass(3000);
  assert.equal(await client.ended(), REPLY.repeat(4));
});

test('30 seconds without a byte of the body', async () => {
  await using server = await TestServer.start();
  const bodies = [
    ['Content-Length: 4\r\n\r\na', 'b', 'c'],
    ['Transfer-Encoding: chunked\r\n\r\n', '4\r\n', 'ab'],
  ];
  for (const pieces of bodies) {
    const client = await RawClient.connect(server);
    await client.send('POST / HTTP/1.1\r\nHost: a\r\n');
    for (const piece of pieces) {
      await client.send(piece);
      server.pass(29_000);
    }
    assert.equal(server.http.connectionCount, 1);
    server.pass(3000);
    assert.equal(await client.ended(), '');
    await until(() => server.http.connectionCount === 0);
  }
});

test('idle connections stay, fresh and between requests, also after an empty line', async () => {
  await using server = await TestServer.start();
  const fresh = await RawClient.connect(server);
  const used = await RawClient.connect(server);
  await used.send(REQUEST.slice(0, 10));
  server.pass(5000);
  await used.send(`${REQUEST.slice(10)}\r\n`);
  await used.expect(REPLY);
  server.clock.dateMs += 3_605_000;
  server.pass(3_600_000);
  await fresh.send(REQUEST);
  await used.send(REQUEST);
  const laterReply = REPLY.replace('03:04:05', '04:04:10');
  await fresh.expect(laterReply);
  await used.expect(REPLY + laterReply);
});

test('a request that runs long is not slow; its connection ends after the reply when the next header is', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const running = await RawClient.connect(server);
  await running.send(REQUEST);
  server.pass(100_000);
  await running.send(`${REQUEST}GET / HT`);
  server.pass(100_000);
  assert.equal(running.hasEnded, false);
  for (const reply of replies) reply.send(204, null);
  assert.match(await running.ended(), /^HTTP\/1\.1 204 [\s\S]*HTTP\/1\.1 204 [\s\S]*Connection: close\r\n\r\n$/);
});

test('a paused connection is not slow: it is us who do not read', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const client = await RawClient.connect(server);
  client.socket.write(`${REQUEST.repeat(1500)}`);
  await until(() => replies.length === 1000);
  server.pass(100_000);
  let answeredCount = 0;
  while (answeredCount < 1500) {
    await until(() => replies.length > answeredCount);
    while (answeredCount < replies.length) replies[answeredCount++]!.send(204, null);
    server.http.flush();
  }
  assert.equal(client.hasEnded, false);
});

test('a client that does not end after our end is cut off', async () => {
  await using server = await TestServer.start();
  const client = await RawClient.connect(server);
  client.socket.removeAllListeners('end');
  await client.send('GET / HTTP/1.0\r\n\r\n');
  await until(() => client.socket.readableEnded);
  assert.equal(server.http.connectionCount, 1);
  server.pass(4000);
  await until(() => server.http.connectionCount === 0);
});
