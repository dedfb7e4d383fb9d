/**
 * What npm runs around `npm pack`.
 *
 *   prepare  (prepack)         builds dist/, and takes the platform packages out of package.json
 *   restore  (postpack)        puts package.json back
 *   refuse   (prepublishOnly)  npm publish of this folder
 *
 * The repository needs the platform packages, because they bring the Node that it runs on. The package must not have them:
 * their command is called `node`, and would change the Node of its users' own scripts.
 *
 * Publishing goes by the packed file (`npm pack`, then `npm publish amelie-….tgz`): for a folder, npm reads the manifest
 * that it registers again after postpack, with the platform packages in it.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { build } from './build.ts';

const manifest = new URL('../package.json', import.meta.url);
const original = new URL('../.package.json.original', import.meta.url);

function prepare(): void {
  restore(); // a pack that was interrupted
  build();
  const text = readFileSync(manifest, 'utf8');
  const { optionalDependencies, ...content } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  const others = Object.entries(optionalDependencies).filter(([name]) => !name.startsWith('node-'));
  const packed = others.length === 0 ? content : { ...content, optionalDependencies: Object.fromEntries(others) };
  writeFileSync(original, text);
  writeFileSync(manifest, `${JSON.stringify(packed, null, 2)}\n`);
}

function restore(): void {
  if (existsSync(original)) renameSync(original, manifest);
}

const [action] = process.argv.slice(2);
if (action === 'prepare') prepare();
else if (action === 'restore') restore();
else {
  process.stderr.write('Publish the packed file: npm pack && npm publish amelie-<version>.tgz\n');
  process.exitCode = 1;
}
