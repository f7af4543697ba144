/** Diagnostics of servers and tokens of consoles, by microversion, as Nova words them. */
import t from 'tap';
import { ShoalError } from '../../../../../node/base/errors.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { startCloud } from '../../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });

void t.test('what a guest has used is told in one form from 2.48 on, and in libvirt’s before', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const { id } = (await call('POST', '/compute/v2.1/servers', { body: { server }, headers: at(52) })).json().server;
  await hostsAct(cloud.world);
  const url = `/compute/v2.1/servers/${id}/diagnostics`;
  const newer = (await call('GET', url, { headers: at(48) })).json();
  t.match(newer, {
    ...{ state: 'running', driver: 'libvirt', hypervisor: 'qemu', uptime: 7, config_drive: false },
    ...{ num_cpus: 1, num_disks: 1, num_nics: 1, memory_details: { maximum: 128, used: 96 } },
    cpu_details: [{ id: 0, time: 1000, utilisation: null }],
    disk_details: [{ read_bytes: 1, read_requests: 2, write_bytes: 3, write_requests: 4, errors_count: 5 }],
  });
  t.equal(newer.nic_details[0].rx_octets, 6);
  t.equal(newer.nic_details[0].tx_packets, 9);
  const older = (await call('GET', url, { headers: at(47) })).json();
  t.match(older, { cpu0_time: 1000, vda_read: 1, vda_write_req: 4, memory: 131_072, vnet0_rx: 6 });

  cloud.world.hostControl.questionFailure = new ShoalError('NOT_FOUND', 'no guest');
  const refused = await call('GET', url, { headers: at(48) });
  t.equal(refused.statusCode, 409);
  t.match(refused.json().conflictingRequest.message, /is not ready/);
  const consoles = `/compute/v2.1/servers/${id}/remote-consoles`;
  const body = { remote_console: { protocol: 'vnc', type: 'novnc' } };
  t.equal((await call('POST', consoles, { body, headers: at(6) })).statusCode, 409, 'nor has it a screen');
});

void t.test('an operator is told what a console token is of from 2.31 on, and it stays good', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const hostId = '1'.repeat(32);
  const token = cloud.world.hostControl.consoleDoor.grant({
    serverId: 'server-1',
    hostId: cloud.world.hostControl.hostId,
    kind: 'serial',
    sessionToken: '',
  });
  t.match(token, hostId);
  const url = `/compute/v2.1/os-console-auth-tokens/${token}`;
  t.equal((await call('GET', url, { headers: at(30) })).statusCode, 400);
  for (let round = 0; round < 2; round += 1) {
    const { console } = (await call('GET', url, { headers: at(31) })).json();
    t.match(console, { instance_uuid: 'server-1', internal_access_path: `console/serial?token=${token}` });
    t.type(console.port, 'number');
  }
  const unknown = await call('GET', '/compute/v2.1/os-console-auth-tokens/none', { headers: at(31) });
  t.equal(unknown.statusCode, 404);
  t.match(unknown.json().itemNotFound.message, 'Token not found');
});
