import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemplate, RequestWriter } from './request-template.ts';

function split(request: Buffer): { head: string; length: number; body: string } {
  const text = request.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return { head, length: Number(/Content-Length: *(\d+)$/.exec(head)![1]), body: text.slice(end + 4) };
}

test('a request has the numbers in their places and the length of its body', () => {
  const template = makeTemplate('/', 'text/plain', 'select {a} + {b} - {a}', {
    a: { low: 7, high: 7 },
    b: { low: -12_345, high: -12_345 },
  });
  const { head, length, body } = split(new RequestWriter(template, 'somewhere:1', 1).next());
  assert.equal(body, 'select 7 + -12345 - 7');
  assert.equal(length, body.length);
  assert.match(head, /^POST \/ HTTP\/1\.1\r\nHost: somewhere:1\r\nContent-Type: text\/plain\r\nContent-Length: /);
});

test('numbers of any width, the extremes of 32 bits included', () => {
  for (const value of [0, 9, 10, 99, 100, 2_147_483_647, -1, -10, -2_147_483_648]) {
    const template = makeTemplate('/', 'text/plain', '{v}', { v: { low: value, high: value } });
    const { length, body } = split(new RequestWriter(template, 'h', 1).next());
    assert.equal(body, String(value));
    assert.equal(length, body.length);
  }
});

test('an empty body has length 0', () => {
  const { length, body } = split(new RequestWriter(makeTemplate('/', 'text/plain', '', {}), 'h', 1).next());
  assert.deepEqual([length, body], [0, '']);
});

test('random numbers cover their range evenly', () => {
  const template = makeTemplate('/', 'text/plain', '{v}', { v: { low: -2, high: 2 } });
  const writer = new RequestWriter(template, 'h', 42);
  const counts = new Map<string, number>();
  for (let round = 0; round < 50_000; round++) {
    const { body } = split(writer.next());
    counts.set(body, (counts.get(body) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ['-1', '-2', '0', '1', '2']);
  for (const count of counts.values()) assert.ok(Math.abs(count - 10_000) < 500);
});

test('writers of different seeds differ, of the same seed agree', () => {
  const template = makeTemplate('/', 'text/plain', '{v}', { v: { low: 0, high: 1_000_000 } });
  const first = (seed: number): string => split(new RequestWriter(template, 'h', seed).next()).body;
  assert.equal(first(5), first(5));
  assert.notEqual(first(5), first(6));
});

test('an unknown variable is an error', () => {
  assert.throws(() => makeTemplate('/', 'text/plain', 'select {x}', {}), /no variable 'x'/);
});
