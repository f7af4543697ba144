/** Clocks that are apart are found out by the times in adverts, and the one that is off is named. */
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { ClockOffsets } from '../../../node/mesh/clock-offsets.ts';
import { bootstrap } from '../../../node/services/cluster/bootstrap.ts';
import { IdentityService } from '../../../node/services/identity/identity.ts';
import { fixedTokenKeys } from '../../../node/services/identity/token-keys.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { ManualClock } from './manual-clock.ts';

const id = (number: number): HostId => `h${number}` as HostId;
const nowMs = 1_700_000_000_000;
const minutes = 60_000;

/** Host 1, that has heard five adverts of each of the others. */
function heard(offsetsMs: readonly number[], delaysMs: readonly number[] = [400, 20, 3_000, 50, 9_000]): ClockOffsets {
  const offsets = new ClockOffsets(id(1));
  offsetsMs.forEach((offsetMs, at) => {
    for (const delayMs of delaysMs) offsets.heard(id(at + 2), nowMs + offsetMs - delayMs, nowMs);
  });
  return offsets;
}

void t.test('clocks that agree, with adverts that are slow, are nothing to tell', async (t) => {
  t.equal(heard([0, 1_000, -1_000]).told(String), undefined);
  t.equal(heard([]).told(String), undefined, 'alone');
  t.equal(heard([0], [25_000, 25_000, 25_000, 25_000]).told(String), undefined);
});

void t.test('one of three that is 15 minutes off is named, by the others and by itself', async (t) => {
  t.match(heard([0, 15 * minutes]).told(String), /^The clock of h3 is 900 s ahead of the others\./);
  t.match(heard([0, -15 * minutes]).told(String), /^The clock of h3 is 900 s behind the others\./);
  t.match(heard([15 * minutes, 15 * minutes]).told(String), /^The clock of h1 is 900 s behind the others\./);
  t.equal(heard([15 * minutes, 15 * minutes]).of(id(1)), -(15 * minutes - 20));
});

void t.test('of two nobody can say which one it is', async (t) => {
  t.match(heard([15 * minutes]).told(String), /^The clocks of h1 and h2 differ by 900 s\./);
});

void t.test(
  'one advert is enough, a clock that was set is right again, and one that is set wrong is found',
  async (t) => {
    const offsets = heard([0, 0, 0]);
    offsets.heard(id(5), nowMs - 600_000, nowMs);
    t.match(offsets.told(String), /^The clock of h5 is 600 s behind the others\./);
    offsets.heard(id(2), nowMs + 120_000 - 600_000, nowMs + 120_000);
    t.match(offsets.told(String), /h2 is 600 s behind/, 'what it showed minutes ago does not count');
    const late = heard([0, 15 * minutes]);
    for (let n = 0; n < 4; n++) late.heard(id(3), nowMs - 10, nowMs);
    t.equal(late.told(String), undefined);
    const gone = heard([0, 15 * minutes]);
    gone.retain((hostId) => hostId !== id(3));
    t.equal(gone.told(String), undefined);
  },
);

void t.test('a token of a host whose clock is ahead is refused with a text that says so', async (t) => {
  const state = new MemoryStateClient();
  const signal = new AbortController().signal;
  const here = new ManualClock();
  const ahead = { ...clockOf(here), nowMs: () => here.nowMs() + 15 * minutes };
  const services = (clock: ReturnType<typeof clockOf>) => {
    let number = 0;
    return {
      state,
      clock,
      logger: silentLogger,
      newId: () => `00000000-0000-4000-8000-${String(++number).padStart(12, '0')}`,
    };
  };
  const { adminUserId } = await bootstrap(services(clockOf(here)), { adminPassword: 'secret', signal });
  const tokenKeys = fixedTokenKeys(new Uint8Array(32).fill(1));
  const { token } = await new IdentityService(services(ahead), { tokenKeys }).issue(
    state.local,
    { password: { user: { id: adminUserId }, password: 'secret' } },
    signal,
  );
  const verifier = new IdentityService(services(clockOf(here)), { tokenKeys });
  await t.rejects(verifier.authenticate(token, signal), {
    code: 'UNAUTHENTICATED',
    message: /^The token was issued 900 s in the future by the clock of the host that was asked/,
  });
  const spoiled = `${token.slice(0, -4)}AAAA`;
  const refusal: unknown = await verifier.authenticate(spoiled, signal).catch((caught: unknown) => caught);
  t.ok(ShoalError.is(refusal, 'UNAUTHENTICATED'));
  t.notMatch(refusal, { message: /future/ }, 'nothing is said to who has none');
});

function clockOf(clock: ManualClock) {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimeout: clock.setTimeout.bind(clock),
    setInterval: clock.setInterval.bind(clock),
  };
}
