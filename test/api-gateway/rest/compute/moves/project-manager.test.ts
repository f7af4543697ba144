/** A project's manager moves its servers as Nova's may: without naming hosts, without being told of any, and nobody else's. */
import t from 'tap';
import { transact } from '../../../../../node/services/kit/transact.ts';
import { serverTable } from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { PolicyCallers } from '../../../../security/support/policy-callers.ts';
import { type Cloud, startCloud } from '../../cloud.ts';

const headers = { 'openstack-api-version': 'compute 2.80' };
const hidden = { source_compute: null, source_node: null, dest_compute: null, dest_node: null, dest_host: null };

/** A server with its disks where all hosts reach them, by its owner. */
async function running({ gateway, world }: Cloud, token: string | null): Promise<string> {
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const made = await gateway.call('POST', '/compute/v2.1/servers', { token, headers, body: { server } });
  const { id } = made.json().server;
  await hostsAct(world);
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = serverTable.must(reader, id);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd' }));
  });
  return id;
}

void t.test('a manager moves the servers of a project, and is told of no host', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway } = cloud;
  const callers = await new PolicyCallers(gateway).living();
  const callerOf = (name: 'manager' | 'member' | 'member of a foreign project') => callers.get(name);
  const manager = callerOf('manager');
  const member = callerOf('member');
  const stranger = callerOf('member of a foreign project');
  const id = await running(cloud, member?.token ?? null);
  const foreignId = await running(cloud, stranger?.token ?? null);
  const live = (host: string | null) => ({ 'os-migrateLive': { host, block_migration: 'auto' } });
  const act = async (serverId: string, body: object, by = manager) =>
    (
      await gateway.call('POST', `/compute/v2.1/servers/${serverId}/action`, {
        token: by?.token ?? null,
        headers,
        body,
      })
    ).statusCode;

  t.equal(await act(id, live(null), member), 403, 'not a member');
  t.equal(await act(id, live('host-2')), 403, 'not to a host by its name');
  t.equal(await act(id, { migrate: { host: 'host-2' } }), 403);
  t.equal(await act(foreignId, live(null)), 404, 'not a server of another project');
  t.equal(await act(id, live(null)), 202);

  const get = (path: string, by = manager) =>
    gateway.call('GET', `/compute/v2.1${path}`, { token: by?.token ?? null, headers });
  const [underWay] = (await get(`/servers/${id}/migrations`)).json().migrations;
  t.match(underWay, { server_uuid: id, status: 'preparing', ...hidden });
  t.equal((await get('/os-migrations')).statusCode, 403, 'as with Nova, all projects’ are the administrators’');
  t.equal((await get(`/os-migrations?project_id=${stranger?.projectId}`)).statusCode, 403);
  const listed = (await get(`/os-migrations?project_id=${manager?.projectId}`)).json().migrations;
  t.match(listed, [{ instance_uuid: id, project_id: manager?.projectId, ...hidden }]);
  const told = (await gateway.call('GET', '/compute/v2.1/os-migrations', { headers })).json().migrations;
  t.type(told[0].source_compute, 'string', 'an administrator is told');

  const path = `/compute/v2.1/servers/${id}/migrations/${underWay.id}`;
  const end = (by = manager) => gateway.call('DELETE', path, { token: by?.token ?? null, headers });
  t.equal((await end(member)).statusCode, 403);
  t.equal((await end()).statusCode, 202);
});
