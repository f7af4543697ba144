/**
 * Tokens: JWS compact with HS256, under a key that every agent derives from the mesh key. Any agent issues and verifies
 * them alone. A token carries what was true when it was issued; whoever verifies it goes by the records it has, and by
 * the claims only where its own replica has not come that far (`revision`).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { ShoalError } from '../base/errors.ts';

const text = Type.String({ maxLength: 512 });

/** Names are short since a token travels in every request. */
const claimsSchema = Type.Object({
  /** User: id, name, domain's id and name. */
  sub: text,
  un: text,
  ud: text,
  udn: text,
  /** Project: id, name, domain's id and name. Empty without a project. */
  p: text,
  pn: text,
  pd: text,
  pdn: text,
  /** Domain scope: id and name. Empty without one. */
  d: text,
  dn: text,
  /** Scope is the system; absent in tokens of versions that knew no such scope. */
  y: Type.Optional(Type.Boolean()),
  /** Role ids and names. */
  r: Type.Array(text, { maxItems: 64 }),
  rn: Type.Array(text, { maxItems: 64 }),
  /** Methods of authentication. */
  m: Type.Array(text, { maxItems: 4 }),
  /** Audit ids: its own, then its parent's. */
  a: Type.Array(text, { minItems: 1, maxItems: 2 }),
  /** Issued and expires, milliseconds since 1970. */
  i: Type.Integer({ minimum: 0 }),
  e: Type.Integer({ minimum: 0 }),
  /** Revision of the state that it was issued from. */
  v: Type.Integer({ minimum: 0 }),
});

/** What a token says. */
export type TokenClaims = Static<typeof claimsSchema>;

const claimsValidator = Compile(claimsSchema);
const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
/** Least length of the key, bytes: that of the hash. */
export const tokenKeyBytesMin = 32;

/** Signs and verifies. Knows nothing of records. */
export class TokenCodec {
  readonly #key: Uint8Array;

  /** Throws `CONFIG_INVALID` for a short key. */
  constructor(key: Uint8Array) {
    if (key.length < tokenKeyBytesMin) {
      throw new ShoalError(
        'CONFIG_INVALID',
        `The token key has ${key.length} bytes; at least ${tokenKeyBytesMin} are needed.`,
      );
    }
    this.#key = key;
  }

  sign(claims: TokenClaims): string {
    const body = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${body}.${this.#mac(body).toString('base64url')}`;
  }

  /** The claims of a token that we signed. Throws `UNAUTHENTICATED`; says nothing about expiry. */
  verify(token: string): TokenClaims {
    const parts = token.split('.');
    const [head, payload, signature] = parts;
    // Only our own header is taken, so there is no algorithm to be talked into.
    if (parts.length !== 3 || head !== header || payload === undefined || signature === undefined) throw refused();
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#mac(`${head}.${payload}`);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
    const claims: unknown = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
    if (!claimsValidator.Check(claims)) throw refused();
    return claims;
  }

  #mac(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest();
  }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Signed by us and yet no JSON: the same to the caller as any other token that is not ours.
    return undefined;
  }
}

/** One answer for every bad token: which check it failed is nobody's business. */
export function refused(): ShoalError {
  return new ShoalError('UNAUTHENTICATED', 'The request you have made requires authentication.');
}
