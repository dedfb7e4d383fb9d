/** to_char against values that PostgreSQL gives. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import { CIVIL, civilOfDays } from '../types/calendar.ts';
import { decodeUtf8 } from '../types/utf8.ts';
import { type TimeParts, writeToChar } from './to-char.ts';

/** Parts of `2024-05-06 17:08:09.123456` or of hours and so on of an interval. */
function partsOf(text: string, offset = 0): TimeParts {
  const [date, time = '00:00:00'] = text.split(' ');
  const days = Date.parse(`${date}T00:00:00Z`) / 86400000;
  const [hour, minute, second] = time.split(':');
  civilOfDays(days);
  return {
    isInterval: false,
    year: CIVIL[0]!,
    month: CIVIL[1]!,
    day: CIVIL[2]!,
    hour: Number(hour),
    minute: Number(minute),
    second: Math.trunc(Number(second)),
    micros: Math.round((Number(second) % 1) * 1e6),
    days,
    offset,
    zone: offset === 0 ? 'UTC' : 'Asia/Kolkata',
  };
}

function print(parts: TimeParts, format: string): string {
  const writer = new ByteWriter(8);
  const bytes = new TextEncoder().encode(format);
  writeToChar(writer, parts, bytes, 0, bytes.length);
  return decodeUtf8(writer.bytes, 0, writer.length);
}

const CASES: readonly (readonly [value: string, format: string, result: string])[] = [
  ['2002-04-20 17:31:12.66', 'HH12:MI:SS', '05:31:12'],
  ['2002-04-20 17:31:12.66', 'hh24:mi:ss.ms', '17:31:12.660'],
  ['2000-06-06 17:39:18', 'Day, DD  HH12:MI:SS', 'Tuesday  , 06  05:39:18'],
  ['2000-06-06 17:39:18', 'FMDay, FMDD  HH12:MI:SS', 'Tuesday, 6  05:39:18'],
  ['2024-05-06 00:08:09', 'HH HH12 HH24 AM am P.M. p.m.', '12 12 00 AM am A.M. a.m.'],
  ['2024-05-06 12:08:09', 'HH AM', '12 PM'],
  ['2024-05-06', 'MONTH Month month MON Mon mon MM', 'MAY       May       may       MAY May may 05'],
  ['2024-05-06', 'DAY Dy dy FMDDth FMDDTH', 'MONDAY    Mon mon 6th 6TH'],
  ['2024-05-01', 'FMDDth', '1st'],
  ['2024-05-12', 'DDth', '12th'],
  ['2024-05-22', 'DDth', '22nd'],
  ['2024-05-23', 'DDth', '23rd'],
  ['2024-02-29', 'DDD D ID Q W WW', '060 5 4 1 5 09'],
  ['2021-01-01', 'IYYY-IW-ID IDDD IYY IY I', '2020-53-5 369 020 20 0'],
  ['2024-05-06', 'YYYY YYY YY Y Y,YYY CC', '2024 024 24 4 2,024 21'],
  ['2000-12-31', 'CC', '20'],
  ['2000-01-01', 'J', '2451545'],
  ['2024-08-06', 'RM rm', 'VIII viii'],
  ['2024-05-06', 'RM|FMRM', 'V   |V'],
  ['2024-05-06 01:00:01.123456', 'SSSS SSSSS MS US FF1 FF3 FF6', '3601 3601 123 123456 1 123 123456'],
  ['2024-05-06', '"Year:" YYYY', 'Year: 2024'],
  ['2024-05-06', '"a \\"YYYY\\"" \\"YYYY\\"', 'a "YYYY" "2024"'],
  ['2024-05-06', 'AD B.C.', 'AD A.D.'],
  ['2024-05-06', 'TZ OF TZH:TZM', 'UTC +00 +00:00'],
  ['0001-01-01', 'YYYY-MM-DD FMYYYY', '0001-01-01 1'],
  ['2024-05-06', '', ''],
  ['2024-05-06', 'é→', 'é→'],
];

for (const [value, format, result] of CASES)
  it(`${value} by ${format}`, () => assert.equal(print(partsOf(value), format), result));

it('the offset of a zone', () => {
  assert.equal(print(partsOf('2024-05-06', 19800), 'TZ OF TZH TZM'), '+05:30 +05:30 +05 30');
  assert.equal(print(partsOf('2024-05-06', -12600), 'OF TZH TZM'), '-03:30 -03 30');
});

it('intervals have numbers only', () => {
  const parts: TimeParts = {
    ...partsOf('2000-01-01'),
    isInterval: true,
    year: 1,
    month: 2,
    day: 40,
    hour: 15,
    minute: 2,
    second: 12,
  };
  assert.equal(print(parts, 'HH24:MI:SS'), '15:02:12');
  assert.equal(print(parts, 'YYYY MM DD HH12 AM'), '0001 02 40 03 PM');
  assert.equal(print({ ...parts, hour: -100 }, 'HH24'), '-100');
  for (const format of ['Month', 'Day', 'WW', 'TZ', 'Q', 'J'])
    assert.throws(() => print(parts, format), {
      code: 'invalid_value',
      message: `to_char: an interval has no ${format}`,
    });
});
