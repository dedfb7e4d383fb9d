import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RawClient, replyText, TestServer, until } from './raw.ts';

const CONNECTION_COUNT = 10_000;

/** File descriptors that this process may have. */
function descriptorLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const isPossible = descriptorLimit() >= CONNECTION_COUNT + 200;
const options = isPossible ? {} : { skip: `needs ${CONNECTION_COUNT + 200} file descriptors (ulimit -n)` };

test('10,000 idle connections stay, and active ones are served', options, async () => {
  await using server = await TestServer.start();
  const script = fileURLToPath(new URL('./idle-clients.ts', import.meta.url));
  const clients = fork(script, [String(server.port), String(CONNECTION_COUNT)]);
  const message = await new Promise((resolve) => clients.once('message', resolve));
  assert.equal(message, 'open');
  await until(() => server.http.connectionCount === CONNECTION_COUNT);
  server.pass(120_000);
  const active = await RawClient.connect(server);
  const requestCount = 2000;
  await active.send('GET /health HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requestCount));
  await active.expect(replyText(200, 'GET /health ').repeat(requestCount));
  assert.equal(server.http.connectionCount, CONNECTION_COUNT + 1);
  clients.disconnect();
  await until(() => server.http.connectionCount === 1);
});
