import fc from 'fast-check';
import t from 'tap';
import { kernelHold, leaseMs, nextLeaseStep, renewMs } from '../../../../node/host/api-address/lease.ts';

const kernelLateMs = 1_250;

/** A host of the random course: its clock runs at its own speed, and it may be cut off, or stand still. */
interface Host {
  readonly id: string;
  readonly speed: number;
  readonly offsetMs: number;
  seen: { readonly revision: number; readonly atMs: number } | undefined;
  renewedMs: number | undefined;
  /** Until when its kernel may have the address, in true time. */
  kernelUntilMs: number;
  cutUntilMs: number;
  /** What it knows of the record: nothing new while it is cut off. */
  known: { readonly revision: number; readonly holderHostId: string };
}

t.test('whatever stops, is cut off or runs fast or slow, no two hosts have the address at once', async (t) => {
  const faults = fc.record({ atMs: fc.nat(60_000), host: fc.nat(2), lastsMs: fc.nat(15_000) });
  let moves = 0;
  fc.assert(
    fc.property(
      fc.array(faults, { maxLength: 12 }),
      fc.array(fc.double({ min: 0.991, max: 1.009, noNaN: true }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.nat(1_500), { minLength: 40, maxLength: 40 }),
      (cuts, speeds, delays) => {
        const record = { revision: 1, holderHostId: '' };
        const hosts = speeds.map(
          (speed, at): Host => ({
            id: `h${at}`,
            speed,
            offsetMs: at * 1e6,
            seen: undefined,
            renewedMs: undefined,
            kernelUntilMs: 0,
            cutUntilMs: 0,
            known: { ...record },
          }),
        );
        let drawn = 0;
        for (let trueMs = 0; trueMs < 80_000; trueMs += 50) {
          for (const cut of cuts) {
            const host = hosts[cut.host];
            if (host !== undefined && cut.atMs <= trueMs && trueMs < cut.atMs + 50)
              host.cutUntilMs = trueMs + cut.lastsMs;
          }
          for (const host of hosts) {
            if (trueMs < host.cutUntilMs) continue;
            host.known = { ...record };
            const nowMs = host.offsetMs + trueMs * host.speed;
            if (host.seen?.revision !== record.revision) host.seen = { revision: record.revision, atMs: nowMs };
            const step = nextLeaseStep({
              record: host.known,
              ownHostId: host.id,
              seenMs: host.seen.atMs,
              renewedMs: host.renewedMs,
              isCandidate: true,
              nowMs,
            });
            if (step === 'wait') continue;
            // The answer may come late; what counts is when it was sent.
            const delayMs = delays[drawn % delays.length] ?? 0;
            drawn += 1;
            record.revision += 1;
            if (record.holderHostId !== host.id) moves += 1;
            record.holderHostId = host.id;
            host.renewedMs = nowMs;
            const hold = kernelHold(nowMs, nowMs + delayMs);
            // At its latest: it hears it in the last moment, and its kernel is as late as it may be.
            if (hold !== undefined) {
              const untilMs = hold.untilMs + hold.seconds * 1_000 + kernelLateMs;
              host.kernelUntilMs = trueMs + (untilMs - nowMs) / host.speed;
            }
            const others = hosts.filter((other) => other !== host && other.kernelUntilMs > trueMs);
            if (hold !== undefined && others.length > 0) return false;
          }
        }
        return true;
      },
    ),
    { numRuns: 300 },
  );
  t.ok(moves > 300, `${moves} times it went to another host`);
});

t.test('what is said to the kernel ends before the lease', async () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(6_000), (renewedMs, laterMs) => {
      const hold = kernelHold(renewedMs, renewedMs + laterMs);
      if (hold === undefined) return laterMs > leaseMs - kernelLateMs - 1_300;
      const { seconds, untilMs } = hold;
      return (
        seconds >= 1 &&
        untilMs >= renewedMs + laterMs + 300 &&
        untilMs + seconds * 1_000 + kernelLateMs <= renewedMs + leaseMs
      );
    }),
  );
});

t.test('each step', async (t) => {
  const view = {
    record: { holderHostId: 'other' },
    ownHostId: 'own',
    seenMs: 1_000,
    renewedMs: undefined,
    isCandidate: true,
    nowMs: 2_000,
  };
  t.equal(nextLeaseStep(view), 'wait');
  t.equal(nextLeaseStep({ ...view, nowMs: 1_000 + leaseMs }), 'wait', 'clocks may run apart');
  t.equal(nextLeaseStep({ ...view, nowMs: 1_000 + leaseMs * 1.02 }), 'take');
  t.equal(nextLeaseStep({ ...view, record: undefined }), 'take');
  t.equal(nextLeaseStep({ ...view, record: { holderHostId: '' } }), 'take', 'it was given up');
  t.equal(nextLeaseStep({ ...view, record: undefined, isCandidate: false }), 'wait');
  const own = { ...view, record: { holderHostId: 'own' }, seenMs: 1_520, renewedMs: 1_500 };
  t.equal(nextLeaseStep({ ...own, nowMs: 1_500 + renewMs - 1 }), 'wait');
  t.equal(nextLeaseStep({ ...own, nowMs: 1_500 + renewMs }), 'renew');
  t.equal(nextLeaseStep({ ...own, nowMs: 1_500 + leaseMs }), 'wait', 'too late: it is one of the others now');
  t.equal(nextLeaseStep({ ...own, renewedMs: undefined }), 'wait', 'an earlier process of this host had it');
});
