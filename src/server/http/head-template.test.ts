import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpConnection } from './connection.ts';
import { parseHead } from './head.ts';
import { HeadTemplate } from './head-template.ts';
import { HttpRequest } from './request.ts';

const connection = {} as HttpConnection;

/** The fields a handler or the connection goes by. */
function fields(request: HttpRequest): unknown {
  const { method, target, contentType, acceptsJsonLines, authorization, contentLength, isChunked, minorVersion } =
    request;
  return { method, target, contentType, acceptsJsonLines, authorization, contentLength, isChunked, minorVersion };
}

function parse(template: HeadTemplate, text: string, before = ''): { request: HttpRequest; end: number } {
  const request = new HttpRequest(connection);
  const bytes = Buffer.from(before + text, 'latin1');
  return { request, end: parseHead(request, bytes, before.length, bytes.length, template) };
}

const head = (length: string, more = ''): string =>
  `POST /s/t?a=b HTTP/1.1\r\nHost: h\r\nAccept: application/jsonl\r\n${more}Content-Length: ${length}\r\nContent-Type: text/csv\r\n\r\n`;

test('a head that fits gives what parsing gives, with its own length', () => {
  const template = new HeadTemplate();
  parse(template, head('5'));
  for (const length of ['5', '0', '12345', '007', '999999999']) {
    const { request, end } = parse(template, `${head(length)}rest`, 'before');
    const parsed = parse(new HeadTemplate(), head(length));
    assert.deepEqual(fields(request), fields(parsed.request));
    assert.equal(request.headPhase, 2);
    assert.equal(request.refusal, null);
    assert.equal(end, 6 + head(length).length);
  }
});

test('what differs is parsed, and refused where it has to be', () => {
  const template = new HeadTemplate();
  parse(template, head('5'));
  for (const length of ['', '+5', '5x', '0x5', '-1', '5,5', '5 5']) {
    const { request } = parse(template, head(length));
    assert.notEqual(request.refusal, null, length);
  }
  const both = parse(template, head('5', 'Transfer-Encoding: chunked\r\n')).request;
  assert.notEqual(both.refusal, null);
  const twice = parse(template, head('5').replace('Host', 'Content-Length: 6\r\nHost')).request;
  assert.notEqual(twice.refusal, null);
  assert.equal(parse(template, head('1234567890')).request.contentLength, 1234567890);
});

test('a head in pieces is parsed line by line', () => {
  const template = new HeadTemplate();
  parse(template, head('5'));
  const whole = head('7');
  for (let cut = 0; cut < whole.length; cut++) {
    const request = new HttpRequest(connection);
    const bytes = Buffer.from(whole, 'latin1');
    const position = parseHead(request, bytes, 0, cut, template);
    assert.notEqual(request.headPhase, 2, `cut at ${cut}`);
    assert.equal(parseHead(request, bytes, position, bytes.length, template), bytes.length);
    assert.equal(request.contentLength, 7);
    assert.equal(request.target, '/s/t?a=b');
  }
});

test('heads with a token, an option of the connection or an expectation are never compared with', () => {
  for (const more of ['Authorization: Bearer x\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n']) {
    const template = new HeadTemplate();
    parse(template, head('5', more));
    const { request } = parse(template, head('5', more));
    const parsed = parse(new HeadTemplate(), head('5', more)).request;
    assert.deepEqual(fields(request), fields(parsed));
    assert.equal(request.asksClose, parsed.asksClose);
    assert.equal(request.expectsContinue, parsed.expectsContinue);
    assert.equal(
      template.fill(new HttpRequest(connection), Buffer.from(head('5', more)), 0, head('5', more).length),
      -1,
    );
  }
});
