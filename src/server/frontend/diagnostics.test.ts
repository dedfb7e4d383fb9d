import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SimulatedClock } from '../../testing/simulated-clock.ts';
import type { LogLine } from '../log.ts';
import { Diagnostics } from './diagnostics.ts';

function setUp(isLoggingConnections: boolean): { clock: SimulatedClock; lines: LogLine[]; diagnostics: Diagnostics } {
  const clock = new SimulatedClock();
  const lines: LogLine[] = [];
  return { clock, lines, diagnostics: new Diagnostics(3, clock, isLoggingConnections, (line) => lines.push(line)) };
}

test('a connection is told when it comes and when it goes', () => {
  const { clock, lines, diagnostics } = setUp(true);
  const first = { remoteAddress: '::1' };
  const second = { remoteAddress: undefined };
  diagnostics.opened(first);
  diagnostics.opened(second);
  clock.advance(1_500_000);
  diagnostics.closed(first);
  diagnostics.closed(second);
  assert.deepEqual(lines, [
    { level: 'info', message: 'connection opened', fields: { connection: '3.1', client: '::1' } },
    { level: 'info', message: 'connection opened', fields: { connection: '3.2', client: 'unix socket' } },
    { level: 'info', message: 'connection closed', fields: { connection: '3.1', client: '::1', ms: 1500 } },
    { level: 'info', message: 'connection closed', fields: { connection: '3.2', client: 'unix socket', ms: 1500 } },
  ]);
});

test('nothing is told while log_connections is off, nor the end of what came then', () => {
  const { lines, diagnostics } = setUp(false);
  const connection = { remoteAddress: '::1' };
  diagnostics.opened(connection);
  diagnostics.isLoggingConnections = true;
  diagnostics.closed(connection);
  assert.deepEqual(lines, []);
  const told = { remoteAddress: '::1' };
  diagnostics.opened(told);
  diagnostics.isLoggingConnections = false;
  diagnostics.closed(told);
  assert.equal(lines.length, 1);
});

test('at most 100 lines a second of each kind; what was left out is counted in the next', () => {
  const { clock, lines, diagnostics } = setUp(true);
  for (let count = 0; count < 350; count++) diagnostics.opened({ remoteAddress: '::1' });
  assert.equal(lines.length, 100);
  diagnostics.slow({ milliseconds: 12.4, statement: 'select ?', errorCode: 'timeout' });
  assert.deepEqual(lines[100], {
    level: 'warn',
    message: 'slow statement',
    fields: { ms: 12, statement: 'select ?', error: 'timeout' },
  });
  clock.advance(1_000_000);
  diagnostics.opened({ remoteAddress: '::1' });
  diagnostics.opened({ remoteAddress: '::1' });
  assert.deepEqual(
    lines.slice(101).map(({ fields }) => fields!.left_out),
    [250, undefined],
  );
});

test('a long statement is cut', () => {
  const { lines, diagnostics } = setUp(true);
  diagnostics.slow({ milliseconds: 1, statement: 'x'.repeat(5000), errorCode: undefined });
  assert.equal(lines[0]!.fields!.statement, `${'x'.repeat(2000)} …`);
});
