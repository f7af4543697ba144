/** API fault 18: bytes in no known format are refused, or kept as content that nothing opens, as the setting says. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { BlobStore } from '../../../drivers/image/store.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { ImageCache } from '../../../node/host/image-cache.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { memoryHostStore } from '../../../node/store/host/host-store.ts';
import { shoal } from '../../../proto/messages.ts';
import { ManualClock } from '../mesh/manual-clock.ts';
import { worldOn } from '../services/world.ts';

const signal = new AbortController().signal;
const noise = Buffer.from('neither one thing nor another '.repeat(100));
/** A qcow2 header whose backing file is the first thing that it names. */
const qcow2 = Buffer.concat([Buffer.from('514649fb00000003000000000000006800000004', 'hex'), Buffer.alloc(2000)]);

async function newCache(t: Test, acceptInert: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-image-cache-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const { deps } = worldOn(new MemoryStateClient(), clock);
  const blobs = new BlobStore(folder);
  await blobs.start();
  const cache = new ImageCache(
    { ...deps, store: memoryHostStore() },
    {
      blobs,
      hostId: 'a'.repeat(32) as HostId,
      fetch: () => {
        throw new ShoalError('UNAVAILABLE', 'there is no other host');
      },
      acceptInert,
    },
  );
  const store = (bytes: Buffer, diskFormat: string) =>
    cache.store(Readable.from([bytes]), { diskFormat, bytesMax: 1e6 }, signal);
  const kept = async (): Promise<number> =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  return { cache, store, kept, clock };
}

t.test('content that is not of its declared format is refused, and nothing of it is left', async (t) => {
  const { store, kept } = await newCache(t, false);
  for (const format of ['qcow2', 'vmdk', 'vdi', 'iso', 'vhd', 'ami', 'ploop']) {
    await t.rejects(store(noise, format), { code: 'IMAGE_REFUSED' }, format);
  }
  t.equal(await kept(), 0);
  t.match(await store(noise, 'raw'), { inert: false, virtualSizeBytes: noise.length });
});

t.test('content that no tool opens is kept and downloaded, and no guest gets it', async (t) => {
  const { cache, store } = await newCache(t, true);
  for (const diskFormat of ['qcow2', 'vmdk', 'vdi', 'iso', 'vhd', 'ami', 'ploop']) {
    const stored = await store(noise, diskFormat);
    t.match(stored, { inert: true, virtualSizeBytes: 0, sizeBytes: noise.length }, diskFormat);
    const back = await (await cache.open(stored.sha256, [], signal)).toArray();
    t.ok(Buffer.concat(back).equals(noise), `${diskFormat}: given back byte for byte`);
    const image = new shoal.v1.Image({ id: 'i', ...stored, diskFormat });
    await t.rejects(cache.file(image, signal), { code: 'IMAGE_REFUSED', message: /no tool opens it/ }, diskFormat);
  }
  t.match(await store(noise, 'raw'), { inert: false }, 'raw is whatever it is');
});

t.test('content with the signature of a format is judged by that format', async (t) => {
  const { store } = await newCache(t, true);
  for (const [bytes, format] of [
    [qcow2, 'raw'],
    [qcow2, 'vmdk'],
    [qcow2, 'ami'],
    [qcow2, 'qcow2'],
    [Buffer.alloc(0), 'qcow2'],
    [Buffer.from('514649fb', 'hex'), 'qcow2'],
  ] as const) {
    await t.rejects(store(bytes, format), { code: 'IMAGE_REFUSED' }, `${format}, ${bytes.length} bytes`);
  }
});

t.test('content that no record was ever seen to name goes after two days, and not before', async (t) => {
  const { cache, store, kept, clock } = await newCache(t, false);
  await store(noise, 'raw');
  await cache.replicate(signal);
  await clock.advance(47 * 3_600_000);
  await cache.replicate(signal);
  t.equal(await kept(), 1, 'it may be about to be recorded');
  await clock.advance(2 * 3_600_000);
  await cache.replicate(signal);
  t.equal(await kept(), 0);
});
