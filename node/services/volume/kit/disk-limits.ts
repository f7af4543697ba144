/** Limits of a volume for its guest, by the QoS specs of its type. Pure. */
import type { DiskLimits } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { qosSpecsTable, volumeTypeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';

/** Cinder's names of limits, and those of a guest's disk. Each of the plain ones may also be given for a GiB. */
const limitNames: ReadonlyMap<string, keyof DiskLimits> = new Map([
  ['total_bytes_sec', 'bytesPerS'],
  ['read_bytes_sec', 'readBytesPerS'],
  ['write_bytes_sec', 'writeBytesPerS'],
  ['total_iops_sec', 'iops'],
  ['read_iops_sec', 'readIops'],
  ['write_iops_sec', 'writeIops'],
  ['total_bytes_sec_max', 'bytesPerSMax'],
  ['read_bytes_sec_max', 'readBytesPerSMax'],
  ['write_bytes_sec_max', 'writeBytesPerSMax'],
  ['total_iops_sec_max', 'iopsMax'],
  ['read_iops_sec_max', 'readIopsMax'],
  ['write_iops_sec_max', 'writeIopsMax'],
  ['size_iops_sec', 'sizeIopsBytes'],
]);
const perGib = '_per_gb';

/** The limits; undefined: none. What is no number, or none that is above zero, limits nothing. */
export function diskLimits(reader: StateReader, volume: shoal.v1.Volume): DiskLimits | undefined {
  const type = volume.typeId === '' ? undefined : volumeTypeTable.get(reader, volume.typeId)?.record;
  if (type === undefined || type.qosSpecsId === '') return undefined;
  const specs = qosSpecsTable.get(reader, type.qosSpecsId)?.record.specs ?? {};
  return limitsOfSpecs(specs, volume.sizeGib);
}

/** Those of a volume of this size; undefined: none. */
export function limitsOfSpecs(specs: Readonly<Record<string, string>>, sizeGib: number): DiskLimits | undefined {
  const limits = Object.entries(specs).flatMap(([name, value]) => limitOf(name, value, sizeGib));
  return limits.length === 0 ? undefined : Object.fromEntries(limits);
}

function limitOf(name: string, value: string, sizeGib: number): [keyof DiskLimits, number][] {
  const isPerGib = name.endsWith(perGib);
  const limit = limitNames.get(isPerGib ? name.slice(0, -perGib.length) : name);
  const number = Number(value) * (isPerGib ? sizeGib : 1);
  return limit !== undefined && Number.isSafeInteger(number) && number > 0 ? [[limit, number]] : [];
}
