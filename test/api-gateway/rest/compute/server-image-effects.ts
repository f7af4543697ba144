/** What is said of an image that is made of a server: sent, and kept. */
import { imageTable, jobTable } from '../../../../node/state/tables/index.ts';
import { hostsAct } from '../../../node/services/compute-world.ts';
import type { EffectCloud, Effects } from '../effects/effects.ts';
import { act, made } from './server-effects.ts';

export const serverImageRoutes = {
  createImageBody: ['POST /v2.1/servers/:id/action#createImage'],
  createBackupBody: ['POST /v2.1/servers/:id/action#createBackup'],
} as const;

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
};
