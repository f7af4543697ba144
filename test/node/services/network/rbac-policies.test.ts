import t from 'tap';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { networkTable, rbacPolicyTable, subnetPoolTable } from '../../../../node/state/tables/index.ts';
import { addExternal, addHost, addNetwork, beforeCommit, makeWorld, refusalOf, type World } from '../world.ts';

const aliceOf = (world: World) => world.network.rbacPolicies.list(world.alice, world.state.local);

void t.test('what is shared with a project is seen and used by it, and by no other', async (t) => {
  const world = makeWorld();
  const { networks, subnetPools, securityGroups, ports, rbacPolicies, subnets } = world.network;
  const { network } = await addNetwork(world);
  const pool = await subnetPools.create(world.alice, { name: 'pool', prefixes: ['10.8.0.0/16'] });
  const group = await securityGroups.create(world.alice, { name: 'web' });
  const share = (objectType: string, objectId: string) =>
    rbacPolicies.create(world.alice, {
      objectType,
      objectId,
      action: 'access_as_shared',
      targetProject: world.bob.projectId,
    });
  t.equal(await refusalOf(ports.create(world.bob, [{ networkId: network.id }])), 'NetworkNotFound');
  const [onNetwork, onPool, onGroup] = [
    await share('Network', network.id),
    await share('subnetpool', pool.id),
    await share('security_group', group.id),
  ];
  t.equal(await refusalOf(share('network', network.id)), 'DuplicateRbacPolicy');
  t.equal(quotaUsage(world.state.local, 'alice-project', 'rbac_policy'), 3);
  const { local } = world.state;
  t.ok(networks.list(world.bob, local).some(({ id }) => id === network.id));
  t.ok(subnets.list(world.bob, local).some(({ networkId }) => networkId === network.id));
  t.equal(subnetPools.show(world.bob, local, pool.id).id, pool.id);
  t.equal(securityGroups.show(world.bob, local, group.id).id, group.id);
  t.throws(() => networks.show(makeWorld().bob, makeWorld().state.local, network.id));
  t.equal(await refusalOf(networks.update(world.bob, network.id, { name: 'mine' })), 'PolicyNotAuthorized');
  t.equal(await refusalOf(securityGroups.delete(world.bob, group.id)), 'PolicyNotAuthorized');

  const [port] = await ports.create(world.bob, [{ networkId: network.id, securityGroupIds: [group.id] }]);
  const [own] = await networks.create(world.bob, [{}]);
  const [cut] = await subnets.create(world.bob, [{ networkId: own?.id ?? '', pool: pool.id, prefixLength: 24 }]);
  t.match(cut?.cidr, /^10\.8\./);
  for (const { id } of [onNetwork, onPool, onGroup]) {
    t.equal(await refusalOf(rbacPolicies.delete(world.alice, id)), 'RbacPolicyInUse');
    t.equal(await refusalOf(rbacPolicies.update(world.alice, id, { targetProject: 'third' })), 'RbacPolicyInUse');
    t.equal(await refusalOf(rbacPolicies.delete(world.bob, id)), 'RbacPolicyNotFound', 'its maker’s alone');
  }
  await ports.delete(world.bob, port?.id ?? '');
  await networks.delete(world.bob, own?.id ?? '');
  await rbacPolicies.update(world.alice, onPool.id, { targetProject: 'third' });
  t.throws(() => subnetPools.show(world.bob, world.state.local, pool.id));
  for (const { id } of aliceOf(world)) await rbacPolicies.delete(world.alice, id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'rbac_policy'), 0);
  t.throws(() => networks.show(world.bob, world.state.local, network.id));
});

void t.test('a port that comes while its policy goes: one of the two is refused', async (t) => {
  for (const isPortFirst of [true, false]) {
    const world = makeWorld();
    const { ports, rbacPolicies } = world.network;
    const { network } = await addNetwork(world);
    const policy = await rbacPolicies.create(world.alice, {
      objectType: 'network',
      objectId: network.id,
      action: 'access_as_shared',
      targetProject: world.bob.projectId,
    });
    const plug = () => ports.create(world.bob, [{ networkId: network.id }]);
    const end = () => rbacPolicies.delete(world.alice, policy.id);
    const wasCalled = beforeCommit(world.state, () => true, isPortFirst ? plug : end);
    const refusal = await refusalOf((isPortFirst ? end : plug)());
    t.ok(wasCalled());
    t.equal(refusal, isPortFirst ? 'RbacPolicyInUse' : 'NetworkNotFound');
  }
});

void t.test('the policy for all and the flag say the same, and administrators alone make it', async (t) => {
  const world = makeWorld();
  const { networks, rbacPolicies, subnetPools, ports } = world.network;
  const { network } = await addNetwork(world);
  const forAll = { objectType: 'network', objectId: network.id, action: 'access_as_shared', targetProject: '*' };
  t.equal(await refusalOf(rbacPolicies.create(world.alice, forAll)), 'PolicyNotAuthorized');
  const policy = await rbacPolicies.create(world.admin, forAll);
  t.equal(networks.show(world.bob, world.state.local, network.id).shared, true);
  const [port] = await ports.create(world.bob, [{ networkId: network.id }]);
  t.equal(await refusalOf(rbacPolicies.delete(world.admin, policy.id)), 'RbacPolicyInUse');
  t.equal(await refusalOf(networks.update(world.admin, network.id, { shared: false })), 'InvalidSharedSetting');
  const named = await rbacPolicies.create(world.admin, { ...forAll, targetProject: world.bob.projectId });
  await networks.update(world.admin, network.id, { shared: false });
  t.equal(rbacPolicyTable.get(world.state.local, policy.id), undefined, 'it went with the flag');
  t.equal(networkTable.must(world.state.local, network.id).record.shared, false);
  await rbacPolicies.update(world.admin, named.id, { targetProject: '*' });
  t.equal(networkTable.must(world.state.local, network.id).record.shared, true);
  await networks.update(world.admin, network.id, { shared: true });
  await ports.delete(world.bob, port?.id ?? '');
  await rbacPolicies.delete(world.admin, named.id);
  t.equal(networkTable.must(world.state.local, network.id).record.shared, false);

  const pool = await subnetPools.create(world.admin, { name: 'pool', prefixes: ['10.8.0.0/16'], shared: true });
  const [ofPool] = rbacPolicies.list(world.admin, world.state.local).filter(({ objectId }) => objectId === pool.id);
  t.match(ofPool, { targetProject: '*', action: 'access_as_shared' });
  await rbacPolicies.delete(world.admin, ofPool?.id ?? '');
  t.equal(subnetPoolTable.must(world.state.local, pool.id).record.shared, false);
  t.throws(() => subnetPools.show(world.bob, world.state.local, pool.id));
});

void t.test('an external network of some projects is seen by these alone', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const { networks, rbacPolicies, routers, floatingIps } = world.network;
  const { network } = await addExternal(world);
  const policies = () => rbacPolicies.list(world.admin, world.state.local);
  const [forAll] = policies();
  t.match(forAll, { action: 'access_as_external', targetProject: '*', objectId: network.id });
  const gateway = { networkId: network.id };
  const router = await routers.create(world.bob, { gateway });
  t.equal(await refusalOf(rbacPolicies.delete(world.admin, forAll?.id ?? '')), 'RbacPolicyInUse');
  await rbacPolicies.update(world.admin, forAll?.id ?? '', { targetProject: world.bob.projectId });
  t.equal(networks.show(world.bob, world.state.local, network.id).id, network.id);
  t.throws(() => networks.show(world.alice, world.state.local, network.id));
  t.equal(await refusalOf(routers.create(world.alice, { gateway })), 'NetworkNotFound');
  t.equal(await refusalOf(floatingIps.create(world.alice, { floatingNetworkId: network.id })), 'NetworkNotFound');
  t.equal(await refusalOf(rbacPolicies.delete(world.admin, forAll?.id ?? '')), 'RbacPolicyInUse');
  await routers.delete(world.bob, router.id);
  await rbacPolicies.delete(world.admin, forAll?.id ?? '');
  t.throws(() => networks.show(world.bob, world.state.local, network.id));
  t.equal(networks.show(world.admin, world.state.local, network.id).external, true);
});

void t.test('what cannot be shared is refused in Neutron’s words', async (t) => {
  const world = makeWorld();
  const { rbacPolicies } = world.network;
  const { network } = await addNetwork(world);
  const draft = { objectType: 'network', objectId: network.id, action: 'access_as_shared', targetProject: 'x' };
  const refused = async (change: object, context = world.alice): Promise<string> =>
    refusalOf(rbacPolicies.create(context, { ...draft, ...change }));
  t.equal(await refused({ objectType: 'router' }), 'InvalidInput');
  t.equal(await refused({ action: 'access_as_owner' }), 'InvalidInput');
  t.equal(await refused({ action: 'access_as_external' }), 'InvalidInput', 'it is a tenant network');
  t.equal(await refused({ objectType: 'subnetpool', action: 'access_as_external' }), 'InvalidInput');
  t.equal(await refused({ targetProject: '' }), 'HTTPBadRequest');
  t.equal(await refused({}, world.bob), 'NetworkNotFound');
  await rbacPolicies.create(world.alice, { ...draft, targetProject: world.bob.projectId });
  t.equal(await refused({}, world.bob), 'InvalidInput', 'seen, and another’s');
});

void t.test('policies go with what they share', async (t) => {
  const world = makeWorld();
  const { rbacPolicies, networks, securityGroups, subnetPools } = world.network;
  const { network } = await addNetwork(world);
  const group = await securityGroups.create(world.alice, { name: 'web' });
  const pool = await subnetPools.create(world.alice, { name: 'pool', prefixes: ['10.8.0.0/16'] });
  for (const [objectType, objectId] of [
    ['network', network.id],
    ['security_group', group.id],
    ['subnetpool', pool.id],
  ] as const) {
    await rbacPolicies.create(world.alice, { objectType, objectId, action: 'access_as_shared', targetProject: 'x' });
  }
  await networks.delete(world.alice, network.id);
  await securityGroups.delete(world.alice, group.id);
  await subnetPools.delete(world.alice, pool.id);
  t.same(rbacPolicyTable.list(world.state.local), []);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'rbac_policy'), 0);
});
