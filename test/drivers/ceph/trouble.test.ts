/**
 * A real Ceph in trouble: full, paused, its OSD dead or frozen, its monitor frozen, a pool gone. Each is told as what it is within
 * a bound, another pool goes on where Ceph can, and all is as before when the trouble is over.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { DevCluster, devClusterPackages } from '../../../drivers/ceph/dev-cluster.ts';
import { RbdStorageDriver } from '../../../drivers/ceph/driver.ts';
import { runCommand } from '../../../drivers/command.ts';
import type { HostId, VolumeId, VolumeSnapshotId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openFolder, whyNoQemu } from '../../support/guests/qemu-host.ts';
import { enterOwnNetwork } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';

const timeoutMs = 580_000;
/** How long Ceph may take to answer here: agents give it 20 s, which a test that waits for it eight times does not need. Seconds. */
const answerTimeoutS = 4;
/** Longest that a refusal may take: the bound of a command, that of the question why, and a machine that is busy. */
const refusalMsMax = answerTimeoutS * 1000 + 10_000 + 20_000;
const missing =
  (await whyNoQemu()) || (await whyNoProgram('ceph', 'ceph-mon', 'ceph-mgr', 'ceph-osd', 'rbd', 'rados', 'unshare'));
const skip = missing === false ? false : `${missing} (needs ${devClusterPackages.join(' ')})`;
if (skip === false) await enterOwnNetwork(import.meta.filename, timeoutMs);
// Only now: outside of the own network this process passes on what the one inside says, and has no tests of its own.
const { default: t } = await import('tap');

const { signal } = new AbortController();
const self = 'a'.repeat(32) as HostId;

t.setTimeout(timeoutMs);
await t.test('Ceph in trouble', { skip, timeout: timeoutMs }, async (t) => {
  const folder = await openFolder(t);
  const dir = join(folder, 'ceph');
  const cluster = await DevCluster.start({ dir }, signal);
  t.teardown(() => cluster.stop());
  const ceph = (...words: string[]): Promise<unknown> =>
    runCommand(['ceph', '--conf', cluster.admin.confPath, ...words]);
  await ceph('osd', 'pool', 'create', 'other', '8', '8');
  await runCommand(['rbd', '--conf', cluster.admin.confPath, 'pool', 'init', 'other']);
  const open = async (volumesPool: string): Promise<RbdStorageDriver> => {
    const driver = new RbdStorageDriver(
      { log: silentLogger },
      { identity: cluster.admin, volumesPool, answerTimeoutS },
    );
    await driver.start(signal);
    return driver;
  };
  const volumes = await open('volumes');
  const other = await open('other');
  const make = (driver: RbdStorageDriver, volumeId = randomUUID() as VolumeId): Promise<VolumeId> =>
    driver.ensureDisk({ volumeId, sizeBytes: 8 * mibBytes, generation: 1 }, signal).then(() => volumeId);
  const refused = async (
    t: Test,
    work: Promise<unknown>,
    wanted: { readonly code: string; readonly facts?: { readonly reason: string } },
    what: string,
  ): Promise<void> => {
    const begunMs = performance.now();
    await t.rejects(work, { ...wanted }, what);
    const tookMs = Math.round(performance.now() - begunMs);
    t.comment(`${what}: told after ${tookMs} ms`);
    t.ok(tookMs < refusalMsMax, `${what}: within the bound`);
  };
  const pidOf = async (daemon: string): Promise<number> =>
    Number(await readFile(join(dir, 'run', `${daemon}.pid`), 'utf8'));
  const frozen = async (daemon: string, work: () => Promise<void>): Promise<void> => {
    const pid = await pidOf(daemon);
    process.kill(pid, 'SIGSTOP');
    try {
      await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  };
  const poolIs = async (pool: string, flag: string, is: boolean): Promise<void> => {
    const untilMs = Date.now() + 60_000;
    for (;;) {
      const argv = ['ceph', '--conf', cluster.admin.confPath, 'osd', 'pool', 'ls', 'detail', '--format', 'json'];
      const { stdout } = await runCommand(argv);
      const pools = JSON.parse(stdout) as { pool_name: string; flags_names: string }[];
      if (pools.some((one) => one.pool_name === pool && one.flags_names.includes(flag)) === is) return;
      if (Date.now() > untilMs) throw new Error(`pool ${pool} does not come to ${is ? '' : 'lose '}${flag}`);
      await delay(200);
    }
  };
  const kept = await make(volumes);

  await t.test('a quota that is used up: full, and another pool goes on', async (t) => {
    await runCommand([
      'rbd',
      '--conf',
      cluster.admin.confPath,
      'bench',
      '--io-type',
      'write',
      '--io-total',
      '4M',
      `volumes/${kept}`,
    ]);
    await ceph('osd', 'pool', 'set-quota', 'volumes', 'max_bytes', '1000');
    await poolIs('volumes', 'full_quota', true);
    const full = { code: 'DRIVER_FAILED', facts: { reason: 'full' } };
    await refused(t, make(volumes), full, 'a new disk');
    const elsewhere = await make(other);
    t.ok(await other.findDisk(elsewhere, signal), 'the other pool takes disks');
    // `rbd image-meta` opens a disk as if to write, and thus waits like who writes.
    await refused(t, volumes.findDisk(kept, signal), full, 'looking for a disk');
    await ceph('osd', 'pool', 'set-quota', 'volumes', 'max_bytes', '0');
    await poolIs('volumes', 'full_quota', false);
    await volumes.removeDisk(await make(volumes), signal);
    await other.removeDisk(elsewhere, signal);
  });

  await t.test('past the ratio of its operator: nearly full, and told while it takes writes', async (t) => {
    const ratio = (value: string): Promise<unknown> => ceph('osd', 'set-nearfull-ratio', value);
    t.equal((await volumes.capacity(signal)).condition, undefined);
    await ratio('0.000001');
    await poolIs('volumes', 'nearfull', true);
    t.match(await volumes.capacity(signal), { condition: 'nearfull', totalBytes: Number, freeBytes: Number });
    await volumes.removeDisk(await make(volumes), signal);
    await ratio('0.85');
    await poolIs('volumes', 'nearfull', false);
    t.equal((await volumes.capacity(signal)).condition, undefined);
  });

  await t.test('paused by its operator: no writes, and said so', async (t) => {
    await ceph('osd', 'pause');
    await refused(t, make(volumes), { code: 'DRIVER_FAILED', facts: { reason: 'read-only' } }, 'a new disk');
    await ceph('osd', 'unpause');
    await volumes.removeDisk(await make(volumes), signal);
  });

  await t.test('an OSD or a monitor that does not run on: it cannot be told, within the bound', async (t) => {
    for (const daemon of ['osd.0', 'mon.a']) {
      await frozen(daemon, async () => {
        const spec = { volumeId: kept, sizeBytes: 8 * mibBytes, generation: 1 };
        await Promise.all([
          refused(t, make(volumes), { code: 'CANNOT_TELL' }, `${daemon} is frozen: a new disk`),
          refused(t, volumes.openDisk(spec, self, signal), { code: 'CANNOT_TELL' }, `${daemon} is frozen: opening one`),
          refused(
            t,
            volumes.createSnapshot(kept, randomUUID() as VolumeSnapshotId, signal),
            { code: 'CANNOT_TELL' },
            `${daemon} is frozen: a snapshot`,
          ),
        ]);
      });
      await volumes.removeDisk(await make(volumes), signal);
    }
  });

  await t.test(
    'an OSD that is killed under a writer and comes back: the writer waits, and no write fails',
    async (t) => {
      const target = `rbd:volumes/${kept}:conf=${cluster.admin.confPath}`;
      const writing = runCommand(
        ['qemu-img', 'bench', '-f', 'raw', '-w', '-c', '4000', '-d', '4', '-s', '4096', '-t', 'none', target],
        {
          timeoutMs: 120_000,
        },
      );
      await delay(500);
      process.kill(await pidOf('osd.0'), 'SIGKILL');
      await delay(1_000);
      await DevCluster.start({ dir }, signal);
      const { stdout } = await writing;
      t.match(stdout, /Run completed in/, 'as if nothing had been');
      await volumes.openDisk({ volumeId: kept, sizeBytes: 8 * mibBytes, generation: 2 }, self, signal);
      await volumes.closeDisk(kept, self, 2, signal);
    },
  );

  await t.test('a pool that is gone is told as such, and is not taken for an empty one', async (t) => {
    const lost = await make(other);
    await ceph('config', 'set', 'mon', 'mon_allow_pool_delete', 'true');
    await ceph('osd', 'pool', 'rm', 'other', 'other', '--yes-i-really-really-mean-it');
    const gone = { code: 'DRIVER_FAILED', facts: { reason: 'no-pool' } };
    await refused(t, make(other), gone, 'a new disk');
    await refused(t, other.findDisk(lost, signal), gone, 'looking for one');
    await refused(t, other.listSnapshots(lost, signal), gone, 'its snapshots');
    await refused(t, other.removeDisk(lost, signal), gone, 'removing one');
    await refused(t, other.createSnapshot(lost, randomUUID() as VolumeSnapshotId, signal), gone, 'a snapshot');
    t.ok(await volumes.findDisk(kept, signal), 'the other pool is as it was');
    await volumes.removeDisk(kept, signal);
  });
});
