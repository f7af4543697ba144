/** What the API reference says is refused: with the status and in the shape of Cinder, and with nothing half-made left. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { volumeHostsAct } from '../../../node/services/volume/volume-world.ts';
import { startCloud } from '../cloud.ts';

type Refusal = readonly [what: string, method: string, path: string, body: unknown, status: number, text?: RegExp];

/** Cinder's key of each status. */
const keys: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  413: 'overLimit',
  501: 'notImplemented',
};
const minor = 68;

async function start(t: Test) {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const ask = async (method: string, path: string, body?: unknown, token?: string) => {
    const answer = await cloud.gateway.call(method, `/volume/v3${path}`, {
      headers: { 'openstack-api-version': `volume 3.${minor}` },
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const make = async (path: string, key: string, draft: object): Promise<string> => {
    const made = await ask('POST', path, { [key]: draft });
    if (made.status >= 300) throw new Error(JSON.stringify(made));
    await volumeHostsAct(cloud.world);
    return made.body[key].id;
  };
  /** All that there is, and what it counts for. */
  const all = async () => {
    const lists = ['volumes', 'snapshots', 'backups', 'groups', 'group_snapshots', 'volume-transfers', 'attachments'];
    const found = [];
    for (const path of lists) found.push([path, (await ask('GET', `/${path}/detail`)).body]);
    const limits = (await ask('GET', '/limits')).body.limits.absolute;
    const types = [(await ask('GET', '/types')).body, (await ask('GET', '/qos-specs')).body];
    return JSON.stringify([found, types, limits]);
  };
  /** Refuses each, and finds all as it was. */
  const refuses = async (t: Test, refusals: readonly Refusal[], token?: string): Promise<void> => {
    const before = await all();
    for (const [what, method, path, body, status, text] of refusals) {
      const answer = await ask(method, path, body, token);
      t.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)?.slice(0, 200)}`);
      const fault = answer.body?.[keys[status] ?? ''];
      t.match(fault, { code: status, message: text ?? /\S/ }, what);
      t.same(Object.keys(answer.body ?? {}), [keys[status]], `${what}: one key`);
    }
    t.equal(await all(), before, 'nothing is made, and nothing is counted');
  };
  return { cloud, ask, make, refuses };
}

const long = 'x'.repeat(256);
const gone = randomUUID();
const volume = (draft: object): object => ({ volume: { size: 1, ...draft } });
const many = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v']));

void t.test('volumes that cannot be', async (t) => {
  const { make, refuses } = await start(t);
  const id = await make('/volumes', 'volume', { size: 2 });
  const snapshotId = await make('/snapshots', 'snapshot', { volume_id: id });
  const create = (what: string, draft: object, status: number, text?: RegExp): Refusal =>
    text === undefined
      ? [what, 'POST', '/volumes', volume(draft), status]
      : [what, 'POST', '/volumes', volume(draft), status, text];
  await refuses(t, [
    create('size 0', { size: 0 }, 400),
    create('size -1', { size: -1 }, 400),
    create('half a size', { size: 1.5 }, 400),
    create('a size in words', { size: 'much' }, 400),
    create('no size', { size: null }, 400, /size/),
    create('an endless size', { size: 2 ** 40 }, 400),
    create('over quota', { size: 1001 }, 413, /exceeds allowed gigabytes quota/),
    create('a name of 256', { name: long }, 400),
    create('a description of 256', { description: long }, 400),
    create('a name that is a number', { name: 5 }, 400),
    create('metadata of 129', { metadata: many }, 400),
    create('a key of 256', { metadata: { [long]: 'v' } }, 400),
    create('a value of 256', { metadata: { k: long } }, 400),
    create('a key of nothing', { metadata: { '': 'v' } }, 400),
    create('a value that is none', { metadata: { k: {} } }, 400),
    create('an unknown type', { volume_type: 'none' }, 404, /Volume type none could not be found/),
    create('an unknown zone', { availability_zone: 'mars' }, 400, /mars/),
    create('an unknown image', { imageRef: gone }, 400),
    create('an unknown snapshot', { snapshot_id: gone }, 404),
    create('an unknown source', { source_volid: gone }, 404),
    create('an unknown backup', { backup_id: gone }, 404),
    create('an unknown group', { group_id: gone }, 404),
    create('two sources', { source_volid: id, snapshot_id: snapshotId }, 400, /only one/),
    create('smaller than its source', { source_volid: id }, 400, /cannot be smaller/),
    create('smaller than its snapshot', { snapshot_id: snapshotId }, 400, /cannot be smaller/),
    ['no volume', 'POST', '/volumes', {}, 400],
    ['no object', 'POST', '/volumes', { volume: [] }, 400],
    ['no body', 'POST', '/volumes', undefined, 400],
  ]);
});

void t.test('what cannot be done to a volume', async (t) => {
  const { cloud, ask, make, refuses } = await start(t);
  const id = await make('/volumes', 'volume', { size: 2 });
  const other = await make('/volumes', 'volume', { size: 1 });
  const snapshotId = await make('/snapshots', 'snapshot', { volume_id: id });
  const foreign = await make('/snapshots', 'snapshot', { volume_id: other });
  const act = (what: string, body: object, status: number, text?: RegExp): Refusal =>
    text === undefined
      ? [what, 'POST', `/volumes/${id}/action`, body, status]
      : [what, 'POST', `/volumes/${id}/action`, body, status, text];
  const outside = { connector: { host: 'elsewhere', initiator: 'iqn.1993-08.org.debian:01:1', ip: '192.0.2.1' } };
  await refuses(t, [
    act('shrinking', { 'os-extend': { new_size: 1 } }, 400, /must be greater than current size/),
    act('no growth', { 'os-extend': { new_size: 2 } }, 400),
    act('growth to 0', { 'os-extend': { new_size: 0 } }, 400),
    act('growth over quota', { 'os-extend': { new_size: 2000 } }, 413, /quota/),
    act('the snapshot of another', { revert: { snapshot_id: foreign } }, 404),
    act('an unknown snapshot', { revert: { snapshot_id: gone } }, 404),
    act('an unknown type', { 'os-retype': { new_type: 'none', migration_policy: 'never' } }, 404),
    act('a policy that there is not', { 'os-retype': { new_type: '__DEFAULT__', migration_policy: 'x' } }, 400),
    act('its own type', { 'os-retype': { new_type: '__DEFAULT__', migration_policy: 'never' } }, 400, /different/),
    act('an unknown host', { 'os-migrate_volume': { host: 'none@rbd#rbd' } }, 400),
    act('an unknown status', { 'os-reset_status': { status: 'great' } }, 400),
    act('no status', { 'os-reset_status': {} }, 400),
    act('a flag that is none', { 'os-set_bootable': { bootable: 'maybe' } }, 400),
    act('another flag', { 'os-update_readonly_flag': { readonly: 'maybe' } }, 400),
    act('an image without a name', { 'os-volume_upload_image': {} }, 400),
    act('an image of an unknown format', { 'os-volume_upload_image': { image_name: 'i', disk_format: 'x' } }, 400),
    act(
      'a machine from outside',
      { 'os-initialize_connection': outside },
      400,
      /connector of .?elsewhere.? is rejected/,
    ),
    act('a machine without a name', { 'os-initialize_connection': { connector: {} } }, 400, /rejected/),
    act('no machine', { 'os-initialize_connection': {} }, 400),
    act(
      'detached from what it has not',
      { 'os-detach': { attachment_id: '5ca1ab1e-0000-4000-8000-000000000000' } },
      400,
      /has no such attachment/,
    ),
    act('two actions', { 'os-extend': { new_size: 3 }, 'os-reserve': null }, 400),
    act('no action', {}, 400),
    act('an unknown action', { 'os-explode': null }, 400, /no such action/),
    ['a volume with snapshots', 'DELETE', `/volumes/${id}`, undefined, 400, /have snapshots/],
    ['a name of 256', 'PUT', `/volumes/${id}`, { volume: { name: long } }, 400],
    ['metadata of 129', 'POST', `/volumes/${id}/metadata`, { metadata: many }, 400],
    ['another key than in the path', 'PUT', `/volumes/${id}/metadata/a`, { meta: { b: 'c' } }, 400],
    ['a key that it has not', 'DELETE', `/volumes/${id}/metadata/a`, undefined, 404],
    ['an unknown volume', 'GET', `/volumes/${gone}`, undefined, 404, /Volume .* could not be found/],
    ['an unknown volume deleted', 'DELETE', `/volumes/${gone}`, undefined, 404],
    ['an unknown volume acted on', 'POST', `/volumes/${gone}/action`, { 'os-extend': { new_size: 3 } }, 404],
    ['a snapshot of nothing', 'POST', '/snapshots', { snapshot: {} }, 400],
    ['a snapshot of an unknown volume', 'POST', '/snapshots', { snapshot: { volume_id: gone } }, 404],
    ['a snapshot with a name of 256', 'POST', '/snapshots', { snapshot: { volume_id: id, name: long } }, 400],
    ['an unknown snapshot shown', 'GET', `/snapshots/${gone}`, undefined, 404],
    ['an unknown snapshot deleted', 'DELETE', `/snapshots/${gone}`, undefined, 404],
    ['a transfer of an unknown volume', 'POST', '/volume-transfers', { transfer: { volume_id: gone } }, 404],
    ['a backup of an unknown volume', 'POST', '/backups', { backup: { volume_id: gone } }, 404],
    ['a backup of a foreign snapshot', 'POST', '/backups', { backup: { volume_id: id, snapshot_id: foreign } }, 400],
    ['an increment of nothing', 'POST', '/backups', { backup: { volume_id: id, incremental: true } }, 400],
    ['an unknown backup restored', 'POST', `/backups/${gone}/restore`, { restore: {} }, 404],
    [
      'a record that is none',
      'POST',
      '/backups/import_record',
      { 'backup-record': { backup_service: 'shoal', backup_url: 'x' } },
      400,
    ],
    ['an attachment of an unknown volume', 'POST', '/attachments', { attachment: { volume_uuid: gone } }, 404],
    ['an unknown attachment', 'GET', `/attachments/${gone}`, undefined, 404],
  ]);
  await ask('POST', `/volumes/${id}/action`, { 'os-reset_status': { status: 'error' } });
  await refuses(t, [
    act('growth in error', { 'os-extend': { new_size: 3 } }, 400, /error/),
    act('a reservation in error', { 'os-reserve': null }, 400),
    act('a revert in error', { revert: { snapshot_id: snapshotId } }, 409),
    ['a copy in error', 'POST', '/volumes', volume({ size: 2, source_volid: id }), 400, /status must be/],
    ['a snapshot in error', 'POST', '/snapshots', { snapshot: { volume_id: id } }, 400, /status must be/],
    ['a backup in error', 'POST', '/backups', { backup: { volume_id: id } }, 400],
    ['a transfer in error', 'POST', '/volume-transfers', { transfer: { volume_id: id } }, 400, /status must be/],
  ]);
  const unknown = cloud.memberToken;
  await refuses(
    t,
    [
      ['a foreign volume', 'GET', `/volumes/${id}`, undefined, 404, /Volume .* could not be found/],
      ['a foreign volume changed', 'PUT', `/volumes/${id}`, { volume: { name: 'mine' } }, 404],
      ['a foreign volume deleted', 'DELETE', `/volumes/${id}`, undefined, 404],
      ['a foreign volume grown', 'POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 3 } }, 404],
      ['a foreign volume copied', 'POST', '/volumes', volume({ size: 2, source_volid: id }), 404],
      ['a foreign snapshot', 'GET', `/snapshots/${snapshotId}`, undefined, 404],
      ['a foreign snapshot used', 'POST', '/volumes', volume({ size: 2, snapshot_id: snapshotId }), 404],
      ['a status set by its owner', 'POST', `/volumes/${id}/action`, { 'os-reset_status': { status: 'error' } }, 403],
      ['a type made by a member', 'POST', '/types', { volume_type: { name: 'mine' } }, 403],
      ['quotas set by a member', 'PUT', `/os-quota-sets/${gone}`, { quota_set: { volumes: 1 } }, 403],
      ['default quotas set by a member', 'PUT', '/os-quota-class-sets/default', { quota_class_set: {} }, 403],
      ['a backend failed over by a member', 'PUT', '/os-services/failover_host', { host: 'x' }, 403],
    ],
    unknown,
  );
});

void t.test('types, QoS specs, quotas, groups and services that cannot be', async (t) => {
  const { ask, make, refuses } = await start(t);
  const typeId = await make('/types', 'volume_type', { name: 'gold' });
  const [{ host }] = (await ask('GET', '/os-services?binary=cinder-volume')).body.services;
  const cipher = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64' };
  await refuses(t, [
    ['a type without a name', 'POST', '/types', { volume_type: {} }, 400],
    ['a type of blanks', 'POST', '/types', { volume_type: { name: '  ' } }, 400],
    ['a type of 256', 'POST', '/types', { volume_type: { name: long } }, 400],
    ['a type that there is', 'POST', '/types', { volume_type: { name: 'gold' } }, 409],
    ['nothing of a type changed', 'PUT', `/types/${typeId}`, { volume_type: {} }, 400],
    ['an unknown type', 'GET', `/types/${gone}`, undefined, 404],
    ['the default type deleted', 'DELETE', '/types/__DEFAULT__', undefined, 400],
    ['specs that are no texts', 'POST', `/types/${typeId}/extra_specs`, { extra_specs: { a: {} } }, 400],
    ['a spec that it has not', 'DELETE', `/types/${typeId}/extra_specs/a`, undefined, 404],
    ['access to a public type', 'POST', `/types/${typeId}/action`, { addProjectAccess: { project: 'p' } }, 409],
    [
      'encryption of an unknown kind',
      'POST',
      `/types/${typeId}/encryption`,
      { encryption: { provider: 'rot13' } },
      400,
    ],
    ['a key of a strange size', 'POST', `/types/${typeId}/encryption`, { encryption: { ...cipher, key_size: 7 } }, 400],
    ['specs without a name', 'POST', '/qos-specs', { qos_specs: { consumer: 'front-end' } }, 400],
    ['specs of an unknown consumer', 'POST', '/qos-specs', { qos_specs: { name: 'q', consumer: 'nobody' } }, 400],
    ['unknown specs', 'GET', `/qos-specs/${gone}`, undefined, 404],
    ['a quota of words', 'PUT', '/os-quota-sets/p', { quota_set: { volumes: 'many' } }, 400],
    ['a quota below none', 'PUT', '/os-quota-sets/p', { quota_set: { volumes: -2 } }, 400],
    ['a quota of nothing known', 'PUT', '/os-quota-sets/p', { quota_set: { teapots: 1 } }, 400, /Bad key/],
    ['no quota', 'PUT', '/os-quota-sets/p', {}, 400],
    ['a default below none', 'PUT', '/os-quota-class-sets/default', { quota_class_set: { volumes: -2 } }, 400],
    ['a default of nothing known', 'PUT', '/os-quota-class-sets/default', { quota_class_set: { teapots: 1 } }, 400],
    [
      'a class that there is not',
      'PUT',
      '/os-quota-class-sets/gold',
      { quota_class_set: { volumes: 1 } },
      400,
      /default/,
    ],
    ['limits of the defaults’ row', 'PUT', '/os-quota-sets/quota-class%2Fdefault', { quota_set: { volumes: 1 } }, 400],
    ['a group without types', 'POST', '/groups', { group: { group_type: 'g' } }, 400],
    ['a group of an unknown type', 'POST', '/groups', { group: { group_type: gone, volume_types: [typeId] } }, 404],
    ['an unknown group', 'GET', `/groups/${gone}`, undefined, 404],
    ['an unknown group snapshotted', 'POST', '/group_snapshots', { group_snapshot: { group_id: gone } }, 404],
    ['a failover without a host', 'PUT', '/os-services/failover_host', {}, 400],
    ['a failover of an unknown host', 'PUT', '/os-services/failover_host', { host: 'none' }, 404, /could not be found/],
    ['a failover of one without replicas', 'PUT', '/os-services/failover_host', { host }, 400, /no replication target/],
    ['a failover by its newer name', 'PUT', '/os-services/failover', { host }, 400, /no replication target/],
    ['a service that is none', 'PUT', '/os-services/disable', { host, binary: 'none' }, 404, /could not be found/],
    ['a service of no host', 'PUT', '/os-services/enable', { host: 'none', binary: 'cinder-volume' }, 404],
    ['a service without its name', 'PUT', '/os-services/enable', { host }, 400, /binary/],
    ['a reason that is none', 'PUT', '/os-services/disable-log-reason', { host, binary: 'cinder-volume' }, 400],
    ['a service alone', 'PUT', '/os-services/disable', { host, binary: 'cinder-volume' }, 501],
    ['a frozen backend that is none', 'PUT', '/os-services/freeze', { host: 'none' }, 400],
    ['a frozen backend', 'PUT', '/os-services/freeze', { host }, 501],
    ['a thawed backend', 'PUT', '/os-services/thaw', { host }, 501],
    ['levels of logs', 'PUT', '/os-services/get-log', {}, 501, /logLevel/],
    ['an unknown capability', 'GET', '/capabilities/none@none', undefined, 404],
    ['an unknown cluster', 'GET', '/clusters/none', undefined, 404],
    ['an unknown message', 'GET', `/messages/${gone}`, undefined, 404],
    ['an unknown zone of nothing', 'GET', '/no-such-thing', undefined, 404],
  ]);
});

void t.test('limits of all projects that have none of their own', async (t) => {
  const { cloud, ask, make } = await start(t);
  const path = '/os-quota-class-sets/default';
  await make('/types', 'volume_type', { name: 'gold' });
  const told = await ask('PUT', path, { quota_class_set: { volumes: 1, gigabytes_gold: '7' } });
  t.match(told, { status: 200, body: { quota_class_set: { volumes: 1, gigabytes_gold: 7, snapshots: 10 } } });
  t.match((await ask('GET', path)).body.quota_class_set, { id: 'default', volumes: 1 });
  const own = `/os-quota-sets/${cloud.memberProjectId}`;
  t.match((await ask('GET', `${own}/defaults`)).body.quota_set, { volumes: 1, gigabytes_gold: 7 });
  t.equal((await ask('GET', own)).body.quota_set.volumes, 1);
  const token = cloud.memberToken;
  const create = async () => (await ask('POST', '/volumes', { volume: { size: 1 } }, token)).status;
  t.same([await create(), await create()], [202, 413]);
  await ask('PUT', own, { quota_set: { volumes: 2 } });
  t.equal(await create(), 202, 'a limit of its own goes before');
  await ask('DELETE', own);
  t.equal((await ask('GET', own)).body.quota_set.volumes, 1, 'without it, the defaults hold again');
});
