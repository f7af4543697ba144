/** X.509 certificates of the mesh: what is in them, written out. Profile: RFC 5280. */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import {
  bitString,
  boolean,
  integer,
  objectIdentifier,
  octetString,
  pem,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from './der.ts';

/** What goes into a certificate. */
export interface CertificateContent {
  readonly subjectName: string;
  readonly issuerName: string;
  /** The subject alternative name: whom or what the certificate speaks for. */
  readonly alternativeNames: AlternativeNames;
  /** SPKI, DER. */
  readonly subjectPublicKey: Uint8Array;
  /** SPKI, DER. The same as the subject's when self-signed. */
  readonly issuerPublicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** `authority` may sign certificates; `peer` may act as TLS server and client; `server` as TLS server only. */
  readonly use: 'authority' | 'peer' | 'server';
}

/** Names and addresses in a certificate. At least one. */
interface AlternativeNames {
  /** Identities that peers check. */
  readonly uris?: readonly string[];
  /** Names that clients may have asked for. */
  readonly dnsNames?: readonly string[];
  /** IPv4 and IPv6 addresses in text. */
  readonly addresses?: readonly string[];
}

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const commonName = objectIdentifier('2.5.4.3');
const serverAuthentication = objectIdentifier('1.3.6.1.5.5.7.3.1');
const clientAuthentication = objectIdentifier('1.3.6.1.5.5.7.3.2');

/** Signs `content` with the issuer's P-256 key. Returns PEM. */
export function signCertificate(content: CertificateContent, issuerKey: KeyObject): string {
  const body = sequence(
    tagged(0, true, integer(Uint8Array.of(2))), // Version 3.
    integer(randomBytes(16)), // RFC 5280 wants serial numbers unique per issuer; 128 random bits are.
    ecdsaWithSha256,
    name(content.issuerName),
    sequence(time(content.notBeforeMs), time(content.notAfterMs)),
    name(content.subjectName),
    content.subjectPublicKey,
    tagged(3, true, sequence(...extensions(content))),
  );
  const signature = sign('sha256', body, { key: issuerKey, dsaEncoding: 'der' });
  return pem('CERTIFICATE', sequence(body, ecdsaWithSha256, bitString(signature)));
}

function name(text: string): Buffer {
  return sequence(set(sequence(commonName, utf8String(text))));
}

function extensions(content: CertificateContent): Buffer[] {
  const common = [
    extension('2.5.29.17', false, sequence(...generalNames(content.alternativeNames))),
    extension('2.5.29.14', false, octetString(keyIdentifier(content.subjectPublicKey))),
    extension('2.5.29.35', false, sequence(tagged(0, false, keyIdentifier(content.issuerPublicKey)))),
  ];
  if (content.use === 'authority') {
    return [
      // May sign hosts and no further authorities (path length 0).
      extension('2.5.29.19', true, sequence(boolean(true), integer(Uint8Array.of(0)))),
      extension('2.5.29.15', true, bitString(Uint8Array.of(0b0000_0110), 1)), // keyCertSign, cRLSign.
      ...common,
    ];
  }
  return [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bitString(Uint8Array.of(0b1000_0000), 7)), // digitalSignature.
    extension(
      '2.5.29.37',
      false,
      sequence(serverAuthentication, ...(content.use === 'peer' ? [clientAuthentication] : [])),
    ),
    ...common,
  ];
}

/** RFC 5280, section 4.2.1.6. */
function generalNames({ uris = [], dnsNames = [], addresses = [] }: AlternativeNames): Buffer[] {
  return [
    ...uris.map((uri) => tagged(6, false, Buffer.from(uri, 'latin1'))),
    ...dnsNames.map((dnsName) => tagged(2, false, Buffer.from(dnsName, 'latin1'))),
    ...addresses.map((address) => tagged(7, false, Uint8Array.from(ipaddr.parse(address).toByteArray()))),
  ];
}

function extension(oid: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

function keyIdentifier(spki: Uint8Array): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}
