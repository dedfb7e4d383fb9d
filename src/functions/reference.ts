/** The reference of all functions, from their definitions: for the manual's page, completion and tests. */

import { assert } from '../base/assert.ts';
import { VALUE_NAMES } from '../types/type.ts';
import { FUNCTIONS } from './registry.ts';
import {
  FUNCTION_FAMILIES,
  type FunctionExample,
  type FunctionFamily,
  type ParameterType,
  type ScalarFunction,
} from './signature.ts';
import { SPECIAL_FUNCTIONS } from './special.ts';

/** A function of the reference: overloads of one name in one chapter. */
export type FunctionEntry = {
  readonly name: string;
  readonly family: FunctionFamily;
  /** `lpad(s string, n int) → string` */
  readonly signatures: readonly string[];
  readonly summaries: readonly string[];
  readonly nulls: string;
  readonly errors: readonly string[];
  readonly examples: readonly FunctionExample[];
  readonly isPure: boolean;
};

const STRICT = 'NULL if an argument is NULL';
const NEVER_NULL = 'never NULL';

/** `lpad(s string, n int) → string` */
export function signatureOf(overload: ScalarFunction): string {
  const { name, parameters, isVariadic, result, doc } = overload;
  const shown = parameters.map((type, index) => `${doc?.parameters[index] ?? 'value'} ${parameterName(type)}`);
  return `${name}(${[...shown, ...(isVariadic ? ['…'] : [])].join(', ')}) → ${VALUE_NAMES[result]}`;
}

function parameterName(type: ParameterType): string {
  return type < 0 ? 'any' : VALUE_NAMES[type];
}

/** Every function, chapter by chapter. */
export function functionEntries(): FunctionEntry[] {
  const groups = Map.groupBy(FUNCTIONS, ({ name, doc }) => `${name} ${doc?.family}`);
  const special: FunctionEntry[] = SPECIAL_FUNCTIONS.map(({ name, signatures, isPure, doc }) => ({
    name,
    family: doc.family,
    signatures,
    summaries: [doc.summary],
    nulls: doc.nulls ?? NEVER_NULL,
    errors: doc.errors,
    examples: doc.examples,
    isPure,
  }));
  const entries = special.map((entry) => {
    const key = `${entry.name} ${entry.family}`;
    const overloads = groups.get(key);
    groups.delete(key);
    return overloads === undefined ? entry : joined(entry, entryOf(overloads));
  });
  for (const overloads of groups.values()) entries.push(entryOf(overloads));
  return FUNCTION_FAMILIES.flatMap((family) => entries.filter((entry) => entry.family === family));
}

/** A cast of one argument, and what is called by the same name with more of them. */
function joined(entry: FunctionEntry, more: FunctionEntry): FunctionEntry {
  return {
    ...entry,
    signatures: [...entry.signatures, ...more.signatures],
    summaries: [...entry.summaries, ...more.summaries],
    errors: [...new Set([...entry.errors, ...more.errors])],
    examples: [...entry.examples, ...more.examples],
  };
}

function entryOf(overloads: readonly ScalarFunction[]): FunctionEntry {
  const docs = [...new Set(overloads.map(({ doc }) => doc))].filter((doc) => doc !== undefined);
  const [first] = docs;
  assert(first !== undefined, 'every function has its documentation');
  const [{ name, isPure, parameters }] = overloads;
  return {
    name,
    family: first.family,
    signatures: overloads.map(signatureOf),
    summaries: [...new Set(docs.map((doc) => doc.summary))],
    nulls: first.nulls ?? (parameters.length === 0 ? NEVER_NULL : STRICT),
    errors: [...new Set(docs.flatMap((doc) => doc.errors))],
    examples: [...new Map(docs.flatMap((doc) => doc.examples).map((example) => [example[0], example])).values()],
    isPure,
  };
}

const INTRODUCTION = `# Functions

Every built-in function, from its definition in the program: this page is made by \`npm run docs\`, and a test runs each
example in an empty database with the time zone UTC. Behind the arrow stands what a result shows in the format \`json\`.

All functions are in schema \`public\`, but those of schema \`system\`. A function with an argument can be called as a method:
\`substr(s, 2)\` is \`s::substr(2)\`, and \`s::trim::upper\` is \`upper(trim(s))\`. Types are called as \`type()\` calls them: \`int\` is
every width of integers, \`double\` is float too, \`string\` is text; a \`double\` parameter takes an int, \`any\` takes every type. A
wrong number or type of arguments is an error before anything runs. What is computed of constants and parameters only is
computed once a request, but where it says *new for each row*.
`;

/** The manual's page. */
export function functionsPage(): string {
  const entries = functionEntries();
  const chapters = FUNCTION_FAMILIES.filter((family) => entries.some((entry) => entry.family === family));
  const contents = chapters.map((family) => {
    const names = entries.filter((entry) => entry.family === family).map((entry) => `\`${entry.name}\``);
    return `- [${family}](#${anchor(family)}): ${names.join(', ')}`;
  });
  const parts = [INTRODUCTION, contents.join('\n')];
  for (const family of chapters) {
    parts.push(`\n## ${family}`);
    for (const entry of entries) if (entry.family === family) parts.push(section(entry));
  }
  return `${parts.join('\n')}\n`;
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-');
}

function section(entry: FunctionEntry): string {
  const lines = [`\n### ${entry.name}\n`, ...entry.signatures.map((signature) => `- \`${signature}\``), ''];
  lines.push(entry.summaries.join(' '), '');
  lines.push(`NULL: ${entry.nulls}.${entry.isPure ? '' : ' New for each row.'}`);
  if (entry.errors.length > 0) lines.push(`Errors: ${entry.errors.join('; ')}.`);
  const width = Math.min(48, Math.max(...entry.examples.map(([sql]) => sql.length)));
  lines.push('', '```', ...entry.examples.map(([sql, result]) => `${sql.padEnd(width)} → ${result}`), '```');
  return lines.join('\n');
}
