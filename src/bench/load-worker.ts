/**
 * A thread of the load generator: opens its connections, says so, sends from 'start' to 'stop', and ends when the replies
 * to what it sent have come.
 *
 *   main                     thread
 *          <-- ready            all connections are open
 *   start  -->                  every connection sends; each reply is counted and followed by the next request
 *   stop   -->                  no new requests
 *          <-- done             all replies are there; connections are closed and the thread ends
 *          <-- failed           at any time, with the reason; the thread goes quiet
 */

import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { recordLatency } from './histogram.ts';
import { LoadConnection, type LoadListener } from './load-connection.ts';
import { type RequestTemplate, RequestWriter } from './request-template.ts';
import { describeTarget, type Target } from './target.ts';

export type LoadWorkerInput = {
  readonly target: Target;
  readonly template: RequestTemplate;
  readonly connectionCount: number;
  /** One word: replies so far, modulo 2^32. This thread is the only writer. */
  readonly replyCount: SharedArrayBuffer;
  /** HISTOGRAM_BUCKET_COUNT words, written by this thread only and read after 'done'. */
  readonly latencies: SharedArrayBuffer;
};

export type LoadWorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string };

const READ_BYTES = 64 * 1024;

function run(input: LoadWorkerInput): void {
  const port = parentPort!;
  const replyCount = new Int32Array(input.replyCount);
  const latencies = new Uint32Array(input.latencies);
  const connections: LoadConnection[] = [];
  let connectedCount = 0;
  let underWayCount = 0;
  let isStopped = false;

  const tell = (message: LoadWorkerMessage): void => port.postMessage(message);
  const close = (): void => {
    isStopped = true;
    for (const connection of connections) connection.close();
    port.close();
  };
  const listener: LoadListener = {
    connected(): void {
      connectedCount++;
      if (connectedCount === input.connectionCount) tell({ kind: 'ready' });
    },
    replied(connection): void {
      const nowMs = performance.now();
      recordLatency(latencies, nowMs - connection.sentAtMs);
      Atomics.add(replyCount, 0, 1);
      if (!isStopped) {
        connection.send(nowMs);
        return;
      }
      underWayCount--;
      if (underWayCount > 0) return;
      tell({ kind: 'done' });
      close();
    },
    failed(error): void {
      if (isStopped && underWayCount === 0) return;
      tell({ kind: 'failed', message: error.message });
      close();
    },
  };
  port.on('message', (command: 'start' | 'stop') => {
    if (command === 'stop') {
      isStopped = true;
      return;
    }
    underWayCount = connections.length;
    for (const connection of connections) connection.send(performance.now());
  });

  const readBuffer = new Uint8Array(READ_BYTES);
  const host = 'path' in input.target ? 'localhost' : describeTarget(input.target);
  for (let index = 0; index < input.connectionCount; index++) {
    connections.push(new LoadConnection(input.target, new RequestWriter(input.template, host), readBuffer, listener));
  }
}

run(workerData as LoadWorkerInput);
