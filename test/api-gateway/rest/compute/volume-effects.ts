/** Every attribute and query key of the volumes of servers: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { volumeHostsAct } from '../../../node/services/volume/volume-world.ts';
import type { Answer, EffectCloud, Effects } from '../effects/effects.ts';
import { at } from './server-effects.ts';

/** Where the bodies go. */
export const volumeRoutes = {
  volumeAttachmentBody: ['POST /v2.1/servers/:id/os-volume_attachments'],
  volumeSwapBody: ['PUT /v2.1/servers/:id/os-volume_attachments/:key'],
} as const;

const server = async (cloud: EffectCloud): Promise<string> => {
  const body = { server: { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' } };
  const made = await cloud.gateway.call('POST', '/compute/v2.1/servers', { body, headers: at(52) });
  await volumeHostsAct(cloud.world);
  return made.json().server.id;
};
const volume = async (cloud: EffectCloud): Promise<string> => {
  const made = await cloud.gateway.call('POST', '/volume/v3/volumes', { body: { volume: { size: 1 } } });
  await volumeHostsAct(cloud.world);
  return made.json().volume.id;
};
const attach = async (
  cloud: EffectCloud,
  id: string,
  volumeAttachment: object,
  options: { readonly status?: number; readonly minor?: number } = {},
): Promise<Answer> => {
  const answer = await cloud.ask('POST', `/compute/v2.1/servers/${id}/os-volume_attachments`, {
    body: { volumeAttachment },
    headers: at(options.minor ?? 79),
    status: options.status ?? 200,
  });
  await volumeHostsAct(cloud.world);
  return answer.volumeAttachment;
};
const list = async (cloud: EffectCloud, id: string, query = ''): Promise<readonly Answer[]> =>
  (await cloud.ask('GET', `/compute/v2.1/servers/${id}/os-volume_attachments${query}`, { headers: at(79) }))
    .volumeAttachments;
const statusOf = async (cloud: EffectCloud, id: string): Promise<string> =>
  (await cloud.gateway.call('GET', `/volume/v3/volumes/${id}`)).json().volume?.status ?? 'none';

/** See above. */
export const volumeEffects: Effects = {
  'volumeAttachmentBody: volumeAttachment.volumeId': async (t, cloud) => {
    const id = await server(cloud);
    const [first, second] = [await volume(cloud), await volume(cloud)];
    for (const volumeId of [first, second]) {
      t.match(await attach(cloud, id, { volumeId }), { id: volumeId, volumeId, serverId: id });
      t.equal(await statusOf(cloud, volumeId), 'in-use');
    }
    t.same((await list(cloud, id)).map((one: Answer) => one.volumeId).sort(), [first, second].sort());
    await attach(cloud, id, { volumeId: first }, { status: 400 });
    await attach(cloud, id, { volumeId: randomUUID() }, { status: 404 });
    await attach(cloud, id, { volumeId: 'none' }, { status: 400 });
  },
  'volumeAttachmentBody: volumeAttachment.device': async (t, cloud) => {
    const id = await server(cloud);
    t.match(await attach(cloud, id, { volumeId: await volume(cloud), device: '/dev/vdf' }), { device: '/dev/vdf' });
    t.match(await attach(cloud, id, { volumeId: await volume(cloud), device: '/dev/sdb' }), { device: '/dev/vdb' });
    await attach(cloud, id, { volumeId: await volume(cloud), device: '/dev/vdf' }, { status: 409 });
    await attach(cloud, id, { volumeId: await volume(cloud), device: 'a b' }, { status: 400 });
  },
  'volumeAttachmentBody: volumeAttachment.tag': async (t, cloud) => {
    const id = await server(cloud);
    t.equal((await attach(cloud, id, { volumeId: await volume(cloud), tag: 'data' })).tag, 'data');
    t.equal((await attach(cloud, id, { volumeId: await volume(cloud) })).tag, null);
    await attach(cloud, id, { volumeId: await volume(cloud), tag: 'data' }, { status: 400, minor: 48 });
  },
  'volumeAttachmentBody: volumeAttachment.delete_on_termination': async (t, cloud) => {
    const id = await server(cloud);
    const [goes, stays] = [await volume(cloud), await volume(cloud)];
    const flags = [];
    for (const [volumeId, flag] of [
      [goes, true],
      [stays, false],
    ] as const) {
      flags.push((await attach(cloud, id, { volumeId, delete_on_termination: flag })).delete_on_termination);
    }
    t.same(flags, [true, false]);
    await attach(cloud, id, { volumeId: stays, delete_on_termination: true }, { status: 400, minor: 78 });
    await cloud.gateway.call('DELETE', `/compute/v2.1/servers/${id}`);
    await volumeHostsAct(cloud.world);
    await volumeHostsAct(cloud.world);
    t.same([await statusOf(cloud, goes), await statusOf(cloud, stays)], ['none', 'available']);
  },
  'volumeSwapBody: volumeAttachment.volumeId': async (t, cloud) => {
    const id = await server(cloud);
    const [volumeId, other] = [await volume(cloud), await volume(cloud)];
    await attach(cloud, id, { volumeId });
    const swap = (newId: string, status: number) =>
      cloud.ask('PUT', `/compute/v2.1/servers/${id}/os-volume_attachments/${volumeId}`, {
        body: { volumeAttachment: { volumeId: newId } },
        status,
      });
    await swap('none', 400);
    await swap(volumeId, 400);
    await swap(randomUUID(), 400);
    await volumeHostsAct(cloud.world);
    await swap(other, 202);
    t.equal(await statusOf(cloud, other), 'reserved');
    await swap(other, 400);
  },
  'GET /v2.1/servers/:id/os-volume_attachments ?limit': async (t, cloud) => {
    const id = await server(cloud);
    for (let count = 0; count < 2; count++) await attach(cloud, id, { volumeId: await volume(cloud) });
    t.equal((await list(cloud, id, '?limit=1')).length, 1);
    t.equal((await list(cloud, id, '?limit=2')).length, 2);
    t.equal((await list(cloud, id)).length, 2);
  },
  'GET /v2.1/servers/:id/os-volume_attachments ?offset': async (t, cloud) => {
    const id = await server(cloud);
    for (let count = 0; count < 2; count++) await attach(cloud, id, { volumeId: await volume(cloud) });
    const all = await list(cloud, id);
    t.equal(all.length, 2);
    t.same(await list(cloud, id, '?offset=1'), all.slice(1));
  },
};
