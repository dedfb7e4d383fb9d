/** The SQL test files on the engine in one thread. */

import { after } from 'node:test';
import { open } from '../../src/embed/index.ts';
import { runFiles } from './run.ts';

const db = await open({ backends: 3, timezone: 'UTC' });
after(() => db.close());

runFiles((sql) => db.execute(sql));
