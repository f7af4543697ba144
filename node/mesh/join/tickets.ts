/**
 * A ticket: one line of text that lets one new host into the mesh, once, until it expires.
 *
 *     shoal1.<base64url of:>
 *       mesh id           1 byte length, ASCII
 *       fingerprint       32 bytes, SHA-256 of the authority's certificate: whom to trust
 *       ticket id         1 byte length, ASCII
 *       secret            32 bytes, random; the state holds its SHA-256 only
 *       address count     1 byte, 1 to 5
 *       addresses         each 1 byte length, ASCII host:port: where to ask
 *       checksum          4 bytes, first of SHA-256 over everything before: a slip of copy and paste is seen at once
 */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { formatAddress, parseAddress } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMeshId } from '../identity/authority.ts';
import { SecretBytes } from '../identity/secret-bytes.ts';

/** Every ticket begins with this; the digit is the version of the form. */
export const ticketPrefix = 'shoal1.';
/** Addresses in a ticket: enough that some agent answers, few enough to be pasted. */
export const ticketAddressesMax = 5;
/** Length of the secret, bytes. */
export const ticketSecretBytes = 32;
/** Longest ticket text, characters: five addresses of the longest kind, and the rest, in base64. */
export const ticketCharactersMax = 2200;

const fingerprintBytes = 32;
const checksumBytes = 4;
const ticketIdForm = /^[A-Za-z0-9-]{1,64}$/;

/** What a ticket says. */
export interface TicketContent {
  readonly meshId: string;
  /** SHA-256 of the authority's certificate. */
  readonly fingerprint: Uint8Array;
  /** Where members listen for peer RPC, host:port. */
  readonly addresses: readonly string[];
  readonly ticketId: string;
  readonly secret: Uint8Array;
}

/** Whether `text` can be a ticket's id. */
export function isTicketId(text: string): boolean {
  return ticketIdForm.test(text);
}

/** A ticket. Prints without its secret; only `encode` gives the text that joins. */
export class JoinTicket {
  readonly meshId: string;
  readonly fingerprint: Uint8Array;
  readonly addresses: readonly string[];
  readonly ticketId: string;
  readonly secret: SecretBytes;

  /** Throws `TICKET_INVALID` when a part is out of its range. */
  constructor(content: TicketContent) {
    if (!isMeshId(content.meshId)) throw invalid('its mesh id is malformed');
    if (content.fingerprint.length !== fingerprintBytes) throw invalid('its fingerprint is malformed');
    if (!isTicketId(content.ticketId)) throw invalid('its id is malformed');
    if (content.secret.length !== ticketSecretBytes) throw invalid('its secret is malformed');
    if (content.addresses.length < 1 || content.addresses.length > ticketAddressesMax) {
      throw invalid(`it must name 1 to ${ticketAddressesMax} addresses`);
    }
    this.meshId = content.meshId;
    this.fingerprint = Uint8Array.from(content.fingerprint);
    this.addresses = content.addresses.map(canonicalAddress);
    this.ticketId = content.ticketId;
    this.secret = new SecretBytes(content.secret);
  }

  /** The text that an operator gives to the new host. Secret. */
  encode(): string {
    const body = Buffer.concat([
      short(this.meshId),
      this.fingerprint,
      short(this.ticketId),
      this.secret.reveal(),
      Uint8Array.of(this.addresses.length),
      ...this.addresses.map(short),
    ]);
    return ticketPrefix + Buffer.concat([body, checksum(body)]).toString('base64url');
  }

  /** Reads a ticket's text; white space around it is forgiven, nothing else is. Throws `TICKET_INVALID`. */
  static decode(text: string): JoinTicket {
    const trimmed = text.trim();
    if (!trimmed.startsWith(ticketPrefix)) throw invalid(`it does not begin with "${ticketPrefix}"`);
    if (trimmed.length > ticketCharactersMax) throw invalid('it is too long');
    const bytes = Buffer.from(trimmed.slice(ticketPrefix.length), 'base64url');
    // Decoding skips what is not base64url: only a text that comes out again the same was one.
    if (bytes.toString('base64url') !== trimmed.slice(ticketPrefix.length)) throw invalid('it has a stray character');
    if (bytes.length < checksumBytes) throw invalid('it is cut short');
    const body = bytes.subarray(0, bytes.length - checksumBytes);
    if (!checksum(body).equals(bytes.subarray(body.length))) {
      throw invalid('its checksum does not match; was all of it copied?');
    }
    return new JoinTicket(new Reader(body).content());
  }

  toString(): string {
    return `ticket ${this.ticketId} of mesh ${this.meshId}`;
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return { meshId: this.meshId, ticketId: this.ticketId, addresses: this.addresses, secret: this.secret.toJSON() };
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** SHA-256 of a ticket's secret: what the state keeps. */
export function ticketSecretHash(secret: Uint8Array): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  content(): TicketContent {
    const meshId = this.#short();
    const fingerprint = this.#take(fingerprintBytes);
    const ticketId = this.#short();
    const secret = this.#take(ticketSecretBytes);
    const count = this.#take(1)[0] ?? 0;
    if (count > ticketAddressesMax) throw invalid(`it must name 1 to ${ticketAddressesMax} addresses`);
    const addresses = Array.from({ length: count }, () => this.#short());
    if (this.#offset !== this.#bytes.length) throw invalid('it is longer than it should be');
    return { meshId, fingerprint, addresses, ticketId, secret };
  }

  #take(count: number): Buffer {
    if (this.#offset + count > this.#bytes.length) throw invalid('it is cut short');
    const part = this.#bytes.subarray(this.#offset, this.#offset + count);
    this.#offset += count;
    return part;
  }

  #short(): string {
    return this.#take(this.#take(1)[0] ?? 0).toString('latin1');
  }
}

function short(text: string): Buffer {
  return Buffer.concat([Uint8Array.of(text.length), Buffer.from(text, 'latin1')]);
}

function checksum(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, checksumBytes);
}

function canonicalAddress(text: string): string {
  try {
    const address = formatAddress(parseAddress(text));
    if (address.length <= 255) return address;
  } catch (caught) {
    if (!ShoalError.is(caught, 'INVALID_ARGUMENT')) throw caught;
  }
  throw invalid('one of its addresses is malformed');
}

/** Says what is wrong without repeating any of the text: part of it is secret. */
function invalid(why: string): ShoalError {
  return new ShoalError('TICKET_INVALID', `The join ticket is not valid: ${why}.`);
}
