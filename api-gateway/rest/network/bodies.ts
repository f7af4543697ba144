/** Bodies, already checked by their schemas, as the service's drafts and patches. `null` is "not said" unless it means "none". */
import type { Static, TSchema } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { FloatingIpDraft, FloatingIpPatch } from '../../../node/services/network/floating-ips.ts';
import { definedOf, type NetworkDraft, type NetworkPatch } from '../../../node/services/network/networks.ts';
import type { PortDraft, PortPatch } from '../../../node/services/network/ports.ts';
import { badRequest } from '../../../node/services/network/refusals.ts';
import type { GatewayDraft, RouterDraft, RouterPatch } from '../../../node/services/network/routers.ts';
import type { SecurityGroupDraft, SecurityGroupRuleDraft } from '../../../node/services/network/security-groups.ts';
import type { SubnetDraft, SubnetPatch } from '../../../node/services/network/subnets.ts';
import type * as schemas from './schemas.ts';

type Body<Name extends keyof typeof schemas> = (typeof schemas)[Name] extends TSchema
  ? Static<(typeof schemas)[Name]>
  : never;

/** Null is "not said". */
const said = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

function projectOf(body: { readonly tenant_id?: string | null; readonly project_id?: string | null }): {
  projectId?: string;
} {
  const projectId = said(body.project_id) ?? said(body.tenant_id);
  return projectId === undefined || projectId === '' ? {} : { projectId };
}

export function networkDraft(body: Body<'networkNew'>): NetworkDraft {
  return {
    ...networkPatchOf(body),
    ...projectOf(body),
    ...definedOf({
      providerType: said(body['provider:network_type']),
      physicalNetwork: said(body['provider:physical_network']),
      segmentationId: said(body['provider:segmentation_id']),
    }),
  };
}

export function networkPatchOf(body: Body<'networkPatch'>): NetworkPatch {
  if (body.is_default === true) throw unsupported('a default external network');
  return definedOf({
    name: said(body.name),
    description: said(body.description),
    adminStateUp: body.admin_state_up,
    shared: body.shared,
    external: body['router:external'],
    mtu: said(body.mtu),
    portSecurityEnabled: body.port_security_enabled,
  });
}

export function subnetDraft(body: Body<'subnetNew'>): SubnetDraft {
  if (said(body.subnetpool_id) !== undefined || body.use_default_subnetpool === true) throw unsupported('subnet pools');
  if (Number(body.ip_version ?? 4) === 6 || said(body.ipv6_ra_mode) !== undefined) throw unsupported('IPv6 subnets');
  if (body.cidr === undefined || body.cidr === null) {
    throw badRequest('Bad subnets request: a subnetpool must be specified in the absence of a cidr.');
  }
  return { ...subnetPatchOf(body), ...projectOf(body), networkId: body.network_id, cidr: body.cidr };
}

export function subnetPatchOf(body: Body<'subnetPatch'>): SubnetPatch {
  return {
    ...definedOf({
      name: said(body.name),
      description: said(body.description),
      dhcp: body.enable_dhcp,
      pools: said(body.allocation_pools),
      dnsServers: said(body.dns_nameservers),
      hostRoutes: said(body.host_routes)?.map((route) => ({
        destination: route.destination,
        nextHop: route.nexthop,
      })),
    }),
    // Here null does mean "none".
    ...(body.gateway_ip === undefined ? {} : { gatewayIp: body.gateway_ip === '' ? null : body.gateway_ip }),
  };
}

export function portDraft(body: Body<'portNew'>): PortDraft {
  return { ...portPatchOf(body), ...projectOf(body), networkId: body.network_id };
}

export function portPatchOf(body: Body<'portPatch'>): PortPatch {
  return definedOf({
    name: said(body.name),
    description: said(body.description),
    mac: said(body.mac_address),
    fixedIps: said(body.fixed_ips)?.map((fixed) =>
      definedOf({ subnetId: said(fixed.subnet_id), ip: said(fixed.ip_address) }),
    ),
    deviceId: said(body.device_id),
    deviceOwner: said(body.device_owner),
    adminStateUp: body.admin_state_up,
    portSecurityEnabled: body.port_security_enabled,
    securityGroupIds: said(body.security_groups),
    allowedAddressPairs: said(body.allowed_address_pairs)?.map((pair) => ({
      ip: pair.ip_address,
      ...definedOf({ mac: said(pair.mac_address) }),
    })),
  });
}

export function routerDraft(body: Body<'routerNew'>): RouterDraft {
  return { ...routerPatchOf(body), ...projectOf(body) };
}

export function routerPatchOf(body: Body<'routerPatch'>): RouterPatch {
  const gateway = body.external_gateway_info;
  return {
    ...definedOf({
      name: said(body.name),
      description: said(body.description),
      adminStateUp: body.admin_state_up,
      routes: said(body.routes)?.map((route) => ({ destination: route.destination, nextHop: route.nexthop })),
    }),
    ...(gateway === undefined ? {} : { gateway: gatewayOf(gateway) }),
  };
}

function gatewayOf(gateway: NonNullable<Body<'routerPatch'>['external_gateway_info']> | null): GatewayDraft | null {
  // Both null and {} take the gateway away.
  if (gateway?.network_id === undefined) return null;
  return {
    networkId: gateway.network_id,
    ...definedOf({
      enableSnat: gateway.enable_snat,
      fixedIps: gateway.external_fixed_ips?.map((fixed) =>
        definedOf({ subnetId: said(fixed.subnet_id), ip: said(fixed.ip_address) }),
      ),
    }),
  };
}

export function floatingIpDraft(body: Body<'floatingIpNew'>): FloatingIpDraft {
  return {
    ...projectOf(body),
    floatingNetworkId: body.floating_network_id,
    ...definedOf({
      description: said(body.description),
      subnetId: said(body.subnet_id),
      floatingIp: said(body.floating_ip_address),
      portId: said(body.port_id),
      fixedIp: said(body.fixed_ip_address),
    }),
  };
}

export function floatingIpPatchOf(body: Body<'floatingIpPatch'>): FloatingIpPatch {
  return {
    ...definedOf({ description: said(body.description), fixedIp: said(body.fixed_ip_address) }),
    // Here null does mean "none".
    ...(body.port_id === undefined ? {} : { portId: body.port_id }),
  };
}

export function securityGroupDraft(body: Body<'securityGroupNew'>): SecurityGroupDraft {
  return { name: body.name, ...projectOf(body), ...definedOf({ description: said(body.description) }) };
}

export function securityGroupRuleDraft(body: Body<'securityGroupRuleNew'>): SecurityGroupRuleDraft {
  const port = (value: number | string | null | undefined): number | undefined => {
    const number = value === null || value === undefined ? undefined : Number(value);
    // Some clients say "any" by -1.
    return number === -1 ? undefined : number;
  };
  const protocol = said(body.protocol);
  return {
    securityGroupId: body.security_group_id,
    direction: body.direction,
    ...definedOf({
      ethertype: said(body.ethertype),
      protocol: protocol === undefined || protocol === -1 || protocol === '' ? undefined : String(protocol),
      portMin: port(body.port_range_min),
      portMax: port(body.port_range_max),
      remotePrefix: said(body.remote_ip_prefix),
      remoteGroupId: said(body.remote_group_id),
      description: said(body.description),
    }),
  };
}

function unsupported(what: string): ShoalError {
  return new ShoalError('NOT_IMPLEMENTED', `This version of Shoal does not have ${what}.`, {
    facts: { type: 'NotImplemented' },
  });
}
