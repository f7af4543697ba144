/**
 * Certificates that a user logs in to Windows guests with, by WinRM: self-signed, RSA, for the client's end of TLS, with the
 * user as UPN. What Nova makes for a key pair of type x509.
 */
import { createHash, createHmac, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  pem,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from '../../../mesh/identity/der.ts';

const rsaBits = 2048;
/** Ten years, as Nova's. */
const lifeMs = 3650 * 24 * 3_600_000;
/** Rounds of the key that the bundle's sum is made with. Its password is empty and protects nothing. */
const macRounds = 2048;
/** Bytes that SHA-256 takes at once. */
const hashBlockBytes = 64;

const generate = promisify(generateKeyPair);
const none = Uint8Array.of(0x05, 0x00);
const oid = {
  commonName: '2.5.4.3',
  subjectAlternativeName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  clientAuthentication: '1.3.6.1.5.5.7.3.2',
  userPrincipalName: '1.3.6.1.4.1.311.20.2.3',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha256: '2.16.840.1.101.3.4.2.1',
  data: '1.2.840.113549.1.7.1',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  localKeyId: '1.2.840.113549.1.9.21',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
} as const;

/** A certificate and its key. */
interface ClientCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Both together as PKCS #12 without a password, in base64: what Nova hands out as the private key. */
  readonly bundle: string;
}

/** Makes a key and a certificate over it. @param nowMs from when on it holds, wall clock. */
export async function makeClientCertificate(userId: string, nowMs: number): Promise<ClientCertificate> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: rsaBits });
  const der = signedCertificate(userId, nowMs, publicKey, privateKey);
  return { certificate: pem('CERTIFICATE', der), bundle: Buffer.from(bundled(der, privateKey)).toString('base64') };
}

function signedCertificate(userId: string, nowMs: number, publicKey: KeyObject, privateKey: KeyObject): Uint8Array {
  const algorithm = sequence(objectIdentifier(oid.sha256WithRsa), none);
  const name = sequence(set(sequence(objectIdentifier(oid.commonName), utf8String(userId))));
  const principal = sequence(
    tagged(0, true, objectIdentifier(oid.userPrincipalName), tagged(0, true, utf8String(`${userId}@localhost`))),
  );
  const body = sequence(
    tagged(0, true, integer(Uint8Array.of(2))), // Version 3.
    integer(randomBytes(16)),
    algorithm,
    name,
    sequence(time(nowMs), time(nowMs + lifeMs)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    tagged(
      3,
      true,
      sequence(
        sequence(
          objectIdentifier(oid.extendedKeyUsage),
          octetString(sequence(objectIdentifier(oid.clientAuthentication))),
        ),
        sequence(objectIdentifier(oid.subjectAlternativeName), octetString(principal)),
      ),
    ),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, privateKey)));
}

/** PKCS #12 (RFC 7292): certificate and key in the clear, with the sum that readers want. */
function bundled(certificate: Uint8Array, privateKey: KeyObject): Uint8Array {
  const data = (content: Uint8Array): Uint8Array =>
    sequence(objectIdentifier(oid.data), tagged(0, true, octetString(content)));
  const keyId = createHash('sha1').update(certificate).digest();
  const attributes = set(sequence(objectIdentifier(oid.localKeyId), set(octetString(keyId))));
  const bag = (kind: string, value: Uint8Array): Uint8Array =>
    sequence(sequence(objectIdentifier(kind), tagged(0, true, value), attributes));
  const certificateValue = sequence(objectIdentifier(oid.x509Certificate), tagged(0, true, octetString(certificate)));
  const safe = sequence(
    data(bag(oid.certificateBag, certificateValue)),
    data(bag(oid.keyBag, privateKey.export({ format: 'der', type: 'pkcs8' }))),
  );
  return sequence(integer(Uint8Array.of(3)), data(safe), macOf(safe));
}

function macOf(safe: Uint8Array): Uint8Array {
  // As long as a block, so that it need not be repeated.
  const salt = randomBytes(hashBlockBytes);
  const mac = createHmac('sha256', macKey(salt)).update(safe).digest();
  const algorithm = sequence(objectIdentifier(oid.sha256), none);
  return sequence(
    sequence(algorithm, octetString(mac)),
    octetString(salt),
    integer(Uint8Array.of(macRounds >> 8, macRounds & 0xff)),
  );
}

/** RFC 7292, appendix B.2, for the empty password (in its form of two zero bytes) and a key of one hash. */
function macKey(salt: Uint8Array): Uint8Array {
  const purpose = Buffer.alloc(hashBlockBytes, 3);
  const password = Buffer.alloc(hashBlockBytes);
  let key = createHash('sha256').update(purpose).update(salt).update(password).digest();
  for (let round = 1; round < macRounds; round++) key = createHash('sha256').update(key).digest();
  return key;
}
