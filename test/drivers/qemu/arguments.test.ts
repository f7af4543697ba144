import t from 'tap';
import { generationOfName, guestName, qemuArguments } from '../../../drivers/qemu/arguments.ts';
import type { GuestPaths } from '../../../drivers/qemu/confinement/run-files.ts';
import { nodeName } from '../../../drivers/qemu/disks/disk-nodes.ts';
import type { GuestSpec } from '../../../drivers/types.ts';
import type { PortId, ServerId, VolumeId } from '../../../node/base/ids.ts';

const paths: GuestPaths = {
  pidFile: '/r/pid',
  qmpSocket: '/r/qmp',
  peopleQmpSocket: '/r/people',
  serialSocket: '/r/serial',
  vncSocket: '/r/vnc',
  agentSocket: '/r/agent',
  consoleLog: '/r/odd,name/console.log',
  variables: '/r/odd,name/variables.fd',
};
const settings = { binary: 'qemu', machine: 'pc-i440fx-7.2', accelerator: 'tcg' } as const;
const spec: GuestSpec = {
  serverId: '6f1c5f0e-0000-4000-8000-000000000001' as ServerId,
  generation: 7,
  name: 'web 1, of two',
  vcpus: 2,
  memoryMib: 128,
  disks: [
    {
      volumeId: '6f1c5f0e-0000-4000-8000-00000000000a' as VolumeId,
      source: { kind: 'rbd', pool: 'volumes', image: 'i', user: 'h1', confPath: '/etc/ceph/h1.conf' },
      bootIndex: 0,
    },
    {
      volumeId: '6f1c5f0e-0000-4000-8000-00000000000b' as VolumeId,
      source: { kind: 'file', path: '/d/b.qcow2', format: 'qcow2' },
    },
  ],
  nics: [
    { portId: '6f1c5f0e-0000-4000-8000-00000000000c' as PortId, mac: '52:54:00:00:00:01', mtu: 1450, tapName: 'tap0' },
  ],
};

await t.test('a spec gives exactly these words', async (t) => {
  t.equal(
    qemuArguments(spec, paths, settings).join('\n'),
    `-name
guest=web-1-of-two.g7,debug-threads=on
-uuid
6f1c5f0e-0000-4000-8000-000000000001
-S
-no-shutdown
-no-user-config
-nodefaults
-pidfile
/r/pid
-machine
pc-i440fx-7.2
-accel
tcg,tb-size=64
-cpu
qemu64
-smp
cpus=2
-m
size=128M
-rtc
base=utc
-sandbox
on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
-smbios
type=1,manufacturer=Shoal,product=OpenStack Compute
-msg
timestamp=on
-boot
strict=on
-chardev
socket,id=qmp,path=/r/qmp,server=on,wait=off
-mon
chardev=qmp,mode=control
-chardev
socket,id=qmp-people,path=/r/people,server=on,wait=off
-mon
chardev=qmp-people,mode=control
-chardev
socket,id=serial,path=/r/serial,server=on,wait=off,logfile=/r/odd,,name/console.log,logappend=on
-serial
chardev:serial
-vnc
unix:/r/vnc
-device
VGA,vgamem_mb=16
-device
virtio-balloon-pci,id=balloon,deflate-on-oom=on
-object
rng-random,id=random,filename=/dev/urandom
-device
virtio-rng-pci,rng=random,max-bytes=1024,period=1000
-blockdev
{"driver":"rbd","node-name":"d6kt4k2affrzur7zcpjl4ye1ai-src","pool":"volumes","image":"i","user":"h1","conf":"/etc/ceph/h1.conf","discard":"unmap"}
-blockdev
{"driver":"raw","node-name":"d6kt4k2affrzur7zcpjl4ye1ai-fmt","file":"d6kt4k2affrzur7zcpjl4ye1ai-src","discard":"unmap"}
-device
{"driver":"virtio-blk-pci","id":"disk-6f1c5f0e-0000-4000-8000-00000000000a","drive":"d6kt4k2affrzur7zcpjl4ye1ai-fmt","serial":"6f1c5f0e-0000-4000-8","werror":"stop","rerror":"stop","bootindex":0}
-blockdev
{"driver":"file","node-name":"d6kt4k2affrzur7zcpjl4ye1aj-src","filename":"/d/b.qcow2","discard":"unmap"}
-blockdev
{"driver":"qcow2","node-name":"d6kt4k2affrzur7zcpjl4ye1aj-fmt","file":"d6kt4k2affrzur7zcpjl4ye1aj-src","discard":"unmap"}
-device
{"driver":"virtio-blk-pci","id":"disk-6f1c5f0e-0000-4000-8000-00000000000b","drive":"d6kt4k2affrzur7zcpjl4ye1aj-fmt","serial":"6f1c5f0e-0000-4000-8","werror":"stop","rerror":"stop"}
-netdev
tap,id=nic-6f1c5f0e-0000-4000-8000-00000000000c-tap,ifname=tap0,script=no,downscript=no
-device
virtio-net-pci,id=nic-6f1c5f0e-0000-4000-8000-00000000000c,netdev=nic-6f1c5f0e-0000-4000-8000-00000000000c-tap,mac=52:54:00:00:00:01,host_mtu=1450,romfile=
-device
virtio-serial-pci,id=channels
-chardev
socket,id=agent,path=/r/agent,server=on,wait=off
-device
virtserialport,bus=channels.0,chardev=agent,name=org.qemu.guest_agent.0`,
  );
});

await t.test('bad specs are refused, naming what is wrong', async (t) => {
  const disk = spec.disks[0];
  const nic = spec.nics[0];
  if (disk === undefined || nic === undefined) throw new Error('the spec has both');
  const cases: [Partial<GuestSpec>, RegExp][] = [
    [{ serverId: 'x' as ServerId }, /UUID/],
    [{ serverId: '6F1C5F0E-0000-4000-8000-000000000001' as ServerId }, /UUID/],
    [{ generation: -1 }, /generation/],
    [{ vcpus: 0 }, /vCPUs/],
    [{ vcpus: 1.5 }, /vCPUs/],
    [{ memoryMib: 4 }, /memory/],
    [{ disks: Array.from({ length: 27 }, () => disk) }, /more than 26/],
    [{ disks: [{ ...disk, volumeId: 'a,b' as VolumeId }] }, /volume id/],
    [{ disks: [{ ...disk, source: { kind: 'fake', name: 'n' } }] }, /fake/],
    [{ nics: [{ ...nic, mac: '52:54:00:00:00:01,x=y' }] }, /MAC/],
    [{ nics: [{ ...nic, tapName: 'a,b' }] }, /tap name/],
    [{ nics: [{ ...nic, tapName: 'sixteen-letters!' }] }, /tap name/],
    [{ nics: [{ ...nic, mtu: 70_000 }] }, /MTU/],
  ];
  for (const [change, message] of cases) {
    t.throws(
      () => qemuArguments({ ...spec, ...change }, paths, settings),
      { code: 'INVALID_ARGUMENT', message },
      String(message),
    );
  }
});

await t.test('the generation can be read back from the name', async (t) => {
  for (const name of ['web', '', 'a.g3', 'ü,=', 'x'.repeat(300)]) {
    for (const generation of [0, 7, Number.MAX_SAFE_INTEGER]) {
      const made = guestName({ name, generation });
      t.match(made, /^[A-Za-z0-9_.-]{1,90}$/);
      t.equal(generationOfName(made), generation, made);
    }
  }
  for (const foreign of ['', 'web', 'web.g', 'web.gx', 'web.g3x'])
    t.equal(generationOfName(foreign), undefined, foreign);
});

await t.test('node names fit, and differ where ids do', async (t) => {
  const ids = [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '6f1c5f0e-0000-4000-8000-00000000000a',
  ];
  const names = ids.flatMap((id) => [
    nodeName(id, 'src'),
    nodeName(id, 'fmt'),
    nodeName(id, 'key'),
    nodeName(id, 'key', 'e'),
  ]);
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.ok(name.length <= 31, name);
});
