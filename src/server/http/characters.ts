/**
 * Byte classes of HTTP/1.1 (RFC 9110 and 9112) as tables: one load a byte, no ranges compared on the hot path.
 */

/** ASCII lower case of a byte; bytes that are no capital letter map to themselves. */
export const LOWER: Uint8Array = new Uint8Array(256);
/** 1 where the byte may stand in a token: header names and methods. */
export const IS_TOKEN: Uint8Array = new Uint8Array(256);
/** 1 where the byte may stand in a header value: visible, blank, tab, and 0x80 to 0xff. */
export const IS_VALUE: Uint8Array = new Uint8Array(256);
/** 1 where the byte may stand in a request target: visible ASCII without '#', which never travels. */
export const IS_TARGET: Uint8Array = new Uint8Array(256);
/** The value of a hexadecimal digit, 255 for every other byte. */
export const HEX_VALUE: Uint8Array = new Uint8Array(256).fill(255);

const TOKEN_MARKS = "!#$%&'*+-.^_`|~";

for (let byte = 0; byte < 256; byte++) {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isCapital = byte >= 0x41 && byte <= 0x5a;
  const isSmall = byte >= 0x61 && byte <= 0x7a;
  LOWER[byte] = isCapital ? byte + 0x20 : byte;
  IS_TOKEN[byte] = isDigit || isCapital || isSmall || TOKEN_MARKS.includes(String.fromCharCode(byte)) ? 1 : 0;
  IS_VALUE[byte] = byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? 1 : 0;
  IS_TARGET[byte] = byte > 0x20 && byte < 0x7f && byte !== 0x23 ? 1 : 0;
  if (isDigit) HEX_VALUE[byte] = byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) HEX_VALUE[byte] = HEX_VALUE[byte - 0x20] = byte - 0x61 + 10;
}

/** The bytes of an ASCII text, for `equalsIgnoringCase`. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether bytes[start, end) is `lowerCase` (bytes without capitals), whatever the capitalisation. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean {
  const length = lowerCase.length;
  if (end - start !== length) return false;
  for (let index = 0; index < length; index++) {
    if (LOWER[bytes[start + index]!] !== lowerCase[index]) return false;
  }
  return true;
}
