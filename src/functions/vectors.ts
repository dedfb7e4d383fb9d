/** Functions of vectors. Distances have opcodes of their own, so that a scan over many vectors makes no call a row. */

import { SqlError } from '../base/errors.ts';
import { BIGINT, DOUBLE, VECTOR } from '../types/type.ts';
import { dimensions, ELEMENT_BYTES, floatIndex } from '../types/vector.ts';
import { cosineDistance, innerProduct, l2Distance, vectorLength } from '../types/vector-distance.ts';
import { define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';

function distance(measure: typeof innerProduct): ScalarFunction['run'] {
  return (context, target, first) => {
    context.num[target] = measure(context.memory, context.num[first]!, context.num[first + 1]!);
  };
}

function dims(context: FunctionContext, target: number, first: number): void {
  context.num[target] = dimensions(context.memory, context.num[first]!);
}

function octetLength(context: FunctionContext, target: number, first: number): void {
  context.num[target] = dimensions(context.memory, context.num[first]!) * ELEMENT_BYTES;
}

function normalize(context: FunctionContext, target: number, first: number): void {
  const { memory } = context;
  const ref = context.num[first]!;
  const count = dimensions(memory, ref);
  const length = vectorLength(memory, ref);
  if (length === 0) throw new SqlError('zero_division', 'normalize: a vector of length zero has no direction');
  const result = context.scratch.allocate(4 + count * ELEMENT_BYTES);
  memory.i32[result >>> 26]![(result & 0x3ffffff) << 2] = count * ELEMENT_BYTES;
  const source = memory.f32[ref >>> 26]!;
  const floats = memory.f32[result >>> 26]!;
  const from = floatIndex(ref);
  const to = floatIndex(result);
  for (let index = 0; index < count; index++) floats[to + index] = source[from + index]! / length;
  context.num[target] = result;
}

const SIZES_DIFFER = 'The vectors differ in size.';
const NO_DIRECTION = 'A vector of length zero has no direction.';

const COS_DISTANCE_DOC: FunctionDoc = {
  family: 'Vectors',
  summary:
    'Cosine distance: 1 minus the cosine of the angle between two vectors, from 0 (same direction) to 2 (opposite). ' +
    '`ORDER BY v::cos_distance($1) LIMIT k` searches all partitions in parallel and keeps only k rows of each node.',
  parameters: ['a', 'b'],
  errors: [SIZES_DIFFER, NO_DIRECTION],
  examples: [
    ['cos_distance(vector [1, 0], vector [0, 2])', '1'],
    ['vector [3, 4]::cos_distance([6, 8])', '0'],
    ['cos_distance(vector [1, 0], vector [-1, 0])', '2'],
    ['cos_distance(vector [1], vector [1, 2])', 'error: cos_distance: vectors of 1 and 2 elements'],
  ],
};

const L2_DISTANCE_DOC: FunctionDoc = {
  family: 'Vectors',
  summary: 'Euclidean distance: the length of the difference of two vectors.',
  parameters: ['a', 'b'],
  errors: [SIZES_DIFFER],
  examples: [
    ['l2_distance(vector [0, 0], vector [3, 4])', '5'],
    ['l2_distance(vector [1], vector [1, 2])', 'error: l2_distance: vectors of 1 and 2 elements'],
  ],
};

const INNER_PRODUCT_DOC: FunctionDoc = {
  family: 'Vectors',
  summary: 'Inner product: the sum of the products of the elements of two vectors.',
  parameters: ['a', 'b'],
  errors: [SIZES_DIFFER],
  examples: [['inner_product(vector [1, 2, 3], vector [4, 5, 6])', '32']],
};

const NORMALIZE_DOC: FunctionDoc = {
  family: 'Vectors',
  summary: 'The vector of length 1 in the same direction.',
  parameters: ['v'],
  errors: [NO_DIRECTION],
  examples: [
    ['normalize(vector [3, 4])', '[0.6, 0.8]'],
    ['normalize(vector [0, 0])', 'error: normalize: a vector of length zero has no direction'],
  ],
};

const DIMS_DOC: FunctionDoc = {
  family: 'Vectors',
  summary: 'Number of elements of a vector.',
  parameters: ['v'],
  errors: [],
  examples: [
    ['dims(vector [1, 2, 3])', '3'],
    ['length(vector [])', '0'],
  ],
};

const OCTET_LENGTH_DOC: FunctionDoc = {
  family: 'Vectors',
  summary: 'Bytes of the elements of a vector: four each.',
  parameters: ['v'],
  errors: [],
  examples: [['octet_length(vector [1, 2, 3])', '12']],
};

export const VECTOR_FUNCTIONS: readonly ScalarFunction[] = [
  define('cos_distance', [VECTOR, VECTOR], DOUBLE, distance(cosineDistance), {
    opcode: 'cos_distance',
    doc: COS_DISTANCE_DOC,
  }),
  define('l2_distance', [VECTOR, VECTOR], DOUBLE, distance(l2Distance), {
    opcode: 'l2_distance',
    doc: L2_DISTANCE_DOC,
  }),
  define('inner_product', [VECTOR, VECTOR], DOUBLE, distance(innerProduct), {
    opcode: 'inner_product',
    doc: INNER_PRODUCT_DOC,
  }),
  define('normalize', [VECTOR], VECTOR, normalize, { doc: NORMALIZE_DOC }),
  define('dims', [VECTOR], BIGINT, dims, { doc: DIMS_DOC }),
  define('length', [VECTOR], BIGINT, dims, { doc: DIMS_DOC }),
  define('size', [VECTOR], BIGINT, dims, { doc: DIMS_DOC }),
  define('octet_length', [VECTOR], BIGINT, octetLength, { doc: OCTET_LENGTH_DOC }),
];
