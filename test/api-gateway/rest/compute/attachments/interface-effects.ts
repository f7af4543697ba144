/** Every attribute of `os-interface`: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { serverMetadata } from '../../../../../node/services/network/metadata.ts';
import { serverTable } from '../../../../../node/state/tables/index.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import type { Answer, EffectCloud, Effects } from '../../effects/effects.ts';
import { at } from '../server-effects.ts';

/** Where the bodies go. */
export const interfaceRoutes = { interfaceBody: ['POST /v2.1/servers/:id/os-interface'] } as const;

const server = async (cloud: EffectCloud): Promise<string> => {
  const body = { server: { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' } };
  const made = await cloud.gateway.call('POST', '/compute/v2.1/servers', { body, headers: at(52) });
  await hostsAct(cloud.world);
  return made.json().server.id;
};
const network = async (cloud: EffectCloud, cidr: string): Promise<string> => {
  const made = await cloud.ask('POST', '/networking/v2.0/networks', { body: { network: { name: 'nics' } } });
  const subnet = { network_id: made.network.id, cidr, ip_version: 4 };
  await cloud.ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
  return made.network.id;
};
const attach = async (
  cloud: EffectCloud,
  id: string,
  interfaceAttachment: object,
  options: { readonly status?: number; readonly minor?: number } = {},
): Promise<Answer> => {
  const answer = await cloud.ask('POST', `/compute/v2.1/servers/${id}/os-interface`, {
    body: { interfaceAttachment },
    headers: at(options.minor ?? 70),
    status: options.status ?? 200,
  });
  await hostsAct(cloud.world);
  return answer.interfaceAttachment;
};

/** See above. */
export const interfaceEffects: Effects = {
  'interfaceBody: interfaceAttachment.port_id': async (t, cloud) => {
    const id = await server(cloud);
    const network_id = await network(cloud, '10.31.0.0/24');
    const ids: string[] = [];
    for (let at = 0; at < 2; at += 1) {
      const { port } = await cloud.ask('POST', '/networking/v2.0/ports', { body: { port: { network_id } } });
      t.match(await attach(cloud, id, { port_id: port.id }), { port_id: port.id, net_id: network_id });
      ids.push(port.id);
    }
    const { interfaceAttachments } = await cloud.ask('GET', `/compute/v2.1/servers/${id}/os-interface`);
    t.same(
      interfaceAttachments.map((one: Answer) => [one.port_id, one.port_state]),
      ids.map((one) => [one, 'ACTIVE']),
    );
    await attach(cloud, id, { port_id: ids[0] }, { status: 409 });
    await attach(cloud, id, { port_id: randomUUID() }, { status: 404 });
    await attach(cloud, id, { port_id: ids[0], net_id: network_id }, { status: 400 });
  },
  'interfaceBody: interfaceAttachment.net_id': async (t, cloud) => {
    const id = await server(cloud);
    for (const cidr of ['10.32.0.0/24', '10.33.0.0/24']) {
      const net_id = await network(cloud, cidr);
      const made = await attach(cloud, id, { net_id });
      t.match(made, { net_id, fixed_ips: [{ ip_address: String, subnet_id: String }], mac_addr: String });
    }
    await attach(cloud, id, { net_id: randomUUID() }, { status: 404 });
    await attach(cloud, id, {}, { status: 400 });
  },
  'interfaceBody: interfaceAttachment.fixed_ips': async (t, cloud) => {
    const id = await server(cloud);
    const net_id = await network(cloud, '10.36.0.0/24');
    for (const ip_address of ['10.36.0.77', '10.36.0.78']) {
      t.equal((await attach(cloud, id, { net_id, fixed_ips: [{ ip_address }] })).fixed_ips.length, 1);
    }
    const two = [{ ip_address: '10.36.0.79' }, { ip_address: '10.36.0.80' }];
    for (const fixed_ips of [[], two]) await attach(cloud, id, { net_id, fixed_ips }, { status: 400 });
  },
  'interfaceBody: interfaceAttachment.fixed_ips[].ip_address': async (t, cloud) => {
    const id = await server(cloud);
    const net_id = await network(cloud, '10.34.0.0/24');
    for (const ip_address of ['10.34.0.77', '10.34.0.78']) {
      t.match(await attach(cloud, id, { net_id, fixed_ips: [{ ip_address }] }), { fixed_ips: [{ ip_address }] });
    }
    await attach(cloud, id, { net_id, fixed_ips: [{ ip_address: '10.34.0.77' }] }, { status: 409 });
    await attach(cloud, id, { net_id, fixed_ips: [{ ip_address: '10.99.0.1' }] }, { status: 400 });
    await attach(cloud, id, { fixed_ips: [{ ip_address: '10.34.0.79' }] }, { status: 400 });
    await attach(cloud, id, { net_id, fixed_ips: [{ ip_address: 'fd00::1' }] }, { status: 400 });
  },
  'interfaceBody: interfaceAttachment.tag': async (t, cloud) => {
    const id = await server(cloud);
    const net_id = await network(cloud, '10.35.0.0/24');
    for (const tag of ['storage', 'backup']) t.match(await attach(cloud, id, { net_id, tag }), { tag });
    t.match(await attach(cloud, id, { net_id }), { tag: null });
    const { record } = serverTable.must(cloud.world.state.local, id);
    const bodies = serverMetadata(cloud.world.state.local, record);
    const { devices } = JSON.parse(String(bodies['/openstack/latest/meta_data.json']));
    t.match(devices, [
      { type: 'nic', tags: ['storage'] },
      { type: 'nic', tags: ['backup'] },
    ]);
    await attach(cloud, id, { net_id, tag: 'a/b' }, { status: 400 });
    await attach(cloud, id, { net_id, tag: 'early' }, { status: 400, minor: 48 });
  },
};
