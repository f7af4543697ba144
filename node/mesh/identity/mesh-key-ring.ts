import type { shoal } from '../../../proto/messages.ts';
import { hostTable, meshKeyEpochTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { openForHost } from './host-box.ts';
import type { HostIdentity } from './identity.ts';
import { MeshKey } from './mesh-key.ts';

/** A mesh key and its number. */
export interface NumberedKey {
  readonly epoch: number;
  readonly key: MeshKey;
}

/** What a copy of the mesh key is sealed under. */
export function meshKeyLabel(meshId: string, epoch: number): string {
  return `mesh-key/${meshId}/${epoch}`;
}

/**
 * The mesh keys that this host has: the one in its file, which the mesh was founded with, and those drawn since, which lie
 * in the state, sealed to each member. Reads whatever the reader has and keeps what it has opened.
 */
export class MeshKeyRing {
  readonly #identity: HostIdentity;
  readonly #first: MeshKey;
  readonly #opened = new Map<string, MeshKey>();
  /** The mesh's record as it was last decoded: asked for with every token. */
  #seen: { readonly value: Uint8Array; readonly mesh: shoal.v1.Mesh } | undefined;

  /** @param first the key in this host's file. */
  constructor(identity: HostIdentity, first: MeshKey) {
    this.#identity = identity;
    this.#first = first;
  }

  /** Number of the key that seals and signs now. */
  epoch(reader: StateReader): number {
    return this.#mesh(reader)?.keyEpoch ?? 0;
  }

  /** Whether this host has a copy of that key: not before its replica has come to where it is a member. */
  hasCurrent(reader: StateReader): boolean {
    return this.#has(reader, this.epoch(reader));
  }

  /** The key that seals and signs now. Throws `IDENTITY_MISMATCH` when this host has no copy of it. */
  current(reader: StateReader): NumberedKey {
    const epoch = this.epoch(reader);
    return { epoch, key: epoch === 0 ? this.#first : this.#open(reader, epoch) };
  }

  /** The key of an epoch that is not over, and how it stands; undefined: unknown, or forgotten. */
  find(reader: StateReader, epoch: number): { readonly key: MeshKey; readonly goodUntilMs: number } | undefined {
    const current = this.epoch(reader);
    if (!this.#has(reader, epoch)) return undefined;
    if (epoch === current) return { key: this.current(reader).key, goodUntilMs: Number.POSITIVE_INFINITY };
    if (epoch !== current - 1) return undefined;
    const goodUntilMs = meshKeyEpochTable.get(reader, String(current))?.record.formerTokensGoodUntilMs ?? 0;
    if (goodUntilMs === 0) return undefined;
    return { key: epoch === 0 ? this.#first : this.#open(reader, epoch), goodUntilMs };
  }

  /** The key of an epoch, for what was sealed with it and still is; undefined: this host has no copy of it. */
  opening(reader: StateReader, epoch: number): MeshKey | undefined {
    if (!this.#has(reader, epoch)) return undefined;
    return epoch === 0 ? this.#first : this.#open(reader, epoch);
  }

  /** When an epoch began, wall clock in milliseconds; 0 for the first. */
  beganMs(reader: StateReader, epoch: number): number {
    return meshKeyEpochTable.get(reader, String(epoch))?.record.createdMs ?? 0;
  }

  #mesh(reader: StateReader): shoal.v1.Mesh | undefined {
    const value = reader.get(meshTable.key('mesh'))?.value;
    if (value === undefined) return undefined;
    if (this.#seen?.value !== value) this.#seen = { value, mesh: meshTable.decode(value) };
    return this.#seen.mesh;
  }

  #has(reader: StateReader, epoch: number): boolean {
    // A replica that is still where this host was no member knows keys that it never had.
    if (epoch === 0 && this.#mesh(reader) !== undefined && hostTable.get(reader, this.#identity.hostId) === undefined) {
      return false;
    }
    if (epoch === 0 || this.#opened.has(meshKeyLabel(this.#mesh(reader)?.meshId ?? '', epoch))) return true;
    const copies = meshKeyEpochTable.get(reader, String(epoch))?.record.keys ?? [];
    return copies.some(({ hostId }) => hostId === this.#identity.hostId);
  }

  #open(reader: StateReader, epoch: number): MeshKey {
    const label = meshKeyLabel(this.#mesh(reader)?.meshId ?? '', epoch);
    const known = this.#opened.get(label);
    if (known !== undefined) return known;
    const { record } = meshKeyEpochTable.must(reader, String(epoch));
    const sealed = record.keys.find((copy) => copy.hostId === this.#identity.hostId)?.sealed ?? new Uint8Array(0);
    const key = new MeshKey(openForHost(this.#identity, label, sealed));
    this.#opened.set(label, key);
    return key;
  }
}
