/** Malformed and hostile requests: each is refused with its status and the error object, and the connection is closed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient, replyText, TestServer } from './raw.ts';

const GOOD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok';
const GOOD_REPLY = replyText(200, 'POST / ok');

type Hostile = { readonly name: string; readonly bytes: string; readonly status?: number };

function post(headers: string, body = ''): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const FILLER = 'x'.repeat(16_400);

const HOSTILE: Hostile[] = [
  // The request line.
  { name: 'no method', bytes: ' / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'method with a comma', bytes: 'PO,ST / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'two blanks after the method', bytes: 'POST  / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'two blanks before the version', bytes: 'POST /  HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'tab instead of a blank', bytes: 'POST\t/ HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n' },
  { name: 'HTTP/2.0', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'HTTP/1.x', bytes: 'GET / HTTP/1.x\r\nHost: a\r\n\r\n' },
  { name: 'HTTP/1.10', bytes: 'GET / HTTP/1.10\r\nHost: a\r\n\r\n' },
  { name: 'small letters in the version', bytes: 'GET / http/1.1\r\nHost: a\r\n\r\n' },
  { name: 'blank after the version', bytes: 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n' },
  { name: 'request line ends in LF', bytes: 'GET / HTTP/1.1\nHost: a\r\n\r\n' },
  { name: 'request line ends in CR', bytes: 'GET / HTTP/1.1\rHost: a\r\n\r\n' },
  { name: 'LF before the request line', bytes: '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'CR before the request line', bytes: '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'target without slash', bytes: 'GET health HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'asterisk for GET', bytes: 'GET * HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'fragment in the target', bytes: 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'byte above ASCII in the target', bytes: 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'NUL in the target', bytes: 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'ftp URI', bytes: 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'URI without authority', bytes: 'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'TLS handshake', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
  // Header lines.
  { name: 'header line ends in LF', bytes: post('X: 1\nY: 2\r\n') },
  { name: 'head ends in LF', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\n' },
  { name: 'head ends in CR', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\rx' },
  { name: 'blank before the colon', bytes: post('Content-Length : 2\r\n', 'ok') },
  { name: 'tab before the colon', bytes: post('Content-Length\t: 2\r\n', 'ok') },
  { name: 'folded header line', bytes: post('X: 1\r\n  2\r\n') },
  { name: 'first header line folded', bytes: 'GET / HTTP/1.1\r\n Host: a\r\n\r\n' },
  { name: 'header without a name', bytes: post(': 1\r\n') },
  { name: 'header without a colon', bytes: post('Nonsense\r\n') },
  { name: 'NUL in a header name', bytes: post('X\0: 1\r\n') },
  { name: 'NUL in a header value', bytes: post('X: \0\r\n') },
  { name: 'CR in a header value', bytes: post('X: a\rb\r\n') },
  { name: 'DEL in a header value', bytes: post('X: \x7f\r\n') },
  { name: 'byte above ASCII in a header name', bytes: post('X\xe9: 1\r\n') },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'two Hosts', bytes: 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n' },
  { name: 'two content types', bytes: post('Content-Type: text/plain\r\ncontent-type: text/plain\r\n') },
  { name: 'two authorizations', bytes: post('Authorization: Bearer a\r\nAuthorization: Bearer b\r\n') },
  // Lengths.
  { name: 'both lengths', bytes: post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n') },
  { name: 'both lengths, the other way round', bytes: post(`${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n') },
  { name: 'two lengths', bytes: post('Content-Length: 2\r\nContent-Length: 3\r\n', 'ok!') },
  { name: 'the same length twice', bytes: post('Content-Length: 2\r\ncontent-length: 2\r\n', 'ok') },
  { name: 'list of lengths', bytes: post('Content-Length: 2, 2\r\n', 'ok') },
  { name: 'empty length', bytes: post('Content-Length: \r\n') },
  { name: 'signed length', bytes: post('Content-Length: +2\r\n', 'ok') },
  { name: 'negative length', bytes: post('Content-Length: -1\r\n') },
  { name: 'hexadecimal length', bytes: post('Content-Length: 0x2\r\n', 'ok') },
  { name: 'length with a blank inside', bytes: post('Content-Length: 1 0\r\n', '0123456789') },
  { name: 'length with a fraction', bytes: post('Content-Length: 2.0\r\n', 'ok') },
  { name: 'length over the limit', bytes: post('Content-Length: 1001\r\n'), status: 413 },
  { name: 'length beyond 2^64', bytes: post('Content-Length: 18446744073709551618\r\n', 'ok'), status: 413 },
  { name: 'length of 400 digits', bytes: post(`Content-Length: ${'9'.repeat(400)}\r\n`), status: 413 },
  // Transfer codings.
  { name: 'coding twice', bytes: post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n') },
  { name: 'list of codings', bytes: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n') },
  { name: 'chunked twice in one list', bytes: post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n') },
  { name: 'identity', bytes: post('Transfer-Encoding: identity\r\n') },
  { name: 'empty coding', bytes: post('Transfer-Encoding: \r\n') },
  { name: 'vertical tab before the coding', bytes: post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n') },
  { name: 'coding with a parameter', bytes: post('Transfer-Encoding: chunked;x=1\r\n', '0\r\n\r\n') },
  { name: 'chunked in HTTP/1.0', bytes: `POST / HTTP/1.0\r\nHost: a\r\n${CHUNKED}\r\n0\r\n\r\n` },
  // Chunks.
  { name: 'chunk without size', bytes: post(CHUNKED, '\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size with a sign', bytes: post(CHUNKED, '+2\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size with 0x', bytes: post(CHUNKED, '0x2\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size with a blank before', bytes: post(CHUNKED, ' 2\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size with a blank behind', bytes: post(CHUNKED, '2 \r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size with a letter beyond f', bytes: post(CHUNKED, '2g\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size of too many digits', bytes: post(CHUNKED, '0000000000000002\r\nok\r\n0\r\n\r\n') },
  { name: 'chunk size that wraps 32 bits', bytes: post(CHUNKED, '100000002\r\nok\r\n0\r\n\r\n'), status: 413 },
  { name: 'chunk size ends in LF', bytes: post(CHUNKED, '2\nok\r\n0\r\n\r\n') },
  { name: 'chunk size ends in CR', bytes: post(CHUNKED, '2\rok\r\n0\r\n\r\n') },
  { name: 'LF inside a chunk extension', bytes: post(CHUNKED, '2;a\nok\r\n0\r\n\r\n') },
  { name: 'chunk longer than its size', bytes: post(CHUNKED, '2\r\nokay\r\n0\r\n\r\n') },
  { name: 'chunk ends in LF', bytes: post(CHUNKED, '2\r\nok\n0\r\n\r\n') },
  { name: 'chunk ends in CR', bytes: post(CHUNKED, '2\r\nok\r0\r\n\r\n') },
  { name: 'trailer without a colon', bytes: post(CHUNKED, '0\r\nnonsense\r\n\r\n') },
  { name: 'trailer with a blank before the colon', bytes: post(CHUNKED, '0\r\na : b\r\n\r\n') },
  { name: 'trailers end in LF', bytes: post(CHUNKED, '0\r\n\n') },
  {
    name: 'chunks over the limit together',
    bytes: post(CHUNKED, `${'1f4\r\n'.padEnd(505, 'x')}\r\n1f5\r\n`),
    status: 413,
  },
  // Sizes.
  { name: 'target over 16 KiB', bytes: `GET /${FILLER}`, status: 431 },
  { name: 'header over 16 KiB', bytes: post(`X: ${FILLER}`), status: 431 },
  { name: 'headers over 16 KiB together', bytes: post('X: 34567890\r\n'.repeat(1300)), status: 431 },
  { name: 'trailers over 16 KiB', bytes: post(CHUNKED, `0\r\n${'X: 34567890\r\n'.repeat(1300)}`), status: 431 },
  { name: 'chunk extension over 16 KiB', bytes: post(CHUNKED, `2;${FILLER}`), status: 431 },
  { name: 'empty lines without end', bytes: '\r\n'.repeat(8200), status: 431 },
];

const CODES: Record<number, string> = { 400: 'invalid_request', 413: 'limit_exceeded', 431: 'limit_exceeded' };
const REASONS: Record<number, string> = {
  400: 'Bad Request',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

function checkRefusal(text: string, hostile: Hostile): void {
  const status = hostile.status ?? 400;
  const [head, body, ...others] = text.split('\r\n\r\n');
  assert.ok(head!.startsWith(`HTTP/1.1 ${status} ${REASONS[status]}\r\n`), `${hostile.name}: ${text}`);
  assert.ok(head!.includes('\r\nConnection: close'), hostile.name);
  assert.ok(head!.includes('\r\nContent-Type: application/json\r\n'), hostile.name);
  assert.ok(head!.includes(`\r\nContent-Length: ${body!.length}\r\n`), hostile.name);
  const error = JSON.parse(body!) as { msg: string; code: string };
  assert.equal(error.code, CODES[status], hostile.name);
  assert.deepEqual(others, [], `${hostile.name}: nothing follows`);
}

test('hostile requests are refused after the reply to the good one before, and nothing behind is served', async () => {
  await using server = await TestServer.start(undefined, { receiveLimitBytes: 1000 });
  for (const hostile of HOSTILE) {
    const client = await RawClient.connect(server);
    client.socket.write(Buffer.from(GOOD + hostile.bytes + GOOD, 'latin1'));
    const text = await client.ended();
    assert.ok(text.startsWith(GOOD_REPLY), `${hostile.name}: ${text}`);
    checkRefusal(text.slice(GOOD_REPLY.length), hostile);
  }
});

test('hostile requests are refused alike when they arrive byte by byte', async () => {
  await using server = await TestServer.start(undefined, { receiveLimitBytes: 1000 });
  for (const hostile of HOSTILE) {
    // The long ones would take 16,000 turns each: split them into pieces of a prime length.
    const step = hostile.bytes.length > 1000 ? 1009 : 1;
    const client = await RawClient.connect(server);
    for (let index = 0; index < hostile.bytes.length && !client.hasEnded; index += step) {
      await client.send(hostile.bytes.slice(index, index + step));
    }
    // The refusal must not need another byte.
    checkRefusal(await client.ended(), hostile);
  }
});

test('heads of exactly 16 KiB and bodies of exactly the limit are served', async () => {
  await using server = await TestServer.start((request, reply) => reply.send(200, `${request.body.length}`), {
    receiveLimitBytes: 1000,
  });
  const client = await RawClient.connect(server);
  const start = post('Content-Length: 1000\r\nX: ').slice(0, -2);
  const head = `${start}${'x'.repeat(16_384 - start.length - 4)}\r\n\r\n`;
  assert.equal(head.length, 16_384);
  await client.send(`${head}${'y'.repeat(1000)}`);
  await client.expect(replyText(200, '1000'));
  await client.send(post(CHUNKED, `3e8\r\n${'z'.repeat(1000)}\r\n0\r\n\r\n`));
  await client.expect(replyText(200, '1000').repeat(2));
});

test('limit_recv changes at run time', async () => {
  await using server = await TestServer.start((request, reply) => reply.send(200, `${request.body.length}`));
  const client = await RawClient.connect(server);
  await client.send(post('Content-Length: 1048576\r\n', 'y'.repeat(1_048_576)));
  await client.expect(replyText(200, '1048576'));
  server.http.receiveLimitBytes = 10;
  await client.send(post('Content-Length: 11\r\n'));
  const text = (await client.ended()).slice(replyText(200, '1048576').length);
  assert.match(text, /^HTTP\/1\.1 413 Content Too Large\r\n/);
  assert.match(text, /\{"msg": "request body is larger than limit_recv \(10 bytes\)", "code": "limit_exceeded"\}$/);
});

test('a client that goes on sending a refused body gets the reply, and is cut off after a while', async () => {
  await using server = await TestServer.start();
  const client = await RawClient.connect(server);
  await client.send(post('Content-Length: 100000000\r\n', 'y'.repeat(100_000)));
  assert.match(await client.ended(), /^HTTP\/1\.1 413 /);
  assert.equal(server.http.connectionCount, 1);
});

/** A small generator with a seed (mulberry32), so that a failure can be run again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SEEDS = [
  GOOD,
  post(CHUNKED, '3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n'),
  'POST /a?b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx',
];
const ALPHABET = '\r\n\0\t :;,/0159afxZ%"\x7f\xff';

test('mutated requests: one piece or any cut, the answer is the same', async () => {
  await using server = await TestServer.start(undefined, { receiveLimitBytes: 1000 });
  for (let seed = 1; seed <= 400; seed++) {
    const random = randomFrom(seed);
    const characters = [...SEEDS[random(SEEDS.length)]!, ...SEEDS[random(SEEDS.length)]!];
    for (let mutationCount = 1 + random(3); mutationCount > 0; mutationCount--) {
      const at = random(characters.length);
      const character = ALPHABET[random(ALPHABET.length)]!;
      characters.splice(at, random(2), ...(random(3) === 0 ? [] : [character]));
    }
    const bytes = characters.join('');
    const whole = await RawClient.connect(server);
    whole.socket.end(Buffer.from(bytes, 'latin1'));
    const cut = await RawClient.connect(server);
    for (let index = 0; index < bytes.length && !cut.hasEnded; ) {
      const pieceBytes = 1 + random(12);
      await cut.send(bytes.slice(index, index + pieceBytes));
      index += pieceBytes;
    }
    cut.socket.end();
    assert.equal(await cut.ended(), await whole.ended(), `seed ${seed}: ${JSON.stringify(bytes)}`);
  }
});
