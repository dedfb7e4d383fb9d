/** A thread that reads rows files of a checkpoint and decompresses their blocks, and does nothing else: peer-loading.ts. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { zstdDecompressSync } from 'node:zlib';
import { BLOCK_HEADER_BYTES, ROWS_FOOTER_BYTES, ROWS_HEADER_BYTES } from '../src/log/checkpoint/format.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;

function readFile(path: string): number {
  const handle = openSync(path, 'r');
  const bytes = new Uint8Array(WINDOW_BYTES);
  const view = new DataView(bytes.buffer);
  const end = fstatSync(handle).size - ROWS_FOOTER_BYTES;
  let plainBytes = 0;
  for (let offset = ROWS_HEADER_BYTES; offset < end; ) {
    const count = readSync(handle, bytes, 0, WINDOW_BYTES, offset);
    let at = 0;
    while (at + BLOCK_HEADER_BYTES <= count && offset + at < end) {
      const plain = view.getUint32(at + 16, true);
      const data = at + BLOCK_HEADER_BYTES;
      const dataEnd = data + view.getUint32(at + 20, true);
      if (dataEnd > count) break;
      plainBytes += zstdDecompressSync(bytes.subarray(data, dataEnd), { chunkSize: plain + 1 }).length;
      at = dataEnd;
    }
    offset += at;
  }
  closeSync(handle);
  return plainBytes;
}

parentPort!.on('message', (path: string) => parentPort!.postMessage(readFile(path)));
