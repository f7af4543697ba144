/** A78: the address of a deleted server is nobody else's until its host says that the guest is gone, however long that takes. */
import t from 'tap';
import { startCloud } from '../api-gateway/rest/cloud.ts';
import { hostsAct } from '../node/services/compute-world.ts';

void t.test('A78: an isolated host keeps the address of its guest from being given away', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const token = cloud.memberToken;
  const call = async (method: 'POST' | 'GET' | 'DELETE', path: string, body?: object) => {
    const answer = await cloud.gateway.call(method, path, { token, ...(body === undefined ? {} : { body }) });
    return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json() };
  };
  const { network } = (await call('POST', '/networking/v2.0/networks', { network: { name: 'n' } })).body;
  const subnet = { network_id: network.id, cidr: '10.5.0.0/24', ip_version: 4 };
  t.equal((await call('POST', '/networking/v2.0/subnets', { subnet })).status, 201);
  const fixedIp = '10.5.0.77';
  const server = {
    ...{ name: 'web', flavorRef: '1', imageRef: 'cirros' },
    networks: [{ uuid: network.id, fixed_ip: fixedIp }],
  };
  const made = await call('POST', '/compute/v2.1/servers', { server });
  t.equal(made.status, 202, JSON.stringify(made.body));
  await hostsAct(cloud.world);
  const wanted = { port: { network_id: network.id, fixed_ips: [{ ip_address: fixedIp }] } };
  t.equal((await call('POST', '/networking/v2.0/ports', wanted)).status, 409, 'in use');

  // The host is cut off: it hears nothing of the deletion, and its guest goes on with its address.
  t.equal((await call('DELETE', `/compute/v2.1/servers/${made.body.server.id}`)).status, 204);
  t.equal((await call('POST', '/networking/v2.0/ports', wanted)).status, 409, 'the deletion was asked for, no more');
  const { ports } = (
    await call('GET', `/networking/v2.0/ports?network_id=${network.id}&fixed_ips=ip_address=${fixedIp}`)
  ).body;
  t.equal(ports.length, 1, 'the port is still there');
  t.match(await call('DELETE', `/networking/v2.0/ports/${ports[0].id}`), {
    status: 409,
    body: { NeutronError: { type: 'PortInUse' } },
  });
  t.equal((await call('POST', '/networking/v2.0/ports', wanted)).status, 409, 'nor does deleting the port free it');

  await hostsAct(cloud.world);
  t.equal((await call('POST', '/networking/v2.0/ports', wanted)).status, 201, 'the host said that the guest is gone');
});
