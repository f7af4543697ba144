/** G4, G11: storage that is away keeps no agent from starting, is tried again, and is told as what it is. */
import t from 'tap';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { Health } from '../../../node/base/telemetry/health.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { PatientStorage } from '../../../node/host/patient-storage.ts';

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

/** Storage that does not answer while `isAway`. */
class Absent extends FakeStorageDriver {
  isAway = true;
  starts = 0;

  override async start(signal: AbortSignal): Promise<void> {
    this.starts += 1;
    this.#answer();
    await super.start(signal);
  }

  override async listDisks(signal: AbortSignal): ReturnType<FakeStorageDriver['listDisks']> {
    this.#answer();
    return super.listDisks(signal);
  }

  #answer(): void {
    if (this.isAway) throw new ShoalError('CANNOT_TELL', 'Ceph does not answer: rbd took longer than 30000 ms');
  }
}

const id = '0b8f3a52-0000-4000-8000-000000000001' as VolumeId;

t.test(
  'G4: an agent starts while Ceph is away, refuses what needs it with the reason, and takes it up when it is back',
  async (t) => {
    const failures: string[] = [];
    const health = new Health(systemClock, (part) => failures.push(part));
    const inner = new Absent(new FakeStorage({ shared: true }));
    const storage = new PatientStorage({ clock: systemClock, logger: silentLogger, health }, inner, true);
    const { signal } = new AbortController();
    const startedMs = performance.now();
    await storage.start(signal);
    t.ok(performance.now() - startedMs < 5_000, 'the agent goes on');
    await t.rejects(storage.findDisk(id, signal), { code: 'UNAVAILABLE', message: /Ceph does not answer/ });
    const [part = ''] = health.troubles.keys();
    t.match(part, /^storage /);
    t.match(health.told()[part], /Ceph does not answer.*since \d{4}-.* times?\)/);
    t.ok(failures.length > 0, 'and counted');

    inner.isAway = false;
    const endMs = performance.now() + 10_000;
    while (health.troubles.size > 0 && performance.now() < endMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
    t.same(health.told(), {}, 'nobody restarted anything');
    t.equal(await storage.findDisk(id, signal), undefined);

    inner.isAway = true;
    await t.rejects(storage.listDisks(signal), { code: 'CANNOT_TELL' });
    t.ok(health.troubles.has(part), 'away again');
    inner.isAway = false;
    await storage.listDisks(signal);
    t.same(health.told(), {}, 'and back');
    await storage.stop();
  },
);

t.test("the host's own disks must be there", async (t) => {
  const health = new Health(systemClock);
  const inner = new Absent(new FakeStorage({ shared: false }));
  const storage = new PatientStorage({ clock: systemClock, logger: silentLogger, health }, inner, false);
  await t.rejects(storage.start(new AbortController().signal), { code: 'CANNOT_TELL' });
  t.equal(inner.starts, 1);
  await storage.stop();
});

t.test('an agent that is told to stop while Ceph is away stops', async (t) => {
  const stop = new AbortController();
  const storage = new PatientStorage(
    { clock: systemClock, logger: silentLogger, health: new Health(systemClock) },
    new Absent(new FakeStorage({ shared: true })),
    true,
  );
  const starting = storage.start(stop.signal);
  stop.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
  await t.rejects(starting, { code: 'CANCELLED' });
  await storage.stop();
});

t.test('before the first try has failed, nothing is said of how long the storage has been silent', async (t) => {
  const inner = new Absent(new FakeStorage({ shared: true }));
  const storage = new PatientStorage(
    { clock: systemClock, logger: silentLogger, health: new Health(systemClock) },
    inner,
    true,
  );
  const { signal } = new AbortController();
  await t.rejects(storage.findDisk(id, signal), { code: 'UNAVAILABLE', message: /is being started.*try again/ });
  await storage.start(signal);
  await t.rejects(storage.findDisk(id, signal), { code: 'UNAVAILABLE', message: /has not answered since.*Ceph/ });
  await storage.stop();
});
