/** What a guest may do with a disk, as QEMU itself tells it: from its start, from its plugging in, and while it runs. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { RunFiles } from '../../../drivers/qemu/confinement/run-files.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import { QmpClient } from '../../../drivers/qemu/guest/qmp.ts';
import type { GuestSpec } from '../../../drivers/types.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openFolder, tinyDisk, whyNoQemu } from '../../support/guests/qemu-host.ts';

const skip = await whyNoQemu();
const { signal } = new AbortController();

/** Everything that QEMU's throttling knows, when nothing is limited. */
const unlimited = { bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 } as const;

await t.test('limits of a disk are those that QEMU tells', { skip }, async (t) => {
  const folder = await openFolder(t);
  const runDir = join(folder, 'run');
  const driver = new QemuDriver({ log: silentLogger }, { runDir, accelerator: 'tcg' });
  await driver.start(signal);
  const root = await tinyDisk(join(folder, 'root.raw'));
  const { volumeId, source } = await tinyDisk(join(folder, 'plugged.raw'));
  const plugged = { volumeId, source };
  const spec: GuestSpec = {
    serverId: randomUUID() as ServerId,
    generation: 1,
    name: 'limits',
    vcpus: 1,
    memoryMib: 16,
    disks: [{ ...root, limits: { iops: 100, iopsMax: 200 } }],
    nics: [],
  };
  const { serverId } = spec;
  t.teardown(async () => {
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await driver.stop();
  });
  await driver.startGuest(spec, signal);
  const qmp = await QmpClient.connect(new RunFiles(runDir).guestPaths(serverId).peopleQmpSocket);
  t.teardown(() => qmp.close());
  /** `query-block` of the disk's device. */
  const told = async (id: VolumeId): Promise<unknown> => {
    const blocks = await qmp.execute('query-block');
    const found = Array.isArray(blocks)
      ? (blocks as readonly unknown[]).find((block) => isRecord(block) && String(block['qdev']).includes(id))
      : undefined;
    return isRecord(found) ? found['inserted'] : undefined;
  };
  t.match(await told(root.volumeId), { ...unlimited, iops: 100, iops_max: 200 }, 'from its start');

  const limits = { readBytesPerS: 2 * mibBytes, writeBytesPerS: mibBytes };
  await driver.attachDisk(serverId, { ...plugged, limits }, signal);
  t.match(
    await told(plugged.volumeId),
    { ...unlimited, bps_rd: 2 * mibBytes, bps_wr: mibBytes },
    'from its plugging in',
  );

  const others = { readIops: 5, writeIops: 7, sizeIopsBytes: 4096 };
  await driver.setDiskLimits(serverId, plugged.volumeId, others, signal);
  t.match(await told(plugged.volumeId), { ...unlimited, iops_rd: 5, iops_wr: 7, iops_size: 4096 }, 'others, live');
  t.match(await told(root.volumeId), { ...unlimited, iops: 100, iops_max: 200 }, 'of this disk alone');
  await driver.setDiskLimits(serverId, plugged.volumeId, {}, signal);
  t.match(await told(plugged.volumeId), unlimited, 'and none');
});
