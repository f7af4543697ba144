/** Debian's own `openstack`, unmodified: the commands of `openstack volume ...`, and those of servers and quotas that are about volumes. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { cliOn, skipCli } from '../../../support/openstack-cli.ts';
import { startCloud } from '../cloud.ts';

// Python takes one to five seconds a command on a busy machine.
t.setTimeout(900_000);

async function start(t: Test) {
  const cloud = await startCloud({ listen: true, act: true });
  const cli = await cliOn(cloud.gateway);
  t.teardown(async () => {
    await cli.stop();
    await cloud.stop();
  });
  /** Runs a command that is to succeed; its JSON, where it prints some. */
  const run = async (command: string, version?: string) => {
    const extra = version === undefined ? {} : { OS_VOLUME_API_VERSION: version };
    const { failed, value } = await cli.openstack(command, extra);
    t.equal(failed, '', command);
    return value;
  };
  const fails = async (command: string, reason: RegExp, version?: string) => {
    const extra = version === undefined ? {} : { OS_VOLUME_API_VERSION: version };
    t.match((await cli.openstack(command, extra)).failed, reason, command);
  };
  /** Waits until a volume has a status. */
  const until = async (id: string, status: string) => {
    for (let round = 0; round < 100; round++) {
      const { volume } = (await cloud.gateway.call('GET', `/volume/v3/volumes/${id}`)).json();
      if (volume.status === status) return;
      await sleep(100);
    }
    throw new Error(`volume ${id} did not become ${status}`);
  };
  return { cloud, run, fails, until };
}

void t.test('volumes and snapshots', { skip: skipCli }, async (t) => {
  const { run, fails, until } = await start(t);
  const { id } = await run('volume create --size 1 --description first --property k=v -f json a');
  await until(id, 'available');
  t.match(await run('volume list -f json'), [{ ID: id, Name: 'a', Status: 'available', Size: 1 }]);
  t.match(await run('volume list --long --status available --name a -f json'), [{ ID: id, Bootable: 'false' }]);
  t.match(await run('volume show -f json a'), {
    name: 'a',
    description: 'first',
    properties: { k: 'v' },
    type: '__DEFAULT__',
  });
  await run('volume set --name c --size 2 --property x=y --bootable a');
  await until(id, 'available');
  t.match(await run('volume show -f json c'), { size: 2, bootable: 'true', properties: { k: 'v', x: 'y' } });
  await run('volume unset --property x c');
  await run('volume set --read-only --image-property os_distro=debian c');
  await run('volume set --state error c');
  await run('volume set --state available c');
  const snapshot = await run('volume snapshot create --volume c --description s --property p=q -f json s1');
  t.match(snapshot, { name: 's1', volume_id: id, size: 2 });
  await run('volume snapshot set --name s2 --property r=s s1');
  await run('volume snapshot unset --property p s2');
  t.match(await run('volume snapshot list -f json'), [{ Name: 's2', Status: 'available', Size: 2 }]);
  t.match(await run('volume snapshot show -f json s2'), { properties: { r: 's' }, volume_id: id });
  const copy = await run('volume create --snapshot s2 -f json copy');
  await until(copy.id, 'available');
  const clone = await run('volume create --source copy -f json clone');
  await until(clone.id, 'available');
  await fails('volume delete c', /have snapshots/);
  await run('volume delete clone copy');
  await run('volume delete --purge c');
  await fails('volume create --size 0 x', /[Ii]nvalid/);
  await fails('volume create --size 100000 x', /exceed/);
  await fails('volume show none', /No volume with a name or ID of 'none' exists/);
});

void t.test('types, QoS specs, services, quotas', { skip: skipCli }, async (t) => {
  const { cloud, run, fails } = await start(t);
  t.match(await run('volume type list -f json'), [{ Name: '__DEFAULT__', 'Is Public': true }]);
  await run('volume type create --private --description d --property volume_backend_name=rbd -f json gold');
  await run(`volume type set --project ${cloud.memberProjectId} --property a=b --name silver gold`);
  t.match(await run('volume type show -f json silver'), { name: 'silver', is_public: false, properties: { a: 'b' } });
  await run(`volume type unset --project ${cloud.memberProjectId} --property a silver`);
  await run(
    'volume type set --encryption-provider luks --encryption-cipher aes-xts-plain64 --encryption-key-size 256 --encryption-control-location front-end silver',
  );
  t.match(JSON.stringify(await run('volume type list --encryption-type -f json')), /luks/);
  await run('volume type unset --encryption-type silver');
  await run('volume qos create --consumer front-end --property total_iops_sec=100 -f json slow');
  await run('volume qos associate slow silver');
  t.match(JSON.stringify(await run('volume qos show -f json slow')), /silver/);
  await run('volume qos set --property total_bytes_sec=50 slow');
  await run('volume qos unset --property total_bytes_sec slow');
  t.match(await run('volume qos list -f json'), [{ Name: 'slow', Consumer: 'front-end' }]);
  await run('volume qos disassociate --volume-type silver slow');
  await run('volume qos delete slow');
  await run('volume type delete silver');
  await fails('volume type delete __DEFAULT__', /default/);
  t.match(JSON.stringify(await run('volume service list -f json')), /cinder-volume/);
  t.match(JSON.stringify(await run('availability zone list --volume -f json')), /nova/);
  t.match(JSON.stringify(await run('extension list --volume -f json')), /backups/);
  await run('quota set --volumes 7 --gigabytes 70 --snapshots 3 admin');
  t.match(JSON.stringify(await run('quota show -f json admin')), /"volumes"[^0-9]*7/);
  t.match(JSON.stringify(await run('limits show --absolute -f json')), /maxTotalVolumes/);
  t.same(await run('volume message list -f json', '3.5'), []);
});

void t.test('a server gets a volume and gives it back; attachments are shown', { skip: skipCli }, async (t) => {
  const { run, until } = await start(t);
  const { id } = await run('volume create --size 1 -f json data');
  await until(id, 'available');
  const server = await run(
    '--os-compute-api-version 2.37 server create --flavor m1.tiny --image cirros --nic none --wait -f json guest',
  );
  await run('server add volume -f json guest data');
  await until(id, 'in-use');
  t.match(JSON.stringify(await run('server show -f json guest')), new RegExp(id));
  t.match(await run('server volume list -f json guest'), [{ 'Volume ID': id, 'Server ID': server.id }]);
  t.match(await run('volume attachment list -f json', '3.27'), [{ 'Volume ID': id, 'Server ID': server.id }]);
  t.match(JSON.stringify(await run('volume show -f json data')), new RegExp(server.id));
  await run('server remove volume guest data');
  await until(id, 'available');
  await run('volume delete data');
  await run('server delete guest');
});
