import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';
import { LogFailure } from './log.ts';
import { createLog, syncAllFiles, syncFullFile } from './log-files.ts';
import { LOG_END, LOG_FILE_LSN, LOG_STATE_WORDS, setLogSettings } from './log-state.ts';
import { LogWriter, openLogState } from './log-writer.ts';
import { GroupWriter, RECORD_HEADER_BYTES, SECTION_ROWS, WAL_HEADER_BYTES, walFileName } from './record.ts';
import { LogDamage, type Recovery, recover } from './recover.ts';

const DIRECTORY = '/wal';

type Settings = { readonly syncOnWrite?: boolean; readonly syncOnRotate?: boolean; readonly rotateBytes?: number };

/** A log of a new repository, or the one that recovery finds, and what it holds as texts by LSN. */
class TestLog {
  readonly files: SimulatedFiles;
  readonly state: Float64Array = new Float64Array(LOG_STATE_WORDS);
  readonly writer: LogWriter;
  readonly recovery: Recovery;
  readonly found: string[];
  lsn: number;
  fullFileCount = 0;
  private readonly group: GroupWriter = new GroupWriter(64);

  constructor(files: SimulatedFiles, settings: Settings = {}, checkpointLsn = 0) {
    this.files = files;
    if (files.list(DIRECTORY).length === 0) createLog(files, DIRECTORY, '{"command":"create"}');
    const { recovery, found } = readAll(files, checkpointLsn + 1);
    this.recovery = recovery;
    this.found = found;
    openLogState(this.state, recovery.fileLsn, recovery.end);
    const { syncOnWrite = false, syncOnRotate = true, rotateBytes = 1024 * 1024 } = settings;
    setLogSettings(this.state, { syncOnWrite, syncOnRotate, rotateBytes });
    this.lsn = recovery.lastLsn;
    this.writer = new LogWriter(files, DIRECTORY, this.state, () => this.fullFileCount++);
  }

  /** Appends a group of records, one a text. */
  append(...texts: string[]): void {
    appendGroup(this.writer, this.group, this.lsn + 1, texts);
    this.lsn += texts.length;
  }
}

function appendGroup(writer: LogWriter, group: GroupWriter, firstLsn: number, texts: readonly string[]): void {
  group.clear();
  texts.forEach((text, index) => {
    const bytes = new TextEncoder().encode(text);
    group.begin(firstLsn + index);
    group.addSection(SECTION_ROWS, bytes, 0, bytes.length);
    group.end();
  });
  writer.append(firstLsn, group.bytes, group.length);
}

function readAll(files: SimulatedFiles, fromLsn = 1): { recovery: Recovery; found: string[] } {
  const found: string[] = [];
  const recovery = recover(files, DIRECTORY, fromLsn, (lsn, _kind, bytes, start, end) => {
    found.push(`${lsn} ${new TextDecoder().decode(bytes.subarray(start, end))}`);
  });
  return { recovery, found };
}

const FIRST = '1 {"command":"create"}';
const fileOf = (lsn: number): string => `${DIRECTORY}/${walFileName(lsn)}`;

test('what is appended is read back, in groups, with empty and large sections', () => {
  const log = new TestLog(new SimulatedFiles());
  const large = 'x'.repeat(5 * 1024 * 1024);
  log.append('a', '', 'ccc');
  log.append(large);
  log.append('e');
  const { found, recovery } = readAll(log.files);
  assert.deepEqual(found, [FIRST, '2 a', '3 ', '4 ccc', `5 ${large}`, '6 e']);
  assert.equal(recovery.lastLsn, 6);
  assert.equal(recovery.torn, undefined);
  assert.deepEqual(readAll(log.files, 5).found, [`5 ${large}`, '6 e']);
});

test('the bytes of a record are as documented', () => {
  const files = new SimulatedFiles();
  const log = new TestLog(files);
  const start = log.state[LOG_END]!;
  log.append('abc');
  const record = files.contents(fileOf(1)).slice(start);
  // 24 of header, 8 and 3 of the section, filled up to a multiple of 8.
  assert.equal(record.length, 40);
  const view = new DataView(record.buffer);
  assert.deepEqual(
    [0, 8, 12, 16, 20, 24, 28].map((at) => view.getUint32(at, true)),
    [40, 2, 0, 1, 0, SECTION_ROWS, 3],
  );
  assert.deepEqual([...record.subarray(32)], [97, 98, 99, 0, 0, 0, 0, 0]);
});

test('LSNs beyond 32 bits', () => {
  const group = new GroupWriter(16);
  group.begin(2 ** 40 + 5);
  group.addSection(SECTION_ROWS, new Uint8Array(300).fill(7), 50, 260);
  group.end();
  const view = new DataView(group.bytes.buffer);
  assert.equal(view.getUint32(8, true), 5);
  assert.equal(view.getUint32(12, true), 256);
  assert.equal(group.length, 24 + 8 + 216);
});

test('a tail torn at any byte is cut off, and the log goes on behind it', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first', 'second');
  const keptBytes = log.state[LOG_END]!;
  log.append('third', 'fourth and longer');
  const whole = log.files.contents(fileOf(1));
  const third = keptBytes + RECORD_HEADER_BYTES + 8 + 8;
  for (let cut = keptBytes; cut < whole.length; cut++) {
    const files = new SimulatedFiles();
    files.setContents(fileOf(1), whole.slice(0, cut));
    const again = new TestLog(files);
    const expected = [FIRST, '2 first', '3 second', ...(cut >= third ? ['4 third'] : [])];
    assert.deepEqual(again.found, expected, `cut at ${cut}`);
    const isTorn = cut !== keptBytes && cut !== third;
    assert.equal(again.recovery.torn?.offset, isTorn ? (cut > third ? third : keptBytes) : undefined);
    again.append('after');
    assert.deepEqual(readAll(files).found, [...expected, `${expected.length + 1} after`]);
  }
});

test('a tail of zeros or garbage is torn too', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first');
  const whole = log.files.contents(fileOf(1));
  for (const byte of [0, 0xff, 24]) {
    const files = new SimulatedFiles();
    const longer = new Uint8Array(whole.length + 4096).fill(byte);
    longer.set(whole);
    files.setContents(fileOf(1), longer);
    assert.deepEqual(readAll(files).found, [FIRST, '2 first']);
    assert.equal(files.contents(fileOf(1)).length, whole.length);
  }
});

test('damage before the end names file and offset and changes nothing', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first', 'second', 'third');
  const whole = log.files.contents(fileOf(1));
  const last = whole.length - (RECORD_HEADER_BYTES + 8 + 8);
  for (let at = 0; at < last; at++) {
    const damaged = whole.slice();
    damaged[at]! ^= 0x10;
    const files = new SimulatedFiles();
    files.setContents(fileOf(1), damaged);
    assert.throws(
      () => readAll(files),
      (error) => error instanceof LogDamage && /00001\.wal: offset \d+: /.test(error.message),
      `damage at ${at}`,
    );
    assert.deepEqual(files.contents(fileOf(1)), damaged);
    assert.equal(files.operationCount, 0);
  }
});

test('a missing file, and a missing log, are damage', () => {
  const log = new TestLog(new SimulatedFiles(), { rotateBytes: 1, syncOnRotate: false });
  log.append('first');
  log.append('second');
  log.append('third');
  assert.deepEqual(log.files.list(DIRECTORY), [1, 2, 3, 4].map(walFileName));
  log.files.remove(fileOf(3));
  assert.throws(() => readAll(log.files), /LSN 3 to 3 are missing/);
  assert.throws(() => readAll(new SimulatedFiles()), /no log files/);
  // From a checkpoint at LSN 3 nothing is missing.
  assert.deepEqual(readAll(log.files, 4).found, ['4 third']);
});

test('rotation: the log thread syncs the full file, and the log goes on in the next one', () => {
  const log = new TestLog(new SimulatedFiles(), { rotateBytes: 400 });
  while (log.fullFileCount === 0) log.append('0123456789');
  const full = log.lsn;
  log.append('still the same file');
  assert.equal(log.state[LOG_FILE_LSN], 1);
  assert.equal(syncFullFile(log.files, DIRECTORY, log.state), true);
  assert.equal(syncFullFile(log.files, DIRECTORY, log.state), false);
  log.append('the next file');
  assert.equal(log.state[LOG_FILE_LSN], full + 2);
  while (log.state[LOG_END]! < 400) log.append('0123456789');
  log.writer.rotate(log.lsn + 1);
  assert.equal(log.state[LOG_FILE_LSN], log.lsn + 1);
  // The log thread does not come this time.
  for (let count = 0; count < 30; count++) log.append('0123456789');
  assert.ok(log.recovery.fileLsn < log.state[LOG_FILE_LSN]!);
  const { recovery, found } = readAll(log.files);
  assert.equal(recovery.lastLsn, log.lsn);
  assert.equal(found.length, log.lsn);
  assert.ok(recovery.fileCount >= 3);
});

for (const outcome of [
  'appends go on',
  'the file is left by the committer',
  'a failed write is repaired first',
] as const) {
  test(`a sync of the full file that fails in the log thread is not made good by a later one: ${outcome}`, () => {
    const log = new TestLog(new SimulatedFiles(), { rotateBytes: 400 });
    while (log.fullFileCount === 0) log.append('0123456789');
    const { files, state, writer } = log;
    files.fault = (_operation, name) => (name === 'sync' ? 'error' : undefined);
    assert.throws(() => syncFullFile(files, DIRECTORY, state));
    files.fault = () => undefined;
    const isRefused = (error: Error): boolean => error instanceof LogFailure;
    if (outcome === 'appends go on') {
      // Also where it would be the committer's turn to sync, as the file has twice its size.
      for (let count = 0; count < 40; count++)
        assert.throws(() => writer.append(log.lsn + 1, new Uint8Array(64), 64), isRefused);
    } else if (outcome === 'the file is left by the committer') {
      assert.throws(() => writer.rotate(log.lsn + 1), isRefused);
    }
    assert.equal(state[LOG_FILE_LSN], 1, 'nothing has come of it');
    assert.equal(writer.repair(log.lsn + 1), 'unsaved');
    assert.equal(state[LOG_FILE_LSN], log.lsn + 1, 'a new file');
    writer.saved();
    const checkpointLsn = log.lsn;
    log.append('behind the checkpoint');
    assert.deepEqual(readAll(files, checkpointLsn + 1).found, [`${log.lsn} behind the checkpoint`]);
  });
}

test('two writers take turns over a rotation', () => {
  const log = new TestLog(new SimulatedFiles(), { rotateBytes: 300, syncOnRotate: false });
  const other = new LogWriter(log.files, DIRECTORY, log.state, () => {});
  const group = new GroupWriter(64);
  for (let count = 0; count < 50; count++) {
    if (count % 3 === 0) log.append(`a${count}`);
    else appendGroup(other, group, ++log.lsn, [`b${count}`]);
  }
  assert.equal(readAll(log.files).found.at(-1), '51 b49');
});

test('a last file without a whole header was never used', () => {
  for (const bytes of [0, 7, 31, 32]) {
    const log = new TestLog(new SimulatedFiles());
    log.append('first');
    log.files.setContents(fileOf(3), new Uint8Array(bytes));
    const again = new TestLog(log.files);
    assert.deepEqual(again.found, [FIRST, '2 first']);
    assert.equal(again.recovery.fileLsn, 1);
    assert.deepEqual(log.files.list(DIRECTORY), [walFileName(1)]);
    again.append('second');
    assert.deepEqual(readAll(log.files).found, [FIRST, '2 first', '3 second']);
  }
});

test('records at or above the first LSN of a newer file are ignored', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first', 'left over');
  const other = new TestLog(new SimulatedFiles(), { rotateBytes: 1 });
  other.append('first');
  other.append('the real one');
  log.files.setContents(fileOf(3), other.files.contents(fileOf(3)));
  assert.deepEqual(readAll(log.files).found, [FIRST, '2 first', '3 the real one']);
});

/**
 * Appends records until so many groups are acknowledged or given up, and repairs the log after each failure, as the engine
 * does. What it knows at each moment can be compared with what recovery finds on the disk of that moment.
 */
class Workload {
  readonly log: TestLog;
  readonly acknowledged: string[] = [];
  /** Their clients know that they are not in the log. */
  readonly refused = new Set<string>();
  /** What the checkpoint of a repair has; recovery reads the records behind it. */
  checkpointed = 0;
  repairCount = 0;
  private index = 0;

  private readonly takesCheckpoints: boolean;

  /** @param takesCheckpoints false: a canary, which goes on without the checkpoint that a repair asks for */
  constructor(log: TestLog, takesCheckpoints = true) {
    this.log = log;
    this.takesCheckpoints = takesCheckpoints;
  }

  run(groupCount: number): void {
    while (groupCount-- > 0) this.append();
  }

  private append(): void {
    const { log } = this;
    const texts = [`record ${this.index}`, `record ${this.index} too`];
    this.index++;
    try {
      log.append(...texts);
      this.acknowledged.push(...texts);
      return;
    } catch (error) {
      assert.ok(error instanceof LogFailure, String(error));
      if (!error.mayBeFound) for (const text of texts) this.refused.add(text);
    }
    if (log.writer.isUndecided()) assert.throws(() => log.append('too early'), LogFailure);
    // The other threads of a real one try for longer.
    for (let tries = 0; tries < 8; tries++) {
      const repair = log.writer.repair(log.lsn + 1);
      if (!log.writer.isUndecided()) for (const text of texts) this.refused.add(text);
      if (repair === 'unsaved') {
        if (this.takesCheckpoints) {
          this.repairCount++;
          this.checkpointed = this.acknowledged.length;
        }
        log.writer.saved();
      }
      if (repair !== 'failed') return;
    }
  }

  /** LSN of the checkpoint; 0: there is none. */
  get checkpointLsn(): number {
    return this.checkpointed === 0 && this.repairCount === 0 ? 0 : this.checkpointed + 1;
  }
}

/** Of a start: what a checkpoint and the log behind it have. */
function recovered(disk: SimulatedFiles, known: Known): { readonly again: TestLog; readonly found: string[] } {
  const again = new TestLog(disk, {}, known.checkpointLsn);
  const behind = again.found.filter((line) => line !== FIRST).map((line) => line.slice(line.indexOf(' ') + 1));
  return { again, found: [...known.acknowledged.slice(0, known.checkpointed), ...behind] };
}

/** What was known when the power went. */
type Known = {
  readonly acknowledged: readonly string[];
  readonly refused: ReadonlySet<string>;
  readonly checkpointed: number;
  readonly checkpointLsn: number;
};

function knownOf({ acknowledged, refused, checkpointed, checkpointLsn }: Workload): Known {
  return { acknowledged: [...acknowledged], refused: new Set(refused), checkpointed, checkpointLsn };
}

function checkFound(found: readonly string[], known: Known, isDurable: boolean, where: string): void {
  const { acknowledged, refused } = known;
  for (const text of found) assert.ok(!refused.has(text), `${where}: refused, but found: ${text}`);
  const least = isDurable ? acknowledged.length : known.checkpointed;
  assert.ok(found.length >= least, `${where}: ${found.length} of ${acknowledged.length}`);
  assert.deepEqual(found.slice(0, acknowledged.length), acknowledged.slice(0, found.length), where);
}

const GROUP_COUNT = 10;

for (const syncOnWrite of [false, true]) {
  const settings = { syncOnWrite, rotateBytes: 200 };
  const operationCount = (): number => {
    const log = new TestLog(new SimulatedFiles(), settings);
    const first = log.files.operationCount;
    new Workload(log).run(GROUP_COUNT);
    return log.files.operationCount - first;
  };

  test(`operations fail, one or several, sync on write ${syncOnWrite}: what is acknowledged is there, what is refused is not`, () => {
    let [refusedCount, repairCount] = [0, 0];
    const count = operationCount();
    assert.ok(count > 15);
    for (const fault of ['error', 'short'] as const) {
      for (const width of [1, 2, 3, 4]) {
        for (let failing = 0; failing < count; failing++) {
          const log = new TestLog(new SimulatedFiles(), settings);
          const first = log.files.operationCount + failing;
          log.files.fault = (operation) => (operation >= first && operation < first + width ? fault : undefined);
          const workload = new Workload(log);
          workload.run(GROUP_COUNT);
          log.files.fault = () => undefined;
          const { again, found } = recovered(log.files.clone(), workload);
          checkFound(found, workload, true, `${fault} at ${failing}, ${width} times`);
          assert.deepEqual(found, workload.acknowledged, 'all is decided in the end');
          again.append('goes on');
          assert.equal(readAll(again.files, workload.checkpointLsn + 1).found.at(-1), `${again.lsn} goes on`);
          refusedCount += workload.refused.size;
          repairCount += workload.repairCount;
        }
      }
    }
    assert.ok(refusedCount > 40 && repairCount > 10, `${refusedCount} refused, ${repairCount} repairs`);
  });

  for (const end of ['power', 'kill'] as const) {
    const endDuringRepairs = (takesCheckpoints: boolean): void => {
      const seed = 4711;
      const random = new SeededRandom(seed);
      const count = operationCount();
      let repairCount = 0;
      for (let failing = 0; failing < count; failing++) {
        for (const width of [1, 2]) {
          for (let ending = failing; ending < failing + 14; ending++) {
            const log = new TestLog(new SimulatedFiles(), settings);
            const workload = new Workload(log, takesCheckpoints);
            const first = log.files.operationCount;
            let disk: SimulatedFiles | undefined;
            let known: Known | undefined;
            log.files.fault = (operation, name) => {
              const at = operation - first;
              if (at === ending) {
                disk = end === 'power' ? log.files.afterPowerLoss(random) : log.files.clone();
                known = knownOf(workload);
              }
              const isSync = name === 'sync' || name === 'syncDirectory' || name === 'truncate';
              return isSync && at >= failing && at < failing + width ? 'error' : undefined;
            };
            workload.run(GROUP_COUNT);
            if (disk === undefined) continue;
            repairCount += workload.repairCount;
            const where = `seed ${seed}, fails at ${failing}, ${width} times, ends at ${ending}`;
            const { again, found } = recovered(disk, known!);
            checkFound(found, known!, end === 'kill' || syncOnWrite, where);
            // It goes on, and a second start finds the same.
            again.append('goes on');
            const second = recovered(disk.clone(), known!);
            assert.deepEqual(second.found, [...found, 'goes on'], where);
          }
        }
      }
      if (takesCheckpoints) assert.ok(repairCount > 50, `${repairCount} repairs`);
    };

    test(`a sync fails, and then ${end} ends it at every operation of the repair, sync on write ${syncOnWrite}`, () => {
      endDuringRepairs(true);
    });

    if (end === 'power' && !syncOnWrite)
      test('canary: writes are taken again after a failed sync, without a checkpoint', () => {
        assert.throws(() => endDuringRepairs(false), /LogDamage|seed 4711/);
      });
  }
}

const texts = (found: readonly string[]): string[] => found.slice(1).map((line) => line.slice(line.indexOf(' ') + 1));

test('the power goes at every operation: a prefix is left, with sync on write all that was acknowledged', () => {
  const random = new SeededRandom(7);
  for (const syncOnWrite of [false, true]) {
    for (let last = 0; last < 120; last++) {
      const log = new TestLog(new SimulatedFiles(), { syncOnWrite, rotateBytes: 200 });
      const first = log.files.operationCount;
      let lost: SimulatedFiles | undefined;
      log.files.fault = (operation) => {
        if (operation === first + last) lost = log.files.afterPowerLoss(random);
        return undefined;
      };
      const acknowledged: string[] = [];
      for (let index = 0; index < 10 && lost === undefined; index++) {
        log.append(`record ${index}`);
        if (lost === undefined) acknowledged.push(`record ${index}`);
      }
      if (lost === undefined) break;
      const again = new TestLog(lost);
      const found = texts(again.found);
      for (const [index, text] of found.entries()) assert.equal(text, `record ${index}`);
      if (syncOnWrite) assert.ok(found.length >= acknowledged.length, `power loss at ${last}`);
      again.append('goes on');
      assert.equal(texts(readAll(lost).found).at(-1), 'goes on');
    }
  }
});

test('after a failed sync the log goes on in a new file, and takes nothing before a checkpoint', () => {
  const log = new TestLog(new SimulatedFiles(), { syncOnWrite: true });
  log.append('first');
  log.files.fault = (_operation, name) => (name === 'sync' ? 'error' : undefined);
  assert.throws(
    () => log.append('second'),
    (error) => error instanceof LogFailure && error.mayBeFound,
  );
  assert.ok(log.writer.isUndecided());
  assert.equal(log.writer.repair(3), 'failed');
  log.files.fault = () => undefined;
  assert.equal(log.writer.repair(3), 'unsaved');
  assert.ok(!log.writer.isUndecided());
  assert.throws(() => log.append('third'), LogFailure);
  // The next start, before there is a checkpoint: what was refused is gone, and so is the file of the repair.
  const early = new TestLog(log.files.clone());
  assert.deepEqual(texts(early.found), ['first']);
  assert.deepEqual(early.files.list(DIRECTORY), [walFileName(1)]);
  early.append('goes on');
  assert.deepEqual(texts(readAll(early.files).found), ['first', 'goes on']);
  log.writer.saved();
  log.append('third');
  assert.deepEqual(log.files.list(DIRECTORY), [1, 3].map(walFileName));
  assert.deepEqual(readAll(log.files, 3).found, ['3 third']);
});

test('what recovery relies on is written again before it is synced', () => {
  const log = new TestLog(new SimulatedFiles(), { syncOnWrite: true });
  log.append('first');
  // As if the sync had failed in a process that did not get to repair it: the bytes are there, and never were on disk.
  log.files.fault = (_operation, name) => (name === 'sync' ? 'lost' : undefined);
  log.append('second');
  const path = fileOf(1);
  const written: number[] = [];
  const disk = log.files.clone();
  const write = disk.write.bind(disk);
  disk.write = (handle, bytes, offset, byteCount, position) => {
    for (let at = position; at < position + byteCount; at++) written.push(at);
    return write(handle, bytes, offset, byteCount, position);
  };
  const before = disk.contents(path);
  assert.deepEqual(texts(readAll(disk).found), ['first', 'second']);
  assert.deepEqual(disk.contents(path), before);
  assert.deepEqual(
    written,
    Array.from(before, (_, at) => at),
  );
});

test('a sync fails below a checkpoint and beyond it, the process is killed, then the power goes: all behind it is found', () => {
  const log = new TestLog(new SimulatedFiles());
  for (const text of ['a', 'b', 'c', 'd']) log.append(text);
  log.files.fault = (_operation, name) => (name === 'sync' ? 'error' : undefined);
  assert.throws(() => log.writer.syncCurrent(), /sync failed/);
  const killed = log.files.clone();
  // The checkpoint has LSN 3, and the file is read from its first record on, which a start steps over.
  const again = new TestLog(killed, {}, 3);
  assert.deepEqual(again.found, ['4 c', '5 d']);
  for (let seed = 1; seed <= 20; seed++)
    assert.deepEqual(readAll(killed.afterPowerLoss(new SeededRandom(seed)), 4).found, ['4 c', '5 d'], `seed ${seed}`);
});

test('the first log file is there whole, or not at all: every operation fails, power goes at each', () => {
  const random = new SeededRandom(99);
  for (const how of ['error', 'short', 'power', 'kill'] as const) {
    for (let at = 0; ; at++) {
      const files = new SimulatedFiles();
      let left = at;
      let disk: SimulatedFiles | undefined;
      files.fault = () => {
        if (left-- !== 0) return undefined;
        if (how === 'error' || how === 'short') return how;
        disk = how === 'power' ? files.afterPowerLoss(random) : files.clone();
        return undefined;
      };
      try {
        createLog(files, DIRECTORY, '{"command":"create"}');
      } catch {
        disk = files;
      }
      files.fault = () => undefined;
      disk ??= how === 'short' ? files : undefined;
      if (disk === undefined || left >= 0) break;
      const names = disk.list(DIRECTORY).filter((name) => name.endsWith('.wal'));
      if (names.length > 0) assert.deepEqual(readAll(disk).found, [FIRST], `${how} at ${at}`);
      else createLog(disk, DIRECTORY, '{"command":"create"}');
      assert.deepEqual(readAll(disk).found, [FIRST], `${how} at ${at}`);
    }
  }
});

test('syncAllFiles: files that had no sync survive a power loss from then on', () => {
  const log = new TestLog(new SimulatedFiles(), { syncOnRotate: false, rotateBytes: 100 });
  for (let count = 0; count < 8; count++) log.append(`record ${count}`);
  syncAllFiles(log.files, DIRECTORY, log.state);
  for (let seed = 1; seed < 10; seed++)
    assert.equal(readAll(log.files.afterPowerLoss(new SeededRandom(seed))).found.length, 9);
});

test('a full disk refuses writes, and a probe brings them back', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first');
  log.files.fault = (_operation, name) => (name === 'write' ? 'error' : undefined);
  assert.throws(() => log.append('second'), /write: EIO/);
  assert.equal(log.writer.repair(3), 'failed');
  log.files.fault = () => undefined;
  assert.equal(log.writer.repair(3), 'ready');
  log.append('second, again');
  assert.deepEqual(texts(readAll(log.files).found), ['first', 'second, again']);
  assert.equal(log.state[LOG_END]! % 8, WAL_HEADER_BYTES % 8);
});
