/**
 * RBD on a real one-node Ceph, with two hosts that have addresses of their own. The cluster is started once for the file
 * (about 10 s) in a network of its own.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DevCluster, devClusterPackages } from '../../../drivers/ceph/dev-cluster.ts';
import { RbdStorageDriver } from '../../../drivers/ceph/driver.ts';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { DiskSpec, GuestSpec, ImageFile } from '../../../drivers/types.ts';
import type { HostId, ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { storageCompliance } from '../../compliance/storage.ts';
import { twoPoolsCompliance } from '../../compliance/two-pools.ts';
import { guestImageOrReason, typeAtOnce, typeLine, waitForReport } from '../../support/guests/guest-image.ts';
import { imageFileAt, newImageFile } from '../../support/guests/image-file.ts';
import { openFolder, whyNoQemu } from '../../support/guests/qemu-host.ts';
import { enterOwnNetwork, makeHosts, type TestHost } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';

const timeoutMs = 900_000;
const furtherPool = 'volumes-ssd';
const missing =
  (await whyNoQemu()) || (await whyNoProgram('ceph', 'ceph-mon', 'ceph-mgr', 'ceph-osd', 'rbd', 'rados', 'unshare'));
const skip = missing === false ? false : `${missing} (needs ${devClusterPackages.join(' ')})`;
if (skip === false) await enterOwnNetwork(import.meta.filename, timeoutMs);
// Only now: outside of the own network this process passes on what the one inside says, and has no tests of its own.
const { default: t } = await import('tap');

const { signal } = new AbortController();

/** One host: its storage driver, its guests, and who it is. */
interface Host {
  readonly id: HostId;
  readonly at: TestHost;
  readonly storage: RbdStorageDriver;
  readonly compute: QemuDriver;
}

t.setTimeout(timeoutMs);
await t.test('RBD on a real Ceph', { skip, timeout: timeoutMs }, async (t) => {
  const folder = await openFolder(t);
  const network = await makeHosts('10.99.0.254', { a: '10.99.0.1', b: '10.99.0.2' });
  t.teardown(network.remove);
  const begun = performance.now();
  const cluster = await DevCluster.start({ dir: join(folder, 'ceph'), address: '10.99.0.254' }, signal);
  t.teardown(() => cluster.stop());
  t.comment(`Ceph was up after ${Math.round(performance.now() - begun)} ms`);

  const makeHost = async (name: string, id: string): Promise<Host> => {
    const at = network.hosts.get(name);
    if (at === undefined) throw new Error(`no host ${name}`);
    const identity = await cluster.createClient(
      { name: `host-${name}`, ownerUid: 65_534, furtherPools: [furtherPool] },
      signal,
    );
    const run: CommandRunner = (argv, options) => runCommand([...at.prefix, ...argv], options);
    const storage = new RbdStorageDriver({ log: silentLogger, run }, { identity, launchPrefix: at.prefix });
    const compute = new QemuDriver(
      { log: silentLogger },
      {
        runDir: join(folder, `run-${name}`),
        launchPrefix: at.prefix,
        accelerator: 'tcg',
        reachablePaths: [identity.confPath],
        moveAddress: at.address,
      },
    );
    await storage.start(signal);
    await compute.start(signal);
    t.teardown(() => compute.stop());
    return { id: id.repeat(32) as HostId, at, storage, compute };
  };
  const a = await makeHost('a', 'a');
  const b = await makeHost('b', 'b');
  t.equal(a.storage.address, '10.99.0.1', 'a host knows its address as Ceph sees it');

  let images = 0;
  const newImage = (): Promise<ImageFile> => {
    images += 1;
    return newImageFile(join(folder, `image-${images}`), { format: 'raw', virtualSizeBytes: 4 * mibBytes });
  };
  await storageCompliance(t, {
    open: () =>
      new RbdStorageDriver(
        { log: silentLogger, run: (argv, options) => runCommand([...a.at.prefix, ...argv], options) },
        {
          identity: { confPath: join(cluster.dir, 'client.host-a.conf'), user: 'host-a' },
          launchPrefix: a.at.prefix,
        },
      ),
    image: newImage,
    hasBytes: true,
  });

  await t.test('two Ceph pools', async (t) => {
    await cluster.makePool(furtherPool, signal);
    const pool = (volumesPool: string): RbdStorageDriver =>
      new RbdStorageDriver(
        { log: silentLogger, run: (argv, options) => runCommand([...a.at.prefix, ...argv], options) },
        {
          identity: { confPath: join(cluster.dir, 'client.host-a.conf'), user: 'host-a' },
          volumesPool,
          launchPrefix: a.at.prefix,
        },
      );
    await twoPoolsCompliance(t, [pool('volumes'), pool(furtherPool)], newImage);
  });

  await t.test('two hosts that import the same image at once make one', async (t) => {
    const image = await newImage();
    await Promise.all([a.storage.ensureImage(image, signal), b.storage.ensureImage(image, signal)]);
    t.equal(await a.storage.hasImage(image.sha256, signal), true);
    const listed = await runCommand(['rbd', '--conf', cluster.admin.confPath, 'ls', 'images']);
    t.equal(listed.stdout.trim(), image.sha256, 'and leave nothing beside it');
    await b.storage.removeImage(image.sha256, signal);
  });

  const built = await guestImageOrReason();
  if (typeof built === 'string') {
    await t.test('a guest on RBD', { skip: built }, () => {});
    return;
  }
  const { qcow2Path, virtualSizeBytes } = built;
  const image = await imageFileAt(qcow2Path, { format: 'qcow2', virtualSizeBytes });
  const disk = (volumeId: VolumeId, generation: number): DiskSpec => ({
    volumeId,
    imageSha256: image.sha256,
    sizeBytes: 64 * mibBytes,
    generation,
  });
  const boot = async (host: Host, serverId: ServerId, volumeId: VolumeId, generation: number): Promise<void> => {
    const source = await host.storage.openDisk(disk(volumeId, generation), host.id, signal);
    const spec: GuestSpec = {
      serverId,
      generation,
      name: 'on-rbd',
      vcpus: 1,
      memoryMib: 128,
      disks: [{ volumeId, source, bootIndex: 0 }],
      nics: [],
    };
    await host.compute.startGuest(spec, signal);
    t.teardown(() => host.compute.stopGuest(serverId, { graceMs: 0 }, signal));
  };

  await t.test('a guest boots from a clone, moves to another host, and its writes are there', async (t) => {
    await a.storage.ensureImage(image, signal);
    const serverId = randomUUID() as ServerId;
    const volumeId = randomUUID() as VolumeId;
    const begun = performance.now();
    await a.storage.ensureDisk(disk(volumeId, 1), signal);
    t.comment(`cloned in ${Math.round(performance.now() - begun)} ms`);
    t.ok(performance.now() - begun < 2_000, 'a clone copies nothing');
    await boot(a, serverId, volumeId, 1);
    await waitForReport(a.compute, serverId, 'ready');
    await typeLine(a.compute, serverId, 'echo kept >/mnt/state/note; sync; . /lib/report.sh; report written by=a');
    await waitForReport(a.compute, serverId, 'written');
    await t.rejects(a.storage.removeDisk(volumeId, signal), { code: 'CONFLICT' }, 'an open disk is not removed');

    await a.compute.stopGuest(serverId, { graceMs: 30_000 }, signal);
    await a.storage.closeDisk(volumeId, a.id, 1, signal);
    const handover = performance.now();
    await boot(b, serverId, volumeId, 2);
    t.comment(`opened on the other host and started in ${Math.round(performance.now() - handover)} ms`);
    t.equal(await b.storage.fence.isFenced('10.99.0.1', signal), false, 'a clean hand-over fences nobody');
    t.match(await waitForReport(b.compute, serverId, 'state'), [{ boots: '2' }]);
    await waitForReport(b.compute, serverId, 'ready');
    await typeLine(b.compute, serverId, '. /lib/report.sh; report note "text=$(cat /mnt/state/note)"');
    t.match((await waitForReport(b.compute, serverId, 'note')).at(-1), { text: 'kept' });
    await t.rejects(
      a.storage.openDisk(disk(volumeId, 1), a.id, signal),
      { code: 'FENCE_UNPROVEN' },
      'the old owner is too late',
    );
    await b.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await b.storage.closeDisk(volumeId, b.id, 2, signal);
    await b.storage.removeDisk(volumeId, signal);
  });

  await t.test('a guest goes to the other host while it runs, with its memory and its disk', async (t) => {
    const serverId = randomUUID() as ServerId;
    const volumeId = randomUUID() as VolumeId;
    const key = { user: 'shoal', keyHex: '5a'.repeat(32) };
    await a.storage.ensureDisk(disk(volumeId, 1), signal);
    await boot(a, serverId, volumeId, 1);
    await waitForReport(a.compute, serverId, 'ready');
    await typeLine(
      a.compute,
      serverId,
      'echo kept >/mnt/state/note; sync; word=remembered; . /lib/report.sh; report said by=a',
    );
    await waitForReport(a.compute, serverId, 'said');

    const hardware = await a.compute.hardwareOf(serverId, signal);
    const waiting = await b.storage.openDisk({ ...disk(volumeId, 2), arrival: 'waiting' }, b.id, signal);
    const shape = { name: 'on-rbd', vcpus: 1, memoryMib: 128, nics: [] };
    const disks = [{ volumeId, source: waiting, bootIndex: 0 }];
    const place = await b.compute.receiveGuest({ serverId, generation: 2, ...shape, disks }, { hardware, key }, signal);
    t.teardown(() => b.compute.stopGuest(serverId, { graceMs: 0 }, signal));
    const begun = performance.now();
    await a.compute.sendGuest(serverId, { ...place, key }, { progress: () => {}, mustFinish: () => false }, signal);
    t.comment(`its memory was there after ${Math.round(performance.now() - begun)} ms`);
    await a.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await a.storage.closeDisk(volumeId, a.id, 1, signal);
    await b.storage.openDisk({ ...disk(volumeId, 2), arrival: 'going-on' }, b.id, signal);
    await b.compute.resumeGuest(serverId, signal);
    t.comment(`it went on after ${Math.round(performance.now() - begun)} ms`);
    t.equal(await b.storage.fence.isFenced('10.99.0.1', signal), false, 'nobody is fenced for it');
    await typeAtOnce(b.compute, serverId, '');
    await typeLine(b.compute, serverId, 'report note "text=$(cat /mnt/state/note)" "word=$word"');
    t.match((await waitForReport(b.compute, serverId, 'note')).at(-1), { text: 'kept', word: 'remembered' });
    await typeLine(b.compute, serverId, 'echo more >>/mnt/state/note; sync; report written by=b');
    await waitForReport(b.compute, serverId, 'written');
    t.match(await b.compute.find(serverId, signal), { power: 'running', detail: 'running' }, 'its disk takes writes');
    await b.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await b.storage.closeDisk(volumeId, b.id, 2, signal);
    await b.storage.removeDisk(volumeId, signal);
  });

  await t.test('a disk that somebody has open without leave is not opened', async (t) => {
    const volumeId = randomUUID() as VolumeId;
    await a.storage.ensureDisk(disk(volumeId, 1), signal);
    const { stop } = await watch(a, volumeId);
    await t.rejects(b.storage.openDisk(disk(volumeId, 2), b.id, signal), {
      code: 'FENCE_UNPROVEN',
      message: /10\.99\.0\.1/,
    });
    t.equal(await b.storage.fence.isFenced('10.99.0.1', signal), false, 'and nobody is fenced for it');
    await stop();
    await b.storage.openDisk(disk(volumeId, 2), b.id, signal);
    await b.storage.closeDisk(volumeId, b.id, 2, signal);
    await b.storage.removeDisk(volumeId, signal);
  });

  await t.test('a guest that crashed on this host leaves its disk free to be opened at once', async (t) => {
    const serverId = randomUUID() as ServerId;
    const volumeId = randomUUID() as VolumeId;
    await a.storage.ensureDisk(disk(volumeId, 1), signal);
    await boot(a, serverId, volumeId, 1);
    await waitForReport(a.compute, serverId, 'state');
    const found = await a.compute.find(serverId, signal);
    if (found?.pid !== undefined) process.kill(found.pid, 'SIGKILL');
    await a.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await a.storage.closeDisk(volumeId, a.id, 1, signal);
    const begun = performance.now();
    await a.storage.openDisk(disk(volumeId, 2), a.id, signal);
    t.comment(`opened again ${Math.round(performance.now() - begun)} ms after the crash`);
    t.ok(performance.now() - begun < 15_000, 'without waiting for the dead watch to end');
    await a.storage.closeDisk(volumeId, a.id, 2, signal);
    await a.storage.removeDisk(volumeId, signal);
  });

  await t.test('taking a disk from a living host fences that host first; its guest writes no more', async (t) => {
    const serverId = randomUUID() as ServerId;
    const volumeId = randomUUID() as VolumeId;
    await a.storage.ensureDisk(disk(volumeId, 1), signal);
    await boot(a, serverId, volumeId, 1);
    await waitForReport(a.compute, serverId, 'ready');
    const begun = performance.now();
    await boot(b, serverId, volumeId, 2);
    t.comment(`fenced, taken over and started in ${Math.round(performance.now() - begun)} ms`);
    t.equal(await b.storage.fence.isFenced('10.99.0.1', signal), true);
    await waitForReport(b.compute, serverId, 'ready');
    // The old guest is made to write, and QEMU stops it on the refusal; or it has written by itself before, and is stopped
    // already: then nobody reads what is typed until it ends.
    const typed = typeLine(a.compute, serverId, 'echo stale >/mnt/state/stale; sync').then(
      () => 'read',
      () => 'never read',
    );
    const deadline = performance.now() + 30_000;
    while ((await a.compute.find(serverId, signal))?.detail !== 'io-error' && performance.now() < deadline)
      await delay(50);
    t.match(await a.compute.find(serverId, signal), { power: 'paused', detail: 'io-error' });
    await t.rejects(a.compute.resumeGuest(serverId, signal), { code: 'DRIVER_FAILED' }, 'and it cannot go on');
    await t.rejects(
      a.storage.openDisk(disk(volumeId, 3), a.id, signal),
      { code: 'FENCE_UNPROVEN' },
      'a host that is fenced knows it',
    );
    t.match(await b.compute.find(serverId, signal), { power: 'running' });
    await typeLine(
      b.compute,
      serverId,
      '. /lib/report.sh; echo 3 >/proc/sys/vm/drop_caches; report files "list=$(ls /mnt/state | tr "\\n" ,)"',
    );
    t.notMatch((await waitForReport(b.compute, serverId, 'files')).at(-1), { list: /stale/ });

    await a.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    t.comment(`what was typed was ${await typed}`);
    await b.storage.fence.unfence('10.99.0.1', signal);
    t.ok(await a.storage.findDisk(volumeId, signal), 'let in again, it works again');
    await b.compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await b.storage.closeDisk(volumeId, b.id, 2, signal);
    await b.storage.removeDisk(volumeId, signal);
  });

  await t.test('the cluster goes on where it was after a stop', async (t) => {
    const before = await a.storage.hasImage(image.sha256, signal);
    await cluster.stop();
    await cluster.stop();
    const begun = performance.now();
    const again = await DevCluster.start({ dir: cluster.dir }, signal);
    t.comment(`Ceph was up again after ${Math.round(performance.now() - begun)} ms`);
    t.equal(again.admin.confPath, cluster.admin.confPath);
    t.equal(await a.storage.hasImage(image.sha256, signal), before);
  });
});

/** Opens an image as a client that asked nobody, and holds it open. */
async function watch(host: Host, volumeId: VolumeId): Promise<{ stop: () => Promise<void> }> {
  const compute = host.compute;
  const serverId = randomUUID() as ServerId;
  const source = { kind: 'rbd', pool: 'volumes', image: volumeId, user: 'host-a' } as const;
  const conf = (await host.storage.openDisk({ volumeId, sizeBytes: 1, generation: 1 }, host.id, signal)) as {
    confPath: string;
  };
  await compute.startGuest(
    {
      serverId,
      generation: 1,
      name: 'watcher',
      vcpus: 1,
      memoryMib: 128,
      disks: [{ volumeId, source: { ...source, confPath: conf.confPath }, bootIndex: 0 }],
      nics: [],
    },
    signal,
  );
  await waitForReport(compute, serverId, 'state');
  await host.storage.closeDisk(volumeId, host.id, 1, signal);
  return {
    stop: async () => {
      await compute.stopGuest(serverId, { graceMs: 0 }, signal);
      await compute.removeGuest(serverId, signal);
    },
  };
}
