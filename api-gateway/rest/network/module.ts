/** Neutron v2.0 below `/networking`. */
import type { Hosts } from '../../../node/services/compute/hosts.ts';
import type { QuotaService } from '../../../node/services/kit/quota.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import { networkPolicies } from '../../policies/network.ts';
import { neutronFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { networkResources, networkVersions } from '../kit/versions.ts';
import { addAddressGroups } from './address-groups.ts';
import { addDefaultGroupRules } from './default-group-rules.ts';
import { addAgents, addExtensions, addIpAvailabilities, addQuotas } from './operations.ts';
import { addPortForwardings } from './port-forwardings.ts';
import {
  addExtraRoutes,
  addFloatingIps,
  addNetworks,
  addPorts,
  addRouters,
  addSecurityGroups,
  addSubnetPools,
  addSubnets,
} from './resources.ts';
import { addRbacPolicies } from './sharing.ts';
import { unservedNetwork } from './unserved.ts';

/** What lies below `/v2.0`. */
const collections = [
  'networks',
  'subnets',
  'subnetpools',
  'ports',
  'routers',
  'floatingips',
  'security-groups',
  'security-group-rules',
  'default-security-group-rules',
  'address-groups',
  'rbac-policies',
  'agents',
  'quotas',
  'extensions',
  'availability_zones',
  'network-ip-availabilities',
] as const;

interface NetworkModuleDependencies {
  readonly network: NetworkService;
  readonly quotas: QuotaService;
  readonly hosts: Hosts;
}

/**
 * The network API as the gateway mounts it: `/networking/v2.0`. The services come from the agent; `hosts` is for
 * `/agents` and the zones.
 */
export function networkModule(deps: NetworkModuleDependencies): RestModule {
  return {
    name: 'network',
    prefixes: ['/networking'],
    faults: neutronFaults,
    policies: networkPolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    unserved: unservedNetwork,
    register(app, gateway) {
      const { network, quotas, hosts } = deps;
      const root = (request: Parameters<typeof gateway.baseUrl>[0]): string => `${gateway.baseUrl(request)}/networking`;
      app.get('/', { config: { public: true } }, (request) => networkVersions(root(request)));
      app.get('/v2.0', { config: { public: true } }, (request) => networkResources(root(request), collections));
      addNetworks(app, gateway, network);
      addSubnets(app, gateway, network);
      addSubnetPools(app, gateway, network);
      addPorts(app, gateway, network);
      addRouters(app, gateway, network);
      addExtraRoutes(app, gateway, network);
      addFloatingIps(app, gateway, network);
      addSecurityGroups(app, gateway, network);
      addPortForwardings(app, gateway, network);
      addDefaultGroupRules(app, gateway, network);
      addAddressGroups(app, gateway, network);
      addRbacPolicies(app, gateway, network);
      addExtensions(app, gateway);
      addQuotas(app, gateway, quotas);
      addAgents(app, gateway, hosts);
      addIpAvailabilities(app, gateway);
    },
  };
}
