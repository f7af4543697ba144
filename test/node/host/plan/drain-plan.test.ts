import t from 'tap';
import { Prng } from '../../../../node/base/prng.ts';
import {
  type DrainAction,
  type DrainServer,
  type DrainWorld,
  nextOfDrain,
  progressOfDrain,
} from '../../../../node/host/plan/drain-plan.ts';
import type { JobDecision } from '../../../../node/host/plan/job-plan.ts';
import { withFailure } from '../../../../node/services/jobs/job-record.ts';
import { shoal } from '../../../../proto/messages.ts';

const { JobStatus } = shoal.v1;

function job(over: object = {}, drain: object = {}): shoal.v1.Job {
  return new shoal.v1.Job({
    id: 'j1',
    kind: 'drain',
    status: JobStatus.JOB_STATUS_RUNNING,
    phase: 'moving',
    drain: new shoal.v1.DrainJob({ hostId: 'h1', wasEnabled: true, ...drain }),
    ...over,
  });
}

function server(over: Partial<DrainServer> = {}): DrainServer {
  const plain = { id: 's1', name: 'web', place: 'here', power: 'stopped', isIdle: true } as const;
  const untried = {
    priority: 0,
    memoryMib: 128,
    liveTries: 0,
    liveFailure: '',
    isDeleting: false,
    isStoppedByJob: true,
  };
  return { ...plain, ...untried, way: cold, ...over };
}

const cold = { how: 'cold', why: '' } as const;
const live = { how: 'live', why: '' } as const;
const stays = { how: 'stay', why: "its disk is on its host's own storage" } as const;

function world(servers: readonly DrainServer[], isEnabled = false, wasEnabled = true): DrainWorld {
  return { hosts: [{ id: 'h1', name: 'one', isEnabled, wasEnabled }], servers };
}

/** A decision in one line. */
function text(decision: JobDecision<DrainAction>): string {
  switch (decision.kind) {
    case 'do':
      return [decision.action.kind, 'serverId' in decision.action ? decision.action.serverId : ''].join(' ').trim();
    case 'turn':
      return `turn ${decision.phase}`;
    case 'wait':
      return `wait ${decision.message}`;
    case 'end':
      return `${decision.status} ${decision.message}`;
  }
}

t.test('what a drain does next', async (t) => {
  const runs = server({ power: 'running', way: live });
  const failed = (attempts: number, over: object = {}): object => ({
    failures: [new shoal.v1.JobFailure({ subject: 'server/s1', message: 'no host', attempts, ...over })],
  });
  const failedLive = (attempts: number, code = ''): object => failed(attempts, { subject: 'live-migration/s1', code });
  const move = { migrationId: 'm1', isByJob: true, isCancelled: false, told: '43 % of its memory is copied' };
  const moving = server({ id: 's9', name: 'db', power: 'running', way: live, isIdle: false, liveMove: move });
  const rollingBack = { status: JobStatus.JOB_STATUS_ROLLING_BACK };
  const cases: readonly [string, shoal.v1.Job, DrainWorld, RegExp][] = [
    ['new servers are kept away first', job({ phase: '' }), world([], true), /^disable-host$/],
    ['then it moves', job({ phase: '' }), world([]), /^turn moving$/],
    ['the host has gone', job(), { hosts: [], servers: [] }, /^failed .*left the mesh/],
    ['somebody enabled it', job(), world([], true), /^failed Somebody/],
    ['an empty host', job(), world([]), /^succeeded/],
    ['a stopped server moves', job(), world([server()]), /^move-server s1$/],
    ['a busy one is waited for', job(), world([server({ isIdle: false })]), /^wait Waiting for web/],
    ['so is one on its way', job(), world([server({ place: 'leaving', isIdle: false })]), /^wait/],
    ['and one that is being deleted', job(), world([server({ isDeleting: true, isIdle: false })]), /^wait/],
    ['one that runs moves while it does', job(), world([runs]), /^move-live s1$/],
    ['it is tried again while it runs', job(failedLive(2)), world([runs]), /^move-live s1$/],
    [
      'tries that have begun count too',
      job(failedLive(1)),
      world([{ ...runs, liveTries: 2, liveFailure: 'another CPU' }]),
      /^failed .*web: it could not be moved while it runs: another CPU/,
    ],
    ['then it is stopped, if it may be', job(failedLive(3), { stopRunning: true }), world([runs]), /^stop-server s1$/],
    [
      'but not when there is no room for it anyway',
      job(failedLive(3, 'NO_VALID_HOST'), { stopRunning: true }),
      world([runs]),
      /^failed .*web: no host/,
    ],
    [
      'nor when it is paused',
      job(failedLive(3), { stopRunning: true }),
      world([{ ...runs, power: 'paused' }]),
      /^failed .*while it runs/,
    ],
    [
      'one that cannot go while it runs is stopped',
      job({}, { stopRunning: true }),
      world([server({ power: 'running' })]),
      /^stop-server s1$/,
    ],
    ['a disk of the host stays', job(), world([server({ way: stays })]), /^failed .*own storage/],
    [
      'one that goes over is waited for, and how far it is told',
      job({}, { parallel: 1 }),
      world([runs, moving]),
      /^wait Waiting for db \(43 % of its memory is copied\) and 1 more/,
    ],
    ['one that is on its way there is waited for', job(), world([server({ place: 'arriving' })]), /^wait/],
    [
      'the most urgent goes first, then the largest',
      job(),
      world([server({ id: 'a' }), server({ id: 'b', memoryMib: 512 }), server({ id: 'c', priority: 1 })]),
      /^move-server c$/,
    ],
    ['resting, it begins nothing', job({ paused: true }), world([runs]), /^wait Resting/],
    [
      'but what it has stopped goes on',
      job({ paused: true }, { stoppedServerIds: ['s1'] }),
      world([server()]),
      /^move-server s1$/,
    ],
    ['taken back: what goes over is called back', job(rollingBack), world([moving]), /^call-back s9$/],
    ['and waited for', job(rollingBack), world([{ ...moving, liveMove: { ...move, isCancelled: true } }]), /^wait/],
    [
      'what an owner has asked to go over is not',
      job(rollingBack),
      world([{ ...moving, liveMove: { ...move, isByJob: false } }]),
      /^enable-host$/,
    ],
    [
      'of several hosts each is kept free',
      job({ phase: '' }),
      {
        hosts: [
          { id: 'h1', name: 'one', isEnabled: false, wasEnabled: true },
          { id: 'h2', name: 'two', isEnabled: true, wasEnabled: true },
        ],
        servers: [],
      },
      /^disable-host$/,
    ],
    ['it is tried again', job(failed(2)), world([server()]), /^move-server s1$/],
    ['not for ever', job(failed(3)), world([server()]), /^failed .*web: no host/],
    [
      'four at once',
      job(),
      world([server(), ...[1, 2, 3, 4].map((n) => server({ id: `m${n}`, place: 'leaving', isIdle: false }))]),
      /^wait/,
    ],
    [
      'what was stopped is started where it arrived',
      job({}, { stoppedServerIds: ['s1'] }),
      world([server({ place: 'elsewhere' })]),
      /^start-server s1$/,
    ],
    [
      'and is forgotten then',
      job({}, { stoppedServerIds: ['s1'] }),
      world([server({ place: 'elsewhere', power: 'running' })]),
      /^forget-stopped s1$/,
    ],
    [
      'what was stopped and cannot go is started where it is',
      job(failed(3), { stopRunning: true, stoppedServerIds: ['s1'] }),
      world([server()]),
      /^start-server s1$/,
    ],
    [
      'taken back: what was stopped is started where it is',
      job(rollingBack, { stoppedServerIds: ['s1'] }),
      world([server()]),
      /^start-server s1$/,
    ],
    [
      'what its owner has shelved since it was stopped is not waited for',
      job(rollingBack, { stoppedServerIds: ['s1'] }),
      world([server({ place: 'elsewhere', power: 'other' })]),
      /^forget-stopped s1$/,
    ],
    [
      'what went off before the job stopped it stays off',
      job(rollingBack, { stoppedServerIds: ['s1'] }),
      world([server({ isStoppedByJob: false })]),
      /^forget-stopped s1$/,
    ],
    ['taken back: the host takes servers again', job(rollingBack), world([server()]), /^enable-host$/],
    ['taken back, and it was disabled before', job(rollingBack), world([], false, false), /^failed .*time/],
    ['cancelled', job({ ...rollingBack, cancelRequested: true }), world([], true), /^cancelled/],
  ];
  for (const [name, given, seen, wanted] of cases) t.match(text(nextOfDrain(given, seen)), wanted, name);
});

t.test('progress counts what has left of all that was there', async (t) => {
  t.same(progressOfDrain(job(), world([server(), server({ id: 's2', place: 'leaving' })])), { done: 0, total: 2 });
  t.same(progressOfDrain(job({ progressTotal: 2 }), world([server()])), { done: 1, total: 2 });
});

t.test('property: a drain ends, and leaves no server off that it has stopped', async (t) => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Prng(seed);
    const run = drainOf(random);
    t.ok(run.decisions < 400, `seed ${seed}: ${run.decisions} decisions`);
    t.same(run.leftOff, [], `seed ${seed}: none is left off`);
    if (run.status === 'succeeded') t.same(run.stayed, [], `seed ${seed}: none stays`);
  }
});

/** Carries out a drain of random servers; moves fail at random, some for good, and it may be cancelled. */
function drainOf(random: Prng): {
  readonly status: string;
  readonly decisions: number;
  readonly leftOff: readonly string[];
  readonly stayed: readonly string[];
} {
  let current = job({ phase: '' }, { stopRunning: random.chance(0.7) });
  let isEnabled = true;
  const servers = new Map<string, DrainServer>();
  for (let n = random.below(6); n > 0; n -= 1) {
    const power = random.chance(0.5) ? 'running' : 'stopped';
    const goes = power === 'running' ? random.pick([live, cold]) : cold;
    servers.set(`s${n}`, server({ id: `s${n}`, power, way: random.chance(0.8) ? goes : stays }));
  }
  const ran = [...servers.values()].filter(({ power }) => power === 'running').map(({ id }) => id);
  const stuck = new Set([...servers.keys()].filter(() => random.chance(0.2)));
  const set = (id: string, over: Partial<DrainServer>): void => {
    const before = servers.get(id);
    if (before !== undefined) servers.set(id, { ...before, ...over });
  };
  for (let decisions = 0; ; decisions += 1) {
    if (random.chance(0.02)) current = new shoal.v1.Job({ ...current, cancelRequested: true });
    if (current.cancelRequested) current = new shoal.v1.Job({ ...current, status: JobStatus.JOB_STATUS_ROLLING_BACK });
    const decision = nextOfDrain(current, world([...servers.values()], isEnabled));
    if (decision.kind === 'end' || decisions >= 400) {
      const status = decision.kind === 'end' ? decision.status : 'endless';
      const all = [...servers.values()];
      return {
        status,
        decisions,
        leftOff: all.filter(({ id, power }) => ran.includes(id) && power !== 'running').map(({ id }) => id),
        stayed: all.filter(({ place }) => place !== 'elsewhere').map(({ id }) => id),
      };
    }
    if (decision.kind === 'turn') current = new shoal.v1.Job({ ...current, phase: decision.phase });
    // The hosts come further while it waits, and now and then meanwhile.
    if (decision.kind === 'wait' || random.chance(0.3))
      for (const { id, place, liveMove } of [...servers.values()]) {
        if (place === 'leaving') set(id, { place: 'elsewhere', isIdle: true });
        if (liveMove === undefined) continue;
        const { liveMove: _ended, ...rest } = servers.get(id) ?? server();
        const isThere = !liveMove.isCancelled && !stuck.has(id) && random.chance(0.8);
        servers.set(id, { ...rest, isIdle: !isThere, place: isThere ? 'leaving' : 'here', liveFailure: 'gone' });
      }
    if (random.chance(0.05)) current = new shoal.v1.Job({ ...current, paused: !current.paused });
    if (decision.kind === 'wait' && current.paused) current = new shoal.v1.Job({ ...current, paused: false });
    if (decision.kind !== 'do') continue;
    const { action, about } = decision;
    const { drain } = current;
    const stopped = (ids: readonly string[]): shoal.v1.Job =>
      new shoal.v1.Job({ ...current, drain: new shoal.v1.DrainJob({ ...drain, stoppedServerIds: [...ids] }) });
    const others = (drain?.stoppedServerIds ?? []).filter((id) => 'serverId' in action && id !== action.serverId);
    switch (action.kind) {
      case 'disable-host':
      case 'enable-host':
        isEnabled = action.kind === 'enable-host';
        break;
      case 'stop-server':
        current = stopped([...others, action.serverId]);
        set(action.serverId, { power: 'stopped', way: cold });
        break;
      case 'move-live': {
        const tries = servers.get(action.serverId)?.liveTries ?? 0;
        const liveMove = { migrationId: 'm', isByJob: true, isCancelled: false, told: '' };
        if (random.chance(0.2)) current = withFailure(current, about, 'no host', random.pick(['', 'NO_VALID_HOST']));
        else set(action.serverId, { isIdle: false, liveTries: tries + 1, liveMove });
        break;
      }
      case 'call-back': {
        const { liveMove } = servers.get(action.serverId) ?? {};
        if (liveMove !== undefined) set(action.serverId, { liveMove: { ...liveMove, isCancelled: true } });
        break;
      }
      case 'start-server':
        set(action.serverId, { power: 'running' });
        break;
      case 'forget-stopped':
        current = stopped(others);
        break;
      case 'move-server':
        if (stuck.has(action.serverId) || random.chance(0.1)) current = withFailure(current, about, 'no host');
        else set(action.serverId, { place: 'leaving', isIdle: false });
    }
  }
}
