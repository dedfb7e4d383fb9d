/**
 * The version of this program, from package.json: two folders up, in the repository (src/base) as in the package
 * (dist/base).
 */

import { readFileSync } from 'node:fs';

/** `major.minor.patch`. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
