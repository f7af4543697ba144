/** Members by multicast DNS: real packets, in a network of this test's own with one link that has both families. */
import { createSocket } from 'node:dgram';
import multicastDns from 'multicast-dns';
import t from 'tap';
import { runCommand } from '../../../../drivers/command.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { membersByMulticast } from '../../../../node/mesh/join/multicast-discovery.ts';
import { membersIn, recordsOf } from '../../../../node/mesh/join/multicast-records.ts';
import { MulticastResponder } from '../../../../node/mesh/join/multicast-responder.ts';
import { enterOwnNetwork } from '../../../support/network-namespace.ts';

await enterOwnNetwork(import.meta.filename, 60_000);
await runCommand(['ip', 'link', 'add', 'link0', 'type', 'veth', 'peer', 'name', 'link1']);
await runCommand(['ip', 'addr', 'add', '10.77.0.1/24', 'dev', 'link0']);
await runCommand(['ip', 'addr', 'add', 'fd77::1/64', 'dev', 'link0', 'nodad']);
for (const device of ['link0', 'link1']) await runCommand(['ip', 'link', 'set', device, 'up', 'multicast', 'on']);

const deps = { clock: systemClock, logger: silentLogger };
const signal = new AbortController().signal;
const hostId = 'ab'.repeat(16);

for (const [family, address, shown] of [
  ['IPv4', '10.77.0.1', '10.77.0.1:7401'],
  ['IPv6', 'fd77::1', '[fd77::1]:7401'],
] as const) {
  t.test(`a member is found on its link over ${family}, by who looks for its mesh`, async (t) => {
    const responder = new MulticastResponder(deps, { meshId: 'mesh-1', hostId, at: { host: address, port: 7401 } });
    await responder.start();
    t.teardown(() => responder.stop());
    t.same(await membersByMulticast(deps, { meshId: 'mesh-1', address, signal }), [shown]);
    await t.rejects(membersByMulticast(deps, { meshId: 'mesh-2', address, signal }), { code: 'UNAVAILABLE' });
  });
}

t.test('nobody answers, or the link is not there: that is said', async (t) => {
  await t.rejects(membersByMulticast(deps, { meshId: 'mesh-1', address: '10.77.0.1', signal }), {
    code: 'UNAVAILABLE',
    message: /No member of the mesh answered/,
  });
  await t.rejects(membersByMulticast(deps, { meshId: 'mesh-1', address: '10.99.0.9', signal }), {
    code: 'UNAVAILABLE',
    message: /No interface of this host/,
  });
});

t.test('a flood of questions has one answer a second; what is no DNS at all changes nothing', async (t) => {
  const responder = new MulticastResponder(deps, {
    ...{ meshId: 'mesh-1', hostId },
    at: { host: '10.77.0.1', port: 7401 },
  });
  await responder.start();
  t.teardown(() => responder.stop());
  const asker = multicastDns({ interface: '10.77.0.1', bind: '224.0.0.251' });
  t.teardown(() => asker.destroy());
  let answers = 0;
  asker.on('response', () => {
    answers += 1;
  });
  await new Promise<void>((resolve) => asker.once('ready', resolve));
  const raw = createSocket('udp4');
  raw.bind(0, '10.77.0.1');
  t.teardown(() => raw.close());
  await new Promise<void>((resolve) => raw.once('listening', resolve));
  raw.setMulticastInterface('10.77.0.1');
  for (let length = 0; length < 40; length += 1) raw.send(Buffer.alloc(length, 0xc0), 5353, '224.0.0.251');
  for (let time = 0; time < 50; time += 1) asker.query('_shoal-peer._tcp.local', 'PTR');
  await new Promise((resolve) => setTimeout(resolve, 700));
  t.equal(answers, 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  asker.query('_shoal-peer._tcp.local', 'PTR');
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(answers, 2);
});

t.test('records: what does not belong together is left out', async (t) => {
  const told = recordsOf({ meshId: 'mesh-1', hostId, at: { host: '10.77.0.1', port: 7401 } });
  t.same(membersIn(told, 'mesh-1', 'IPv4'), [{ host: '10.77.0.1', port: 7401 }]);
  t.same(membersIn(told, 'mesh-1', 'IPv6'), [], 'of the other family');
  t.same(membersIn(told, 'mesh', 'IPv4'), [], 'of a mesh whose id is longer');
  t.same(membersIn({ answers: told.answers }, 'mesh-1', 'IPv4'), [], 'no address');
  t.same(membersIn({}, 'mesh-1', 'IPv4'), []);
  const [srv, txt] = told.additionals;
  if (srv === undefined || txt === undefined) throw new Error('a member tells of itself by SRV and TXT');
  const hostile = { name: `${hostId}.local`, type: 'A', data: '10.0.0.1:1;rm' } as const;
  t.same(membersIn({ answers: [srv, txt, hostile] }, 'mesh-1', 'IPv4'), [], 'no IPv4 address');
  const many = Array.from({ length: 5000 }, () => told.additionals).flat();
  t.ok(membersIn({ answers: many }, 'mesh-1', 'IPv4').length <= 64 * 64, 'a large answer is not read whole');
});
