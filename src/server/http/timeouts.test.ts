import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Timed, TimerWheel } from './timeouts.ts';

class Owner implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  wheelTick = -1;
  expiredAtMs: number[] = [];
}

function wheelAt(startMs: number): { wheel: TimerWheel<Owner>; advance: (toMs: number) => void } {
  let nowMs = startMs;
  const wheel = new TimerWheel<Owner>(nowMs, (owner) => owner.expiredAtMs.push(nowMs));
  const advance = (toMs: number): void => {
    while (nowMs < toMs) {
      nowMs = Math.min(toMs, nowMs + 500);
      wheel.advance(nowMs);
    }
  };
  return { wheel, advance };
}

test('a deadline expires once, never early, at most two ticks late', () => {
  for (const deadlineMs of [1000, 1001, 1250, 1499, 1500, 11_000, 40_000, 61_000]) {
    const { wheel, advance } = wheelAt(1000);
    const owner = new Owner();
    wheel.arm(owner, deadlineMs);
    advance(100_000);
    assert.equal(owner.expiredAtMs.length, 1);
    const lateMs = owner.expiredAtMs[0]! - deadlineMs;
    assert.ok(lateMs >= 0 && lateMs <= 1000, `${deadlineMs} expired ${lateMs} ms later`);
  }
});

test('deadlines move to later and to earlier, and are taken away', () => {
  const { wheel, advance } = wheelAt(0);
  const [later, earlier, disarmed, removed] = [new Owner(), new Owner(), new Owner(), new Owner()];
  for (const owner of [later, earlier, disarmed, removed]) wheel.arm(owner, 10_000);
  wheel.arm(later, 30_000);
  wheel.arm(earlier, 2_000);
  wheel.disarm(disarmed);
  wheel.remove(removed);
  advance(9_000);
  assert.equal(earlier.expiredAtMs.length, 1);
  advance(29_900);
  assert.equal(later.expiredAtMs.length, 0);
  advance(60_000);
  assert.equal(later.expiredAtMs.length, 1);
  assert.deepEqual([disarmed.expiredAtMs, removed.expiredAtMs], [[], []]);
});

test('one disarmed and armed again in its old bucket expires at the new deadline', () => {
  const { wheel, advance } = wheelAt(0);
  const owner = new Owner();
  wheel.arm(owner, 10_000);
  wheel.disarm(owner);
  advance(5_000);
  wheel.arm(owner, 15_000);
  advance(14_999);
  assert.equal(owner.expiredAtMs.length, 0);
  advance(16_500);
  assert.equal(owner.expiredAtMs.length, 1);
});

test('a process that stood still for an hour sees every deadline at once', () => {
  let expiredCount = 0;
  const wheel = new TimerWheel<Owner>(0, () => expiredCount++);
  for (let deadlineMs = 100; deadlineMs < 60_000; deadlineMs += 700) wheel.arm(new Owner(), deadlineMs);
  const ownerCount = Math.ceil((60_000 - 100) / 700);
  wheel.advance(3_600_000);
  assert.equal(expiredCount, ownerCount);
});
