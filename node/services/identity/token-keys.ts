import { ShoalError } from '../../base/errors.ts';
import type { MeshKey } from '../../mesh/identity/mesh-key.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import type { StateReader } from '../../state/types.ts';
import { TokenCodec } from './token.ts';

/** What tokens are signed and verified with, by the records that a reader has. */
export interface TokenKeys {
  /** Number of the key that signs now. */
  epoch(reader: StateReader): number;
  /** Codec of the key that signs now. Throws `UNAVAILABLE` on an agent that has not come so far yet. */
  signing(reader: StateReader): TokenCodec;
  /** Undefined: the key is not known to the reader, or its tokens are void. */
  verifying(reader: StateReader, epoch: number): VerifyingKey | undefined;
}

interface VerifyingKey {
  readonly codec: TokenCodec;
  /** Only tokens issued before this are good, wall clock in milliseconds. */
  readonly issuedBeforeMs: number;
  /** And only until then. */
  readonly goodUntilMs: number;
}

/** Token keys of a mesh: derived from its keys (mesh-key-ring.ts). */
export class MeshTokenKeys implements TokenKeys {
  readonly #ring: MeshKeyRing;
  readonly #codecs = new WeakMap<MeshKey, TokenCodec>();

  constructor(ring: MeshKeyRing) {
    this.#ring = ring;
  }

  epoch(reader: StateReader): number {
    return this.#ring.epoch(reader);
  }

  signing(reader: StateReader): TokenCodec {
    if (!this.#ring.hasCurrent(reader)) {
      throw new ShoalError('UNAVAILABLE', 'This agent is still catching up with the mesh; ask another, or again.');
    }
    const { epoch, key } = this.#ring.current(reader);
    return this.#codec(key, epoch);
  }

  verifying(reader: StateReader, epoch: number): VerifyingKey | undefined {
    const found = this.#ring.find(reader, epoch);
    if (found === undefined) return undefined;
    const isOver = found.goodUntilMs !== Number.POSITIVE_INFINITY;
    return {
      codec: this.#codec(found.key, epoch),
      issuedBeforeMs: isOver ? this.#ring.beganMs(reader, epoch + 1) : Number.POSITIVE_INFINITY,
      goodUntilMs: found.goodUntilMs,
    };
  }

  #codec(key: MeshKey, epoch: number): TokenCodec {
    const known = this.#codecs.get(key);
    if (known !== undefined) return known;
    const made = new TokenCodec(key.derive('token-signing').reveal(), epoch);
    this.#codecs.set(key, made);
    return made;
  }
}

/** One key for ever: for what has no mesh. Throws `CONFIG_INVALID` for a short key. */
export function fixedTokenKeys(key: Uint8Array): TokenKeys {
  const codec = new TokenCodec(key);
  const always = { codec, issuedBeforeMs: Number.POSITIVE_INFINITY, goodUntilMs: Number.POSITIVE_INFINITY };
  return {
    epoch: () => 0,
    signing: () => codec,
    verifying: (_reader, epoch) => (epoch === 0 ? always : undefined),
  };
}
