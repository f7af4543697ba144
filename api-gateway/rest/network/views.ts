/** Records as Neutron answers them. */

import { normalPrefix } from '../../../node/services/network/kit/address.ts';
import { externalAddressesOf } from '../../../node/services/network/kit/external-addresses.ts';
import type { RuleView } from '../../../node/services/network/security-groups.ts';
import { indexKey } from '../../../node/state/table.ts';
import { hostTable, portTable, subnetTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { View } from './listing.ts';

/** Neutron's form: whole seconds, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

interface Standard {
  readonly id: string;
  readonly projectId: string;
  readonly description: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly string[];
}

function standard(record: Standard): View {
  return {
    id: record.id,
    tenant_id: record.projectId,
    project_id: record.projectId,
    description: record.description,
    tags: record.tags,
    created_at: timeText(record.createdMs),
    updated_at: timeText(record.updatedMs),
  };
}

/** Whether a rule holds for the caller. */
type May = (rule: string) => boolean;

/** The attributes whose own rules hold: `get_network:provider:network_type`. */
function shown(may: May, rule: string, attributes: View): View {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => may(`${rule}:${name}`)));
}

/** @param may which rules hold: provider attributes have their own. @param isShared with the caller: with all, or by a policy. */
export function networkView(reader: StateReader, network: shoal.v1.Network, may: May, isShared: boolean): View {
  return {
    ...standard(network),
    name: network.name,
    admin_state_up: network.adminStateUp,
    status: 'ACTIVE',
    shared: isShared,
    'router:external': network.external,
    mtu: network.mtu,
    subnets: subnetTable.by(reader, 'network', indexKey(network.id)).map((row) => row.record.id),
    port_security_enabled: network.portSecurityEnabled,
    availability_zone_hints: [],
    availability_zones: [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    is_default: false,
    ...shown(may, 'get_network', {
      'provider:network_type': network.external ? 'flat' : 'vxlan',
      'provider:physical_network': network.external ? network.physicalNetwork : null,
      'provider:segmentation_id': network.external ? null : network.vni,
    }),
  };
}

/** That of a recorded prefix. */
function versionOf(prefix: string): 4 | 6 {
  return prefix.includes(':') ? 6 : 4;
}

/** `gateway_ip` is null when there is none. */
export function subnetView(subnet: shoal.v1.Subnet): View {
  return {
    ...standard(subnet),
    name: subnet.name,
    network_id: subnet.networkId,
    ip_version: versionOf(subnet.cidr),
    cidr: subnet.cidr,
    gateway_ip: subnet.gatewayIp === '' ? null : subnet.gatewayIp,
    enable_dhcp: subnet.dhcp,
    allocation_pools: subnet.pools.map((pool) => ({ start: pool.start, end: pool.end })),
    dns_nameservers: subnet.dnsServers,
    host_routes: subnet.hostRoutes.map((route) => ({ destination: route.destination, nexthop: route.nextHop })),
    subnetpool_id: subnet.subnetPoolId === '' ? null : subnet.subnetPoolId,
    ipv6_ra_mode: subnet.ipv6RaMode === '' ? null : subnet.ipv6RaMode,
    ipv6_address_mode: subnet.ipv6AddressMode === '' ? null : subnet.ipv6AddressMode,
    service_types: [],
  };
}

/** As in Neutron the lengths are text. @param isShared with the caller. */
export function subnetPoolView(pool: shoal.v1.SubnetPool, isShared: boolean): View {
  return {
    ...standard(pool),
    name: pool.name,
    prefixes: pool.prefixes,
    ip_version: versionOf(pool.prefixes[0] ?? ''),
    min_prefixlen: String(pool.minPrefixLength),
    max_prefixlen: String(pool.maxPrefixLength),
    default_prefixlen: String(pool.defaultPrefixLength),
    default_quota: pool.defaultQuota === 0 ? null : pool.defaultQuota,
    shared: isShared,
    is_default: pool.isDefault,
    address_scope_id: null,
  };
}

/** @param may which rules hold: where it is plugged in has its own. */
export function portView(reader: StateReader, port: shoal.v1.Port, may: May): View {
  return {
    ...standard(port),
    name: port.name,
    network_id: port.networkId,
    mac_address: port.mac,
    admin_state_up: port.adminStateUp,
    status: port.status,
    device_id: port.deviceId,
    device_owner: port.deviceOwner,
    fixed_ips: port.fixedIps.map((fixed) => ({ subnet_id: fixed.subnetId, ip_address: fixed.ip })),
    security_groups: port.securityGroupIds,
    allowed_address_pairs: port.allowedAddressPairs.map((pair) => ({
      ip_address: pair.ip,
      mac_address: pair.mac === '' ? port.mac : pair.mac,
    })),
    extra_dhcp_opts: [],
    port_security_enabled: port.portSecurityEnabled,
    'binding:vnic_type': 'normal',
    ...shown(may, 'get_port', {
      'binding:host_id': hostTable.find(reader, port.hostId)?.record.name ?? '',
      'binding:vif_type': port.hostId === '' ? 'unbound' : 'tap',
      'binding:vif_details': {},
      'binding:profile': {},
    }),
  };
}

/** @param may which rules hold: `distributed` and `ha` have their own, as in Neutron. */
export function routerView(router: shoal.v1.Router, may: May): View {
  return {
    ...standard(router),
    name: router.name,
    admin_state_up: router.adminStateUp,
    status: 'ACTIVE',
    external_gateway_info:
      router.externalNetworkId === ''
        ? null
        : {
            network_id: router.externalNetworkId,
            enable_snat: router.snat,
            // None while the external network has no subnet.
            external_fixed_ips: externalAddressesOf(router).map(({ subnetId, ip }) => ({
              subnet_id: subnetId,
              ip_address: ip,
            })),
          },
    routes: router.routes.map((route) => ({ destination: route.destination, nexthop: route.nextHop })),
    availability_zone_hints: [],
    availability_zones: [],
    flavor_id: null,
    ...shown(may, 'get_router', { distributed: true, ha: false }),
  };
}

/** `status` is ACTIVE where it leads somewhere and DOWN where not. `port_details` come from the reader; null without a port. */
export function floatingIpView(reader: StateReader, floatingIp: shoal.v1.FloatingIp): View {
  const port = portTable.find(reader, floatingIp.portId)?.record;
  return {
    ...standard(floatingIp),
    floating_network_id: floatingIp.floatingNetworkId,
    floating_ip_address: floatingIp.floatingIp,
    fixed_ip_address: floatingIp.fixedIp === '' ? null : floatingIp.fixedIp,
    port_id: floatingIp.portId === '' ? null : floatingIp.portId,
    router_id: floatingIp.routerId === '' ? null : floatingIp.routerId,
    status: floatingIp.routerId === '' ? 'DOWN' : 'ACTIVE',
    port_forwardings: floatingIp.portForwardings.map((each) => {
      const { protocol, internal_ip_address, internal_port, external_port } = portForwardingView(each);
      return { protocol, internal_ip_address, internal_port, external_port };
    }),
    port_details:
      port === undefined
        ? null
        : {
            name: port.name,
            network_id: port.networkId,
            mac_address: port.mac,
            admin_state_up: port.adminStateUp,
            status: port.status,
            device_id: port.deviceId,
            device_owner: port.deviceOwner,
          },
  };
}

/** A group with all of its rules. @param isShared with the caller. */
export function securityGroupView(group: shoal.v1.SecurityGroup, isShared: boolean): View {
  return {
    ...standard(group),
    name: group.name,
    stateful: group.stateful,
    shared: isShared,
    security_group_rules: group.rules.map((rule) => ruleView({ rule, group })),
  };
}

/**
 * A rule, which belongs to its group's project. Null stands for "any". It never changes: `updated_at` is when it was
 * made.
 */
export function ruleView({ rule, group }: RuleView): View {
  return {
    id: rule.id,
    tenant_id: group.projectId,
    project_id: group.projectId,
    security_group_id: group.id,
    direction: rule.direction,
    ethertype: rule.ethertype,
    protocol: rule.protocol === '' ? null : rule.protocol,
    port_range_min: rule.portMin < 0 ? null : rule.portMin,
    port_range_max: rule.portMax < 0 ? null : rule.portMax,
    remote_ip_prefix: rule.remotePrefix === '' ? null : rule.remotePrefix,
    normalized_cidr: rule.remotePrefix === '' ? null : normalPrefix(rule.remotePrefix),
    remote_group_id: rule.remoteGroupId === '' ? null : rule.remoteGroupId,
    remote_address_group_id: rule.remoteAddressGroupId === '' ? null : rule.remoteAddressGroupId,
    description: rule.description,
    created_at: timeText(rule.createdMs),
    updated_at: timeText(rule.createdMs),
  };
}

/** A policy. It is never changed but for its target, and has no times. */
export function rbacPolicyView(policy: shoal.v1.RbacPolicy): View {
  return {
    id: policy.id,
    tenant_id: policy.projectId,
    project_id: policy.projectId,
    object_type: policy.objectType,
    object_id: policy.objectId,
    action: policy.action,
    target_tenant: policy.targetProject,
  };
}

/** @param isShared with the caller. */
export function addressGroupView(group: shoal.v1.AddressGroup, isShared: boolean): View {
  const { tags: _none, ...common } = standard({ ...group, tags: [] });
  return { ...common, name: group.name, addresses: group.addresses, shared: isShared };
}

/** A forwarding of a floating IP. */
export function portForwardingView(forwarding: shoal.v1.IPortForwarding) {
  return {
    id: forwarding.id,
    protocol: forwarding.protocol,
    internal_ip_address: forwarding.fixedIp,
    internal_port: forwarding.internalPort,
    internal_port_id: forwarding.portId,
    external_port: forwarding.externalPort,
    description: forwarding.description,
  };
}
