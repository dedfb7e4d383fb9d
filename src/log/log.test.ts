import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';
import { LogFailure } from './log.ts';
import { LOG_END, LOG_FILE_LSN, LOG_STATE_WORDS, LOG_TAIL, setLogSettings, TAIL_UNSYNCED } from './log-state.ts';
import { createLog, LogWriter, openLogState, syncFullFile } from './log-writer.ts';
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

  constructor(files: SimulatedFiles, settings: Settings = {}) {
    this.files = files;
    if (files.list(DIRECTORY).length === 0) createLog(files, DIRECTORY, '{"command":"create"}');
    const { recovery, found } = readAll(files);
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

test('rotation: main syncs the full file, the committer goes on in the next one', async () => {
  const log = new TestLog(new SimulatedFiles(), { rotateBytes: 400 });
  while (log.fullFileCount === 0) log.append('0123456789');
  const full = log.lsn;
  log.append('still the same file');
  assert.equal(log.state[LOG_FILE_LSN], 1);
  assert.equal(await syncFullFile(log.files, DIRECTORY, log.state), true);
  assert.equal(await syncFullFile(log.files, DIRECTORY, log.state), false);
  log.append('the next file');
  assert.equal(log.state[LOG_FILE_LSN], full + 2);
  // main does not come this time.
  for (let count = 0; count < 30; count++) log.append('0123456789');
  assert.ok(log.recovery.fileLsn < log.state[LOG_FILE_LSN]!);
  const { recovery, found } = readAll(log.files);
  assert.equal(recovery.lastLsn, log.lsn);
  assert.equal(found.length, log.lsn);
  assert.ok(recovery.fileCount >= 3);
});

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

/** A fixed workload; each append is acknowledged or refused. */
function workload(log: TestLog, count: number): { readonly acknowledged: string[]; readonly unknown: Set<string> } {
  const acknowledged: string[] = [];
  const unknown = new Set<string>();
  for (let index = 0; index < count; index++) {
    const text = `record ${index}`;
    try {
      log.append(text, `${text} too`);
      acknowledged.push(text, `${text} too`);
    } catch (error) {
      assert.ok(error instanceof LogFailure, String(error));
      if (error.tail !== 'cut') unknown.add(text).add(`${text} too`);
      log.writer.repair(log.lsn + 1);
    }
  }
  return { acknowledged, unknown };
}

const texts = (found: readonly string[]): string[] => found.slice(1).map((line) => line.slice(line.indexOf(' ') + 1));

for (const syncOnWrite of [false, true]) {
  test(`every operation fails once, sync on write ${syncOnWrite}: what is acknowledged is there, what is refused is not`, () => {
    const settings = { syncOnWrite, rotateBytes: 200 };
    const normal = new TestLog(new SimulatedFiles(), settings);
    workload(normal, 10);
    const operationCount = normal.files.operationCount;
    let failedCount = 0;
    for (const fault of ['error', 'short'] as const) {
      for (const width of [1, 2, 3]) {
        for (let failing = 3; failing < operationCount; failing++) {
          const log = new TestLog(new SimulatedFiles(), settings);
          const first = log.files.operationCount;
          log.files.fault = (operation) =>
            operation >= first + failing - 3 && operation < first + failing - 3 + width ? fault : undefined;
          const { acknowledged, unknown } = workload(log, 10);
          log.files.fault = () => undefined;
          if (acknowledged.length < 20) failedCount++;
          const found = texts(readAll(log.files.clone()).found);
          const certain = found.filter((text) => !unknown.has(text));
          assert.deepEqual(certain, acknowledged, `${fault} at ${failing}, ${width} times`);
          if (log.state[LOG_TAIL] !== TAIL_UNSYNCED && unknown.size === 0) assert.deepEqual(found, acknowledged);
        }
      }
    }
    assert.ok(failedCount > 20);
  });
}

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

test('after a failed sync nothing is taken until a restart', () => {
  const log = new TestLog(new SimulatedFiles(), { syncOnWrite: true });
  log.append('first');
  log.files.fault = (_operation, name) => (name === 'sync' ? 'error' : undefined);
  assert.throws(
    () => log.append('second'),
    (error) => error instanceof LogFailure && error.tail === 'unsynced',
  );
  log.files.fault = () => undefined;
  assert.equal(log.writer.repair(3), false);
  assert.throws(() => log.append('third'), LogFailure);
  assert.deepEqual(texts(new TestLog(log.files).found), ['first']);
});

test('a full disk refuses writes, and a probe brings them back', () => {
  const log = new TestLog(new SimulatedFiles());
  log.append('first');
  log.files.fault = (_operation, name) => (name === 'write' ? 'error' : undefined);
  assert.throws(() => log.append('second'), /write: EIO/);
  assert.equal(log.writer.repair(3), false);
  log.files.fault = () => undefined;
  assert.equal(log.writer.repair(3), true);
  log.append('second, again');
  assert.deepEqual(texts(readAll(log.files).found), ['first', 'second, again']);
  assert.equal(log.state[LOG_END]! % 8, WAL_HEADER_BYTES % 8);
});
