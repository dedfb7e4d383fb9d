/**
 * Distances of vectors, over the floats of the heap in place. Sums are of doubles, in four lanes so that an addition does not
 * wait for the one before it. Squares and products of 32-bit floats never leave the range of doubles.
 */

import { SqlError } from '../base/errors.ts';
import type { Memory } from '../base/memory.ts';
import { dimensions, floatIndex } from './vector.ts';

/** Elements of both vectors. Throws invalid_value naming the operation where the sizes differ. */
export function commonSize(memory: Memory, left: number, right: number, operation: string): number {
  const count = dimensions(memory, left);
  if (dimensions(memory, right) !== count) throw sizesDiffer(memory, left, right, operation);
  return count;
}

function sizesDiffer(memory: Memory, left: number, right: number, operation: string): SqlError {
  const sizes = `${dimensions(memory, left)} and ${dimensions(memory, right)}`;
  return new SqlError('invalid_value', `${operation}: vectors of ${sizes} elements`);
}

/** Sum of the products of the elements. */
export function innerProduct(memory: Memory, left: number, right: number): number {
  const end = commonSize(memory, left, right, 'inner_product');
  const a = memory.f32[left >>> 26]!;
  const b = memory.f32[right >>> 26]!;
  const l = floatIndex(left);
  const r = floatIndex(right);
  const unrolled = end & ~3;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = 0;
  for (; i < unrolled; i += 4) {
    sum0 += a[l + i]! * b[r + i]!;
    sum1 += a[l + i + 1]! * b[r + i + 1]!;
    sum2 += a[l + i + 2]! * b[r + i + 2]!;
    sum3 += a[l + i + 3]! * b[r + i + 3]!;
  }
  for (; i < end; i++) sum0 += a[l + i]! * b[r + i]!;
  return sum0 + sum1 + (sum2 + sum3);
}

/** Root of the sum of the squares of the differences. */
export function l2Distance(memory: Memory, left: number, right: number): number {
  const end = commonSize(memory, left, right, 'l2_distance');
  const a = memory.f32[left >>> 26]!;
  const b = memory.f32[right >>> 26]!;
  const l = floatIndex(left);
  const r = floatIndex(right);
  const unrolled = end & ~3;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = 0;
  for (; i < unrolled; i += 4) {
    const difference0 = a[l + i]! - b[r + i]!;
    const difference1 = a[l + i + 1]! - b[r + i + 1]!;
    const difference2 = a[l + i + 2]! - b[r + i + 2]!;
    const difference3 = a[l + i + 3]! - b[r + i + 3]!;
    sum0 += difference0 * difference0;
    sum1 += difference1 * difference1;
    sum2 += difference2 * difference2;
    sum3 += difference3 * difference3;
  }
  for (; i < end; i++) {
    const difference = a[l + i]! - b[r + i]!;
    sum0 += difference * difference;
  }
  return Math.sqrt(sum0 + sum1 + (sum2 + sum3));
}

/** 1 - cosine of the angle between the vectors: from 0 to 2. Throws zero_division where one of them has no direction. */
export function cosineDistance(memory: Memory, left: number, right: number): number {
  const end = commonSize(memory, left, right, 'cos_distance');
  const a = memory.f32[left >>> 26]!;
  const b = memory.f32[right >>> 26]!;
  const l = floatIndex(left);
  const r = floatIndex(right);
  const unrolled = end & ~1;
  let product0 = 0;
  let product1 = 0;
  let leftSquare0 = 0;
  let leftSquare1 = 0;
  let rightSquare0 = 0;
  let rightSquare1 = 0;
  let i = 0;
  for (; i < unrolled; i += 2) {
    const x0 = a[l + i]!;
    const y0 = b[r + i]!;
    const x1 = a[l + i + 1]!;
    const y1 = b[r + i + 1]!;
    product0 += x0 * y0;
    leftSquare0 += x0 * x0;
    rightSquare0 += y0 * y0;
    product1 += x1 * y1;
    leftSquare1 += x1 * x1;
    rightSquare1 += y1 * y1;
  }
  if (i < end) {
    const x = a[l + i]!;
    const y = b[r + i]!;
    product0 += x * y;
    leftSquare0 += x * x;
    rightSquare0 += y * y;
  }
  const leftSquare = leftSquare0 + leftSquare1;
  const rightSquare = rightSquare0 + rightSquare1;
  // One root of the product rounds less than two: the distance of a vector to itself is exactly 0.
  const square = leftSquare * rightSquare;
  const similarity = (product0 + product1) / Math.sqrt(square);
  if (similarity >= -1 && similarity <= 1) return 1 - similarity;
  if (similarity > 1 || similarity < -1) return similarity > 1 ? 0 : 2;
  throw new SqlError('zero_division', 'cos_distance: a vector of length zero has no direction');
}

/** Length of the vector: the root of the sum of its squares. */
export function vectorLength(memory: Memory, ref: number): number {
  return Math.sqrt(innerProduct(memory, ref, ref));
}
