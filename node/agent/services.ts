/** The services of an agent: what the gateways call, and what the simulator's tenants call. One function builds them. */
import type { HostId } from '../base/ids.ts';
import { orderedUuids } from '../base/ordered-uuids.ts';
import { agentVersion } from '../base/version.ts';
import { endpointOf } from '../cluster/found-mesh.ts';
import { tenantMtuBytes } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { placementConfiguration } from '../config/placement.ts';
import { CloudBackupService } from '../services/cluster/cloud-backups.ts';
import { ClusterService } from '../services/cluster/cluster.ts';
import { UpgradeService } from '../services/cluster/upgrade.ts';
import type { ComputeOptions } from '../services/compute/dependencies.ts';
import { ComputeService } from '../services/compute/index.ts';
import { IdentityDirectory } from '../services/identity/directory.ts';
import { IdentityService } from '../services/identity/identity.ts';
import type { TokenKeys } from '../services/identity/token-keys.ts';
import { ImageService } from '../services/image/image.ts';
import { Jobs } from '../services/jobs/jobs.ts';
import type {
  AddAuthority,
  CloudBackupCatalog,
  ConsoleDoor,
  HostControl,
  HostProbe,
  HostViews,
  ImageContent,
  Placer,
  Rekey,
  ServiceDependencies,
} from '../services/kit/dependencies.ts';
import { QuotaService } from '../services/kit/quota.ts';
import type { Sealing } from '../services/kit/sealing.ts';
import { defaultNetworkOptions, NetworkService } from '../services/network/index.ts';
import { VolumeService } from '../services/volume/index.ts';

/** What they are built on. */
interface ServicePorts {
  readonly services: ServiceDependencies;
  readonly placer: Placer;
  readonly control: HostControl;
  readonly consoles: ConsoleDoor;
  readonly probe: HostProbe;
  readonly views: HostViews;
  readonly images: ImageContent;
  readonly tokenKeys: TokenKeys;
  readonly rekey: Rekey;
  readonly addAuthority: AddAuthority;
  readonly sealing: Sealing;
  /** Absent: this agent reads no backups of the cloud. */
  readonly cloudBackupCatalog?: CloudBackupCatalog;
  /** What is wrong with the log or the state here, by part. */
  readonly troubles: () => Readonly<Record<string, string>>;
}

interface ServiceOptions {
  readonly config: Config;
  readonly hostId: HostId;
  /** MTU of the wires of external networks, bytes. Default: plain Ethernet. */
  readonly externalMtu?: number;
}

/** All services of one agent. None of them runs by itself. */
export interface Services {
  readonly identity: IdentityService;
  readonly directory: IdentityDirectory;
  readonly images: ImageService;
  readonly network: NetworkService;
  readonly compute: ComputeService;
  readonly computeOptions: ComputeOptions;
  readonly volume: VolumeService;
  readonly quotas: QuotaService;
  readonly cluster: ClusterService;
  readonly cloudBackups: CloudBackupService;
  readonly upgrade: UpgradeService;
  readonly jobs: Jobs;
}

/** Builds them. */
export function buildServices(ports: ServicePorts, options: ServiceOptions): Services {
  const { services, placer, control, probe, views, rekey } = ports;
  const { config, hostId, externalMtu } = options;
  const identity = new IdentityService(services, {
    tokenKeys: ports.tokenKeys,
    tokenLifetimeMs: config.api.tokenLifetimeMs,
    passwordRules: config.security,
  });
  const computeOptions = {
    storage: config.storage,
    enabledFilters: placementConfiguration(config).enabledFilters,
    allowResizeToSameHost: config.compute.allowResizeToSameHost,
  };
  return {
    identity,
    directory: new IdentityDirectory(services, identity.logIn),
    images: new ImageService({ ...services, content: ports.images, hostId }),
    network: new NetworkService(services, {
      ...defaultNetworkOptions,
      tenantMtu: tenantMtuBytes(config),
      ...(externalMtu === undefined ? {} : { externalMtu }),
    }),
    compute: new ComputeService(
      {
        ...services,
        placer,
        hostControl: control,
        consoleDoor: ports.consoles,
        hostViews: views,
        hostProbe: probe,
        rekey,
        sealing: ports.sealing,
        newServerId: orderedUuids(services.clock, services.newId),
      },
      computeOptions,
    ),
    computeOptions,
    volume: new VolumeService(
      { ...services, hostViews: views, sealing: ports.sealing },
      { storage: config.storage, backupStoreUrl: config.backups.store },
    ),
    quotas: new QuotaService(services),
    cloudBackups: new CloudBackupService({ ...services, sealing: ports.sealing, catalog: ports.cloudBackupCatalog }),
    upgrade: new UpgradeService(services, views),
    jobs: new Jobs({ ...services, addAuthority: ports.addAuthority }),
    cluster: new ClusterService({ ...services, hostProbe: probe, rekey }, views, {
      hostId,
      version: agentVersion,
      peerAddress: endpointOf(config, config.peer.listen),
      troubles: ports.troubles,
    }),
  };
}
