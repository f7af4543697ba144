/** A state in memory with services on it, hosts in it, and contexts to call them with. For tests. */

import { randomUUID } from 'node:crypto';
import { permissionsByDefault } from '../../../api-gateway/policies/permissions.ts';
import type { Clock } from '../../../node/base/clock.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { HostIdentity } from '../../../node/mesh/identity/identity.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import type { ServiceDependencies } from '../../../node/services/kit/dependencies.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { NetworkService } from '../../../node/services/network/index.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import type { Transaction } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';

/** The machine's clock, whose timers keep the test alive while nothing else does. */
export const testClock: Clock = {
  ...systemClock,
  setTimeout(callback, delayMs) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** What a service test stands on. */
export interface World {
  readonly state: MemoryStateClient;
  readonly deps: ServiceDependencies;
  readonly network: NetworkService;
  readonly admin: RequestContext;
  readonly alice: RequestContext;
  readonly bob: RequestContext;
}

/** A context of one project; `roles` decide about administrator rights. */
export function contextOf(projectId: string, roles: readonly string[] = ['member']): RequestContext {
  const userId = `user-of-${projectId}`;
  return {
    requestId: `req-${randomUUID()}`,
    userId,
    userName: projectId,
    userDomainId: 'default',
    projectId,
    permissions: permissionsByDefault({ roles, userId, projectId }),
    signal: new AbortController().signal,
  };
}

/** An empty mesh with services. */
export function makeWorld(): World {
  return worldOn(new MemoryStateClient());
}

/** Services on a state that is there. */
export function worldOn(state: MemoryStateClient, clock: Clock = testClock): World {
  const deps: ServiceDependencies = { state, clock, logger: silentLogger, newId: () => randomUUID() };
  return {
    state,
    deps,
    network: new NetworkService(deps),
    admin: contextOf('admin-project', ['admin', 'member']),
    alice: contextOf('alice-project'),
    bob: contextOf('bob-project'),
  };
}

/** A host's record. */
export async function addHost(world: World, number: number, zone = 'nova'): Promise<shoal.v1.Host> {
  const host = new shoal.v1.Host({
    id: `${number}`.repeat(32).slice(0, 32),
    name: `host-${number}`,
    raftId: number,
    vtepIp: `192.0.2.${number}`,
    transitIndex: number,
    zone,
    version: '0.1.0',
    joinedMs: 1,
    publicKey: HostIdentity.fromSeed(new Uint8Array(32).fill(number)).publicKey,
    tlsKeySha256: new Uint8Array(32).fill(number),
  });
  await transact(world.deps, world.admin, ({ change }) => hostTable.insert(change, host));
  return host;
}

/**
 * Calls `work` once between a plan and its commit, as when somebody else is faster: before the first transaction that
 * `isMeant`. Whether it has been called is what the returned function says.
 */
export function beforeCommit(
  state: MemoryStateClient,
  isMeant: (transaction: Transaction) => boolean,
  work: () => Promise<unknown>,
): () => boolean {
  const commit = state.commit.bind(state);
  let wasCalled = false;
  state.commit = async (transaction, options) => {
    if (!wasCalled && isMeant(transaction)) {
      wasCalled = true;
      await work();
    }
    return commit(transaction, options);
  };
  return () => wasCalled;
}

/** The error's type name as Neutron gives it. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (caught) {
    const { code, facts } = caught as { code?: string; facts?: { type?: string } };
    return facts?.type ?? code ?? String(caught);
  }
  return 'no refusal';
}

/** A tenant network with a subnet, of Alice. */
export async function addNetwork(world: World, cidr = '10.0.0.0/24', context = world.alice) {
  const [network] = await world.network.networks.create(context, [{ name: 'net' }]);
  if (network === undefined) throw new Error('no network was made');
  const [subnet] = await world.network.subnets.create(context, [{ networkId: network.id, cidr, name: 'sub' }]);
  if (subnet === undefined) throw new Error('no subnet was made');
  return { network, subnet };
}

/** An external network with a subnet. */
export async function addExternal(world: World, cidr = '198.51.100.0/24') {
  const [network] = await world.network.networks.create(world.admin, [{ name: 'public', external: true }]);
  if (network === undefined) throw new Error('no network was made');
  const [subnet] = await world.network.subnets.create(world.admin, [{ networkId: network.id, cidr, dhcp: false }]);
  if (subnet === undefined) throw new Error('no subnet was made');
  return { network, subnet };
}
