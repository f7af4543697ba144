import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { LinkAddress } from '../../../../drivers/link-address/link-address.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { ApiAddress } from '../../../../node/host/api-address/api-address.ts';
import { leaseMs } from '../../../../node/host/api-address/lease.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { apiAddressTable } from '../../../../node/state/tables/index.ts';

const address = '192.0.2.10';
// The clock's timers do not keep a process alive.
const alive = setInterval(() => {}, 1_000);
t.teardown(() => clearInterval(alive));
t.setTimeout(120_000);

/** A link in memory: the address goes when its time is over. */
class MemoryLink implements LinkAddress {
  untilMs = 0;
  announced = 0;
  get has(): boolean {
    return performance.now() < this.untilMs;
  }
  async hold(seconds: number): Promise<void> {
    this.untilMs = performance.now() + seconds * 1_000;
  }
  async announce(): Promise<void> {
    this.announced += 1;
  }
  async release(): Promise<void> {
    this.untilMs = 0;
  }
}

function hostOf(t: Test, state: MemoryStateClient, name: string, isReplica = () => true) {
  const link = new MemoryLink();
  const deps = { state, clock: systemClock, logger: silentLogger, newId: randomUUID, link, isReplica };
  const keeper = new ApiAddress(deps, address, name as HostId);
  t.teardown(() => keeper.stop());
  return { link, keeper };
}

async function until(isSo: () => boolean, withinMs: number): Promise<number> {
  const beganMs = performance.now();
  while (!isSo()) {
    if (performance.now() - beganMs > withinMs) throw new Error(`not within ${withinMs} ms`);
    await delay(20);
  }
  return performance.now() - beganMs;
}

const holder = (state: MemoryStateClient) => apiAddressTable.get(state.local, address)?.record.holderHostId;

t.test('one host has it, keeps it, and gives it up when it stops', async (t) => {
  const state = new MemoryStateClient();
  const one = hostOf(t, state, 'one');
  const two = hostOf(t, state, 'two');
  await one.keeper.start();
  await until(() => one.link.has, 5_000);
  await two.keeper.start();
  for (let n = 0; n < 60; n += 1) {
    await delay(100);
    t.ok(one.link.has && !two.link.has, 'it is renewed in time, and nobody else takes it');
  }
  t.equal(one.link.announced, 1, 'told once');
  await one.keeper.stop();
  t.notOk(one.link.has);
  t.ok((await until(() => two.link.has, 5_000)) < leaseMs, 'nobody waits for a lease that was given up');
  t.equal(holder(state), 'two');
  t.equal(apiAddressTable.must(state.local, address).record.generation, 2);
});

t.test('without a quorum it runs out, and comes back with it', async (t) => {
  const state = new MemoryStateClient();
  const one = hostOf(t, state, 'one');
  await one.keeper.start();
  await until(() => one.link.has, 5_000);
  state.available = false;
  await until(() => !one.link.has, leaseMs);
  t.notOk(one.keeper.isHeld && one.link.has);
  await delay(leaseMs);
  t.notOk(one.link.has, 'it is not taken without one, either');
  state.available = true;
  await until(() => one.link.has, 2 * leaseMs);
});

t.test('a host that holds a part of the state takes nothing', async (t) => {
  const state = new MemoryStateClient();
  let isReplica = false;
  const one = hostOf(t, state, 'one', () => isReplica);
  await one.keeper.start();
  await delay(1_000);
  t.equal(holder(state), undefined);
  isReplica = true;
  await until(() => one.link.has, 5_000);
});
