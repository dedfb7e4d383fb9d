/** The SQL test files on a real server: frontends, backends and main as threads, requests over HTTP. */

import { query, REPOSITORY_PROGRAM, startServer, temporaryFolder } from '../cli/amelie.ts';
import { runFiles } from './run.ts';

const server = await startServer(
  REPOSITORY_PROGRAM,
  temporaryFolder('sql'),
  '--backends=3',
  '--frontends=2',
  '--format=json-array',
  '--timezone=UTC',
);

runFiles((sql) => query(server.url, sql));
