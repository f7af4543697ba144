/** What a guest tells as its password is shown to who may see the server, until it is cleared. */
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { NicReportService } from '../../../../node/services/compute/interfaces/nic-reports.ts';
import { serverMetadata } from '../../../../node/services/network/metadata.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { hostsAct } from '../../../node/services/compute-world.ts';
import { startCloud } from '../cloud.ts';

void t.test('a password that a guest has told is shown and cleared', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, world, memberToken: token } = cloud;
  const post = async (path: string, body: object) => (await gateway.call('POST', path, { token, body })).json();
  const { network } = await post('/networking/v2.0/networks', { network: { name: 'net' } });
  const subnet = { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 };
  await post('/networking/v2.0/subnets', { subnet });
  const draft = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: [{ uuid: network.id }] };
  const { id } = (await post('/compute/v2.1/servers', { server: draft })).server;
  await hostsAct(world);
  const path = `/compute/v2.1/servers/${id}/os-server-password`;
  const shown = async () => (await gateway.call('GET', path, { token })).json();
  const ofGuest = () =>
    serverMetadata(world.state.local, serverTable.must(world.state.local, id).record)['/openstack/latest/password'];
  t.same(await shown(), { password: '' });
  t.equal(ofGuest(), '');

  const { hostId, portIds } = serverTable.must(world.state.local, id).record;
  const signal = new AbortController().signal;
  const tell = (by: string, password: string) =>
    new NicReportService(world.deps, by as HostId, signal).passwordPosted(portIds[0] ?? '', password);
  await tell('another', 'Zm9yZWlnbg==');
  t.same(await shown(), { password: '' }, 'only the server’s own host tells');
  await tell(hostId, 'c2VjcmV0');
  await tell(hostId, 'YW5vdGhlcg==');
  t.same(await shown(), { password: 'c2VjcmV0' }, 'the first is kept');
  t.equal(ofGuest(), 'c2VjcmV0', 'and its guest reads it');
  t.equal((await gateway.call('DELETE', path, { token })).statusCode, 204);
  t.same(await shown(), { password: '' });
  t.equal(ofGuest(), '', 'and may tell another one');
  t.equal((await gateway.call('GET', path.replace(id, 'none'), { token })).statusCode, 404);
});
