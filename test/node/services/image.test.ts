import { randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { permissionsByDefault } from '../../../api-gateway/policies/permissions.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { ImageService, statusName } from '../../../node/services/image/image.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { imageTable } from '../../../node/state/tables/index.ts';
import { MemoryImageContent } from '../../support/guests/memory-image-content.ts';

function world() {
  const state = new MemoryStateClient();
  const content = new MemoryImageContent();
  const deps = {
    state,
    content,
    clock: systemClock,
    logger: silentLogger,
    newId: randomUUID,
    hostId: 'a'.repeat(32) as HostId,
  };
  return { state, content, deps, images: new ImageService(deps) };
}

function as(projectId: string, roles: readonly string[] = ['member', 'reader']): RequestContext {
  return {
    requestId: 'req-1',
    userId: 'u',
    userName: 'u',
    userDomainId: 'default',
    projectId,
    permissions: permissionsByDefault({ roles, userId: 'u', projectId }),
    signal: new AbortController().signal,
  };
}

const red = as('red');
const blue = as('blue');
const admin = as('ops', ['admin', 'member', 'reader']);
const formats = { diskFormat: 'raw', containerFormat: 'bare' };
const upload = (images: ImageService, context: RequestContext, id: string, text = 'content') =>
  images.upload(context, id, Readable.from([Buffer.from(text)]), 1000);

void t.test('an image goes from queued over its content to active, and its content comes out again', async (t) => {
  const { state, images, deps } = world();
  const image = await images.create(red, { name: 'one', ...formats });
  t.equal(statusName(image), 'queued');
  t.equal(await images.download(state.local, red, image.id), undefined);
  await upload(images, red, image.id);
  const active = images.show(state.local, red, image.id);
  t.match(active, { sizeBytes: 7, hostIds: [deps.hostId], name: 'one' });
  t.equal(statusName(active), 'active');
  const download = await images.download(state.local, red, image.id);
  t.equal(Buffer.concat((await download?.body.toArray()) ?? []).toString(), 'content');
  await t.rejects(upload(images, red, image.id), { code: 'CONFLICT' });
});

void t.test('an upload that fails leaves the image queued and no content', async (t) => {
  const { state, content, images } = world();
  const image = await images.create(red, formats);
  const failures: [string, () => Promise<void>][] = [
    ['TOO_LARGE', () => upload(images, red, image.id, 'x'.repeat(1001))],
    ['IMAGE_REFUSED', () => upload(images, red, image.id, 'QFI\u00fb')],
    [
      'CANCELLED',
      () => {
        const body = new PassThrough();
        body.write('half');
        setImmediate(() => body.destroy(new ShoalError('CANCELLED', 'cut off')));
        return images.upload(red, image.id, body, 1000);
      },
    ],
  ];
  content.failNext = undefined;
  for (const [code, attempt] of failures) {
    if (code === 'IMAGE_REFUSED') content.failNext = new ShoalError('IMAGE_REFUSED', 'not what it claims to be');
    await t.rejects(attempt(), { code }, code);
    const after = images.show(state.local, red, image.id);
    t.equal(statusName(after), 'queued', code);
    t.strictSame(after.hostIds, [], code);
  }
  t.equal(content.blobs.size, 0);
  t.equal(images.uploadCount, 0);
  await upload(images, red, image.id);
});

void t.test('what an agent was taking when it died, or when quorum went, is put back to queued', async (t) => {
  const { state, images, deps, content } = world();
  const image = await images.create(red, formats);
  const body = new PassThrough();
  const interrupted = images.upload(red, image.id, body, 1000);
  body.write('half');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(await images.recoverInterrupted(red.signal), 0, 'it is under way');
  state.available = false;
  body.end();
  await t.rejects(interrupted, { code: 'NO_QUORUM' });
  state.available = true;
  t.equal(statusName(images.show(state.local, red, image.id)), 'saving');
  const elsewhere = new ImageService({ ...deps, content, hostId: 'b'.repeat(32) as HostId });
  t.equal(await elsewhere.recoverInterrupted(red.signal), 0, 'not another host’s');
  t.equal(await images.recoverInterrupted(red.signal), 1);
  await upload(images, red, image.id);
});

void t.test('formats must be said before content, and stay when it is there', async (t) => {
  const { images } = world();
  const image = await images.create(red, {});
  await t.rejects(upload(images, red, image.id), { code: 'INVALID_ARGUMENT' });
  await images.update(red, image.id, (draft) => ({ ...draft, ...formats }));
  await upload(images, red, image.id);
  await t.rejects(
    images.update(red, image.id, (draft) => ({ ...draft, diskFormat: 'qcow2' })),
    { code: 'FORBIDDEN' },
  );
});

void t.test('who sees and changes what', async (t) => {
  const { state, images } = world();
  const make = (visibility: string, context = red) => images.create(context, { visibility, name: visibility });
  await t.rejects(make('public'), { code: 'FORBIDDEN' });
  await t.rejects(images.create(red, { projectId: 'blue' }), { code: 'FORBIDDEN' });
  const own = await Promise.all(['private', 'shared', 'community'].map((visibility) => make(visibility)));
  const everybody = await make('public', admin);
  const names = (context: RequestContext, community: boolean) =>
    images
      .list(state.local, context, { community, memberStatus: 'accepted' })
      .map((image) => image.name)
      .sort();
  t.strictSame(names(red, false), ['community', 'private', 'public', 'shared']);
  t.strictSame(names(blue, false), ['public']);
  t.strictSame(names(blue, true), ['community', 'public']);
  t.strictSame(names(admin, false).length, 4);
  const [hidden, , community] = own;
  t.throws(() => images.show(state.local, blue, hidden?.id ?? ''), { code: 'NOT_FOUND' });
  t.ok(images.show(state.local, blue, community?.id ?? ''));
  const rename = (context: RequestContext, id: string) =>
    images.update(context, id, (draft) => ({ ...draft, name: 'x' }));
  await t.rejects(rename(blue, hidden?.id ?? ''), { code: 'NOT_FOUND' });
  await t.rejects(rename(blue, everybody.id), { code: 'FORBIDDEN' });
  await t.rejects(images.delete(blue, community?.id ?? ''), { code: 'FORBIDDEN' });
  await t.rejects(
    images.update(red, hidden?.id ?? '', (draft) => ({ ...draft, visibility: 'public' })),
    { code: 'FORBIDDEN' },
  );
  await rename(admin, hidden?.id ?? '');
});

void t.test('a deleted image is gone with its record; protected images stay', async (t) => {
  const { state, images } = world();
  const queued = await images.create(red, {});
  await images.delete(red, queued.id);
  t.equal(imageTable.get(state.local, queued.id), undefined);
  const image = await images.create(red, { ...formats, protected: true });
  await upload(images, red, image.id);
  await t.rejects(images.delete(red, image.id), { code: 'FORBIDDEN' });
  await images.update(red, image.id, (draft) => ({ ...draft, protected: false }));
  await images.delete(red, image.id);
  t.throws(() => images.show(state.local, admin, image.id), { code: 'NOT_FOUND' });
  t.equal(imageTable.get(state.local, image.id), undefined);
  await t.rejects(images.delete(red, image.id), { code: 'NOT_FOUND' });
});

void t.test('an image out of use is downloaded by administrators only', async (t) => {
  const { state, images } = world();
  const image = await images.create(red, formats);
  await t.rejects(images.setActive(admin, image.id, false), { code: 'FORBIDDEN' });
  await upload(images, red, image.id);
  await images.setActive(admin, image.id, false);
  await images.setActive(admin, image.id, false);
  await t.rejects(images.download(state.local, red, image.id), { code: 'FORBIDDEN' });
  t.ok(await images.download(state.local, admin, image.id));
  await images.setActive(admin, image.id, true);
  t.ok(await images.download(state.local, red, image.id));
});
