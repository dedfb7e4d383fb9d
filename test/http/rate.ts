/**
 * Requests a second of the HTTP front with an empty handler, and of `node:http` as the peer, in one run:
 *
 *     node test/http/rate.ts [connections = 64] [pipelined requests a connection = 1] [seconds = 4]
 *
 * The load comes from a process of its own over plain sockets, so that the serving thread has a core to itself; what is
 * printed for it is the processor time of the serving thread a request.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HttpServer } from '../../src/server/http/server.ts';

const BODY = 'update accounts set abalance = abalance + 17 where aid = 4711';
const HEAD = `POST / HTTP/1.1\r\nHost: localhost:3485\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n`;

type Load = { port: number; connectionCount: number; depth: number; durationMs: number };

/** Keeps `depth` requests of each connection in the air for `durationMs`; resolves to the number of replies. */
async function generateLoad(load: Load): Promise<number> {
  const requests = Buffer.from((HEAD + BODY).repeat(load.depth));
  let replyCount = 0;
  let isOver = false;
  const sockets = Array.from({ length: load.connectionCount }, () => {
    const socket = connect({ port: load.port, noDelay: true });
    let waitingCount = load.depth;
    let replyBytes = 0;
    let pendingBytes = 0;
    socket.on('connect', () => socket.write(requests));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      // All replies are alike: the first tells how many bytes one has.
      if (replyBytes === 0) replyBytes = chunk.indexOf('\r\n\r\n') + 4 + 2;
      pendingBytes += chunk.length;
      const arrivedCount = Math.floor(pendingBytes / replyBytes);
      pendingBytes -= arrivedCount * replyBytes;
      replyCount += arrivedCount;
      waitingCount -= arrivedCount;
      if (waitingCount > 0 || isOver) return;
      waitingCount = load.depth;
      socket.write(requests);
    });
    return socket;
  });
  await new Promise((resolve) => setTimeout(resolve, load.durationMs));
  isOver = true;
  for (const socket of sockets) socket.destroy();
  return replyCount;
}

function runLoad(load: Load): Promise<number> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--load']);
  child.send(load);
  return new Promise((resolve) => child.once('message', (count) => resolve(count as number)));
}

async function measure(name: string, load: Load): Promise<void> {
  await runLoad({ ...load, durationMs: 1000 });
  const cpuBefore = process.cpuUsage();
  const replyCount = await runLoad(load);
  const cpu = process.cpuUsage(cpuBefore);
  const rate = (replyCount / load.durationMs).toFixed(1);
  console.log(
    `${name}: ${rate} k req/s, ${((cpu.user + cpu.system) / replyCount).toFixed(2)} µs of processor time each`,
  );
}

if (process.argv[2] === '--load') {
  process.once('message', async (load) => {
    process.send!(await generateLoad(load as Load), () => process.exit(0));
  });
} else {
  const [connectionCount = 64, depth = 1, seconds = 4] = process.argv.slice(2).map(Number);
  const load = { connectionCount, depth, durationMs: seconds * 1000 };

  const own = new HttpServer({ handle: (_request, reply) => reply.send(200, '[]') });
  const address = await own.listen({ host: '127.0.0.1', port: 0 });
  if ('path' in address) throw new Error('a TCP listener has a port');
  await measure('own HTTP front', { ...load, port: address.port });
  await own.close(false);

  const peer = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.setHeader('Content-Length', 2);
      response.end('[]');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => peer.once('listening', resolve));
  await measure('node:http', { ...load, port: (peer.address() as AddressInfo).port });
  peer.closeAllConnections();
  peer.close();
}
