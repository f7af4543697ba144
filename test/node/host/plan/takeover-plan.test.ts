import t from 'tap';
import { Prng } from '../../../../node/base/prng.ts';
import type { HostVerdict } from '../../../../node/host/plan/host-gone-plan.ts';
import type { JobDecision } from '../../../../node/host/plan/job-plan.ts';
import {
  type LostServer,
  nextOfTakeover,
  progressOfTakeover,
  type TakeoverAction,
  type TakeoverWorld,
} from '../../../../node/host/plan/takeover-plan.ts';
import { withFailure } from '../../../../node/services/jobs/job-record.ts';
import { shoal } from '../../../../proto/messages.ts';

const { JobStatus } = shoal.v1;
const gone: HostVerdict = { kind: 'gone' };
const there: HostVerdict = { kind: 'there', reason: 'it answers' };
const unknown: HostVerdict = { kind: 'unknown', reason: 'the storage rbd does not tell' };

function job(over: object = {}): shoal.v1.Job {
  const takeover = new shoal.v1.TakeoverJob({ hostId: 'h1' });
  return new shoal.v1.Job({ id: 'j1', kind: 'takeover', status: JobStatus.JOB_STATUS_RUNNING, takeover, ...over });
}

function server(over: Partial<LostServer> = {}): LostServer {
  const plain = { id: 's1', name: 'web', place: 'here', priority: 50, stays: undefined } as const;
  return { ...plain, triedMs: 0, isNoted: false, ...over };
}

function world(servers: readonly LostServer[], verdict: HostVerdict = gone): TakeoverWorld {
  return { nowMs: 1_000_000, hostName: 'one', verdict, servers };
}

/** A decision in one line. */
function text(decision: JobDecision<TakeoverAction>): string {
  if (decision.kind === 'do') return `${decision.action.kind} ${decision.action.serverId}`;
  return decision.kind === 'end'
    ? `${decision.status} ${decision.message}`
    : `${decision.kind} ${'message' in decision ? decision.message : ''}`;
}

t.test('what a takeover does next', async (t) => {
  const rollingBack = { status: JobStatus.JOB_STATUS_ROLLING_BACK };
  const failed = withFailure(job(), 'server/s1', 'FENCE_UNPROVEN: disk d is open at 10.0.0.1');
  const late = { triedMs: 999_500 };
  const cases: readonly [string, shoal.v1.Job, TakeoverWorld, RegExp][] = [
    ['one moves', job(), world([server()]), /^move-server s1$/],
    [
      'those of a higher priority first',
      job(),
      world([server(), server({ id: 's2', priority: 90 })]),
      /^move-server s2$/,
    ],
    [
      'what is bound is fenced before the next moves',
      job(),
      world([server(), server({ id: 's2', place: 'fencing' })]),
      /^fence-server s2$/,
    ],
    [
      'a fence that failed just now waits, and says why',
      failed,
      world([server({ place: 'fencing', ...late })]),
      /^wait web waits for the fence: FENCE_UNPROVEN: disk d is open/,
    ],
    ['and is tried again', failed, world([server({ place: 'fencing', triedMs: 997_000 })]), /^fence-server s1$/],
    [
      'no room: it says so, and tries again later',
      failed,
      world([server({ ...late })]),
      /^wait web has no other host yet/,
    ],
    [
      'an unknown witness stops it',
      job(),
      world([server()], unknown),
      /^wait Nothing more is taken from one: the storage rbd/,
    ],
    [
      'and what is bound is not fenced by a guess',
      job(),
      world([server({ place: 'fencing' })], unknown),
      /^wait web waits for the fence: one is not known/,
    ],
    [
      'nor when the host is there: it lets go by itself',
      job(),
      world([server({ place: 'fencing' })], there),
      /^wait .*it answers/,
    ],
    [
      'a host that is there keeps what was not taken',
      job(),
      world([server()], there),
      /^cancelled one is not gone: it answers; 0 of its servers are back on other hosts/,
    ],
    [
      'also after some were',
      job(),
      world([server(), server({ id: 's2', place: 'back', triedMs: 5, isNoted: true })], there),
      /^succeeded .* 1 of its servers is back/,
    ],
    [
      'one that is starting is waited for',
      job(),
      world([server({ place: 'starting', ...late })]),
      /^wait web is being started/,
    ],
    ['its return is noted once', job(), world([server({ place: 'back', ...late })]), /^note-back s1$/],
    [
      'and ends it',
      job(),
      world([server({ place: 'back', ...late, isNoted: true })]),
      /^succeeded 1 of its servers is back/,
    ],
    [
      'what stays is named',
      job(),
      world([server({ stays: "its disk is on its host's own storage" })]),
      /^succeeded .* 1 stay with it\. web: its disk/,
    ],
    ['taken back, nothing new moves', job(rollingBack), world([server()]), /^cancelled Taken back/],
    ['but what is bound is proved first', job(rollingBack), world([server({ place: 'fencing' })]), /^fence-server s1$/],
    [
      'the host was removed',
      job(),
      { ...world([server({ place: 'gone' })]), hostName: undefined },
      /^succeeded The host has left/,
    ],
    [
      'eight at once',
      job(),
      world([...Array.from({ length: 8 }, (_, n) => server({ id: `f${n}`, place: 'starting', ...late })), server()]),
      /^wait web and 7 more is being started/,
    ],
  ];
  for (const [name, one, seen, expected] of cases) t.match(text(nextOfTakeover(one, seen)), expected, name);
  t.same(progressOfTakeover(job(), world([server(), server({ place: 'back' }), server({ stays: 'no' })])), {
    done: 1,
    total: 2,
  });
});

t.test(
  'whatever happens, it ends with no server between two hosts, and nothing moves or is fenced by a guess',
  async (t) => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = new Prng(seed);
      let record = job(random.below(4) === 0 ? { status: JobStatus.JOB_STATUS_ROLLING_BACK } : {});
      let servers = Array.from({ length: 1 + random.below(12) }, (_, n) =>
        server({ id: `s${n}`, priority: random.below(3), stays: random.below(5) === 0 ? 'it is paused' : undefined }),
      );
      let nowMs = 1_000;
      let ended = false;
      for (let turn = 0; turn < 2_000 && !ended; turn += 1) {
        // Witnesses change their minds; at last the host is gone for good, or back.
        const verdict = turn > 1_000 ? (seed % 2 === 0 ? gone : there) : random.pick([gone, gone, unknown, there]);
        const decision = nextOfTakeover(record, { nowMs, hostName: 'one', verdict, servers });
        nowMs += 500;
        if (decision.kind === 'wait') {
          servers = servers.map((one) => {
            if (one.place === 'starting' && random.below(3) === 0) return { ...one, place: 'back' as const };
            // The host that is there lets go by itself.
            return one.place === 'fencing' && verdict.kind === 'there' ? { ...one, place: 'starting' as const } : one;
          });
          continue;
        }
        if (decision.kind === 'end') {
          ended = true;
          t.notOk(
            servers.some(({ place }) => place === 'fencing'),
            `seed ${seed}: nothing is left between two hosts`,
          );
          continue;
        }
        if (decision.kind !== 'do') throw new Error('no other decisions');
        const { kind, serverId } = decision.action;
        if (kind !== 'note-back' && verdict.kind !== 'gone') t.fail(`seed ${seed}: ${kind} while ${verdict.kind}`);
        const works = random.below(3) !== 0;
        if (!works) record = withFailure(record, `server/${serverId}`, 'no');
        servers = servers.map((one) => {
          if (one.id !== serverId) return one;
          if (kind === 'note-back') return { ...one, isNoted: true };
          const place = !works ? one.place : kind === 'move-server' ? ('fencing' as const) : ('starting' as const);
          if (works && kind === 'move-server' && one.stays !== undefined) t.fail('it was to stay');
          return { ...one, place, triedMs: nowMs };
        });
      }
      t.ok(ended, `seed ${seed} ends`);
    }
  },
);
