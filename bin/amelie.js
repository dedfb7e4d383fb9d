#!/usr/bin/env node
/**
 * The launcher: plain JavaScript that any Node since 18 can read.
 *
 * Amelie needs Node 26. On an older Node the launcher looks for a platform package, which carries a newer binary
 * (an optional dependency of the repository), and starts that; where there is none it says what is needed and exits 1.
 */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_REQUIRED = 26;

if (majorOf(process.versions.node) >= NODE_MAJOR_REQUIRED) await run();
else startNewerNode();

async function run() {
  enableCompileCache();
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const entry = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);
  const { runCommandLine } = await import(entry.href);
  process.exit(await runCommandLine(process.argv.slice(2)));
}

/** Threads take the cache over from the environment; enabling it by call would be for this thread only. */
function enableCompileCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const directory = process.env.NODE_COMPILE_CACHE || join(base, 'amelie', 'compile');
  // Where the folder cannot be written, or the user has the cache off, the status says so and all goes on without.
  const { status } = module.enableCompileCache(directory);
  if (status === module.constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = directory;
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
