/** The demo guest's network side, which the tests of everything else rely on: DHCP, metadata, user data, HTTP. */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../../drivers/command.ts';
import type { PortId } from '../../../node/base/ids.ts';
import { makeGuestNetwork } from '../../support/guest-network.ts';
import { guestImageOrReason, waitForReport } from '../../support/guests/guest-image.ts';
import { whyNoQemu } from '../../support/guests/qemu-host.ts';
import { enterOwnNetwork } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';

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
    const { driver, spec, answers, address } = await makeGuestNetwork(t, image, 'web-1');
    const { serverId } = spec;
    answers['/openstack/latest/meta_data.json'] = JSON.stringify({
      uuid: serverId,
      hostname: 'web-1.novalocal',
      name: 'web-1',
    });
    answers['/openstack/latest/user_data'] = '#!/bin/sh\necho "ran on $(hostname)"\n';
    t.equal(driver.facts.privileges.mode, 'user-per-guest', 'QEMU opens its tap without any right');
    await driver.startGuest(spec, signal);

    const ready = await waitForReport(driver, serverId, 'ready');
    t.match(ready, [{ host: 'web-1' }]);
    t.match(await waitForReport(driver, serverId, 'dhcp'), [{ name: 'eth0', ip: `${address}/24`, lease_s: '600' }]);
    t.match(await waitForReport(driver, serverId, 'metadata'), [{ source: 'http', uuid: serverId }]);
    t.match(await waitForReport(driver, serverId, 'userdata'), [{ status: '0', output: 'ran' }]);
    const who = await (await fetch(`http://${address}/cgi-bin/whoami`)).text();
    t.match(who, `host=web-1 uuid=${serverId} client=192.168.77.1`);
    const run = await fetch(`http://${address}/cgi-bin/run`, {
      method: 'POST',
      body: 'ip route; cat /sys/class/net/eth0/mtu; echo $((6 * 7))',
    });
    const output = await run.text();
    t.match(output, /default via 192\.168\.77\.1/);
    t.match(output, /169\.254\.169\.254 via 192\.168\.77\.1/);
    t.match(output, /1400\n42\n$/);

    await t.test('it gets a second NIC while it runs, and lets go of it when it is asked', async (t) => {
      const nics = async (): Promise<string> => {
        const body = 'cat /sys/class/net/eth*/address';
        return (await fetch(`http://${address}/cgi-bin/run`, { method: 'POST', body })).text();
      };
      const second = { portId: randomUUID() as PortId, mac: '52:54:00:00:77:0b', mtu: 1400, tapName: 'tap1' };
      await runCommand(['ip', 'tuntap', 'add', 'tap1', 'mode', 'tap', 'user', 'nobody']);
      await driver.attachNic(serverId, second, signal);
      const both = [spec.nics[0]?.portId, second.portId].sort();
      t.strictSame((await driver.find(serverId, signal))?.nics, both);
      const deadline = performance.now() + 60_000;
      while (!(await nics()).includes(second.mac) && performance.now() < deadline) await delay(200);
      t.match(await nics(), /52:54:00:00:77:0a\n52:54:00:00:77:0b\n$/, 'the guest sees it');
      const asked = performance.now();
      await driver.detachNic(serverId, second.portId, signal);
      t.comment(`it let go after ${Math.round(performance.now() - asked)} ms`);
      t.strictSame((await driver.find(serverId, signal))?.nics, [spec.nics[0]?.portId]);
      t.match(await nics(), /52:54:00:00:77:0a\n$/, 'the guest has it no more');
      await runCommand(['ip', 'link', 'del', 'tap1']);
    });
  },
);
