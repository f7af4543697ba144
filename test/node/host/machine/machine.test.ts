/** What is read of a machine, by samples of what Linux and QEMU tell. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parseDeviceHelp, readQemuDevices } from '../../../../drivers/qemu/features.ts';
import { loadConfig } from '../../../../node/config/load.ts';
import { passedThrough } from '../../../../node/config/pci-passthrough.ts';
import { parseCpuInfo } from '../../../../node/host/machine/cpu-info.ts';
import { parseBootTime, parseOsRelease, readInventory, readLoad } from '../../../../node/host/machine/inventory.ts';
import { parseCpuList, parseNodeMemoryMib, readNumaCells } from '../../../../node/host/machine/numa-cells.ts';
import { pciPoolsOf, readPciDevices } from '../../../../node/host/machine/pci-devices.ts';

const samples = join(import.meta.dirname, '../../../data/machine');
const twoSockets = JSON.parse(readFileSync(join(samples, 'two-sockets.json'), 'utf8')) as Record<string, string>;
const sample = (name: string): string => readFileSync(join(samples, name), 'utf8');

interface Teardown {
  teardown(done: () => void): void;
}

/** The sample as files. */
function machine(t: Teardown): string {
  const root = mkdtempSync(join(tmpdir(), 'shoal-machine-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(twoSockets)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

await t.test('processors: vendor, model, flags and how they are laid out', async (t) => {
  t.match(parseCpuInfo(twoSockets['cpuinfo'] ?? ''), {
    vendor: 'GenuineIntel',
    model: 'Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz',
    flags: ['fpu', 'vmx'],
    sockets: 2,
    cores: 2,
    threads: 2,
  });
  t.same(parseCpuInfo(sample('cpuinfo-arm.txt')), {
    vendor: '0x41',
    model: '0xd0c',
    flags: ['fp', 'asimd', 'evtstrm', 'aes', 'pmull', 'sha1', 'sha2', 'crc32'],
    sockets: 1,
    cores: 2,
    threads: 1,
  });
  for (const odd of ['', ':::', 'processor\n\n:', 'processor : 0\ncpu cores : 99999999999\nsiblings : -4\n']) {
    t.match(parseCpuInfo(odd), { sockets: 1, cores: 1, threads: 1 }, JSON.stringify(odd));
  }
});

await t.test('NUMA nodes: CPUs, memory and huge pages of each that has CPUs', async (t) => {
  t.same(await readNumaCells(join(machine(t), 'node')), [
    {
      id: 0,
      cpus: 4,
      cpusPinned: 0,
      memoryMib: 131_072,
      memoryUsedMib: 0,
      pages: [
        { sizeKib: 2048, total: 512, used: 0 },
        { sizeKib: 1_048_576, total: 4, used: 0 },
      ],
    },
    { id: 1, cpus: 3, cpusPinned: 0, memoryMib: 65_536, memoryUsedMib: 0, pages: [] },
  ]);
  t.same(await readNumaCells(join(tmpdir(), 'shoal-no-such-folder')), [], 'a kernel without NUMA');
  for (const [list, cpus] of [
    ['0-3,8,10-11\n', [0, 1, 2, 3, 8, 10, 11]],
    ['', []],
    ['x,3-1,-2,5', [5]],
  ] as const) {
    t.same(parseCpuList(list), cpus, list);
  }
  t.equal(parseCpuList('0-99999').length, 8_192, 'bounded');
  t.equal(parseNodeMemoryMib('nothing'), 0);
});

await t.test('PCI devices: those that the operator names, alike ones together, by NUMA node', async (t) => {
  const devices = await readPciDevices(join(machine(t), 'pci'));
  t.equal(devices.length, 5, 'one that tells no vendor is none');
  t.match(devices[1], { address: '0000:3b:00.0', vendorId: '10de', productId: '1eb8', numaNode: 0 });
  t.match(devices[0], { numaNode: -1 });
  const kinds = (pciPassthrough: string) =>
    passedThrough(
      loadConfig({ settings: { advertiseAddress: '192.0.2.1', 'compute.pciPassthrough': pciPassthrough } }),
    );
  t.same(pciPoolsOf(devices, kinds('')), [], 'nothing by default');
  t.same(pciPoolsOf(devices, kinds('10de:1eb8, 8086:154d@physnet2,ffff:0000')), [
    { vendorId: '10de', productId: '1eb8', physicalNetwork: '', numaNode: 0, total: 2, free: 2 },
    { vendorId: '10de', productId: '1eb8', physicalNetwork: '', numaNode: 1, total: 1, free: 1 },
    { vendorId: '8086', productId: '154d', physicalNetwork: 'physnet2', numaNode: 1, total: 1, free: 1 },
  ]);
  t.same(await readPciDevices(join(tmpdir(), 'shoal-no-such-folder')), []);
  for (const wrong of ['10de', '10DE:1EB8', '10de:1eb8@', '10de:1eb8@a b']) {
    t.throws(() => kinds(wrong), { code: 'CONFIG_INVALID', message: /compute\.pciPassthrough/ }, wrong);
  }
});

await t.test('devices of QEMU: those that are told of, when it has them', async (t) => {
  const help = sample('qemu-7.2-device-help.txt');
  t.ok(parseDeviceHelp(help).includes('e1000'));
  const asked: (readonly string[])[] = [];
  const devices = await readQemuDevices(
    async (argv) => {
      asked.push(argv);
      return { status: 0, stdout: help, stderr: '' };
    },
    'qemu',
    new AbortController().signal,
  );
  t.same(asked, [['qemu', '-device', 'help']]);
  t.same(devices, ['virtio-blk-pci', 'virtio-net-pci', 'virtio-rng-pci', 'VGA', 'vfio-pci', 'e1000']);
  t.same(parseDeviceHelp('no such thing'), []);
});

await t.test('this machine tells of itself', async (t) => {
  const inventory = await readInventory('/');
  t.ok(inventory.cpus >= 1 && inventory.memoryMib > 0);
  t.not(inventory.cpu.model, '');
  const cpus = inventory.numaCells.reduce((sum, cell) => sum + cell.cpus, 0);
  t.ok(cpus === 0 || cpus === inventory.cpus, `${cpus} of ${inventory.cpus} CPUs are in NUMA nodes`);
});

await t.test('its load is that of the time since it was read last', async (t) => {
  const first = await readLoad();
  const busyUntilMs = performance.now() + 150;
  while (performance.now() < busyUntilMs);
  const second = await readLoad();
  for (const { cpuPercent, memoryAvailableMib } of [first, second]) {
    t.ok(cpuPercent >= 0 && cpuPercent <= 100, `${cpuPercent} %`);
    t.ok(memoryAvailableMib > 0);
  }
  t.ok(second.cpuPercent > 0, 'this process has been busy');
});

t.test('what the files of a machine say, whatever they hold', (t) => {
  t.equal(parseOsRelease('PRETTY_NAME="x"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'), 'Debian GNU/Linux 12');
  t.equal(parseOsRelease("NAME=Alpine\nVERSION_ID='3.20'"), 'Alpine 3.20');
  t.equal(parseOsRelease('NAME="Arch Linux"\n'), 'Arch Linux');
  for (const text of ['', 'NAME=""', '=\n==\nNAME', '\0\xff']) t.equal(parseOsRelease(text), 'Linux');
  t.equal(parseBootTime('cpu  1 2 3\nbtime 1700000000\nprocesses 4\n'), 1_700_000_000_000);
  for (const text of ['', 'btime x', 'btime ', 'xbtime 5', 'btime 12345678901234567890'])
    t.equal(parseBootTime(text), 0);
  t.end();
});
