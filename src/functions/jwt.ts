/** JSON Web Tokens (RFC 7519), signed with HMAC and SHA-256. */

import { createHmac } from 'node:crypto';
import { ByteWriter } from '../base/byte-writer.ts';
import { ONE_LINE, writeJson } from '../types/json/text.ts';
import { JSON_TYPE, TEXT, type TypeId } from '../types/type.ts';
import { define, type FunctionCode, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import { setText, textOf, valueBytes, valueStart } from './values.ts';

const json = new ByteWriter(256);

/** The text of a text or JSON argument, in base64url. */
function encoded(context: FunctionContext, register: number, type: TypeId): string {
  if (type === TEXT) return Buffer.from(textOf(context, register)).toString('base64url');
  const ref = context.num[register];
  json.reset();
  writeJson(json, valueBytes(context, ref), valueStart(ref), ONE_LINE);
  return Buffer.from(json.view()).toString('base64url');
}

function jwt(header: TypeId, payload: TypeId): FunctionCode {
  return (context, target, first) => {
    const signed = `${encoded(context, first, header)}.${encoded(context, first + 1, payload)}`;
    const signature = createHmac('sha256', textOf(context, first + 2))
      .update(signed)
      .digest('base64url');
    setText(context, target, `${signed}.${signature}`);
  };
}

// The example is the one of jwt.io: its token verifies there.
const JWT_DOC: FunctionDoc = {
  family: 'Identifiers and security',
  summary: 'A JSON Web Token of a header and a payload, signed with HS256. Texts are taken as they are.',
  parameters: ['header', 'payload', 'secret'],
  errors: [],
  examples: [
    [
      `jwt('{"alg":"HS256","typ":"JWT"}', '{"sub":"1234567890","name":"John Doe","iat":1516239022}', 'your-256-bit-secret')`,
      '"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"',
    ],
  ],
};

export const JWT_FUNCTIONS: readonly ScalarFunction[] = [TEXT, JSON_TYPE].flatMap((header) =>
  [TEXT, JSON_TYPE].map((payload) =>
    define('jwt', [header, payload, TEXT], TEXT, jwt(header, payload), { doc: JWT_DOC }),
  ),
);
