/**
 * Parts of Nova that have a name as an extension of old, and what shows that each is here: a route, an action, or a key of
 * an answer. Clients of old look here before they use a part; what is not served is not listed.
 */

/** Operation (as in `api-gateway/policies`) or attribute that the alias stands for. */
export const extensions = {
  'OS-DCF': { attribute: 'server.OS-DCF:diskConfig' },
  'OS-EXT-AZ': { attribute: 'server.OS-EXT-AZ:availability_zone' },
  'OS-EXT-IPS': { attribute: 'address.OS-EXT-IPS:type' },
  'OS-EXT-IPS-MAC': { attribute: 'address.OS-EXT-IPS-MAC:mac_addr' },
  'OS-EXT-SRV-ATTR': { attribute: 'server.OS-EXT-SRV-ATTR:host' },
  'OS-EXT-STS': { attribute: 'server.OS-EXT-STS:vm_state' },
  'OS-FLV-EXT-DATA': { attribute: 'flavor.OS-FLV-EXT-DATA:ephemeral' },
  'OS-FLV-DISABLED': { attribute: 'flavor.OS-FLV-DISABLED:disabled' },
  'OS-SCH-HNT': { operation: 'POST /v2.1/servers' },
  'OS-SRV-USG': { attribute: 'server.OS-SRV-USG:launched_at' },
  'os-aggregates': { operation: 'GET /v2.1/os-aggregates' },
  'os-attach-interfaces': { operation: 'GET /v2.1/servers/:id/os-interface' },
  'os-availability-zone': { operation: 'GET /v2.1/os-availability-zone' },
  'os-console-output': { operation: 'POST /v2.1/servers/:id/action#os-getConsoleOutput' },
  'os-deferred-delete': { operation: 'POST /v2.1/servers/:id/action#forceDelete' },
  'os-flavor-access': { operation: 'GET /v2.1/flavors/:id/os-flavor-access' },
  'os-flavor-extra-specs': { operation: 'GET /v2.1/flavors/:id/os-extra_specs' },
  'os-flavor-manage': { operation: 'POST /v2.1/flavors' },
  'os-hosts': { operation: 'GET /v2.1/os-hosts' },
  'os-hypervisors': { operation: 'GET /v2.1/os-hypervisors' },
  'os-keypairs': { operation: 'GET /v2.1/os-keypairs' },
  'os-lock-server': { operation: 'POST /v2.1/servers/:id/action#lock' },
  'os-migrate-server': { operation: 'POST /v2.1/servers/:id/action#migrate' },
  'os-multiple-create': { operation: 'POST /v2.1/servers' },
  'os-pause-server': { operation: 'POST /v2.1/servers/:id/action#pause' },
  'os-personality': { operation: 'POST /v2.1/servers' },
  'os-quota-sets': { operation: 'GET /v2.1/os-quota-sets/:project' },
  'os-security-groups': { operation: 'GET /v2.1/os-security-groups' },
  'os-server-groups': { operation: 'GET /v2.1/os-server-groups' },
  'os-server-start-stop': { operation: 'POST /v2.1/servers/:id/action#os-start' },
  'os-services': { operation: 'GET /v2.1/os-services' },
  'os-used-limits': { operation: 'GET /v2.1/limits' },
  'os-user-data': { operation: 'POST /v2.1/servers' },
} as const satisfies Readonly<Record<string, { readonly operation: string } | { readonly attribute: string }>>;

/** One as it is answered. */
export function extensionView(alias: string): object {
  return { alias, name: alias, namespace: '', description: '', updated: '2014-12-03T00:00:00Z', links: [] };
}
