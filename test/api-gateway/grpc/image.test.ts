import { createHash } from 'node:crypto';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import t from 'tap';
import type { GatewayLimits } from '../../../api-gateway/kit/limits.ts';
import type { Calls } from '../../../node/rpc/client.ts';
import { shoal } from '../../../proto/messages.ts';
import { as, startGrpcGateway } from '../../support/grpc-gateway.ts';

const { ImageStatus } = shoal.v1;
const { IMAGE_STATUS_ACTIVE, IMAGE_STATUS_QUEUED } = ImageStatus;
type Images = Calls<shoal.v1.ImageService>;

async function started(t: { teardown(clean: () => Promise<void>): void }, limits: Partial<GatewayLimits> = {}) {
  const gateway = await startGrpcGateway(limits);
  t.teardown(() => gateway.stop());
  return { ...gateway, images: gateway.client.calls(shoal.v1.ImageService) };
}

const raw = { diskFormat: 'raw', containerFormat: 'bare' };
const sha256 = (...parts: Uint8Array[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex');
const stream = (token: string) => ({ signal: new AbortController().signal, ...as(token) });

async function created(images: Images, fields: shoal.v1.CreateImageRequest.$Properties = {}, token = 'alice') {
  const { image } = await images.createImage({ name: 'disk', ...raw, ...fields }, as(token));
  if (image === null) throw new Error('no image was made');
  return image;
}

function upload(images: Images, messages: readonly shoal.v1.UploadImageRequest.$Properties[], token = 'alice') {
  const call = images.uploadImage(stream(token));
  const sizeBytes = messages.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  messages.forEach((message, at) => {
    call.write(at === messages.length - 1 ? { sizeBytes, ...message } : message);
  });
  call.end();
  return call.answer;
}

async function download(images: Images, imageId: string, token = 'alice') {
  const answers: shoal.v1.DownloadImageResponse[] = [];
  for await (const answer of images.downloadImage({ imageId }, stream(token))) answers.push(answer);
  const [head, ...rest] = answers;
  return { head, content: Buffer.concat(rest.map(({ data }) => data)), messages: rest.length };
}

void t.test('an image’s life: a record, its content in messages, the same content back, and its end', async (t) => {
  const { images } = await started(t);
  const mebibyte = Buffer.alloc(1024 * 1024, 1);
  const parts = [mebibyte, mebibyte, Buffer.alloc(0), mebibyte, Buffer.from('the end')];
  const image = await created(images, { properties: { hw_disk_bus: 'virtio' }, tags: ['a', 'a', 'b'], minDiskGib: 1 });
  t.match(image, {
    name: 'disk',
    projectId: 'alice-project',
    visibility: 'shared',
    status: IMAGE_STATUS_QUEUED,
    sizeBytes: 0,
    sha256: '',
    minDiskGib: 1,
    minRamMib: 0,
    properties: { hw_disk_bus: 'virtio' },
    tags: ['a', 'b'],
  });
  const { id } = image;
  await t.rejects(download(images, id), { code: 'CONFLICT', message: /has no content yet/ });
  const hash = sha256(...parts);
  const [first, ...others] = parts.map((data) => ({ data }));
  const answer = await upload(images, [{ imageId: id, sha256: hash.toUpperCase(), ...first }, ...others]);
  t.match(answer.image, { status: IMAGE_STATUS_ACTIVE, sizeBytes: 3 * 1024 * 1024 + 7, sha256: hash });
  const { head, content, messages } = await download(images, id);
  t.match(head, { sizeBytes: 3 * 1024 * 1024 + 7, sha256: hash });
  t.equal(sha256(content), hash);
  t.ok(messages >= 4, 'no message has more than a mebibyte');
  await t.rejects(upload(images, [{ imageId: id }]), { code: 'CONFLICT' }, 'content is taken once');

  const changed = await images.updateImage(
    { imageId: id, name: '', minRamMib: 64, setProperties: { os_type: 'linux' }, removeProperties: ['hw_disk_bus'] },
    as('alice'),
  );
  t.match(changed.image, { name: '', minDiskGib: 1, minRamMib: 64, tags: ['a', 'b'] });
  t.strictSame({ ...changed.image?.properties }, { os_type: 'linux' });
  const untagged = await images.updateImage({ imageId: id, tags: { values: [] }, protected: true }, as('alice'));
  t.match(untagged.image, { tags: [], protected: true, minRamMib: 64 });
  await t.rejects(images.deleteImage({ imageId: id }, as('alice')), { code: 'FORBIDDEN', message: /protected/ });
  await images.updateImage({ imageId: id, protected: false }, as('alice'));
  await images.deleteImage({ imageId: id }, as('alice'));
  await t.rejects(images.getImage({ imageId: id }, as('alice')), { code: 'NOT_FOUND' });
});

void t.test('an upload that is not what it said, or does not end, leaves a queued image and no content', async (t) => {
  const { images, port } = await started(t, { idleTimeoutMs: 300 });
  const { id } = await created(images);
  const data = Buffer.from('content');
  const isQueued = async (why: string): Promise<void> => {
    const { image } = await images.getImage({ imageId: id }, as('alice'));
    t.match(image, { status: IMAGE_STATUS_QUEUED, sha256: '' }, why);
  };
  const other = sha256(Buffer.from('other'));
  await t.rejects(upload(images, [{ imageId: id, sha256: other, data }]), {
    code: 'INVALID_ARGUMENT',
    message: `sha256: the content has ${sha256(data)}; nothing of it was kept.`,
  });
  await isQueued('another SHA-256');
  await t.rejects(upload(images, [{ imageId: id, sha256: 'abc', data }]), { code: 'INVALID_ARGUMENT' });
  const pending = { code: 'INVALID_ARGUMENT', message: /sha256 or size_bytes is needed/ };
  await t.rejects(upload(images, [{ imageId: id, sizeBytes: 0, data }]), pending);
  const fewer = { code: 'INVALID_ARGUMENT', message: /8 bytes were to come and 7 came/ };
  await t.rejects(upload(images, [{ imageId: id, sizeBytes: 8, data }]), fewer);
  await t.rejects(upload(images, [{ imageId: id, data: Buffer.alloc(1024 * 1024 + 1) }]), { code: 'TOO_LARGE' });
  const more = { code: 'INVALID_ARGUMENT', message: /6 bytes were to come and more came/ };
  await t.rejects(upload(images, [{ imageId: id, sizeBytes: 6, data }]), more);
  await isQueued('another size');
  await t.rejects(upload(images, [{ data }, { imageId: id }]), {
    code: 'INVALID_ARGUMENT',
    message: /image_id is needed/,
  });
  await t.rejects(upload(images, []), { code: 'INVALID_ARGUMENT', message: /image_id is needed/ });
  await t.rejects(upload(images, [{ imageId: 'none', data }]), { code: 'NOT_FOUND' });

  const still = images.uploadImage(stream('alice'));
  still.write({ imageId: id, data });
  await t.rejects(still.answer, { code: 'DEADLINE_EXCEEDED', message: /stood still/ });
  await isQueued('a sender that stands still');

  const gone = images.uploadImage(stream('alice'));
  gone.write({ imageId: id, data });
  setTimeout(() => gone.cancel(), 50);
  await t.rejects(gone.answer, { code: 'CANCELLED' });
  for (let tries = 0; tries < 50; tries += 1) {
    const { image } = await images.getImage({ imageId: id }, as('alice'));
    if (image?.status === IMAGE_STATUS_QUEUED) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await isQueued('a sender that goes away');

  // Bytes that are no message, in the middle of the stream.
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => client.close());
  const metadata = new Metadata();
  metadata.set('x-auth-token', 'alice');
  const code = await new Promise((resolve) => {
    const call = client.makeClientStreamRequest<Uint8Array, Uint8Array>(
      '/shoal.v1.ImageService/UploadImage',
      (bytes) => Buffer.from(bytes),
      (bytes) => bytes,
      metadata,
      (error) => resolve(error?.code),
    );
    call.on('error', () => {});
    call.write(shoal.v1.UploadImageRequest.encode({ imageId: id, data }).finish());
    call.write(Uint8Array.of(0x0a, 1, 0xff));
  });
  t.equal(code, status.INVALID_ARGUMENT);
  await isQueued('what is no message');
  t.match(
    (await upload(images, [{ imageId: id, data }])).image,
    { status: IMAGE_STATUS_ACTIVE },
    'and then it is taken',
  );
});

void t.test('images of others are there as far as they are shared, and nobody else’s to change', async (t) => {
  const { images } = await started(t);
  const { id } = await created(images);
  await upload(images, [{ imageId: id, data: Buffer.from('x') }]);
  const asBob = as('bob');
  const every = async (code: string): Promise<void> => {
    await t.rejects(images.updateImage({ imageId: id, name: 'mine' }, asBob), { code });
    await t.rejects(images.deleteImage({ imageId: id }, asBob), { code });
    await t.rejects(upload(images, [{ imageId: id, data: Buffer.from('y') }], 'bob'), { code });
  };
  await every('NOT_FOUND');
  await t.rejects(images.getImage({ imageId: id }, asBob), { code: 'NOT_FOUND' });
  await t.rejects(download(images, id, 'bob'), { code: 'NOT_FOUND' });

  await images.updateImage({ imageId: id, visibility: 'community' }, as('alice'));
  await every('FORBIDDEN');
  t.equal((await download(images, id, 'bob')).content.toString(), 'x');
  const namesOf = async (request: shoal.v1.ListImagesRequest.$Properties, token = 'bob'): Promise<string[]> =>
    (await images.listImages(request, as(token))).images.map((image) => image.name).sort();
  t.strictSame(await namesOf({}), ['image-1'], 'only what is public, unless asked for');
  t.strictSame(await namesOf({ visibility: 'community' }), ['disk']);
  await images.updateImage({ imageId: id, hidden: true }, as('alice'));
  t.strictSame(await namesOf({}, 'alice'), ['image-1']);
  t.strictSame(await namesOf({ hidden: true }, 'alice'), ['disk']);

  await t.rejects(images.createImage({ visibility: 'public' }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(images.createImage({ projectId: 'bob-project' }, as('alice')), { code: 'FORBIDDEN' });
  const { image } = await images.createImage({ visibility: 'public', projectId: 'bob-project' }, as('root'));
  t.match(image, { visibility: 'public', projectId: 'bob-project' });
});

void t.test('lists come in pages, and by name', async (t) => {
  const { images } = await started(t);
  for (const name of ['a', 'b', 'c', 'c']) await created(images, { name });
  const names: string[] = [];
  let pageToken = '';
  do {
    const page = await images.listImages({ pageSize: 2, pageToken, visibility: 'shared' }, as('alice'));
    t.ok(page.images.length <= 2 && page.revision > 0 && !page.stale);
    names.push(...page.images.map((image) => image.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.strictSame(names.sort(), ['a', 'b', 'c', 'c']);
  t.equal((await images.listImages({ name: 'c' }, as('alice'))).images.length, 2);
  await t.rejects(images.listImages({ pageSize: 1001 }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(images.listImages({ visibility: 'secret' }, as('alice')), { code: 'INVALID_ARGUMENT' });
});

void t.test('what REST refuses is refused, in this API’s names', async (t) => {
  const { images, operator } = await started(t, { uploadsAtOnceMax: 0 });
  const refused = (fields: shoal.v1.CreateImageRequest.$Properties, message: RegExp, code = 'INVALID_ARGUMENT') =>
    t.rejects(images.createImage(fields, as('alice')), { code, message });
  await refused({ minDiskGib: 2 ** 32 - 1 }, /^min_disk_gib: must be an integer from 0 to 2147483647/);
  await refused({ minRamMib: 2 ** 31 }, /^min_ram_mib: /);
  await refused({ diskFormat: 'floppy' }, /^disk_format: "floppy" is not one of/);
  await refused({ visibility: 'secret' }, /^visibility: /);
  await refused({ name: 'x'.repeat(256) }, /^name: at most 255/);
  await refused({ tags: [''] }, /^tags: /);
  await refused({ projectId: 'x'.repeat(65) }, /^Invalid request: project_id /);
  await refused({ properties: { min_disk: '1' } }, /min_disk is a field of an image/);
  await refused({ properties: { checksum: '1' } }, /read-only/, 'FORBIDDEN');
  await refused({ properties: { [`os_glance_x`]: '1' } }, /reserved/, 'FORBIDDEN');
  await refused({ tags: new Array(129).fill(0).map((_, n) => String(n)) }, /tags/);
  const { id } = await created(images);
  await t.rejects(images.updateImage({ imageId: id, removeProperties: ['none'] }, as('alice')), { code: 'CONFLICT' });
  await t.rejects(upload(images, [{ imageId: id }]), { code: 'UNAVAILABLE', message: /as many uploads/ });
  const own = operator.calls(shoal.v1.ImageService);
  await t.rejects(own.createImage({}, { timeoutMs: 5000 }), {
    code: 'INVALID_ARGUMENT',
    message: /project_id is needed/,
  });
  t.match(await own.createImage({ projectId: 'alice-project' }, { timeoutMs: 5000 }), {
    image: { projectId: 'alice-project' },
  });
});
