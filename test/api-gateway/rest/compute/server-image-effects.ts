/** What is said of an image that is made of a server: sent, and kept. */
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, imageTable, jobTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addImage, hostsAct } from '../../../node/services/compute-world.ts';
import type { Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { publicKey } from './kit/public-key.ts';
import { act, made, shown } from './server-effects.ts';

export const serverImageRoutes = {
  createImageBody: ['POST /v2.1/servers/:id/action#createImage'],
  createBackupBody: ['POST /v2.1/servers/:id/action#createBackup'],
  rebuildBody: ['POST /v2.1/servers/:id/action#rebuild'],
  rescueBody: ['POST /v2.1/servers/:id/action#rescue'],
  unshelveBody: ['POST /v2.1/servers/:id/action#unshelve'],
  unshelveToHostBody: ['POST /v2.1/servers/:id/action#unshelve'],
} as const;

/** A server that runs is rebuilt with this; what is answered. */
async function rebuilt(cloud: EffectCloud, fields: object, options: { minor?: number; status?: number } = {}) {
  const { id } = await made(cloud);
  await hostsAct(cloud.world);
  const body = { rebuild: { imageRef: 'cirros', ...fields } };
  const answer = await act(cloud, id, body, options.status ?? 202, options.minor ?? 74);
  return { id, server: answer.server };
}

/** Each is shown under `field` as it was sent; each of `refused` gets 400. */
const isRebuilt =
  (name: string, values: readonly unknown[], options: { minor?: number; refused?: readonly unknown[] } = {}): Effect =>
  async (t, cloud) => {
    for (const value of values) t.strictSame((await rebuilt(cloud, { [name]: value }, options)).server[name], value);
    for (const value of options.refused ?? []) await rebuilt(cloud, { [name]: value }, { ...options, status: 400 });
  };

const filesOf = (cloud: EffectCloud, id: string) =>
  serverTable
    .must(cloud.world.state.local, id)
    .record.injectedFiles.map(({ path, content }) => [path, Buffer.from(content ?? []).toString()]);

/** What the job and the host make of a shelving. */
async function offloaded({ world }: EffectCloud, id: string): Promise<void> {
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const image = imageTable.list(reader).find(({ record }) => record.properties['instance_uuid'] === id);
    const server = serverTable.must(reader, id);
    if (image === undefined) throw new Error('no image is made of it');
    const status = shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE;
    imageTable.update(change, image, new shoal.v1.Image({ ...image.record, status, sha256: 'cc'.repeat(32) }));
    const fields = { shelvedImageId: image.record.id, offloading: true, taskState: 'shelving_offloading' };
    serverTable.update(change, server, new shoal.v1.Server({ ...server.record, ...fields }));
  });
  const { record } = serverTable.must(world.state.local, id);
  await world.reports(record.hostId).offloaded(record);
}

const daily = { name: 'daily', backup_type: 'daily', rotation: 2 };

/** A server that runs, and the answer to the action. */
async function asked(cloud: EffectCloud, body: object, status = 202) {
  const { id } = await made(cloud);
  await hostsAct(cloud.world);
  const answer = await act(cloud, id, body, status);
  return { id, answer };
}

/** The record of the image that the action makes. */
async function imageOf(cloud: EffectCloud, body: object) {
  const { answer } = await asked(cloud, body);
  return imageTable.must(cloud.world.state.local, answer.image_id).record;
}

/** What the job that makes an image remembers. */
const jobOf = (cloud: EffectCloud, imageId: string) =>
  jobTable.list(cloud.world.state.local).find(({ record }) => record.serverImage?.imageId === imageId)?.record
    .serverImage;

export const serverImageEffects: Effects = {
  'createImageBody: name': async (t, cloud) => {
    for (const name of ['first', 'Wörter \u{1F40B}']) {
      t.equal((await imageOf(cloud, { createImage: { name } })).name, name);
    }
    for (const name of ['', 'x'.repeat(256)]) await asked(cloud, { createImage: { name } }, 400);
  },
  'createImageBody: metadata': async (t, cloud) => {
    for (const metadata of [{ role: 'web' }, {}]) {
      const { properties } = await imageOf(cloud, { createImage: { name: 'one', metadata } });
      t.equal(properties['role'], metadata.role);
      t.match(properties, { image_type: 'snapshot', base_image_ref: 'cirros' });
    }
    const typed = await imageOf(cloud, { createImage: { name: 'one', metadata: { image_type: 'test' } } });
    t.equal(typed.properties['image_type'], 'test', 'what its maker says comes before what it is called otherwise');
    await asked(cloud, { createImage: { name: 'one', metadata: { role: 1 } } }, 400);
  },
  'createBackupBody: name': async (t, cloud) => {
    for (const name of ['first', 'second']) {
      t.equal((await imageOf(cloud, { createBackup: { ...daily, name } })).name, name);
    }
    await asked(cloud, { createBackup: { ...daily, name: '' } }, 400);
  },
  'createBackupBody: backup_type': async (t, cloud) => {
    for (const backup_type of ['daily', 'any word']) {
      const { id, properties } = await imageOf(cloud, { createBackup: { ...daily, backup_type } });
      t.match(properties, { image_type: 'backup', backup_type });
      t.equal(jobOf(cloud, id)?.backupType, backup_type);
    }
    await asked(cloud, { createBackup: { ...daily, backup_type: 'x'.repeat(256) } }, 400);
  },
  'createBackupBody: rotation': async (t, cloud) => {
    for (const rotation of [1, '3']) {
      const { id } = await imageOf(cloud, { createBackup: { ...daily, rotation } });
      t.equal(jobOf(cloud, id)?.rotation, Number(rotation));
    }
    t.equal((await asked(cloud, { createBackup: { ...daily, rotation: 0 } })).answer, '', 'nothing is kept: no id');
    await asked(cloud, { createBackup: { ...daily, rotation: -1 } }, 400);
  },
  'createBackupBody: metadata': async (t, cloud) => {
    for (const metadata of [{ role: 'web' }, {}]) {
      const { properties } = await imageOf(cloud, { createBackup: { ...daily, metadata } });
      t.equal(properties['role'], metadata.role);
    }
    await asked(cloud, { createBackup: { ...daily, metadata: { 'a/b': 'x' } } }, 400);
  },
  'rebuildBody: imageRef': async (t, cloud) => {
    await addImage(cloud.world, 'fedora-again');
    for (const imageRef of ['fedora-again', 'http://cloud.test/images/cirros']) {
      const { id, server } = await rebuilt(cloud, { imageRef });
      t.equal(server.image.id, imageRef.split('/').at(-1));
      t.equal(server.status, 'REBUILD');
      t.equal(serverTable.must(cloud.world.state.local, id).record.replacedDisks.length, 1);
    }
    await rebuilt(cloud, { imageRef: 'none' }, { status: 400 });
  },
  'rebuildBody: name': isRebuilt('name', ['web-1', 'W\u00f6rter'], { refused: ['', 'x'.repeat(256)] }),
  'rebuildBody: adminPass': isRebuilt('adminPass', ['one', 'two'], { refused: ['x'.repeat(256)] }),
  'rebuildBody: metadata': isRebuilt('metadata', [{ role: 'web' }, {}], { refused: [{ 'a/b': 'x' }] }),
  'rebuildBody: preserve_ephemeral': async (t, cloud) => {
    await rebuilt(cloud, { preserve_ephemeral: false });
    await rebuilt(cloud, {});
    t.match(JSON.stringify(await rebuilt(cloud, { preserve_ephemeral: true }, { status: 400 })), /id/);
  },
  'rebuildBody: OS-DCF:diskConfig': isRebuilt('OS-DCF:diskConfig', ['AUTO', 'MANUAL'], { refused: ['SOME'] }),
  'rebuildBody: accessIPv4': isRebuilt('accessIPv4', ['192.0.2.1', '192.0.2.2'], { refused: ['::1'] }),
  'rebuildBody: accessIPv6': isRebuilt('accessIPv6', ['2001:db8::1', '2001:db8::2'], { refused: ['192.0.2.1'] }),
  'rebuildBody: personality': async (t, cloud) => {
    const personality = [{ path: '/a', contents: 'YQ==' }];
    t.strictSame(filesOf(cloud, (await rebuilt(cloud, { personality }, { minor: 56 })).id), [['/a', 'a']]);
    t.strictSame(filesOf(cloud, (await rebuilt(cloud, { personality: [] }, { minor: 56 })).id), []);
    await rebuilt(cloud, { personality }, { minor: 57, status: 400 });
  },
  'rebuildBody: personality[].path': async (t, cloud) => {
    for (const path of ['/a', '/b']) {
      const { id } = await rebuilt(cloud, { personality: [{ path, contents: 'YQ==' }] }, { minor: 56 });
      t.strictSame(filesOf(cloud, id), [[path, 'a']]);
    }
  },
  'rebuildBody: personality[].contents': async (t, cloud) => {
    for (const [contents, text] of [
      ['YQ==', 'a'],
      ['Yg==', 'b'],
    ] as const) {
      const { id } = await rebuilt(cloud, { personality: [{ path: '/a', contents }] }, { minor: 56 });
      t.strictSame(filesOf(cloud, id), [['/a', text]]);
    }
  },
  'rebuildBody: description': async (t, cloud) => {
    await isRebuilt('description', ['one', null])(t, cloud);
    await rebuilt(cloud, { description: 'one' }, { minor: 18, status: 400 });
  },
  'rebuildBody: key_name': async (t, cloud) => {
    const keypair = { name: 'again', public_key: publicKey };
    await cloud.ask('POST', '/compute/v2.1/os-keypairs', { body: { keypair } });
    await isRebuilt('key_name', ['again', null])(t, cloud);
    await rebuilt(cloud, { key_name: 'again' }, { minor: 53, status: 400 });
    await rebuilt(cloud, { key_name: 'none' }, { status: 400 });
  },
  'rebuildBody: user_data': async (t, cloud) => {
    await isRebuilt('user_data', ['YQ==', null])(t, cloud);
    for (const minor of [74, 75]) {
      const { server } = await rebuilt(cloud, { user_data: 'YQ==' }, { minor });
      t.notOk('OS-EXT-SRV-ATTR:user_data' in server, 'it has one name here');
      for (const address of Object.values<object[]>(server.addresses).flat()) {
        t.equal('OS-EXT-IPS:type' in address, minor >= 75, `addresses as a GET has them: 2.${minor}`);
      }
    }
    await rebuilt(cloud, { user_data: 'YQ==' }, { minor: 56, status: 400 });
  },
  'rebuildBody: trusted_image_certificates': async (t, cloud) => {
    await rebuilt(cloud, { trusted_image_certificates: null });
    await rebuilt(cloud, { trusted_image_certificates: ['one'] }, { status: 501 });
    t.equal((await rebuilt(cloud, {})).server.status, 'REBUILD');
  },
  'rescueBody: adminPass': async (t, cloud) => {
    for (const adminPass of ['one', 'two']) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      t.equal((await act(cloud, id, { rescue: { adminPass } }, 200)).adminPass, adminPass);
    }
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    t.match((await act(cloud, id, { rescue: null }, 200)).adminPass, /^[\w-]{12}$/);
    await hostsAct(cloud.world);
    t.match(await shown(cloud, id), { status: 'RESCUE', 'OS-EXT-STS:vm_state': 'rescued' });
    await act(cloud, id, { unrescue: null });
    t.equal((await shown(cloud, id))['OS-EXT-STS:task_state'], 'unrescuing');
  },
  'rescueBody: rescue_image_ref': async (t, cloud) => {
    await addImage(cloud.world, 'rescue-image');
    for (const rescue_image_ref of ['rescue-image', 'http://cloud.test/images/cirros']) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      await act(cloud, id, { rescue: { rescue_image_ref } }, 200);
      const { rescue } = serverTable.must(cloud.world.state.local, id).record;
      t.equal(rescue?.imageId, rescue_image_ref.split('/').at(-1));
    }
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    await act(cloud, id, { rescue: { rescue_image_ref: 'none' } }, 400);
  },
  'rebuildBody: hostname': async (t, cloud) => {
    for (const hostname of ['renamed', 'renamed-otherwise']) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      const body = { rebuild: { imageRef: 'cirros', hostname } };
      await act(cloud, id, body, 400, 89);
      await act(cloud, id, body, 202, 90);
      t.equal(serverTable.must(cloud.world.state.local, id).record.hostname, hostname);
    }
  },
  'unshelveToHostBody: availability_zone': async (t, cloud) => {
    for (const availability_zone of ['nova', null]) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      await act(cloud, id, { shelve: null });
      await offloaded(cloud, id);
      await act(cloud, id, { unshelve: { availability_zone: 'nowhere' } }, 400, 91);
      await act(cloud, id, { unshelve: { availability_zone } }, 202, 91);
      t.equal(serverTable.must(cloud.world.state.local, id).record.zone, availability_zone ?? '');
    }
  },
  'unshelveToHostBody: host': async (t, cloud) => {
    const { id } = await made(cloud);
    await hostsAct(cloud.world);
    await act(cloud, id, { shelve: null });
    await offloaded(cloud, id);
    await act(cloud, id, { unshelve: { host: 'host-1' } }, 400, 90);
    await act(cloud, id, { unshelve: {} }, 400, 91);
    await act(cloud, id, { unshelve: { host: 'nowhere' } }, 400, 91);
    const before = serverTable.must(cloud.world.state.local, id).record;
    t.equal(before.hostId, '');
    await act(cloud, id, { unshelve: { host: 'host-1' } }, 202, 91);
    const { hostId } = serverTable.must(cloud.world.state.local, id).record;
    t.equal(hostTable.must(cloud.world.state.local, hostId).record.name, 'host-1');
  },
  'unshelveBody: availability_zone': async (t, cloud) => {
    for (const availability_zone of ['nova', undefined]) {
      const { id } = await made(cloud);
      await hostsAct(cloud.world);
      await act(cloud, id, { shelve: null });
      t.equal((await shown(cloud, id))['OS-EXT-STS:task_state'], 'shelving');
      await offloaded(cloud, id);
      t.match(await shown(cloud, id), { status: 'SHELVED_OFFLOADED', 'OS-EXT-SRV-ATTR:host': null });
      await act(cloud, id, { unshelve: { availability_zone: 'nowhere' } }, 400, 77);
      await act(cloud, id, { unshelve: availability_zone === undefined ? null : { availability_zone } }, 202, 77);
      t.equal(serverTable.must(cloud.world.state.local, id).record.zone, availability_zone ?? '');
    }
  },
};
