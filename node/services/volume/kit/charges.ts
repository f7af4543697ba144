/** What volumes and snapshots take of their project's quota, as a whole and by their type. */
import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { StateReader } from '../../../state/types.ts';
import {
  type Amounts,
  type CountedResource,
  chargeQuota,
  quotaKey,
  quotaLimit,
  refundQuota,
  unlimited,
} from '../../kit/quota.ts';
import type { Change } from '../../kit/transact.ts';
import { overVolumeQuota } from './refusals.ts';

type SizedVolume = Pick<shoal.v1.Volume, 'sizeGib' | 'typeId'>;

/** Of a volume. */
export function amountsOfVolume({ sizeGib, typeId }: SizedVolume): Amounts {
  return { volumes: 1, gigabytes: sizeGib, ...ofType(typeId, { volumes: 1, gigabytes: sizeGib }) };
}

/** Of a snapshot: as in Cinder its volume's size counts once more. @param typeId its volume's. */
export function amountsOfSnapshot(sizeGib: number, typeId: string): Amounts {
  return { snapshots: 1, gigabytes: sizeGib, ...ofType(typeId, { snapshots: 1, gigabytes: sizeGib }) };
}

/** Of so many GiB more of a volume. */
export function amountsOfGrowth(addedGib: number, typeId: string): Amounts {
  return { gigabytes: addedGib, ...ofType(typeId, { gigabytes: addedGib }) };
}

function ofType(
  typeId: string,
  amounts: Readonly<Partial<Record<'volumes' | 'snapshots' | 'gigabytes', number>>>,
): Amounts {
  if (typeId === '') return {};
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [`${name}_${typeId}`, amount]));
}

/** The amounts of several, as one charge. */
export function sumOf(all: readonly Amounts[]): Amounts {
  const sum = new Map<string, number>();
  for (const amounts of all) {
    for (const [name, amount] of Object.entries(amounts)) sum.set(name, (sum.get(name) ?? 0) + amount);
  }
  return Object.fromEntries(sum);
}

/** Takes from the project's quota. Throws `QUOTA_EXCEEDED` in Cinder's words. */
export function charge(change: Change, reader: StateReader, projectId: string, amounts: Amounts): void {
  chargeQuota(change, reader, projectId, amounts, projectId, overVolumeQuota);
}

/** Takes from the project's quota, also beyond its limit: for what was admitted before, and is done. */
export function chargeAnyway(change: Change, projectId: string, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) {
    change.add(quotaKey(projectId, name as CountedResource), amount, { min: 0, max: Number.MAX_SAFE_INTEGER });
  }
}

/** Gives back. */
export function refund(change: Change, projectId: string, amounts: Amounts): void {
  refundQuota(change, projectId, amounts);
}

/** Refuses a volume that is larger than the project may have one. */
export function checkVolumeSize(reader: StateReader, projectId: string, sizeGib: number): void {
  const limit = quotaLimit(reader, projectId, 'per_volume_gigabytes');
  if (limit === unlimited || sizeGib <= limit) return;
  throw new ShoalError(
    'QUOTA_EXCEEDED',
    `Requested volume size ${sizeGib}G is larger than maximum allowed limit ${limit}G.`,
    { facts: { type: 'OverQuota', resource: 'per_volume_gigabytes', limit } },
  );
}
