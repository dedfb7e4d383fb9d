/** Builds dist/, the JavaScript of the package: Node takes no TypeScript below node_modules. */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Empties dist/ and compiles src/ into it; throws where the compiler finds an error. */
export function build(): void {
  rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
  execFileSync('tsc', ['--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
}

if (import.meta.main) build();
