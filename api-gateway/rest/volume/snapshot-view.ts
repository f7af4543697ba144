/** Snapshots as Cinder shows them. */
import type { FastifyRequest } from 'fastify';
import type { shoal } from '../../../proto/messages.ts';
import { maybeTime, timeText, type View } from './kit/common.ts';
import { microversionOf } from './kit/microversion.ts';

/** In every answer. */
export function briefSnapshotView(
  snapshot: shoal.v1.VolumeSnapshot,
  { request }: { readonly request: FastifyRequest },
): View {
  const microversion = microversionOf(request);
  return {
    id: snapshot.id,
    created_at: timeText(snapshot.createdMs),
    updated_at: maybeTime(snapshot.updatedMs),
    name: snapshot.name,
    description: snapshot.description,
    volume_id: snapshot.volumeId,
    status: snapshot.status,
    size: snapshot.sizeGib,
    metadata: snapshot.metadata,
    ...(microversion >= 14
      ? { group_snapshot_id: snapshot.groupSnapshotId === '' ? null : snapshot.groupSnapshotId }
      : {}),
    ...(microversion >= 41 ? { user_id: snapshot.userId } : {}),
    ...(microversion >= 65 ? { consumes_quota: true } : {}),
  };
}

/** Of one, and in lists with details. */
export function snapshotView(snapshot: shoal.v1.VolumeSnapshot, shown: { readonly request: FastifyRequest }): View {
  return {
    ...briefSnapshotView(snapshot, shown),
    'os-extended-snapshot-attributes:progress': `${snapshot.status === 'available' ? 100 : snapshot.progressPercent}%`,
    'os-extended-snapshot-attributes:project_id': snapshot.projectId,
  };
}
