/** The key of the cloud's backups: 32 bytes that follow from a passphrase, or from the content of a file, and from a salt. */
import { hkdfSync, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { checkedOrigin } from '../../services/cluster/cloud-backups.ts';

/** Length of the key, bytes: AES-256. */
const keyBytes = 32;
const saltBytes = 32;
/** Shortest passphrase, characters; and shortest content of a key file, bytes. */
const passphraseCharactersMin = 12;
const keyFileBytesMin = 32;
/**
 * What scrypt costs, as of 2026: 128 MiB of memory and about half a second for each guess (RFC 7914, section 2, and OWASP's
 * advice of N = 2^17, r = 8, p = 1).
 */
const cost = { log2Cost: 17, blockSize: 8, parallelism: 1 } as const;

const scryptOf = promisify<Buffer, Uint8Array, number, object, Buffer>(scrypt);

/** What an operator knows: nobody has it to read but them. */
export interface BackupSecret {
  readonly kind: 'passphrase' | 'key-file';
  /** UTF-8 of the passphrase, or the content of the file. Secret. */
  readonly bytes: Uint8Array;
}

/** How the next key is to follow from a secret of that kind: a salt that nobody has used. */
export function newKeyOrigin(kind: BackupSecret['kind']): shoal.v1.CloudBackupKeyOrigin {
  return new shoal.v1.CloudBackupKeyOrigin({
    kind,
    salt: randomBytes(saltBytes),
    ...(kind === 'passphrase' ? cost : {}),
  });
}

/**
 * The key that follows from a secret. Throws `INVALID_ARGUMENT` for a secret that is too short or of another kind than the origin
 * names, and for an origin that is out of bounds.
 */
export async function backupKey(secret: BackupSecret, origin: shoal.v1.ICloudBackupKeyOrigin): Promise<Uint8Array> {
  const known = checkedOrigin(origin);
  if (known.kind !== secret.kind) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `The key of this backup follows from a ${known.kind}, not from a ${secret.kind}.`,
    );
  }
  mustBeLongEnough(secret);
  if (secret.kind === 'key-file') {
    return new Uint8Array(hkdfSync('sha256', secret.bytes, known.salt, 'shoal/cloud-backup/v1', keyBytes));
  }
  const { log2Cost, blockSize: r, parallelism: p } = known;
  const N = 2 ** log2Cost;
  // scrypt takes 128 * N * r bytes, and a little more for each of p.
  return scryptOf(Buffer.from(secret.bytes), known.salt, keyBytes, {
    N,
    r,
    p,
    maxmem: 128 * N * r + 2 ** 20 * (p + 1),
  });
}

function mustBeLongEnough({ kind, bytes }: BackupSecret): void {
  const text = new TextDecoder().decode(bytes);
  if (kind === 'passphrase' && [...text].length < passphraseCharactersMin) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `A passphrase of backups has at least ${passphraseCharactersMin} characters.`,
    );
  }
  if (kind === 'key-file' && bytes.length < keyFileBytesMin) {
    throw new ShoalError('INVALID_ARGUMENT', `A key file of backups has at least ${keyFileBytesMin} bytes.`);
  }
}
