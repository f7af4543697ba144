/** What every compute driver must do with NICs of a guest that runs. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { ComputeDriver, GuestSpec, NicSpec } from '../../drivers/types.ts';
import type { PortId, ServerId } from '../../node/base/ids.ts';

const { signal } = new AbortController();

interface Fixture {
  readonly open: () => ComputeDriver;
  readonly newSpec: () => Promise<GuestSpec>;
  /** Makes a tap that no guest has yet, and returns its name. */
  readonly newTap: () => Promise<string>;
}

/** Runs the suite; the guests that it starts are its caller's to end. */
export async function computeNicCompliance(t: Test, driver: ComputeDriver, fixture: Fixture): Promise<void> {
  const newNic = async (): Promise<NicSpec> => {
    const mac = `52:54:00${randomBytes(3).toString('hex').replaceAll(/../g, ':$&')}`;
    return { portId: randomUUID() as PortId, mac, mtu: 1450, tapName: await fixture.newTap() };
  };
  const nicsOf = async (serverId: ServerId): Promise<readonly PortId[] | undefined> =>
    (await driver.find(serverId, signal))?.nics;

  await t.test('what is done with NICs needs a guest that runs', async (t) => {
    const { serverId } = await fixture.newSpec();
    const nic = await newNic();
    await t.rejects(driver.attachNic(serverId, nic, signal), { code: 'NOT_FOUND' });
    await driver.detachNic(serverId, nic.portId, signal);
  });

  await t.test('NICs are plugged in and unplugged while the guest runs', async (t) => {
    const [first, second, third] = [await newNic(), await newNic(), await newNic()];
    const guest: GuestSpec = { ...(await fixture.newSpec()), nics: [first] };
    const { serverId } = guest;
    await driver.startGuest(guest, signal);
    t.strictSame(await nicsOf(serverId), [first.portId], 'it tells of one that it was started with');
    for (let round = 0; round < 2; round += 1) {
      await driver.attachNic(serverId, second, signal);
      await driver.attachNic(serverId, third, signal);
    }
    const all = [first.portId, second.portId, third.portId].sort();
    t.strictSame(await nicsOf(serverId), all);
    const { nics } = await driver.diagnostics(serverId, signal);
    t.strictSame(nics.map(({ mac }) => mac).sort(), [first.mac, second.mac, third.mac].sort());

    await driver.pauseGuest(serverId, signal);
    const fourth = await newNic();
    await driver.attachNic(serverId, fourth, signal);
    const taken = { ...fourth, portId: randomUUID() as PortId };
    await t.rejects(driver.attachNic(serverId, taken, signal), { code: 'DRIVER_FAILED' }, 'a guest has its tap open');
    await driver.resumeGuest(serverId, signal);
    const four = [...all, fourth.portId].sort();
    t.strictSame(await nicsOf(serverId), four, 'one that stands still gets them too');

    const next = fixture.open();
    await driver.stop();
    await next.start(signal);
    t.strictSame((await next.find(serverId, signal))?.nics, four, 'the next agent reads it back');
    await next.attachNic(serverId, second, signal);
    await next.stop();
    await driver.start(signal);

    // This guest never answers: only a reset lets go.
    await driver.pauseGuest(serverId, signal);
    const alive = setInterval(() => {}, 1_000);
    await t.rejects(driver.detachNic(serverId, second.portId, signal), { code: 'UNAVAILABLE' });
    clearInterval(alive);
    t.strictSame(await nicsOf(serverId), four, 'it has the NIC still');
    await driver.resumeGuest(serverId, signal);
    await driver.resetGuest(serverId, signal);
    for (let round = 0; round < 2; round += 1) await driver.detachNic(serverId, second.portId, signal);
    const three = four.filter((id) => id !== second.portId);
    t.strictSame(await nicsOf(serverId), three);
    await driver.attachNic(serverId, second, signal);
    t.strictSame(await nicsOf(serverId), four, 'plugged in again, on the same tap');
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await t.rejects(driver.attachNic(serverId, second, signal), { code: 'NOT_FOUND' });
    await driver.detachNic(serverId, second.portId, signal);
  });

  await t.test('a NIC that was plugged in is suspended with its guest', async (t) => {
    const [first, second] = [await newNic(), await newNic()];
    const guest: GuestSpec = { ...(await fixture.newSpec()), nics: [first] };
    const { serverId } = guest;
    await driver.startGuest(guest, signal);
    await driver.attachNic(serverId, second, signal);
    await driver.suspendGuest(serverId, signal);
    const both = [first.portId, second.portId].sort();
    t.match(await driver.find(serverId, signal), { power: 'suspended', nics: both });
    await t.rejects(driver.startGuest(guest, signal), { code: 'DRIVER_FAILED' }, 'its memory knows two');
    t.match(await driver.startGuest({ ...guest, nics: [first, second] }, signal), { power: 'running', nics: both });
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
  });
}
