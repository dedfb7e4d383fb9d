/**
 * The proleptic Gregorian calendar, by the algorithms of Cassio Neri and Lorenz Schneider ("Euclidean affine functions and
 * their application to calendar algorithms", 2022): years begin in March, so the leap day is the last. Days are counted from
 * 1970-01-01. Years are shifted by 4800, which is whole 400-year cycles, so that nothing is negative and every division is
 * one of 32-bit integers: exact from the year -4800 on, far beyond what a date can be.
 */

/** Days from the first day of the shifted count, in March of the year -4800, to 1970-01-01. */
const SHIFT_DAYS = 2472632;

/** Days since 1970-01-01 of a date; month from 1. */
export function daysOfCivil(year: number, month: number, day: number): number {
  const shiftedYear = (year + (month <= 2 ? 4799 : 4800)) | 0;
  const century = (shiftedYear / 100) | 0;
  const yearDays = ((1461 * shiftedYear) >> 2) - century + (century >> 2);
  const monthDays = (979 * (month <= 2 ? month + 12 : month) - 2919) >> 5;
  return yearDays + monthDays + day - 1 - SHIFT_DAYS;
}

/** Year, month (from 1) and day, as left by `civilOfDays`. */
export const CIVIL: Int32Array = new Int32Array(3);

/** Leaves the date of that day since 1970-01-01 in CIVIL. */
export function civilOfDays(days: number): void {
  const quarters = ((days + SHIFT_DAYS) | 0) * 4 + 3;
  const century = (quarters / 146097) | 0;
  const centuryQuarters = (quarters - century * 146097) | 3;
  const yearOfCentury = (centuryQuarters / 1461) | 0;
  const dayOfYear = (centuryQuarters - yearOfCentury * 1461) >> 2;
  const month = 2141 * dayOfYear + 197913;
  const isNextYear = dayOfYear >= 306;
  CIVIL[0] = 100 * century + yearOfCentury + (isNextYear ? 1 : 0) - 4800;
  CIVIL[1] = (month >> 16) - (isNextYear ? 12 : 0);
  CIVIL[2] = (((month & 0xffff) / 2141) | 0) + 1;
}

export function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Days of a month. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Day of the week, from Sunday = 0: 1970-01-01 was a Thursday. */
export function dayOfWeek(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

/** Days since Monday. */
export function daysSinceMonday(days: number): number {
  return (((days + 3) % 7) + 7) % 7;
}

/** Day of the year, from 1. Leaves the date in CIVIL. */
export function dayOfYear(days: number): number {
  civilOfDays(days);
  return days - daysOfCivil(CIVIL[0]!, 1, 1) + 1;
}

/** ISO week, from 1: it belongs to the year of its Thursday, which is left in CIVIL[0]. */
export function isoWeek(days: number): number {
  return Math.floor((dayOfYear(days - daysSinceMonday(days) + 3) - 1) / 7) + 1;
}

/**
 * Days since 1970-01-01 of the date `months` months after (before) that of day `days`: of a month that is shorter, its last
 * day. NaN where the year would be outside 0 to 10000.
 */
export function addMonths(days: number, months: number): number {
  civilOfDays(days);
  const count = CIVIL[0]! * 12 + CIVIL[1]! - 1 + months;
  const year = Math.floor(count / 12);
  if (!(year >= 0 && year <= 10000)) return Number.NaN;
  const month = count - year * 12 + 1;
  return daysOfCivil(year, month, Math.min(CIVIL[2]!, daysInMonth(year, month)));
}
