import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jsonLine, RepositoryLog, textLine } from './log.ts';

const root = mkdtempSync(join(tmpdir(), 'amelie-log-'));
after(() => rmSync(root, { recursive: true }));

test('the file has one JSON object a line, whatever the fields hold', () => {
  const settings = { log_enable: true, log_to_file: true, log_to_stdout: false };
  const log = new RepositoryLog(root, settings, () => new Date(Date.UTC(2031, 6, 4, 9, 8, 7, 60)));
  log.info('recovered', { file: 'a\nb "c"', records: 12, isTorn: false });
  log.error('write failed');
  settings.log_enable = false;
  log.info('unseen');
  settings.log_enable = true;
  settings.log_to_file = false;
  log.info('unseen too');
  log.close();
  const lines = readFileSync(join(root, 'log'), 'utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        time: '2031-07-04T09:08:07.060Z',
        level: 'info',
        message: 'recovered',
        file: 'a\nb "c"',
        records: 12,
        isTorn: false,
      },
      { time: '2031-07-04T09:08:07.060Z', level: 'error', message: 'write failed' },
    ],
  );
  assert.equal(statSync(join(root, 'log')).mode & 0o777, 0o600);
});

test('fields do not replace time, level and message', () => {
  const line = JSON.parse(jsonLine('T', 'warn', 'm', { level: 'info', message: 'other', extra: 1 }));
  assert.deepEqual(line, { time: 'T', level: 'warn', message: 'm', extra: 1 });
});

test('people get a short line, with control characters made harmless', () => {
  const time = '2031-07-04T09:08:07.060Z';
  assert.equal(
    textLine(time, 'info', 'listening', { address: 'http://[::]:3485' }),
    '09:08:07.060 listening address=http://[::]:3485\n',
  );
  assert.equal(
    textLine(time, 'warn', 'torn record', { file: '\u001b[2J x' }),
    '09:08:07.060 WARN torn record file="\\u001b[2J x"\n',
  );
});
