/**
 * Calls that came in at an agent's own socket, on their way to a replica. Who may open the socket is the mesh's administrator, and
 * has no token to show; the agent vouches for it, with the mesh key: by that key it could sign an administrator's token as well.
 * A certificate alone does not do. The proof is good for one method, and only from the member that made it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HostId } from '../../base/ids.ts';
import type { StateReader } from '../../state/types.ts';
import type { MeshKey } from '../identity/mesh-key.ts';
import type { MeshKeyRing, NumberedKey } from '../identity/mesh-key-ring.ts';

/** The metadata key that a proof comes in. */
export const operatorProofKey = 'shoal-operator-proof';

/** Makes and checks proofs. */
export interface OperatorProofs {
  /** That a call of `path` came in at this agent's own socket. Throws `IDENTITY_MISMATCH` while this host lacks the mesh key. */
  prove(path: string): string;
  /** Whether it is a proof that `member` made for `path`. */
  holds(proof: string, member: HostId, path: string): boolean;
}

/** `EPOCH.MAC`: the number of the mesh key, and an HMAC-SHA256 in base64url. */
const pattern = /^(\d{1,10})\.([A-Za-z0-9_-]{43})$/;

/** See above. */
export class MeshOperatorProofs implements OperatorProofs {
  readonly #ring: Pick<MeshKeyRing, 'current' | 'hasCurrent'>;
  readonly #reader: () => StateReader;
  readonly #self: HostId;

  constructor(ring: Pick<MeshKeyRing, 'current' | 'hasCurrent'>, reader: () => StateReader, self: HostId) {
    this.#ring = ring;
    this.#reader = reader;
    this.#self = self;
  }

  prove(path: string): string {
    const { epoch, key } = this.#ring.current(this.#reader());
    return `${epoch}.${macOf(key, this.#self, path).toString('base64url')}`;
  }

  holds(proof: string, member: HostId, path: string): boolean {
    const found = pattern.exec(proof);
    const current = this.#current();
    // One of a former key was made by an agent that has yet to hear of the present one, or by a host that was removed.
    if (found === null || current === undefined || Number(found[1]) !== current.epoch) return false;
    return timingSafeEqual(Buffer.from(found[2] ?? '', 'base64url'), macOf(current.key, member, path));
  }

  #current(): NumberedKey | undefined {
    const reader = this.#reader();
    return this.#ring.hasCurrent(reader) ? this.#ring.current(reader) : undefined;
  }
}

function macOf(key: MeshKey, member: HostId, path: string): Buffer {
  return createHmac('sha256', key.derive('operator-relay').reveal()).update(`${member}\n${path}`).digest();
}
