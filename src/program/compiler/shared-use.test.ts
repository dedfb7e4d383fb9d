/** Programs over shared tables: who runs them, and what other nodes jump over. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodeRow } from '../opcodes.ts';
import type { Program } from '../program.ts';
import { catalogOf, compileText } from './testing.ts';

const catalog = catalogOf(
  [
    'create shared table s (id int primary key, k int)',
    'create unlogged shared table s2 (id int primary key, k int)',
    'create table t (id int primary key, k int)',
  ],
  5,
);

/** `name a b c` of each instruction of those names. */
function instructions(program: Program, section: 'coordinator' | 'node', wanted: readonly string[]): string[] {
  const { code } = program[section];
  const found: string[] = [];
  for (let at = 0; at < code.length; at += 4) {
    const { name } = opcodeRow(code[at]!)!;
    if (wanted.includes(name)) found.push(`${at / 4} ${[name, ...code.slice(at + 1, at + 4)].join(' ')}`);
  }
  return found;
}

function useOf(text: string): string {
  return compileText(text, catalog).sharedUse;
}

test('the use of shared tables is that of the request as a whole', () => {
  assert.equal(useOf('select * from t'), 'none');
  assert.equal(useOf('update t set k = 1'), 'none');
  assert.equal(useOf('select 1'), 'none');
  assert.equal(useOf('select * from s'), 'reads');
  assert.equal(useOf('select * from s where id = 1; update t set k = 1; select 1'), 'reads');
  assert.equal(useOf('update s set k = 1 where id = 1'), 'writes');
  assert.equal(useOf('insert into s values (1, 1) on conflict do nothing'), 'writes');
  assert.equal(useOf('delete from s2; select * from s; select 1'), 'writes');
  assert.equal(useOf('update s set k = 1; update t set k = 1'), 'mixed');
  assert.equal(useOf('select 1; select * from t; delete from s'), 'mixed');
  assert.equal(useOf('begin; insert into t values (1, 1); insert into s values (1, 1); commit'), 'mixed');
});

test('the last of the head decides who takes part; other nodes jump over the reads of shared tables', () => {
  const routes = ['route_all', 'route_point', 'route_reader', 'route_fence', 'send'];
  const mixed = compileText('select * from s; delete from t; select k from s2 where id = 3; select k from t', catalog);
  const routed = instructions(mixed, 'coordinator', routes);
  const names = routed.map((line) => line.split(' ')[1]);
  assert.deepEqual(names, ['route_all', 'route_all', 'route_point', 'route_all', 'route_reader', 'send']);
  const [at, , parameter, nodeCount] = routed[4]!.split(' ');
  assert.equal(nodeCount, '5');
  assert.equal(routed[5]!.split(' ')[0], String(Number(at) + 1));
  const marks = instructions(mixed, 'node', ['statement', 'jmp_unless_node']).map((line) => line.split(' '));
  assert.deepEqual(
    marks.map(([, each]) => each),
    ['statement', 'jmp_unless_node', 'statement', 'statement', 'jmp_unless_node', 'statement'],
  );
  const placeOf = (statement: number): string =>
    marks.find(([, each, ordinal]) => each === 'statement' && ordinal === String(statement))![0]!;
  for (const [mark, next] of [
    [marks[1]!, placeOf(1)],
    [marks[4]!, placeOf(3)],
  ] as const)
    assert.deepEqual(mark.slice(2, 4), [parameter, next]);

  const fence = compileText('select * from s; delete from s2', catalog);
  assert.equal(
    instructions(fence, 'coordinator', ['route_fence', 'route_reader']).join().slice(2),
    'route_fence 5 0 0',
  );
  assert.deepEqual(instructions(fence, 'node', ['jmp_unless_node']), []);
});

/** What the node section does of steps and of jumps over statements, with the ordinal of the statement or round. */
function outline(text: string): string[] {
  const program = compileText(text, catalog);
  const found = instructions(program, 'node', [
    'statement',
    'round',
    'jmp_unless_owner',
    'jmp_unless_node',
    'moved_open',
  ]);
  return found.map((line) => {
    const [, name, a, b] = line.split(' ');
    if (name === 'moved_open') return `${name} ${b}`;
    if (name !== 'jmp_unless_owner') return `${name} ${a}`;
    const target = found.find((each) => Number(each.split(' ')[0]) >= Number(a));
    return `others to ${target === undefined ? 'the end' : target.split(' ').slice(1, 3).join(' ')}`;
  });
}

test('where they are mixed, all come to a round before the first change of a shared table, and its owner goes on', () => {
  assert.deepEqual(outline('select * from s; delete from t; delete from s; update t set k = 1; select * from s'), [
    'statement 0',
    'others to statement 1',
    'statement 1',
    'round 0',
    'statement 2',
    'others to statement 3',
    'statement 3',
    'statement 4',
    'others to the end',
  ]);
  // A round of another kind does as well; and the others come to that of a shared table.
  assert.deepEqual(outline('update t set id = id + 1; update s set id = id + 1; select * from t'), [
    'statement 0',
    'round 0',
    'moved_open 0',
    'statement 1',
    'others to round 1',
    'round 1',
    'others to statement 2',
    'moved_open 1',
    'statement 2',
  ]);
  assert.deepEqual(outline('update s set id = id + 1; select * from t'), [
    'round 0',
    'statement 0',
    'others to round 1',
    'round 1',
    'others to statement 1',
    'moved_open 1',
    'statement 1',
  ]);
  const { rounds } = compileText('update s set id = id + 1; select * from t', catalog);
  assert.deepEqual(rounds, [{ kind: 'stand' }, { kind: 'move', table: 0 }]);
  const mixed = compileText('delete from s where id = 3; delete from t where id = 4', catalog);
  assert.deepEqual(
    instructions(mixed, 'coordinator', ['route_fence', 'route_reader']).map((line) => line.replace(/^\d+ /, '')),
    ['route_fence 5 0 0'],
  );
});
