/** Writes the pages of the manual that are made from the program. */

import { writeFileSync } from 'node:fs';
import { functionsPage } from '../src/functions/reference.ts';
import { errorsPage } from './errors-page.ts';

writeFileSync(new URL('../docs/manual/functions.md', import.meta.url), functionsPage());
writeFileSync(new URL('../docs/manual/errors.md', import.meta.url), errorsPage());
