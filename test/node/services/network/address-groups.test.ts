import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { readCarried } from '../../../../node/services/network/carried-networks.ts';
import { hostNetworkView } from '../../../../node/services/network/host-view.ts';
import { portTable, securityGroupTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addHost, addNetwork, beforeCommit, makeWorld, refusalOf, type World } from '../world.ts';

const hostId = '1'.repeat(32) as HostId;

/** A port of alice's that is plugged in on host 1. */
async function plugged(world: World, securityGroupIds: readonly string[]): Promise<shoal.v1.Port> {
  await addHost(world, 1);
  const { network } = await addNetwork(world);
  const [port] = await world.network.ports.create(world.alice, [{ networkId: network.id, securityGroupIds }]);
  return transact(world.deps, world.alice, ({ reader, change }) => {
    const row = portTable.must(reader, port?.id ?? '');
    const next = new shoal.v1.Port({ ...row.record, hostId });
    portTable.update(change, row, next);
    return next;
  });
}

void t.test('addresses come and go, of both families and without the bits beyond', async (t) => {
  const world = makeWorld();
  const { addressGroups } = world.network;
  const made = await addressGroups.create(world.alice, {
    name: 'offices',
    description: 'ours',
    addresses: ['192.0.2.7/24', '2001:db8::1', '192.0.2.0/24'],
  });
  t.same(made.addresses, ['192.0.2.0/24', '2001:db8::1/128']);
  const refused = (work: Promise<unknown>) => refusalOf(work);
  t.equal(await refused(addressGroups.addAddresses(world.alice, made.id, ['192.0.2.9/24'])), 'AddressesAlreadyExist');
  t.equal(await refused(addressGroups.addAddresses(world.alice, made.id, ['10.0.0.300/24'])), 'HTTPBadRequest');
  t.same((await addressGroups.addAddresses(world.alice, made.id, ['198.51.100.7'])).addresses.length, 3);
  t.equal(await refused(addressGroups.removeAddresses(world.alice, made.id, ['10.0.0.0/8'])), 'AddressesNotFound');
  t.same((await addressGroups.removeAddresses(world.alice, made.id, ['192.0.2.0/24'])).addresses, [
    '2001:db8::1/128',
    '198.51.100.7/32',
  ]);
  const many = Array.from({ length: 1001 }, (_, number) => `10.${number >> 8}.${number & 255}.0/24`);
  t.equal(await refused(addressGroups.addAddresses(world.alice, made.id, many)), 'BadRequest');
  t.match(await addressGroups.update(world.alice, made.id, { name: 'n', description: 'd' }), {
    name: 'n',
    description: 'd',
  });
  t.equal(await refused(addressGroups.update(world.bob, made.id, { name: 'x' })), 'AddressGroupNotFound');
  await addressGroups.delete(world.alice, made.id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'address_group'), 0);
});

void t.test('a rule speaks of a group: hosts have what it has, and it stays while a rule does', async (t) => {
  const world = makeWorld();
  const { addressGroups, securityGroups, rbacPolicies } = world.network;
  const offices = await addressGroups.create(world.alice, { addresses: ['192.0.2.0/24', '2001:db8::/32'] });
  const group = await securityGroups.create(world.alice, { name: 'web' });
  const draft = { securityGroupId: group.id, direction: 'ingress', remoteAddressGroupId: offices.id };
  const [rule] = await securityGroups.createRules(world.alice, [draft]);
  t.equal(await refusalOf(securityGroups.createRules(world.alice, [draft])), 'SecurityGroupRuleExists');
  t.equal(
    await refusalOf(securityGroups.createRules(world.alice, [{ ...draft, remotePrefix: '10.0.0.0/8' }])),
    'SecurityGroupMultipleRemoteEntites',
  );
  await plugged(world, [group.id]);
  const prefixes = () =>
    hostNetworkView(world.state.local, hostId).ports[0]?.rules.find(({ direction }) => direction === 'ingress')
      ?.remotePrefixes;
  t.same(prefixes(), ['192.0.2.0/24']);
  readCarried(world.state.local, hostId);
  await addressGroups.addAddresses(world.alice, offices.id, ['198.51.100.7']);
  t.same(prefixes(), ['192.0.2.0/24', '198.51.100.7/32']);
  await addressGroups.removeAddresses(world.alice, offices.id, ['192.0.2.0/24', '198.51.100.7']);
  t.same(prefixes(), [], 'a group of nobody lets nobody in');
  t.equal(await refusalOf(addressGroups.delete(world.alice, offices.id)), 'AddressGroupInUse');

  const policy = await rbacPolicies.create(world.alice, {
    ...{ objectType: 'address_group', objectId: offices.id, action: 'access_as_shared' },
    targetProject: world.bob.projectId,
  });
  const bobs = await securityGroups.create(world.bob, { name: 'web' });
  await securityGroups.createRules(world.bob, [{ ...draft, securityGroupId: bobs.id }]);
  t.equal(await refusalOf(addressGroups.addAddresses(world.bob, offices.id, ['10.0.0.1'])), 'PolicyNotAuthorized');
  t.equal(await refusalOf(rbacPolicies.delete(world.alice, policy.id)), 'RbacPolicyInUse');
  await securityGroups.delete(world.bob, bobs.id);
  await securityGroups.deleteRule(world.alice, rule?.rule.id ?? '');
  await addressGroups.delete(world.alice, offices.id);
  t.throws(() => rbacPolicies.show(world.alice, world.state.local, policy.id), 'it went along');
});

void t.test('a rule that comes while its address group goes: one of the two is refused', async (t) => {
  for (const isRuleFirst of [true, false]) {
    const world = makeWorld();
    const { addressGroups, securityGroups } = world.network;
    const offices = await addressGroups.create(world.alice, { addresses: [] });
    const group = await securityGroups.create(world.alice, { name: 'web' });
    const draft = { securityGroupId: group.id, direction: 'ingress', remoteAddressGroupId: offices.id };
    const add = () => securityGroups.createRules(world.alice, [draft]);
    const end = () => addressGroups.delete(world.alice, offices.id);
    beforeCommit(world.state, () => true, isRuleFirst ? add : end);
    const refusal = await refusalOf((isRuleFirst ? end : add)());
    t.equal(refusal, isRuleFirst ? 'AddressGroupInUse' : 'AddressGroupNotFound');
  }
});

void t.test('stateless groups: a port has one kind, and hosts are told', async (t) => {
  const world = makeWorld();
  const { securityGroups, ports } = world.network;
  const plain = await securityGroups.create(world.alice, { name: 'plain', stateful: false });
  const other = await securityGroups.create(world.alice, { name: 'other' });
  const port = await plugged(world, [plain.id]);
  t.equal(hostNetworkView(world.state.local, hostId).ports[0]?.stateless, true);
  const refused = ports.update(world.alice, port.id, { securityGroupIds: [plain.id, other.id] });
  t.equal(await refusalOf(refused), 'SecurityGroupConflict');
  t.equal(await refusalOf(securityGroups.update(world.alice, plain.id, { stateful: true })), 'SecurityGroupInUse');
  await ports.update(world.alice, port.id, { securityGroupIds: [other.id] });
  t.equal(hostNetworkView(world.state.local, hostId).ports[0]?.stateless, undefined);
  await securityGroups.update(world.alice, plain.id, { stateful: true });
  t.equal(securityGroupTable.must(world.state.local, plain.id).record.stateful, true);
});
