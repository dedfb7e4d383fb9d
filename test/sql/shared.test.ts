/** The SQL test files with all their tables shared: whatever a statement does, it does on them. */

import { basename } from 'node:path';
import { after, test } from 'node:test';
import { open } from '../../src/embed/index.ts';
import { runFile, testFiles } from './run.ts';

const db = await open({ backends: 3, timezone: 'UTC' });
after(() => db.close());

const NOT_SHARED: ReadonlySet<string> = new Set([
  // They show what kind a table is.
  'definitions.sqltest',
  'refused.sqltest',
  'shared.sqltest',
  'system-functions.sqltest',
  'unlogged.sqltest',
  // It has an error in rows that one partition in the order of the key does not come to.
  'constants.sqltest',
]);

for (const path of testFiles()) {
  if (NOT_SHARED.has(basename(path))) continue;
  test(basename(path), () =>
    runFile(path, (sql) => {
      const shared = sql.replace(/^create\s+(unlogged\s+)?(?:distributed\s+)?table/i, 'create $1shared table');
      return db.execute(shared === sql ? sql : shared.replace(/\)\s+partitions \d+/i, ')'));
    }),
  );
}
