/** Extensions by the names that Cinder gives them; clients look there before they use a part. */

export const extensionNames = [
  'backups',
  'capabilities',
  'encryption',
  'os-admin-actions',
  'os-availability-zone',
  'os-extended-services',
  'os-extended-snapshot-attributes',
  'os-hosts',
  'os-quota-class-sets',
  'os-quota-sets',
  'os-services',
  'os-snapshot-actions',
  'os-snapshot-manage',
  'os-snapshot-unmanage',
  'os-types-extra-specs',
  'os-types-manage',
  'os-used-limits',
  'os-vol-host-attr',
  'os-vol-image-meta',
  'os-vol-mig-status-attr',
  'os-vol-tenant-attr',
  'os-volume-actions',
  'os-volume-encryption-metadata',
  'os-volume-manage',
  'os-volume-transfer',
  'os-volume-type-access',
  'os-volume-unmanage',
  'qos-specs',
  'scheduler-stats',
] as const;

/** One as it is answered. */
export function extensionView(alias: (typeof extensionNames)[number]): object {
  return { alias, name: alias, description: '', updated: '2014-02-01T00:00:00+00:00', links: [] };
}
