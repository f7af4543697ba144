/** Attributes that microversions above 2.79 have brought: sent, shown, and what they do. */
import { randomUUID } from 'node:crypto';
import { portTable } from '../../../../../node/state/tables/index.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { volumeHostsAct } from '../../../../node/services/volume/volume-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../../effects/effects.ts';
import { at } from '../server-effects.ts';

/** Where the bodies go. */
export const microversionRoutes = {
  newServerBody: ['POST /v2.1/servers'],
  serverPatchBody: ['PUT /v2.1/servers/:id'],
  volumeSwapBody: ['PUT /v2.1/servers/:id/os-volume_attachments/:key'],
} as const;

type Options = { readonly minor?: number; readonly status?: number };
const servers = '/compute/v2.1/servers';
const make = async (cloud: EffectCloud, more: object, { minor = 94, status = 202 }: Options = {}): Promise<Answer> => {
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...more };
  return (await cloud.ask('POST', servers, { body: { server }, headers: at(minor), status })).server;
};
const show = async (cloud: EffectCloud, id: string, minor = 104): Promise<Answer> =>
  (await cloud.ask('GET', `${servers}/${id}`, { headers: at(minor) })).server;
const change = async (cloud: EffectCloud, id: string, server: object, { minor = 104, status = 200 }: Options = {}) =>
  (await cloud.ask('PUT', `${servers}/${id}`, { body: { server }, headers: at(minor), status })).server;

const key = 'OS-EXT-SRV-ATTR:hostname';
const refused = ['-a', 'a_b!', `${'x'.repeat(64)}.example`, 'a..b', 'x'.repeat(256)];

async function attached(cloud: EffectCloud, tag?: string): Promise<{ readonly id: string; readonly volumeId: string }> {
  const { id } = await make(cloud, {});
  const volume = (await cloud.ask('POST', '/volume/v3/volumes', { body: { volume: { size: 1 } }, status: 202 })).volume;
  await volumeHostsAct(cloud.world);
  await cloud.ask('POST', `${servers}/${id}/os-volume_attachments`, {
    body: { volumeAttachment: { volumeId: volume.id, ...(tag === undefined ? {} : { tag }) } },
    headers: at(79),
    status: 200,
  });
  await volumeHostsAct(cloud.world);
  return { id, volumeId: volume.id };
}

const update = (
  cloud: EffectCloud,
  { id, volumeId }: { id: string; volumeId: string },
  more: object,
  { minor = 85, status = 202 }: Options = {},
) =>
  cloud.ask('PUT', `${servers}/${id}/os-volume_attachments/${volumeId}`, {
    body: { volumeAttachment: { volumeId, ...more } },
    headers: at(minor),
    status,
  });

/** May be named as it is, and not changed; before 2.85 it may not be named. */
const mustBe =
  (name: string, right: (of: { id: string; volumeId: string }) => unknown, wrong: unknown, last = 104): Effect =>
  async (_t, cloud) => {
    const of = await attached(cloud, 'disk-tag');
    await update(cloud, of, { [name]: right(of) });
    await update(cloud, of, { [name]: wrong }, { status: 400 });
    await update(cloud, of, { [name]: right(of) }, { minor: 84, status: 400 });
    if (last < 104) await update(cloud, of, { [name]: right(of) }, { minor: last + 1, status: 400 });
  };

/** See above. */
export const microversionEffects: Effects = {
  'newServerBody: server.hostname': async (t, cloud) => {
    for (const hostname of ['web-1', 'web-2.example.org']) {
      const { id } = await make(cloud, { hostname });
      t.equal((await show(cloud, id))[key], hostname);
    }
    await make(cloud, { hostname: 'web-1' }, { minor: 90 });
    await make(cloud, { hostname: 'web-1' }, { minor: 89, status: 400 });
    await make(cloud, { hostname: 'web.example' }, { minor: 93, status: 400 });
    for (const hostname of refused) await make(cloud, { hostname }, { status: 400 });
  },
  'serverPatchBody: server.hostname': async (t, cloud) => {
    const { network } = await cloud.ask('POST', '/networking/v2.0/networks', { body: { network: {} } });
    const subnet = { network_id: network.id, cidr: '10.94.0.0/24', ip_version: 4 };
    await cloud.ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
    const { id } = await make(cloud, { networks: [{ uuid: network.id }] });
    for (const hostname of ['db-1', 'db-2.example.org']) {
      t.equal((await change(cloud, id, { hostname }))[key], hostname);
      const port = portTable.list(cloud.world.state.local).find(({ record }) => record.deviceId === id);
      t.equal(port?.record.dnsName, hostname.split('.')[0], 'the network service knows it by its first label');
    }
    await change(cloud, id, { hostname: 'db-3' }, { minor: 89, status: 400 });
    await change(cloud, id, { hostname: 'db.example' }, { minor: 93, status: 400 });
    for (const hostname of refused) await change(cloud, id, { hostname }, { status: 400 });
    t.equal((await show(cloud, id))[key], 'db-2.example.org');
  },
  'serverPatchBody: server.pinned_availability_zone': async (t, cloud) => {
    const { id } = await make(cloud, {});
    await hostsAct(cloud.world);
    const zone = (await show(cloud, id))['OS-EXT-AZ:availability_zone'];
    const pinned = async (): Promise<unknown> => (await show(cloud, id)).pinned_availability_zone;
    t.equal(await pinned(), null);
    await change(cloud, id, { pinned_availability_zone: 'elsewhere' }, { status: 409 });
    t.equal((await change(cloud, id, { pinned_availability_zone: zone })).pinned_availability_zone, zone);
    await change(cloud, id, { pinned_availability_zone: zone });
    await change(cloud, id, { pinned_availability_zone: 'elsewhere' }, { status: 409 });
    t.equal(await pinned(), zone);
    await change(cloud, id, { pinned_availability_zone: null });
    t.equal(await pinned(), null);
    await change(cloud, id, { pinned_availability_zone: null }, { minor: 103, status: 400 });
  },
  'volumeSwapBody: volumeAttachment.id': mustBe('id', ({ volumeId }) => volumeId, randomUUID(), 88),
  'volumeSwapBody: volumeAttachment.serverId': mustBe('serverId', ({ id }) => id, randomUUID()),
  'volumeSwapBody: volumeAttachment.device': mustBe('device', () => '/dev/vdb', '/dev/vdx'),
  'volumeSwapBody: volumeAttachment.tag': mustBe('tag', () => 'disk-tag', 'another'),
  'volumeSwapBody: volumeAttachment.delete_on_termination': async (t, cloud) => {
    const of = await attached(cloud);
    const path = `${servers}/${of.id}/os-volume_attachments/${of.volumeId}`;
    for (const value of [true, false, 'true']) {
      await update(cloud, of, { delete_on_termination: value });
      const { volumeAttachment } = await cloud.ask('GET', path, { headers: at(85) });
      t.equal(volumeAttachment.delete_on_termination, String(value) === 'true');
    }
    await update(cloud, of, { delete_on_termination: false }, { minor: 84, status: 400 });
    await cloud.ask('DELETE', `${servers}/${of.id}`, { status: 204 });
  },
};
