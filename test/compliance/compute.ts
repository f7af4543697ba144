/** What every compute driver must do, run against the fake and the real one alike. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ComputeDriver, GuestEvent, GuestFound, GuestSpec, StorageDriver } from '../../drivers/types.ts';
import type { ServerId } from '../../node/base/ids.ts';
import { computeConsoleCompliance } from './compute-consoles.ts';
import { computeDiskCompliance } from './compute-disks.ts';
import { computeMigrateCompliance } from './compute-migrate.ts';
import { computeMirrorCompliance } from './compute-mirror.ts';
import { computeNicCompliance } from './compute-nics.ts';
import { computeSuspendCompliance } from './compute-suspend.ts';

/** One kind of host, set up afresh for the suite. */
export interface ComputeFixture {
  /** A driver on the same host each time: the next one is what an agent has after a restart. Not started. */
  readonly open: () => ComputeDriver;
  /** The same of another host, which reaches the same disks. Absent: there is none. */
  readonly openElsewhere?: () => ComputeDriver;
  /** What to boot, with a disk that no other guest has; the suite gives it ids. */
  readonly hardware: () => Promise<Pick<GuestSpec, 'disks' | 'nics' | 'memoryMib' | 'vcpus'>>;
  /** Ends the guest's process from outside, as a crash does. */
  readonly crash: (guest: GuestFound) => void;
  /** Storage whose disks guests can be given; started. */
  readonly storage: StorageDriver;
  /** Another one that the same host reaches. */
  readonly otherStorage: StorageDriver;
  /** Makes a tap that no guest has yet, and returns its name. */
  readonly newTap: () => Promise<string>;
  /** What the guest prints soon after its start; absent: nothing is looked for. */
  readonly prints?: string;
}

/** Waits of the suite: far above what a loaded machine takes. */
const eventTimeoutMs = 15_000;

/** Runs the suite. Each test has its own guest; all guests are gone at the end. */
export async function computeCompliance(t: Test, fixture: ComputeFixture): Promise<void> {
  const { signal } = new AbortController();
  const driver = fixture.open();
  await driver.start(signal);
  const ids: ServerId[] = [];
  const newSpec = async (generation = 1): Promise<GuestSpec> => {
    const serverId = randomUUID() as ServerId;
    ids.push(serverId);
    return { serverId, generation, name: 'compliance', ...(await fixture.hardware()) };
  };
  t.teardown(async () => {
    for (const serverId of ids) {
      await driver.stopGuest(serverId, { graceMs: 0 }, signal);
      await driver.removeGuest(serverId, signal);
    }
    await driver.stop();
  });

  await t.test('a guest that was never started is not found', async (t) => {
    t.equal(await driver.find((await newSpec()).serverId, signal), undefined);
  });

  await t.test('a started guest runs, is found and listed, and starting it again changes nothing', async (t) => {
    const spec = await newSpec();
    const started = await driver.startGuest(spec, signal);
    t.match(started, { serverId: spec.serverId, generation: 1, power: 'running', pid: Number });
    t.strictSame(await driver.find(spec.serverId, signal), started);
    t.strictSame(
      (await driver.list(signal)).find((guest) => guest.serverId === spec.serverId),
      started,
    );
    t.strictSame(await driver.startGuest(spec, signal), started, 'same process');
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('two starts at once make one guest', async (t) => {
    const spec = await newSpec();
    const [first, second] = await Promise.all([driver.startGuest(spec, signal), driver.startGuest(spec, signal)]);
    t.equal(first.pid, second.pid);
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a guest that runs at one generation refuses to be started at another', async (t) => {
    const spec = await newSpec(3);
    const started = await driver.startGuest(spec, signal);
    for (const generation of [2, 4]) {
      await t.rejects(
        driver.startGuest({ ...spec, generation }, signal),
        { code: 'CONFLICT' },
        `generation ${generation}`,
      );
    }
    t.equal((await driver.find(spec.serverId, signal))?.pid, started.pid, 'it runs on');
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    t.match(await driver.startGuest({ ...spec, generation: 4 }, signal), { generation: 4, power: 'running' });
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a stopped guest is gone from the list, and stopping it again is success', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    t.equal(await driver.find(spec.serverId, signal), undefined);
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await driver.stopGuest(randomUUID() as ServerId, { graceMs: 0 }, signal);
  });

  await t.test('pause and resume show in the state, repeat without harm, and are reported to nobody', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    const events: GuestEvent[] = [];
    const off = driver.onEvent((event) => events.push(event));
    for (let round = 0; round < 2; round += 1) await driver.pauseGuest(spec.serverId, signal);
    t.match(await driver.find(spec.serverId, signal), { power: 'paused', detail: 'paused' });
    for (let round = 0; round < 2; round += 1) await driver.resumeGuest(spec.serverId, signal);
    t.match(await driver.find(spec.serverId, signal), { power: 'running' });
    await driver.resetGuest(spec.serverId, signal);
    t.match(await driver.find(spec.serverId, signal), { power: 'running' });
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    t.strictSame(events, []);
    off();
  });

  await computeSuspendCompliance(t, driver, { ...fixture, newSpec });
  await computeNicCompliance(t, driver, { ...fixture, newSpec });
  const there = fixture.openElsewhere?.();
  if (there !== undefined) {
    await there.start(signal);
    t.teardown(() => there.stop());
    await computeMigrateCompliance(t, driver, there, { ...fixture, newSpec });
  }
  await computeConsoleCompliance(t, driver, { ...fixture, newSpec });

  await t.test('what needs a living guest says NOT_FOUND without one', async (t) => {
    const { serverId } = await newSpec();
    await t.rejects(driver.pauseGuest(serverId, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.resumeGuest(serverId, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.resetGuest(serverId, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.injectNmi(serverId, signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.setPassword(serverId, 'root', 'secret', signal), { code: 'NOT_FOUND' });
    await t.rejects(driver.consoleLog(serverId, 100, signal), { code: 'NOT_FOUND' });
  });

  await t.test('a guest is forgotten only after it stopped', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    await t.rejects(driver.removeGuest(spec.serverId, signal), { code: 'CONFLICT' });
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await driver.removeGuest(spec.serverId, signal);
    await driver.removeGuest(spec.serverId, signal);
    await t.rejects(driver.consoleLog(spec.serverId, 100, signal), { code: 'NOT_FOUND' });
  });

  await t.test('a guest whose process dies is reported, found as crashed, and starts again', async (t) => {
    const spec = await newSpec();
    const events: GuestEvent[] = [];
    const off = driver.onEvent((event) => events.push(event));
    const started = await driver.startGuest(spec, signal);
    fixture.crash(started);
    await until(() => events.some((event) => event.serverId === spec.serverId && event.power === 'crashed'));
    off();
    const crashed = await driver.find(spec.serverId, signal);
    t.match(crashed, { power: 'crashed', generation: 1 });
    t.equal(crashed?.pid, undefined);
    t.equal(events.length, 1, 'reported once');
    const again = await driver.startGuest({ ...spec, generation: 2 }, signal);
    t.match(again, { power: 'running', generation: 2 });
    t.not(again.pid, started.pid);
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a crashed guest that is stopped is no longer listed', async (t) => {
    const spec = await newSpec();
    fixture.crash(await driver.startGuest(spec, signal));
    await until(async () => (await driver.find(spec.serverId, signal))?.power === 'crashed');
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    t.equal(await driver.find(spec.serverId, signal), undefined);
  });

  await t.test('the console is kept over restarts, and its last bytes are served', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    if (fixture.prints === undefined) {
      t.equal((await driver.consoleLog(spec.serverId, 1000, signal)).length, 0, 'nothing printed, nothing kept');
    } else {
      const { prints } = fixture;
      const text = async (): Promise<string> =>
        Buffer.from(await driver.consoleLog(spec.serverId, 1000, signal)).toString('latin1');
      await until(async () => (await text()).includes(prints));
      await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
      t.match(await text(), prints, 'after the stop');
      await driver.startGuest({ ...spec, generation: 2 }, signal);
      await until(async () => (await text()).split(prints).length > 2);
      t.equal((await driver.consoleLog(spec.serverId, 3, signal)).length, 3, 'no more than asked');
    }
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('guests run on while no agent does, and the next agent finds them unchanged', async (t) => {
    const first = fixture.open();
    await first.start(signal);
    const running = await first.startGuest(await newSpec(5), signal);
    const paused = await first.startGuest(await newSpec(6), signal);
    const dying = await first.startGuest(await newSpec(7), signal);
    const stopped = await first.startGuest(await newSpec(8), signal);
    await first.pauseGuest(paused.serverId, signal);
    await first.stopGuest(stopped.serverId, { graceMs: 0 }, signal);
    await first.stop();
    await first.stop();
    fixture.crash(dying);
    const second = fixture.open();
    await second.start(signal);
    t.strictSame(await second.find(running.serverId, signal), running);
    t.match(await second.find(paused.serverId, signal), { power: 'paused', pid: paused.pid, generation: 6 });
    await until(async () => (await second.find(dying.serverId, signal))?.power === 'crashed');
    t.match(await second.find(dying.serverId, signal), { generation: 7 });
    t.equal(await second.find(stopped.serverId, signal), undefined);
    for (const { serverId } of [running, paused, dying]) {
      await second.stopGuest(serverId, { graceMs: 0 }, signal);
      t.equal(await second.find(serverId, signal), undefined);
    }
    for (const { serverId } of [running, paused, dying, stopped]) await second.removeGuest(serverId, signal);
    await second.stop();
  });

  await computeDiskCompliance(t, driver, { ...fixture, newSpec });
  await computeMirrorCompliance(t, driver, { ...fixture, newSpec });

  await t.test('a call that was given up before it began does nothing', async (t) => {
    const spec = await newSpec();
    await t.rejects(driver.startGuest(spec, AbortSignal.abort()), { code: 'CANCELLED' });
    t.equal(await driver.find(spec.serverId, signal), undefined);
  });

  await t.test('a driver that has not started cannot tell', async (t) => {
    await t.rejects(fixture.open().find((await newSpec()).serverId, signal), { code: 'CANNOT_TELL' });
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + eventTimeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await delay(20);
  }
}
