/** Images made by qemu-img, and the same ones with one thing wrong. */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../../drivers/command.ts';
import { type ImageFormat, inspectImage } from '../../../drivers/image/inspect.ts';
import { gibBytes, mibBytes } from '../../../node/base/units.ts';
import { whyNoProgram } from '../../support/programs.ts';

const folder = await mkdtemp(join(tmpdir(), 'shoal-inspect-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const lack = await whyNoProgram('qemu-img');
let made = 0;
const newPath = (): string => {
  made += 1;
  return join(folder, `image-${made}`);
};

/** A qcow2 of one gibibyte as version 3, laid out by hand: header, refcount table, L1 table. */
function qcow2(change: (image: Buffer) => void = () => {}): Buffer {
  const image = Buffer.alloc(4 * 65_536);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(BigInt(gibBytes), 24);
  image.writeUInt32BE(2, 36);
  image.writeBigUInt64BE(3n * 65_536n, 40);
  image.writeBigUInt64BE(65_536n, 48);
  image.writeUInt32BE(1, 56);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  change(image);
  return image;
}

await t.test('what qemu-img makes is accepted, with the size that qemu-img tells', { skip: lack }, async (t) => {
  const formats: [ImageFormat, string[]][] = [
    ['qcow2', ['-f', 'qcow2']],
    ['qcow2', ['-f', 'qcow2', '-o', 'compat=0.10']],
    ['qcow2', ['-f', 'qcow2', '-o', 'cluster_size=2M']],
    ['qcow2', ['-f', 'qcow2', '-o', 'compression_type=zstd,extended_l2=on']],
    ['raw', ['-f', 'raw']],
    ['vmdk', ['-f', 'vmdk']],
    ['vmdk', ['-f', 'vmdk', '-o', 'subformat=streamOptimized']],
    ['vdi', ['-f', 'vdi']],
  ];
  for (const [format, args] of formats) {
    const path = newPath();
    await runCommand(['qemu-img', 'create', '-q', ...args, path, '3221225472']);
    const facts = await inspectImage(path, format);
    const told = JSON.parse(
      (await runCommand(['qemu-img', 'info', '--output=json', '-f', format, path])).stdout,
    ) as Record<string, unknown>;
    t.equal(facts.virtualSizeBytes, told['virtual-size'], args.join(' '));
    t.equal(facts.format, format);
    for (const other of ['qcow2', 'raw', 'vmdk', 'vdi', 'iso'] as const) {
      if (other !== format)
        await t.rejects(inspectImage(path, other), { code: 'IMAGE_REFUSED' }, `${format} declared ${other}`);
    }
  }
});

await t.test('images that refer to other files are refused, whatever made them', { skip: lack }, async (t) => {
  const base = newPath();
  await writeFile(base, Buffer.alloc(mibBytes));
  const cases: [ImageFormat, string[]][] = [
    ['qcow2', ['-f', 'qcow2', '-b', base, '-F', 'raw']],
    ['qcow2', ['-f', 'qcow2', '-o', `data_file=${newPath()},data_file_raw=on`]],
    ['vmdk', ['-f', 'vmdk', '-o', 'subformat=monolithicFlat']],
    ['vmdk', ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse']],
  ];
  for (const [format, args] of cases) {
    const path = `${newPath()}.${format}`;
    await runCommand(['qemu-img', 'create', '-q', ...args, path, '1M']);
    await t.rejects(inspectImage(path, format), { code: 'IMAGE_REFUSED' }, args.join(' '));
  }
});

await t.test('a qcow2 with one thing wrong is refused', async (t) => {
  const good = newPath();
  await writeFile(good, qcow2());
  t.strictSame(await inspectImage(good, 'qcow2'), { format: 'qcow2', virtualSizeBytes: gibBytes, fileBytes: 262_144 });
  const cases: [string, (image: Buffer) => void][] = [
    ['a backing file', (image) => image.writeBigUInt64BE(512n, 8) && image.writeUInt32BE(11, 16)],
    ['the length of a backing file name alone', (image) => image.writeUInt32BE(11, 16)],
    ['an external data file by feature bit', (image) => image.writeBigUInt64BE(4n, 72)],
    ['an external data file by extension', (image) => image.writeUInt32BE(0x44415441, 104)],
    ['the format of a backing file', (image) => image.writeUInt32BE(0xe2792aca, 104)],
    ['encryption', (image) => image.writeUInt32BE(2, 32)],
    ['encryption by extension', (image) => image.writeUInt32BE(0x0537be77, 104)],
    ['the corrupt bit', (image) => image.writeBigUInt64BE(2n, 72)],
    ['an unknown feature', (image) => image.writeBigUInt64BE(1n << 40n, 72)],
    ['an unknown version', (image) => image.writeUInt32BE(4, 4)],
    ['version 1', (image) => image.writeUInt32BE(1, 4)],
    ['tiny clusters', (image) => image.writeUInt32BE(3, 20)],
    ['huge clusters', (image) => image.writeUInt32BE(40, 20)],
    ['no size', (image) => image.writeBigUInt64BE(0n, 24)],
    ['a size over the limit', (image) => image.writeBigUInt64BE(2n ** 50n, 24)],
    ['a size that no number holds', (image) => image.writeBigUInt64BE(2n ** 63n, 24)],
    ['an L1 table of gigabytes', (image) => image.writeUInt32BE(0xffffffff, 36)],
    ['an L1 table too small for its disk', (image) => image.writeUInt32BE(1, 36)],
    ['an L1 table beyond the end', (image) => image.writeBigUInt64BE(2n ** 40n, 40)],
    ['an L1 table within the header', (image) => image.writeBigUInt64BE(8n, 40)],
    ['a refcount table beyond the end', (image) => image.writeBigUInt64BE(2n ** 40n, 48)],
    ['a refcount table of gigabytes', (image) => image.writeUInt32BE(0xffffff, 56)],
    ['F20: refcounts of 2^255 bits', (image) => image.writeUInt32BE(255, 96)],
    ['F20: refcounts of 128 bits', (image) => image.writeUInt32BE(7, 96)],
    ['F20: an L1 table on top of the refcount table', (image) => image.writeBigUInt64BE(65_536n, 40)],
    ['F20: a refcount table that runs into the L1 table', (image) => image.writeUInt32BE(3, 56)],
    ['F20: an L2 table on top of the L1 table', (image) => image.writeBigUInt64BE(3n * 65_536n, 3 * 65_536)],
    ['F20: an L2 table in the header', (image) => image.writeBigUInt64BE(1n << 63n, 3 * 65_536)],
    ['F20: an L2 table beyond the end', (image) => image.writeBigUInt64BE(1n << 40n, 3 * 65_536)],
    ['F20: an L2 table at no cluster', (image) => image.writeBigUInt64BE(2n * 65_536n + 512n, 3 * 65_536 + 8)],
    ['F20: refcounts in the refcount table', (image) => image.writeBigUInt64BE(65_536n, 65_536)],
    ['internal snapshots', (image) => image.writeUInt32BE(1, 60)],
    ['an absurd header length', (image) => image.writeUInt32BE(70_000, 100)],
    [
      'an extension longer than its cluster',
      (image) => image.writeUInt32BE(1, 104) && image.writeUInt32BE(0xfffffff0, 108),
    ],
  ];
  for (const [what, change] of cases) {
    const path = newPath();
    await writeFile(path, qcow2(change));
    await t.rejects(inspectImage(path, 'qcow2'), { code: 'IMAGE_REFUSED' }, what);
  }
});

await t.test('every cut-off of a header is refused and none crashes', async (t) => {
  for (const length of [4, 5, 71, 72, 103, 104, 65_536, 131_072, 196_608]) {
    const path = newPath();
    await writeFile(path, qcow2().subarray(0, length));
    await t.rejects(inspectImage(path, 'qcow2'), { code: 'IMAGE_REFUSED' }, `${length} bytes`);
  }
});

await t.test('a file that is two formats at once is refused as either', async (t) => {
  const path = newPath();
  await writeFile(
    path,
    qcow2((image) => image.write('CD001', 32_769, 'latin1')),
  );
  for (const format of ['qcow2', 'iso', 'raw'] as const) {
    await t.rejects(inspectImage(path, format), { code: 'IMAGE_REFUSED' }, format);
  }
});

await t.test('formats that Shoal does not take are not taken for raw', async (t) => {
  const signatures: [string, number, string][] = [
    ['QED', 0, 'QED\0'],
    ['VHDX', 0, 'vhdxfile'],
    ['VHD', 0, 'conectix'],
    ['fixed VHD', mibBytes - 512, 'conectix'],
    ['LUKS', 0, 'LUKS\xba\xbe'],
    ['VMDK text', 0, '# Disk DescriptorFile\n'],
    ['ISO', 32_769, 'CD001'],
  ];
  for (const [what, offset, text] of signatures) {
    const path = newPath();
    const content = Buffer.alloc(mibBytes);
    content.write(text, offset, 'latin1');
    await writeFile(path, content);
    await t.rejects(inspectImage(path, 'raw'), { code: 'IMAGE_REFUSED' }, what);
  }
});

await t.test('raw and ISO are as large as their file, and empty ones are refused', async (t) => {
  const path = newPath();
  await writeFile(path, '');
  await t.rejects(inspectImage(path, 'raw'), { code: 'IMAGE_REFUSED' }, 'empty');
  await truncate(path, 5 * mibBytes);
  t.equal((await inspectImage(path, 'raw')).virtualSizeBytes, 5 * mibBytes);
  await t.rejects(
    inspectImage(path, 'raw', { virtualBytesMax: mibBytes }),
    { code: 'IMAGE_REFUSED' },
    'over the limit',
  );
  const iso = await readFile(path);
  iso.write('CD001', 32_769, 'latin1');
  await writeFile(path, iso);
  t.equal((await inspectImage(path, 'iso')).virtualSizeBytes, 5 * mibBytes);
});

await t.test('what is no plain file is refused, what is not there is not found', async (t) => {
  await t.rejects(inspectImage(folder, 'raw'), { code: 'IMAGE_REFUSED' });
  await t.rejects(inspectImage(join(folder, 'absent'), 'raw'), { code: 'NOT_FOUND' });
});
