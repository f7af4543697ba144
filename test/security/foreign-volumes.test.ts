/**
 * A38, A40 for block storage: a volume, snapshot, attachment, offer, group or backup of another project is answered as one that
 * nobody has, on every route that takes its id and in bodies that name it. Nothing of its owner changes.
 */
import t from 'tap';
import { volumeHostsAct } from '../node/services/volume/volume-world.ts';
import { PolicyCallers } from './support/policy-callers.ts';
import { restOperations } from './support/rest-operations.ts';
import { startWholeCloud } from './support/whole-cloud.ts';

const whole = await startWholeCloud();
t.teardown(() => whole.stop());
const { gateway, world } = whole.cloud;
const callers = new PolicyCallers(gateway);
const [alice, bob] = [await callers.tenant(), await callers.tenant()];
const { guarded } = restOperations(gateway.server.routes);
const newest = { 'openstack-api-version': 'volume 3.70' };
const nobodys = '00000000-0000-4000-8000-00000000dead';

/** As alice, who owns all of it. */
async function must(method: string, path: string, body?: object) {
  const answer = await gateway.call(method, `/volume/v3${path}`, {
    token: alice.token,
    headers: newest,
    ...(body === undefined ? {} : { body }),
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${answer.body}`);
  return answer.body === '' ? undefined : answer.json();
}

const make = async (): Promise<string> => (await must('POST', '/volumes', { volume: { size: 1 } })).volume.id;
const [volume, offered, reserved] = [await make(), await make(), await make()];
await volumeHostsAct(world);
const snapshot = (await must('POST', '/snapshots', { snapshot: { volume_id: volume } })).snapshot.id;
await volumeHostsAct(world);
const transfer = (await must('POST', '/volume-transfers', { transfer: { volume_id: offered } })).transfer.id;
const attachment = (await must('POST', '/attachments', { attachment: { volume_uuid: reserved } })).attachment.id;

/** Whose id a path takes, by what stands before it. */
const theirs: Readonly<Record<string, string>> = {
  volumes: volume,
  snapshots: snapshot,
  attachments: attachment,
  'volume-transfers': transfer,
  'os-volume-transfer': transfer,
};
/** Of these nothing is made here: any id is as good as unknown, or they are the cloud's. */
const others =
  /\/(capabilities|scheduler-stats|workers|backups|groups|group_snapshots|group_types|messages|types|qos-specs|default-types|clusters|os-hosts|os-quota-sets|os-quota-class-sets|extensions|consistencygroups|cgsnapshots|os-services|manageable_volumes|manageable_snapshots)\//;

/** Arguments with which the owner would get as far as the thing itself. */
const actions: Readonly<Record<string, unknown>> = {
  'os-extend': { new_size: 2 },
  'os-retype': { new_type: '__DEFAULT__' },
  'os-set_bootable': { bootable: true },
  'os-update_readonly_flag': { readonly: true },
  'os-set_image_metadata': { metadata: { a: 'b' } },
  'os-unset_image_metadata': { key: 'a' },
  'os-volume_upload_image': { image_name: 'stolen' },
  revert: { snapshot_id: snapshot },
  'os-reimage': { image_id: 'none' },
};
const bodiesOf = (method: string, path: string, action: string | undefined): readonly unknown[] => {
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return [undefined];
  if (action !== undefined) return [{ [action]: actions[action] ?? {} }];
  if (path.endsWith('/metadata')) return [{ metadata: { taken: 'yes' } }];
  if (path.includes('/metadata/')) return [{ meta: { x: 'yes' } }];
  // An offer is for the one who has its id and its key, whatever the project: as Cinder, it says that the key is wrong.
  if (path.endsWith('/accept')) return [];
  return ['volume', 'snapshot', 'attachment'].map((kind) => ({
    [kind]: kind === 'attachment' ? { connector: {} } : { name: 'taken' },
  }));
};

async function shapeOf(method: string, url: string, body: unknown, id: string): Promise<string> {
  const given = body === undefined ? {} : { body };
  const answer = await gateway.call(method, url, { token: bob.token, headers: newest, ...given });
  return `${answer.statusCode} ${answer.body.replaceAll(id, 'ID').replace(/req-[0-9a-f-]{36}/g, 'REQUEST')}`;
}

async function everything(): Promise<string> {
  const paths = ['/volumes/detail', '/snapshots/detail', '/volume-transfers/detail', '/attachments/detail'];
  const found: unknown[] = [];
  for (const path of paths) found.push(await must('GET', path));
  return JSON.stringify(found);
}

void t.test('A38: on every route of block storage a foreign id is answered as an unknown one', async (t) => {
  const before = await everything();
  const found: string[] = [];
  let asked = 0;
  for (const { method, path, action } of guarded) {
    const isVolumes = path.startsWith('/volume/v3/') || /\/os-(volumes|snapshots)\/:id$/.test(path);
    if (!isVolumes || !/:[a-z]+/.test(path) || others.test(path)) continue;
    const foreign =
      theirs[/\/(?:v3|v2.1)\/(?::project_?[a-z]*\/)?(?:os-(?=volumes|snapshots))?([a-z_-]+)\/:/.exec(path)?.[1] ?? ''];
    if (foreign === undefined) throw new Error(`foreign-volumes.test.ts does not know what the id in ${path} is of.`);
    for (const body of bodiesOf(method, path, action)) {
      const url = (id: string): string => path.replace(/:id\b/, id).replace(/:[a-z_]+/g, 'x');
      const [first, second] = [
        await shapeOf(method, url(nobodys), body, nobodys),
        await shapeOf(method, url(foreign), body, foreign),
      ];
      asked += 1;
      if (first !== second) found.push(`${method} ${path} ${JSON.stringify(body)}: ${first} | ${second}`);
      if (!/^(400|403|404|501) /.test(second)) found.push(`${method} ${path}: ${second}`);
    }
  }
  t.same(found, []);
  t.ok(asked > 40, `${asked} questions`);
  t.equal(await everything(), before, 'nothing of the owner has changed');
});

void t.test('A39: nor does a body that names what is another project’s say more', async (t) => {
  for (const [path, bodyOf] of [
    ['/volumes', (id: string) => ({ volume: { size: 1, source_volid: id } })],
    ['/volumes', (id: string) => ({ volume: { size: 1, snapshot_id: id } })],
    ['/snapshots', (id: string) => ({ snapshot: { volume_id: id } })],
    ['/backups', (id: string) => ({ backup: { volume_id: id } })],
    ['/volume-transfers', (id: string) => ({ transfer: { volume_id: id } })],
    ['/attachments', (id: string) => ({ attachment: { volume_uuid: id } })],
  ] as const) {
    const foreign = JSON.stringify(bodyOf('')).includes('snapshot_id') ? snapshot : volume;
    const first = await shapeOf('POST', `/volume/v3${path}`, bodyOf(nobodys), nobodys);
    const second = await shapeOf('POST', `/volume/v3${path}`, bodyOf(foreign), foreign);
    t.equal(second, first, path);
    t.match(second, /^(400|404|503) /);
  }
});
