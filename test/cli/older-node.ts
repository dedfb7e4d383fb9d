/** What a user's machine may have instead of Node 26. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The PATH without the folders of node_modules, which npm puts in front for a script. */
export function pathOutsideOfPackages(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(delimiter);
}

/** A `node` of the PATH that is older than 26, undefined where there is none. */
export function findOlderNode(): string | undefined {
  for (const folder of pathOutsideOfPackages().split(delimiter)) {
    const binary = join(folder, 'node');
    if (!existsSync(binary)) continue;
    const version = execFileSync(binary, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    if (Number.parseInt(version, 10) < 26) return binary;
  }
  return undefined;
}
