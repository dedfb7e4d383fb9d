/** JSON text in the forms of results, for what is made of JavaScript values: SHOW, EXPLAIN. */

/** Members of objects and Maps on lines of their own, indented by two spaces; arrays on one line. */
export function prettyJson(value: unknown, depth: number): string {
  if (Array.isArray(value)) return `[${value.map((element) => prettyJson(element, depth)).join(', ')}]`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = (value instanceof Map ? [...value] : Object.entries(value)).filter(
    ([, member]) => member !== undefined,
  );
  if (entries.length === 0) return '{}';
  const indent = '  '.repeat(depth + 1);
  const members = entries.map(([key, member]) => `${indent}${JSON.stringify(key)}: ${prettyJson(member, depth + 1)}`);
  return `{\n${members.join(',\n')}\n${'  '.repeat(depth)}}`;
}

/** On one line, with `, ` and `: `. */
export function lineJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(lineJson).join(', ')}]`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = (value instanceof Map ? [...value] : Object.entries(value)).filter(
    ([, member]) => member !== undefined,
  );
  const members = entries.map(([key, member]) => `${JSON.stringify(key)}: ${lineJson(member)}`);
  return `{${members.join(', ')}}`;
}
