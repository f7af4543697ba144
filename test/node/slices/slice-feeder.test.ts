/** What a change costs a replica that feeds many: those who must hear of it, and nobody else. */
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { RequestQueue } from '../../../node/slices/request-queue.ts';
import type { SliceReply, SliceRequest } from '../../../node/slices/slice-channel.ts';
import { SliceFeeder } from '../../../node/slices/slice-feeder.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';

const subscribers = 200;
const key = (number: number): string => `t/thing/${number}`;

t.test('a change wakes those whose slice it is in, whatever the number of subscribers', async (t) => {
  const state = new MemoryStateClient();
  const put = (at: number, text: string) =>
    state.commit({
      compares: [],
      thenOps: [{ kind: 'put', key: key(at), value: Buffer.from(text) }],
      elseOps: [],
    });
  for (let at = 0; at < subscribers; at += 1) await put(at, 'first');
  const feeder = new SliceFeeder({ clock: systemClock, state, knownSince: () => 0, isReplica: () => true });
  await feeder.start();
  const stop = new AbortController();
  const heard = Array.from({ length: subscribers }, (): string[] => []);
  const reading = heard.map((texts, at) => follow(feeder, at, texts, stop.signal));
  const all = (test: (texts: readonly string[], at: number) => boolean) => until(() => heard.every(test));
  await all((texts) => texts.includes('first'));

  const before = feeder.wakeUps;
  for (let at = 0; at < 20; at += 1) await put(at, 'second');
  await all((texts, at) => at >= 20 || texts.includes('second'));
  t.equal(feeder.wakeUps - before, 20, 'one a change');
  t.notOk(heard.slice(20).some((texts) => texts.includes('second')));

  stop.abort();
  await feeder.stop();
  await Promise.all(reading);
});

async function follow(feeder: SliceFeeder, at: number, texts: string[], signal: AbortSignal): Promise<void> {
  const requests = new RequestQueue<SliceRequest>();
  requests.push({ kind: 'subscribe', held: [], asked: [key(at)], revision: 0, termsNumber: 1 });
  const replies: AsyncIterable<SliceReply> = feeder.serve(requests, signal);
  for await (const reply of replies) {
    if (reply.kind !== 'piece') continue;
    for (const { value } of reply.delta.puts) texts.push(Buffer.from(value).toString());
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 500 && !isSo(); n += 1) await new Promise((resolve) => setTimeout(resolve, 10));
}
