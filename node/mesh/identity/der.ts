/**
 * The little of DER (ITU-T X.690) that writing a certificate takes. Only writing: certificates are read and verified by
 * node:crypto. Ours, because the certificate libraries to be had need a process-wide polyfill and half a hundred
 * milliseconds at start for the thirty lines that we use of them.
 */

/** One element: tag, length, content. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(content.length), content]);
}

/** SEQUENCE or SEQUENCE OF: encoded elements, in this order. */
export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(0x30, ...contents);
}

/** SET OF encoded elements. DER wants them sorted by their bytes; the caller gives them so (here always one). */
export function set(...contents: readonly Uint8Array[]): Buffer {
  return element(0x31, ...contents);
}

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  // A leading one-bit would make it negative.
  return element(0x02, Buffer.from(((digits[0] ?? 0) & 0x80) === 0 ? [] : [0]), digits);
}

/** BOOLEAN: DER's only true is 0xff. */
export function boolean(value: boolean): Buffer {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** OCTET STRING of all `contents`, one behind the other. */
export function octetString(...contents: readonly Uint8Array[]): Buffer {
  return element(0x04, ...contents);
}

/** A string of bits, the last `unusedBits` of which do not count. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(0x03, Uint8Array.of(unusedBits), bytes);
}

/** UTF8String, one of the two kinds of text that RFC 5280 (section 4.1.2.4) allows in names. */
export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'));
}

/** `[number]` of the context, primitive (`constructed` false) or holding elements. */
export function tagged(number: number, constructed: boolean, ...contents: readonly Uint8Array[]): Buffer {
  return element(0x80 | (constructed ? 0x20 : 0) | number, ...contents);
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** A moment. UTCTime through 2049 and GeneralizedTime after, as RFC 5280 section 4.1.2.5 demands. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, ''); // YYYYMMDDhhmmssZ
  return Number(digits.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : element(0x18, Buffer.from(digits, 'latin1'));
}

/** PEM of DER bytes. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}
