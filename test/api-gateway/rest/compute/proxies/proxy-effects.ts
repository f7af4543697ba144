/** Every attribute and query key of Nova's old ways to networks and volumes: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { volumeHostsAct } from '../../../../node/services/volume/volume-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../../effects/effects.ts';
import { at } from '../server-effects.ts';

/** Where the bodies go. */
export const proxyRoutes = {
  securityGroupRuleBody: ['POST /v2.1/os-security-group-rules'],
  floatingIpBody: ['POST /v2.1/os-floating-ips'],
  addFixedIpBody: ['POST /v2.1/servers/:id/action#addFixedIp'],
  removeFixedIpBody: ['POST /v2.1/servers/:id/action#removeFixedIp'],
  addFloatingIpBody: ['POST /v2.1/servers/:id/action#addFloatingIp'],
  removeFloatingIpBody: ['POST /v2.1/servers/:id/action#removeFloatingIp'],
  proxiedVolumeBody: ['POST /v2.1/os-volumes'],
  proxiedSnapshotBody: ['POST /v2.1/os-snapshots'],
} as const;

const last = at(35);
const compute = (path: string): string => `/compute/v2.1${path}`;
const group = async (cloud: EffectCloud): Promise<Answer> =>
  (
    await cloud.ask('POST', compute('/os-security-groups'), {
      body: { security_group: { name: randomUUID(), description: '' } },
      headers: last,
    })
  ).security_group;
const rule = async (cloud: EffectCloud, body: object, status = 200): Promise<Answer> =>
  (
    await cloud.ask('POST', compute('/os-security-group-rules'), {
      body: { security_group_rule: body },
      status,
      headers: last,
    })
  ).security_group_rule;
const web = { ip_protocol: 'tcp', from_port: 80, to_port: 443 };

const rules: Effects = {
  'securityGroupRuleBody: security_group_rule.parent_group_id': async (t, cloud) => {
    for (const { id } of [await group(cloud), await group(cloud)]) {
      const made = await rule(cloud, { ...web, parent_group_id: id });
      t.match(made, { parent_group_id: id, ip_protocol: 'tcp', ip_range: { cidr: '0.0.0.0/0' }, group: {} });
      const shown = await cloud.ask('GET', compute(`/os-security-groups/${id}`), { headers: last });
      t.same(shown.security_group.rules, [made]);
      await rule(cloud, { ...web, parent_group_id: id }, 400);
      await cloud.ask('DELETE', compute(`/os-security-group-rules/${made.id}`), { status: 202, headers: last });
      await cloud.ask('DELETE', compute(`/os-security-group-rules/${made.id}`), { status: 404, headers: last });
    }
    await rule(cloud, { ...web, parent_group_id: randomUUID() }, 404);
  },
  'securityGroupRuleBody: security_group_rule.group_id': async (t, cloud) => {
    const { id } = await group(cloud);
    for (const other of [await group(cloud), await group(cloud)]) {
      const made = await rule(cloud, { parent_group_id: id, group_id: other.id });
      t.match(made, { ip_protocol: null, from_port: null, group: { name: other.name, tenant_id: other.tenant_id } });
      t.same(made.ip_range, {});
    }
    await rule(cloud, { parent_group_id: id, group_id: randomUUID() }, 404);
  },
  'securityGroupRuleBody: security_group_rule.ip_protocol': async (t, cloud) => {
    const { id } = await group(cloud);
    for (const ip_protocol of ['tcp', 'UDP']) {
      const made = await rule(cloud, { ...web, ip_protocol, parent_group_id: id });
      t.equal(made.ip_protocol, ip_protocol.toLowerCase());
    }
    for (const ip_protocol of [null, 'gre', 7]) await rule(cloud, { ...web, ip_protocol, parent_group_id: id }, 400);
  },
  'securityGroupRuleBody: security_group_rule.from_port': async (t, cloud) => {
    const { id } = await group(cloud);
    for (const from_port of [80, '81']) {
      t.equal((await rule(cloud, { ...web, from_port, parent_group_id: id })).from_port, Number(from_port));
    }
    const any = await rule(cloud, { parent_group_id: id, ip_protocol: 'icmp', from_port: -1, to_port: -1 });
    t.match(any, { from_port: -1, to_port: -1 });
    for (const from_port of [444, 0, -1, null]) await rule(cloud, { ...web, from_port, parent_group_id: id }, 400);
  },
  'securityGroupRuleBody: security_group_rule.to_port': async (t, cloud) => {
    const { id } = await group(cloud);
    for (const to_port of [443, '444']) {
      t.equal((await rule(cloud, { ...web, to_port, parent_group_id: id })).to_port, Number(to_port));
    }
    for (const to_port of [65_536, 79, 'x']) await rule(cloud, { ...web, to_port, parent_group_id: id }, 400);
    const icmp = { parent_group_id: id, ip_protocol: 'icmp', from_port: 8 };
    t.match(await rule(cloud, { ...icmp, to_port: 0 }), { from_port: 8, to_port: 0 });
    await rule(cloud, { ...icmp, to_port: 256 }, 400);
  },
  'securityGroupRuleBody: security_group_rule.cidr': async (t, cloud) => {
    const { id } = await group(cloud);
    for (const cidr of ['10.0.0.0/8', '2001:db8::/32']) {
      t.same((await rule(cloud, { ...web, cidr, parent_group_id: id })).ip_range, { cidr });
    }
    await rule(cloud, { ...web, cidr: 'nowhere', parent_group_id: id }, 400);
  },
};

/** An external network of its own. */
async function pool(cloud: EffectCloud, third: number): Promise<{ readonly id: string; readonly name: string }> {
  const network = { name: `pool-${third}-${randomUUID()}`, 'router:external': true };
  const made = (await cloud.ask('POST', '/networking/v2.0/networks', { body: { network } })).network;
  const subnet = { network_id: made.id, cidr: `198.51.${third}.0/24`, ip_version: 4, enable_dhcp: false };
  await cloud.ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
  return made;
}
const floatingIp = async (cloud: EffectCloud, of: string, status = 200): Promise<Answer> =>
  (await cloud.ask('POST', compute('/os-floating-ips'), { body: { pool: of }, status, headers: last })).floating_ip;

/** A server with two addresses on a network that a router joins to a pool. */
async function routed(
  cloud: EffectCloud,
  third: number,
): Promise<{
  readonly id: string;
  readonly networkId: string;
  readonly pool: string;
  readonly addresses: readonly string[];
}> {
  const outside = await pool(cloud, third);
  const create = async (kind: string, body: object): Promise<Answer> =>
    (await cloud.ask('POST', `/networking/v2.0/${kind}s`, { body: { [kind]: body } }))[kind];
  const network = await create('network', {});
  const subnet = await create('subnet', { network_id: network.id, cidr: `10.9.${third}.0/24`, ip_version: 4 });
  const router = await create('router', { external_gateway_info: { network_id: outside.id } });
  await cloud.ask('PUT', `/networking/v2.0/routers/${router.id}/add_router_interface`, {
    body: { subnet_id: subnet.id },
  });
  const server = {
    name: 'web',
    flavorRef: '1',
    imageRef: 'cirros',
    networks: [{ uuid: network.id }, { uuid: network.id }],
  };
  const { id } = (await cloud.ask('POST', compute('/servers'), { body: { server }, headers: last })).server;
  return { id, networkId: network.id, pool: outside.name, addresses: await addressesOf(cloud, id) };
}

async function addressesOf(cloud: EffectCloud, id: string): Promise<readonly string[]> {
  const { addresses } = await cloud.ask('GET', compute(`/servers/${id}/ips`));
  const all = (Object.values(addresses)[0] ?? []) as readonly { readonly addr: string }[];
  return all.map(({ addr }) => addr);
}

const fixedIp = (cloud: EffectCloud, id: string, body: object, status = 202, minor = 43): Promise<Answer> =>
  cloud.ask('POST', compute(`/servers/${id}/action`), { body, status, headers: at(minor) });

const floatingIps: Effects = {
  'floatingIpBody: pool': async (t, cloud) => {
    for (const [index, outside] of [await pool(cloud, 1), await pool(cloud, 2)].entries()) {
      const made = await floatingIp(cloud, index === 0 ? outside.name : outside.id);
      t.match(made, { pool: outside.name, fixed_ip: null, instance_id: null });
      t.ok(made.ip.startsWith(`198.51.${index + 1}.`));
      const { floating_ips: all } = await cloud.ask('GET', compute('/os-floating-ips'), { headers: last });
      t.match(all.at(-1), made);
      t.match((await cloud.ask('GET', compute(`/os-floating-ips/${made.id}`), { headers: last })).floating_ip, made);
      const pools = await cloud.ask('GET', compute('/os-floating-ip-pools'), { headers: last });
      t.ok(pools.floating_ip_pools.some(({ name }: Answer) => name === outside.name));
      await cloud.ask('DELETE', compute(`/os-floating-ips/${made.id}`), { status: 202, headers: last });
      await cloud.ask('GET', compute(`/os-floating-ips/${made.id}`), { status: 404, headers: last });
    }
    await floatingIp(cloud, 'no-such-pool', 404);
    // Which of the two is not said.
    await cloud.ask('POST', compute('/os-floating-ips'), { body: {}, status: 404, headers: last });
  },
  'addFixedIpBody: networkId': async (t, cloud) => {
    for (const number of [13, 14]) {
      const { id, networkId, addresses } = await routed(cloud, number);
      await fixedIp(cloud, id, { addFixedIp: { networkId: 'none' } }, 400);
      await fixedIp(cloud, id, { addFixedIp: { networkId } }, 404, 44);
      await fixedIp(cloud, id, { addFixedIp: { networkId } });
      t.equal((await addressesOf(cloud, id)).length, addresses.length + 1);
    }
  },
  'removeFixedIpBody: address': async (t, cloud) => {
    for (const number of [15, 16]) {
      const { id, networkId, addresses } = await routed(cloud, number);
      await fixedIp(cloud, id, { addFixedIp: { networkId } });
      const added = (await addressesOf(cloud, id)).find((ip) => !addresses.includes(ip)) ?? '';
      await fixedIp(cloud, id, { removeFixedIp: { address: '192.0.2.77' } }, 400);
      await fixedIp(cloud, id, { removeFixedIp: { address: added } });
      t.same(await addressesOf(cloud, id), addresses);
    }
  },
  'addFloatingIpBody: address': async (t, cloud) => {
    const { id, pool: of, addresses } = await routed(cloud, 11);
    for (const made of [await floatingIp(cloud, of), await floatingIp(cloud, of)]) {
      const add = async (address: string, status: number, minor = 43) =>
        cloud.ask('POST', compute(`/servers/${id}/action`), {
          body: { addFloatingIp: { address } },
          status,
          headers: at(minor),
        });
      await add(made.ip, 202);
      const shown = (await cloud.ask('GET', compute(`/os-floating-ips/${made.id}`), { headers: last })).floating_ip;
      t.match(shown, { instance_id: id, fixed_ip: addresses[0] });
      await add('192.0.2.77', 404);
      await add(made.ip, 404, 44);
      const second = await floatingIp(cloud, of);
      // Neutron's conflict is a mistake of the caller's in Nova's words.
      t.match(await add(second.ip, 400), {
        badRequest: { message: /^Unable to associate floating IP .* to fixed IP / },
      });
      await cloud.ask('DELETE', compute(`/os-floating-ips/${second.id}`), { status: 202, headers: last });
      await cloud.ask('DELETE', compute(`/os-floating-ips/${made.id}`), { status: 202, headers: last });
    }
  },
  'addFloatingIpBody: fixed_address': async (t, cloud) => {
    const { id, pool: of, addresses } = await routed(cloud, 12);
    const made = await floatingIp(cloud, of);
    const add = async (fixed_address: string, status: number) =>
      cloud.ask('POST', compute(`/servers/${id}/action`), {
        body: { addFloatingIp: { address: made.ip, fixed_address } },
        status,
      });
    for (const address of addresses.toReversed()) {
      await add(address, 202);
      const shown = (await cloud.ask('GET', compute(`/os-floating-ips/${made.id}`), { headers: last })).floating_ip;
      t.equal(shown.fixed_ip, address);
    }
    await add('10.9.12.250', 400);
  },
  'removeFloatingIpBody: address': async (t, cloud) => {
    const { id, pool: of } = await routed(cloud, 13);
    const act = (body: object, status: number) => cloud.ask('POST', compute(`/servers/${id}/action`), { body, status });
    for (const made of [await floatingIp(cloud, of), await floatingIp(cloud, of)]) {
      await act({ removeFloatingIp: { address: made.ip } }, 409);
      await act({ addFloatingIp: { address: made.ip } }, 202);
      await act({ removeFloatingIp: { address: made.ip } }, 202);
      const shown = (await cloud.ask('GET', compute(`/os-floating-ips/${made.id}`), { headers: last })).floating_ip;
      t.match(shown, { instance_id: null, fixed_ip: null });
    }
    await act({ removeFloatingIp: { address: '192.0.2.78' } }, 404);
  },
};

const volume = async (cloud: EffectCloud, body: object, status = 200): Promise<Answer> => {
  const answer = await cloud.ask('POST', compute('/os-volumes'), {
    body: { volume: { size: 1, ...body } },
    status,
    headers: last,
  });
  await volumeHostsAct(cloud.world);
  return answer.volume;
};
const showVolume = async (cloud: EffectCloud, id: string): Promise<Answer> =>
  (await cloud.ask('GET', compute(`/os-volumes/${id}`), { headers: last })).volume;
const snapshot = async (cloud: EffectCloud, body: object, status = 200): Promise<Answer> => {
  const answer = await cloud.ask('POST', compute('/os-snapshots'), { body: { snapshot: body }, status, headers: last });
  await volumeHostsAct(cloud.world);
  return answer.snapshot;
};

/** Each value is shown as it was sent; each of `refused` gets its status. */
const ofVolume =
  (
    name: string,
    shownAs: string,
    values: readonly unknown[],
    refused: readonly (readonly [value: unknown, status: number])[],
  ): Effect =>
  async (t, cloud) => {
    for (const value of values) {
      const { id } = await volume(cloud, { [name]: value });
      t.same((await showVolume(cloud, id))[shownAs], value);
      await cloud.ask('DELETE', compute(`/os-volumes/${id}`), { status: 202, headers: last });
      await volumeHostsAct(cloud.world);
    }
    for (const [value, status] of refused) await volume(cloud, { [name]: value }, status);
  };
const long = 'x'.repeat(256);

const volumes: Effects = {
  'proxiedVolumeBody: volume.size': ofVolume(
    'size',
    'size',
    [1, 2],
    [
      [0, 400],
      ['x', 400],
      [undefined, 400],
    ],
  ),
  'proxiedVolumeBody: volume.volume_type': async (t, cloud) => {
    for (const name of [`a-${randomUUID()}`, `b-${randomUUID()}`]) {
      await cloud.ask('POST', '/volume/v3/types', { body: { volume_type: { name } }, status: 200 });
      t.equal((await volume(cloud, { volume_type: name })).volumeType, name);
    }
    await volume(cloud, { volume_type: 'no-such-type' }, 404);
  },
  'proxiedVolumeBody: volume.metadata': ofVolume('metadata', 'metadata', [{ a: '1' }, { b: '2' }], [[{ a: 1 }, 400]]),
  'proxiedVolumeBody: volume.snapshot_id': async (t, cloud) => {
    const { id } = await volume(cloud, {});
    for (const source of [await snapshot(cloud, { volume_id: id }), await snapshot(cloud, { volume_id: id })]) {
      t.equal((await volume(cloud, { snapshot_id: source.id })).snapshotId, source.id);
    }
    await volume(cloud, { snapshot_id: randomUUID() }, 404);
  },
  'proxiedVolumeBody: volume.availability_zone': async (t, cloud) => {
    t.equal((await volume(cloud, { availability_zone: 'nova' })).availabilityZone, 'nova');
    await volume(cloud, { availability_zone: 'elsewhere' }, 400);
  },
  'proxiedVolumeBody: volume.display_name': ofVolume('display_name', 'displayName', ['one', 'two'], [[long, 400]]),
  'proxiedVolumeBody: volume.display_description': ofVolume(
    'display_description',
    'displayDescription',
    ['one', 'two'],
    [[long, 400]],
  ),
};

const ofSnapshot =
  (name: string, shownAs: string): Effect =>
  async (t, cloud) => {
    const { id } = await volume(cloud, {});
    for (const value of ['one', 'two']) {
      const made = await snapshot(cloud, { volume_id: id, [name]: value });
      t.match(made, { volumeId: id, size: 1, [shownAs]: value });
      const shown = await cloud.ask('GET', compute(`/os-snapshots/${made.id}`), { headers: last });
      t.match(shown.snapshot, { [shownAs]: value, status: 'available' });
      await cloud.ask('DELETE', compute(`/os-snapshots/${made.id}`), { status: 202, headers: last });
      await volumeHostsAct(cloud.world);
      await cloud.ask('GET', compute(`/os-snapshots/${made.id}`), { status: 404, headers: last });
    }
    await snapshot(cloud, { volume_id: id, [name]: long }, 400);
  };

const snapshots: Effects = {
  'proxiedSnapshotBody: snapshot.volume_id': async (t, cloud) => {
    for (const { id } of [await volume(cloud, {}), await volume(cloud, {})]) {
      t.equal((await snapshot(cloud, { volume_id: id })).volumeId, id);
    }
    await snapshot(cloud, { volume_id: randomUUID() }, 404);
  },
  'proxiedSnapshotBody: snapshot.force': async (t, cloud) => {
    const { id } = await volume(cloud, {});
    const server = { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
    const made = await cloud.ask('POST', compute('/servers'), { body: { server }, headers: at(52) });
    await volumeHostsAct(cloud.world);
    const path = compute(`/servers/${made.server.id}/os-volume_attachments`);
    await cloud.ask('POST', path, { body: { volumeAttachment: { volumeId: id } } });
    await volumeHostsAct(cloud.world);
    t.match(await showVolume(cloud, id), {
      status: 'in-use',
      attachments: [{ id, volumeId: id, serverId: made.server.id, device: '/dev/vdb' }],
    });
    await snapshot(cloud, { volume_id: id, force: false }, 400);
    t.ok((await snapshot(cloud, { volume_id: id, force: true })).id);
  },
  'proxiedSnapshotBody: snapshot.display_name': ofSnapshot('display_name', 'displayName'),
  'proxiedSnapshotBody: snapshot.display_description': ofSnapshot('display_description', 'displayDescription'),
};

/** See above. */
export const proxyEffects: Effects = { ...rules, ...floatingIps, ...volumes, ...snapshots };
