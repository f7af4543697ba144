import t from 'tap';
import {
  checkAddresses,
  checkHosts,
  checkQuota,
  checkWrite,
  type HostPicture,
  PowerOffChecker,
  RemovalChecker,
} from '../../../sim/checkers/hosts.ts';
import { findings } from '../findings.ts';

const room = { vcpus: 4, memoryMib: 1024, diskGib: 40 };
const claim = (serverId: string, generation = 1, vcpus = 1) => ({
  serverId,
  generation,
  vcpus,
  memoryMib: 256,
  diskGib: 4,
});
const guest = (serverId: string, generation = 1, isRunning = true) => ({ serverId, generation, isRunning });
const host = (name: string, picture: Partial<HostPicture>): HostPicture => ({
  name,
  guests: [],
  claims: [],
  room,
  ...picture,
});

for (const { name, hosts, found } of [
  { name: 'nothing anywhere', hosts: [host('a', {})], found: [] },
  { name: 'a guest with its claim', hosts: [host('a', { guests: [guest('s')], claims: [claim('s')] })], found: [] },
  {
    name: 'a server off on the host that it has left',
    hosts: [
      host('a', { guests: [guest('s', 1, false)] }),
      host('b', { guests: [guest('s', 2)], claims: [claim('s', 2)] }),
    ],
    found: [],
  },
  {
    name: 'a server on two hosts',
    hosts: [
      host('a', { guests: [guest('s')], claims: [claim('s')] }),
      host('b', { guests: [guest('s', 2)], claims: [claim('s', 2)] }),
    ],
    found: ['no-double-run'],
  },
  {
    name: 'a guest without a claim',
    hosts: [host('a', { guests: [guest('s')] })],
    found: ['runs-only-what-is-claimed'],
  },
  {
    name: 'a guest with the claim of another generation',
    hosts: [host('a', { guests: [guest('s', 2)], claims: [claim('s', 1)] })],
    found: ['runs-only-what-is-claimed'],
  },
  {
    name: 'claims that fill a host',
    hosts: [host('a', { claims: [claim('s', 1, 2), claim('t', 1, 2)] })],
    found: [],
  },
  {
    name: 'claims beyond what a host has',
    hosts: [host('a', { claims: [claim('s', 1, 2), claim('t', 1, 2), claim('u')] })],
    found: ['no-overcommit'],
  },
] as const) {
  t.test(name, async (t) => {
    const { report, list } = findings();
    checkHosts(hosts, report);
    t.strictSame(list, found);
  });
}

t.test('addresses are unique on a network, and may repeat on another', async (t) => {
  const port = (id: string, networkId: string, mac: string, ...ips: string[]) => ({ id, networkId, mac, ips });
  const { report, list } = findings();
  checkAddresses([port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm2', '10.0.0.4')], report);
  checkAddresses([port('p', 'n', 'm1', '10.0.0.3'), port('q', 'o', 'm1', '10.0.0.3')], report);
  checkAddresses([], report);
  t.strictSame(list, []);
  checkAddresses([port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm2', '10.0.0.3')], report);
  checkAddresses([port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm1', '10.0.0.4')], report);
  checkAddresses([port('p', 'n', 'm1', '10.0.0.3', '10.0.0.3')], report);
  t.equal(list.length, 3);
});

t.test('a counter of a quota is the sum', async (t) => {
  const quota = (sum: number, counted: number) => ({ projectId: 'p', resource: 'cores', sum, counted });
  const { report, list } = findings();
  checkQuota([quota(0, 0), quota(3, 3)], report);
  checkQuota([], report);
  t.strictSame(list, []);
  checkQuota([quota(3, 2), quota(2, 3), quota(0, 1)], report);
  t.equal(list.length, 3);
});

t.test('nothing is stopped or removed but what a record, or its owner, asked for', async (t) => {
  const { report, list } = findings();
  const checker = new RemovalChecker(report);
  checker.mayStop('s');
  checker.stops('a', 's');
  checker.mayGo('t');
  checker.stops('a', 't');
  checker.removes('a', 'disk', 't');
  t.strictSame(list, []);
  checker.removes('a', 'guest', 's');
  checker.stops('a', 'u');
  checker.removes('a', 'disk', 'u');
  t.strictSame(list, ['record-before-removal', 'data-plane-independent', 'record-before-removal']);
});

for (const { name, run, found } of [
  { name: 'a guest that never went off', run: (c: PowerOffChecker) => c.starts('a', 's'), found: 0 },
  {
    name: 'a guest whose owner asked for it again',
    run: (c: PowerOffChecker) => {
      c.wentOff('a', 's');
      c.mayStart('s');
      c.starts('a', 's');
    },
    found: 0,
  },
  {
    name: 'another guest than the one that went off',
    run: (c: PowerOffChecker) => {
      c.wentOff('a', 's');
      c.starts('a', 't');
    },
    found: 0,
  },
  {
    name: 'a guest that is started though it went off',
    run: (c: PowerOffChecker) => {
      c.wentOff('a', 's');
      c.starts('a', 's');
    },
    found: 1,
  },
  {
    name: 'a guest that is started on another host though it went off',
    run: (c: PowerOffChecker) => {
      c.wentOff('a', 's');
      c.starts('b', 's');
    },
    found: 1,
  },
  {
    name: 'a guest that went off again after its owner had it started',
    run: (c: PowerOffChecker) => {
      c.wentOff('a', 's');
      c.mayStart('s');
      c.starts('a', 's');
      c.wentOff('a', 's');
      c.starts('a', 's');
    },
    found: 1,
  },
]) {
  t.test(`off means off: ${name}`, async (t) => {
    const { report, list } = findings();
    run(new PowerOffChecker(report));
    t.equal(list.length, found);
  });
}

t.test('only the holder of the lock writes, at its generation', async (t) => {
  const write = { volumeId: 'v', host: 'a', generation: 2 };
  const { report, list } = findings();
  checkWrite(write, { owner: 'a', generation: 2 }, report);
  t.strictSame(list, []);
  checkWrite(write, undefined, report);
  checkWrite(write, { owner: 'b', generation: 2 }, report);
  checkWrite(write, { owner: 'a', generation: 3 }, report);
  t.strictSame(list, ['single-writer', 'single-writer', 'single-writer']);
});
