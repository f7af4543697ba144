/** What the fakes can be told to do, beyond the compliance suites. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import type { GuestEvent, GuestSpec } from '../../../drivers/types.ts';
import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId, VolumeId } from '../../../node/base/ids.ts';

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
