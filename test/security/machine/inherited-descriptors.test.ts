/** F6 on the real thing: what QEMU, dnsmasq and the metadata server hold of the agent that started them. Nothing. */
import { randomUUID } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { scanProcesses } from '../../../drivers/process.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { PortId, ServerId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { openHostStore } from '../../../node/store/host/host-store.ts';
import { makeLab, whyNoNetwork } from '../../drivers/vxlan/bench-host.ts';
import { networkOf } from '../../drivers/vxlan/cloud.ts';
import { openFolder, tinyDisk, whyNoQemu } from '../../support/guests/qemu-host.ts';

t.setTimeout(120_000);
const signal = AbortSignal.timeout(110_000);

/** An open host store in this process, as in an agent: LevelDB's descriptors are not close-on-exec. */
async function withStore(t: Test): Promise<string> {
  const folder = join(await openFolder(t), 'host');
  const store = await openHostStore(folder, (error) => t.fail(String(error)));
  t.teardown(() => store.close());
  await store.write([{ key: 'image/x', value: true }]);
  return folder;
}

/** What each descriptor of a process is, without those that it opened or was given for its own work. */
async function held(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(
    names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch((): string => 'closed meanwhile')),
  );
  return targets.filter((target) => target.startsWith('/'));
}

await t.test('F6: QEMU', { skip: await whyNoQemu() }, async (t) => {
  const store = await withStore(t);
  const folder = await openFolder(t);
  const driver = new QemuDriver({ log: silentLogger }, { runDir: join(folder, 'run'), accelerator: 'tcg' });
  await driver.start(signal);
  const disk = await tinyDisk(join(folder, 'disk.raw'));
  const serverId = randomUUID() as ServerId;
  const guest = await driver.startGuest(
    { serverId, generation: 1, name: 'g', vcpus: 1, memoryMib: 16, disks: [disk], nics: [] },
    signal,
  );
  t.teardown(async () => {
    await driver.stopGuest(serverId, { graceMs: 0 }, AbortSignal.timeout(20_000));
    await driver.stop();
  });
  const files = await held(guest.pid ?? 0);
  t.ok(files.includes(join(folder, 'disk.raw')), 'its own disk');
  const own = [join(folder, 'disk.raw'), join(folder, 'run', 'guests', serverId), '/dev/', '/memfd:', '/run/shoal/'];
  t.same(
    files.filter((file) => !own.some((place) => file.startsWith(place))),
    [],
    'and nothing else',
  );
  t.notOk(files.some((file) => file.startsWith(store)));
});

await t.test('F6: dnsmasq and the metadata server', { skip: await whyNoNetwork() }, async (t) => {
  const store = await withStore(t);
  const lab = await makeLab(t, 1);
  const driver = lab.open(0);
  await driver.start(signal);
  const network = networkOf('n', 5101, '10.0.0');
  await driver.ensureNetwork(network, signal);
  await driver.ensurePort(
    {
      portId: 'port-g' as PortId,
      networkId: network.networkId,
      mac: 'fa:16:3e:00:00:0b',
      ip: '10.0.0.11',
      hostname: 'g',
      portSecurity: true,
      rules: [],
      metadata: {},
    },
    signal,
  );
  const children = await scanProcesses((argv) =>
    argv.some((word) => word.includes(lab.stateDir)) ? (argv[0] ?? '') : undefined,
  );
  t.same(children.map(({ selected }) => selected.split('/').at(-1)).sort(), ['dnsmasq', 'perl'], 'both run');
  for (const { identity, selected } of children) {
    const files = await held(identity.pid);
    t.same(
      files.filter((file) => !file.startsWith(lab.stateDir) && !file.startsWith('/dev/') && !file.startsWith('/proc')),
      [],
      selected,
    );
    t.notOk(files.some((file) => file.startsWith(store)));
  }
  await driver.stop();
});
