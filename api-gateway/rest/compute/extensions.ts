/**
 * Parts of Nova that have a name as an extension of old, and what shows that each is here: a route, an action, or a key of
 * an answer. Clients of old look here before they use a part; what is not served is not listed.
 */
import { ownValue } from '../../../node/base/own-value.ts';

/** Operation (as in `api-gateway/policies`) or attribute that the alias stands for. */
export const extensions = {
  'os-access-ips': { name: 'AccessIPs', attribute: 'server.accessIPv4' },
  'os-admin-actions': { name: 'AdminActions', operation: 'POST /v2.1/servers/:id/action#os-resetState' },
  'os-admin-password': { name: 'AdminPassword', operation: 'POST /v2.1/servers/:id/action#changePassword' },
  'os-aggregates': { name: 'Aggregates', operation: 'GET /v2.1/os-aggregates' },
  'os-attach-interfaces': { name: 'AttachInterfaces', operation: 'GET /v2.1/servers/:id/os-interface' },
  'os-availability-zone': { name: 'AvailabilityZone', operation: 'GET /v2.1/os-availability-zone' },
  'os-block-device-mapping': { name: 'BlockDeviceMapping', operation: 'POST /v2.1/servers' },
  'os-consoles': { name: 'Consoles', operation: 'POST /v2.1/servers/:id/remote-consoles' },
  'os-console-output': { name: 'ConsoleOutput', operation: 'POST /v2.1/servers/:id/action#os-getConsoleOutput' },
  'OS-DCF': { name: 'DiskConfig', attribute: 'server.OS-DCF:diskConfig' },
  'os-deferred-delete': { name: 'DeferredDelete', operation: 'POST /v2.1/servers/:id/action#forceDelete' },
  'OS-EXT-AZ': { name: 'ExtendedAvailabilityZone', attribute: 'server.OS-EXT-AZ:availability_zone' },
  'OS-EXT-IMG-SIZE': { name: 'ImageSize', operation: 'GET /v2.1/images/:id' },
  'OS-EXT-IPS': { name: 'ExtendedIps', attribute: 'address.OS-EXT-IPS:type' },
  'OS-EXT-IPS-MAC': { name: 'ExtendedIpsMac', attribute: 'address.OS-EXT-IPS-MAC:mac_addr' },
  'OS-EXT-SRV-ATTR': { name: 'ExtendedServerAttributes', attribute: 'server.OS-EXT-SRV-ATTR:host' },
  'OS-EXT-STS': { name: 'ExtendedStatus', attribute: 'server.OS-EXT-STS:vm_state' },
  'os-extended-volumes': { name: 'ExtendedVolumes', attribute: 'server.os-extended-volumes:volumes_attached' },
  'os-flavor-access': { name: 'FlavorAccess', operation: 'GET /v2.1/flavors/:id/os-flavor-access' },
  'os-flavor-extra-specs': { name: 'FlavorExtraSpecs', operation: 'GET /v2.1/flavors/:id/os-extra_specs' },
  'os-flavor-manage': { name: 'FlavorManage', operation: 'POST /v2.1/flavors' },
  'os-flavor-rxtx': { name: 'FlavorRxtx', attribute: 'flavor.rxtx_factor' },
  'os-flavor-swap': { name: 'FlavorSwap', attribute: 'flavor.swap' },
  'os-floating-ip-pools': { name: 'FloatingIpPools', operation: 'GET /v2.1/os-floating-ip-pools' },
  'os-floating-ips': { name: 'FloatingIps', operation: 'GET /v2.1/os-floating-ips' },
  'OS-FLV-DISABLED': { name: 'FlavorDisabled', attribute: 'flavor.OS-FLV-DISABLED:disabled' },
  'OS-FLV-EXT-DATA': { name: 'FlavorExtraData', attribute: 'flavor.OS-FLV-EXT-DATA:ephemeral' },
  'os-hosts': { name: 'Hosts', operation: 'GET /v2.1/os-hosts' },
  'os-hypervisors': { name: 'Hypervisors', operation: 'GET /v2.1/os-hypervisors' },
  'os-instance-actions': { name: 'InstanceActions', operation: 'GET /v2.1/servers/:id/os-instance-actions' },
  'os-instance_usage_audit_log': {
    name: 'OSInstanceUsageAuditLog',
    operation: 'GET /v2.1/os-instance_usage_audit_log',
  },
  'os-keypairs': { name: 'Keypairs', operation: 'GET /v2.1/os-keypairs' },
  'os-lock-server': { name: 'LockServer', operation: 'POST /v2.1/servers/:id/action#lock' },
  'os-migrate-server': { name: 'MigrateServer', operation: 'POST /v2.1/servers/:id/action#migrate' },
  'os-multiple-create': { name: 'MultipleCreate', operation: 'POST /v2.1/servers' },
  'os-networks': { name: 'Networks', operation: 'GET /v2.1/os-networks' },
  'os-pause-server': { name: 'PauseServer', operation: 'POST /v2.1/servers/:id/action#pause' },
  'os-personality': { name: 'Personality', operation: 'POST /v2.1/servers' },
  'os-quota-class-sets': { name: 'QuotaClasses', operation: 'GET /v2.1/os-quota-class-sets/:id' },
  'os-quota-sets': { name: 'Quotas', operation: 'GET /v2.1/os-quota-sets/:project' },
  'OS-SCH-HNT': { name: 'SchedulerHints', operation: 'POST /v2.1/servers' },
  'os-security-groups': { name: 'SecurityGroups', operation: 'GET /v2.1/os-security-groups' },
  'os-server-external-events': { name: 'ServerExternalEvents', operation: 'POST /v2.1/os-server-external-events' },
  'os-server-groups': { name: 'ServerGroups', operation: 'GET /v2.1/os-server-groups' },
  'os-server-password': { name: 'ServerPassword', operation: 'GET /v2.1/servers/:id/os-server-password' },
  'os-server-start-stop': { name: 'ServerStartStop', operation: 'POST /v2.1/servers/:id/action#os-start' },
  'os-services': { name: 'Services', operation: 'GET /v2.1/os-services' },
  'OS-SRV-USG': { name: 'ServerUsage', attribute: 'server.OS-SRV-USG:launched_at' },
  'os-simple-tenant-usage': { name: 'SimpleTenantUsage', operation: 'GET /v2.1/os-simple-tenant-usage' },
  'os-suspend-server': { name: 'SuspendServer', operation: 'POST /v2.1/servers/:id/action#suspend' },
  'os-tenant-networks': { name: 'OSTenantNetworks', operation: 'GET /v2.1/os-tenant-networks' },
  'os-used-limits': { name: 'UsedLimits', operation: 'GET /v2.1/limits' },
  'os-user-data': { name: 'UserData', operation: 'POST /v2.1/servers' },
  'os-volume-attachment-update': {
    name: 'VolumeAttachmentUpdate',
    operation: 'PUT /v2.1/servers/:id/os-volume_attachments/:key',
  },
  'os-volumes': { name: 'Volumes', operation: 'GET /v2.1/os-volumes' },
} as const satisfies Readonly<
  Record<string, { readonly name: string } & ({ readonly operation: string } | { readonly attribute: string })>
>;

/** One as it is answered; undefined: there is none of that alias. */
export function extensionView(alias: string): object | undefined {
  const name = ownValue<{ readonly name: string }>(extensions, alias)?.name;
  if (name === undefined) return undefined;
  return { alias, name, namespace: '', description: '', updated: '2014-12-03T00:00:00Z', links: [] };
}
