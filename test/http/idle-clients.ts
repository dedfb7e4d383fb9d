/**
 * Opens idle connections for idle.test.ts, in a process of its own because both ends of them need file descriptors:
 * `idle-clients.ts <port> <count>`. Says 'open' when all are there, and ends with its channel.
 */

import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);

async function open(): Promise<void> {
  // A few hundred at a time: the kernel's queue of connections to accept is bounded.
  for (let opened = 0; opened < count!; ) {
    const batch = Math.min(200, count! - opened);
    await Promise.all(
      Array.from(
        { length: batch },
        () => new Promise<void>((resolve, reject) => connect(port!, '127.0.0.1', resolve).once('error', reject)),
      ),
    );
    opened += batch;
  }
}

process.on('disconnect', () => process.exit(0));
open().then(
  () => process.send!('open'),
  (error: Error) => process.send!(error.message),
);
