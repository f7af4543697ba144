/** Images of disks as QEMU reads them: the same bytes, no cluster of zeros, and no complaint of `qemu-img check`. */
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../../../../drivers/command.ts';
import { inspectImage } from '../../../../../drivers/image/inspect.ts';
import type { DiskExport, DiskRange } from '../../../../../drivers/types.ts';
import { Prng } from '../../../../../node/base/prng.ts';
import { gibBytes, mibBytes } from '../../../../../node/base/units.ts';
import { imageBytes, type MadeFormat } from '../../../../../node/host/jobs/content/image-bytes.ts';
import { whyNoProgram } from '../../../../support/programs.ts';

interface Written {
  readonly offsetBytes: number;
  readonly data: Uint8Array;
}

/** A disk that holds these, in order and apart, and zeros between them. */
function diskOf(sizeBytes: number, written: readonly Written[]): () => Promise<DiskExport> {
  async function* ranges(): AsyncGenerator<DiskRange> {
    let at = 0;
    for (const { offsetBytes, data } of written) {
      if (offsetBytes > at) yield { offsetBytes: at, lengthBytes: offsetBytes - at };
      yield { offsetBytes, lengthBytes: data.length, data };
      at = offsetBytes + data.length;
    }
    if (at < sizeBytes) yield { offsetBytes: at, lengthBytes: sizeBytes - at };
  }
  return async () => ({ sizeBytes, ranges: ranges() });
}

async function bytesOf(disk: () => Promise<DiskExport>, format: MadeFormat = 'qcow2'): Promise<Buffer> {
  const told: number[] = [];
  const image = await imageBytes(format, '5ca1ab1e-0000-4000-8000-00000000000f', disk, (percent) => told.push(percent));
  const chunks: Uint8Array[] = [];
  for await (const chunk of image.bytes) chunks.push(Uint8Array.from(chunk));
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== image.sizeBytes) throw new Error(`${bytes.length} bytes came of ${image.sizeBytes}`);
  if (told.some((percent, at) => percent < (told[at - 1] ?? 0) || percent > 100)) throw new Error(`told ${told}`);
  return bytes;
}

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-image-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const skip = await whyNoProgram('qemu-img');
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const disks: Readonly<Record<string, readonly [sizeBytes: number, written: readonly Written[]]>> = {
  empty: [mibBytes, []],
  'of no whole cluster': [100 * 512, [{ offsetBytes: 99 * 512, data: filled(512, 7) }]],
  'all full': [mibBytes, [{ offsetBytes: 0, data: filled(mibBytes, 1) }]],
  'of pieces that share clusters': [
    3 * mibBytes,
    [
      { offsetBytes: 512, data: filled(1024, 1) },
      { offsetBytes: 4096, data: filled(70_000, 2) },
      { offsetBytes: 80_000, data: filled(512, 0) },
      { offsetBytes: 2 * mibBytes - 10, data: filled(20, 3) },
    ],
  ],
  // Three tables of the second level, of which the middle one is not there.
  'far apart': [
    1536 * mibBytes,
    [
      { offsetBytes: 0, data: filled(512, 1) },
      { offsetBytes: 1200 * mibBytes, data: filled(mibBytes, 2) },
    ],
  ],
};

t.test('a disk is read back equal in every format, and QEMU finds no fault', { skip }, async (t) => {
  const folder = await folderOf(t);
  for (const [name, [sizeBytes, written]] of Object.entries(disks)) {
    const raw = join(folder, 'disk.raw');
    const file = await open(raw, 'w');
    await file.truncate(sizeBytes);
    for (const { offsetBytes, data } of written) await file.write(data, 0, data.length, offsetBytes);
    await file.close();
    for (const format of ['qcow2', 'vdi', 'vmdk'] as const) {
      const image = join(folder, `image.${format}`);
      await writeFile(image, await bytesOf(diskOf(sizeBytes, written), format));
      const compare = ['qemu-img', 'compare', '-f', 'raw', '-F', format, raw, image];
      const compared = await runCommand(compare, { okStatus: [0, 1] });
      t.equal(compared.status, 0, `${name} as ${format}: ${compared.stdout}`);
      const checked = await runCommand(['qemu-img', 'check', '-f', format, image]);
      t.match(checked.stdout, /No errors were found/, `${name} as ${format}`);
      t.match(await inspectImage(image, format), { format, virtualSizeBytes: sizeBytes }, 'and neither do we');
    }
  }
});

t.test('zeros take no room, whatever the size of the disk', async (t) => {
  const one = { offsetBytes: 0, data: filled(512, 1) };
  t.equal((await bytesOf(diskOf(mibBytes, [one]))).length, 6 * 65_536, 'header, two of refcounts, L1, L2, data');
  t.equal((await bytesOf(diskOf(500 * gibBytes, [one]))).length, 6 * 65_536);
  t.equal((await bytesOf(diskOf(mibBytes, [{ offsetBytes: 0, data: filled(mibBytes, 0) }]))).length, 4 * 65_536);
  t.equal((await bytesOf(diskOf(gibBytes, [one]), 'vdi')).length, 512 + 4096 + mibBytes, 'header, map, one block');
  t.ok((await bytesOf(diskOf(gibBytes, [one]), 'vmdk')).length < 6 * 65_536);
});

t.test('random disks keep every byte', { skip }, async (t) => {
  const folder = await folderOf(t);
  const random = new Prng(5);
  for (let round = 0; round < 5; round += 1) {
    const sizeBytes = 512 * (1 + random.below(8_000));
    const content = Buffer.alloc(sizeBytes);
    const written: Written[] = [];
    for (let at = 512 * random.below(100); at < sizeBytes; at += 512 * random.below(400)) {
      const data = filled(Math.min(512 * (1 + random.below(300)), sizeBytes - at), random.below(3));
      content.set(data, at);
      written.push({ offsetBytes: at, data });
      at += data.length;
    }
    for (const format of ['qcow2', 'vdi', 'vmdk'] as const) {
      const [image, back] = [join(folder, `${round}.${format}`), join(folder, `${round}.raw`)];
      await writeFile(image, await bytesOf(diskOf(sizeBytes, written), format));
      await runCommand(['qemu-img', 'convert', '-f', format, '-O', 'raw', image, back]);
      t.equal((await stat(back)).size, sizeBytes);
      t.ok((await readFile(back)).equals(content), `round ${round} as ${format}`);
    }
  }
});

t.test('a disk that is not the same twice, or not whole, is no image', async (t) => {
  const one = [{ offsetBytes: 0, data: filled(512, 1) }];
  const other = [{ offsetBytes: 512 * 1024, data: filled(512, 1) }];
  for (const [first, second] of [
    [one, other],
    [one, []],
    [[], one],
  ] as const) {
    let reading = 0;
    const disk = (): Promise<DiskExport> => {
      reading += 1;
      return diskOf(mibBytes, reading === 1 ? first : second)();
    };
    await t.rejects(bytesOf(disk), { code: 'DRIVER_FAILED', message: /has changed/ });
  }
  const short = async (): Promise<DiskExport> => ({ ...(await diskOf(mibBytes, one)()), sizeBytes: 2 * mibBytes });
  await t.rejects(bytesOf(short), { code: 'DRIVER_FAILED', message: /1048576 bytes were read of 2097152/ });
});
