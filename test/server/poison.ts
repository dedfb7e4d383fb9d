/**
 * Loaded into every thread of a server by NODE_OPTIONS: the thread named in AMELIE_TEST_POISONED ("backend 1") dies of an
 * error as soon as it reads a catalog with a table called `poison`.
 */

import { threadName } from 'node:worker_threads';

if (threadName === process.env.AMELIE_TEST_POISONED) {
  const { parse } = JSON;
  JSON.parse = (text: string, ...rest: []): unknown => {
    if (text.includes('"poison"')) throw new Error(`poisoned ${threadName}`);
    return parse(text, ...rest) as unknown;
  };
}
