/** A console from the agent that was asked to the guest's host: over real gRPC and TLS, with a guest that is none. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../../drivers/fake/compute.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId, ServerId } from '../../../../node/base/ids.ts';
import { ConsoleCalls } from '../../../../node/host/consoles/console-calls.ts';
import { ConsoleGrants } from '../../../../node/host/consoles/console-grants.ts';
import { consoleHandler } from '../../../../node/host/consoles/console-handler.ts';
import { consoleToken } from '../../../../node/host/consoles/console-token.ts';
import type { ConsoleDoor } from '../../../../node/services/kit/dependencies.ts';
import { ManualClock } from '../../mesh/manual-clock.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../../mesh/peer-fixtures.ts';

/** How long a grant is good. */
const consoleGrantMs = 600_000;
const { signal } = new AbortController();
const serverId = '11111111-1111-4111-8111-111111111111' as ServerId;
const spec = { serverId, generation: 1, name: 'web', vcpus: 1, memoryMib: 64, disks: [], nics: [] };

/** The guest's host, and the doors of its own agent and of another. */
async function world(t: Test, clock = systemClock) {
  const authority = testAuthority();
  const [guestHost, other] = [hostOf(authority), hostOf(authority)];
  const compute = new FakeComputeHost();
  const driver = new FakeComputeDriver(compute);
  await driver.start(signal);
  const grants = new ConsoleGrants(clock, randomUUID);
  const console = consoleHandler({ compute: driver, grants, clock });
  const address = await serve(t, guestHost, { handlers: { console } });
  const addresses = new Map([[guestHost.hostId, address]]);
  const own: ConsoleDoor = new ConsoleCalls(clientsOf(t, guestHost, addresses), guestHost.hostId, console);
  const far: ConsoleDoor = new ConsoleCalls(clientsOf(t, other, addresses), other.hostId, console);
  const grant = (kind: 'vnc' | 'serial' = 'serial'): string =>
    consoleToken(guestHost.hostId, grants.add({ serverId, kind, sessionToken: 'user token' }));
  return { compute, driver, doors: { own, far }, grant, hostId: guestHost.hostId };
}

/** What is typed, as it comes. */
class Keyboard implements AsyncIterable<Uint8Array> {
  readonly #keys: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  type(text: string): void {
    this.#keys.push(Buffer.from(text));
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const key = this.#keys.shift();
      if (key !== undefined) yield key;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** The guest's host hears a moment later that a session was given up. */
async function openWhenRoom(door: ConsoleDoor, token: string, asked: AbortSignal) {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      return await door.open(token, new Keyboard(), asked);
    } catch (caught) {
      if (!ShoalError.is(caught, 'RATE_LIMITED') || performance.now() > deadline) throw caught;
      await delay(20);
    }
  }
}

async function firstOf(shown: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const bytes of shown) return Buffer.from(bytes).toString('latin1');
  return '';
}

for (const door of ['own', 'far'] as const) {
  void t.test(`a token lets one session in, by the ${door} agent`, async (t) => {
    const { driver, doors, grant, hostId } = await world(t);
    const token = grant();
    const keys = new Keyboard();
    await t.rejects(doors[door].open(token, keys, signal), { code: 'NOT_FOUND' }, 'no guest yet');
    await driver.startGuest(spec, signal);
    for (let round = 0; round < 2; round += 1) {
      t.match(await doors[door].look(token, signal), { serverId, kind: 'serial', hostId, sessionToken: 'user token' });
    }
    const { granted, shown } = await doors[door].open(token, keys, signal);
    t.match(granted, { serverId, kind: 'serial' });
    keys.type('root\n');
    t.equal(await firstOf(shown), 'root\n');
    t.match(Buffer.from(await driver.consoleLog(serverId, 99, signal)).toString(), 'root\n', 'and it is in the log');
    await t.rejects(doors[door].open(token, new Keyboard(), signal), { code: 'NOT_FOUND' }, 'used up');
    await t.rejects(doors[door].look(token, signal), { code: 'NOT_FOUND' });
  });

  void t.test(`a session by the ${door} agent ends with the guest`, async (t) => {
    const { compute, driver, doors, grant } = await world(t);
    await driver.startGuest(spec, signal);
    const { shown } = await doors[door].open(grant('vnc'), new Keyboard(), signal);
    const texts: string[] = [];
    for await (const bytes of shown) {
      texts.push(Buffer.from(bytes).toString('latin1'));
      compute.crash(serverId);
    }
    t.strictSame(texts, ['RFB 003.008\n']);
    await t.rejects(doors[door].open(grant('vnc'), new Keyboard(), signal), { code: 'NOT_FOUND' });
  });

  void t.test(`who gives a session by the ${door} agent up frees its place`, async (t) => {
    const { driver, doors, grant } = await world(t);
    await driver.startGuest(spec, signal);
    // More than a guest has at once.
    for (let round = 0; round < 20; round += 1) {
      const abort = new AbortController();
      const { shown } = await openWhenRoom(doors[door], grant('vnc'), abort.signal);
      t.match(await firstOf(shown), /^RFB/);
      abort.abort();
    }
    const held = await Promise.all(Array.from({ length: 8 }, () => openWhenRoom(doors[door], grant('vnc'), signal)));
    await t.rejects(doors[door].open(grant('vnc'), new Keyboard(), signal), { code: 'RATE_LIMITED' });
    for (const { shown } of held) t.match(await firstOf(shown), /^RFB/);
  });
}

void t.test('a token that nobody was given opens nothing', async (t) => {
  const { driver, doors, hostId } = await world(t);
  await driver.startGuest(spec, signal);
  const nobody = '0'.repeat(32);
  for (const token of ['', 'x', nobody, consoleToken(hostId, nobody), `${hostId}${nobody}0`]) {
    await t.rejects(doors.own.open(token, new Keyboard(), signal), { code: 'NOT_FOUND' }, token);
    await t.rejects(doors.far.look(token, signal), { code: 'NOT_FOUND' }, token);
  }
  await t.rejects(doors.far.look(consoleToken('f'.repeat(32) as HostId, nobody), signal), { code: 'NOT_FOUND' });
});

void t.test('grants end after ten minutes, and a guest’s oldest make room for its newest', async (t) => {
  const clock = new ManualClock();
  const grants = new ConsoleGrants(clock, randomUUID);
  const grant = { serverId, kind: 'vnc', sessionToken: '' } as const;
  const secret = grants.add(grant);
  t.match(secret, /^[0-9a-f]{32}$/);
  await clock.advance(consoleGrantMs - 1);
  t.match(grants.find(secret), grant);
  await clock.advance(1);
  t.equal(grants.find(secret), undefined);
  t.notOk(grants.use(secret));
  const other = grants.add({ ...grant, serverId: '22222222-2222-4222-8222-222222222222' as ServerId });
  const many = Array.from({ length: 40 }, () => grants.add(grant));
  t.equal(many.filter((one) => grants.find(one) !== undefined).length, 32);
  t.not(grants.find(many.at(-1) ?? ''), undefined, 'the newest is there');
  t.not(grants.find(other), undefined, 'and so is that of another guest');
  t.ok(grants.use(other));
  t.notOk(grants.use(other));
});
