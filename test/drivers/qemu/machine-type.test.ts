/** A guest's machine is named with its version once, and stays that over starts, upgrades of QEMU and agents. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import { familyOf, machineFor, parseMachineHelp } from '../../../drivers/qemu/hardware/machine-type.ts';
import type { GuestSpec } from '../../../drivers/types.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { openFolder, tinyDisk, whyNoQemu } from '../../support/guests/qemu-host.ts';

const { signal } = new AbortController();

const help = `Supported machines are:
microvm              microvm (i386)
pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-8.1)
pc-i440fx-8.1        Standard PC (i440FX + PIIX, 1996) (default)
pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996)
q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-8.1)
pc-q35-8.1           Standard PC (Q35 + ICH9, 2009)
pc-q35-4.0.1         Standard PC (Q35 + ICH9, 2009)
isapc                ISA-only PC
none                 empty machine
`;
const types = parseMachineHelp(help);
const host = { machine: 'pc-i440fx-8.1', types };

await t.test('what QEMU tells of its machines', async (t) => {
  t.same(types.newest, { pc: 'pc-i440fx-8.1', q35: 'pc-q35-8.1' });
  t.same([...types.names].sort(), ['pc-i440fx-7.2', 'pc-i440fx-8.1', 'pc-q35-4.0.1', 'pc-q35-8.1']);
  t.same(parseMachineHelp('').newest, {});
  for (const odd of ['pc', 'q35', 'pc-i440fx-7.2,usb=on', 'pc-q35-', 'xpc-q35-7.2', 'microvm']) {
    t.equal(familyOf(odd), undefined, odd);
  }
});

await t.test('which machine a guest is given', async (t) => {
  t.equal(machineFor(undefined, undefined, host), 'pc-i440fx-8.1', 'the host’s own');
  t.equal(machineFor({ family: 'q35' }, undefined, host), 'pc-q35-8.1', 'the newest of the family');
  t.equal(machineFor(undefined, 'pc-i440fx-7.2', host), 'pc-i440fx-7.2', 'what was noted');
  t.equal(machineFor({ machine: 'pc-q35-4.0.1' }, 'pc-q35-8.1', host), 'pc-q35-4.0.1', 'the record comes first');
  t.equal(machineFor({ family: 'q35' }, 'pc-i440fx-7.2', host), 'pc-q35-8.1', 'a pin of another family counts no more');
  t.throws(() => machineFor({ machine: 'pc-q35-9.9' }, undefined, host), {
    code: 'DRIVER_FAILED',
    message: /no machine pc-q35-9.9, which the guest is pinned to/,
  });
  t.throws(() => machineFor({ family: 'q35' }, undefined, { machine: 'm', types: parseMachineHelp('') }), {
    code: 'DRIVER_FAILED',
  });
});

await t.test('a real guest keeps the machine of its first start', { skip: await whyNoQemu() }, async (t) => {
  const folder = await openFolder(t);
  const runDir = join(folder, 'run');
  const spec: GuestSpec = {
    serverId: randomUUID() as ServerId,
    generation: 1,
    name: 'pinned',
    vcpus: 1,
    memoryMib: 16,
    disks: [await tinyDisk(join(folder, 'disk.raw'))],
    nics: [],
  };
  const started = async (machine: string, more: Partial<GuestSpec> = {}): Promise<string | undefined> => {
    const driver = new QemuDriver({ log: silentLogger }, { runDir, machine, accelerator: 'tcg' });
    await driver.start(signal);
    try {
      const found = await driver.startGuest({ ...spec, ...more }, signal);
      t.equal((await driver.find(spec.serverId, signal))?.machine, found.machine);
      return found.machine;
    } finally {
      await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
      await driver.stop();
    }
  };
  t.equal(await started('pc-i440fx-6.2'), 'pc-i440fx-6.2');
  t.equal(await started('pc-i440fx-7.2'), 'pc-i440fx-6.2', 'the host gives another one by now');
  t.equal(
    await started('pc-i440fx-7.2', { hardware: { machine: 'pc-q35-7.2' } }),
    'pc-q35-7.2',
    'its record names one',
  );
  await rm(join(runDir, 'guests', spec.serverId, 'machine.json'));
  t.equal(await started('pc-i440fx-6.1'), 'pc-i440fx-7.2', 'started by a version that noted none');
  await t.rejects(started('pc-i440fx-7.2', { hardware: { machine: 'pc-q35-99.0' } }), { code: 'DRIVER_FAILED' });
});
