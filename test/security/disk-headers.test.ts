/** A54, A58: what a guest, its QEMU or an image writes where headers are leads no tool of the host anywhere, nor holds it up. */
import { randomUUID } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type CommandRunner, runCommand } from '../../drivers/command.ts';
import { boundedQemuImg } from '../../drivers/image/qemu-img.ts';
import { LocalStorageDriver } from '../../drivers/local/driver.ts';
import type { DiskSpec } from '../../drivers/types.ts';
import type { HostId, VolumeId } from '../../node/base/ids.ts';
import { isRecord } from '../../node/base/json-value.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import { newImageFile } from '../support/guests/image-file.ts';
import { openFolder } from '../support/guests/qemu-host.ts';
import { whyNoProgram } from '../support/programs.ts';

const lack = await whyNoProgram('qemu-img', 'qemu-io', 'prlimit');
const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const { signal } = new AbortController();

/** A driver with one disk above an image, and every command that it runs. */
async function withDisk(
  t: Test,
): Promise<{ driver: LocalStorageDriver; spec: DiskSpec; path: string; ran: string[][] }> {
  const folder = await openFolder(t);
  const image = await newImageFile(join(folder, 'image'), {
    format: 'raw',
    virtualSizeBytes: mibBytes,
    text: 'bottom',
  });
  const ran: string[][] = [];
  const run: CommandRunner = (argv, options) => {
    ran.push([...argv]);
    return runCommand(argv, options);
  };
  const driver = new LocalStorageDriver({ log: silentLogger, run }, { root: join(folder, 'store') });
  await driver.start(signal);
  await driver.ensureImage(image, signal);
  const volumeId = randomUUID() as VolumeId;
  const spec: DiskSpec = { volumeId, sizeBytes: 2 * mibBytes, imageSha256: image.sha256, generation: 1 };
  await driver.ensureDisk(spec, signal);
  return { driver, spec, path: join(folder, 'store', 'disks', `${volumeId}.qcow2`), ran };
}

/** A qcow2 header whose disk lies on `backing`. */
async function hostileHeader(t: Test, backing: string): Promise<Buffer> {
  const path = join(await openFolder(t), 'hostile.qcow2');
  await runCommand(['qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', 'raw', path, '1T']);
  return (await readFile(path)).subarray(0, 65_536);
}

t.test('A54: a qcow2 header that a guest writes onto its disk is data of its disk', { skip: lack }, async (t) => {
  const { driver, spec, path, ran } = await withDisk(t);
  const header = await hostileHeader(t, '/etc/passwd');
  const hex = join(await openFolder(t), 'header');
  await (await open(hex, 'w')).writeFile(header);
  // As the guest: through QEMU, at the first byte of its disk.
  await runCommand(['qemu-io', '-f', 'qcow2', '-c', `write -q -s ${hex} 0 ${header.length}`, path]);
  ran.length = 0;
  // All that the host ever does with a disk: find, grow, open, close, remove.
  t.match(await driver.findDisk(spec.volumeId, signal), { sizeBytes: 2 * mibBytes });
  await driver.ensureDisk({ ...spec, sizeBytes: 4 * mibBytes }, signal);
  const source = await driver.openDisk({ ...spec, generation: 2 }, host, signal);
  t.match(source, { kind: 'file', format: 'qcow2', path });
  const out = join(await openFolder(t), 'content.raw');
  await runCommand(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', path, out]);
  const content = await readFile(out);
  t.equal(content.length, 4 * mibBytes, 'its size is what the records say');
  t.ok(content.subarray(0, header.length).equals(header), 'and the header is what the guest reads back');
  await driver.closeDisk(spec.volumeId, host, 2, signal);
  await driver.removeDisk(spec.volumeId, signal);
  t.ok(ran.length > 0);
  for (const argv of ran)
    t.match(argv.join(' '), /^prlimit .* qemu-img (info|resize) .*-f qcow2 /, 'no format is guessed');
});

t.test('A54: a disk whose own header a broken-into QEMU changed is not opened', { skip: lack }, async (t) => {
  for (const backing of ['/etc/passwd', 'nbd://127.0.0.1:9/x', 'json:{"driver":"null-co"}', '../images/other.raw']) {
    const { driver, spec, path, ran } = await withDisk(t);
    const file = await open(path, 'r+');
    await file.write(await hostileHeader(t, backing), 0, undefined, 0);
    await file.close();
    ran.length = 0;
    await t.rejects(driver.openDisk(spec, host, signal), { code: 'DRIVER_FAILED' }, backing);
    await t.rejects(driver.ensureDisk({ ...spec, sizeBytes: 2 ** 41 }, signal), { code: 'DRIVER_FAILED' }, backing);
    t.notOk(
      ran.some((argv) => argv.includes('resize')),
      'no tool followed it',
    );
    t.equal((await driver.listDisks(signal)).length, 1, 'the list goes on');
    await driver.removeDisk(spec.volumeId, signal);
    t.equal(await driver.findDisk(spec.volumeId, signal), undefined, 'and it can be removed');
  }
  const { driver, spec, path } = await withDisk(t);
  const file = await open(path, 'r+');
  await file.write(Buffer.from('0000000000000004', 'hex'), 0, 8, 72);
  await file.close();
  await t.rejects(driver.openDisk(spec, host, signal), { code: 'DRIVER_FAILED' }, 'an external data file');
});

t.test('A58: a qemu-img that hangs has bounds, and ends with its time', { skip: lack }, async (t) => {
  // A server that accepts and says nothing is a file that never answers.
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const bound = server.address();
  const url = `nbd://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  const running = runCommand(boundedQemuImg('info', url), { timeoutMs: 3_000 });
  const ended = t.rejects(running, { code: 'DEADLINE_EXCEEDED' });
  let limits = '';
  for (let attempt = 0; attempt < 100 && limits === ''; attempt += 1) {
    await sleep(20);
    const pid = await pidOf(url);
    if (pid !== undefined) limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  }
  t.match(limits, /Max address space +1073741824 +1073741824/);
  t.match(limits, /Max cpu time +30 +30/);
  t.match(limits, /Max core file size +0 +0/);
  await ended;
  t.equal(await pidOf(url), undefined, 'nothing of it is left');
});

/** The qemu-img that has this among its arguments. */
async function pidOf(argument: string): Promise<string | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: unknown) => {
      // It ended meanwhile.
      if (isRecord(error) && (error['code'] === 'ENOENT' || error['code'] === 'ESRCH')) return '';
      throw error;
    });
    const [program, ...args] = line.split('\0');
    if (program === 'qemu-img' && args.includes(argument)) return pid;
  }
  return undefined;
}
