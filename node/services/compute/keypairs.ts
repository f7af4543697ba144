/** SSH public keys of users. A private key is made on request, handed out once and never kept. */
import { createHash, generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey } from '../../state/table.ts';
import { keypairTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { transact } from '../kit/transact.ts';
import { makeClientCertificate } from './keypairs/client-certificate.ts';
import { badRequest, conflict, forbidden, keypairNotFound } from './kit/refusals.ts';
import { holdUserQuota } from './kit/user-quotas.ts';

/** Longest public key, characters: RSA of 16384 bits is about 2,800. */
const publicKeyCharactersMax = 16_384;
/** Size of keys made here, bits: what Nova makes. */
const rsaBits = 2048;

const generate = promisify(generateKeyPair);

interface KeypairDraft {
  readonly name: string;
  /**
   * OpenSSH's one line, or a certificate in PEM. Absent: a pair is made, and the answer carries the private key: in PEM, or
   * of a certificate as PKCS #12 in base64.
   */
  readonly publicKey?: string;
  /** Default: ssh. */
  readonly type?: 'ssh' | 'x509';
  /** Administrators may make keys for others. */
  readonly userId?: string;
}

/** A key, and its private half when it was made just now. */
interface NewKeypair {
  readonly keypair: shoal.v1.Keypair;
  readonly privateKey?: string;
}

/**
 * Nova's `os-keypairs`. Keys belong to a user, not to a project: a name is unique for its user, and the quota
 * `key_pairs` counts for the user. Another user's keys are for administrators (`FORBIDDEN`).
 */
export class Keypairs {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** The user's keys by name; another user's for administrators only. */
  list(context: RequestContext, reader: StateReader, userId = context.userId): readonly shoal.v1.Keypair[] {
    checkUser(context, userId);
    return keypairTable
      .by(reader, 'user', indexKey(userId))
      .map((row) => row.record)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  show(context: RequestContext, reader: StateReader, name: string, userId = context.userId): shoal.v1.Keypair {
    checkUser(context, userId);
    const row = keypairTable.get(reader, keypairId(userId, name));
    if (row === undefined) throw keypairNotFound(name, userId);
    return row.record;
  }

  async create(context: RequestContext, draft: KeypairDraft): Promise<NewKeypair> {
    const userId = draft.userId ?? context.userId;
    checkUser(context, userId);
    if (!/^[A-Za-z0-9 ._@-]{1,255}$/.test(draft.name) || draft.name.trim() !== draft.name) {
      throw badRequest(
        'Keypair data is invalid: Keypair name must contain only letters, digits, spaces and ._@- (1 to 255 of them).',
      );
    }
    const type = draft.type ?? 'ssh';
    const nowMs = this.#deps.clock.nowMs();
    const made = draft.publicKey === undefined ? await makePair(type, userId, nowMs) : undefined;
    // Byte for byte as it came: who manages it compares what is shown with what they sent.
    const publicKey = made?.publicKey ?? draft.publicKey ?? '';
    const keypair = new shoal.v1.Keypair({
      id: keypairId(userId, draft.name),
      userId,
      name: draft.name,
      publicKey,
      fingerprint: type === 'x509' ? certificateFingerprint(publicKey) : fingerprintOf(publicKey),
      type,
      createdMs: nowMs,
    });
    await transact(this.#deps, context, ({ reader, change }) => {
      if (keypairTable.get(reader, keypair.id) !== undefined) {
        throw conflict(`Key pair '${draft.name}' already exists.`);
      }
      chargeQuota(change, reader, userId, { key_pairs: 1 }, context.projectId);
      holdUserQuota(change, reader, { projectId: context.projectId, userId }, { key_pairs: 1 });
      keypairTable.insert(change, keypair);
    });
    return made === undefined ? { keypair } : { keypair, privateKey: made.privateKey };
  }

  async delete(context: RequestContext, name: string, userId = context.userId): Promise<void> {
    checkUser(context, userId);
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = keypairTable.get(reader, keypairId(userId, name));
      if (row === undefined) throw keypairNotFound(name, userId);
      refundQuota(change, userId, { key_pairs: 1 });
      keypairTable.remove(change, row);
    });
  }
}

/** Id of a user's key. */
export function keypairId(userId: string, name: string): string {
  return `${userId}/${name}`;
}

/**
 * MD5 over the key's bytes, as `ssh-keygen -E md5 -l` shows it. Throws 400 for what is no OpenSSH public key: one line,
 * blanks and line ends around it aside.
 */
function fingerprintOf(text: string): string {
  const publicKey = text.trim();
  const [type = '', key = ''] = publicKey.split(/\s+/);
  const bytes = Buffer.from(key, 'base64');
  const isKey =
    text.length <= publicKeyCharactersMax &&
    !/[\r\n]/.test(publicKey) &&
    /^[A-Za-z0-9+/]+=*$/.test(key) &&
    bytes.length > 4 + type.length &&
    bytes.readUInt32BE(0) === type.length &&
    bytes.subarray(4, 4 + type.length).toString('latin1') === type;
  if (!isKey) throw badRequest('Keypair data is invalid: failed to generate fingerprint');
  return colons(createHash('md5').update(bytes).digest('hex'));
}

/** SHA-1 over the certificate, as Nova and `openssl x509 -fingerprint` show it. Throws 400 for what is none. */
function certificateFingerprint(pem: string): string {
  if (pem.length > publicKeyCharactersMax) throw badRequest('Keypair data is invalid: the certificate is too long');
  try {
    return colons(createHash('sha1').update(new X509Certificate(pem).raw).digest('hex'));
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'Keypair data is invalid: public_key is no X.509 certificate in PEM', {
      cause: caught,
    });
  }
}

function colons(hex: string): string {
  return hex.match(/../g)?.join(':') ?? '';
}

type Pair = { readonly publicKey: string; readonly privateKey: string };

async function makePair(type: 'ssh' | 'x509', userId: string, nowMs: number): Promise<Pair> {
  if (type === 'ssh') return makeSshPair();
  const { certificate, bundle } = await makeClientCertificate(userId, nowMs);
  return { publicKey: certificate, privateKey: bundle };
}

async function makeSshPair(): Promise<Pair> {
  const pair = await generate('rsa', { modulusLength: rsaBits });
  const { e = '', n = '' } = pair.publicKey.export({ format: 'jwk' });
  const blob = Buffer.concat([sshString(Buffer.from('ssh-rsa')), sshInteger(e), sshInteger(n)]);
  return {
    publicKey: `ssh-rsa ${blob.toString('base64')} Generated-by-Shoal`,
    privateKey: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}

/** RFC 4251: length, then bytes. */
function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** RFC 4251: a positive integer has a zero byte in front when its highest bit is set. */
function sshInteger(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  return sshString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

function checkUser(context: RequestContext, userId: string): void {
  const { permissions } = context;
  if (userId === context.userId || permissions.allows(permissions.operation, { user_id: userId })) return;
  throw forbidden(`${permissions.operation} of another user`);
}
