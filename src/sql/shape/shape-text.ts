/** A shape as text for people: `?` for each constant, `(?, ?), …` for a VALUES list. */

const QUOTES: ReadonlySet<number> = new Set([34, 39, 96]);
const BACKSLASH = 92;
const BACK_TICK = 96;
const LIST_MARKER = 6;

/** The text of a shape (scanner.ts has its bytes). */
export function shapeText(shape: Uint8Array): string {
  const out: number[] = [];
  for (let at = 0; at < shape.length; ) {
    const byte = shape[at]!;
    if (QUOTES.has(byte)) {
      const end = quoteEnd(shape, at);
      for (; at < end; at++) out.push(shape[at]!);
    } else if (byte === LIST_MARKER) {
      const width = (shape[at + 1]! & 127) | ((shape[at + 2]! & 127) << 7) | ((shape[at + 3]! & 127) << 14);
      out.push(...Buffer.from(` (${Array.from({ length: width }, () => '?').join(', ')}), …`));
      at += 4;
    } else {
      out.push(byte < LIST_MARKER ? 63 : byte);
      at++;
    }
  }
  return Buffer.from(out).toString('utf8').trim();
}

/** Behind the quote that ends the text or name at `start`; a doubled quote is as if two stood side by side. */
function quoteEnd(shape: Uint8Array, start: number): number {
  const quote = shape[start]!;
  let at = start + 1;
  while (at < shape.length && shape[at] !== quote) at += quote !== BACK_TICK && shape[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, shape.length);
}
