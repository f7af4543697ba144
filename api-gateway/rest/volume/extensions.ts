import { ownValue } from '../../../node/base/own-value.ts';

/** Extensions by the aliases and names that Cinder gives them; clients look there before they use a part. */

const names: Readonly<Record<string, string>> = {
  backups: 'Backups',
  capabilities: 'Capabilities',
  encryption: 'VolumeTypeEncryption',
  'os-admin-actions': 'AdminActions',
  'os-availability-zone': 'AvailabilityZones',
  'os-extended-services': 'ExtendedServices',
  'os-extended-snapshot-attributes': 'ExtendedSnapshotAttributes',
  'os-hosts': 'Hosts',
  'os-quota-class-sets': 'QuotaClasses',
  'os-quota-sets': 'Quotas',
  'os-services': 'Services',
  'os-snapshot-actions': 'SnapshotActions',
  'os-types-extra-specs': 'TypesExtraSpecs',
  'os-types-manage': 'TypesManage',
  'os-used-limits': 'UsedLimits',
  'os-vol-host-attr': 'VolumeHostAttribute',
  'os-vol-image-meta': 'VolumeImageMetadata',
  'os-vol-mig-status-attr': 'VolumeMigStatusAttribute',
  'os-vol-tenant-attr': 'VolumeTenantAttribute',
  'os-volume-actions': 'VolumeActions',
  'os-volume-encryption-metadata': 'VolumeEncryptionMetadata',
  'os-volume-manage': 'VolumeManage',
  'os-volume-transfer': 'VolumeTransfer',
  'os-volume-type-access': 'VolumeTypeAccess',
  'os-volume-unmanage': 'VolumeUnmanage',
  'qos-specs': 'Qos_specs_manage',
  'scheduler-stats': 'Scheduler_stats',
};

/** The aliases of those that are here. */
export const extensionAliases: readonly string[] = Object.keys(names);

/** One as it is answered. */
export function extensionView(alias: string): object {
  return {
    alias,
    name: ownValue(names, alias) ?? alias,
    description: '',
    updated: '2014-02-01T00:00:00+00:00',
    links: [],
  };
}
