/** Every key of the queries of Nova's own lists of images. */
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { at } from './server-effects.ts';

/** The last microversion that has them. */
const minor = 35;

async function idsOf(cloud: EffectCloud, path: string, query: string, status = 200): Promise<readonly string[]> {
  const answer = await cloud.ask('GET', `/compute/v2.1${path}?${query}`, { headers: at(minor), status });
  return status === 200 ? answer.images.map(({ id }: Answer) => id) : [];
}

const make = async (cloud: EffectCloud, name: string, fields: object = {}): Promise<string> =>
  (await cloud.ask('POST', '/image/v2/images', { body: { name, ...fields } })).id;

function imageEffects(path: string): Effects {
  /** `query` finds the image that `fields` make, and none without them. */
  const finds =
    (query: string, fields: object): Effect =>
    async (t, cloud) => {
      const [found, other] = [await make(cloud, 'wanted', fields), await make(cloud, 'other')];
      const ids = await idsOf(cloud, path, query);
      t.strictSame([ids.includes(found), ids.includes(other)], [true, false], query);
      const all = await idsOf(cloud, path, '');
      t.strictSame([all.includes(found), all.includes(other)], [true, true]);
    };
  return {
    [`GET /v2.1${path} ?limit`]: async (t, cloud) => {
      for (let n = 0; n < 2; n++) await make(cloud, 'more');
      t.equal((await idsOf(cloud, path, 'limit=1')).length, 1);
      t.equal((await idsOf(cloud, path, 'limit=2')).length, 2);
      await idsOf(cloud, path, 'limit=-1', 400);
    },
    [`GET /v2.1${path} ?marker`]: async (t, cloud) => {
      for (let n = 0; n < 2; n++) await make(cloud, 'more');
      const all = await idsOf(cloud, path, '');
      t.strictSame(await idsOf(cloud, path, `marker=${all[0]}`), all.slice(1));
      await idsOf(cloud, path, 'marker=nobody', 400);
    },
    [`GET /v2.1${path} ?name`]: finds('name=wanted', {}),
    [`GET /v2.1${path} ?status`]: async (t, cloud) => {
      const queued = await make(cloud, 'queued');
      t.ok((await idsOf(cloud, path, 'status=SAVING')).includes(queued));
      t.notOk((await idsOf(cloud, path, 'status=ACTIVE')).includes(queued));
    },
    [`GET /v2.1${path} ?minDisk`]: finds('minDisk=7', { min_disk: 7 }),
    [`GET /v2.1${path} ?minRam`]: finds('minRam=777', { min_ram: 777 }),
    [`GET /v2.1${path} ?server`]: async (t, cloud) => {
      const fields = { instance_uuid: 'of-this-one' };
      await finds('server=of-this-one', fields)(t, cloud);
      await finds(`server=${encodeURIComponent('http://cloud/servers/of-this-one')}`, fields)(t, cloud);
    },
    [`GET /v2.1${path} ?type`]: finds('type=snapshot', { image_type: 'snapshot' }),
    [`GET /v2.1${path} ?changes-since`]: async (t, cloud) => {
      const made = await make(cloud, 'changed');
      const { image } = await cloud.ask('GET', `/compute/v2.1/images/${made}`, { headers: at(minor) });
      t.ok((await idsOf(cloud, path, `changes-since=${image.updated}`)).includes(made));
      t.strictSame(await idsOf(cloud, path, 'changes-since=2100-01-01T00:00:00Z'), []);
      await idsOf(cloud, path, 'changes-since=yesterday', 400);
    },
  };
}

export const imageListEffects: Effects = { ...imageEffects('/images'), ...imageEffects('/images/detail') };
