/** Cinder v3 below `/volume`, with microversions; the project's id may stand in the path. */
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { volumePolicies } from '../../policies/volume.ts';
import { cinderFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { volumeVersions } from '../kit/versions.ts';
import { addAttachments } from './attachment-routes.ts';
import { addBackups } from './backups/backup-routes.ts';
import { addDescriptions } from './description-routes.ts';
import { addGroups } from './groups/group-routes.ts';
import { addGroupSnapshots } from './groups/group-snapshot-routes.ts';
import { addGroupTypes } from './groups/group-type-routes.ts';
import { addProjectCheck, volumePath } from './kit/common.ts';
import { addMicroversions } from './kit/microversion.ts';
import { addManaging } from './manage-routes.ts';
import { addMessages } from './message-routes.ts';
import { addPools } from './pool-routes.ts';
import { addLimits, addQuotas } from './quota-routes.ts';
import { addHosts, addServices } from './service-routes.ts';
import { addSnapshots } from './snapshot-routes.ts';
import { addTransfers } from './transfer-routes.ts';
import { addDefaultTypes } from './types/default-type-routes.ts';
import { addQosSpecs } from './types/qos-routes.ts';
import { addTypes } from './types/type-routes.ts';
import { unservedVolume } from './unserved.ts';
import { addVolumeActions } from './volume-actions.ts';
import { addVolumeLists } from './volume-lists.ts';
import { addVolumes } from './volume-routes.ts';

interface VolumeModuleDependencies {
  readonly compute: ComputeService;
  readonly volume: VolumeService;
}

/** The block storage API as the gateway mounts it. */
export function volumeModule({ compute, volume }: VolumeModuleDependencies): RestModule {
  return {
    name: 'volume',
    prefixes: ['/volume'],
    projectPaths: [volumePath],
    faults: cinderFaults,
    policies: volumePolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    unserved: unservedVolume,
    register(app, gateway) {
      addMicroversions(app);
      addProjectCheck(app, gateway);
      app.get('/', { config: { public: true } }, (request, reply) =>
        reply.code(300).send(volumeVersions(`${gateway.baseUrl(request)}/volume`)),
      );
      app.get('/v3', { config: { public: true } }, (request) => volumeVersions(`${gateway.baseUrl(request)}/volume`));
      addVolumeLists(app, gateway, volume);
      addVolumes(app, gateway, volume);
      addVolumeActions(app, gateway, volume);
      addSnapshots(app, gateway, volume);
      addManaging(app, gateway, volume);
      addTransfers(app, gateway, volume);
      addBackups(app, gateway, volume);
      addGroups(app, gateway, volume);
      addGroupSnapshots(app, gateway, volume);
      addGroupTypes(app, gateway, volume);
      addTypes(app, gateway, volume);
      addDefaultTypes(app, gateway, volume);
      addQosSpecs(app, gateway, volume);
      addAttachments(app, gateway, volume);
      addQuotas(app, gateway, volume);
      addLimits(app, gateway, volume);
      addMessages(app, gateway, volume);
      addDescriptions(app, gateway, compute);
      addServices(app, gateway, compute);
      addHosts(app, gateway, compute);
      addPools(app, gateway, { hosts: compute.hosts, types: volume.types });
    },
  };
}
