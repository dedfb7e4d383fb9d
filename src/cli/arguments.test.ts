import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Arguments, booleanOption, integerOption, readArguments, textOption, UsageError } from './arguments.ts';

function read(...args: string[]): Arguments {
  return readArguments(args, { daemon: 'boolean', time: 'integer', type: 'text' });
}

test('a boolean option without a value is true, and takes no argument away', () => {
  const given = read('--daemon', './data');
  assert.deepEqual(given.positionals, ['./data']);
  assert.equal(booleanOption(given, 'daemon', false), true);
  assert.equal(booleanOption(read('./data', '--daemon=false'), 'daemon', true), false);
  assert.equal(booleanOption(read('./data'), 'daemon', false), false);
});

test('other options take their value after = or as the next argument', () => {
  assert.equal(integerOption(read('--time=5'), 'time', 10, 1, 60), 5);
  assert.equal(integerOption(read('--time', '5'), 'time', 10, 1, 60), 5);
  assert.equal(integerOption(read(), 'time', 10, 1, 60), 10);
  assert.equal(textOption(read('--type=a=b'), 'type'), 'a=b');
  assert.equal(textOption(read('--type='), 'type'), '');
  assert.deepEqual(read('--', '--type=x').positionals, ['--type=x']);
});

test('--json brings several options in one piece', () => {
  const given = read('./data', '--json={"time": 7, "daemon": true, "type": "tpcb"}');
  assert.equal(integerOption(given, 'time', 1, 1, 60), 7);
  assert.equal(booleanOption(given, 'daemon', false), true);
  assert.equal(textOption(given, 'type'), 'tpcb');
});

test('what makes no sense is refused with the name of the option', () => {
  const table: readonly [() => unknown, RegExp][] = [
    [() => read('--color=red'), /unknown option --color/],
    [() => read('--toString=1'), /unknown option --toString/],
    [() => read('-d'), /unknown option -d/],
    [() => read('--time=1', '--time=2'), /--time is given twice/],
    [() => read('--time=1', '--json={"time": 2}'), /--time is given twice/],
    [() => read('--type'), /--type needs a value/],
    [() => read('--json={'), /--json/],
    [() => read('--json=[]'), /--json.*object/],
    [() => integerOption(read('--time=1e1'), 'time', 1, 1, 60), /--time.*from 1 to 60.*"1e1"/],
    [() => integerOption(read('--time=61'), 'time', 1, 1, 60), /--time.*61/],
    [() => integerOption(read('--json={"time": "5"}'), 'time', 1, 1, 60), /--time.*"5"/],
    [() => booleanOption(read('--daemon=yes'), 'daemon', false), /--daemon.*true or false.*"yes"/],
    [() => textOption(read('--json={"type": 5}'), 'type'), /--type.*text/],
  ];
  for (const [run, message] of table) {
    assert.throws(run, (error) => error instanceof UsageError && message.test(error.message), String(message));
  }
});
