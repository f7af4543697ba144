/** Secrets that records hold sealed with the mesh key: a copy of the state, a snapshot or a backup of it shows none of them. */
import type { StateReader } from '../../state/types.ts';
import type { Attempt } from './transact.ts';

/**
 * What is sealed. `volume-key`: passphrase of an encrypted volume, by the key's id. `backup-key`: opens the objects of a backup, by
 * the backup's id. `served-volume`: what the two ends of a volume that is served to another host prove themselves with, by the
 * volume's id and generation. `live-move`: the same of the two hosts between which a guest's memory goes, by the migration's id. `cloud-backup`: seals the backups of the cloud itself; there is one. Each kind is a field of records, which `cluster/sealed-fields.ts` names, so that it is sealed again when
 * the mesh key changes.
 */
export type SecretKind = 'volume-key' | 'backup-key' | 'served-volume' | 'live-move' | 'cloud-backup';

/** Whose secret it is. A sealed secret that is moved to another record does not open there. */
export interface SecretName {
  readonly kind: SecretKind;
  readonly id: string;
}

/** What the two hosts of a live migration have in common. */
export function liveMoveName(migrationId: string): SecretName {
  return { kind: 'live-move', id: migrationId };
}

/** The key of the cloud's own backups. */
export const cloudBackupName: SecretName = { kind: 'cloud-backup', id: 'cloud-backups' };

/** What a secret is sealed under. Forever: what was sealed under another label does not open. */
export function sealLabel({ kind, id }: SecretName): string {
  return `${kind}/${id}`;
}

/** A secret as the state may hold it. */
export interface SealedSecret {
  readonly sealed: Uint8Array;
  /** Number of the mesh key that seals it. */
  readonly keyEpoch: number;
}

/** Seals secrets with the mesh key, and opens them. */
export interface Sealing {
  /**
   * Draws `bytes` random bytes and seals them. The change is committed only while the key that seals them is the present one.
   * Throws `UNAVAILABLE` while this host has no copy of the mesh key.
   */
  draw(attempt: Pick<Attempt, 'reader' | 'change'>, name: SecretName, bytes: number): SealedSecret;
  /** The same of a secret that is there already. */
  seal(attempt: Pick<Attempt, 'reader' | 'change'>, name: SecretName, secret: Uint8Array): SealedSecret;
  /**
   * The bare secret, for the host that needs it. Throws `UNAVAILABLE` when this host has no copy of the key that seals it,
   * `IDENTITY_MISMATCH` for another name or bytes that were changed.
   */
  open(reader: StateReader, name: SecretName, secret: SealedSecret): Uint8Array;
}
