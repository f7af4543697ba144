/** Real guests with hardware that images ask for: they start, in a namespace of their own, and boot from where they are to. */
import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { GuestDisk, GuestHardware, GuestSpec } from '../../../drivers/types.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { openFolder, tinyDisk, tinyGuestText, whyNoQemu } from '../../support/guests/qemu-host.ts';

const { signal } = new AbortController();

await t.test('guests of many kinds', { skip: await whyNoQemu(), timeout: 240_000 }, async (t) => {
  const folder = await openFolder(t);
  const driver = new QemuDriver({ log: silentLogger }, { runDir: join(folder, 'run'), accelerator: 'tcg' });
  await driver.start(signal);
  t.teardown(() => driver.stop());
  let count = 0;

  /** Starts one and returns what it has printed once `prints` is in it; then it is gone. */
  const printed = async (
    prints: RegExp,
    hardware: GuestHardware,
    more: Partial<GuestDisk> = {},
    memoryMib = 64,
  ): Promise<string> => {
    count += 1;
    const disk = { ...(await tinyDisk(join(folder, `${count}.raw`))), bootIndex: 0, ...more };
    const serverId = randomUUID() as ServerId;
    const spec: GuestSpec = {
      ...{ serverId, generation: 1, name: 'kind', vcpus: 1, memoryMib },
      ...{ disks: [disk], nics: [], hardware },
    };
    try {
      const started = await driver.startGuest(spec, signal);
      t.equal(started.power, 'running');
      let text = '';
      for (let tries = 0; tries < 600 && !prints.test(text); tries += 1) {
        await delay(100);
        text = Buffer.from(await driver.consoleLog(serverId, 100_000, signal)).toString('latin1');
      }
      return text;
    } finally {
      await driver.stopGuest(serverId, { graceMs: 0 }, signal);
      await driver.removeGuest(serverId, signal);
    }
  };
  const boots = new RegExp(tinyGuestText);

  for (const family of ['pc', 'q35'] as const) {
    for (const bus of ['virtio', 'scsi', 'sata', 'ide'] as const) {
      if (family === 'q35' && bus === 'ide') continue;
      await t.test(`a ${family} boots from ${bus}`, async (t) => {
        t.match(await printed(boots, { family }, { bus }), boots);
      });
    }
  }
  await t.test('every device at once', async (t) => {
    const devices: GuestHardware = {
      ...{ bootMenu: false, clock: 'localtime', hpet: false, serialPorts: 4, tablet: 'usb', watchdog: 'poweroff' },
      ...{ rng: { bytes: 512, periodMs: 1000 }, video: { model: 'cirrus', memoryMib: 8 } },
    };
    t.match(await printed(boots, devices), boots);
  });
  const noFirmware = await access('/usr/share/OVMF/OVMF_CODE_4M.ms.fd').then(
    () => false as const,
    () => 'ovmf is not installed',
  );
  await t.test('a guest that starts by UEFI, and by secure boot', { skip: noFirmware }, async (t) => {
    t.same(Object.keys(driver.facts.firmware).sort(), ['secure', 'uefi']);
    const speaks = /BdsDxe|UEFI|Shell>/;
    t.match(await printed(speaks, { firmware: 'uefi' }, {}, 256), speaks);
    const secure: GuestHardware = { family: 'q35', firmware: 'uefi', secureBoot: true };
    t.match(await printed(speaks, secure, {}, 256), speaks);
  });
});
