/** NICs of servers by Nova's API: what it shows by microversion, and how each refusal is told. */
import t from 'tap';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { startCloud } from '../../cloud.ts';
import { proveEffects } from '../../effects/effects.ts';
import { liftQuotas } from '../lift-quotas.ts';
import { at } from '../server-effects.ts';
import { interfaceEffects, interfaceRoutes } from './interface-effects.ts';

proveEffects('compute', interfaceEffects, { routes: interfaceRoutes, prepare: liftQuotas });

void t.test('a NIC comes and goes, and every answer says so', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const { network } = (await call('POST', '/networking/v2.0/networks', { body: { network: { name: 'n' } } })).json();
  const subnet = { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 };
  await call('POST', '/networking/v2.0/subnets', { body: { subnet } });
  const server = { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const { id } = (await call('POST', '/compute/v2.1/servers', { body: { server }, headers: at(52) })).json().server;
  const path = `/compute/v2.1/servers/${id}/os-interface`;
  t.equal((await call('POST', path, { body: {} })).statusCode, 409, 'it is being built');
  await hostsAct(cloud.world);

  const made = await call('POST', path, { body: {} });
  t.equal(made.statusCode, 200, 'on the only network that there is');
  const one = made.json().interfaceAttachment;
  t.strictSame(Object.keys(one).sort(), ['fixed_ips', 'mac_addr', 'net_id', 'port_id', 'port_state']);
  t.equal((await call('GET', `${path}/${one.port_id}`, { headers: at(70) })).json().interfaceAttachment.tag, null);
  t.match((await call('GET', `/compute/v2.1/servers/${id}`)).json().server.addresses, { n: [{ addr: String }] });
  await hostsAct(cloud.world);

  t.equal((await call('DELETE', `${path}/${one.port_id}`)).statusCode, 202);
  t.equal((await call('DELETE', `${path}/${one.port_id}`)).statusCode, 202, 'asked twice, it is asked once');
  t.equal((await call('GET', `/networking/v2.0/ports/${one.port_id}`)).statusCode, 200, 'the guest may have it yet');
  await hostsAct(cloud.world);
  t.equal((await call('GET', `/networking/v2.0/ports/${one.port_id}`)).statusCode, 404);
  t.same((await call('GET', path)).json().interfaceAttachments, []);
  t.equal((await call('DELETE', `${path}/${one.port_id}`)).statusCode, 404);
  const actions = (await call('GET', `/compute/v2.1/servers/${id}/os-instance-actions`)).json().instanceActions;
  t.match(actions, [{ action: 'detach_interface' }, { action: 'attach_interface' }, { action: 'create' }]);
  const detail = await call('GET', `/compute/v2.1/servers/${id}/os-instance-actions/${actions[1].request_id}`);
  t.match(detail.json().instanceAction.events, [{ event: 'compute_attach_interface', result: 'Success' }]);

  for (let nics = 0; nics < 16; nics += 1) t.equal((await call('POST', path, { body: {} })).statusCode, 200);
  t.match((await call('POST', path, { body: {} })).json(), { badRequest: { message: /16 network interfaces/ } });
  await call('POST', `/compute/v2.1/servers/${id}/action`, { body: { lock: null }, token: cloud.memberToken });
  const foreign = await call('POST', path, { body: {}, token: cloud.memberToken });
  t.equal(foreign.statusCode, 404, 'of another project');
});
