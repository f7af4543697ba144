/** Rotating the authority: ../../plan/authority-plan.ts decides; this reads the records for it and writes the mesh's. */
import { shoal } from '../../../../proto/messages.ts';
import { certificateFingerprint } from '../../../mesh/identity/authority.ts';
import type { ServiceDependencies } from '../../../services/kit/dependencies.ts';
import { transact } from '../../../services/kit/transact.ts';
import { hostTable, meshTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import {
  nextOfRotation,
  progressOfRotation,
  type RotationAction,
  type RotationWorld,
} from '../../plan/authority-plan.ts';
import type { JobKind } from '../job-kind.ts';

/** See above. */
export function rotateAuthorityJob(services: ServiceDependencies): JobKind<RotationWorld, RotationAction> {
  return {
    name: 'rotate-authority',
    world: (job, reader) => worldOf(job, reader, services.clock.nowMs()),
    next: nextOfRotation,
    progress: progressOfRotation,
    carryOut: (job, action, signal) =>
      transact(services, { signal }, ({ reader, change }) => {
        const row = meshTable.must(reader, 'mesh');
        // Done already, or a re-keying has put another authority in its place.
        if (!isPresent(job, row.record)) return;
        const next =
          action === 'show-only-present'
            ? { onlyPresentAuthorityShown: true }
            : { formerAuthorityCertificates: [], crossCertificatePem: '', onlyPresentAuthorityShown: false };
        meshTable.update(change, row, new shoal.v1.Mesh({ ...row.record, ...next }));
      }),
  };
}

function worldOf(job: shoal.v1.Job, reader: StateReader, nowMs: number): RotationWorld {
  const mesh = meshTable.get(reader, 'mesh')?.record;
  const wanted = Buffer.from(job.rotateAuthority?.authoritySha256 ?? new Uint8Array(0));
  return {
    nowMs,
    isPresent: mesh !== undefined && isPresent(job, mesh),
    isOnlyShown: mesh?.onlyPresentAuthorityShown === true,
    hasFormer: (mesh?.formerAuthorityCertificates.length ?? 0) > 0,
    hosts: hostTable.list(reader).map(({ record }) => ({
      name: record.name,
      knows: wanted.equals(record.knownAuthoritySha256),
      shows: wanted.equals(record.shownAuthoritySha256),
    })),
  };
}

function isPresent(job: shoal.v1.Job, mesh: shoal.v1.Mesh): boolean {
  return certificateFingerprint(mesh.authorityCertificatePem).every(
    (byte, at) => byte === job.rotateAuthority?.authoritySha256[at],
  );
}
