/** Records of the network service as users see them, by Neutron's names. */
import { isShared } from '../../../node/services/kit/ownership.ts';
import { isAllowed } from '../../../node/services/kit/permissions.ts';
import { externalAddressesOf } from '../../../node/services/network/kit/external-addresses.ts';
import type { RuleView } from '../../../node/services/network/security-groups.ts';
import { indexKey } from '../../../node/state/table.ts';
import { hostTable, subnetTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Viewing } from './viewing.ts';

interface Standard {
  readonly id: string;
  readonly projectId: string;
  readonly description: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: string[];
}

/** What all have. */
function standard({ id, projectId, description, createdMs, updatedMs, tags }: Standard): Standard {
  return { id, projectId, description, createdMs, updatedMs, tags };
}

/**
 * `subnetIds` come from the reader. The provider attributes are empty unless the caller is an administrator; an
 * external network is `flat`, any other `vxlan` with its VNI as segmentation id.
 */
export function networkView({ context, reader }: Viewing, network: shoal.v1.Network): shoal.v1.NetworkView {
  const { external } = network;
  return new shoal.v1.NetworkView({
    ...standard(network),
    name: network.name,
    adminStateUp: network.adminStateUp,
    shared: isShared(context, reader, 'network', network),
    external,
    mtu: network.mtu,
    subnetIds: subnetTable.by(reader, 'network', indexKey(network.id)).map((row) => row.record.id),
    portSecurityEnabled: network.portSecurityEnabled,
    ...(isAllowed(context, 'get_network:provider:network_type')
      ? { providerNetworkType: external ? 'flat' : 'vxlan' }
      : {}),
    ...(isAllowed(context, 'get_network:provider:physical_network')
      ? { providerPhysicalNetwork: external ? network.physicalNetwork : '' }
      : {}),
    ...(isAllowed(context, 'get_network:provider:segmentation_id')
      ? { providerSegmentationId: external ? 0 : network.vni }
      : {}),
  });
}

/** `gatewayIp` is empty when the subnet has no gateway. */
export function subnetView(subnet: shoal.v1.Subnet): shoal.v1.SubnetView {
  return new shoal.v1.SubnetView({
    ...standard(subnet),
    name: subnet.name,
    networkId: subnet.networkId,
    cidr: subnet.cidr,
    gatewayIp: subnet.gatewayIp,
    enableDhcp: subnet.dhcp,
    allocationPools: subnet.pools.map(({ start, end }) => ({ start, end })),
    dnsNameservers: subnet.dnsServers,
    hostRoutes: subnet.hostRoutes.map(routeView),
    ipVersion: subnet.cidr.includes(':') ? 6 : 4,
    ipv6AddressMode: subnet.ipv6AddressMode,
    ipv6RaMode: subnet.ipv6RaMode,
  });
}

/**
 * A pair of allowed addresses without a MAC of its own shows the port's. `bindingHostId` is the host's name, empty for
 * callers who are no administrators and for a port that no host has.
 */
export function portView({ context, reader }: Viewing, port: shoal.v1.Port): shoal.v1.PortView {
  return new shoal.v1.PortView({
    ...standard(port),
    name: port.name,
    networkId: port.networkId,
    macAddress: port.mac,
    adminStateUp: port.adminStateUp,
    status: port.status,
    deviceId: port.deviceId,
    deviceOwner: port.deviceOwner,
    fixedIps: port.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ipAddress: ip })),
    securityGroups: port.securityGroupIds,
    portSecurityEnabled: port.portSecurityEnabled,
    allowedAddressPairs: port.allowedAddressPairs.map(({ ip, mac }) => ({
      ipAddress: ip,
      macAddress: mac === '' ? port.mac : mac,
    })),
    bindingHostId: isAllowed(context, 'get_port:binding:host_id') ? hostName(reader, port.hostId) : '',
  });
}

function hostName(reader: StateReader, hostId: string): string {
  return hostTable.find(reader, hostId)?.record.name ?? '';
}

/** `externalGatewayInfo` is null while the router has no gateway. */
export function routerView(router: shoal.v1.Router): shoal.v1.RouterView {
  const { externalNetworkId } = router;
  return new shoal.v1.RouterView({
    ...standard(router),
    name: router.name,
    adminStateUp: router.adminStateUp,
    externalGatewayInfo:
      externalNetworkId === ''
        ? null
        : {
            networkId: externalNetworkId,
            enableSnat: router.snat,
            // None while the external network has no subnet.
            externalFixedIps: externalAddressesOf(router).map(({ subnetId, ip }) => ({ subnetId, ipAddress: ip })),
          },
    routes: router.routes.map(routeView),
  });
}

/** `status` is ACTIVE with a port and DOWN without, as in Neutron. */
export function floatingIpView(floatingIp: shoal.v1.FloatingIp): shoal.v1.FloatingIpView {
  return new shoal.v1.FloatingIpView({
    ...standard(floatingIp),
    floatingNetworkId: floatingIp.floatingNetworkId,
    floatingIpAddress: floatingIp.floatingIp,
    portId: floatingIp.portId,
    fixedIpAddress: floatingIp.fixedIp,
    routerId: floatingIp.routerId,
    status: floatingIp.portId === '' ? 'DOWN' : 'ACTIVE',
  });
}

/** A group with all of its rules, in the order in which the record keeps them. */
export function securityGroupView(group: shoal.v1.SecurityGroup): shoal.v1.SecurityGroupView {
  return new shoal.v1.SecurityGroupView({
    ...standard(group),
    name: group.name,
    securityGroupRules: group.rules.map((rule) => ruleView({ rule: new shoal.v1.SecurityGroupRule(rule), group })),
  });
}

/**
 * A rule, which belongs to its group's project. A port bound or ICMP type that stands for "any" (below 0 in the record)
 * is left out.
 */
export function ruleView({ rule, group }: RuleView): shoal.v1.SecurityGroupRuleView {
  return new shoal.v1.SecurityGroupRuleView({
    id: rule.id,
    projectId: group.projectId,
    securityGroupId: group.id,
    direction: rule.direction,
    ethertype: rule.ethertype,
    protocol: rule.protocol,
    // Below 0: any.
    ...(rule.portMin < 0 ? {} : { portRangeMin: rule.portMin }),
    ...(rule.portMax < 0 ? {} : { portRangeMax: rule.portMax }),
    remoteIpPrefix: rule.remotePrefix,
    remoteGroupId: rule.remoteGroupId,
    description: rule.description,
    createdMs: rule.createdMs,
  });
}

function routeView({ destination, nextHop }: shoal.v1.IHostRoute) {
  return { destination: destination ?? '', nexthop: nextHop ?? '' };
}
