import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RepositoryInUse, RepositoryLock } from './repository-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'amelie-lock-'));
after(() => rmSync(root, { recursive: true }));

/** A process that takes the lock, writes `locked` or `refused`, and keeps what it has until its end. */
function spawnHolder(directory: string): ReturnType<typeof spawn> {
  const code = `
    const { RepositoryLock } = await import(${JSON.stringify(new URL('./repository-lock.ts', import.meta.url).href)});
    try { globalThis.lock = RepositoryLock.acquire(${JSON.stringify(directory)}); console.log('locked'); }
    catch (error) { console.log('refused'); }
    process.stdin.resume();`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(holder: ReturnType<typeof spawn>): Promise<string> {
  const [chunk] = (await once(holder.stdout!, 'data')) as [Buffer];
  return chunk.toString().trim();
}

async function end(holder: ReturnType<typeof spawn>): Promise<void> {
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
}

function holderOf(directory: string): RepositoryInUse {
  try {
    RepositoryLock.acquire(directory);
  } catch (error) {
    assert.ok(error instanceof RepositoryInUse, String(error));
    return error;
  }
  assert.fail('the lock was free');
}

test('a second process learns which one has the repository, and gets it when that was killed', async () => {
  const directory = mkdtempSync(join(root, 'repository-'));
  const holder = spawnHolder(directory);
  assert.equal(await firstLine(holder), 'locked');
  const refusal = holderOf(directory);
  assert.equal(refusal.processId, holder.pid);
  assert.match(refusal.message, new RegExp(`${directory}.* process ${holder.pid}`));
  await end(holder);
  RepositoryLock.acquire(directory).release();
});

test('the same process cannot open a repository twice, and the lock file stays empty', () => {
  const directory = mkdtempSync(join(root, 'repository-'));
  const lock = RepositoryLock.acquire(directory);
  assert.equal(holderOf(directory).processId, process.pid);
  assert.equal(holderOf(directory).processId, process.pid, 'a refused attempt does not give the lock up');
  lock.release();
  RepositoryLock.acquire(directory).release();
  assert.equal(statSync(join(directory, 'lock')).size, 0);
});

test('of several that start at once exactly one gets it', async () => {
  const directory = mkdtempSync(join(root, 'repository-'));
  const holders = Array.from({ length: 4 }, () => spawnHolder(directory));
  const answers = await Promise.all(holders.map(firstLine));
  assert.deepEqual(answers.sort(), ['locked', 'refused', 'refused', 'refused']);
  await Promise.all(holders.map(end));
});

test('a folder that cannot hold a lock is an error of its own', () => {
  assert.throws(() => RepositoryLock.acquire(join(root, 'missing')), /cannot lock .*missing/);
});
