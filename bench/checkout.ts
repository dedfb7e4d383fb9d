/**
 * The files of another commit in a temporary folder, installed. git writes them there from an index of its own, so nothing
 * changes in the repository, and removing the folder is all that is to be done afterwards, also after Ctrl-C.
 *
 *   <temporary folder>/tree             the commit's files, and node_modules
 *   <temporary folder>/index            git's
 *   <temporary folder>/compile-cache    of servers and load generators
 */

import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit, removeOnExit } from './cleanup.ts';
import { ProgramFailure, runProgram } from './program.ts';

/** What a server is made of; changes elsewhere do not matter. */
const PROGRAM_PATHS: readonly string[] = ['src', 'bin', 'lib', 'package.json', 'package-lock.json'];

export type Checkout = {
  /** The folder of the commit's files. */
  readonly root: string;
  readonly compileCache: string;
  /** Like `ae604df engine: one place for JSON`. */
  readonly title: string;
  remove(): void;
};

export type CheckoutOptions = {
  /** The root of the repository. */
  readonly root: string;
  readonly commit: string;
  /** Makes the dependencies of the tree at `tree`. */
  readonly install: (tree: string) => Promise<void>;
  readonly environment?: NodeJS.ProcessEnv;
};

/** Makes the checkout. No git, no repository, no such commit and a failed install are Errors that say so. */
export async function checkOut(options: CheckoutOptions): Promise<Checkout> {
  const environment = options.environment ?? process.env;
  const git = (args: readonly string[], index?: string): Promise<string> =>
    runGit(options.root, args, index === undefined ? environment : { ...environment, GIT_INDEX_FILE: index });
  const hash = await resolveCommit(options.commit, git);
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'amelie-against-'));
  const forget = onExit(() => removeOnExit(directory));
  const remove = (): void => {
    forget();
    rmSync(directory, { recursive: true, force: true });
  };
  const root = join(directory, 'tree');
  const index = join(directory, 'index');
  try {
    await git(['read-tree', hash], index);
    await git(['checkout-index', '--all', `--prefix=${root}/`], index);
    await options.install(root);
    const title = (await git(['show', '--no-patch', '--format=%h %s', hash])).trim();
    return { root, compileCache: join(directory, 'compile-cache'), title, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Like `5b6d1f3 bench: more`, with a note where files of the program differ from that commit. */
export async function describeTree(root: string): Promise<string> {
  const title = (await runGit(root, ['show', '--no-patch', '--format=%h %s', 'HEAD'])).trim();
  const changes = await runGit(root, ['status', '--porcelain', '--untracked-files=all', '--', ...PROGRAM_PATHS]);
  const changeCount = changes.split('\n').filter((line) => line !== '').length;
  if (changeCount === 0) return title;
  return `${title}, with uncommitted changes in ${changeCount} of its files, which are measured as they stand`;
}

/** Changes whenever a file of the program does that git knows, so that an edit during a measurement is seen. */
export async function fingerprintTree(root: string): Promise<string> {
  const head = await runGit(root, ['rev-parse', 'HEAD']);
  const status = await runGit(root, ['status', '--porcelain', '--untracked-files=all', '--', ...PROGRAM_PATHS]);
  return `${head}${status}${await runGit(root, ['diff', 'HEAD', '--', ...PROGRAM_PATHS])}`;
}

/**
 * `npm ci`. Where that fails, without a network for one, and `from` was installed from the very same package-lock.json, its
 * node_modules are linked.
 */
export async function installTree(tree: string, from: string, print: (line: string) => void): Promise<void> {
  try {
    await runProgram('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { directory: tree });
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error;
    const ours = join(from, 'node_modules');
    if (!isSameFile(join(tree, 'package-lock.json'), join(from, 'package-lock.json')) || !existsSync(ours)) {
      throw new Error(`the commit cannot be installed: ${error.message}`, { cause: error });
    }
    rmSync(join(tree, 'node_modules'), { recursive: true, force: true });
    symlinkSync(ours, join(tree, 'node_modules'));
    print(`  npm ci failed, so this tree's node_modules are used, of the same package-lock.json (${error.message})`);
  }
}

async function resolveCommit(name: string, git: (args: readonly string[]) => Promise<string>): Promise<string> {
  try {
    // Files are taken from the root of a repository; a tree that lies in another one has no commits of its own.
    if ((await git(['rev-parse', '--show-prefix'])).trim() !== '') throw new Error('it only lies in one');
  } catch (error) {
    if (error instanceof ProgramFailure && error.isMissing) throw error;
    throw new Error(`--against: this folder is no git repository: ${(error as Error).message}`, { cause: error });
  }
  try {
    return (await git(['rev-parse', '--verify', '--end-of-options', `${name}^{commit}`])).trim();
  } catch (error) {
    throw new Error(`--against: '${name}' names no commit of this repository (in a shallow clone, fetch it first)`, {
      cause: error,
    });
  }
}

async function runGit(root: string, args: readonly string[], environment = process.env): Promise<string> {
  try {
    return await runProgram('git', args, { directory: root, environment });
  } catch (error) {
    if (!(error instanceof ProgramFailure) || !error.isMissing) throw error;
    throw new ProgramFailure('--against needs git, and there is none in the PATH', true);
  }
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one).equals(readFileSync(other));
}
