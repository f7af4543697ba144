import t from 'tap';
import { templatesOf } from '../../../../node/services/network/kit/group-templates.ts';
import { makeWorld, refusalOf } from '../world.ts';

void t.test('new groups begin with the templates, and those that are there stay', async (t) => {
  const world = makeWorld();
  const { defaultGroupRules, securityGroups } = world.network;
  const local = () => world.state.local;
  const saysOf = (
    rules: readonly { direction?: string | null; ethertype?: string | null; protocol?: string | null }[],
  ) => rules.map(({ direction, ethertype, protocol }) => `${direction} ${ethertype} ${protocol}`.trim()).sort();
  t.equal(defaultGroupRules.list(local()).length, 4, 'Neutron’s own');
  const before = await securityGroups.create(world.alice, { name: 'before' });
  t.same(saysOf(before.rules), ['egress IPv4', 'egress IPv6']);

  const ssh = { direction: 'ingress', protocol: 'tcp', portMin: 22, portMax: 22, remotePrefix: '192.0.2.0/24' };
  const made = await defaultGroupRules.create(world.admin, { ...ssh, description: 'from the office' });
  t.match(defaultGroupRules.show(local(), made.rule.id), { inDefault: false, inOthers: true });
  t.equal(await refusalOf(defaultGroupRules.create(world.admin, ssh)), 'DefaultSecurityGroupRuleExists');
  await defaultGroupRules.create(world.admin, { ...ssh, inDefault: true, inOthers: false });
  const own = { direction: 'ingress', protocol: 'icmp', remoteGroupId: 'PARENT', ethertype: 'IPv4' };
  await defaultGroupRules.create(world.admin, own);
  t.equal(await refusalOf(defaultGroupRules.create(world.admin, { ...own, remoteGroupId: before.id })), 'BadRequest');
  t.equal(await refusalOf(defaultGroupRules.create(world.admin, { direction: 'up' })), 'HTTPBadRequest');
  const v6 = templatesOf(local()).find(({ rule }) => rule.direction === 'egress' && rule.ethertype === 'IPv6');
  await defaultGroupRules.delete(world.admin, v6?.rule.id ?? '');
  t.equal(
    await refusalOf(defaultGroupRules.delete(world.admin, v6?.rule.id ?? '')),
    'DefaultSecurityGroupRuleNotFound',
  );

  const after = await securityGroups.create(world.alice, { name: 'after' });
  t.same(saysOf(after.rules), ['egress IPv4', 'ingress IPv4 icmp', 'ingress IPv4 tcp']);
  t.equal(after.rules.find(({ protocol }) => protocol === 'icmp')?.remoteGroupId, after.id, 'its own members');
  t.match(
    after.rules.find(({ protocol }) => protocol === 'tcp'),
    { portMin: 22, description: 'from the office' },
  );
  t.notOk(
    after.rules.some(({ id }) => id === made.rule.id),
    'with ids of their own',
  );
  t.equal(securityGroups.show(world.alice, local(), before.id).rules.length, 2);
  await securityGroups.ensureDefault(world.bob);
  const [ofBob] = securityGroups.list(world.bob, local());
  t.same(saysOf(ofBob?.rules ?? []), ['egress IPv4', 'ingress IPv4', 'ingress IPv4 tcp', 'ingress IPv6']);
});

void t.test('all templates may go, and groups begin empty then', async (t) => {
  const world = makeWorld();
  const { defaultGroupRules, securityGroups } = world.network;
  for (const { rule } of defaultGroupRules.list(world.state.local))
    await defaultGroupRules.delete(world.admin, rule.id);
  t.same(defaultGroupRules.list(world.state.local), []);
  t.same((await securityGroups.create(world.alice, { name: 'empty' })).rules, []);
});
