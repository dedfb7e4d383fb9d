/** Time zones over their history, against Temporal: offsets around every kind of clock change, and local times. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timeZone, timeZoneOf } from './time-zone.ts';

/** Zones with a history: local mean time with seconds, half hours, skipped days, changes twice a year for ever. */
const ZONES = [
  'Europe/Berlin',
  'Europe/Amsterdam',
  'Europe/Dublin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Juneau',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Asia/Manila',
  'Africa/Monrovia',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
];

/** The clock changes of a zone between two years, in seconds since 1970. */
function changes(name: string, from: number, to: number): number[] {
  const found: number[] = [];
  let moment = Temporal.PlainDateTime.from({ year: from, month: 1, day: 1 }).toZonedDateTime(name);
  for (;;) {
    const next = moment.getTimeZoneTransition('next');
    if (next === null || next.year >= to) return found;
    found.push(next.epochMilliseconds / 1000);
    moment = next;
  }
}

function offsetOf(name: string, seconds: number): number {
  const moment = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(name);
  return moment.offsetNanoseconds / 1e9;
}

/** The instant of a local time: of two the later, in a gap by the offset before it. */
function instantOf(name: string, localSeconds: number): number {
  const local = Temporal.Instant.fromEpochMilliseconds(localSeconds * 1000)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime();
  return local.toZonedDateTime(name, { disambiguation: 'later' }).epochMilliseconds / 1000;
}

describe('time zones', () => {
  for (const name of ZONES) {
    it(`${name}: offsets and local times around its clock changes`, () => {
      const zone = timeZone(name);
      const moments = changes(name, 1840, 2045);
      assert(moments.length > 1, 'the runtime has its history');
      // Out of order, so that spans are found, not followed.
      for (const change of moments.toReversed().concat(moments)) {
        for (const distance of [-86400, -7200, -1, 0, 1, 1800, 86400]) {
          const seconds = change + distance;
          assert.equal(zone.offsetAt(seconds), offsetOf(name, seconds), `${name} at ${seconds}`);
        }
        for (const offset of [offsetOf(name, change - 1), offsetOf(name, change)])
          for (const distance of [-90000, -5400, -1800, -1, 0, 900, 1799, 1800, 5400, 90000]) {
            const local = change + offset + distance;
            assert.equal(zone.toUtc(local), instantOf(name, local), `${name}, local ${local}`);
          }
      }
    });
  }

  it('offsets with seconds: local mean time', () => {
    assert.equal(timeZone('America/New_York').offsetAt(-3000000000), -(4 * 3600 + 56 * 60 + 2));
    assert.equal(timeZone('Europe/Berlin').offsetAt(-3000000000), 53 * 60 + 28);
    assert.equal(timeZone('Asia/Kolkata').offsetAt(-5000000000), 5 * 3600 + 53 * 60 + 28);
  });

  it('Lord Howe moves its clocks by half an hour', () => {
    const zone = timeZone('Australia/Lord_Howe');
    const [summer, winter] = [Date.UTC(2024, 0, 1) / 1000, Date.UTC(2024, 6, 1) / 1000];
    assert.deepEqual([zone.offsetAt(summer), zone.offsetAt(winter)], [39600, 37800]);
  });

  it('more clock changes than are kept', () => {
    const zone = timeZone('Europe/Berlin');
    for (let round = 0; round < 2; round++)
      for (let year = 1; year < 10000; year += 3) {
        const winter = Math.floor(new Date(Date.UTC(2000, 0, 15)).setUTCFullYear(year) / 1000);
        assert.equal(zone.offsetAt(winter), year < 1893 ? 3208 : zone.offsetAt(winter), String(year));
        if (year > 1996) assert.deepEqual([zone.offsetAt(winter), zone.offsetAt(winter + 180 * 86400)], [3600, 7200]);
      }
  });

  it('far instants keep an offset', () => {
    for (const seconds of [-1e15, -8.64e12, 8.64e12, 1e15])
      assert(Math.abs(timeZone('Europe/Berlin').offsetAt(seconds)) < 57600);
  });

  it('are found by the bytes of their name', () => {
    const bytes = new TextEncoder().encode('xEurope/Berlinx');
    assert.equal(timeZoneOf(bytes, 1, 14), timeZone('Europe/Berlin'));
    assert.equal(timeZoneOf(bytes, 1, 14), timeZone('Europe/Berlin'));
    assert.throws(() => timeZoneOf(bytes, 0, 14), { code: 'invalid_value' });
    assert.equal(timeZoneOf(new TextEncoder().encode('Asia/Kolkata!'), 0, 12), timeZone('Asia/Kolkata'));
  });
});
