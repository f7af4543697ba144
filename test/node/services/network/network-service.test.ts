import t from 'tap';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { indexKey } from '../../../../node/state/table.ts';
import {
  floatingIpTable,
  portTable,
  quotaTable,
  securityGroupTable,
  subnetTable,
} from '../../../../node/state/tables/index.ts';
import type { Transaction } from '../../../../node/state/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addExternal, addHost, addNetwork, beforeCommit, makeWorld, refusalOf } from '../world.ts';

void t.test('a network gets a VNI, an MTU that fits the underlay, and counts in the quota', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  t.ok(network.vni >= 1 && network.vni < 2 ** 24);
  t.equal(network.mtu, 1450);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'network'), 1);
  await world.network.networks.delete(world.alice, network.id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'network'), 0);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'subnet'), 0);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'port'), 0);
  t.equal(portTable.list(world.state.local).length, 0, 'its DHCP port went with it');
});

void t.test('a subnet takes its gateway, its pool and its service address as Neutron would', async (t) => {
  const world = makeWorld();
  const { network, subnet } = await addNetwork(world, '10.1.2.77/24');
  t.equal(subnet.cidr, '10.1.2.0/24');
  t.equal(subnet.gatewayIp, '10.1.2.1');
  t.same(
    subnet.pools.map((pool) => [pool.start, pool.end]),
    [['10.1.2.2', '10.1.2.254']],
  );
  t.equal(subnet.serviceIp, '10.1.2.2');
  const [port] = world.network.ports.list(world.alice, world.state.local, { networkId: network.id });
  t.equal(port?.deviceOwner, 'network:dhcp');
});

void t.test('what is wrong with a subnet is said in Neutron’s words', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  const create = (draft: object) =>
    refusalOf(world.network.subnets.create(world.alice, [{ networkId: network.id, cidr: '10.9.0.0/24', ...draft }]));
  t.equal(await create({ cidr: '10.0.0.0/25' }), 'InvalidInput');
  await t.rejects(
    world.network.subnets.create(world.alice, [{ networkId: network.id, cidr: '10.0.0.128/25' }]),
    /overlaps with another subnet/,
  );
  t.equal(await create({ networkId: 'nowhere' }), 'NetworkNotFound');
  t.equal(await create({ cidr: 'ten' }), 'HTTPBadRequest');
  const [other] = await world.network.networks.create(world.alice, [{}]);
  const inOther = (draft: object) => create({ networkId: other?.id, ...draft });
  t.equal(await inOther({ gatewayIp: '10.8.0.1' }), 'InvalidInput');
  t.equal(await inOther({ pools: [{ start: '10.9.0.1', end: '10.9.0.9' }] }), 'GatewayConflictWithAllocationPools');
  t.equal(await inOther({ pools: [{ start: '10.9.0.9', end: '10.9.1.9' }] }), 'OutOfBoundsAllocationPool');
  t.equal(await inOther({ pools: [{ start: '10.9.0.9', end: '10.9.0.3' }] }), 'InvalidAllocationPool');
  t.equal(
    await inOther({
      pools: [
        { start: '10.9.0.9', end: '10.9.0.30' },
        { start: '10.9.0.20', end: '10.9.0.40' },
      ],
    }),
    'OverlappingAllocationPools',
  );
  t.equal(subnetTable.list(world.state.local).length, 1, 'nothing was left behind');
});

void t.test('a hundred ports made at once get a hundred addresses and MACs', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world, '10.0.0.0/25');
  const made = await Promise.all(
    Array.from({ length: 100 }, () => world.network.ports.create(world.alice, [{ networkId: network.id }])),
  );
  const ports = made.flat();
  t.equal(new Set(ports.map((port) => port.fixedIps[0]?.ip)).size, 100);
  t.equal(new Set(ports.map((port) => port.mac)).size, 100);
  t.ok(ports.every((port) => port.mac.startsWith('fa:16:3e:')));
  t.equal(quotaUsage(world.state.local, 'alice-project', 'port'), 101);
  t.equal(await refusalOf(world.network.networks.delete(world.alice, network.id)), 'NetworkInUse');
});

void t.test('a pool that is full says so, and gives again what comes back', async (t) => {
  const world = makeWorld();
  const [network] = await world.network.networks.create(world.alice, [{}]);
  const networkId = network?.id ?? '';
  await world.network.subnets.create(world.alice, [
    { networkId, cidr: '10.0.0.0/24', pools: [{ start: '10.0.0.10', end: '10.0.0.12' }] },
  ]);
  const [first] = await world.network.ports.create(world.alice, [{ networkId }, { networkId }]);
  t.equal(await refusalOf(world.network.ports.create(world.alice, [{ networkId }])), 'IpAddressGenerationFailure');
  await world.network.ports.delete(world.alice, first?.id ?? '');
  const [again] = await world.network.ports.create(world.alice, [{ networkId }]);
  t.equal(again?.fixedIps[0]?.ip, first?.fixedIps[0]?.ip);
});

void t.test('a port’s refusals are Neutron’s', async (t) => {
  const world = makeWorld();
  const { network, subnet } = await addNetwork(world);
  const create = (draft: object, context = world.alice) =>
    refusalOf(world.network.ports.create(context, [{ networkId: network.id, ...draft }]));
  t.equal(await create({ fixedIps: [{ ip: subnet.serviceIp }] }), 'IpAddressAlreadyAllocated');
  t.equal(await create({ fixedIps: [{ subnetId: subnet.id, ip: '10.0.9.9' }] }), 'InvalidIpForSubnet');
  t.equal(await create({ fixedIps: [{ ip: '10.0.9.9' }] }), 'InvalidIpForNetwork');
  t.equal(await create({ mac: 'fa:16:3e:00:00:01' }), 'no refusal');
  t.equal(await create({ mac: 'FA-16-3E-00-00-01' }), 'MacAddressInUse');
  t.equal(await create({ mac: '01:00:5e:00:00:01' }), 'HTTPBadRequest');
  t.equal(await create({ securityGroupIds: ['nothing'] }), 'SecurityGroupNotFound');
  t.equal(await create({ portSecurityEnabled: false }), 'no refusal');
  t.equal(await create({}, world.bob), 'NetworkNotFound');
  await world.network.networks.update(world.admin, network.id, { shared: true });
  t.equal(await create({}, world.bob), 'no refusal');
  t.equal(await create({ mac: 'fa:16:3e:00:00:02' }, world.bob), 'PolicyNotAuthorized');
  t.equal(
    await refusalOf(world.network.ports.delete(world.alice, portIdOf(world, 'network:dhcp'))),
    'ServicePortInUse',
  );
});

void t.test('a router connects subnets, keeps them apart, and goes only when empty', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const a = await addNetwork(world, '10.0.0.0/24');
  const b = await addNetwork(world, '10.0.1.0/24');
  const same = await addNetwork(world, '10.0.0.0/16');
  const { routers } = world.network;
  const router = await routers.create(world.alice, { name: 'r' });
  const { port } = await routers.addInterface(world.alice, router.id, { subnetId: a.subnet.id });
  t.equal(port.fixedIps[0]?.ip, '10.0.0.1');
  await routers.addInterface(world.alice, router.id, { subnetId: b.subnet.id });
  const add = (subnetId: string) => refusalOf(routers.addInterface(world.alice, router.id, { subnetId }));
  t.equal(await add(a.subnet.id), 'BadRequest');
  t.equal(await add(same.subnet.id), 'BadRequest');
  t.equal(await add('nothing'), 'SubnetNotFound');
  t.equal(await refusalOf(routers.delete(world.alice, router.id)), 'RouterInUse');
  t.equal(await refusalOf(world.network.subnets.delete(world.alice, a.subnet.id)), 'SubnetInUse');
  t.equal(await refusalOf(world.network.ports.delete(world.alice, port.id)), 'ServicePortInUse');
  const another = await routers.create(world.alice, {});
  t.equal(
    await refusalOf(routers.addInterface(world.alice, another.id, { subnetId: a.subnet.id })),
    'IpAddressAlreadyAllocated',
  );
  await routers.removeInterface(world.alice, router.id, { subnetId: a.subnet.id });
  await routers.removeInterface(world.alice, router.id, { subnetId: b.subnet.id });
  t.equal(
    await refusalOf(routers.removeInterface(world.alice, router.id, { subnetId: b.subnet.id })),
    'RouterInterfaceNotFoundForSubnet',
  );
  await routers.delete(world.alice, router.id);
  await world.network.networks.delete(world.alice, a.network.id);
});

void t.test('an external gateway takes an address, a transit VNI and a host for source NAT', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  await addHost(world, 2);
  const external = await addExternal(world);
  const { network } = await addNetwork(world);
  const { routers } = world.network;
  t.equal(await refusalOf(routers.create(world.alice, { gateway: { networkId: network.id } })), 'BadRequest');
  const router = await routers.create(world.alice, { gateway: { networkId: external.network.id } });
  t.match(router.externalIp, /^198\.51\.100\./);
  t.ok(router.transitVni > 0 && router.transitVni !== network.vni);
  t.ok(router.snat);
  t.ok(['1', '2'].includes(router.snatHostId.slice(0, 1)));
  t.equal(await refusalOf(world.network.networks.delete(world.admin, external.network.id)), 'NetworkInUse');
  const cleared = await routers.update(world.alice, router.id, { gateway: null });
  t.equal(cleared.externalIp, '');
  t.equal(cleared.transitVni, router.transitVni, 'kept for the next gateway');
  await routers.delete(world.alice, router.id);
  await world.network.networks.delete(world.admin, external.network.id);
});

void t.test('a floating IP leads to a port only through a router, and holds what it needs', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const external = await addExternal(world);
  const { network, subnet } = await addNetwork(world);
  const { routers, floatingIps, ports } = world.network;
  const [port] = await ports.create(world.alice, [{ networkId: network.id }]);
  const portId = port?.id ?? '';
  const draft = { floatingNetworkId: external.network.id };
  t.equal(await refusalOf(floatingIps.create(world.alice, { floatingNetworkId: network.id })), 'BadRequest');
  t.equal(
    await refusalOf(floatingIps.create(world.alice, { ...draft, portId })),
    'ExternalGatewayForFloatingIPNotFound',
  );
  const router = await routers.create(world.alice, { gateway: { networkId: external.network.id } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const first = await floatingIps.create(world.alice, { ...draft, portId });
  t.equal(first.fixedIp, port?.fixedIps[0]?.ip);
  t.equal(first.routerId, router.id);
  t.equal(await refusalOf(floatingIps.create(world.alice, { ...draft, portId })), 'FloatingIPPortAlreadyAssociated');
  t.equal(await refusalOf(floatingIps.update(world.bob, first.id, { portId: null })), 'FloatingIPNotFound');
  t.equal(
    await refusalOf(routers.removeInterface(world.alice, router.id, { subnetId: subnet.id })),
    'RouterInterfaceInUseByFloatingIP',
  );
  t.equal(
    await refusalOf(routers.update(world.alice, router.id, { gateway: null })),
    'RouterExternalGatewayInUseByFloatingIp',
  );
  await ports.delete(world.alice, portId);
  const left = floatingIpTable.must(world.state.local, first.id).record;
  t.equal(left.portId, '', 'the port took its association along, not the address');
  await routers.update(world.alice, router.id, { gateway: null });
  await floatingIps.delete(world.alice, first.id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'floatingip'), 0);
  t.equal(portTable.by(world.state.local, 'network', indexKey(external.network.id)).length, 0);
});

void t.test('each project has one default group, made on first need, also under a race', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world);
  const made = await Promise.all([
    world.network.ports.create(world.alice, [{ networkId: network.id }]),
    world.network.ports.create(world.alice, [{ networkId: network.id }]),
    world.network.securityGroups.ensureDefault(world.alice),
  ]);
  const groups = world.network.securityGroups.list(world.alice, world.state.local);
  t.equal(groups.length, 1);
  t.same(made[0][0]?.securityGroupIds, [groups[0]?.id]);
  t.same(made[1][0]?.securityGroupIds, [groups[0]?.id]);
  t.same(
    groups[0]?.rules.map((rule) => [rule.direction, rule.ethertype, rule.remoteGroupId]),
    [
      ['ingress', 'IPv4', groups[0]?.id],
      ['ingress', 'IPv6', groups[0]?.id],
      ['egress', 'IPv4', ''],
      ['egress', 'IPv6', ''],
    ],
  );
  const id = groups[0]?.id ?? '';
  t.equal(await refusalOf(world.network.securityGroups.delete(world.alice, id)), 'SecurityGroupCannotRemoveDefault');
  t.equal(await refusalOf(world.network.securityGroups.delete(world.admin, id)), 'SecurityGroupInUse');
});

void t.test('rules are checked as Neutron checks them', async (t) => {
  const world = makeWorld();
  const { securityGroups } = world.network;
  const group = await securityGroups.create(world.alice, { name: 'web' });
  t.equal(group.rules.length, 2);
  const add = (draft: object) =>
    refusalOf(securityGroups.createRules(world.alice, [{ securityGroupId: group.id, direction: 'ingress', ...draft }]));
  const cases: readonly [object, string][] = [
    [{ protocol: 'tcp', portMin: 80, portMax: 80 }, 'no refusal'],
    [{ protocol: '6', portMin: 80, portMax: 80 }, 'SecurityGroupRuleExists'],
    [{ protocol: 'tcp', portMin: 90, portMax: 80 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', portMin: 80, portMax: 70_000 }, 'SecurityGroupInvalidPortValue'],
    [{ portMin: 80, portMax: 80 }, 'SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'nonsense' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 'gre', portMin: 1, portMax: 2 }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'icmp', portMax: 0 }, 'SecurityGroupMissingIcmpType'],
    [{ protocol: 'icmp', portMin: 300 }, 'SecurityGroupInvalidIcmpValue'],
    [{ ethertype: 'IPX' }, 'SecurityGroupRuleInvalidEtherType'],
    [{ remotePrefix: 'fd00::/8' }, 'SecurityGroupRuleParameterConflict'],
    [{ remotePrefix: '10.0.0.0/8', remoteGroupId: group.id }, 'SecurityGroupMultipleRemoteEntites'],
    [{ remoteGroupId: 'nothing' }, 'SecurityGroupNotFound'],
    [{ direction: 'sideways' }, 'HTTPBadRequest'],
  ];
  for (const [draft, expected] of cases) t.equal(await add(draft), expected, JSON.stringify(draft));
  const rule = securityGroups.listRules(world.alice, world.state.local).find((view) => view.rule.protocol === 'tcp');
  await securityGroups.deleteRule(world.alice, rule?.rule.id ?? '');
  t.equal(await refusalOf(securityGroups.deleteRule(world.alice, rule?.rule.id ?? '')), 'SecurityGroupRuleNotFound');
  await securityGroups.delete(world.alice, group.id);
});

void t.test('a quota of three lets exactly three of ten through', async (t) => {
  const world = makeWorld();
  await world.state.commit({
    compares: [],
    thenOps: [
      {
        kind: 'put',
        key: quotaTable.key('alice-project'),
        value: shoal.v1.Quota.encode({ id: 'alice-project', limits: { network: 3 } }).finish(),
      },
    ],
    elseOps: [],
  });
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => refusalOf(world.network.networks.create(world.alice, [{}]))),
  );
  t.equal(outcomes.filter((outcome) => outcome === 'no refusal').length, 3);
  t.equal(outcomes.filter((outcome) => outcome === 'OverQuota').length, 7);
});

void t.test('an answer that is lost does not make the thing twice', async (t) => {
  const world = makeWorld();
  world.state.loseNextOutcome = true;
  await world.network.networks.create(world.alice, [{ name: 'once' }]);
  t.equal(world.network.networks.list(world.alice, world.state.local).length, 1);
});

void t.test('without a quorum a change is refused and nothing is there', async (t) => {
  const world = makeWorld();
  world.state.available = false;
  t.equal(await refusalOf(world.network.networks.create(world.alice, [{}])), 'NO_QUORUM');
  t.equal(world.network.networks.list(world.alice, world.state.local).length, 0);
});

function portIdOf(world: ReturnType<typeof makeWorld>, deviceOwner: string): string {
  return portTable.list(world.state.local).find((row) => row.record.deviceOwner === deviceOwner)?.record.id ?? '';
}

void t.test(
  'no rule is left that speaks of a group which is gone: of another project, or made at the same time',
  async (t) => {
    const world = makeWorld();
    const { securityGroups } = world.network;
    const gone = await securityGroups.create(world.alice, { name: 'gone' });
    const other = await securityGroups.create(world.bob, { name: 'other' });
    const about = (securityGroupId: string, remoteGroupId: string) => [
      { securityGroupId, direction: 'ingress', remoteGroupId },
    ];
    const speaking = (id: string) =>
      securityGroups.listRules(world.admin, world.state.local).filter(({ rule }) => rule.remoteGroupId === id);
    await securityGroups.createRules(world.admin, about(other.id, gone.id));
    const used = quotaUsage(world.state.local, 'bob-project', 'security_group_rule');
    await securityGroups.delete(world.alice, gone.id);
    t.same(speaking(gone.id), []);
    t.equal(quotaUsage(world.state.local, 'bob-project', 'security_group_rule'), used - 1);

    const mine = await securityGroups.create(world.alice, { name: 'mine' });
    const late = await securityGroups.create(world.alice, { name: 'late' });
    const removesLate = ({ thenOps }: Transaction) =>
      thenOps.some((op) => op.kind === 'delete' && op.key === securityGroupTable.key(late.id));
    const ruleFirst = beforeCommit(world.state, removesLate, () =>
      securityGroups.createRules(world.alice, about(mine.id, late.id)),
    );
    await securityGroups.delete(world.alice, late.id);
    t.ok(ruleFirst());
    t.same(speaking(late.id), [], 'the deletion saw the rule that came before its commit');

    const early = await securityGroups.create(world.alice, { name: 'early' });
    const writesMine = ({ thenOps }: Transaction) =>
      thenOps.some((op) => op.kind === 'put' && op.key === securityGroupTable.key(mine.id));
    const goneFirst = beforeCommit(world.state, writesMine, () => securityGroups.delete(world.alice, early.id));
    t.equal(
      await refusalOf(securityGroups.createRules(world.alice, about(mine.id, early.id))),
      'SecurityGroupNotFound',
    );
    t.ok(goneFirst());
    t.same(speaking(early.id), []);
  },
);

void t.test('a gateway takes another address of its network while floating IPs lead through it', async (t) => {
  const world = makeWorld();
  await addHost(world, 1);
  const external = await addExternal(world);
  const { network, subnet } = await addNetwork(world);
  const { routers, floatingIps, ports } = world.network;
  const [port] = await ports.create(world.alice, [{ networkId: network.id }]);
  const networkId = external.network.id;
  const router = await routers.create(world.alice, { gateway: { networkId } });
  await routers.addInterface(world.alice, router.id, { subnetId: subnet.id });
  const floating = await floatingIps.create(world.alice, { floatingNetworkId: networkId, portId: port?.id ?? '' });
  const before = portTable.by(world.state.local, 'device', indexKey(router.id)).map(({ record }) => record.id);
  const moved = await routers.update(world.admin, router.id, {
    gateway: { networkId, fixedIps: [{ ip: '198.51.100.77' }] },
  });
  t.equal(moved.externalIp, '198.51.100.77');
  const after = portTable.by(world.state.local, 'device', indexKey(router.id));
  t.same(
    after.map(({ record }) => record.id),
    before,
    'the gateway keeps its port',
  );
  t.ok(after.some(({ record }) => record.fixedIps[0]?.ip === '198.51.100.77'));
  t.equal(floatingIpTable.must(world.state.local, floating.id).record.routerId, router.id);
  t.equal(
    await refusalOf(
      routers.update(world.admin, router.id, { gateway: { networkId, fixedIps: [{ ip: floating.floatingIp }] } }),
    ),
    'IpAddressAlreadyAllocated',
  );
});

void t.test('a port keeps each group once, and a refused update names the rule of updates', async (t) => {
  const world = makeWorld();
  const { network } = await addNetwork(world, '10.0.0.0/24', world.admin);
  await world.network.networks.update(world.admin, network.id, { shared: true });
  const { ports, securityGroups } = world.network;
  const group = await securityGroups.create(world.alice, { name: 'g' });
  const [port] = await ports.create(world.alice, [{ networkId: network.id }]);
  const id = port?.id ?? '';
  const updated = await ports.update(world.alice, id, { securityGroupIds: [group.id, group.id] });
  t.same(updated.securityGroupIds, [group.id]);
  const forbidden = { code: 'FORBIDDEN', message: /update_port:/ };
  await t.rejects(ports.update(world.alice, id, { mac: 'fa:16:3e:00:00:01' }), forbidden);
  await t.rejects(ports.update(world.alice, id, { fixedIps: [{ ip: '10.0.0.9' }] }), forbidden);
  await t.rejects(ports.update(world.alice, id, { portSecurityEnabled: false }), forbidden);
  await t.rejects(ports.update(world.alice, id, { allowedAddressPairs: [{ ip: '10.0.0.9' }] }), forbidden);
  await t.rejects(ports.create(world.alice, [{ networkId: network.id, mac: 'fa:16:3e:00:00:02' }]), {
    code: 'FORBIDDEN',
    message: /create_port:mac_address/,
  });
});
