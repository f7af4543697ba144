import t from 'tap';
import type { ApiRoute } from '../../../api-gateway/kit/api-relay.ts';
import { apiRelay } from '../../../node/agent/api/api-route.ts';
import { systemClock } from '../../../node/base/clock.ts';
import type { HostId, RaftId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { createMetrics } from '../../../node/base/telemetry/metrics.ts';
import { SliceState } from '../../../node/state/slices/slice-state.ts';
import { shoal } from '../../../proto/messages.ts';
import { answersHere } from '../mesh/relay/rig.ts';

const hostOf = (raftId: number): HostId => String(raftId).repeat(32) as HostId;

/** The route of an agent that holds a slice, fed or not, with a record of host 2. */
function routeOf(held: {
  readonly feeder: RaftId | undefined;
  readonly silentMs: number;
  readonly replicas: boolean;
}): ApiRoute {
  const part = new SliceState({ missed: () => {}, used: () => {} });
  const host = shoal.v1.Host.encode({ id: hostOf(2), name: 'two', zone: 'north', failureDomain: 'rack-2' }).finish();
  part.restore([{ key: `t/host/${hostOf(2)}`, value: host, revision: 5 }], ['t/host/'], 5);
  const slice = {
    feeder: held.feeder,
    silentMs: held.silentMs,
    part,
    bare: part.bare,
    status: () => ({ voters: held.replicas ? [1, 2] : [], learners: held.replicas ? [3, 4, 9] : [], leaderRaftId: 1 }),
  };
  return relayOf(slice).route();
}

/** Of host 4, which is being made a learner. */
function relayOf(slice: Parameters<typeof apiRelay>[0]['member']['slice']) {
  return apiRelay({
    clock: systemClock,
    logger: silentLogger,
    peers: {
      to: () => {
        throw new Error('nobody is asked');
      },
    },
    config: { zone: 'north', failureDomain: '' },
    metrics: createMetrics({ processMetrics: false }),
    member: { slice, raftId: 4 },
    operators: answersHere.operators,
    directory: { hostIdOf: (raftId) => (raftId === 9 ? undefined : hostOf(raftId)) },
  });
}

t.test('a replica answers itself', (t) => {
  t.same(relayOf(undefined).route(), { kind: 'here' });
  t.end();
});

t.test('an agent with a slice knows the replicas, where they are, and who leads', (t) => {
  const route = routeOf({ feeder: 2, silentMs: 10, replicas: true });
  t.match(route, {
    kind: 'elsewhere',
    slice: { ageSeconds: 1 },
    replicas: [
      { hostId: hostOf(1), isLeader: true, zone: '' },
      { hostId: hostOf(2), isLeader: false, zone: 'north', failureDomain: 'rack-2' },
      { hostId: hostOf(3), isLeader: false },
    ],
  });
  t.equal(
    route.kind === 'elsewhere' ? route.replicas.length : 0,
    3,
    'one whose host is not known cannot be asked, nor can it ask itself',
  );
  if (route.kind !== 'elsewhere') return;
  t.equal(route.slice.part.covers('t/host/none'), true);
  t.equal(route.slice.part.covers('t/server/none'), false);
  t.equal(route.slice.part.coversRange('t/host/', 't/host0'), true);
  t.end();
});

t.test('one that nobody feeds tries for a little, and then answers from what it has', (t) => {
  t.equal(routeOf({ feeder: undefined, silentMs: 1_000, replicas: true }).kind, 'elsewhere');
  t.match(routeOf({ feeder: undefined, silentMs: 61_000, replicas: true }), {
    kind: 'nowhere',
    slice: { ageSeconds: 61 },
  });
  const started = routeOf({ feeder: undefined, silentMs: Number.POSITIVE_INFINITY, replicas: true });
  t.match(started, { kind: 'nowhere', slice: { ageSeconds: undefined } }, 'of unknown age after a start');
  t.equal(routeOf({ feeder: 2, silentMs: 1, replicas: false }).kind, 'nowhere', 'no replica is known yet');
  t.end();
});
