/**
 * Time zones: offsets from UTC by the runtime's own zone data (Temporal), cached as the intervals between transitions, so
 * that a column of timestamps asks Temporal once or twice a year of its range.
 */

import { SqlError } from '../base/errors.ts';

/** Intervals kept a zone; more start over. */
const INTERVAL_COUNT_MAX = 512;

export class TimeZone {
  readonly name: string;
  readonly isUtc: boolean;
  /** Interval of the last answer, seconds since 1970 UTC: [start, end), and its offset in seconds east of UTC. */
  private start = 0;
  private end = 0;
  private offset = 0;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly offsets: number[] = [];

  /** `name` must be one that Temporal knows: use `timeZone`. */
  constructor(name: string, isUtc: boolean) {
    this.name = name;
    this.isUtc = isUtc;
    if (isUtc) {
      this.start = Number.NEGATIVE_INFINITY;
      this.end = Number.POSITIVE_INFINITY;
    }
  }

  /** Seconds east of UTC at that instant (seconds since 1970 UTC). */
  offsetAt(utcSeconds: number): number {
    if (utcSeconds >= this.start && utcSeconds < this.end) return this.offset;
    return this.findOffset(utcSeconds);
  }

  /**
   * The instant of a local time, both in seconds. A local time that a clock change leaves out counts by the offset before
   * the change; one that comes twice is the later (standard time), as PostgreSQL has it.
   */
  toUtc(localSeconds: number): number {
    if (this.isUtc) return localSeconds;
    const before = this.offsetAt(localSeconds - 86400);
    const after = this.offsetAt(localSeconds + 86400);
    if (this.offsetAt(localSeconds - after) === after) return localSeconds - after;
    return localSeconds - before;
  }

  private findOffset(utcSeconds: number): number {
    for (let i = 0; i < this.starts.length; i++) {
      if (utcSeconds >= this.starts[i]! && utcSeconds < this.ends[i]!) {
        this.start = this.starts[i]!;
        this.end = this.ends[i]!;
        this.offset = this.offsets[i]!;
        return this.offset;
      }
    }
    const moment = Temporal.Instant.fromEpochMilliseconds(utcSeconds * 1000).toZonedDateTimeISO(this.name);
    const next = moment.getTimeZoneTransition('next');
    // `previous` is strictly before, so the question is asked a nanosecond later for a moment that is itself a transition.
    const previous = moment.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
    this.offset = Math.round(moment.offsetNanoseconds / 1e9);
    this.start = previous === null ? Number.NEGATIVE_INFINITY : Math.floor(previous.epochMilliseconds / 1000);
    this.end = next === null ? Number.POSITIVE_INFINITY : Math.floor(next.epochMilliseconds / 1000);
    if (this.starts.length === INTERVAL_COUNT_MAX) {
      this.starts.length = 0;
      this.ends.length = 0;
      this.offsets.length = 0;
    }
    this.starts.push(this.start);
    this.ends.push(this.end);
    this.offsets.push(this.offset);
    return this.offset;
  }
}

export const UTC: TimeZone = new TimeZone('UTC', true);

const ZONE_COUNT_MAX = 1000;
const zones: Map<string, TimeZone> = new Map([['UTC', UTC]]);

/** The zone of that name (IANA, any capitals, or an offset such as +02:00). Throws invalid_value naming it. */
export function timeZone(name: string): TimeZone {
  let zone = zones.get(name);
  if (zone === undefined) {
    const known = findZone(name);
    zone = known === 'UTC' ? UTC : new TimeZone(known, false);
    if (zones.size >= ZONE_COUNT_MAX) zones.clear();
    zones.set(name, zone);
  }
  return zone;
}

function findZone(name: string): string {
  try {
    // A bare id only: Temporal would also take a whole date with a zone in brackets.
    if (/^[A-Za-z0-9_+\-/:]{1,64}$/.test(name) && !/^[0-9]/.test(name)) {
      const id = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
      return /^(utc|etc\/utc|gmt|z|etc\/gmt|zulu|[+-]00:00)$/i.test(id) ? 'UTC' : id;
    }
  } catch {
    // Named below.
  }
  throw new SqlError('invalid_value', `unknown time zone '${name.slice(0, 64)}'`);
}
