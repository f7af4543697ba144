import t from 'tap';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { overlaps } from '../../../../node/services/network/kit/address.ts';
import { prefixOf } from '../../../../node/services/network/kit/prefix-of.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { makeWorld, refusalOf, type World } from '../world.ts';

/** A new network of alice's, and what becomes of a subnet on it. */
async function cut(world: World, pool: string, draft: object = {}, context = world.alice): Promise<shoal.v1.Subnet> {
  const [network] = await world.network.networks.create(context, [{}]);
  const [subnet] = await world.network.subnets.create(context, [{ networkId: network?.id ?? '', pool, ...draft }]);
  if (subnet === undefined) throw new Error('one was asked for');
  return subnet;
}

void t.test('subnets are cut from a pool, none overlaps another, and what goes is free again', async (t) => {
  const world = makeWorld();
  const { subnetPools, subnets } = world.network;
  const pool = await subnetPools.create(world.alice, {
    name: 'pool',
    prefixes: ['10.1.0.0/24', '10.0.0.0/24'],
    minPrefixLength: 24,
    maxPrefixLength: 28,
    defaultPrefixLength: 26,
  });
  t.same(pool.prefixes, ['10.0.0.0/24', '10.1.0.0/24'], 'in order');
  const first = await cut(world, pool.id);
  t.equal(first.cidr, '10.0.0.0/26');
  t.equal(first.gatewayIp, '10.0.0.1');
  const named = await cut(world, pool.id, { cidr: '10.1.0.64/26' });
  t.equal(named.cidr, '10.1.0.64/26');
  t.equal((await cut(world, pool.id, { prefixLength: 25 })).cidr, '10.0.0.128/25');
  t.equal((await cut(world, pool.id)).cidr, '10.0.0.64/26', 'the gap');
  t.equal(await refusalOf(cut(world, pool.id, { cidr: '10.1.0.64/27' })), 'SubnetAllocationError');
  t.equal(await refusalOf(cut(world, pool.id, { cidr: '10.2.0.0/26' })), 'SubnetAllocationError');
  t.equal(await refusalOf(cut(world, pool.id, { prefixLength: 24 })), 'SubnetAllocationError');
  t.equal(await refusalOf(cut(world, pool.id, { prefixLength: 23 })), 'MinPrefixSubnetAllocationError');
  t.equal(await refusalOf(cut(world, pool.id, { prefixLength: 29 })), 'MaxPrefixSubnetAllocationError');
  t.equal(await refusalOf(subnetPools.delete(world.alice, pool.id)), 'SubnetPoolDeleteError');
  await world.network.networks.delete(world.alice, first.networkId);
  t.equal((await cut(world, pool.id)).cidr, '10.0.0.0/26');
  for (const { networkId } of subnets.list(world.alice, world.state.local)) {
    await world.network.networks.delete(world.alice, networkId);
  }
  await subnetPools.delete(world.alice, pool.id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'subnetpool'), 0);
});

void t.test('twenty subnets cut at once do not overlap', async (t) => {
  const world = makeWorld();
  const pool = await world.network.subnetPools.create(world.alice, {
    name: 'pool',
    prefixes: ['10.0.0.0/20'],
    defaultPrefixLength: 26,
  });
  const made = await Promise.all(Array.from({ length: 20 }, () => cut(world, pool.id)));
  const prefixes = made.map(({ cidr }) => prefixOf(cidr));
  t.notOk(prefixes.some((a, at) => prefixes.slice(at + 1).some((b) => overlaps(a, b))));
});

void t.test('subnets of one network are of one pool, and two of one request do not overlap', async (t) => {
  const world = makeWorld();
  const make = (name: string) =>
    world.network.subnetPools.create(world.alice, { name, prefixes: ['10.0.0.0/16'], defaultPrefixLength: 24 });
  const [pool, other] = [await make('a'), await make('b')];
  const [network] = await world.network.networks.create(world.alice, [{}]);
  const networkId = network?.id ?? '';
  const both = await world.network.subnets.create(world.alice, [
    { networkId, pool: pool.id },
    { networkId, pool: pool.id },
  ]);
  t.same(
    both.map(({ cidr }) => cidr),
    ['10.0.0.0/24', '10.0.1.0/24'],
  );
  for (const draft of [{ pool: other.id }, { cidr: '192.168.0.0/24' }]) {
    t.equal(
      await refusalOf(world.network.subnets.create(world.alice, [{ networkId, ...draft }])),
      'NetworkSubnetPoolAffinityError',
    );
  }
});

void t.test('a pool’s quota holds for each project, and a shared pool is for all', async (t) => {
  const world = makeWorld();
  const { subnetPools } = world.network;
  t.equal(
    await refusalOf(subnetPools.create(world.alice, { name: 'p', prefixes: ['10.0.0.0/16'], shared: true })),
    'PolicyNotAuthorized',
  );
  const pool = await subnetPools.create(world.admin, {
    name: 'p',
    prefixes: ['10.0.0.0/16'],
    defaultPrefixLength: 25,
    defaultQuota: 256,
    shared: true,
  });
  await cut(world, pool.id);
  await cut(world, pool.id);
  t.equal(await refusalOf(cut(world, pool.id)), 'SubnetPoolQuotaExceeded');
  await cut(world, pool.id, {}, world.bob);
  t.equal(await refusalOf(subnetPools.update(world.alice, pool.id, { name: 'mine' })), 'PolicyNotAuthorized');
  const own = await subnetPools.create(world.alice, { name: 'own', prefixes: ['10.0.0.0/16'] });
  t.equal(await refusalOf(cut(world, own.id, {}, world.bob)), 'SubnetPoolNotFound');
  t.same(
    subnetPools.list(world.bob, world.state.local).map(({ id }) => id),
    [pool.id],
  );
});

void t.test('one pool is the default, and asked for as that', async (t) => {
  const world = makeWorld();
  const { subnetPools } = world.network;
  t.equal(await refusalOf(cut(world, 'default')), 'BadRequest');
  const draft = { name: 'd', prefixes: ['10.7.0.0/16'], defaultPrefixLength: 24, isDefault: true };
  t.equal(await refusalOf(subnetPools.create(world.alice, draft)), 'PolicyNotAuthorized');
  const pool = await subnetPools.create(world.admin, { ...draft, shared: true });
  t.equal(await refusalOf(subnetPools.create(world.admin, draft)), 'InvalidInput');
  t.equal((await cut(world, 'default')).cidr, '10.7.0.0/24');
  await subnetPools.update(world.admin, pool.id, { isDefault: false });
  t.equal((await subnetPools.create(world.admin, draft)).isDefault, true, 'once the other is none any more');
});

void t.test('prefixes become more, and less where no subnet lies', async (t) => {
  const world = makeWorld();
  const { subnetPools } = world.network;
  const pool = await subnetPools.create(world.alice, { name: 'p', prefixes: ['10.0.0.0/24'], defaultPrefixLength: 26 });
  await cut(world, pool.id);
  const update = (prefixes: string[]) => refusalOf(subnetPools.update(world.alice, pool.id, { prefixes }));
  t.equal(await update(['10.1.0.0/24']), 'IllegalSubnetPoolPrefixUpdate');
  t.equal(await update(['10.0.0.0/23']), 'no refusal');
  t.same(await subnetPools.addPrefixes(world.alice, pool.id, ['10.9.0.0/24']), ['10.0.0.0/23', '10.9.0.0/24']);
  t.equal(
    await refusalOf(subnetPools.removePrefixes(world.alice, pool.id, ['10.0.0.0/25'])),
    'IllegalSubnetPoolPrefixRemoval',
  );
  t.same(await subnetPools.removePrefixes(world.alice, pool.id, ['10.0.0.128/25', '10.9.0.0/24']), [
    '10.0.0.0/25',
    '10.0.1.0/24',
  ]);
});

void t.test('what is wrong with a pool is said in Neutron’s words', async (t) => {
  const world = makeWorld();
  const create = (draft: object) =>
    refusalOf(world.network.subnetPools.create(world.alice, { name: 'p', prefixes: ['10.0.0.0/16'], ...draft }));
  t.equal(await create({ prefixes: [] }), 'EmptySubnetPoolPrefixList');
  t.equal(await create({ prefixes: ['ten'] }), 'HTTPBadRequest');
  t.equal(await create({ prefixes: ['fd00::/48', '10.0.0.0/8'] }), 'PrefixVersionMismatch');
  t.equal(await create({ minPrefixLength: 7 }), 'HTTPBadRequest');
  t.equal(await create({ maxPrefixLength: 33 }), 'HTTPBadRequest');
  t.equal(await create({ minPrefixLength: 20, maxPrefixLength: 18 }), 'IllegalSubnetPoolPrefixBounds');
  t.equal(await create({ minPrefixLength: 20, defaultPrefixLength: 18 }), 'IllegalSubnetPoolPrefixBounds');
  t.equal(await create({ maxPrefixLength: 20, defaultPrefixLength: 24 }), 'IllegalSubnetPoolPrefixBounds');
  t.equal(quotaUsage(world.state.local, 'alice-project', 'subnetpool'), 0);
});
