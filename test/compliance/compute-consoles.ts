/** Screens, serial lines and figures of guests: what every compute driver must show. A part of `computeCompliance`. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import type { ComputeDriver, GuestSpec } from '../../drivers/types.ts';
import type { ComputeFixture } from './compute.ts';

/** Far above what a loaded machine takes. */
const timeoutMs = 15_000;

async function firstBytes(stream: Duplex): Promise<string> {
  const [chunk] = await once(stream, 'data', { signal: AbortSignal.timeout(timeoutMs) });
  return Buffer.from(chunk).toString('latin1');
}

/** The session has ended. A guest that goes with a key unread resets it, which is an end like any other. */
async function closed(stream: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('the session has not ended')), timeoutMs);
  stream.on('error', (error) => {
    if ('code' in error && error.code !== 'ECONNRESET') reject(error);
  });
  stream.once('close', () => resolve());
  if (stream.destroyed) resolve();
  await promise.finally(() => clearTimeout(timer));
}

/** @param fixture with the suite's way to draw a guest that goes when the suite ends. */
export async function computeConsoleCompliance(
  t: Test,
  driver: ComputeDriver,
  { newSpec }: ComputeFixture & { readonly newSpec: (generation?: number) => Promise<GuestSpec> },
): Promise<void> {
  const { signal } = new AbortController();

  await t.test('a screen greets each that connects, and ends with the guest', async (t) => {
    const spec = await newSpec();
    for (const kind of ['vnc', 'serial'] as const) {
      await t.rejects(driver.openConsole(spec.serverId, kind, signal), { code: 'NOT_FOUND' }, 'no guest yet');
    }
    await driver.startGuest(spec, signal);
    const screens = [
      await driver.openConsole(spec.serverId, 'vnc', signal),
      await driver.openConsole(spec.serverId, 'vnc', signal),
    ];
    for (const screen of screens) t.match(await firstBytes(screen), /^RFB 003\.00\d\n/);
    const ended = screens.map((screen) => closed(screen.resume()));
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await Promise.all(ended);
    await t.rejects(driver.openConsole(spec.serverId, 'vnc', signal), { code: 'NOT_FOUND' }, 'nor any more');
  });

  await t.test('a serial line has one end: the next session takes it over', async (t) => {
    const spec = await newSpec();
    await driver.startGuest(spec, signal);
    const first = await driver.openConsole(spec.serverId, 'serial', signal);
    const firstClosed = closed(first.resume());
    const second = await driver.openConsole(spec.serverId, 'serial', signal);
    await firstClosed;
    t.notOk(second.destroyed);
    second.write('\n');
    const ended = closed(second.resume());
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await ended;
  });

  await t.test('a guest that runs is told of in figures, and none else', async (t) => {
    const spec = await newSpec();
    await t.rejects(driver.diagnostics(spec.serverId, signal), { code: 'NOT_FOUND' });
    await driver.startGuest(spec, signal);
    const figures = await driver.diagnostics(spec.serverId, signal);
    t.match(figures, { state: 'running', memoryMib: spec.memoryMib, memoryUsedMib: spec.memoryMib });
    t.ok(figures.uptimeS >= 0 && figures.uptimeS < 600, `${figures.uptimeS} s`);
    t.strictSame(
      figures.cpus.map(({ id }) => id),
      Array.from({ length: spec.vcpus }, (_, id) => id),
    );
    t.strictSame(
      figures.disks.map(({ volumeId }) => volumeId).sort(),
      spec.disks.map(({ volumeId }) => volumeId).sort(),
    );
    t.strictSame(
      figures.nics.map(({ mac }) => mac),
      spec.nics.map(({ mac }) => mac),
    );
    await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
    await t.rejects(driver.diagnostics(spec.serverId, signal), { code: 'NOT_FOUND' });
  });
}
