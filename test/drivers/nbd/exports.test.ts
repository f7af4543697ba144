/** Disks that are served to other hosts, by a real qemu-storage-daemon, and read and written by QEMU's own tools. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../../drivers/command.ts';
import { LocalStorageDriver } from '../../../drivers/local/driver.ts';
import { DiskExports } from '../../../drivers/nbd/exports/disk-exports.ts';
import { exportName } from '../../../drivers/nbd/exports/export-command.ts';
import { scanProcesses } from '../../../drivers/process.ts';
import type { DiskServed, DiskSpec, NbdKey } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { newNbdKey } from '../../compliance/storage-exports.ts';
import { exportOptions } from '../../support/guests/disk-exports.ts';
import { openFolder } from '../../support/guests/qemu-host.ts';
import { whyNoProgram } from '../../support/programs.ts';

const { signal } = new AbortController();
const host = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const skip = await whyNoProgram('qemu-storage-daemon', 'qemu-img', 'qemu-io');

interface Place {
  readonly folder: string;
  readonly driver: LocalStorageDriver;
  /** Another agent on the same folders. */
  readonly open: () => LocalStorageDriver;
}

async function placeOf(t: Test): Promise<Place> {
  const folder = await openFolder(t);
  const open = (): LocalStorageDriver =>
    new LocalStorageDriver(
      { log: silentLogger, exports: new DiskExports({ log: silentLogger }, exportOptions(join(folder, 'exports'))) },
      { root: join(folder, 'disks') },
    );
  const driver = open();
  await driver.start(signal);
  t.teardown(async () => {
    for (const { volumeId } of await driver.listServed(signal)) await driver.unserveDisk(volumeId, host, signal);
    await driver.stop();
  });
  return { folder, driver, open };
}

async function madeDisk(driver: LocalStorageDriver, also: Partial<DiskSpec> = {}): Promise<DiskSpec> {
  const spec = { volumeId: randomUUID() as VolumeId, sizeBytes: 8 * mibBytes, generation: 1, ...also };
  await driver.ensureDisk(spec, signal);
  return spec;
}

/** Runs QEMU's own client on the disk, with this key, or with none. */
async function qemuIo(
  t: Test,
  served: DiskServed,
  command: string,
  how: { readonly key?: NbdKey; readonly passphrase?: string },
): Promise<{ readonly status: number; readonly said: string }> {
  const folder = await openFolder(t);
  const nbd = `driver=nbd,host=${served.address},port=${served.port},export=${exportName}`;
  const objects: string[] = [];
  let options = nbd;
  if (how.key !== undefined) {
    await mkdir(join(folder, 'tls'));
    await writeFile(join(folder, 'tls/keys.psk'), `${how.key.user}:${how.key.keyHex}\n`, { mode: 0o600 });
    objects.push('--object', `tls-creds-psk,id=tls,endpoint=client,username=${how.key.user},dir=${folder}/tls`);
    options = `${nbd},tls-creds=tls`;
  }
  if (how.passphrase !== undefined) {
    objects.push('--object', `secret,id=key,data=${how.passphrase}`);
    options = `driver=luks,key-secret=key,${options.replaceAll(/(^|,)/g, '$1file.')}`;
  }
  const argv = ['qemu-io', ...objects, '-c', command, '--image-opts', options];
  const { status, stdout, stderr } = await runCommand(argv, { okStatus: [0, 1], timeoutMs: 20_000 });
  return { status, said: `${stdout}${stderr}` };
}

await t.test('what is written over the network is in the disk, and stays when an agent ends', { skip }, async (t) => {
  const { driver, open } = await placeOf(t);
  const spec = await madeDisk(driver);
  const key = newNbdKey();
  const served = await driver.serveDisk(spec, host, { key }, signal);
  t.match(await qemuIo(t, served, 'write -P 0x5a 1M 64k', { key }), { status: 0, said: /wrote 65536/ });
  await driver.stop();
  t.match(await qemuIo(t, served, 'read -P 0x5a 1M 64k', { key }), { status: 0, said: /read 65536/ });
  const next = open();
  await next.start(signal);
  t.strictSame(await next.listServed(signal), [served]);
  await next.unserveDisk(spec.volumeId, host, signal);
  t.match(await qemuIo(t, served, 'read 0 512', { key }), { status: 1, said: /Connection refused/ });
  const { ranges } = await next.exportDisk({ volumeId: spec.volumeId }, undefined, signal);
  for await (const { offsetBytes, data } of ranges) {
    if (offsetBytes === mibBytes) t.equal(data?.[0], 0x5a);
  }
  await next.stop();
  await driver.start(signal);
});

await t.test('one that has died is served again, with the same key at the same port', { skip }, async (t) => {
  const { driver } = await placeOf(t);
  const spec = await madeDisk(driver);
  const key = newNbdKey();
  const served = await driver.serveDisk(spec, host, { key }, signal);
  const pid = await pidOf(spec.volumeId);
  process.kill(pid, 'SIGKILL');
  for (let tries = 0; tries < 200 && (await driver.listServed(signal)).length > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.strictSame(await driver.listServed(signal), []);
  // A thread of it may hold the file a moment longer: hosts ask again, too.
  const again = async (): Promise<unknown> => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await driver.serveDisk(spec, host, { key, port: served.port }, signal);
      } catch (caught) {
        if (!ShoalError.is(caught, 'CONFLICT') || tries >= 50) throw caught;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  t.strictSame(await again(), served);
  t.match(await qemuIo(t, served, 'read 0 512', { key }), { status: 0 });
});

await t.test('an encrypted disk goes over the network as it is kept', { skip }, async (t) => {
  const { driver } = await placeOf(t);
  const passphrase = '0123456789abcdef';
  const encryption = { format: 'luks', cipher: 'aes-xts-plain64', keyBits: 256, passphrase } as const;
  const spec = await madeDisk(driver, { encryption });
  const key = newNbdKey();
  const served = await driver.serveDisk(spec, host, { key }, signal);
  t.match(await qemuIo(t, served, 'write -P 0x77 0 64k', { key, passphrase }), { status: 0, said: /wrote 65536/ });
  t.match(await qemuIo(t, served, 'read -P 0x77 0 64k', { key, passphrase }), { status: 0, said: /read 65536/ });
  t.match(await qemuIo(t, served, 'read -v 0 8', { key }), { said: /4c 55 4b 53/ }, 'LUKS, to who has no passphrase');
});

await t.test('a port that somebody else has is left to him', { skip }, async (t) => {
  const { driver, folder } = await placeOf(t);
  const [spec, other] = [await madeDisk(driver), await madeDisk(driver)];
  const first = await driver.serveDisk(spec, host, { key: newNbdKey() }, signal);
  const beside = new LocalStorageDriver(
    { log: silentLogger, exports: new DiskExports({ log: silentLogger }, exportOptions(join(folder, 'beside'))) },
    { root: join(folder, 'disks') },
  );
  await beside.start(signal);
  const key = newNbdKey();
  const second = await beside.serveDisk(other, host, { key, port: first.port }, signal);
  t.not(second.port, first.port);
  t.match(await qemuIo(t, second, 'read 0 512', { key }), { status: 0 });
  await beside.unserveDisk(other.volumeId, host, signal);
  await beside.stop();
});

await t.test('A102: a disk that is served is read by nobody without its key', { skip }, async (t) => {
  const { driver, folder } = await placeOf(t);
  const [spec, other] = [await madeDisk(driver), await madeDisk(driver)];
  const [key, otherKey] = [newNbdKey(), newNbdKey()];
  const served = await driver.serveDisk(spec, host, { key }, signal);
  await driver.serveDisk(other, host, { key: otherKey }, signal);
  t.match(await qemuIo(t, served, 'read 0 512', { key }), { status: 0 }, 'with the key');
  for (const [name, how] of [
    ['no key', {}],
    ['another key', { key: newNbdKey() }],
    ["another disk's key", { key: otherKey }],
    ['another user', { key: { ...key, user: 'root' } }],
  ] as const) {
    const { status, said } = await qemuIo(t, served, 'read 0 512', how);
    t.equal(status, 1, name);
    t.notMatch(said, /read 512/, name);
  }
  const keys = await stat(join(folder, 'exports/volumes', spec.volumeId, 'tls/keys.psk'));
  t.equal(keys.mode & 0o007, 0, 'nobody else on the host reads the key');
  const argv = (await scanProcesses((words) => words)).map(({ selected }) => selected.join(' ')).join('\n');
  t.notMatch(argv, key.keyHex, 'nor on a command line');
  await driver.unserveDisk(spec.volumeId, host, signal);
  t.strictSame(await readdir(join(folder, 'exports/volumes')), [other.volumeId], 'and it goes with what served it');
});

const noRoot = process.getuid?.() === 0 ? skip : 'needs root, to serve as another user';

await t.test('A103: what serves a disk is a user of its own that sees that disk alone', { skip: noRoot }, async (t) => {
  const { driver, folder } = await placeOf(t);
  const [spec, other] = [await madeDisk(driver), await madeDisk(driver)];
  await driver.serveDisk(spec, host, { key: newNbdKey() }, signal);
  await driver.serveDisk(other, host, { key: newNbdKey() }, signal);
  const [pid, otherPid] = [await pidOf(spec.volumeId), await pidOf(other.volumeId)];
  const uidOf = async (at: number): Promise<number> =>
    Number(/^Uid:\t(\d+)/m.exec(await readFile(`/proc/${at}/status`, 'utf8'))?.[1]);
  const [uid, otherUid] = [await uidOf(pid), await uidOf(otherPid)];
  t.ok(uid > 0 && otherUid > 0 && uid !== otherUid, `${uid}, ${otherUid}`);
  t.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^CapEff:\t0+$/m, 'no capabilities');
  t.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^NoNewPrivs:\t1$/m);
  t.match(await readFile(`/proc/${pid}/limits`, 'utf8'), /Max data size +1073741824/);
  const disksDir = join(folder, 'disks/disks');
  const file = await stat(join(disksDir, `${spec.volumeId}.qcow2`));
  t.match({ uid: file.uid, mode: file.mode & 0o777 }, { uid, mode: 0o600 }, 'the file is its own meanwhile');
  const isConfined = (await readlink(`/proc/${pid}/ns/mnt`)) !== (await readlink('/proc/self/ns/mnt'));
  if (isConfined) {
    const sees = async (path: string): Promise<boolean> =>
      stat(join(`/proc/${pid}/root`, path)).then(
        () => true,
        () => false,
      );
    t.equal(await sees(join(disksDir, `${spec.volumeId}.qcow2`)), true);
    t.equal(await sees(join(disksDir, `${other.volumeId}.qcow2`)), false);
    t.equal(await sees('/etc/shadow'), false);
  }
  await driver.unserveDisk(spec.volumeId, host, signal);
  t.equal((await stat(join(disksDir, `${spec.volumeId}.qcow2`))).uid, 0, "root's again");
});

async function pidOf(volumeId: VolumeId): Promise<number> {
  const found = await scanProcesses((argv) =>
    argv[0] === 'qemu-storage-daemon' && argv.some((word) => word.includes(volumeId)) ? true : undefined,
  );
  const [only] = found;
  if (only === undefined || found.length !== 1) throw new Error(`${found.length} processes serve ${volumeId}`);
  return only.identity.pid;
}
