/** What Neutron and its plug-ins have and this network API does not. */
import type { UnservedPart } from '../kit/unserved.ts';

const v2 = (...collections: readonly string[]): readonly string[] => collections.map((name) => `/v2.0/${name}`);

/** Paths of Neutron that answer 501 and say what is missing. */
export const unservedNetwork: readonly UnservedPart[] = [
  { what: 'address scopes', paths: v2('address-scopes') },
  { what: 'taking subnets into a pool', paths: v2('subnetpools/:id/onboard_network_subnets') },
  { what: 'quality of service', paths: v2('qos') },
  { what: 'trunks', paths: v2('trunks') },
  { what: 'segments', paths: v2('segments') },
  { what: 'automatically allocated topologies', paths: v2('auto-allocated-topology') },
  { what: 'pools of floating IPs', paths: v2('floatingip_pools') },
  { what: 'bindings of ports to several hosts', paths: v2('ports/:id/bindings') },
  { what: 'metering', paths: v2('metering') },
  { what: 'flavors of network services', paths: v2('flavors', 'service_profiles') },
  { what: 'logs of packets', paths: v2('log') },
  { what: 'local IPs', paths: v2('local-ips', 'local_ips') },
  { what: 'NDP proxies and connection helpers', paths: v2('ndp_proxies', 'routers/:id/conntrack_helpers') },
  {
    what: 'several gateways of a router',
    paths: v2(
      'routers/:id/add_external_gateways',
      'routers/:id/update_external_gateways',
      'routers/:id/remove_external_gateways',
    ),
  },
  {
    what: 'scheduling of networks and routers to agents (every host does both)',
    paths: v2('agents/:id/dhcp-networks', 'agents/:id/l3-routers', 'networks/:id/dhcp-agents', 'routers/:id/l3-agents'),
  },
  { what: 'firewalls as a service', paths: v2('fwaas', 'fw') },
  { what: 'virtual private networks as a service', paths: v2('vpn', 'bgpvpn') },
  { what: 'load balancers', paths: v2('lbaas') },
  { what: 'BGP', paths: v2('bgp-speakers', 'bgp-peers') },
  { what: 'service function chains and traffic mirrors', paths: v2('sfc', 'taas') },
];
