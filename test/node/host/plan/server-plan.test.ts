import fc from 'fast-check';
import t from 'tap';
import type { GuestFound, GuestPower } from '../../../../drivers/types.ts';
import type { HostId, ServerId, VolumeId } from '../../../../node/base/ids.ts';
import { planServer, type ServerStep } from '../../../../node/host/plan/server-plan.ts';
import { shoal } from '../../../../proto/messages.ts';

const { PowerWanted, ServerStatus } = shoal.v1;
const self = 'aa' as HostId;
const options = { stopGraceMs: 60_000 };
const fresh = {
  rebootsDone: 0,
  failed: false,
  disksFailed: false,
  unmadeVolumeIds: new Set<string>(),
  staleLimitIds: new Set<string>(),
};

function server(properties: shoal.v1.Server.$Properties): shoal.v1.Server {
  return new shoal.v1.Server({
    id: 's1',
    hostId: self,
    generation: 1,
    powerWanted: PowerWanted.POWER_WANTED_RUNNING,
    status: ServerStatus.SERVER_STATUS_ACTIVE,
    ...properties,
  });
}

function guest(power: GuestPower, detail: string = power): GuestFound {
  return { serverId: 's1' as ServerId, generation: 1, power, detail };
}

const cases: [
  string,
  shoal.v1.Server,
  GuestFound | undefined,
  Parameters<typeof planServer>[2],
  ServerStep | undefined,
][] = [
  [
    'a new server is started',
    server({ status: ServerStatus.SERVER_STATUS_BUILD }),
    undefined,
    fresh,
    { kind: 'start', reason: 'wanted' },
  ],
  ['a running server is left alone', server({}), guest('running'), fresh, undefined],
  [
    'a server that runs but is recorded as building is reported',
    server({ status: ServerStatus.SERVER_STATUS_BUILD }),
    guest('running'),
    fresh,
    { kind: 'report', power: 'running' },
  ],
  ['a crashed guest is started again', server({}), guest('crashed'), fresh, { kind: 'start', reason: 'crashed' }],
  ['a guest that failed to start is not tried for ever', server({}), undefined, { ...fresh, failed: true }, undefined],
  [
    'a guest that powered itself off is recorded as stopped',
    server({}),
    guest('shutdown'),
    fresh,
    { kind: 'record-shutdown' },
  ],
  [
    'a stop powers the guest off',
    server({ powerWanted: PowerWanted.POWER_WANTED_STOPPED }),
    guest('running'),
    fresh,
    { kind: 'stop', graceMs: 60_000 },
  ],
  [
    'a stopped guest whose QEMU waits is let go',
    server({ powerWanted: PowerWanted.POWER_WANTED_STOPPED }),
    guest('shutdown'),
    fresh,
    { kind: 'stop', graceMs: 0 },
  ],
  [
    'a stop is done until it is told: its disks may be open',
    server({ powerWanted: PowerWanted.POWER_WANTED_STOPPED }),
    undefined,
    fresh,
    { kind: 'stop', graceMs: 0 },
  ],
  [
    'a stopped server is left alone',
    server({ powerWanted: PowerWanted.POWER_WANTED_STOPPED, status: ServerStatus.SERVER_STATUS_SHUTOFF }),
    undefined,
    fresh,
    undefined,
  ],
  [
    'a reboot is carried out once',
    server({ rebootsWanted: 2, rebootsDone: 1, rebootHard: true }),
    guest('running'),
    fresh,
    { kind: 'reboot', hard: true, number: 2 },
  ],
  [
    'a reboot that the journal knows is only reported',
    server({ rebootsWanted: 2, rebootsDone: 1 }),
    guest('running'),
    { ...fresh, rebootsDone: 2 },
    { kind: 'report', power: 'running' },
  ],
  [
    'a guest that went down in a soft reboot comes up again',
    server({ rebootsWanted: 1 }),
    guest('shutdown'),
    fresh,
    { kind: 'reboot', hard: false, number: 1 },
  ],
  ['a guest stopped by an I/O error is not resumed', server({}), guest('paused', 'io-error'), fresh, undefined],
  [
    'one that has a volume of another host is, again and again: that host may come back',
    server({}),
    guest('paused', 'io-error'),
    { ...fresh, hasServedDisks: true },
    { kind: 'retry-disks' },
  ],
  [
    'but not when its owner has paused it',
    server({ powerWanted: PowerWanted.POWER_WANTED_PAUSED, status: ServerStatus.SERVER_STATUS_PAUSED }),
    guest('paused', 'io-error'),
    { ...fresh, hasServedDisks: true },
    undefined,
  ],
  ['a guest left paused is resumed', server({}), guest('paused'), fresh, { kind: 'resume' }],
  ['a committed deletion destroys', server({ deleting: true }), guest('running'), fresh, { kind: 'destroy' }],
  [
    'the old host of a moved server releases it',
    server({ hostId: 'bb', previousHostId: self, generation: 2 }),
    guest('running'),
    fresh,
    { kind: 'release', generation: 1, graceMs: 60_000 },
  ],
  [
    'a released server is left alone',
    server({ hostId: 'bb', previousHostId: self, generation: 2, releasedGeneration: 1 }),
    undefined,
    fresh,
    undefined,
  ],
  ['the new host waits for the release', server({ previousHostId: 'bb', generation: 2 }), undefined, fresh, undefined],
  [
    'the new host starts after the release',
    server({ previousHostId: 'bb', generation: 2, releasedGeneration: 1 }),
    undefined,
    fresh,
    { kind: 'start', reason: 'wanted' },
  ],
];

for (const [name, record, found, memory, expected] of cases) {
  t.test(name, (t) => {
    t.same(planServer(record, found, memory, self, options), expected);
    t.end();
  });
}

const arbitraryServer = fc.record({
  hostId: fc.constantFrom<string>(self, 'bb', ''),
  previousHostId: fc.constantFrom<string>(self, 'bb', ''),
  generation: fc.integer({ min: 1, max: 3 }),
  releasedGeneration: fc.integer({ min: 0, max: 3 }),
  deleting: fc.boolean(),
  powerWanted: fc.constantFrom(
    PowerWanted.POWER_WANTED_UNSPECIFIED,
    PowerWanted.POWER_WANTED_RUNNING,
    PowerWanted.POWER_WANTED_STOPPED,
    PowerWanted.POWER_WANTED_PAUSED,
  ),
  status: fc.constantFrom(
    ServerStatus.SERVER_STATUS_BUILD,
    ServerStatus.SERVER_STATUS_ACTIVE,
    ServerStatus.SERVER_STATUS_SHUTOFF,
  ),
  rebootsWanted: fc.integer({ min: 0, max: 2 }),
  rebootsDone: fc.integer({ min: 0, max: 2 }),
});
const arbitraryGuest = fc.option(
  fc.constantFrom<GuestPower>('running', 'paused', 'shutdown', 'crashed').map((power) => guest(power)),
  { nil: undefined },
);

t.test('volumes are plugged in once they are made, and again only when the guest had them', (t) => {
  const disk = (more: shoal.v1.ServerDisk.$Properties) =>
    server({ disks: [{ volumeId: 'v1', kind: 'volume', attachmentId: 'a1', ...more }] });
  const found = (...disks: string[]): GuestFound => ({
    ...guest('running'),
    disks: disks.map((id) => id as VolumeId),
  });
  const plan = (record: shoal.v1.Server, there: GuestFound, unmade: readonly string[] = []) =>
    planServer(record, there, { ...fresh, unmadeVolumeIds: new Set(unmade) }, self, options);
  t.equal(plan(disk({ attached: false }), found(), ['v1']), undefined, 'it waits for its bytes');
  t.same(plan(disk({ attached: false }), found()), { kind: 'plug', volumeId: 'v1' });
  t.same(plan(disk({ attached: false }), found('v1')), { kind: 'plug', volumeId: 'v1' }, 'and the record is told');
  t.equal(plan(disk({ attached: true }), found('v1')), undefined);
  t.same(plan(disk({ attached: true }), found()), { kind: 'replug', volumeId: 'v1' });
  t.same(plan(disk({ attached: true, detaching: true }), found('v1')), { kind: 'unplug', volumeId: 'v1' });
  t.end();
});

t.test('nothing is destroyed without a committed deletion, and nothing starts where it does not belong', (t) => {
  fc.assert(
    fc.property(arbitraryServer, arbitraryGuest, fc.boolean(), (properties, found, failed) => {
      const record = server(properties);
      const step = planServer(record, found, { ...fresh, failed }, self, options);
      if (step?.kind === 'destroy') return record.deleting && record.hostId === self;
      if (step?.kind === 'start' || step?.kind === 'reboot' || step?.kind === 'resume') {
        const handedOver = record.previousHostId === '' || record.releasedGeneration >= record.generation - 1;
        return record.hostId === self && handedOver && !record.deleting;
      }
      return true;
    }),
    { seed: 7, numRuns: 5000 },
  );
  t.end();
});
