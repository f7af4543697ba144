/** What Nova takes for the kinds of values that its bodies are made of. */
import Type, { type TSchema } from 'typebox';
import { ipVersion } from '../../../node/base/ip-version.ts';

/** Nova's columns for counts and sizes: 32 bits with a sign. */
const countMax = 2_147_483_647;
const flags = '^(true|True|TRUE|1|on|On|ON|yes|Yes|YES|false|False|FALSE|0|off|Off|OFF|no|No|NO)$';

/** Letters, marks, digits, punctuation, symbols and spaces; a space neither first nor last. */
export const name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\p{C}\\p{Z}]([^\\p{C}\\p{Zl}\\p{Zp}]*[^\\p{C}\\p{Z}])?$',
});

/** As a name, without the colon, which parts a zone from a host. */
export const zoneName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\p{C}\\p{Z}:]([^\\p{C}\\p{Zl}\\p{Zp}:]*[^\\p{C}\\p{Z}:])?$',
});

/** Printable, of one line. @param maxLength characters. */
export const printable = (maxLength: number) => Type.String({ maxLength, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' });

/** The name of a host, as `hostname` gives it: letters, digits, dots, underscores and hyphens. */
export const hostName = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]+$' });

/** Nova's characters for keypairs: letters, digits, spaces and `_-.@` (the last two from 2.92 on); a space neither first nor last. */
export const keypairName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[a-zA-Z0-9_.@-]([a-zA-Z0-9 _.@-]*[a-zA-Z0-9_.@-])?$',
});

/**
 * A tag of a server or device: 1 to 60 characters, no comma (which parts tags in queries) and no slash (which parts
 * paths).
 */
export const tag = Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]+$' });

const uuidPattern = '[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}';

/**
 * A UUID in any case, with its hyphens or without, as oslo's `is_uuid_like` takes it without braces. It is not
 * normalised here.
 */
export const uuid = Type.String({ pattern: `^${uuidPattern}$` });

/** Nova's boolean: true or false, or one of oslo's words for them. `readFlag(String(value))` reads both. */
export const flag = Type.Union([Type.Boolean(), Type.String({ pattern: flags })]);

/** A whole number, which clients send as text, too. */
export const integer = (minimum: number, maximum = countMax) =>
  Type.Union([
    Type.Integer({ minimum, maximum }),
    Type.Refine(
      Type.String({ maxLength: 11, pattern: minimum < 0 ? '^-?[0-9]+$' : '^[0-9]+$' }),
      (text) => Number(text) >= minimum && Number(text) <= maximum,
      () => `must be from ${minimum} to ${maximum}`,
    ),
  ]);

/** An IPv4 address in dotted decimal, without a prefix length. */
export const ipv4 = Type.Refine(
  Type.String({ maxLength: 15 }),
  (text) => ipVersion(text) === 4,
  () => 'must be an IPv4 address',
);

/**
 * An IPv6 address in any of its notations, at most 45 characters (the longest holds an IPv4 address), without a prefix
 * length or a zone.
 */
export const ipv6 = Type.Refine(
  Type.String({ maxLength: 45 }),
  (text) => ipVersion(text) === 6,
  () => 'must be an IPv6 address',
);

/** @param maxLength characters of base64. */
export const base64 = (maxLength: number) =>
  Type.Refine(
    Type.String({ maxLength }),
    (text) => /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text) && text.replace(/\s/g, '').length % 4 === 0,
    () => 'must be base64',
  );

/** Keys of metadata and extra specs, with values of one kind. */
export const keyed = <Value extends TSchema>(
  value: Value,
  options: { minProperties?: number; maxProperties?: number } = {},
) =>
  Type.Record(Type.String({ pattern: '^[a-zA-Z0-9\\-_:. ]{1,255}$' }), value, {
    ...options,
    additionalProperties: false,
  });

/** A value of metadata. */
export const keyedText = Type.String({ maxLength: 255 });
