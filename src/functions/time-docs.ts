/** Documentation of the functions of dates, timestamps and intervals (time.ts). */

import type { FunctionDoc } from './signature.ts';

type Documented = { readonly doc: FunctionDoc };

export const NOW_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The time of the transaction, the same in the whole request. `current_timestamp` is the same; `current_date` is its day.',
  parameters: [],
  errors: [],
  examples: [['now() = current_timestamp', 'true']],
};

export const EXTRACT_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'A field of a timestamp, date or interval, as an int. Fields: `year`, `quarter`, `month`, `week` (ISO), `day`, `dow` (Sunday is 0), `doy`, `hour` or `hr`, `minute` or `min`, `second` or `sec`, `millisecond` or `ms`, `microsecond` or `us`, `epoch`. `second` is the whole second, `ms` and `us` are what is below it; `epoch` is whole seconds since 1970. Of an interval each field is its own part, and `us` is what is below the millisecond. A timestamp is read in the time zone given, else in that of the request. `EXTRACT(field FROM value)` is the same.',
  parameters: ['value', 'field', 'zone'],
  errors: [
    'the field or the zone is unknown',
    'a date has no fields of a time of day',
    'an interval has no `dow` and `doy`',
  ],
  examples: [
    ["extract(timestamp '2024-05-06 07:08:09.123456', 'us')", '123456'],
    ["extract(month from date '2024-05-06')", '5'],
    ["extract(interval '1 year 14 months 90 minutes', 'hour')", '1'],
    ["extract(timestamp '2024-05-06 23:00:00', 'hour', 'Asia/Kolkata')", '4'],
    ["extract(hour from date '2024-05-06')", 'error: extract: a date has no hour'],
  ],
};

export const DATE_TRUNC_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The timestamp cut to a field: the start of its year, quarter, month, week (Monday), day, hour, minute, second or millisecond, in the time zone given, else in that of the request. A date counts as its midnight.',
  parameters: ['value', 'field', 'zone'],
  errors: [
    'the field or the zone is unknown',
    'nothing is cut to `dow`, `doy` and `epoch`',
    'the result is before the year 1',
  ],
  examples: [
    ["date_trunc(timestamp '2024-05-06 07:08:09', 'month')", '"2024-05-01 00:00:00+00"'],
    ["date_trunc(timestamp '2024-05-06 23:00:00', 'day', 'Asia/Tokyo')", '"2024-05-06 15:00:00+00"'],
    ["date_trunc(date '2024-05-06', 'year')", '"2024-01-01 00:00:00+00"'],
  ],
};

export const INTERVAL_TRUNC_DOC: FunctionDoc = {
  family: 'Time',
  summary: 'The interval without its parts below a field, cut toward zero.',
  parameters: ['value', 'field'],
  errors: ['the field is unknown', 'nothing is cut to `week`, `dow`, `doy` and `epoch`'],
  examples: [["interval_trunc(interval '2 days 3 hours 40 minutes', 'hour')", '"2 days 3 hours"']],
};

export const DATE_BIN_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The start of the bin that holds the timestamp, where bins of the width of the interval follow one another from the origin. The origin is 2001-01-01 in the time zone of the request, where none is given.',
  parameters: ['value', 'width', 'origin'],
  errors: ['the interval has months', 'the interval is not above zero', 'the result is before the year 1'],
  examples: [
    ["date_bin(timestamp '2024-05-06 07:08:09', interval '15 minutes')", '"2024-05-06 07:00:00+00"'],
    [
      "date_bin(timestamp '2024-05-06 07:08:09', interval '15 minutes', timestamp '2024-01-01 00:05:00')",
      '"2024-05-06 07:05:00+00"',
    ],
  ],
};

export const AT_TIMEZONE_DOC: FunctionDoc = {
  family: 'Time',
  summary: "The timestamp as text, as it is shown in a time zone. `value AT TIMEZONE 'zone'` is the same.",
  parameters: ['value', 'zone'],
  errors: ['the zone is unknown'],
  examples: [["at_timezone(timestamp '2024-07-01 12:00:00', 'Europe/Berlin')", '"2024-07-01 14:00:00+02"']],
};

export const AGE_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The time from the second timestamp to the first on the calendar: years, months and days, then the time of day. With one argument, from that to the start of today.',
  parameters: ['later', 'earlier'],
  errors: [],
  examples: [
    ["age(timestamp '2024-03-01', timestamp '2023-01-31 12:00:00')", '"1 year 1 month 12 hours"'],
    ["age(date '2020-01-01', date '2024-02-29')", '"-4 years -1 months -28 days"'],
  ],
};

export const TO_CHAR_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The value as text by a format of template patterns, in the time zone of the request: `YYYY`, `YY`, `IYYY`, `Q`, `MM`, `Month`, `Mon`, `WW`, `IW`, `DDD`, `DD`, `D`, `ID`, `Day`, `Dy`, `HH24`, `HH12`, `MI`, `SS`, `MS`, `US`, `AM`, `TZH`, `TZM`, `OF`, `J` and the others of PostgreSQL. `FM` before a pattern drops its padding, `TH` behind it makes an ordinal, and text in double quotes stays as it is. `TZ` is the offset, as zones have no abbreviations here.',
  parameters: ['value', 'format'],
  errors: ['an interval has no names of months and days, no weeks and no time zone'],
  examples: [
    ["to_char(timestamp '2024-05-06 17:08:09.5', 'YYYY-MM-DD HH12:MI:SS.MS AM')", '"2024-05-06 05:08:09.500 PM"'],
    ["to_char(date '2024-05-06', 'FMDay, FMDDth FMMonth YYYY')", '"Monday, 6th May 2024"'],
    ["to_char(interval '26 hours 5 minutes', 'HH24:MI')", '"26:05"'],
  ],
};

export const MAKE_DATE_DOC: FunctionDoc = {
  family: 'Time',
  summary: 'The date of a year, month and day.',
  parameters: ['year', 'month', 'day'],
  errors: ['there is no such date in the years 1 to 9999'],
  examples: [
    ['make_date(2024, 2, 29)', '"2024-02-29"'],
    ['make_date(2023, 2, 29)', 'error: make_date: there is no date 2023-2-29'],
  ],
};

export const MAKE_TIMESTAMP_DOC: FunctionDoc = {
  family: 'Time',
  summary:
    'The timestamp of a local time in the time zone given, else in that of the request. The seconds may have a fraction, which is rounded to microseconds.',
  parameters: ['year', 'month', 'day', 'hour', 'minute', 'second', 'zone'],
  errors: ['there is no such date or time in the years 1 to 9999', 'the zone is unknown'],
  examples: [
    ['make_timestamp(2024, 2, 29, 23, 59, 1.5)', '"2024-02-29 23:59:01.500+00"'],
    ["make_timestamp(2024, 7, 1, 12, 0, 0, 'Europe/Berlin')", '"2024-07-01 10:00:00+00"'],
  ],
};

export const TIMESTAMP_DOC: FunctionDoc = {
  family: 'Casts',
  summary: 'The timestamp of a text that is read in a time zone, where it does not say its own.',
  parameters: ['value', 'zone'],
  errors: ['the text is no timestamp', 'the zone is unknown'],
  examples: [["timestamp('2024-07-01 12:00:00', 'Europe/Berlin')", '"2024-07-01 10:00:00+00"']],
};

/** The documentation of overloads that take the second argument first. */
function swapped(doc: FunctionDoc, example: readonly [string, string]): FunctionDoc {
  const [first, second, ...rest] = doc.parameters;
  return {
    ...doc,
    summary: `The same with the ${second} first.`,
    parameters: [second!, first!, ...rest],
    examples: [example],
  };
}

export const EXTRACT_SWAPPED: Documented = {
  doc: swapped(EXTRACT_DOC, ["extract('year', date '2024-05-06')", '2024']),
};
export const DATE_TRUNC_SWAPPED: Documented = {
  doc: swapped(DATE_TRUNC_DOC, ["date_trunc('hour', timestamp '2024-05-06 07:08:09')", '"2024-05-06 07:00:00+00"']),
};
export const INTERVAL_TRUNC_SWAPPED: Documented = {
  doc: swapped(INTERVAL_TRUNC_DOC, ["interval_trunc('year', interval '30 months')", '"2 years"']),
};
export const DATE_BIN_SWAPPED: Documented = {
  doc: swapped(DATE_BIN_DOC, [
    "date_bin(interval '2 days', timestamp '2001-01-04 12:00:00')",
    '"2001-01-03 00:00:00+00"',
  ]),
};
export const EXTRACT: Documented = { doc: EXTRACT_DOC };
export const DATE_TRUNC: Documented = { doc: DATE_TRUNC_DOC };
export const DATE_BIN: Documented = { doc: DATE_BIN_DOC };
export const AGE: Documented = { doc: AGE_DOC };
export const TO_CHAR: Documented = { doc: TO_CHAR_DOC };
export const MAKE_TIMESTAMP: Documented = { doc: MAKE_TIMESTAMP_DOC };
