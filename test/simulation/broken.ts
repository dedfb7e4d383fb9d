/** Broken variants that take more than a line, for canaries. */

import type { TestContext } from 'node:test';
import { Checkpointer, type CheckpointerOptions, type Frozen } from '../../src/engine/main/checkpoint.ts';
import { SLOT_STEP } from '../../src/executor/layout.ts';
import { NodeLoop, STEP_WAITING_ROUND } from '../../src/executor/node-loop.ts';
import { PlainFence } from '../../src/executor/plain-fence.ts';
import type { CheckpointContents } from '../../src/log/checkpoint/catalog-file.ts';
import { checkpointName, listCheckpoints } from '../../src/log/checkpoint/directory.ts';
import {
  CATALOG_HEADER_BYTES,
  encodeCatalogFile,
  encodeRowsHeader,
  ROWS_HEADER_BYTES,
} from '../../src/log/checkpoint/format.ts';
import { walFiles } from '../../src/log/recover.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { DIRECTORY } from './settings.ts';

/** A checkpointer that takes the identity counters when it writes, and not in the fence. */
export class LateCounters extends Checkpointer {
  private readonly given: CheckpointerOptions;

  constructor(options: CheckpointerOptions) {
    super(options);
    this.given = options;
  }

  override async write(frozen: Frozen, workerCount: number): Promise<void> {
    const identitiesOf = (): Record<string, string> => this.identities();
    const contents = {
      ...frozen.contents,
      get identities(): Record<string, string> {
        return identitiesOf();
      },
    };
    await super.write({ ...frozen, contents }, workerCount);
  }

  private identities(): Record<string, string> {
    const { publisher, counters } = this.given;
    const identities: Record<string, string> = {};
    for (const { id, identityRef } of publisher.catalog.tables)
      if (identityRef !== 0) identities[id] = String(counters.next(identityRef));
    return identities;
  }
}

/**
 * Gives the newest checkpoint an LSN that is one less, so that a start applies the log's record of its LSN once more. Does
 * nothing where the log does not have that record.
 */
export function relabelCheckpoint(files: SimulatedFiles): void {
  const folder = `${DIRECTORY}/checkpoint`;
  const name = listCheckpoints(files, folder).at(-1);
  const lsns = walFiles(files, `${DIRECTORY}/wal`);
  if (name === undefined || name.lsn < 3 || lsns.length === 0 || lsns[0]! >= name.lsn) return;
  const lsn = name.lsn - 1;
  const directory = `${folder}/${checkpointName(name)}`;
  for (const file of files.list(directory)) {
    const path = `${directory}/${file}`;
    const bytes = files.contents(path).slice();
    if (file === 'catalog') {
      const contents = JSON.parse(new TextDecoder().decode(bytes.subarray(CATALOG_HEADER_BYTES))) as CheckpointContents;
      files.setContents(path, encodeCatalogFile(lsn, new TextEncoder().encode(JSON.stringify({ ...contents, lsn }))));
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, ROWS_HEADER_BYTES);
      const header = {
        lsn,
        tableId: view.getUint32(24, true),
        partitionId: view.getUint32(28, true),
        columnCount: view.getUint32(32, true),
        signature: view.getInt32(36, true),
      };
      bytes.set(encodeRowsHeader(header));
      files.setContents(path, bytes);
    }
  }
  files.rename(directory, `${folder}/${checkpointName({ lsn, sequence: 1 })}`);
  files.syncDirectory(folder);
}

/** What the variants of the executor change of a node, which is private to it. */
type Loop = { stay: number; tail: number; rollBack(): number };
type Fence = { words: Int32Array; slot: number; hasArrived: boolean; node: number; arrive(): void };

/** Nodes that stand in rounds forget the ticket when a rollback comes. */
export function leaveRoundsWithoutUndo({ mock }: TestContext): void {
  const loop = NodeLoop.prototype as unknown as Loop;
  const { rollBack } = loop;
  mock.method(loop, 'rollBack', function (this: Loop) {
    if (this.stay === STEP_WAITING_ROUND) {
      this.stay = 0;
      this.tail--;
    }
    return rollBack.call(this);
  });
}

/** Node 0 arrives at plain fences for another one too. */
export function countTwice({ mock }: TestContext): void {
  const fence = PlainFence.prototype as unknown as Fence;
  const { arrive } = fence;
  const oneNode = 4;
  mock.method(fence, 'arrive', function (this: Fence, ...given: never[]) {
    if (this.node === 0) Atomics.add(this.words, this.slot + SLOT_STEP, oneNode);
    arrive.apply(this, given as never);
  });
}
