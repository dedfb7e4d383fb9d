/**
 * The arguments of one command.
 *
 *   positionals, and options as `--name=value`, `--name value`, or `--name` alone for a boolean (which is then true);
 *   `--json='{"name": value}'` for several options in one piece.
 *
 * node:util splits the arguments. A boolean option never takes the next argument, so `start --daemon ./data` works.
 */

import { parseArgs } from 'node:util';

export type OptionKind = 'boolean' | 'text' | 'integer';

/** Options of one command by name. */
export type OptionKinds = Readonly<Record<string, OptionKind>>;

/** An option's value, before its meaning is checked: text from `--name=text`, a JSON value from `--json`. */
export type OptionValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown };

export type Arguments = {
  readonly positionals: readonly string[];
  readonly options: ReadonlyMap<string, OptionValue>;
};

/** The user wrote a command line that makes no sense. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Splits what stands after a command's name; a UsageError for an option that it does not have, or one given twice. */
export function readArguments(args: readonly string[], kinds: OptionKinds): Arguments {
  const known: OptionKinds = { ...kinds, help: 'boolean', json: 'text' };
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(known).map(([name, kind]) => [name, { type: kind === 'boolean' ? 'boolean' : 'string' }] as const),
    ),
  });
  const positionals: string[] = [];
  const options = new Map<string, OptionValue>();
  const add = (name: string, value: OptionValue): void => {
    if (!Object.hasOwn(known, name)) throw new UsageError(`unknown option --${name}`);
    if (options.has(name)) throw new UsageError(`option --${name} is given twice`);
    options.set(name, value);
  };
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (!token.rawName.startsWith('--')) throw new UsageError(`unknown option ${token.rawName}`);
    const text = token.value ?? (known[token.name] === 'boolean' ? 'true' : undefined);
    if (text === undefined && Object.hasOwn(known, token.name))
      throw new UsageError(`option --${token.name} needs a value`);
    if (token.name === 'json') {
      for (const [name, value] of Object.entries(parseJsonOptions(text as string))) add(name, { kind: 'json', value });
    } else {
      add(token.name, { kind: 'text', text: text ?? '' });
    }
  }
  return { positionals, options };
}

/** A boolean option; `fallback` where it is not given. */
export function booleanOption(given: Arguments, name: string, fallback: boolean): boolean {
  const option = given.options.get(name);
  if (option === undefined) return fallback;
  const value =
    option.kind === 'json'
      ? option.value
      : option.text === 'true'
        ? true
        : option.text === 'false'
          ? false
          : option.text;
  if (typeof value !== 'boolean')
    throw new UsageError(`option --${name}: expected true or false, not ${JSON.stringify(value)}`);
  return value;
}

/** A text option, undefined where it is not given. */
export function textOption(given: Arguments, name: string): string | undefined {
  const option = given.options.get(name);
  if (option === undefined) return undefined;
  const value = option.kind === 'json' ? option.value : option.text;
  if (typeof value !== 'string')
    throw new UsageError(`option --${name}: expected a text, not ${JSON.stringify(value)}`);
  return value;
}

/** A whole number from `minimum` to `maximum`; `fallback` where it is not given. */
export function integerOption(
  given: Arguments,
  name: string,
  fallback: number,
  minimum: number,
  maximum: number,
): number {
  const option = given.options.get(name);
  if (option === undefined) return fallback;
  const value =
    option.kind === 'json' ? option.value : /^\d{1,15}$/.test(option.text) ? Number(option.text) : option.text;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
    throw new UsageError(
      `option --${name}: expected a whole number from ${minimum} to ${maximum}, not ${JSON.stringify(value)}`,
    );
  }
  return value;
}

function parseJsonOptions(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`option --json: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('option --json: expected an object such as {"backends": 4}');
  }
  return value as Record<string, unknown>;
}
