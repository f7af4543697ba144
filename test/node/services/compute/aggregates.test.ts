/** A host is in one zone, no matter who changes aggregates at the same time, and its servers keep theirs. */
import t from 'tap';
import { zoneOf } from '../../../../node/services/kit/zones.ts';
import { aggregateTable, hostTable } from '../../../../node/state/tables/index.ts';
import type { Transaction } from '../../../../node/state/types.ts';
import { type ComputeWorld, makeComputeWorld } from '../compute-world.ts';
import { beforeCommit } from '../world.ts';

const writesAggregate = ({ thenOps }: Transaction) =>
  thenOps.some((op) => op.kind === 'put' && op.key.startsWith(aggregateTable.prefix));

function zonesOf(world: ComputeWorld, hostName: string): readonly (string | undefined)[] {
  const host = hostTable.one(world.state.local, 'name', hostName)?.record;
  return aggregateTable
    .by(world.state.local, 'host', host?.id ?? '')
    .flatMap(({ record }) => record.metadata['availability_zone'] ?? []);
}

void t.test('two changes at once never put a host into two zones', async (t) => {
  const inTurn: Record<string, (world: ComputeWorld, a: string, b: string) => (() => Promise<unknown>)[]> = {
    'both add it': ({ compute: { aggregates }, admin }, a, b) => [
      () => aggregates.addHost(admin, a, 'host-1'),
      () => aggregates.addHost(admin, b, 'host-1'),
    ],
    'one adds it, the other becomes a zone': ({ compute: { aggregates }, admin }, a, b) => [
      () => aggregates.addHost(admin, a, 'host-1'),
      () => aggregates.update(admin, b, { zone: 'west' }),
    ],
    'both become zones': ({ compute: { aggregates }, admin }, a, b) => [
      () => aggregates.setMetadata(admin, a, { availability_zone: 'east' }),
      () => aggregates.update(admin, b, { zone: 'west' }),
    ],
  };
  for (const [name, work] of Object.entries(inTurn)) {
    for (const isSwapped of [false, true]) {
      const world = await makeComputeWorld();
      const { aggregates } = world.compute;
      const becomeZones = name !== 'both add it';
      const a = await aggregates.create(world.admin, {
        name: 'a',
        ...(name === 'both become zones' ? {} : { zone: 'east' }),
      });
      const b = await aggregates.create(world.admin, { name: 'b', ...(becomeZones ? {} : { zone: 'west' }) });
      if (becomeZones) await aggregates.addHost(world.admin, b.id, 'host-1');
      if (name === 'both become zones') await aggregates.addHost(world.admin, a.id, 'host-1');
      const both = work(world, a.id, b.id);
      const [slow, fast] = isSwapped ? both.toReversed() : both;
      const wasRaced = beforeCommit(world.state, writesAggregate, async () => fast?.());
      await t.rejects(slow?.() ?? Promise.resolve(), {
        code: 'CONFLICT',
        message: /already in availability zone/,
      });
      t.ok(wasRaced());
      t.equal(zonesOf(world, 'host-1').length, 1, `${name}${isSwapped ? ', the other way round' : ''}`);
    }
  }
});

void t.test('a host that has servers neither joins nor leaves an aggregate that would change its zone', async (t) => {
  const world = await makeComputeWorld();
  const { aggregates, servers } = world.compute;
  const { admin } = world;
  const zoned = await aggregates.create(admin, { name: 'zoned', zone: 'east' });
  const same = await aggregates.create(admin, { name: 'same', zone: 'east' });
  const plain = await aggregates.create(admin, { name: 'plain' });
  const draft = { name: 'guest', flavorId: '1', imageId: 'image-1', networks: 'none' as const, zone: 'nova:host-1' };
  const [first] = (await servers.create(admin, draft)).servers;
  await t.rejects(aggregates.addHost(admin, zoned.id, 'host-1'), {
    code: 'CONFLICT',
    message:
      /Cannot add host to aggregate 1\. .*would change from 'nova' to 'east' but the host already has 1 instance/,
  });
  await aggregates.addHost(admin, plain.id, 'host-1');
  await aggregates.removeHost(admin, plain.id, 'host-1');

  await aggregates.addHost(admin, zoned.id, 'host-2');
  await servers.create(admin, { ...draft, zone: 'east:host-2' });
  await t.rejects(aggregates.removeHost(admin, zoned.id, 'host-2'), {
    code: 'CONFLICT',
    message: /Cannot remove host from aggregate 1\. .*would change from 'east' to 'nova'/,
  });
  await aggregates.addHost(admin, same.id, 'host-2');
  await aggregates.removeHost(admin, zoned.id, 'host-2');
  const host = hostTable.one(world.state.local, 'name', 'host-2')?.record;
  t.equal(host && zoneOf(world.state.local, host), 'east', 'the other aggregate keeps it in the zone');
  t.ok(first);
});
