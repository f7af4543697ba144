import { hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { SecretBytes } from './secret-bytes.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** Length of the mesh key and of every key derived from it, bytes. */
const meshKeyBytes = 32;
/** Its file in the agent's data folder. */
export const meshKeyFileName = 'mesh.key';

/**
 * What keys are derived for. A name is forever: changing one changes the key, and what it sealed or signed is lost.
 * "seal" opens records sealed at rest; "token-signing" signs API tokens, so that any agent verifies any other's;
 * "guest-seed" makes the entropy that guests are given, the same on every host; "operator-relay" proves that a call came in at
 * an agent's own socket (../relay/operator-proof.ts).
 */
type KeyPurpose = 'seal' | 'token-signing' | 'guest-seed' | 'operator-relay';

/**
 * The secret that every member holds and the replicated state does not. It opens what is sealed in the state. It is
 * handed to a host when it joins, and lies in a file of mode 0600.
 */
export class MeshKey extends SecretBytes {
  /** Throws `CONFIG_INVALID` unless there are exactly 32 bytes. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== meshKeyBytes) {
      throw new ShoalError('CONFIG_INVALID', `A mesh key is ${meshKeyBytes} bytes, not ${bytes.length}.`);
    }
    super(bytes);
  }

  static create(): MeshKey {
    return new MeshKey(randomBytes(meshKeyBytes));
  }

  /** The key in `folder`; undefined when this host has none yet. */
  static async load(folder: string): Promise<MeshKey | undefined> {
    const found = await readSecretFile(join(folder, meshKeyFileName));
    return found === undefined ? undefined : new MeshKey(found);
  }

  async save(folder: string): Promise<void> {
    await writeSecretFile(join(folder, meshKeyFileName), this.reveal());
  }

  /** A key for one purpose (HKDF-SHA256, RFC 5869): knowing it tells nothing of the mesh key or of the other keys. */
  derive(purpose: KeyPurpose): SecretBytes {
    return new SecretBytes(new Uint8Array(hkdfSync('sha256', this.reveal(), '', `shoal/${purpose}/v1`, meshKeyBytes)));
  }
}
