/** PROFILE by the clocks of several threads. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from './database.ts';

test('the times of a profiled request are not negative and no more than its whole; its effects stay', async () => {
  const db = await Database.start();
  await db.text('create table t (id int primary key, v int)');
  await db.text(`insert into t values ${Array.from({ length: 100 }, (_, id) => `(${id}, 0)`).join(',')}`);
  for (let run = 1; run <= 50; run++) {
    const [{ profiler }] = JSON.parse(await db.text('profile update t set v = v + 1')) as [
      { profiler: Record<string, number> & { steps: readonly { rows: number; time_ms: number }[] } },
    ];
    const { time_compile_ms, time_wait_ms, time_run_ms, time_commit_ms, time_ms } = profiler;
    const parts = [time_compile_ms, time_wait_ms, time_run_ms, time_commit_ms] as number[];
    assert.ok(
      parts.every((ms) => ms >= 0 && ms < 60_000),
      JSON.stringify(profiler),
    );
    // Each is rounded to a microsecond.
    assert.ok(parts.reduce((a, b) => a + b) <= time_ms! + 0.01, JSON.stringify(profiler));
    assert.equal(profiler.sent_total, 6);
    assert.equal(profiler.steps[0]!.rows, 100);
    assert.equal(await db.text('select min(v), max(v) from t'), `[[${run}, ${run}]]`);
  }
});
