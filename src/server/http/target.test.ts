import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { parseTarget } from './target.ts';

test('targets', () => {
  const cases: [string, string[], Record<string, string>][] = [
    ['/', [], {}],
    ['/?', [], {}],
    ['/health', ['health'], {}],
    ['/main/flights?columns=a,b&header=true', ['main', 'flights'], { columns: 'a,b', header: 'true' }],
    ['/__bench/test?columns=', ['__bench', 'test'], { columns: '' }],
    ['/a%20b/%C3%A9%2Ff?columns=x%2Cy+z&&flag', ['a b', 'é/f'], { columns: 'x,y z', flag: '' }],
    ['/a+b?n%3Dm=1=2', ['a+b'], { 'n=m': '1=2' }],
  ];
  for (const [target, segments, parameters] of cases) {
    const parsed = parseTarget(target);
    assert.deepEqual(parsed.segments, segments, target);
    assert.deepEqual(Object.fromEntries(parsed.parameters), parameters, target);
  }
});

test('malformed targets', () => {
  for (const target of ['//', '/a/', '/a//b', '/%', '/%4', '/%zz', '/%ff', '/a?b=%e9', '/a?b=1&b=2']) {
    assert.throws(
      () => parseTarget(target),
      (error) => error instanceof SqlError && error.code === 'invalid_request',
      target,
    );
  }
});
