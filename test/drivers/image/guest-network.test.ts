/**
 * The demo guest's network side, which the tests of everything else rely on: DHCP, metadata, user data, HTTP. A tap, a
 * dnsmasq and a metadata server stand in for a cloud, in a network of the test's own.
 */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { GuestSpec } from '../../../drivers/types.ts';
import type { PortId, ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/logger.ts';
import { guestImageOrReason, overlayOf, waitForReport } from '../../support/guest-image.ts';
import { enterOwnNetwork } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';
import { openFolder, whyNoQemu } from '../../support/qemu-host.ts';

const lack = (await whyNoQemu()) || (await whyNoProgram('dnsmasq', 'ip', 'unshare'));
const image = lack === false ? await guestImageOrReason() : lack;
if (typeof image !== 'string') await enterOwnNetwork(import.meta.filename, 240_000);
const { default: t } = await import('tap');

t.setTimeout(240_000);
await t.test(
  'the demo guest finds its network',
  { skip: typeof image === 'string' ? image : false, timeout: 240_000 },
  async (t) => {
    if (typeof image === 'string') return;
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
    const answers: Readonly<Record<string, string>> = {
      '/openstack/latest/meta_data.json': JSON.stringify({
        uuid: serverId,
        hostname: 'web-1.novalocal',
        name: 'web-1',
      }),
      '/openstack/latest/user_data': '#!/bin/sh\necho "ran on $(hostname)"\n',
    };
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
    t.teardown(() => driver.stop());
    const spec: GuestSpec = {
      serverId,
      generation: 1,
      name: 'web-1',
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
    t.equal(driver.facts.privileges.mode, 'user-per-guest', 'QEMU opens its tap without any right');
    await driver.startGuest(spec, signal);
    t.teardown(() => driver.stopGuest(serverId, { graceMs: 0 }, signal));

    const ready = await waitForReport(driver, serverId, 'ready');
    t.match(ready, [{ host: 'web-1' }]);
    t.match(await waitForReport(driver, serverId, 'dhcp'), [{ name: 'eth0', ip: '192.168.77.10/24', lease_s: '600' }]);
    t.match(await waitForReport(driver, serverId, 'metadata'), [{ source: 'http', uuid: serverId }]);
    t.match(await waitForReport(driver, serverId, 'userdata'), [{ status: '0', output: 'ran' }]);
    const who = await (await fetch('http://192.168.77.10/cgi-bin/whoami')).text();
    t.match(who, `host=web-1 uuid=${serverId} client=192.168.77.1`);
    const run = await fetch('http://192.168.77.10/cgi-bin/run', {
      method: 'POST',
      body: 'ip route; cat /sys/class/net/eth0/mtu; echo $((6 * 7))',
    });
    const output = await run.text();
    t.match(output, /default via 192\.168\.77\.1/);
    t.match(output, /169\.254\.169\.254 via 192\.168\.77\.1/);
    t.match(output, /1400\n42\n$/);
  },
);
