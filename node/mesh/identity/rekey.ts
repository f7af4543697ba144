/**
 * Drawing new secrets for a mesh, within one transaction: a host that was removed has the old ones for ever (its key
 * file, its replica, its backups), so nothing that they open, sign or vouch for may count any more.
 *
 *     mesh key      a new one, sealed to the key of each member that stays (host-box.ts); members that are switched off
 *                   find theirs when they are back
 *     secrets       what the state holds sealed is sealed again by the leader (host/tasks/reseal-secrets.ts); until that is
 *                   done the keys of before are kept, sealed to those that were members then
 *     tokens        signed under a key derived from it; those of before are void at once, or, where nobody untrusted has
 *                   the old key, when their time is over
 *     authority     a new key and certificate, sealed under the new mesh key; unused tickets pin the old one and are void
 *     certificates  members keep theirs: their peers know the TLS key of each from its record and take no other, so that a
 *                   certificate that somebody signs with the old authority's key opens nothing
 */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { TransactionBuilder } from '../../state/table.ts';
import { hostTable, meshKeyEpochTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { certificateFingerprint, MeshAuthority } from './authority.ts';
import { sealToHost } from './host-box.ts';
import { MeshKey } from './mesh-key.ts';
import { type MeshKeyRing, meshKeyLabel } from './mesh-key-ring.ts';

/**
 * Former authorities that peers still know, so that members with certificates of that age stay members. A member whose
 * certificate is older joins again with a ticket, and keeps its id.
 */
const formerAuthoritiesMax = 32;

interface RekeyOptions {
  readonly nowMs: number;
  /** The host that goes; undefined: all stay. */
  readonly removedHostId?: string;
  /**
   * Tokens of before are good until then, and the authority stays: only where nobody untrusted has the old key.
   * Absent: they are void at once.
   */
  readonly formerTokensGoodUntilMs?: number;
}

/**
 * Adds the re-keying to a transaction that has not changed the mesh's row; returns the new epoch. Throws `CONFLICT` when a
 * member that stays has not said its TLS key yet: it would be refused.
 */
export function rekey(
  ring: MeshKeyRing,
  reader: StateReader,
  builder: TransactionBuilder,
  options: RekeyOptions,
): number {
  const row = meshTable.must(reader, 'mesh');
  const mesh = row.record;
  const staying = hostTable
    .list(reader)
    .map(({ record }) => record)
    .filter(({ id }) => id !== options.removedHostId);
  const key = MeshKey.create();
  const epoch = mesh.keyEpoch + 1;
  const label = meshKeyLabel(mesh.meshId, epoch);
  const isTrusted = options.formerTokensGoodUntilMs !== undefined;
  meshKeyEpochTable.insert(
    builder,
    new shoal.v1.MeshKeyEpoch({
      id: String(epoch),
      epoch,
      createdMs: options.nowMs,
      keys: staying.map(
        ({ id, publicKey }) =>
          new shoal.v1.SealedMeshKey({ hostId: id, sealed: sealToHost(publicKey, label, key.reveal()) }),
      ),
      formerTokensGoodUntilMs: options.formerTokensGoodUntilMs ?? 0,
    }),
  );
  const next = isTrusted ? openAuthority(ring, reader) : nextAuthority(mesh, staying, options.nowMs);
  const former = [mesh.authorityCertificatePem, ...mesh.formerAuthorityCertificates].slice(0, formerAuthoritiesMax);
  meshTable.update(
    builder,
    row,
    new shoal.v1.Mesh({
      ...mesh,
      keyEpoch: epoch,
      authorityCertificatePem: next.certificatePem,
      sealedAuthorityKey: next.sealKey(key),
      formerAuthorityCertificates: isTrusted ? mesh.formerAuthorityCertificates : former,
      // Nothing of a former authority vouches for the one that takes its place because it may be in wrong hands.
      ...(isTrusted ? {} : { crossCertificatePem: '', onlyPresentAuthorityShown: false }),
    }),
  );
  return epoch;
}

/**
 * Adds a new authority to a transaction, beside the present one, which nobody untrusted has: its key vouches for the new one, and
 * the mesh key stays. The job that begins with this drops the former ones when all have taken the new one up (host/jobs/kinds/rotate-authority.ts). Returns the
 * SHA-256 of its certificate. Throws `CONFLICT` when a member has not said its TLS key yet, and would be
 * refused; and at a host that has no copy of the mesh key.
 */
export function addAuthority(
  ring: MeshKeyRing,
  reader: StateReader,
  builder: TransactionBuilder,
  nowMs: number,
): Uint8Array {
  const row = meshTable.must(reader, 'mesh');
  const mesh = row.record;
  if (!ring.hasCurrent(reader)) {
    throw new ShoalError(
      'CONFLICT',
      'This agent has no copy of the present mesh key (yet): begin the rotation at another.',
    );
  }
  const present = openAuthority(ring, reader);
  const hosts = hostTable.list(reader).map(({ record }) => record);
  const next = nextAuthority(mesh, hosts, nowMs);
  meshTable.update(
    builder,
    row,
    new shoal.v1.Mesh({
      ...mesh,
      authorityCertificatePem: next.certificatePem,
      sealedAuthorityKey: next.sealKey(ring.current(reader).key),
      formerAuthorityCertificates: [present.certificatePem, ...mesh.formerAuthorityCertificates].slice(
        0,
        formerAuthoritiesMax,
      ),
      crossCertificatePem: present.crossSign(next),
      onlyPresentAuthorityShown: false,
    }),
  );
  return certificateFingerprint(next.certificatePem);
}

/** The mesh's authority as it is now. Throws `IDENTITY_MISMATCH` when this host has not its key. */
export function openAuthority(ring: MeshKeyRing, reader: StateReader): MeshAuthority {
  const { record: mesh } = meshTable.must(reader, 'mesh');
  return MeshAuthority.open(
    { meshId: mesh.meshId, certificatePem: mesh.authorityCertificatePem, sealedKey: mesh.sealedAuthorityKey },
    ring.current(reader).key,
  );
}

function nextAuthority(mesh: shoal.v1.Mesh, staying: readonly shoal.v1.Host[], nowMs: number): MeshAuthority {
  const unpinned = staying.filter(({ tlsKeySha256 }) => tlsKeySha256.length === 0).map(({ name }) => name);
  if (unpinned.length > 0) {
    throw new ShoalError(
      'CONFLICT',
      `The mesh cannot be re-keyed: ${unpinned.slice(0, 10).join(', ')} ran an older version when last seen, and would be ` +
        'refused by the others. Start them once with this version, or remove them first.',
      { facts: { hosts: unpinned.length } },
    );
  }
  return MeshAuthority.create(mesh.meshId, nowMs);
}
