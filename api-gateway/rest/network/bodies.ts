/** Bodies, already checked by their schemas, as the service's drafts and patches. Where null may stand it means "none". */
import type { Static, TSchema } from 'typebox';
import { definedOf } from '../../../node/base/defined-of.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import type { FloatingIpDraft, FloatingIpPatch } from '../../../node/services/network/floating-ips.ts';
import type { NetworkDraft, NetworkPatch } from '../../../node/services/network/networks.ts';
import type { SubnetPoolDraft, SubnetPoolPatch } from '../../../node/services/network/pools/subnet-pools.ts';
import type { PortDraft, PortPatch } from '../../../node/services/network/ports.ts';
import type { GatewayDraft, RouterDraft, RouterPatch } from '../../../node/services/network/routers.ts';
import type { SecurityGroupDraft, SecurityGroupRuleDraft } from '../../../node/services/network/security-groups.ts';
import type { SubnetDraft, SubnetPatch } from '../../../node/services/network/subnets.ts';
import type * as schemas from '../schemas/network.ts';

type Body<Name extends keyof typeof schemas> = (typeof schemas)[Name] extends TSchema
  ? Static<(typeof schemas)[Name]>
  : never;

/** Null is "none", as is leaving it out. */
const said = <T>(value: T | null | undefined): T | undefined => value ?? undefined;
/** Null is the empty list; leaving it out is to leave it alone. */
const listOf = <T>(value: readonly T[] | null | undefined): readonly T[] | undefined => (value === null ? [] : value);

/** Whose the new thing is to be; empty: the caller's. */
export function projectOf(body: { readonly tenant_id?: string; readonly project_id?: string }): { projectId?: string } {
  const projectId = body.project_id ?? body.tenant_id;
  return projectId === undefined || projectId === '' ? {} : { projectId };
}

/** `POST /networks`. Whether the caller may say the provider attributes is checked by the service. */
export function networkDraft(body: Body<'networkNew'>): NetworkDraft {
  return {
    ...networkPatchOf(body),
    ...projectOf(body),
    ...definedOf({
      providerType: body['provider:network_type'],
      physicalNetwork: body['provider:physical_network'],
      segmentationId: body['provider:segmentation_id'],
    }),
  };
}

/** `PUT /networks/:id`: what is left out of the body is left out of the patch and stays. */
export function networkPatchOf(body: Body<'networkPatch'>): NetworkPatch {
  return definedOf({
    name: body.name,
    description: body.description,
    adminStateUp: body.admin_state_up,
    shared: body.shared,
    external: body['router:external'],
    mtu: body.mtu,
    portSecurityEnabled: body.port_security_enabled,
  });
}

/**
 * `POST /subnets`. Throws `INVALID_ARGUMENT` with an IPv6 mode of IPv4, and unless either a `cidr` or a pool says what its prefix
 * is.
 */
export function subnetDraft(body: Body<'subnetNew'>): SubnetDraft {
  const useDefault = body.use_default_subnetpool === true;
  if (useDefault && said(body.subnetpool_id) !== undefined) {
    throw badRequest('subnetpool_id and use_default_subnetpool cannot both be specified');
  }
  const pool = useDefault ? 'default' : said(body.subnetpool_id);
  const ipv6RaMode = said(body.ipv6_ra_mode);
  const ipv6AddressMode = said(body.ipv6_address_mode);
  if (body.ip_version === 4 && (ipv6RaMode !== undefined || ipv6AddressMode !== undefined)) {
    throw badRequest('ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is not 6.', 'InvalidInput');
  }
  const cidr = said(body.cidr);
  const { prefixlen } = body;
  if (cidr === undefined && pool === undefined) {
    throw badRequest('Bad subnets request: a subnetpool must be specified in the absence of a cidr.');
  }
  if (cidr !== undefined && prefixlen !== undefined) {
    throw badRequest('Bad subnets request: cidr and prefixlen must not be supplied together.');
  }
  return {
    ...subnetPatchOf(body),
    ...projectOf(body),
    networkId: body.network_id,
    ...definedOf({ cidr, pool, prefixLength: prefixlen, ipVersion: body.ip_version, ipv6RaMode, ipv6AddressMode }),
  };
}

/**
 * `PUT /subnets/:id`. A gateway that is null or empty takes it away; left out, it stays (in a new subnet: the first
 * address).
 */
export function subnetPatchOf(body: Body<'subnetPatch'>): SubnetPatch {
  return {
    ...definedOf({
      name: body.name,
      description: body.description,
      dhcp: body.enable_dhcp,
      pools: body.allocation_pools,
      dnsServers: listOf(body.dns_nameservers),
      hostRoutes: listOf(body.host_routes)?.map((route) => ({
        destination: route.destination,
        nextHop: route.nexthop,
      })),
    }),
    // Here null does mean "none".
    ...(body.gateway_ip === undefined ? {} : { gatewayIp: body.gateway_ip === '' ? null : body.gateway_ip }),
  };
}

/** `POST /subnetpools`. */
export function subnetPoolDraft(body: Body<'subnetPoolNew'>): SubnetPoolDraft {
  return {
    ...subnetPoolPatchOf(body),
    ...projectOf(body),
    name: body.name,
    prefixes: body.prefixes,
    ...definedOf({ shared: body.shared }),
  };
}

/** `PUT /subnetpools/:id`. A quota that is null or 0 is none. */
export function subnetPoolPatchOf(body: Body<'subnetPoolPatch'>): SubnetPoolPatch {
  return definedOf({
    name: body.name,
    description: body.description,
    prefixes: body.prefixes,
    minPrefixLength: said(body.min_prefixlen),
    maxPrefixLength: said(body.max_prefixlen),
    defaultPrefixLength: said(body.default_prefixlen),
    defaultQuota: body.default_quota,
    isDefault: body.is_default,
  });
}

/** `POST /ports`. Without `fixed_ips` the service chooses an address; an empty list asks for none. */
export function portDraft(body: Body<'portNew'>): PortDraft {
  return { ...portPatchOf(body), ...projectOf(body), networkId: body.network_id };
}

/**
 * `PUT /ports/:id`. Groups or address pairs that are null are the empty list. Throws `INVALID_ARGUMENT` for a pair
 * without an address.
 */
export function portPatchOf(body: Body<'portPatch'>): PortPatch {
  return definedOf({
    name: body.name,
    description: body.description,
    mac: body.mac_address,
    fixedIps: body.fixed_ips?.map((fixed) => definedOf({ subnetId: fixed.subnet_id, ip: fixed.ip_address })),
    deviceId: body.device_id,
    deviceOwner: body.device_owner,
    adminStateUp: body.admin_state_up,
    portSecurityEnabled: body.port_security_enabled,
    securityGroupIds: listOf(body.security_groups),
    allowedAddressPairs: listOf(body.allowed_address_pairs)?.map((pair) => {
      if (pair.ip_address === undefined) {
        throw badRequest('AllowedAddressPair must contain ip_address', 'AllowedAddressPairsMissingIP');
      }
      return { ip: pair.ip_address, ...definedOf({ mac: pair.mac_address }) };
    }),
  });
}

/** `POST /routers`. Throws `INVALID_ARGUMENT` for a gateway that names no network. */
export function routerDraft(body: Body<'routerNew'>): RouterDraft {
  return { ...routerFields(body), ...projectOf(body) };
}

/**
 * `PUT /routers/:id`. A gateway that is null or `{}` takes it away; routes replace all that are there. Throws as
 * `routerDraft`.
 */
export function routerPatchOf(body: Body<'routerPatch'>): RouterPatch {
  return {
    ...routerFields(body),
    ...definedOf({
      routes: listOf(body.routes)?.map((route) => ({ destination: route.destination, nextHop: route.nexthop })),
    }),
  };
}

function routerFields(body: Body<'routerNew'> | Body<'routerPatch'>): Omit<RouterDraft, 'projectId'> {
  const gateway = body.external_gateway_info;
  return {
    ...definedOf({ name: body.name, description: body.description, adminStateUp: body.admin_state_up }),
    ...(gateway === undefined ? {} : { gateway: gatewayOf(gateway) }),
  };
}

function gatewayOf(gateway: NonNullable<Body<'routerPatch'>['external_gateway_info']> | null): GatewayDraft | null {
  // Both null and {} take the gateway away.
  if (gateway === null || Object.keys(gateway).length === 0) return null;
  if (gateway.network_id === undefined) {
    throw badRequest(
      'Invalid input for external_gateway_info. Reason: Required keys not present: network_id.',
      'HTTPBadRequest',
    );
  }
  return {
    networkId: gateway.network_id,
    ...definedOf({
      enableSnat: gateway.enable_snat,
      fixedIps: gateway.external_fixed_ips?.map((fixed) =>
        definedOf({ subnetId: fixed.subnet_id, ip: fixed.ip_address }),
      ),
    }),
  };
}

/** `POST /floatingips`. Without an address the service chooses a free one of the external network. */
export function floatingIpDraft(body: Body<'floatingIpNew'>): FloatingIpDraft {
  return {
    ...projectOf(body),
    floatingNetworkId: body.floating_network_id,
    ...definedOf({
      description: body.description,
      subnetId: said(body.subnet_id),
      floatingIp: said(body.floating_ip_address),
      portId: said(body.port_id),
      fixedIp: said(body.fixed_ip_address),
    }),
  };
}

/** `PUT /floatingips/:id`. A port that is null takes the address off its port; left out, it stays. */
export function floatingIpPatchOf(body: Body<'floatingIpPatch'>): FloatingIpPatch {
  return {
    ...definedOf({ description: body.description, fixedIp: said(body.fixed_ip_address) }),
    // Here null does mean "none".
    ...(body.port_id === undefined ? {} : { portId: body.port_id }),
  };
}

/** `POST /security-groups`. The service adds Neutron's two rules that let traffic out. */
export function securityGroupDraft(body: Body<'securityGroupNew'>): SecurityGroupDraft {
  return {
    name: body.name ?? '',
    ...projectOf(body),
    ...definedOf({ description: body.description, stateful: body.stateful }),
  };
}

/**
 * `POST /security-group-rules`. A protocol may be a name or a number and becomes text; null stands for "any"
 * throughout.
 */
export function securityGroupRuleDraft(body: Body<'securityGroupRuleNew'>): SecurityGroupRuleDraft {
  const protocol = said(body.protocol);
  return {
    securityGroupId: body.security_group_id,
    direction: body.direction,
    ...definedOf({
      ethertype: body.ethertype,
      protocol: protocol === undefined ? undefined : String(protocol),
      portMin: said(body.port_range_min),
      portMax: said(body.port_range_max),
      remotePrefix: said(body.remote_ip_prefix),
      remoteGroupId: said(body.remote_group_id),
      remoteAddressGroupId: said(body.remote_address_group_id),
      description: body.description,
    }),
  };
}
