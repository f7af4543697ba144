/** A gateway with compute and network on a state in memory, a placer that takes hosts in turn, and little hosts that act. */
import { randomUUID } from 'node:crypto';
import type { GatewayLimits } from '../../../api-gateway/kit/limits.ts';
import type { PolicyOverrides } from '../../../api-gateway/policies/access-policy.ts';
import { computeModule } from '../../../api-gateway/rest/compute/module.ts';
import type { RestModule } from '../../../api-gateway/rest/kit/module.ts';
import { networkModule } from '../../../api-gateway/rest/network/module.ts';
import { volumeModule } from '../../../api-gateway/rest/volume/module.ts';
import { ComputeService } from '../../../node/services/compute/index.ts';
import { QuotaService } from '../../../node/services/kit/quota.ts';
import { NetworkService } from '../../../node/services/network/index.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { serverTable, volumeSnapshotTable, volumeTable } from '../../../node/state/tables/index.ts';
import {
  addImage,
  FakeHostControl,
  FakeHostProbe,
  FakePlacer,
  fakeHostViews,
  reportsOf,
} from '../../node/services/compute-world.ts';
import { testSealing } from '../../node/services/test-sealing.ts';
import { type VolumeWorld, volumeHostsAct, volumeServiceOf } from '../../node/services/volume/volume-world.ts';
import { addHost, testClock, worldOn } from '../../node/services/world.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { foundTestMesh } from '../../support/mesh-secrets.ts';

export interface Cloud {
  readonly gateway: TestGateway;
  readonly world: VolumeWorld;
  /** A token of a plain member of a project of their own. */
  readonly memberToken: string;
  readonly memberProjectId: string;
  stop(): Promise<void>;
}

/** Two hosts, a flavor `1` ("m1.tiny") and an image `cirros`. With `act`, hosts do what the records ask, soon after. */
export async function startCloud(
  options: {
    /** Default: a new one. */
    readonly state?: MemoryStateClient;
    readonly listen?: boolean;
    readonly act?: boolean;
    readonly limits?: Partial<GatewayLimits>;
    readonly onInvariantBroken?: (error: unknown) => void;
    readonly policy?: PolicyOverrides;
    /** Modules besides identity, image, compute, network and volume. */
    readonly modules?: readonly RestModule[];
  } = {},
): Promise<Cloud> {
  const state = options.state ?? new MemoryStateClient();
  const base = worldOn(state);
  const placer = new FakePlacer(base);
  const hostControl = new FakeHostControl();
  const hostProbe = new FakeHostProbe();
  const { rekey, addAuthority } = await foundTestMesh(state, testClock);
  const compute = new ComputeService({
    ...base.deps,
    rekey,
    placer,
    hostControl,
    consoleDoor: hostControl.consoleDoor,
    hostViews: fakeHostViews(base),
    hostProbe,
    sealing: testSealing,
  });
  const quotas = new QuotaService(base.deps);
  const network = new NetworkService(base.deps);
  const { volume, volumeReports } = volumeServiceOf(base, 'rbd');
  const world: VolumeWorld = {
    ...base,
    network,
    compute,
    placer,
    hostControl,
    hostProbe,
    rekey,
    addAuthority,
    reports: reportsOf(base),
    volume,
    volumeReports,
  };
  const gateway = await startGateway({
    state,
    clock: testClock,
    listen: options.listen === true,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.onInvariantBroken === undefined ? {} : { onInvariantBroken: options.onInvariantBroken }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    modules: (_deps, images) => [
      computeModule({ compute, quotas, network, images, volume }),
      networkModule({ network, quotas, hosts: compute.hosts }),
      volumeModule({ compute, volume }),
      ...(options.modules ?? []),
    ],
  });
  await addHost(world, 1);
  await addHost(world, 2);
  const { flavors } = compute;
  const existing = flavors.list(world.admin, state.local).some((flavor) => flavor.id === '1');
  if (!existing) {
    await flavors.create(world.admin, { id: '1', name: 'm1.tiny', vcpus: 1, memoryMib: 128, diskGib: 1 });
  }
  await addImage(world, 'cirros');
  const actor = options.act === true ? startActing(world) : undefined;
  const member = await addMember(gateway);
  return {
    gateway,
    world,
    ...member,
    async stop() {
      await actor?.stop();
      await gateway.stop();
    },
  };
}

/** Has the hosts act a moment after each change of a record that asks something of them. */
function startActing(world: VolumeWorld): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let isDue = false;
  let isStopped = false;
  const act = (): void => {
    if (isDue || isStopped) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      if (!isStopped && world.state.available) running = running.then(() => volumeHostsAct(world));
    }, 50);
  };
  const tables = [serverTable, volumeTable, volumeSnapshotTable];
  const watches = tables.map(({ prefix }) => world.state.watch({ prefix }, act));
  return {
    async stop() {
      isStopped = true;
      for (const watch of watches) watch.close();
      await running;
    },
  };
}

export async function addMember(gateway: TestGateway): Promise<{ memberToken: string; memberProjectId: string }> {
  const name = `member-${randomUUID().slice(0, 8)}`;
  const project = (await gateway.call('POST', '/identity/v3/projects', { body: { project: { name } } })).json().project;
  const user = (
    await gateway.call('POST', '/identity/v3/users', { body: { user: { name, password: 'a long password' } } })
  ).json().user;
  const roles = (await gateway.call('GET', '/identity/v3/roles?name=member')).json().roles;
  await gateway.call('PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
  const answer = await gateway.call('POST', '/identity/v3/auth/tokens', {
    token: null,
    body: {
      auth: {
        identity: { methods: ['password'], password: { user: { id: user.id, password: 'a long password' } } },
        scope: { project: { id: project.id } },
      },
    },
  });
  return { memberToken: String(answer.headers['x-subject-token']), memberProjectId: project.id };
}
