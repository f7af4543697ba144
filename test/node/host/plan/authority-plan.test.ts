import t from 'tap';
import { Prng } from '../../../../node/base/prng.ts';
import { nextOfRotation, progressOfRotation, type RotationWorld } from '../../../../node/host/plan/authority-plan.ts';
import { shoal } from '../../../../proto/messages.ts';

const job = new shoal.v1.Job({
  kind: 'rotate-authority',
  deadlineMs: 10_000,
  rotateAuthority: new shoal.v1.RotateAuthorityJob({ absentUntilMs: 1_000, keepUntilMs: 2_000 }),
});
const world: RotationWorld = {
  nowMs: 0,
  isPresent: true,
  isOnlyShown: false,
  hasFormer: true,
  hosts: [
    { name: 'a', knows: true, shows: false },
    { name: 'b', knows: false, shows: false },
  ],
};
const all = { knows: true, shows: true };

t.test('nobody is told to show what somebody does not know, unless that one is off for too long', (t) => {
  t.match(nextOfRotation(job, world), { kind: 'wait', message: /b\./ });
  t.match(nextOfRotation(job, { ...world, nowMs: 1_000 }), { kind: 'do', action: 'show-only-present' });
  const known = { ...world, hosts: world.hosts.map((host) => ({ ...host, knows: true })) };
  t.match(nextOfRotation(job, known), { kind: 'do', action: 'show-only-present' });
  t.match(nextOfRotation(job, { ...known, isOnlyShown: true }), { kind: 'wait', message: /a, b/ });
  t.end();
});

t.test('the one before is dropped when all have changed over and clients had their time', (t) => {
  const over = { ...world, isOnlyShown: true, hosts: world.hosts.map((host) => ({ ...host, ...all })) };
  t.match(nextOfRotation(job, over), { kind: 'wait', message: /1970-01-01T00:00:02/ });
  t.match(nextOfRotation(job, { ...over, nowMs: 2_000 }), { kind: 'do', action: 'drop-former' });
  t.match(nextOfRotation(job, { ...over, hasFormer: false }), { kind: 'end', status: 'succeeded' });
  t.same(progressOfRotation(job, { ...over, hasFormer: false }), { done: 5, total: 5 });
  t.same(progressOfRotation(job, world), { done: 1, total: 5 });
  t.end();
});

t.test('cancelled, late or overtaken it ends, and says what is so', (t) => {
  const cancelled = new shoal.v1.Job({ ...job, cancelRequested: true });
  t.match(nextOfRotation(cancelled, world), { kind: 'end', status: 'cancelled', message: /halfway/ });
  t.match(nextOfRotation(job, { ...world, nowMs: 10_000 }), { kind: 'end', status: 'failed', message: /halfway/ });
  t.match(nextOfRotation(job, { ...world, isPresent: false }), { kind: 'end', status: 'failed', message: /re-keyed/ });
  t.end();
});

t.test('from any world it ends, and never drops what a host that is awaited shows', (t) => {
  const random = new Prng(20_261_130);
  for (let run = 0; run < 500; run += 1) {
    const hosts = Array.from({ length: random.below(6) }, (_, at) => ({ name: `h${at}`, knows: false, shows: false }));
    let now: RotationWorld = { ...world, hosts };
    let ended = false;
    for (let step = 0; step < 300 && !ended; step += 1) {
      const decision = nextOfRotation(job, now);
      if (decision.kind === 'end') {
        ended = true;
        t.equal(decision.status, 'succeeded');
      } else if (decision.kind === 'do' && decision.action === 'show-only-present') {
        t.ok(now.nowMs >= 1_000 || now.hosts.every(({ knows }) => knows));
        now = { ...now, isOnlyShown: true };
      } else if (decision.kind === 'do') {
        t.ok(now.nowMs >= 2_000 && (now.nowMs >= 1_000 || now.hosts.every(({ shows }) => shows)));
        now = { ...now, hasFormer: false };
      }
      // Some host comes on, or time passes.
      now = {
        ...now,
        nowMs: now.nowMs + random.below(60),
        hosts: now.hosts.map((host) => {
          if (random.below(4) > 0) return host;
          return host.knows && now.isOnlyShown ? { ...host, shows: true } : { ...host, knows: true };
        }),
      };
    }
    t.ok(ended);
  }
  t.end();
});
