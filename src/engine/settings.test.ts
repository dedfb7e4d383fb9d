import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import {
  defaultSettings,
  refuseUnsupported,
  SETTINGS,
  type SettingSource,
  settingFromText,
  settingFromValue,
  shownSetting,
  timezoneOf,
} from './settings.ts';
import { intervalMs } from './settings-check.ts';

function refusal(run: () => unknown): SqlError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SqlError, String(error));
    return error;
  }
  assert.fail('nothing was thrown');
}

test('the defaults are those of the manual', () => {
  const values = defaultSettings('/srv/data');
  assert.equal(values.directory, '/srv/data');
  assert.deepEqual(values.listen, [{ host: '*', port: 3485, tls: false, auth: false }]);
  assert.equal(values.limit_send, 3_145_728);
  assert.equal(values.limit_recv, 1_048_576);
  assert.equal(values.limit_write, 0);
  assert.equal(values.wal_rotate_wm, 104_857_600);
  assert.equal(values.checkpoint_interval, '5 min');
  assert.equal(values.repl_reconnect_ms, 3000);
  assert.equal(values.format, 'json-pretty');
  assert.deepEqual([values.wal_sync_on_write, values.wal_sync_on_rotate, values.log_slow_ms], [false, true, 0]);
  assert.ok(values.frontends >= 1 && values.backends >= values.frontends);
  assert.equal(timezoneOf(values), values.timezone_default);
});

test('every setting has a default that passes its own check', () => {
  const values = defaultSettings('/srv/data');
  assert.deepEqual(Object.keys(values).sort(), SETTINGS.map(({ name }) => name).sort());
  for (const { name, change } of SETTINGS) {
    if (change === 'read-only' || name === 'timezone') continue;
    assert.deepEqual(settingFromValue(name, values[name], 'config'), values[name], name);
  }
});

test('every name of the manual may be changed as it says, and no other way', () => {
  const table: readonly [string, string, readonly SettingSource[]][] = [
    ['version', '1.0.0', []],
    ['lsn', '1', []],
    ['read_only', 'true', []],
    ['uuid', '1b4e28ba-2fa1-41d2-883f-0016d3cca427', ['init']],
    ['backends', '4', ['init']],
    ['frontends', '4', ['init', 'start']],
    ['timezone_default', 'Europe/Berlin', ['init', 'start']],
    ['tls_cert', 'certs/server.pem', ['init', 'start']],
    ['limit_recv', '100', ['init', 'start', 'set']],
    ['checkpoint_interval', '10 min', ['init', 'start', 'set']],
  ];
  for (const [name, text, sources] of table) {
    for (const source of ['init', 'start', 'set'] as const) {
      if (sources.includes(source)) settingFromText(name, text, source);
      else
        assert.match(refusal(() => settingFromText(name, text, source)).message, new RegExp(name), `${name} ${source}`);
    }
  }
  assert.deepEqual(refusal(() => settingFromText('limit', '1', 'set')).code, 'unknown_setting');
  assert.match(refusal(() => settingFromText('limit', '1', 'set')).message, /limit/);
});

test('values are read from text', () => {
  assert.equal(settingFromText('limit_send', '5000000', 'start'), 5_000_000);
  assert.equal(settingFromText('wal_sync_on_write', 'true', 'start'), true);
  assert.equal(
    settingFromText('uuid', '1B4E28BA-2FA1-41D2-883F-0016D3CCA427', 'init'),
    '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
  );
  assert.deepEqual(settingFromText('listen', '[{"host": "127.0.0.1"}, {"path": "db.sock"}]', 'start'), [
    { host: '127.0.0.1', port: 3485, tls: false, auth: false },
    { path: 'db.sock', path_mode: '0700', tls: false, auth: false },
  ]);
});

test('a wrong value is refused with the name of its setting', () => {
  const table: readonly [string, string, RegExp][] = [
    ['limit_send', '3 MiB', /limit_send.*whole number.*"3 MiB"/],
    ['limit_send', '0', /limit_send.*from 1/],
    ['limit_send', '-1', /limit_send/],
    ['limit_send', '1.5', /limit_send/],
    ['frontends', '65', /frontends.*from 1 to 64/],
    ['memory_limit', '99999999999999999999', /memory_limit/],
    ['log_enable', 'yes', /log_enable.*true or false/],
    ['format', 'xml', /format.*json-obj-pretty.*"xml"/],
    ['timezone', 'Mars/Olympus', /timezone.*Mars/],
    ['checkpoint_interval', '5', /checkpoint_interval.*5 min/],
    ['uuid', 'abc', /uuid/],
    ['listen', 'localhost', /listen.*JSON array/],
    ['listen', '{}', /listen.*JSON array/],
    ['listen', '[{}]', /listen.*host or path in entry 1.*neither/],
    ['listen', '[{"host": "*"}, {"host": "*", "path": "x"}]', /listen.*entry 2.*both/],
    ['listen', '[{"host": "*", "port": 65536}]', /listen.*port.*65536/],
    ['listen', '[{"host": "*", "prot": 1}]', /listen.*"prot"/],
    ['listen', '[{"path": "x", "path_mode": "9"}]', /listen.*path_mode/],
    ['listen', '[{"host": "*", "tls": "yes"}]', /listen.*tls/],
  ];
  for (const [name, text, message] of table) {
    const error = refusal(() => settingFromText(name, text, 'init'));
    assert.equal(error.code, 'invalid_value');
    assert.match(error.message, message);
  }
  assert.match(refusal(() => settingFromValue('limit_send', '5', 'config')).message, /limit_send.*"5"/);
  assert.match(refusal(() => settingFromValue('log_enable', 1, 'config')).message, /log_enable/);
});

test('intervals are numbers with units', () => {
  assert.equal(intervalMs('5 min'), 300_000);
  assert.equal(intervalMs('1 hour 30 seconds'), 3_630_000);
  assert.equal(intervalMs('250 ms'), 250);
  assert.equal(intervalMs('2 days'), 172_800_000);
  for (const text of ['', '5', 'min', '5 min 3', '-5 min', '5 parsecs'])
    assert.equal(intervalMs(text), undefined, text);
});

test('a time zone that is set comes before the default one', () => {
  const values = { ...defaultSettings('/srv/data'), timezone_default: 'Europe/Berlin' };
  assert.equal(shownSetting(values, 'timezone'), 'Europe/Berlin');
  assert.equal(shownSetting({ ...values, timezone: 'Asia/Tokyo' }, 'timezone'), 'Asia/Tokyo');
});

test('what this version cannot do is refused, not ignored', () => {
  const values = defaultSettings('/srv/data');
  refuseUnsupported(values);
  const listener = { host: '*', port: 1, tls: false, auth: false };
  const refused = [{ listen: [{ ...listener, auth: true }] }, { listen: [{ ...listener, tls: true }] }, { repl: true }];
  for (const change of refused) {
    const error = refusal(() => refuseUnsupported({ ...values, ...change }));
    assert.equal(error.code, 'not_supported');
    assert.match(error.message, /^not supported yet: /);
  }
});
