/** Every example of the reference of functions gives what stands there. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { open } from '../../src/embed/index.ts';
import { functionEntries } from '../../src/functions/reference.ts';

const database = await open({ timezone: 'UTC', backends: 2 });
after(() => database.close());

for (const { name, family, examples } of functionEntries()) {
  test(`${family}: ${name}`, async () => {
    for (const [sql, result] of examples) {
      const isQuery = /^select\b/i.test(sql);
      const { body, status } = await database.execute(isQuery ? sql : `select ${sql}`);
      const shown = status < 300 ? body.slice(1, -1) : `error: ${(JSON.parse(body) as { msg: string }).msg}`;
      assert.equal(shown, result, sql);
    }
  });
}
