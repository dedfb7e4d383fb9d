/**
 * Time zones: offsets from UTC by the runtime's own zone data (Temporal), with their whole history. What Temporal said is
 * kept as the spans between clock changes, so that a column of timestamps asks it once or twice a year of its range. Times
 * between 1850 and 2116 have a table besides: the offset of every piece of 24 days in which no clock changes.
 *
 * Local times are made instants as PostgreSQL does it: one that a clock change leaves out counts by the offset before the
 * change, and so comes out moved forward (02:30 becomes 03:30); one that comes twice is the later, that of standard time.
 */

import { SqlError } from '../base/errors.ts';
import { decodeUtf8 } from './utf8.ts';

/** Spans kept a zone; more start over. */
const SPAN_COUNT_MAX = 2048;
/** Instants beyond are outside of Temporal; no timestamp is. */
const INSTANT_SECONDS_MAX = 8.64e12;

/** Pieces of 2^21 seconds from 1850-01-01 on. */
const PIECES_START = -3786825600;
const PIECE_SECONDS = 2097152;
const PIECE_COUNT = 4096;
const UNKNOWN = 0x7fffffff;
const NO_PIECES: Int32Array = new Int32Array(PIECE_COUNT).fill(UNKNOWN);

/** In UTC, by number of a field (time-fields.ts): day, hour, minute, second, millisecond, microsecond. */
const UTC_TRUNCATION_MICROS = new Float64Array([0, 0, 0, 0, 0, 8.64e10, 0, 0, 3.6e9, 6e7, 1e6, 1e3, 1, 0]);
const NO_TRUNCATION_MICROS = new Float64Array(UTC_TRUNCATION_MICROS.length);

export class TimeZone {
  readonly name: string;
  readonly isUtc: boolean;
  /** By number of a field: the microseconds to whose multiples a timestamp is cut; 0 where that is not all there is to it. */
  readonly truncationMicros: Float64Array;
  /** Span of the last answer, seconds since 1970 UTC: [start, end), and its offset in seconds east of UTC. */
  private start = 0;
  private end = 0;
  private offset = 0;
  /** The spans known, in order. */
  private spanCount = 0;
  private starts: Float64Array = NO_SPANS;
  private ends: Float64Array = NO_SPANS;
  private offsets: Float64Array = NO_SPANS;
  /** Offsets by piece; a table of its own from the first that is known. */
  private pieces: Int32Array = NO_PIECES;

  /** `name` must be one that Temporal knows: use `timeZone`. */
  constructor(name: string, isUtc: boolean) {
    this.name = name;
    this.isUtc = isUtc;
    this.truncationMicros = isUtc ? UTC_TRUNCATION_MICROS : NO_TRUNCATION_MICROS;
    if (isUtc) {
      this.start = Number.NEGATIVE_INFINITY;
      this.end = Number.POSITIVE_INFINITY;
    }
  }

  /** Seconds east of UTC at that instant (seconds since 1970 UTC). */
  offsetAt(utcSeconds: number): number {
    if (utcSeconds >= this.start && utcSeconds < this.end) return this.offset;
    const piece = (utcSeconds - PIECES_START) / PIECE_SECONDS;
    if (piece >= 0 && piece < PIECE_COUNT) {
      const offset = this.pieces[piece | 0]!;
      if (offset !== UNKNOWN) return offset;
    }
    return this.findOffset(utcSeconds);
  }

  /** The instant of a local time, both in seconds. */
  toUtc(localSeconds: number): number {
    if (this.isUtc) return localSeconds;
    const before = this.offsetAt(localSeconds - 86400);
    const after = this.offsetAt(localSeconds + 86400);
    if (before === after) return localSeconds - after;
    if (this.offsetAt(localSeconds - after) === after) return localSeconds - after;
    return localSeconds - before;
  }

  private findOffset(utcSeconds: number): number {
    let low = 0;
    let high = this.spanCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! <= utcSeconds) low = middle + 1;
      else high = middle;
    }
    // Spans before `low` start at or before the instant.
    if (low === 0 || utcSeconds >= this.ends[low - 1]!) low = this.addSpan(low, utcSeconds);
    this.start = this.starts[low - 1]!;
    this.end = this.ends[low - 1]!;
    this.offset = this.offsets[low - 1]!;
    return this.offset;
  }

  /** Asks Temporal for the span of an instant, whose place in the order is `at`; gives the place behind it. */
  private addSpan(at: number, utcSeconds: number): number {
    if (this.spanCount === SPAN_COUNT_MAX) {
      this.spanCount = 0;
      at = 0;
    }
    if (this.spanCount === this.starts.length) this.grow();
    const seconds = Math.min(Math.max(utcSeconds, -INSTANT_SECONDS_MAX), INSTANT_SECONDS_MAX);
    const moment = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(this.name);
    const next = seconds === INSTANT_SECONDS_MAX ? null : moment.getTimeZoneTransition('next');
    // `previous` is strictly before, so the question is asked a nanosecond later for a moment that is itself a transition.
    const previous =
      Math.abs(seconds) === INSTANT_SECONDS_MAX
        ? moment.getTimeZoneTransition('previous')
        : moment.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
    for (const list of [this.starts, this.ends, this.offsets]) list.copyWithin(at + 1, at, this.spanCount);
    this.starts[at] = previous === null ? Number.NEGATIVE_INFINITY : Math.floor(previous.epochMilliseconds / 1000);
    this.ends[at] = next === null ? Number.POSITIVE_INFINITY : Math.floor(next.epochMilliseconds / 1000);
    this.offsets[at] = Math.round(moment.offsetNanoseconds / 1e9);
    this.spanCount++;
    this.fillPieces(this.starts[at]!, this.ends[at]!, this.offsets[at]!);
    return at + 1;
  }

  /** Notes the offset of the pieces that lie in a span as a whole. */
  private fillPieces(start: number, end: number, offset: number): void {
    if (this.pieces === NO_PIECES) this.pieces = NO_PIECES.slice();
    const first = Math.max(0, Math.ceil((start - PIECES_START) / PIECE_SECONDS));
    const last = Math.min(PIECE_COUNT, Math.floor((end - PIECES_START) / PIECE_SECONDS));
    if (first < last) this.pieces.fill(offset, first, last);
  }

  private grow(): void {
    const capacity = Math.max(16, this.starts.length * 2);
    const grown = (list: Float64Array): Float64Array => {
      const copy = new Float64Array(capacity);
      copy.set(list);
      return copy;
    };
    this.starts = grown(this.starts);
    this.ends = grown(this.ends);
    this.offsets = grown(this.offsets);
  }
}

const NO_SPANS: Float64Array = new Float64Array(0);

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

/** The name of the zone that `timeZoneOf` gave last, and that zone. */
let lastName: Uint8Array = new Uint8Array(0);
let lastZone: TimeZone | undefined;

/** The zone whose name is bytes[start, end): where a row names it, mostly that of the row before. Throws invalid_value. */
export function timeZoneOf(bytes: Uint8Array, start: number, end: number): TimeZone {
  if (lastZone !== undefined && end - start === lastName.length) {
    let i = 0;
    while (i < lastName.length && bytes[start + i] === lastName[i]) i++;
    if (i === lastName.length) return lastZone;
  }
  const zone = timeZone(decodeUtf8(bytes, start, end));
  lastName = bytes.slice(start, end);
  lastZone = zone;
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
