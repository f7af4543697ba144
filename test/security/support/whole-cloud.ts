/** Both doors of one cloud, REST with every module and gRPC with every service, on the real identity service. */

import { Registry } from 'prom-client';
import { GrpcGateway } from '../../../api-gateway/grpc/server.ts';
import type { GatewayLimits } from '../../../api-gateway/kit/limits.ts';
import { nativeModule } from '../../../api-gateway/native/module.ts';
import { openApiModule } from '../../../api-gateway/openapi/module.ts';
import type { PolicyOverrides } from '../../../api-gateway/policies/access-policy.ts';
import type { PolicyRule } from '../../../api-gateway/policies/rule.ts';
import type { RestModule } from '../../../api-gateway/rest/kit/module.ts';
import { operationsModule } from '../../../api-gateway/rest/kit/operations.ts';
import { placementModule } from '../../../api-gateway/rest/placement/module.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { parseNetworks } from '../../../node/config/networks.ts';
import { CloudBackupService } from '../../../node/services/cluster/cloud-backups.ts';
import { ClusterService } from '../../../node/services/cluster/cluster.ts';
import { UpgradeService } from '../../../node/services/cluster/upgrade.ts';
import { PlacementPreview } from '../../../node/services/compute/placement-preview.ts';
import { Jobs } from '../../../node/services/jobs/jobs.ts';
import type { PlacementInquiry } from '../../../node/services/kit/dependencies.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { type Cloud, startCloud } from '../../api-gateway/rest/cloud.ts';
import { fakeHostViews } from '../../node/services/compute-world.ts';
import { testSealing } from '../../node/services/test-sealing.ts';
import { volumeServiceOf } from '../../node/services/volume/volume-world.ts';

export interface WholeCloud {
  readonly cloud: Cloud;
  readonly grpcPort: number;
  stop(): Promise<void>;
}

/** One of two hosts has room. */
const inquiry: PlacementInquiry = {
  explain: () => ({
    explanation: {
      ...{ hosts: 2, passed: 1, summary: '' },
      filters: [
        {
          ...{ name: 'RamFilter', purpose: 'has memory', considered: 2, removed: 1, removedAlone: 1 },
          reasons: [{ text: 'it has no room', hosts: 1 }],
        },
      ],
    },
    hosts: [
      { hostId: '1'.repeat(32) as HostId, hostName: 'host-1', passes: true, refusals: [], score: 1.5, weights: [] },
      {
        ...{ hostId: '2'.repeat(32) as HostId, hostName: 'host-2', passes: false, weights: [] },
        refusals: [{ filter: 'RamFilter', reason: 'it has no room' }],
      },
    ],
  }),
  whatIf: (_request, countMax) => Math.min(7, countMax),
};

/** So many requests from one address are no attack here. */
const many = 1e9;
const limits = {
  requestsPerSecond: many,
  requestsBurst: many,
  authAttemptsPerSecond: many,
  authAttemptsBurst: many,
  authFailuresPerSecond: many,
  authFailuresBurst: many,
  watchStreamsPerUserMax: 1000,
};

/** @param bounds in the place of those that are as good as none. */
export async function startWholeCloud(
  bounds: Partial<GatewayLimits> = {},
  policy: PolicyOverrides = {},
  more: { readonly listen?: boolean; readonly act?: boolean; readonly modules?: readonly RestModule[] } = {},
): Promise<WholeCloud> {
  const operations = operationsModule({
    registry: new Registry(),
    // As a new agent is set.
    metricsReaders: parseNetworks('127.0.0.0/8'),
    status: () => cloud.gateway.state.status(),
    warnings: () => ({}),
    troubles: () => ({}),
    degraded: () => ({}),
    nameOf: (raftId) => `voter ${raftId}`,
    version: '0.1.0',
  });
  const state = new MemoryStateClient();
  const cloud: Cloud = await startCloud({
    state,
    listen: more.listen === true,
    act: more.act === true,
    limits: { ...limits, ...bounds },
    policy,
    modules: [
      placementModule(new PlacementPreview(inquiry)),
      operations,
      openApiModule('0.1.0'),
      ...(more.modules ?? []),
      nativeModule({ bridged: (...call) => grpc.bridged(...call) }, state),
    ],
  });
  const grpc: GrpcGateway = grpcGatewayOf(cloud, undefined, policy);
  await grpc.start();
  return {
    cloud,
    grpcPort: grpc.ports[0] ?? 0,
    async stop() {
      await grpc.stop();
      await cloud.stop();
    },
  };
}

/** A native gateway of the cloud, not started. */
export function grpcGatewayOf(
  cloud: Cloud,
  policies?: readonly PolicyRule[],
  policyOverrides: PolicyOverrides = {},
): GrpcGateway {
  const { world, gateway } = cloud;
  const cluster = new ClusterService(
    { ...world.deps, hostProbe: world.hostProbe, rekey: world.rekey },
    fakeHostViews(world),
    { hostId: '1'.repeat(32) as HostId, version: '0.1.0', peerAddress: '192.0.2.1:1', troubles: () => ({}) },
  );
  return new GrpcGateway(
    {
      ...world.deps,
      authenticator: gateway.identity,
      compute: world.compute,
      volume: volumeServiceOf(world, 'rbd').volume,
      images: gateway.images,
      network: world.network,
      identity: gateway.identity,
      directory: gateway.directory,
      limiter: gateway.limiter,
      cluster,
      cloudBackups: new CloudBackupService({ ...world.deps, sealing: testSealing }),
      upgrade: new UpgradeService(world.deps, fakeHostViews(world)),
      jobs: new Jobs({ ...world.deps, addAuthority: world.addAuthority }),
      inquiry,
      policyOverrides,
      ...(policies === undefined ? {} : { policies }),
    },
    [{ address: '127.0.0.1:0' }],
    limits,
  );
}
