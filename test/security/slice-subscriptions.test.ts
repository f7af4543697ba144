/** What a member that is a thief can cost a replica by following slices. */
import t from 'tap';
import { systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import { followSliceHandler } from '../../node/slices/grpc-slice-channel.ts';
import { RequestQueue } from '../../node/slices/request-queue.ts';
import type { SliceReply, SliceRequest } from '../../node/slices/slice-channel.ts';
import { SliceFeeder } from '../../node/slices/slice-feeder.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import { termsMax } from '../../node/state/slices/slice-terms.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../node/mesh/peer-fixtures.ts';

async function feederOf(t: { teardown(run: () => Promise<void>): void }): Promise<SliceFeeder> {
  const state = new MemoryStateClient();
  const feeder = new SliceFeeder({ clock: systemClock, state, knownSince: () => 0, isReplica: () => true });
  await feeder.start();
  t.teardown(() => feeder.stop());
  return feeder;
}

const subscribe: SliceRequest = { kind: 'subscribe', held: [], asked: [], revision: 0, termsNumber: 0 };

t.test('terms are counted over all changes, and the stream ends with one too many', async (t) => {
  const feeder = await feederOf(t);
  const requests = new RequestQueue<SliceRequest>();
  requests.push(subscribe);
  const perChange = 8_192;
  const terms = (change: number): string[] => Array.from({ length: perChange }, (_, at) => `t/a/${change}-${at}`);
  for (let change = 0; change < termsMax / perChange; change += 1) {
    requests.push({ kind: 'change', add: terms(change), remove: [], termsNumber: change + 1 });
  }
  requests.push({ kind: 'change', add: ['t/a/one-more'], remove: [], termsNumber: 99 });
  const ended = (async (): Promise<unknown> => {
    try {
      for await (const reply of feeder.serve(requests, AbortSignal.timeout(20_000))) {
        if (reply.kind === 'ask-digests') requests.push({ kind: 'digests', digests: [] });
      }
    } catch (caught) {
      return caught;
    }
    return undefined;
  })();
  const caught = await ended;
  t.ok(ShoalError.is(caught, 'INVALID_ARGUMENT'), String(caught));
  t.equal(feeder.subscriberCount, 0, 'nothing is kept of it');
  const held = terms(0);
  const tooMany = new RequestQueue<SliceRequest>();
  tooMany.push({ ...subscribe, held: Array.from({ length: 8 }, (_, at) => terms(at)).flat(), asked: held.slice(0, 1) });
  const replies = feeder.serve(tooMany, AbortSignal.timeout(20_000));
  await t.rejects(
    async () => {
      for await (const reply of replies) t.equal(reply.kind, 'status');
    },
    { code: 'INVALID_ARGUMENT' },
    'those that it says to hold count as well',
  );
});

t.test('one member follows eight slices at a time, whatever others do', async (t) => {
  const authority = testAuthority();
  const [replica, thief, honest] = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const feeder = await feederOf(t);
  const handlers = { followSlice: followSliceHandler((requests, signal) => feeder.serve(requests, signal)) };
  const addresses = new Map<HostId, string>([[replica.hostId, await serve(t, replica, { handlers })]]);
  const leaving = new AbortController();
  t.teardown(() => leaving.abort());
  const follow = async (host: typeof thief, signal = leaving.signal) => {
    const requests = new RequestQueue<object>();
    requests.push({ subscribe: { held: [], asked: [], revision: 0, termsNumber: 0 } });
    const peer = clientsOf(t, host, addresses).to(replica.hostId);
    const stream = peer.calls.followSlice(requests, { signal })[Symbol.asyncIterator]();
    return (await stream.next()).value as SliceReply | undefined;
  };
  const first = new AbortController();
  t.ok(await follow(thief, first.signal));
  for (let count = 1; count < 8; count += 1) t.ok(await follow(thief));
  await t.rejects(follow(thief), { code: 'RATE_LIMITED' });
  t.ok(await follow(honest), 'another member is not kept from it');
  first.abort();
  let again: unknown;
  for (let tries = 0; tries < 100 && again === undefined; tries += 1)
    again = await follow(thief).catch(() => undefined);
  t.ok(again, 'when one has ended there is room');
});
