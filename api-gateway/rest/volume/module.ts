/** Cinder v3 below `/volume`, with microversions; the project's id may stand in the path. */
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { volumePolicies } from '../../policies/volume.ts';
import { cinderFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { volumeVersions } from '../kit/versions.ts';
import { addDescriptions } from './description-routes.ts';
import { addProjectCheck, volumePath } from './kit/common.ts';
import { addMicroversions } from './kit/microversion.ts';
import { addPools } from './pool-routes.ts';
import { addHosts, addServices } from './service-routes.ts';

interface VolumeModuleDependencies {
  readonly compute: ComputeService;
}

/** The block storage API as the gateway mounts it. */
export function volumeModule({ compute }: VolumeModuleDependencies): RestModule {
  return {
    name: 'volume',
    prefixes: ['/volume'],
    projectPaths: [volumePath],
    faults: cinderFaults,
    policies: volumePolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    register(app, gateway) {
      addMicroversions(app);
      addProjectCheck(app, gateway);
      app.get('/', { config: { public: true } }, (request, reply) =>
        reply.code(300).send(volumeVersions(`${gateway.baseUrl(request)}/volume`)),
      );
      app.get('/v3', { config: { public: true } }, (request) => volumeVersions(`${gateway.baseUrl(request)}/volume`));
      addDescriptions(app, gateway, compute);
      addServices(app, gateway, compute);
      addHosts(app, gateway, compute);
      addPools(app, gateway, compute);
    },
  };
}
