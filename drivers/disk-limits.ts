/** What `DiskLimits` may say. */
import { ShoalError } from '../node/base/errors.ts';
import type { DiskLimits } from './types.ts';

/** QEMU's bound: THROTTLE_VALUE_MAX. */
const valueMax = 1_000_000_000_000_000;

const names = [
  'bytesPerS',
  'readBytesPerS',
  'writeBytesPerS',
  'iops',
  'readIops',
  'writeIops',
  'bytesPerSMax',
  'readBytesPerSMax',
  'writeBytesPerSMax',
  'iopsMax',
  'readIopsMax',
  'writeIopsMax',
  'sizeIopsBytes',
] as const satisfies readonly (keyof DiskLimits)[];

/** A total, and the parts that it excludes. */
const totals = [
  ['bytesPerS', 'readBytesPerS', 'writeBytesPerS'],
  ['iops', 'readIops', 'writeIops'],
  ['bytesPerSMax', 'readBytesPerSMax', 'writeBytesPerSMax'],
  ['iopsMax', 'readIopsMax', 'writeIopsMax'],
] as const;

/** A burst, and the limit that it stands above. */
const bursts = [
  ['bytesPerSMax', 'bytesPerS'],
  ['readBytesPerSMax', 'readBytesPerS'],
  ['writeBytesPerSMax', 'writeBytesPerS'],
  ['iopsMax', 'iops'],
  ['readIopsMax', 'readIops'],
  ['writeIopsMax', 'writeIops'],
] as const;

/** Throws `INVALID_ARGUMENT`, naming the limit, for what QEMU would refuse. */
export function checkLimits(limits: DiskLimits): void {
  const refuse = (what: string): never => {
    throw new ShoalError('INVALID_ARGUMENT', `limits of a disk: ${what}`);
  };
  const of = (name: keyof DiskLimits): number => limits[name] ?? 0;
  for (const name of names) {
    const value = of(name);
    if (!Number.isSafeInteger(value) || value < 0 || value > valueMax)
      refuse(`${name} is not within 0 and ${valueMax}`);
  }
  for (const [total, ...parts] of totals) {
    for (const part of parts) if (of(total) > 0 && of(part) > 0) refuse(`${total} and ${part} exclude each other`);
  }
  for (const [burst, plain] of bursts) {
    if (of(burst) === 0) continue;
    if (of(plain) === 0) refuse(`${burst} needs ${plain}`);
    if (of(burst) < of(plain)) refuse(`${burst} is below ${plain}`);
  }
}
