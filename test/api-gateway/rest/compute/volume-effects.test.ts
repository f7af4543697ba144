import t from 'tap';
import { volumeHostsAct } from '../../../node/services/volume/volume-world.ts';
import { startCloud } from '../cloud.ts';
import { proveEffects } from '../effects/effects.ts';
import { liftQuotas } from './lift-quotas.ts';
import { proxyEffects, proxyRoutes } from './proxies/proxy-effects.ts';
import { at } from './server-effects.ts';
import { volumeEffects, volumeRoutes } from './volume-effects.ts';

proveEffects(
  'compute',
  { ...volumeEffects, ...proxyEffects },
  {
    routes: { ...volumeRoutes, ...proxyRoutes },
    prepare: async (cloud) => {
      await liftQuotas(cloud);
      const { call, adminProjectId } = cloud.gateway;
      await call('PUT', `/volume/v3/os-quota-sets/${adminProjectId}`, {
        body: { quota_set: { volumes: -1, snapshots: -1 } },
      });
    },
  },
);

void t.test('a volume goes to a server and comes back, and both say so all the while', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const hosts = () => volumeHostsAct(cloud.world);
  const server = { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const { id } = (await call('POST', '/compute/v2.1/servers', { body: { server }, headers: at(52) })).json().server;
  const made = (await call('POST', '/volume/v3/volumes', { body: { volume: { size: 1 } } })).json().volume;
  await hosts();
  const path = `/compute/v2.1/servers/${id}/os-volume_attachments`;
  const shown = async () => (await call('GET', `/volume/v3/volumes/${made.id}`)).json().volume;
  const attached = async (minor: number) =>
    (await call('GET', `/compute/v2.1/servers/${id}`, { headers: at(minor) })).json().server[
      'os-extended-volumes:volumes_attached'
    ];
  t.same(await attached(1), []);
  const answer = await call('POST', path, { body: { volumeAttachment: { volumeId: made.id } } });
  t.equal(answer.statusCode, 200, answer.body);
  t.same(answer.json().volumeAttachment, { id: made.id, volumeId: made.id, serverId: id, device: '/dev/vdb' });
  t.equal((await shown()).status, 'attaching');
  const again = await call('POST', path, { body: { volumeAttachment: { volumeId: made.id } } });
  t.equal(again.statusCode, 400);
  await hosts();
  t.match(await shown(), {
    status: 'in-use',
    attachments: [{ id: made.id, volume_id: made.id, server_id: id, device: '/dev/vdb' }],
  });
  t.same(await attached(1), [{ id: made.id }]);
  t.same(await attached(3), [{ id: made.id, delete_on_termination: false }]);
  t.match((await call('GET', `${path}/${made.id}`)).json().volumeAttachment, { volumeId: made.id });
  t.equal((await call('GET', `${path}/none`)).statusCode, 404);
  t.match((await call('DELETE', `/volume/v3/volumes/${made.id}`)).json(), { badRequest: { code: 400 } });
  const attachments = await call('GET', `/volume/v3/attachments?instance_id=${id}`, {
    headers: { 'openstack-api-version': 'volume 3.27' },
  });
  t.match(attachments.json().attachments, [{ instance: id, volume_id: made.id, status: 'attached' }]);
  t.equal((await call('DELETE', `${path}/${made.id}`)).statusCode, 202);
  t.equal((await shown()).status, 'detaching');
  await hosts();
  t.match(await shown(), { status: 'available', attachments: [] });
  t.same(await attached(3), []);
  t.equal((await call('DELETE', `${path}/${made.id}`)).statusCode, 404);
  const foreign = cloud.memberToken;
  t.equal((await call('GET', path, { token: foreign })).statusCode, 404);
  t.equal(
    (await call('POST', path, { token: foreign, body: { volumeAttachment: { volumeId: made.id } } })).statusCode,
    404,
  );
});
