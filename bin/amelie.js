#!/usr/bin/env node
/**
 * The launcher: plain JavaScript that any Node since 18 can read.
 *
 * Amelie needs Node 26. On an older Node the launcher looks for a platform package, which carries a newer binary
 * (an optional dependency of the repository), and starts that; where there is none it says what is needed and exits 1.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_REQUIRED = 26;

if (majorOf(process.versions.node) >= NODE_MAJOR_REQUIRED) await run();
else startNewerNode();

async function run() {
  const cache = enableCompileCache();
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const isRepository = existsSync(source);
  if (isRepository && cache !== undefined && process.argv[2] === 'start') warmUp(cache);
  const entry = isRepository ? source : new URL('../dist/cli/main.js', import.meta.url);
  const { runCommandLine } = await import(entry.href);
  process.exit(await runCommandLine(process.argv.slice(2)));
}

/**
 * Threads take the cache over from the environment; enabling it by call would be for this thread only. Gives the folder,
 * undefined where there is no cache.
 */
function enableCompileCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const directory = process.env.NODE_COMPILE_CACHE || join(base, 'amelie', 'compile');
  // Where the folder cannot be written, or the user has the cache off, the status says so and all goes on without.
  const { status } = module.enableCompileCache(directory);
  if (status !== module.constants.compileCacheStatus.ENABLED) return undefined;
  process.env.NODE_COMPILE_CACHE = directory;
  return directory;
}

/**
 * Has the modules of the TypeScript sources compiled by another process, where they have changed since that was done. Node takes
 * types off by WebAssembly, in each thread, and its memory grows; that detaches an ArrayBuffer, and from then on V8 looks at
 * every access to a typed array whether it is detached, as long as the thread lives. With the cache nothing is taken off.
 */
function warmUp(cache) {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  const files = readdirSync(root, { recursive: true }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const newest = files.reduce((latest, name) => Math.max(latest, statSync(join(root, name)).mtimeMs), 0);
  const state = [process.version, ...process.execArgv, root, files.length, newest].join(' ');
  const marker = join(cache, `warm-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);
  try {
    if (existsSync(marker) && readFileSync(marker, 'utf8') === state) return;
    const entries = files.filter((name) => name.endsWith('-entry.ts') && !name.startsWith('testing'));
    // An entry fails in a thread that is none of its kind, after its modules have been compiled.
    const code = 'for (const file of process.argv.slice(1)) await import(file).catch(() => {}); process.exit();';
    const paths = ['cli/main.ts', 'server/server.ts', ...entries].map((name) => join(root, name));
    const args = [...process.execArgv, '--input-type=module', '-e', code, ...paths];
    spawnSync(process.execPath, args, { stdio: 'ignore', timeout: 30_000 });
    writeFileSync(marker, state);
  } catch {
    // The start is slower, and goes on.
  }
}

function startNewerNode() {
  const binary = findNewerNode();
  if (binary === undefined) {
    process.stderr.write(
      `amelie needs Node.js ${NODE_MAJOR_REQUIRED} or later; this is ${process.version} (${process.execPath}).\n`,
    );
    process.exitCode = 1;
    return;
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  // Replacing this process keeps its id, terminal and signals. Node 20 cannot: there it stays as a go-between.
  if (typeof process.execve === 'function') process.execve(binary, [binary, ...args], process.env);
  const child = spawn(binary, args, { stdio: 'inherit' });
  const forward = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, forward);
  child.on('error', (error) => {
    process.stderr.write(`amelie could not start ${binary}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** The binary of the platform package beside this package or in a folder above, undefined where there is none. */
function findNewerNode() {
  const require = module.createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    return majorOf(version) >= NODE_MAJOR_REQUIRED && existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

function majorOf(version) {
  return Number.parseInt(version, 10);
}
