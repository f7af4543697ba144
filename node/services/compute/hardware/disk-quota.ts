/** What a flavor's `quota:disk_...` extra specs say of the disks that are a server's own, as Nova reads them. Pure. */
import type { DiskLimits } from '../../../../drivers/types.ts';
import { ownValue } from '../../../base/own-value.ts';
import { badRequest } from '../kit/refusals.ts';

/** Nova's names, by the limit that each is. Bytes and operations a second. */
const names = {
  bytesPerS: 'quota:disk_total_bytes_sec',
  readBytesPerS: 'quota:disk_read_bytes_sec',
  writeBytesPerS: 'quota:disk_write_bytes_sec',
  iops: 'quota:disk_total_iops_sec',
  readIops: 'quota:disk_read_iops_sec',
  writeIops: 'quota:disk_write_iops_sec',
} as const satisfies Partial<Record<keyof DiskLimits, string>>;

/** The limits; undefined: none. Throws `INVALID_ARGUMENT` for a total beside one of its parts, which QEMU does not take. */
export function flavorDiskLimits(extraSpecs: Readonly<Record<string, string>>): DiskLimits | undefined {
  const limits: DiskLimits = Object.fromEntries(
    Object.entries(names).flatMap(([limit, name]) => {
      const number = Number(ownValue(extraSpecs, name) ?? 0);
      return number === 0 ? [] : [[limit, number]];
    }),
  );
  const mixes = (total?: number, ...parts: (number | undefined)[]): boolean =>
    total !== undefined && parts.some((part) => part !== undefined);
  if (
    mixes(limits.bytesPerS, limits.readBytesPerS, limits.writeBytesPerS) ||
    mixes(limits.iops, limits.readIops, limits.writeIops)
  ) {
    throw badRequest(
      'A flavor limits what its disks do in total (quota:disk_total_...), or each way by itself: not both.',
    );
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}
