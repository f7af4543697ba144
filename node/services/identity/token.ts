/**
 * Tokens: JWS compact with HS256, under a key that every agent derives from the mesh key of the day (its number is the
 * header's `kid`; the first key has none). Any agent issues and verifies
 * them alone. A token carries what was true when it was issued; the agent that verifies it goes by the records it has,
 * and by the claims only where its own replica has not come that far (`revision`).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { ShoalError } from '../../base/errors.ts';

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
  /** Token epochs of the user, their domain, the scope and the scope's domain (record.proto); absent: all 0. */
  k: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 4, maxItems: 4 })),
  /** Issued and expires, milliseconds since 1970. */
  i: Type.Integer({ minimum: 0 }),
  e: Type.Integer({ minimum: 0 }),
  /** Revision of the state that it was issued from. */
  v: Type.Integer({ minimum: 0 }),
});

/** What a token says. */
export type TokenClaims = Static<typeof claimsSchema>;

const claimsValidator = Compile(claimsSchema);
/** Longest header looked at, characters: that of an epoch of ten digits. */
const headerCharactersMax = 80;
/** Least length of the key, bytes: that of the hash. */
const tokenKeyBytesMin = 32;

/** The number of the key that a token says it is signed with; undefined: it has not the form of a token. */
export function tokenEpoch(token: string): number | undefined {
  const head = token.slice(0, token.indexOf('.'));
  if (head.length > headerCharactersMax) return undefined;
  const kid = /^\{"alg":"HS256","typ":"JWT"(?:,"kid":"([1-9]\d{0,9})")?\}$/.exec(
    Buffer.from(head, 'base64url').toString('latin1'),
  );
  if (kid === null) return undefined;
  const epoch = Number(kid[1] ?? 0);
  return headerOf(epoch) === head ? epoch : undefined;
}

function headerOf(epoch: number): string {
  const header = { alg: 'HS256', typ: 'JWT', ...(epoch === 0 ? {} : { kid: String(epoch) }) };
  return Buffer.from(JSON.stringify(header)).toString('base64url');
}

/** Signs and verifies under one key. Knows nothing of records. */
export class TokenCodec {
  readonly #key: Uint8Array;
  readonly #header: string;

  /**
   * Throws `CONFIG_INVALID` for a short key.
   * @param epoch the key's number.
   */
  constructor(key: Uint8Array, epoch = 0) {
    if (key.length < tokenKeyBytesMin) {
      throw new ShoalError(
        'CONFIG_INVALID',
        `The token key has ${key.length} bytes; at least ${tokenKeyBytesMin} are needed.`,
      );
    }
    this.#key = key;
    this.#header = headerOf(epoch);
  }

  sign(claims: TokenClaims): string {
    const body = `${this.#header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${body}.${this.#mac(body).toString('base64url')}`;
  }

  /** The claims of a token that we signed. Throws `UNAUTHENTICATED`; says nothing about expiry. */
  verify(token: string): TokenClaims {
    const parts = token.split('.');
    const [head, payload, signature] = parts;
    // Only our own header is taken, so there is no algorithm to be talked into.
    if (parts.length !== 3 || head !== this.#header || payload === undefined || signature === undefined) {
      throw refused();
    }
    // As text: base64url has several spellings of the same bytes, and a token has one.
    const given = Buffer.from(signature, 'latin1');
    const expected = Buffer.from(this.#mac(`${head}.${payload}`).toString('base64url'), 'latin1');
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

/**
 * Of a token whose signature holds: the clock of the agent that issued it, or of this one, is wrong, which nobody would find
 * out from a plain refusal.
 */
export function ofTheFuture(aheadMs: number): ShoalError {
  const seconds = Math.round(aheadMs / 1000);
  return new ShoalError(
    'UNAUTHENTICATED',
    `The token was issued ${seconds} s in the future by the clock of the host that was asked: its clock, or that of the host ` +
      'that issued the token, is wrong. Operators: "shoal hosts" shows which. Until it is set, ask the host that issued it.',
    { facts: { aheadSeconds: seconds } },
  );
}

/** One answer for every bad token: which check it failed is nobody's business. */
export function refused(): ShoalError {
  return new ShoalError('UNAUTHENTICATED', 'The request you have made requires authentication.');
}
