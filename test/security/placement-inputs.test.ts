/** A84, A99: what a caller may say of where and on what its server runs is vetted, and nothing is made of the rest. */
import t from 'tap';
import { transact } from '../../node/services/kit/transact.ts';
import { imageTable, serverTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import { type Cloud, startCloud } from '../api-gateway/rest/cloud.ts';
import { addImage } from '../node/services/compute-world.ts';

const servers = '/compute/v2.1/servers';

/** Asks for a server, as a member of a project, with these fields and hints. */
async function ask(cloud: Cloud, fields: object, beside: object = {}): Promise<{ status: number; text: string }> {
  const answer = await cloud.gateway.call('POST', servers, {
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...fields }, ...beside },
    token: cloud.memberToken,
    headers: { 'openstack-api-version': 'compute 2.79' },
  });
  return { status: answer.statusCode, text: answer.body };
}

const made = (cloud: Cloud): number => serverTable.list(cloud.world.state.local).length;

void t.test('A99: hints that no filter of this cloud vets are refused, and no server is made', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const hints: readonly object[] = [
    { _nova_check_type: ['rebuild'] },
    { force_hosts: ['host-2'] },
    { force_nodes: ['host-2'] },
    { ignore_hosts: ['host-1'] },
    { requested_destination: { host: 'host-2' } },
    { target_host: 'host-2' },
    { target_cell: '1' },
    { reservation: '11111111-1111-1111-1111-111111111111' },
    { allocation_candidate: 'x' },
    { 'trait:CUSTOM_X': 'required' },
    // The JsonFilter evaluates what it is given, so it is an operator's choice to have it.
    { query: '["=","$host","host-2"]' },
    JSON.parse('{"__proto__":{"force_hosts":["host-2"]},"x":1}'),
    { constructor: { prototype: {} } },
  ];
  for (const name of ['os:scheduler_hints', 'OS-SCH-HNT:scheduler_hints']) {
    for (const hint of hints) {
      const { status, text } = await ask(cloud, {}, { [name]: hint });
      t.equal(status, 400, `${name} ${JSON.stringify(hint)}: ${text}`);
    }
  }
  t.equal(made(cloud), 0);
});

void t.test('A99: a member names no host by any field', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const fields: readonly object[] = [
    { availability_zone: 'nova:host-2' },
    { availability_zone: 'nova::host-2' },
    { availability_zone: ':host-2' },
    { host: 'host-2' },
    { hypervisor_hostname: 'host-2' },
    { host: 'host-2', hypervisor_hostname: 'host-2' },
    { 'OS-EXT-SRV-ATTR:host': 'host-2' },
    { node: 'host-2' },
    { force_hosts: 'host-2' },
    { instance_uuid: '11111111-1111-1111-1111-111111111111' },
    { id: '11111111-1111-1111-1111-111111111111' },
    { project_id: 'another' },
    { tenant_id: 'another' },
    { user_id: 'another' },
  ];
  for (const field of fields) {
    const { status, text } = await ask(cloud, field);
    t.ok([400, 403].includes(status), `${JSON.stringify(field)}: ${status} ${text}`);
  }
  t.equal(made(cloud), 0);
  t.equal((await ask(cloud, {})).status, 202, 'what is left is a good request');
  t.equal(made(cloud), 1);
});

void t.test('A84: a machine that there is not, emulation and the like are not a tenant’s to choose', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const attributes: readonly (readonly [string, string])[] = [
    ['hw_machine_type', 'none'],
    ['hw_machine_type', 'microvm'],
    ['hw_machine_type', 'none,accel=tcg'],
    ['hw_machine_type', 'q35,accel=tcg'],
    ['hw_machine_type', 'pc-i440fx-2.1,kernel=/etc/shadow'],
    ['hw_emulation_architecture', 'aarch64'],
    ['hw_firmware_type', 'uefi,file=/etc/shadow'],
    ['hw_cpu_model', 'host'],
    ['hw_vif_model', 'vhost-user'],
    ['hw_video_model', 'qxl'],
    ['hw_pmu', 'perhaps'],
    ['os_command_line', 'init=/bin/sh'],
    ['img_hide_hypervisor_id', 'kvm=off,host-phys-bits=on'],
  ];
  for (const [name, value] of attributes) {
    const { status, text } = await ask(cloud, { imageRef: await addImageWith(cloud, name, value) });
    t.equal(status, 400, `${name}=${value}: ${text}`);
    t.match(text, name);
  }
  for (const field of ['hw_machine_type', 'machine', 'accelerator', 'cpu_model', 'hypervisor_type', 'config']) {
    t.equal((await ask(cloud, { [field]: 'tcg' })).status, 400, field);
  }
  t.equal(made(cloud), 0);
});

/** An image that asks for something. */
async function addImageWith(cloud: Cloud, name: string, value: string): Promise<string> {
  const { world } = cloud;
  const image = await addImage(world);
  await transact(world.deps, world.admin, ({ change }) => {
    const row = imageTable.must(world.state.local, image.id);
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties: { [name]: value } }));
  });
  return image.id;
}
