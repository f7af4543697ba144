/** A network with one guest in it: a tap, a dnsmasq and a metadata server stand in for a cloud, in the test's own network. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Test } from 'tap';
import { runCommand } from '../../drivers/command.ts';
import type { GuestImage } from '../../drivers/image/guest/build.ts';
import { QemuDriver } from '../../drivers/qemu/driver.ts';
import type { GuestSpec } from '../../drivers/types.ts';
import type { PortId, ServerId, VolumeId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { overlayOf } from './guests/guest-image.ts';
import { openFolder } from './guests/qemu-host.ts';

/** Where the guest is, and who it says it is to its metadata. */
export interface GuestNetwork {
  readonly driver: QemuDriver;
  readonly spec: GuestSpec;
  readonly folder: string;
  readonly address: string;
  /** What the metadata server answers, by path; 404 for all else. May be changed at any time. */
  readonly answers: Record<string, string>;
}

/** Makes it all; the guest is not started. Ends with the test. Run in a network of the test's own. */
export async function makeGuestNetwork(t: Test, image: GuestImage, name: string): Promise<GuestNetwork> {
  const { signal } = new AbortController();
  const folder = await openFolder(t);
  await runCommand(['ip', 'tuntap', 'add', 'tap0', 'mode', 'tap', 'user', 'nobody']);
  for (const address of ['192.168.77.1/24', '169.254.169.254/32'])
    await runCommand(['ip', 'addr', 'add', address, 'dev', 'tap0']);
  await runCommand(['ip', 'link', 'set', 'tap0', 'up']);
  const dnsmasq = spawn(
    'dnsmasq',
    [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--bind-interfaces', '--interface=tap0'],
      ...[
        `--dhcp-leasefile=${join(folder, 'leases')}`,
        '--dhcp-range=192.168.77.10,192.168.77.10,600',
        '--dhcp-option=26,1400',
      ],
      '--dhcp-option=121,169.254.169.254/32,192.168.77.1,0.0.0.0/0,192.168.77.1',
    ],
    { stdio: 'ignore' },
  );
  t.teardown(() => dnsmasq.kill('SIGKILL'));
  const serverId = randomUUID() as ServerId;
  const answers: Record<string, string> = {};
  const metadata = createServer((request, response) => {
    const body = answers[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => metadata.listen(80, '169.254.169.254', resolve));
  t.teardown(() => metadata.close());

  const disk = join(folder, 'disk.qcow2');
  await overlayOf(image, disk);
  const driver = new QemuDriver({ log: silentLogger }, { runDir: join(folder, 'run'), accelerator: 'tcg' });
  await driver.start(signal);
  t.teardown(async () => {
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await driver.stop();
  });
  const spec: GuestSpec = {
    serverId,
    generation: 1,
    name,
    vcpus: 1,
    memoryMib: 96,
    disks: [
      {
        volumeId: randomUUID() as VolumeId,
        source: { kind: 'file', path: disk, format: 'qcow2', backingPath: image.qcow2Path },
        bootIndex: 0,
      },
    ],
    nics: [{ portId: randomUUID() as PortId, mac: '52:54:00:00:77:0a', mtu: 1400, tapName: 'tap0' }],
  };
  return { driver, spec, folder, address: '192.168.77.10', answers };
}
