/** A real guest from BIOS to power-off, and over the agent's death. Under TCG this takes about 15 s. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { GuestEvent, GuestSpec } from '../../../drivers/types.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import {
  bootTimeoutMs,
  guestImageOrReason,
  overlayOf,
  typeLine,
  waitForReport,
} from '../../support/guests/guest-image.ts';
import { openFolder, whyNoQemu } from '../../support/guests/qemu-host.ts';

t.setTimeout(240_000);
const lack = await whyNoQemu();
const image = lack === false ? await guestImageOrReason() : lack;

await t.test(
  'a Linux guest boots, keeps its disk, and outlives its agent',
  { skip: typeof image === 'string' ? image : false },
  async (t) => {
    if (typeof image === 'string') return;
    const { signal } = new AbortController();
    const folder = await openFolder(t);
    const disk = join(folder, 'disk.qcow2');
    await overlayOf(image, disk);
    const open = (): QemuDriver =>
      new QemuDriver({ log: silentLogger }, { runDir: join(folder, 'run'), accelerator: 'tcg' });
    const spec: GuestSpec = {
      serverId: randomUUID() as ServerId,
      generation: 1,
      name: 'boot test',
      vcpus: 1,
      memoryMib: 128,
      disks: [
        {
          volumeId: randomUUID() as VolumeId,
          source: { kind: 'file', path: disk, format: 'qcow2', backingPath: image.qcow2Path },
          bootIndex: 0,
        },
      ],
      nics: [],
    };
    const { serverId } = spec;
    let driver = open();
    await driver.start(signal);
    t.teardown(async () => {
      await driver.stopGuest(serverId, { graceMs: 0 }, signal);
      await driver.stop();
    });

    await t.test('it becomes ready', async (t) => {
      const begun = performance.now();
      t.match(await driver.startGuest(spec, signal), { power: 'running' });
      await waitForReport(driver, serverId, 'ready');
      t.comment(`ready ${Math.round(performance.now() - begun)} ms after startGuest was called`);
      t.match(await waitForReport(driver, serverId, 'state'), [{ boots: '1' }]);
      t.match(await waitForReport(driver, serverId, 'disk'), [
        { name: 'vda', serial: spec.disks[0]?.volumeId.slice(0, 20) },
      ]);
    });

    await t.test('the power button ends it cleanly', async (t) => {
      const begun = performance.now();
      await driver.stopGuest(serverId, { graceMs: 30_000 }, signal);
      t.comment(`powered off in ${Math.round(performance.now() - begun)} ms`);
      t.match(await waitForReport(driver, serverId, 'poweroff'), [{ reason: 'button' }]);
      t.equal(await driver.find(serverId, signal), undefined);
    });

    await t.test('it boots a second time from the same disk', async (t) => {
      await driver.startGuest({ ...spec, generation: 2 }, signal);
      await waitForReport(driver, serverId, 'ready', 2);
      t.match((await waitForReport(driver, serverId, 'state', 2))[1], { boots: '2' });
    });

    await t.test('the next agent finds the same process', async (t) => {
      const before = await driver.find(serverId, signal);
      await driver.stop();
      driver = open();
      const begun = performance.now();
      await driver.start(signal);
      t.comment(`adopted in ${Math.round(performance.now() - begun)} ms`);
      t.strictSame(await driver.find(serverId, signal), before);
      t.match(before, { generation: 2, power: 'running' });
    });

    await t.test('a guest that powers itself off is reported, and can be started again', async (t) => {
      const events: GuestEvent[] = [];
      driver.onEvent((event) => events.push(event));
      await typeLine(driver, serverId, 'poweroff -f');
      const deadline = performance.now() + bootTimeoutMs;
      while (events.length === 0 && performance.now() < deadline) await delay(20);
      t.match(events, [{ serverId, power: 'shutdown' }]);
      const before = await driver.find(serverId, signal);
      t.match(before, { power: 'shutdown', detail: 'shutdown' }, 'its process waits');
      const again = await driver.startGuest({ ...spec, generation: 2 }, signal);
      t.match(again, { power: 'running' });
      t.not(again.pid, before?.pid);
      await waitForReport(driver, serverId, 'ready', 3);
      await driver.resetGuest(serverId, signal);
      await waitForReport(driver, serverId, 'ready', 4);
      t.equal(events.length, 1, 'what was asked for is no news');
    });
  },
);
