/** What the reference says about the functions of JSON. */

import type { FunctionDoc } from './signature.ts';

const ELEMENT_NULLS = 'NULL if the array is NULL; a value that is NULL becomes JSON null';
const DEPTH = 'the result is nested deeper than 200 levels';

function noArray(name: string): string {
  return `\`${name}: the JSON value is no array\``;
}

const APPEND: FunctionDoc = {
  family: 'JSON',
  summary: 'The array with the values, of any type, behind its elements. `append` and `push_back` are the same.',
  parameters: ['array', 'value'],
  nulls: ELEMENT_NULLS,
  errors: [noArray('append'), DEPTH],
  examples: [
    ['append([1, 2], 3)', '[1, 2, 3]'],
    ["append([1], 'two', null, [3])", '[1, "two", null, [3]]'],
  ],
};

const PATHS =
  'A path is keys with dots between them; in an array a key is the number of an element, from 0. A key with a dot in it cannot be written so.';

export const JSON_DOCS: Readonly<Record<string, FunctionDoc>> = {
  append: APPEND,
  push_back: {
    ...APPEND,
    errors: [noArray('push_back'), DEPTH],
    examples: [['push_back([1, 2], 3)', '[1, 2, 3]']],
  },
  push: {
    family: 'JSON',
    summary: 'The array with the values, of any type, in front of its elements, in the order given.',
    parameters: ['array', 'value'],
    nulls: ELEMENT_NULLS,
    errors: [noArray('push'), DEPTH],
    examples: [
      ['push([7], 5, 6)', '[5, 6, 7]'],
      ['push([], null)', '[null]'],
    ],
  },
  pop: {
    family: 'JSON',
    summary: 'The array without its first element; an empty array stays empty.',
    parameters: ['array'],
    errors: [noArray('pop')],
    examples: [
      ['pop([1, 2, 3])', '[2, 3]'],
      ['pop([])', '[]'],
    ],
  },
  pop_back: {
    family: 'JSON',
    summary: 'The array without its last element; an empty array stays empty.',
    parameters: ['array'],
    errors: [noArray('pop_back')],
    examples: [['pop_back([1, 2, 3])', '[1, 2]']],
  },
  put: {
    family: 'JSON',
    summary: 'The array with a value, of any type, in the place of one element. Elements count from 0.',
    parameters: ['array', 'index', 'value'],
    nulls: 'NULL if the array or the index is NULL; a value that is NULL becomes JSON null',
    errors: [noArray('put'), 'there is no such element', DEPTH],
    examples: [
      ["put([1, 2, 3], 1, 'x')", '[1, "x", 3]'],
      ['put([1], 1, 2)', 'error: put: the array has 1 elements and none at 1'],
    ],
  },
  remove: {
    family: 'JSON',
    summary: 'The array without one element. Elements count from 0.',
    parameters: ['array', 'index'],
    errors: [noArray('remove'), 'there is no such element'],
    examples: [
      ['remove([1, 2, 3], 0)', '[2, 3]'],
      ['remove([1], -1)', 'error: remove: the array has 1 elements and none at -1'],
    ],
  },
  set: {
    family: 'JSON',
    summary: `The value with another, of any type, at a path. Objects are made where levels are missing. ${PATHS}`,
    parameters: ['object', 'path', 'value'],
    nulls: 'NULL if the object or the path is NULL; a value that is NULL becomes JSON null',
    errors: [
      'the path leads through a value that is neither object nor array, or to an element that an array has not',
      DEPTH,
    ],
    examples: [
      ['set({"a": 1}, \'b.c\', 2)', '{"a": 1, "b": {"c": 2}}'],
      ['set({"a": [1, 2]}, \'a.1\', null)', '{"a": [1, null]}'],
      ['set({"a": 1}, \'a.b\', 2)', "error: cannot set 'a.b': the value at 'a' is neither object nor array"],
    ],
  },
  unset: {
    family: 'JSON',
    summary: `The value without what is at a path; where there is nothing it stays as it is. ${PATHS}`,
    parameters: ['object', 'path'],
    errors: [],
    examples: [
      ['unset({"a": {"b": 1, "c": 2}}, \'a.b\')', '{"a": {"c": 2}}'],
      ['unset({"a": 1}, \'x.y\')', '{"a": 1}'],
    ],
  },
  has: {
    family: 'JSON',
    summary: `Whether there is a value, maybe JSON null, at a path. ${PATHS}`,
    parameters: ['object', 'path'],
    errors: [],
    examples: [
      ['has({"a": {"b": null}}, \'a.b\')', 'true'],
      ['has({"a": {"b": null}}, \'b\')', 'false'],
    ],
  },
  keys: {
    family: 'JSON',
    summary: 'The keys of an object, in their order, as an array.',
    parameters: ['object'],
    errors: ['`keys: the JSON value is no object`'],
    examples: [['keys({"b": 1, "a": 2})', '["b", "a"]']],
  },
  values: {
    family: 'JSON',
    summary: 'The values of an object, in the order of its keys, as an array.',
    parameters: ['object'],
    errors: ['`values: the JSON value is no object`'],
    examples: [['values({"b": 1, "a": [2]})', '[1, [2]]']],
  },
  json_each: {
    family: 'JSON',
    summary:
      'The entries of an object, or the elements of an array with their numbers from 0 for keys, as an array of objects. In FROM it gives a row for each, with the columns `key` and `value`.',
    parameters: ['value'],
    errors: ['`json_each: the JSON value is neither array nor object`'],
    examples: [
      ['json_each({"a": 1, "b": [2]})', '[{"key": "a", "value": 1}, {"key": "b", "value": [2]}]'],
      ["json_each(['x'])", '[{"key": 0, "value": "x"}]'],
    ],
  },
  merge: {
    family: 'JSON',
    summary:
      'The first value patched by the second (JSON Merge Patch, RFC 7396): its members replace those of the first, objects in objects are merged, and JSON null takes a member away. A second value that is no object replaces the first.',
    parameters: ['value', 'patch'],
    errors: [DEPTH],
    examples: [
      ['merge({"a": 1, "b": {"c": 2, "d": 3}}, {"a": null, "b": {"c": 4}})', '{"b": {"c": 4, "d": 3}}'],
      ['merge({"a": 1}, [2])', '[2]'],
    ],
  },
  jsonpath: {
    family: 'JSON',
    summary:
      "The values that a JSONPath query (RFC 9535) finds, as an array: children (`.a`, `['a']`, `[0]`, `[-1]`), wildcards (`*`), slices (`[1:3]`, `[::-1]`), several selectors (`[0, 'a']`), descendants (`..`), filters (`[?@.price < 10 && @.name]`) with `== != < <= > >= && || !` and the functions `length`, `count`, `value`, `match` and `search`.",
    parameters: ['value', 'path'],
    errors: ['the path is malformed: the message has the offset in it', 'the path looks at more than 10000000 values'],
    examples: [
      ['jsonpath({"a": [{"n": 1}, {"n": 5}]}, \'$.a[*].n\')', '[1, 5]'],
      ['jsonpath({"a": [{"n": 1}, {"n": 5}]}, \'$.a[?@.n > 2]\')', '[{"n": 5}]'],
      [
        "jsonpath([1, 2], '$.a[')",
        'error: jsonpath: offset 4: expected a name, index, slice, filter or * but found the end',
      ],
    ],
  },
  json_import: {
    family: 'JSON',
    summary:
      'The JSON value that a text spells. Of a repeated key the last value counts. A number without fraction and exponent is a 64-bit integer.',
    parameters: ['text'],
    errors: [
      'the text is malformed: the message has the byte offset in it',
      'the value is nested deeper than 200 levels',
    ],
    examples: [
      ['json_import(\'{"a": [1, 2.50]}\')', '{"a": [1, 2.5]}'],
      ["json_import('[1, 2')", "error: invalid JSON at offset 5: expected ',' or ']' but found the end"],
    ],
  },
};
