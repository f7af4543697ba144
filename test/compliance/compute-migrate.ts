/** Guests that go to another host while they run: what every compute driver must do with them. A part of `computeCompliance`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ComputeDriver, GuestSpec, MemoryProgress, SendSteps } from '../../drivers/types.ts';
import type { ServerId } from '../../node/base/ids.ts';
import type { ComputeFixture } from './compute.ts';

const printTimeoutMs = 15_000;
const key = { user: 'shoal', keyHex: '5a'.repeat(32) };
const waits: SendSteps = { progress: () => {}, mustFinish: () => false };

/** @param there the driver of another host, started, that reaches the same disks. */
export async function computeMigrateCompliance(
  t: Test,
  here: ComputeDriver,
  there: ComputeDriver,
  fixture: ComputeFixture & { readonly newSpec: (generation?: number) => Promise<GuestSpec> },
): Promise<void> {
  const { signal } = new AbortController();
  const { prints, newSpec } = fixture;
  const timesPrinted = async (driver: ComputeDriver, serverId: ServerId): Promise<number> => {
    if (prints === undefined) return 0;
    const text = new TextDecoder().decode(await driver.consoleLog(serverId, 4096, signal));
    return text.split(prints).length - 1;
  };
  const untilPrinted = async (driver: ComputeDriver, serverId: ServerId): Promise<void> => {
    const deadline = performance.now() + printTimeoutMs;
    while (prints !== undefined && (await timesPrinted(driver, serverId)) < 1 && performance.now() < deadline) {
      await delay(20);
    }
  };
  const runningHere = async (): Promise<GuestSpec> => {
    const spec = await newSpec();
    await here.startGuest(spec, signal);
    await untilPrinted(here, spec.serverId);
    return spec;
  };
  const next = (spec: GuestSpec): GuestSpec => ({ ...spec, generation: spec.generation + 1 });
  const end = async (driver: ComputeDriver, { serverId }: GuestSpec): Promise<void> => {
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await driver.removeGuest(serverId, signal);
  };

  await t.test('a guest goes to another host with its memory, and runs there alone', async (t) => {
    const spec = await runningHere();
    const { serverId } = spec;
    const hardware = await here.hardwareOf(serverId, signal);
    const place = await there.receiveGuest(next(spec), { hardware, key }, signal);
    t.strictSame(await there.receiveGuest(next(spec), { hardware, key }, signal), place, 'asked twice: the same place');
    t.match(await there.find(serverId, signal), { power: 'paused', detail: 'inmigrate', generation: 2 });
    await t.rejects(there.resumeGuest(serverId, signal), { code: 'UNAVAILABLE' }, 'its memory is not there yet');
    const seen: MemoryProgress[] = [];
    const steps = { ...waits, progress: (progress: MemoryProgress) => void seen.push(progress) };
    for (let round = 0; round < 2; round += 1) await here.sendGuest(serverId, { ...place, key }, steps, signal);
    t.ok(seen.every(({ totalBytes, remainingBytes }) => remainingBytes <= totalBytes));
    t.match(await here.find(serverId, signal), { power: 'paused', detail: 'postmigrate', generation: 1 });
    t.match(await there.find(serverId, signal), { power: 'paused', detail: 'paused', generation: 2 });
    await end(here, spec);
    await there.resumeGuest(serverId, signal);
    t.match(await there.find(serverId, signal), { power: 'running', generation: 2 });
    t.match(
      (await there.find(serverId, signal))?.disks,
      spec.disks.map(({ volumeId }) => volumeId),
    );
    await delay(300);
    t.equal(await timesPrinted(there, serverId), 0, 'it has not booted again');
    await there.suspendGuest(serverId, signal);
    t.match(await there.startGuest(next(spec), signal), { power: 'running' }, 'and is suspended like any other');
    await end(there, spec);
  });

  await t.test('a guest that was paused arrives so', async () => {
    const spec = await runningHere();
    await here.pauseGuest(spec.serverId, signal);
    const hardware = await here.hardwareOf(spec.serverId, signal);
    const place = await there.receiveGuest(next(spec), { hardware, key }, signal);
    await here.sendGuest(spec.serverId, { ...place, key }, waits, signal);
    t.match(await there.find(spec.serverId, signal), { power: 'paused', detail: 'paused' });
    await end(here, spec);
    await end(there, spec);
  });

  await t.test('a guest that was sent, and is not to go, goes on where it was', async (t) => {
    const spec = await runningHere();
    const { serverId } = spec;
    const hardware = await here.hardwareOf(serverId, signal);
    const place = await there.receiveGuest(next(spec), { hardware, key }, signal);
    await here.sendGuest(serverId, { ...place, key }, waits, signal);
    await here.cancelSend(serverId, signal);
    await end(there, spec);
    await here.resumeGuest(serverId, signal);
    t.match(await here.find(serverId, signal), { power: 'running', generation: 1 });
    t.match(await here.diagnostics(serverId, signal), { state: 'running' });
    await here.cancelSend(serverId, signal);
    t.match(await here.find(serverId, signal), { power: 'running' }, 'cancelled again: it runs on');
    // And it may go another time.
    const again = await there.receiveGuest(next(spec), { hardware, key }, signal);
    await here.sendGuest(serverId, { ...again, key }, waits, signal);
    await end(here, spec);
    await there.resumeGuest(serverId, signal);
    await end(there, spec);
  });

  await t.test('a move whose other end is not there, or has another key, leaves the guest', async (t) => {
    const spec = await runningHere();
    const { serverId } = spec;
    const hardware = await here.hardwareOf(serverId, signal);
    const nowhere = { address: '127.0.0.1', port: 1, key };
    await t.rejects(here.sendGuest(serverId, nowhere, waits, signal), { code: 'DRIVER_FAILED' });
    await here.cancelSend(serverId, signal);
    const place = await there.receiveGuest(next(spec), { hardware, key }, signal);
    const wrong = { ...key, keyHex: 'a5'.repeat(32) };
    await t.rejects(here.sendGuest(serverId, { ...place, key: wrong }, waits, signal), { code: 'DRIVER_FAILED' });
    await here.cancelSend(serverId, signal);
    if ((await here.find(serverId, signal))?.power === 'paused') await here.resumeGuest(serverId, signal);
    t.match(await here.find(serverId, signal), { power: 'running', generation: 1 });
    await end(there, spec);
    await end(here, spec);
  });

  await t.test('what cannot be received is refused, and leaves nothing', async (t) => {
    const spec = await runningHere();
    const { serverId } = spec;
    const hardware = await here.hardwareOf(serverId, signal);
    const other = hardware.replace(/"machine":"[^"]*"/, '"machine":"abacus"');
    await t.rejects(there.receiveGuest(next(spec), { hardware: other, key }, signal), { code: 'DRIVER_FAILED' });
    await t.rejects(there.receiveGuest(next(spec), { hardware: '{', key }, signal), { code: 'DRIVER_FAILED' });
    t.equal(await there.find(serverId, signal), undefined);
    await t.rejects(here.receiveGuest(next(spec), { hardware, key }, signal), { code: 'CONFLICT' }, 'it is here');
    await t.rejects(there.hardwareOf(serverId, signal), { code: 'NOT_FOUND' });
    await t.rejects(there.sendGuest(serverId, { address: '127.0.0.1', port: 1, key }, waits, signal), {
      code: 'NOT_FOUND',
    });
    await there.cancelSend(serverId, signal);
    await end(here, spec);
  });

  await t.test('the next agent finds both ends, and goes on', async (t) => {
    const spec = await runningHere();
    const { serverId } = spec;
    const hardware = await here.hardwareOf(serverId, signal);
    const place = await there.receiveGuest(next(spec), { hardware, key }, signal);
    const restarted = fixture.openElsewhere?.();
    if (restarted !== undefined) {
      await there.stop();
      await restarted.start(signal);
      t.strictSame(await restarted.receiveGuest(next(spec), { hardware, key }, signal), place);
      await restarted.stop();
      await there.start(signal);
    }
    await here.sendGuest(serverId, { ...place, key }, waits, signal);
    await end(here, spec);
    await there.resumeGuest(serverId, signal);
    t.match(await there.find(serverId, signal), { power: 'running', generation: 2 });
    await end(there, spec);
  });
}
