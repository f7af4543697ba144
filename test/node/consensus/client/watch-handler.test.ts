import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { stateWatchHandler } from '../../../../node/consensus/client/watch-handler.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import type { Op } from '../../../../node/state/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../../mesh/peer-fixtures.ts';

const put = (key: string, text: string): Op => ({ kind: 'put', key, value: Buffer.from(text) });
const commit = (state: MemoryStateClient, ...thenOps: Op[]): Promise<unknown> =>
  state.commit({ compares: [], thenOps, elseOps: [] });

t.test('a peer sees each change under its prefix, in order, from the revision that it names', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const state = new MemoryStateClient();
  await commit(state, put('t/a/1', 'before'));
  const { revision } = state.local;
  await commit(state, put('t/a/1', 'one'), put('t/b/1', 'other'));
  const address = await serve(t, server, { handlers: { watchState: stateWatchHandler(state) } });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  const seen: string[] = [];
  const leaving = new AbortController();
  const watching = (async () => {
    const stream = calls.watchState({ prefix: 't/a/', afterRevision: revision }, { signal: leaving.signal });
    for await (const { revision: at, changes } of stream) {
      const lines = changes.map(({ key, value }) => `${key}=${value ? Buffer.from(value).toString() : 'gone'}`);
      seen.push(`${at - revision}: ${lines.join(' ')}`);
    }
  })();
  for (let i = 0; seen.length < 1 && i < 200; i++) await sleep(10);
  await commit(state, put('t/a/2', ''), { kind: 'delete', key: 't/a/1' });
  for (let i = 0; seen.length < 2 && i < 200; i++) await sleep(10);
  t.same(seen, ['1: t/a/1=one', '2: t/a/2= t/a/1=gone'], 'an empty value is not a deletion');
  leaving.abort();
  await t.rejects(watching, { code: 'CANCELLED' });
});

t.test('a watcher that falls too far behind is told so', async (t) => {
  const state = new MemoryStateClient();
  const call = {
    caller: 'a'.repeat(32) as HostId,
    signal: new AbortController().signal,
    remoteAddress: '',
    certificate: undefined,
    header: () => undefined,
  };
  const watch = stateWatchHandler(state)(shoal.v1.WatchStateRequest.create({ prefix: 'k/' }), call);
  const iterator = watch[Symbol.asyncIterator]();
  const first = iterator.next();
  for (let n = 0; n < 10_100; n++) await commit(state, put('k/1', String(n)));
  t.equal((await first).done, false);
  const rest = async (): Promise<void> => {
    while (!(await iterator.next()).done);
  };
  await t.rejects(rest(), { code: 'STALE' });
});
