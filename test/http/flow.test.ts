/** Requests in every cut, order of replies, back-pressure, ends of connections. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { HttpReply } from '../../src/server/http/reply.ts';
import { echo, RawClient, replyText, TestServer, until } from './raw.ts';

function post(body: string, headers = ''): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const VALID: { bytes: string; reply: string }[] = [
  { bytes: post('select 1'), reply: 'POST / select 1' },
  { bytes: 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n', reply: 'GET /health ' },
  { bytes: '\r\nPOST /a/b?c=%20 HTTP/1.1\r\nhOsT:a\r\nCONTENT-LENGTH:\t3 \t\r\n\r\nabc', reply: 'POST /a/b?c=%20 abc' },
  { bytes: 'GET http://host:3485/x?y HTTP/1.1\r\nHost: host\r\n\r\n', reply: 'GET /x?y ' },
  { bytes: 'GET http://host?y HTTP/1.1\r\nHost: host\r\nX:\r\n\r\n', reply: 'GET /?y ' },
  { bytes: 'POST / HTTP/1.9\r\nHost: a\r\nContent-Length: 002\r\n\r\nok', reply: 'POST / ok' },
  {
    bytes:
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0a;x="y"\r\n0123456789\r\n0\r\n\r\n',
    reply: 'POST / abc0123456789',
  },
  {
    bytes:
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\r\r\n1\r\n\n\r\n00\r\nT: 1\r\nU: \r\n\r\n',
    reply: 'POST / \r\n',
  },
  { bytes: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', reply: 'POST / ' },
];

test('each valid request, split at every byte', async () => {
  await using server = await TestServer.start();
  for (const valid of VALID) {
    const client = await RawClient.connect(server);
    const reply = replyText(200, valid.reply);
    for (let at = 1; at < valid.bytes.length; at++) {
      await client.send(valid.bytes.slice(0, at));
      await client.send(valid.bytes.slice(at));
      await until(() => client.receivedBytes >= reply.length * at || client.isClosed);
    }
    assert.equal(client.text, reply.repeat(valid.bytes.length - 1));
  }
});

test('all of them pipelined, in pieces of every length', async () => {
  await using server = await TestServer.start();
  const bytes = VALID.map((valid) => valid.bytes).join('');
  const replies = VALID.map((valid) => replyText(200, valid.reply)).join('');
  for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes = Math.ceil(pieceBytes * 1.4)) {
    const client = await RawClient.connect(server);
    for (let index = 0; index < bytes.length; index += pieceBytes) {
      await client.send(bytes.slice(index, index + pieceBytes));
    }
    await client.expect(replies);
  }
});

test('what the handler is told', async () => {
  const seen: unknown[] = [];
  await using server = await TestServer.start((request, reply) => {
    seen.push([request.path, request.query, request.contentType, request.acceptsJsonLines, request.authorization]);
    reply.send(204, null);
  });
  const client = await RawClient.connect(server);
  await client.send(
    'POST /a/b?c=d HTTP/1.1\r\nHost: a\r\ncontent-TYPE: text/csv; charset=utf-8\r\nAccept: application/jsonl\r\n' +
      'Authorization: Bearer x.y.z\r\n\r\n' +
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  await client.expect('HTTP/1.1 204 No Content\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\n\r\n'.repeat(3));
  assert.deepEqual(seen, [
    ['/a/b', 'c=d', 'text/csv', true, 'Bearer x.y.z'],
    ['/', '', 'unsupported', false, ''],
    ['/', '', 'none', false, ''],
  ]);
});

test('replies: text beyond ASCII, bytes, shared memory, other media types, statuses', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  shared.set([0x5b, 0x31, 0x5d, 0x0a]);
  const sends: ((reply: HttpReply) => void)[] = [
    (reply) => reply.send(200, 'é€\u{1f600}'),
    (reply) => reply.send(200, Uint8Array.of(0, 255)),
    (reply) => reply.send(200, shared),
    (reply) => reply.send(200, null),
    (reply) => reply.send(200, 'a 1\n', 'text/plain; version=0.0.4'),
    (reply) => reply.sendMethodNotAllowed('GET'),
    (reply) => reply.send(401, '{}'),
  ];
  await using server = await TestServer.start((_request, reply) => sends.shift()!(reply));
  const client = await RawClient.connect(server);
  await client.send(post('').repeat(8));
  const methodError = '{"msg": "HTTP method is not one of GET", "code": "invalid_request"}';
  const expected =
    replyText(200, 'é€\u{1f600}') +
    replyText(200, 'XX').replace('XX', '\0\u00ff') +
    replyText(200, '[1]\n') +
    replyText(200, '') +
    replyText(200, 'a 1\n').replace('application/json', 'text/plain; version=0.0.4') +
    replyText(405, methodError, 'Allow: GET\r\n') +
    'HTTP/1.1 401 Unauthorized\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\nWWW-Authenticate: Bearer\r\n' +
    'Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';
  const expectedBytes = Buffer.from(expected).toString('latin1').replace('\u00c3\u00bf', '\u00ff');
  assert.equal(await client.ended(), expectedBytes);
  assert.equal(server.http.sentBytes, expectedBytes.length);
});

test('methods other than GET and POST', async () => {
  await using server = await TestServer.start();
  const client = await RawClient.connect(server);
  const error = '{"msg": "HTTP method is not one of GET, POST", "code": "invalid_request"}';
  const reply = replyText(405, error, 'Allow: GET, POST\r\n');
  await client.send(
    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\npost / HTTP/1.1\r\nHost: a\r\n\r\n' +
      'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcCONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n' +
      'DELETE / HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  await client.expect(reply.slice(0, -error.length) + reply.repeat(5));
});

test('replies completed in any order leave in the order of the requests', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ]) {
    replies.length = 0;
    const client = await RawClient.connect(server);
    await client.send(post('').repeat(4));
    const completed = new Set<number>();
    for (const index of order) {
      replies[index]!.send(200, `reply ${index}`);
      server.http.flush();
      completed.add(index);
      let inOrderCount = 0;
      while (completed.has(inOrderCount)) inOrderCount++;
      await client.expect(
        Array.from({ length: inOrderCount }, (_unused, number) => replyText(200, `reply ${number}`)).join(''),
      );
    }
  }
});

test('one write for all requests of a readable event, and for a batch of completions', async () => {
  const replies: HttpReply[] = [];
  let isDeferred = false;
  await using server = await TestServer.start((request, reply) => {
    if (isDeferred) replies.push(reply);
    else echo(request, reply);
  });
  let writeCount = 0;
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    const write = socket.write.bind(socket) as (chunk: Buffer) => boolean;
    socket.write = (chunk: unknown) => {
      writeCount++;
      return write(chunk as Buffer);
    };
    server.http.attach(socket, { port: 0 });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  server.port = (listener.address() as { port: number }).port;
  const client = await RawClient.connect(server);
  await client.send(post('x').repeat(100));
  await client.expect(replyText(200, 'POST / x').repeat(100));
  assert.equal(writeCount, 1);
  isDeferred = true;
  await client.send(post('x').repeat(100));
  assert.equal(replies.length, 100);
  for (const reply of replies.toReversed()) reply.send(200, 'POST / x');
  await client.expect(replyText(200, 'POST / x').repeat(200));
  assert.equal(writeCount, 2);
  listener.close();
});

test('1,000 unanswered requests pause the connection; half of them answered resume it', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const client = await RawClient.connect(server);
  client.socket.write(post('').repeat(5000));
  await until(() => replies.length === 1000);
  const other = await RawClient.connect(server);
  await other.send(post(''));
  assert.equal(replies.length, 1001, 'another connection goes on');
  for (let index = 0; index < 499; index++) replies[index]!.send(204, null);
  server.http.flush();
  assert.equal(replies.length, 1001);
  replies[499]!.send(204, null);
  server.http.flush();
  await until(() => replies.length === 1501);
  let answeredCount = 500;
  while (answeredCount < 5001) {
    await until(() => replies.length > answeredCount);
    while (answeredCount < replies.length) replies[answeredCount++]!.send(204, null);
    server.http.flush();
  }
  const replyBytes = 'HTTP/1.1 204 No Content\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\n\r\n'.length;
  await until(() => client.receivedBytes === 5000 * replyBytes && other.receivedBytes === replyBytes);
});

test('a client that does not read stops only itself, and gets every byte when it reads', async () => {
  const body = (number: number): string => `${number} `.repeat(20_000);
  let handledCount = 0;
  await using server = await TestServer.start((request, reply) => {
    if (request.method === 'POST') handledCount++;
    reply.send(200, body(Number(request.target.slice(1))));
  });
  const requestCount = 400;
  const client = await RawClient.connect(server);
  client.socket.pause();
  const requests = Array.from(
    { length: requestCount },
    (_unused, number) => `POST /${number} HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  client.socket.write(requests.join(''));
  // Kernel buffers take a few megabytes: the server stops when they and its own limit are full.
  let stableTurns = 0;
  for (let before = -1; stableTurns < 50; before = handledCount) {
    stableTurns = before === handledCount && handledCount > 0 ? stableTurns + 1 : 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(handledCount < requestCount, `${handledCount} of ${requestCount} requests handled without being read`);
  const other = await RawClient.connect(server);
  await other.send('GET /7 HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.expect(replyText(200, body(7)));
  client.socket.resume();
  const expected = Array.from({ length: requestCount }, (_unused, number) => replyText(200, body(number))).join('');
  await until(() => client.receivedBytes >= expected.length);
  assert.ok(client.text === expected, 'the bytes are those of the replies');
});

test('Expect: 100-continue', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const expecting = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n';
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n';

  const client = await RawClient.connect(server);
  await client.send(`${expecting}Content-Length: 2\r\n\r\n`);
  await client.expect(interim);
  await client.send('ok');
  replies.shift()!.send(200, '1');
  await client.expect(interim + replyText(200, '1'));
  await client.send(`${expecting}Transfer-Encoding: chunked\r\n\r\n`);
  await client.expect(interim + replyText(200, '1') + interim);
  await client.send('0\r\n\r\n');
  replies.shift()!.send(200, '2');
  await client.expect(interim + replyText(200, '1') + interim + replyText(200, '2'));

  // Behind an unanswered request it waits for its turn.
  const second = await RawClient.connect(server);
  await second.send(`${post('')}${expecting}Content-Length: 2\r\n\r\n`);
  await second.expect('');
  replies.shift()!.send(200, '3');
  await second.expect(replyText(200, '3') + interim);

  // Not where the body is here already, there is none, the body is refused, or the client speaks HTTP/1.0.
  const third = await RawClient.connect(server);
  await third.send(`${expecting}Content-Length: 2\r\n\r\nok${expecting}\r\n`);
  for (const reply of replies.splice(0)) reply.send(200, '4');
  await third.expect(replyText(200, '4').repeat(2));
  await third.send(`${expecting}Content-Length: 2000000\r\n\r\n`);
  assert.match((await third.ended()).slice(replyText(200, '4').length * 2), /^HTTP\/1\.1 413 /);
  const old = await RawClient.connect(server);
  await old.send('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await old.send('ok');
  replies.shift()!.send(200, '5');
  assert.equal(await old.ended(), replyText(200, '5', 'Connection: close\r\n'));
});

test('Connection: close and HTTP/1.0', async () => {
  await using server = await TestServer.start();
  const closed = replyText(200, 'GET / ', 'Connection: close\r\n');
  const cases: [string, string][] = [
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', closed],
    ['GET / HTTP/1.1\r\nHost: a\r\nconnection: x , CLOSE,keep-alive\r\n\r\n', closed],
    ['GET / HTTP/1.0\r\n\r\n', closed],
    ['GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n', closed],
    [
      'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n',
      replyText(200, 'GET / ', 'Connection: keep-alive\r\n') + closed,
    ],
  ];
  for (const [bytes, expected] of cases) {
    const client = await RawClient.connect(server);
    client.socket.write(`${bytes}GET /never HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.equal(await client.ended(), expected, bytes);
    await until(() => client.isClosed);
  }
});

test('a half-closed client gets its replies, then the end', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const client = await RawClient.connect(server);
  client.socket.end(`${post('').repeat(2)}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc`);
  await until(() => replies.length === 2);
  await new Promise((resolve) => setImmediate(resolve));
  replies[1]!.send(200, '2');
  replies[0]!.send(200, '1');
  assert.match(await client.ended(), /\r\n\r\n1HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n2$/);
  await until(() => server.http.connectionCount === 0);
  assert.equal(replies.length, 2);

  const idle = await RawClient.connect(server);
  idle.socket.end();
  assert.equal(await idle.ended(), '');
  await until(() => server.http.connectionCount === 0);
});

test('a half-closed client that was paused gets all its replies', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const client = await RawClient.connect(server);
  client.socket.end(post('').repeat(3000));
  let answeredCount = 0;
  while (answeredCount < 3000) {
    await until(() => replies.length > answeredCount);
    while (answeredCount < replies.length) replies[answeredCount++]!.send(200, '1');
    server.http.flush();
  }
  assert.equal((await client.ended()).split('HTTP/1.1 200 OK').length - 1, 3000);
});

test('a client that is gone before its reply', async () => {
  const replies: HttpReply[] = [];
  await using server = await TestServer.start((_request, reply) => replies.push(reply));
  const client = await RawClient.connect(server);
  await client.send(post('').repeat(3));
  client.socket.resetAndDestroy();
  await until(() => server.http.connectionCount === 0);
  assert.equal(replies[0]!.isAbandoned, true);
  for (const reply of replies.toReversed()) reply.send(200, 'nobody reads this');
  server.http.flush();
  assert.equal(server.http.sentBytes, 0);
  const next = await RawClient.connect(server);
  await next.send(post(''));
  replies[3]!.send(200, '1');
  await next.expect(replyText(200, '1'));
});

test('a body is read only while it is handled: large ones, again and again, on many connections', async () => {
  await using server = await TestServer.start((request, reply) => {
    const body = request.body;
    reply.send(200, body.every((byte) => byte === body[0]) ? `${body.length} ${body[0]}` : 'mixed');
  });
  const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server)));
  const expected = ['', '', '', ''];
  for (let round = 0; round < 4; round++) {
    for (let index = 0; index < clients.length; index++) {
      const bodyBytes = 1 + round * 200_000 + index * 70_000;
      const byte = 65 + round * 4 + index;
      clients[index]!.socket.write(post(String.fromCharCode(byte).repeat(bodyBytes)));
      expected[index] += replyText(200, `${bodyBytes} ${byte}`);
    }
  }
  for (let index = 0; index < clients.length; index++) await clients[index]!.expect(expected[index]!);
});

test('graceful close: idle connections end, running requests are answered, nothing new is accepted', async () => {
  const replies: HttpReply[] = [];
  const server = await TestServer.start((_request, reply) => replies.push(reply));
  const idle = await RawClient.connect(server);
  const partial = await RawClient.connect(server);
  await partial.send('POST / HTTP/1.1\r\nHo');
  const busy = await RawClient.connect(server);
  await busy.send(post('').repeat(2));
  const closed = server.http.close(true);
  assert.equal(await idle.ended(), '');
  assert.equal(await partial.ended(), '');
  assert.equal(busy.hasEnded, false);
  for (const reply of replies) reply.send(200, '1');
  assert.equal(await busy.ended(), replyText(200, '1') + replyText(200, '1', 'Connection: close\r\n'));
  await closed;
  assert.equal(server.http.connectionCount, 0);
});

test('close at once', async () => {
  const replies: HttpReply[] = [];
  const server = await TestServer.start((_request, reply) => replies.push(reply));
  const busy = await RawClient.connect(server);
  await busy.send(post(''));
  const graceful = server.http.close(true);
  await server.http.close(false);
  await graceful;
  await busy.ended();
  replies[0]!.send(200, 'too late');
  assert.equal(busy.text, '');
});
