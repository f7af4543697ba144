/** Cinder's refusals, in its words: clients and their scripts look for them. */
import { ShoalError } from '../../../base/errors.ts';
import type { CountedResource, QuotaRefusal } from '../../kit/quota.ts';

/** What can be missing, in Cinder's words. */
const missing = {
  volume: (id: string) => `Volume ${id} could not be found.`,
  snapshot: (id: string) => `Snapshot ${id} could not be found.`,
  type: (id: string) => `Volume type ${id} could not be found.`,
  qos: (id: string) => `No such qos_specs: ${id}.`,
  attachment: (id: string) => `Volume attachment could not be found with filter: attachment_id = ${id}.`,
  backup: (id: string) => `Backup ${id} could not be found.`,
  transfer: (id: string) => `Transfer ${id} could not be found.`,
  group: (id: string) => `Group ${id} could not be found.`,
  groupType: (id: string) => `Group type ${id} could not be found.`,
  groupSnapshot: (id: string) => `GroupSnapshot ${id} could not be found.`,
  message: (id: string) => `Message ${id} could not be found.`,
} as const;

/** A kind of thing of block storage. */
export type VolumeThing = keyof typeof missing;

/** 404, also for what exists and may not be seen. */
export function notFound(kind: VolumeThing, id: string): ShoalError {
  return new ShoalError('NOT_FOUND', missing[kind](id.slice(0, 255)), { facts: { kind, id } });
}

/** 400: Cinder's `InvalidInput`. */
export function invalidInput(reason: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid input received: ${reason}`);
}

/** 400: the volume is not in a state for it. */
export function invalidVolume(reason: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid volume: ${reason}`, { facts: { type: 'InvalidVolume' } });
}

/** 400: the snapshot is not in a state for it. */
export function invalidSnapshot(reason: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid snapshot: ${reason}`, { facts: { type: 'InvalidSnapshot' } });
}

/** 400, with Cinder's `Invalid KIND: `. */
export function invalid(kind: string, reason: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid ${kind}: ${reason}`);
}

/** 409. */
export function conflict(message: string): ShoalError {
  return new ShoalError('CONFLICT', message);
}

/** 404 for a key of somebody's metadata. */
export function metadataNotFound(kind: 'Volume' | 'Snapshot', id: string, key: string): ShoalError {
  return new ShoalError('NOT_FOUND', `${kind} ${id} has no metadata with key ${key.slice(0, 255)}.`);
}

/** Cinder's words for what a project may not have more of; the APIs answer 413. */
export const overVolumeQuota: QuotaRefusal = (resource, facts) => {
  const { limit, used, requested } = facts;
  const text = ofSize(resource, `Requested ${requested}G, quota is ${limit}G and ${used}G has been consumed.`);
  return new ShoalError('QUOTA_EXCEEDED', text ?? ofCount(resource, limit), {
    facts: { type: 'OverQuota', resource, ...facts },
  });
};

function ofSize(resource: CountedResource, figures: string): string | undefined {
  if (resource === 'backup_gigabytes') return `Requested backup exceeds allowed Backup gigabytes quota. ${figures}`;
  if (!resource.startsWith('gigabytes')) return undefined;
  return `Requested volume or snapshot exceeds allowed gigabytes quota. ${figures}`;
}

function ofCount(resource: CountedResource, limit: number): string {
  const [kind = ''] = resource.split('_');
  if (kind === 'volumes') return `Maximum number of volumes allowed (${limit}) exceeded for quota 'volumes'.`;
  return `Maximum number of ${kind} allowed (${limit}) exceeded`;
}
