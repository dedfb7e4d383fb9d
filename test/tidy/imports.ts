/** Who imports whom: read from the sources with regular expressions, which is enough for our own formatted code. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Import = {
  /** Path from the repository's root, with forward slashes. */
  readonly from: string;
  /** The same for files of ours; a package or `node:` name as it stands there for others. */
  readonly to: string;
  readonly isOurs: boolean;
  /** Only types: gone at run time. */
  readonly isType: boolean;
};

/** The repository's root. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** Every TypeScript file below `folder`, as paths from the root. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

/** The source of a file, given from the root. */
export function sourceOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

// `import … from 'x'`, `import 'x'`, `export … from 'x'`: statements at the start of a line.
const STATEMENT = /^(?:import|export)\s(type\s)?(?:[^'";=()]*?\sfrom\s)?'([^']+)'/gm;
// `import('x')`, also as a type, and files that are loaded as threads: `workerEntry(import.meta.url, './x')`.
const CALL = /(typeof\s+)?\bimport\('([^']+)'\)/g;

/** The imports of one file, threads that it starts not included. */
export function importsOf(file: string): Import[] {
  const source = sourceOf(file);
  const found: Import[] = [];
  for (const pattern of [STATEMENT, CALL]) {
    for (const [, type, to] of source.matchAll(pattern)) {
      const isOurs = to!.startsWith('.');
      const path = isOurs ? relative(ROOT, resolve(ROOT, dirname(file), to!)) : to!;
      found.push({ from: file, to: path, isOurs, isType: type !== undefined });
    }
  }
  return found;
}

/** Everything that is loaded with `entry` at run time, each with the chain of files that leads there. */
export function loadedWith(entry: string): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>([[entry, [entry]]]);
  for (const [file, chain] of chains) {
    for (const { to, isOurs, isType } of importsOf(file)) {
      if (isOurs && !isType && !chains.has(to)) chains.set(to, [...chain, to]);
    }
  }
  return chains;
}
