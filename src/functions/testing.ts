/** For tests: calls of functions with JavaScript values. */

import assert from 'node:assert/strict';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { Memory } from '../base/memory.ts';
import { RandomGenerator } from '../base/random-generator.ts';
import { createRegisters } from '../base/registers.ts';
import { Scratch } from '../base/scratch.ts';
import { getBig, setBig } from '../types/int64.ts';
import { ONE_LINE, writeJson } from '../types/json/text.ts';
import { jsonFromText } from '../types/json.ts';
import { timeZone } from '../types/time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG, writeTimestamp } from '../types/timestamp.ts';
import { BIGINT, BOOL, DOUBLE, JSON_TYPE, NULL_TYPE, TEXT, TIMESTAMP, type TypeId } from '../types/type.ts';
import { decodeUtf8 } from '../types/utf8.ts';
import { callFunction, functionName, isFunctionIndex, resolveFunction } from './registry.ts';
import type { FunctionContext } from './signature.ts';
import { textOf, valueBytes, valueStart } from './values.ts';

const memory = Memory.create({ limitBytes: 1 << 22, eagerArenas: false });
const encoder = new TextEncoder();

/** Arguments: bigint int, number double, string text, boolean, null, { json }, { at: timestamp }. */
export type Argument = bigint | number | string | boolean | null | { json: string } | { at: string };

function typeOf(value: Argument): TypeId {
  if (value === null) return NULL_TYPE;
  if (typeof value === 'bigint') return BIGINT;
  if (typeof value === 'number') return DOUBLE;
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'boolean') return BOOL;
  return 'json' in value ? JSON_TYPE : TIMESTAMP;
}

function load(context: FunctionContext, register: number, value: Argument): void {
  context.nul[register] = value === null ? 1 : 0;
  if (typeof value === 'bigint') setBig(context, register, value);
  else if (typeof value === 'number') context.num[register] = value;
  else if (typeof value === 'string') context.num[register] = context.scratch.text(encoder.encode(value));
  else if (typeof value === 'boolean') context.num[register] = value ? 1 : 0;
  else if (value !== null && 'json' in value) context.num[register] = context.scratch.text(jsonFromText(value.json));
  else if (value !== null) {
    const bytes = encoder.encode(value.at);
    const micros = parseTimestamp(bytes, 0, bytes.length, context.timeZone);
    context.num[register] = micros;
    if (Number.isNaN(micros)) context.big[register] = TIMESTAMP_BIG[0]!;
  }
}

function result(context: FunctionContext, type: TypeId): unknown {
  if (context.nul[0] !== 0) return null;
  if (type === BIGINT) return getBig(context, 0);
  if (type === TEXT) return textOf(context, 0);
  if (type === BOOL) return context.num[0] !== 0;
  if (type === JSON_TYPE) {
    const json = new ByteWriter(64);
    const ref = context.num[0]!;
    writeJson(json, valueBytes(context, ref), valueStart(ref), ONE_LINE);
    return { json: decodeUtf8(json.bytes, 0, json.length) };
  }
  if (type !== TIMESTAMP) return context.num[0];
  const writer = new ByteWriter(64);
  writeTimestamp(writer, context.num[0]!, context.big[0]!, context.timeZone);
  return decodeUtf8(writer.bytes, 0, writer.length);
}

/** The result of a call, or the text of its error. JSON results are { json: text }. */
export function call(name: string, args: readonly Argument[], zone: string = 'UTC'): unknown {
  const found = resolveFunction(name, args.map(typeOf));
  if (typeof found === 'string') return found;
  assert(isFunctionIndex(found.functionIndex));
  assert.equal(functionName(found.functionIndex), name);
  const registers = createRegisters(20);
  const context: FunctionContext = {
    ...registers,
    memory,
    scratch: new Scratch(memory),
    now: 5e6,
    timeZone: timeZone(zone),
    random: new RandomGenerator(1, 2),
  };
  args.forEach((value, index) => {
    const isConverted = found.argumentTypes[index] === DOUBLE && typeof value === 'bigint';
    load(context, index + 2, isConverted ? Number(value) : value);
  });
  try {
    callFunction(context, found.functionIndex, 0, 2);
  } catch (error) {
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return result(context, found.resultType);
}
