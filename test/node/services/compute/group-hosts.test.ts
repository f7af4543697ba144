/** Strict server groups while several placements are under way: what is committed agrees with the group as it is then. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { groupAllows } from '../../../../node/services/compute/kit/group-hosts.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, hostsAct, makeComputeWorld } from '../compute-world.ts';
import { addHost } from '../world.ts';

async function member(world: ComputeWorld, groupId: string): Promise<shoal.v1.Server> {
  const draft = { name: 'm', flavorId: '1', imageId: 'image-1', networks: 'none' as const };
  const { servers } = await world.compute.servers.create(world.alice, { ...draft, schedulerHints: { group: groupId } });
  const [server] = servers;
  if (server === undefined) throw new Error('no server was made');
  return server;
}

void t.test('which hosts a policy allows beside the members', async (t) => {
  for (const [policy, maxServerPerHost, memberHostIds, hostIds, isAllowed] of [
    ['affinity', 0, [], ['a'], true],
    ['affinity', 0, [], ['a', 'b'], false],
    ['affinity', 0, ['a'], ['a', 'a'], true],
    ['affinity', 0, ['a'], ['b'], false],
    ['anti-affinity', 1, ['a'], ['b', 'c'], true],
    ['anti-affinity', 1, ['a'], ['a'], false],
    ['anti-affinity', 1, [], ['b', 'b'], false],
    ['anti-affinity', 2, ['a'], ['a'], true],
    ['anti-affinity', 2, ['a'], ['a', 'a'], false],
    ['anti-affinity', 0, ['a'], ['a'], false],
    ['soft-affinity', 0, ['a'], ['b'], true],
    ['soft-anti-affinity', 0, ['a'], ['a'], true],
  ] as const) {
    const group = { id: 'g', policy, maxServerPerHost, memberHostIds };
    t.equal(
      groupAllows(group, hostIds),
      isAllowed,
      `${policy} ${maxServerPerHost}: ${hostIds} beside ${memberHostIds}`,
    );
  }
});

void t.test('a change of the group that leaves the chosen host allowed costs no second placement', async (t) => {
  const world = await makeComputeWorld();
  const group = await world.compute.serverGroups.create(world.alice, { name: 'g', policy: 'affinity' });
  // Both choose host 1: the first as the first of an empty group, the second while the first is on its way.
  world.placer.beforeAnswer = async () => {
    world.placer.beforeAnswer = undefined;
    await member(world, group.id);
  };
  const server = await member(world, group.id);
  const hosts = new Set(serverTable.list(world.state.local).map(({ record }) => record.hostId));
  t.equal(hosts.size, 1);
  t.equal(server.fault, null);
  t.equal(world.placer.requests.length, world.placer.released.length + 2, 'what was placed in vain was given back');
});

void t.test('members made at once by several requests all come to life, together or apart', async (t) => {
  for (const [policy, hosts] of [
    ['affinity', 1],
    ['anti-affinity', 4],
  ] as const) {
    const world = await makeComputeWorld();
    for (const number of [3, 4]) await addHost(world, number);
    const group = await world.compute.serverGroups.create(world.alice, { name: 'g', policy });
    const made = await Promise.all(Array.from({ length: 4 }, () => member(world, group.id)));
    t.same(
      made.map((server) => server.fault),
      [null, null, null, null],
      policy,
    );
    t.equal(new Set(made.map((server) => server.hostId)).size, hosts, policy);
  }
});

void t.test('two members of a group that is to be apart do not move to one host at the same time', async (t) => {
  const world = await makeComputeWorld();
  const group = await world.compute.serverGroups.create(world.alice, { name: 'g', policy: 'anti-affinity' });
  const members = [await member(world, group.id), await member(world, group.id)];
  await hostsAct(world);
  for (const { id } of members) await world.compute.servers.stop(world.alice, id);
  await hostsAct(world);
  await transact(world.deps, world.admin, ({ reader, change }) => {
    for (const { id } of members) {
      const row = serverTable.must(reader, id);
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd' }));
    }
  });
  await addHost(world, 3);
  const moves = await Promise.allSettled(
    members.map(({ id }) => world.compute.moves.migrate(world.admin, id, 'host-3')),
  );
  t.same(moves.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const refused = moves.find((move) => move.status === 'rejected');
  t.ok(ShoalError.is(refused?.reason, 'PRECONDITION_CHANGED'), String(refused?.reason));
  const hosts = serverTable.list(world.state.local).map(({ record }) => record.hostId);
  t.equal(new Set(hosts).size, 2, `${hosts}`);
});
