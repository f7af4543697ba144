/** The network service: what both gateways and the compute service call. */
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { DefaultGroupRules } from './default-group-rules.ts';
import { FloatingIps } from './floating-ips.ts';
import { AddressGroups } from './groups/address-groups.ts';
import { Networks } from './networks.ts';
import { defaultNetworkOptions, type NetworkOptions } from './options.ts';
import { SubnetPools } from './pools/subnet-pools.ts';
import { PortForwardings } from './port-forwardings.ts';
import { Ports } from './ports.ts';
import { Routers } from './routers.ts';
import { SecurityGroups } from './security-groups.ts';
import { RbacPolicies } from './sharing/rbac-policies.ts';
import { Subnets } from './subnets.ts';

export { defaultNetworkOptions, type NetworkOptions } from './options.ts';
export type { FixedIpDraft } from './port-addresses.ts';
export type { PortDraft } from './ports.ts';

/** Neutron's resources, each by its own class. Reads take a reader; changes commit one transaction each. */
export class NetworkService {
  readonly networks: Networks;
  readonly subnets: Subnets;
  readonly subnetPools: SubnetPools;
  readonly ports: Ports;
  readonly routers: Routers;
  readonly floatingIps: FloatingIps;
  readonly securityGroups: SecurityGroups;
  readonly defaultGroupRules: DefaultGroupRules;
  readonly portForwardings: PortForwardings;
  readonly addressGroups: AddressGroups;
  readonly rbacPolicies: RbacPolicies;

  constructor(deps: ServiceDependencies, options: NetworkOptions = defaultNetworkOptions) {
    this.networks = new Networks(deps, options);
    const routers = new Routers(deps);
    this.routers = routers;
    this.subnets = new Subnets(deps, (context, networkId) => routers.addressWaiting(context, networkId));
    this.subnetPools = new SubnetPools(deps);
    this.ports = new Ports(deps);
    this.floatingIps = new FloatingIps(deps);
    this.securityGroups = new SecurityGroups(deps);
    this.defaultGroupRules = new DefaultGroupRules(deps);
    this.portForwardings = new PortForwardings(deps);
    this.addressGroups = new AddressGroups(deps);
    this.rbacPolicies = new RbacPolicies(deps);
  }
}
