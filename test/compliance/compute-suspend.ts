/** Suspended guests: what every compute driver must do with them. A part of `computeCompliance`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ComputeDriver, GuestEvent, GuestSpec } from '../../drivers/types.ts';
import type { ServerId } from '../../node/base/ids.ts';
import type { ComputeFixture } from './compute.ts';

const printTimeoutMs = 15_000;

/** @param fixture with the suite's way to draw a guest that goes when the suite ends. */
export async function computeSuspendCompliance(
  t: Test,
  driver: ComputeDriver,
  fixture: ComputeFixture & { readonly newSpec: (generation?: number) => Promise<GuestSpec> },
): Promise<void> {
  const { signal } = new AbortController();
  const { prints, newSpec } = fixture;
  const console = async (serverId: ServerId): Promise<string> =>
    new TextDecoder().decode(await driver.consoleLog(serverId, 4096, signal));
  const timesPrinted = async (serverId: ServerId): Promise<number> =>
    prints === undefined ? 0 : (await console(serverId)).split(prints).length - 1;
  const hasBooted = async (serverId: ServerId, times: number): Promise<void> => {
    if (prints === undefined) return;
    const deadline = performance.now() + printTimeoutMs;
    while ((await timesPrinted(serverId)) < times && performance.now() < deadline) await delay(20);
  };

  await t.test('a suspended guest has no process, is found so, and goes on where it was', async (t) => {
    const spec = await newSpec();
    const started = await driver.startGuest(spec, signal);
    await hasBooted(spec.serverId, 1);
    const events: GuestEvent[] = [];
    const off = driver.onEvent((event) => events.push(event));
    for (let round = 0; round < 2; round += 1) await driver.suspendGuest(spec.serverId, signal);
    const suspended = await driver.find(spec.serverId, signal);
    t.match(suspended, { power: 'suspended', generation: 1 });
    t.equal(suspended?.pid, undefined);
    t.match(await driver.list(signal), [{ serverId: spec.serverId, power: 'suspended' }]);
    for (const call of [driver.pauseGuest, driver.resumeGuest, driver.resetGuest, driver.injectNmi]) {
      await t.rejects(call.call(driver, spec.serverId, signal), { code: 'NOT_FOUND' });
    }
    const resumed = await driver.startGuest(spec, signal);
    t.match(resumed, { power: 'running', generation: 1 });
    t.not(resumed.pid, started.pid, 'another process');
    await delay(500);
    t.equal(await timesPrinted(spec.serverId), prints === undefined ? 0 : 1, 'it has not booted again');
    await driver.resetGuest(spec.serverId, signal);
    await hasBooted(spec.serverId, 2);
    t.equal(await timesPrinted(spec.serverId), prints === undefined ? 0 : 2, 'and boots when it is reset');
    t.strictSame(events, []);
    off();
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a guest that was paused is suspended all the same, and runs when it goes on', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    await driver.pauseGuest(spec.serverId, signal);
    await driver.suspendGuest(spec.serverId, signal);
    t.match(await driver.startGuest(spec, signal), { power: 'running' });
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a suspended guest is there for the next agent; stopped, it starts from its disk', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    await hasBooted(spec.serverId, 1);
    await driver.suspendGuest(spec.serverId, signal);
    const next = fixture.open();
    await next.start(signal);
    t.match(await next.find(spec.serverId, signal), { power: 'suspended', generation: 1 });
    await next.stop();
    await t.rejects(
      driver.startGuest({ ...spec, generation: 2 }, signal),
      { code: 'DRIVER_FAILED' },
      'not another one',
    );
    t.match(await driver.find(spec.serverId, signal), { power: 'suspended' }, 'which loses nothing');
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    t.equal(await driver.find(spec.serverId, signal), undefined);
    t.match(await driver.startGuest({ ...spec, generation: 2 }, signal), { power: 'running', generation: 2 });
    await hasBooted(spec.serverId, 2);
    t.equal(await timesPrinted(spec.serverId), prints === undefined ? 0 : 2, 'it has booted');
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  });

  await t.test('a guest without an agent has no password set', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    await t.rejects(driver.setPassword(spec.serverId, 'root', 'secret', signal), { code: 'UNAVAILABLE' });
    await driver.injectNmi(spec.serverId, signal);
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await t.rejects(driver.suspendGuest(spec.serverId, signal), { code: 'NOT_FOUND' }, 'nothing to suspend');
  });
}
