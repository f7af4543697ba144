/** Nova v2.1 below `/compute`, with microversions. */
import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { ImageService } from '../../../node/services/image/image.ts';
import type { QuotaService } from '../../../node/services/kit/quota.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { computePolicies } from '../../policies/compute.ts';
import { novaFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { computeFirstVersion, computeVersion, computeVersions } from '../kit/versions.ts';
import { addServerActions } from './action-routes.ts';
import { addConsoles } from './consoles/console-routes.ts';
import { extensions, extensionView } from './extensions.ts';
import { addFlavors } from './flavor-routes.ts';
import { addServerGroups } from './group-routes.ts';
import { addHosts, addHypervisors, addServiceRemoval, addServices, addZones } from './host-routes.ts';
import { addImages } from './image-routes.ts';
import { addKeypairs } from './keypair-routes.ts';
import { addMicroversions, firstApi, isFirstApi } from './kit/microversion.ts';
import { addQueryChecks } from './kit/queries.ts';
import { addMigrations } from './migration-routes.ts';
import { addAggregates } from './operators/aggregate-routes.ts';
import { addAuditLog } from './operators/audit-log-routes.ts';
import { addExternalEvents } from './operators/external-event-routes.ts';
import { addQuotaClasses } from './operators/quota-class-routes.ts';
import { addUsage } from './operators/usage-routes.ts';
import { ServerFixedIps } from './proxies/fixed-ips.ts';
import { addFloatingIps, ServerFloatingIps } from './proxies/floating-ips.ts';
import { addNetworks } from './proxies/networks.ts';
import { addSecurityGroupRules } from './proxies/security-group-rules.ts';
import { addVolumes } from './proxies/volumes.ts';
import { addLimits, addQuotaSets } from './quota-routes.ts';
import { addSecurityGroups } from './security-group-routes.ts';
import { addActions } from './server-actions.ts';
import { addServers } from './server-routes.ts';
import { unservedCompute } from './unserved.ts';
import { addVolumeAttachments } from './volume-attachment-routes.ts';

interface ComputeModuleDependencies {
  readonly compute: ComputeService;
  readonly quotas: QuotaService;
  readonly network: NetworkService;
  readonly images: ImageService;
  readonly volume: Pick<VolumeService, 'attachments' | 'swaps' | 'volumes' | 'snapshots'>;
}

/**
 * The compute API as the gateway mounts it: `/compute/v2.1` with microversions, `/compute/v2` as its alias without. The
 * services come from the agent.
 */
export function computeModule({ compute, quotas, network, images, volume }: ComputeModuleDependencies): RestModule {
  return {
    name: 'compute',
    prefixes: ['/compute'],
    // Nova, too, serves its first API from the second's code, at the base and without microversions.
    aliases: { [`/compute${firstApi}`]: '/compute/v2.1' },
    faults: novaFaults,
    policies: computePolicies,
    requestIdHeaders: ['x-openstack-request-id', 'x-compute-request-id'],
    unserved: unservedCompute,
    register(app, gateway) {
      const root = (request: FastifyRequest): string => `${gateway.baseUrl(request)}/compute`;
      addMicroversions(app);
      addQueryChecks(app, '/compute');
      app.get('/', { config: { public: true } }, (request) => computeVersions(root(request)));
      app.get('/v2.1', { config: { public: true } }, (request) =>
        isFirstApi(request) ? computeFirstVersion(root(request)) : computeVersion(root(request)),
      );
      addServers(app, gateway, compute);
      addVolumeAttachments(app, gateway, volume);
      const floatingIps = new ServerFloatingIps(network);
      addActions(app, gateway, compute, { floatingIps, fixedIps: new ServerFixedIps(network) });
      addServerActions(app, gateway, compute);
      addMigrations(app, gateway, compute);
      addExternalEvents(app, gateway);
      addConsoles(app, gateway, compute);
      addFlavors(app, gateway, compute);
      addImages(app, gateway, images);
      addKeypairs(app, gateway, compute);
      addSecurityGroups(app, gateway, network);
      addSecurityGroupRules(app, gateway, network);
      addNetworks(app, gateway, network);
      addFloatingIps(app, gateway, network);
      addVolumes(app, gateway, volume);
      addServerGroups(app, gateway, compute);
      addHypervisors(app, gateway, compute);
      addHosts(app, gateway, compute);
      addServices(app, gateway, compute);
      addServiceRemoval(app, gateway, compute);
      addZones(app, gateway, compute);
      addAggregates(app, gateway, compute);
      addAuditLog(app, gateway, compute);
      addUsage(app, gateway);
      addQuotaSets(app, gateway, quotas, compute.userQuotas);
      addQuotaClasses(app, gateway, quotas);
      addLimits(app, gateway, quotas);
      app.get('/v2.1/extensions', async () => ({ extensions: Object.keys(extensions).map(extensionView) }));
      app.get<{ Params: { alias: string } }>('/v2.1/extensions/:alias', async (request) => {
        const { alias } = request.params;
        const extension = extensionView(alias);
        if (extension === undefined) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
        return { extension };
      });
    },
  };
}
