/** What the fakes can be told to do, beyond the compliance suites. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import type { GuestEvent, GuestSpec } from '../../../drivers/types.ts';
import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId, VolumeId, VolumeSnapshotId } from '../../../node/base/ids.ts';
import { mibBytes } from '../../../node/base/units.ts';

const { signal } = new AbortController();
const spec = (): GuestSpec => ({
  serverId: randomUUID() as ServerId,
  generation: 1,
  name: 'g',
  vcpus: 1,
  memoryMib: 64,
  disks: [],
  nics: [],
});

/** A clock that moves when told to. */
class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();
  nowMs(): number {
    return this.#nowMs;
  }
  monotonicMs(): number {
    return this.#nowMs;
  }
  setTimeout(callback: () => void, delayMs: number): { cancel: () => void } {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  setInterval(): never {
    throw new Error('the fakes use no interval');
  }
  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers].sort((left, right) => left.atMs - right.atMs)) {
      if (timer.atMs <= this.#nowMs && this.#timers.delete(timer)) timer.callback();
    }
  }
}

await t.test('ordered failures strike in order, and then no more', async (t) => {
  const host = new FakeComputeHost();
  const driver = new FakeComputeDriver(host);
  await driver.start(signal);
  host.faults.failNext('startGuest', new ShoalError('DRIVER_FAILED', 'first'));
  host.faults.failNext('startGuest', new ShoalError('UNAVAILABLE', 'then'), 2);
  const guest = spec();
  await t.rejects(driver.startGuest(guest, signal), { code: 'DRIVER_FAILED' });
  await t.rejects(driver.startGuest(guest, signal), { code: 'UNAVAILABLE' });
  t.equal(await driver.find(guest.serverId, signal), undefined, 'other operations are not struck');
  await t.rejects(driver.startGuest(guest, signal), { code: 'UNAVAILABLE' });
  t.match(await driver.startGuest(guest, signal), { power: 'running' });
  t.strictSame(host.starts, [{ serverId: guest.serverId, generation: 1 }]);
});

await t.test('guests start late, ignore the power button and crash on the clock that the test holds', async (t) => {
  const clock = new ManualClock();
  const host = new FakeComputeHost(clock);
  const driver = new FakeComputeDriver(host);
  await driver.start(signal);
  const events: GuestEvent[] = [];
  driver.onEvent((event) => events.push(event));
  Object.assign(host.behaviour, { startDelayMs: 100, powerOffDelayMs: Number.POSITIVE_INFINITY, crashAfterMs: 1000 });
  const guest = spec();
  const starting = driver.startGuest(guest, signal);
  t.equal(await driver.find(guest.serverId, signal), undefined, 'not yet');
  clock.advance(100);
  t.match(await starting, { power: 'running' });
  const stopping = driver.stopGuest(guest.serverId, { graceMs: 500 }, signal);
  clock.advance(499);
  t.match(await driver.find(guest.serverId, signal), { power: 'running' }, 'it ignores the button');
  clock.advance(1);
  await stopping;
  t.equal(await driver.find(guest.serverId, signal), undefined, 'and is ended');
  const again = driver.startGuest({ ...guest, generation: 2 }, signal);
  clock.advance(100);
  await again;
  clock.advance(1000);
  t.match(await driver.find(guest.serverId, signal), { power: 'crashed', generation: 2 });
  t.match(events, [{ serverId: guest.serverId, power: 'crashed' }]);
});

await t.test('a power cut leaves every guest crashed, and says nothing', async (t) => {
  const host = new FakeComputeHost();
  const driver = new FakeComputeDriver(host);
  await driver.start(signal);
  const events: GuestEvent[] = [];
  driver.onEvent((event) => events.push(event));
  const guest = spec();
  await driver.startGuest(guest, signal);
  host.print(guest.serverId, 'hello');
  host.reboot();
  t.match(await driver.find(guest.serverId, signal), { power: 'crashed', detail: 'the host was restarted' });
  t.equal(Buffer.from(await driver.consoleLog(guest.serverId, 3, signal)).toString(), 'llo');
  t.strictSame(events, []);
});

await t.test('shared storage fences the old owner before another takes its disk', async (t) => {
  const storage = new FakeStorage();
  const driver = new FakeStorageDriver(storage);
  const [first, second] = ['a', 'b'] as HostId[];
  if (first === undefined || second === undefined) throw new Error('two hosts');
  const disk = { volumeId: randomUUID() as VolumeId, sizeBytes: 1, generation: 1 };
  await driver.ensureDisk(disk, signal);
  await driver.openDisk(disk, first, signal);
  t.equal(storage.write(disk.volumeId, first, 1), true);
  storage.canFence = false;
  await t.rejects(driver.openDisk({ ...disk, generation: 2 }, second, signal), { code: 'FENCE_UNPROVEN' });
  t.equal(storage.write(disk.volumeId, first, 1), true, 'an unproved fence takes nothing away');
  storage.canFence = true;
  await driver.openDisk({ ...disk, generation: 2 }, second, signal);
  t.equal(storage.write(disk.volumeId, first, 1), false, 'the old owner writes no more');
  t.equal(storage.write(disk.volumeId, second, 2), true);
  await t.rejects(
    driver.openDisk({ ...disk, generation: 3 }, first, signal),
    { code: 'FENCE_UNPROVEN' },
    'and opens no more',
  );
});

await t.test('a full storage refuses, and keeps what it has', async (t) => {
  const driver = new FakeStorageDriver(new FakeStorage({ totalBytes: 10 }));
  const disk = { volumeId: randomUUID() as VolumeId, sizeBytes: 8, generation: 1 };
  await driver.ensureDisk(disk, signal);
  await t.rejects(driver.ensureDisk({ ...disk, sizeBytes: 11 }, signal), { code: 'DRIVER_FAILED' });
  await t.rejects(driver.ensureDisk({ ...disk, volumeId: randomUUID() as VolumeId }, signal), {
    code: 'DRIVER_FAILED',
  });
  t.strictSame(await driver.capacity(signal), { totalBytes: 10, freeBytes: 2 });
});

await t.test('a guest takes disks in and lets them go, and its snapshots are of one instant', async (t) => {
  const storage = new FakeStorage();
  const disks = new FakeStorageDriver(storage);
  const clock = new ManualClock();
  const host = new FakeComputeHost(clock, [storage]);
  const driver = new FakeComputeDriver(host);
  await driver.start(signal);
  const guest = spec();
  await driver.startGuest(guest, signal);
  const owner = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
  const [one, two] = [randomUUID() as VolumeId, randomUUID() as VolumeId];
  for (const volumeId of [one, two]) {
    const disk = { volumeId, sizeBytes: mibBytes, generation: 1 };
    await disks.ensureDisk(disk, signal);
    await driver.attachDisk(guest.serverId, { volumeId, source: await disks.openDisk(disk, owner, signal) }, signal);
  }
  t.strictSame((await driver.find(guest.serverId, signal))?.disks, [one, two]);
  for (const volumeId of [one, two]) storage.write(volumeId, owner, 1);
  const snapshotId = randomUUID() as VolumeSnapshotId;
  const both = [one, two].map((volumeId) => ({ volumeId, snapshotId }));
  t.strictSame(await driver.snapshotDisks(guest.serverId, both, { freeze: true }, signal), { frozen: false });
  const kept = storage.contentOf(one, snapshotId);
  storage.write(one, owner, 1);
  await driver.snapshotDisks(guest.serverId, both, { freeze: true }, signal);
  t.equal(storage.contentOf(one, snapshotId), kept, 'made once');
  t.not(storage.contentOf(one), kept);
  await t.rejects(disks.revertDisk(one, snapshotId, signal), { code: 'CONFLICT' }, 'it is open');

  await driver.pauseGuest(guest.serverId, signal);
  host.behaviour.unplugDelayMs = 20;
  await driver.resumeGuest(guest.serverId, signal);
  const detaching = driver.detachDisk(guest.serverId, one, signal);
  t.strictSame((await driver.find(guest.serverId, signal))?.disks, [one, two], 'not yet');
  clock.advance(20);
  await detaching;
  await driver.detachDisk(guest.serverId, one, signal);
  t.strictSame((await driver.find(guest.serverId, signal))?.disks, [two]);
  await disks.closeDisk(one, owner, 1, signal);
  await disks.revertDisk(one, snapshotId, signal);
  t.equal(storage.contentOf(one), kept);

  await driver.resizeDisk(guest.serverId, two, 2 * mibBytes, signal);
  t.match(await disks.findDisk(two, signal), { sizeBytes: 2 * mibBytes });
  await t.rejects(driver.setDiskLimits(guest.serverId, two, { iops: 1, readIops: 1 }, signal), {
    code: 'INVALID_ARGUMENT',
  });
  host.crash(guest.serverId);
  t.equal((await driver.find(guest.serverId, signal))?.disks, undefined, 'nobody can be asked');
});

await t.test('a guest that does not let go of a disk keeps it, and the caller hears so', async (t) => {
  const clock = new ManualClock();
  const host = new FakeComputeHost(clock);
  const driver = new FakeComputeDriver(host);
  await driver.start(signal);
  const volumeId = randomUUID() as VolumeId;
  const guest: GuestSpec = { ...spec(), disks: [{ volumeId, source: { kind: 'fake', name: volumeId } }] };
  await driver.startGuest(guest, signal);
  await driver.pauseGuest(guest.serverId, signal);
  const detaching = driver.detachDisk(guest.serverId, volumeId, signal);
  clock.advance(10_000);
  await t.rejects(detaching, { code: 'UNAVAILABLE' });
  t.strictSame((await driver.find(guest.serverId, signal))?.disks, [volumeId]);
});
