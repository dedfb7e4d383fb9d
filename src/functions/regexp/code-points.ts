/**
 * Sets of characters: sorted ranges of code points, [low, high, low, high, …], neither overlapping nor adjacent. Surrogates
 * are in no set: they stand in no UTF-8 text.
 *
 * What Unicode knows (properties, cases) is asked of the runtime's own regular expressions, so there are no tables here.
 */

export type CodePointSet = readonly number[];

const LAST = 0x10ffff;
export const ANY_CHARACTER: CodePointSet = [0, 0xd7ff, 0xe000, LAST];
export const DIGITS: CodePointSet = [0x30, 0x39];
export const WORD_CHARACTERS: CodePointSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** White space and line ends, as in JavaScript. */
export const WHITE_SPACE: CodePointSet = [
  0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
]; // prettier-ignore

/** POSIX classes, of ASCII. */
export const POSIX_CLASSES: ReadonlyMap<string, CodePointSet> = new Map<string, CodePointSet>([
  ['alnum', [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ['alpha', [0x41, 0x5a, 0x61, 0x7a]],
  ['ascii', [0, 0x7f]],
  ['blank', [9, 9, 0x20, 0x20]],
  ['cntrl', [0, 0x1f, 0x7f, 0x7f]],
  ['digit', DIGITS],
  ['graph', [0x21, 0x7e]],
  ['lower', [0x61, 0x7a]],
  ['print', [0x20, 0x7e]],
  ['punct', [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ['space', [9, 13, 0x20, 0x20]],
  ['upper', [0x41, 0x5a]],
  ['word', WORD_CHARACTERS],
  ['xdigit', [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);

/** The set of ranges in any order, which may overlap. */
export function normalize(ranges: readonly number[]): CodePointSet {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i], ranges[i + 1]]);
  pairs.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [low, high] of pairs) {
    const last = merged.length - 1;
    if (last >= 0 && low <= merged[last] + 1) merged[last] = Math.max(merged[last], high);
    else merged.push(low, high);
  }
  return intersect(merged, ANY_CHARACTER);
}

function intersect(a: readonly number[], b: readonly number[]): CodePointSet {
  const common: number[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const low = Math.max(a[i], b[k]);
    const high = Math.min(a[i + 1], b[k + 1]);
    if (low <= high) common.push(low, high);
    if (a[i + 1] < b[k + 1]) i += 2;
    else k += 2;
  }
  return common;
}

export function complement(set: CodePointSet): CodePointSet {
  const others: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i] > from) others.push(from, set[i] - 1);
    from = set[i + 1] + 1;
  }
  if (from <= LAST) others.push(from, LAST);
  return intersect(others, ANY_CHARACTER);
}

export function isInSet(set: CodePointSet, codePoint: number): boolean {
  let low = 0;
  let high = set.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (codePoint > set[middle * 2 + 1]) low = middle + 1;
    else high = middle;
  }
  return low * 2 < set.length && set[low * 2] <= codePoint;
}

const PROPERTY_COUNT_MAX = 64;
const properties = new Map<string, CodePointSet>();

/** The characters with a Unicode property (`L`, `Lu`, `Script=Greek`, …), or undefined where there is no such property. */
export function propertySet(name: string): CodePointSet | undefined {
  const known = properties.get(name);
  if (known !== undefined) return known;
  if (!/^\w+(=\w+)?$/.test(name)) return undefined;
  let expression: RegExp;
  try {
    expression = new RegExp(`\\p{${name}}+`, 'gu');
  } catch {
    return undefined;
  }
  const ranges: number[] = [];
  for (let first = 0; first <= LAST; first += 0x1000) {
    if (first === 0xd000) addMatches(expression, first, 0xd7ff, ranges);
    else if (first === 0xe000 || first < 0xd000 || first > 0xe000) addMatches(expression, first, first + 0xfff, ranges);
  }
  const set = normalize(ranges);
  if (properties.size >= PROPERTY_COUNT_MAX) properties.clear();
  properties.set(name, set);
  return set;
}

/** Adds the ranges within [first, last] that the expression matches. */
function addMatches(expression: RegExp, first: number, last: number, ranges: number[]): void {
  const units = first > 0xffff ? 2 : 1;
  let text = '';
  for (let codePoint = first; codePoint <= last; codePoint++) text += String.fromCodePoint(codePoint);
  for (const match of text.matchAll(expression)) {
    const low = first + match.index / units;
    ranges.push(low, low + match[0].length / units - 1);
  }
}

/** Characters that are one and the same without regard to case, each list of at least two. */
let caseGroups: readonly (readonly number[])[] | undefined;

/**
 * The set with the other cases of its characters, by simple case folding: with k also K and the Kelvin sign, with s the
 * long s.
 */
export function withOtherCases(set: CodePointSet): CodePointSet {
  const added: number[] = [];
  for (let codePoint = 0x41; codePoint <= 0x5a; codePoint++) {
    const isUpperIn = isInSet(set, codePoint);
    const isLowerIn = isInSet(set, codePoint + 32);
    if (isUpperIn || isLowerIn) {
      added.push(codePoint, codePoint, codePoint + 32, codePoint + 32);
      if (codePoint === 0x4b) added.push(0x212a, 0x212a);
      if (codePoint === 0x53) added.push(0x17f, 0x17f);
    }
  }
  if (set.length > 0 && set[set.length - 1] > 127) {
    caseGroups ??= findCaseGroups();
    for (const group of caseGroups) {
      if (!group.some((codePoint) => isInSet(set, codePoint))) continue;
      for (const codePoint of group) added.push(codePoint, codePoint);
    }
  }
  return added.length === 0 ? set : normalize([...set, ...added]);
}

/**
 * Characters that share an upper or lower case, maybe over others, are candidates; whether they are the same to simple case
 * folding says the runtime.
 */
function findCaseGroups(): number[][] {
  const parents = new Map<string, string>();
  const rootOf = (text: string): string => {
    let root = text;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    return root;
  };
  const characters = new Set<number>();
  for (const property of ['Changes_When_Casemapped', 'Changes_When_Casefolded']) {
    const set = propertySet(property)!;
    for (let i = 0; i < set.length; i += 2) {
      for (let codePoint = set[i]; codePoint <= set[i + 1]; codePoint++) characters.add(codePoint);
    }
  }
  for (const codePoint of characters) {
    const text = String.fromCodePoint(codePoint);
    const lower = text.toLowerCase();
    const upper = text.toUpperCase();
    for (const related of [lower, upper, lower.toUpperCase(), upper.toLowerCase()]) {
      const root = rootOf(related);
      const own = rootOf(text);
      if (root !== own) parents.set(root, own);
    }
  }
  const groups = Map.groupBy(characters, (codePoint) => rootOf(String.fromCodePoint(codePoint)));
  return [...groups.values()].flatMap(sameCases);
}

/** The candidates, divided by what the runtime takes for the same. */
function sameCases(candidates: readonly number[]): number[][] {
  const groups: number[][] = [];
  let rest = candidates;
  while (rest.length > 1) {
    const expression = new RegExp(`^\\u{${rest[0].toString(16)}}$`, 'iu');
    const group = rest.filter((codePoint) => expression.test(String.fromCodePoint(codePoint)));
    if (group.length > 1) groups.push(group);
    const taken = new Set(group).add(rest[0]);
    rest = rest.filter((codePoint) => !taken.has(codePoint));
  }
  return groups;
}
