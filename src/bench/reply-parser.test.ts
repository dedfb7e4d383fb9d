import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyParser } from './reply-parser.ts';

const REPLIES: readonly { text: string; status: number; message: string }[] = [
  { text: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, message: '' },
  { text: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', status: 200, message: '' },
  { text: 'HTTP/1.1 200 OK\r\nX: y\r\ncONTENT-lENGTH:  3\r\nContent-Type: a\r\n\r\n[1]', status: 200, message: '' },
  {
    text: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\n{"msg": "nah"}',
    status: 400,
    message: '{"msg": "nah"}',
  },
];

for (const { text, status, message } of REPLIES) {
  test(`reply split at every byte: ${JSON.stringify(text)}`, () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new ReplyParser();
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((piece) => piece.length > 0);
      const completed = pieces.map((piece) => parser.feed(piece, piece.length));
      assert.deepEqual(completed, pieces.length === 1 ? [true] : [false, true]);
      assert.equal(parser.status, status);
      assert.equal(parser.message, message);
    }
  });
}

test('one reply after another, byte by byte', () => {
  const parser = new ReplyParser();
  let completeCount = 0;
  for (const byte of Buffer.from(REPLIES.map((reply) => reply.text).join(''))) {
    if (parser.feed(Uint8Array.of(byte), 1)) completeCount++;
  }
  assert.equal(completeCount, REPLIES.length);
});

test('a failure that follows a failure has its own message', () => {
  const parser = new ReplyParser();
  for (const content of ['first', 'other']) {
    const bytes = Buffer.from(`HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\n${content}`);
    assert.equal(parser.feed(bytes, bytes.length), true);
    assert.equal(parser.message, content);
  }
});

for (const [text, message] of [
  ['HTTP/1.1 200 OK\r\n\r\n', /without Content-Length/],
  ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', /no number/],
  ['HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n', /empty Content-Length/],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab', /more than the reply/],
  ['hello there\r\n\r\n', /not HTTP/],
] as const) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    const bytes = Buffer.from(text);
    assert.throws(() => new ReplyParser().feed(bytes, bytes.length), message);
  });
}
