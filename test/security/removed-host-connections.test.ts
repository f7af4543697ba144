/**
 * A9: a host is removed while its connections are open. Whatever it was in the middle of ends, in both directions, and nothing
 * new begins, by any method of PeerService. Real TLS and gRPC on loopback.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { HostId } from '../../node/base/ids.ts';
import type { PeerHandlers, PeerServer } from '../../node/mesh/peers/peer-server.ts';
import { type MethodSpec, methodsOf } from '../../node/rpc/service.ts';
import { shoal } from '../../proto/messages.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../node/mesh/peer-fixtures.ts';

const soon = { timeoutMs: 5_000 };
/** Longest from the news of the removal to the end of what was under way, ms. The promise is 10 s from the commit. */
const cutMsMax = 2_000;

/** Handlers that never come to an end by themselves, and count those who wait for them. */
function endless(): { readonly handlers: Partial<PeerHandlers>; readonly open: Set<string>; readonly raft: number[] } {
  const open = new Set<string>();
  const raft: number[] = [];
  async function* forever<T>(what: string, value: T, signal: AbortSignal): AsyncGenerator<T> {
    open.add(what);
    try {
      for (;;) {
        yield value;
        await sleep(20, undefined, { signal });
      }
    } finally {
      open.delete(what);
    }
  }
  return {
    open,
    raft,
    handlers: {
      raft: async (messages) => {
        open.add('raft');
        try {
          for await (const { term } of messages) raft.push(term);
        } finally {
          open.delete('raft');
        }
        return {};
      },
      forward: (_requests, { signal }) => forever('forward', { answers: [] }, signal),
      fetchBlob: (_request, { signal }) => forever('fetchBlob', { totalBytes: 1, data: Buffer.from('x') }, signal),
      watchState: (_request, { signal }) => forever('watchState', { revision: 1 }, signal),
      fetchSnapshot: (_request, { signal }) => forever('fetchSnapshot', { totalBytes: 1 }, signal),
      consoleLog: async (_request, { signal }) => {
        open.add('consoleLog');
        await sleep(30_000, undefined, { signal }).finally(() => open.delete('consoleLog'));
        return {};
      },
    },
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 200) throw new Error(`not within two seconds: ${what}`);
    await sleep(10);
  }
}

/** Reads to the end, which only an error brings. */
async function drain(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}

async function* nothing(signal: AbortSignal): AsyncGenerator<never> {
  await sleep(30_000, undefined, { signal }).catch(() => {});
}

void t.test('A9: what a removed host has under way ends with the news, and a member keeps its own', async (t) => {
  const authority = testAuthority();
  const [server, thief, member] = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const removed = new Set<HostId>();
  const { handlers, open, raft } = endless();
  const started: PeerServer[] = [];
  const address = await serve(t, server, {
    handlers,
    admits: (hostId) => !removed.has(hostId),
    started: (made) => started.push(made),
  });
  const addresses = new Map([[server.hostId, address]]);
  const over = new AbortController();
  t.teardown(() => over.abort());
  const signal = over.signal;
  const { calls } = clientsOf(t, thief, addresses).to(server.hostId);
  const votes = calls.raft({ signal });
  votes.write({ term: 1 });
  const underWay: Readonly<Record<string, Promise<unknown>>> = {
    raft: votes.answer,
    forward: drain(calls.forward(nothing(signal), { signal })),
    fetchBlob: drain(calls.fetchBlob({}, { signal })),
    watchState: drain(calls.watchState({}, { signal })),
    fetchSnapshot: drain(calls.fetchSnapshot({}, { signal })),
    consoleLog: calls.consoleLog({}, { timeoutMs: 30_000 }),
  };
  for (const running of Object.values(underWay)) running.catch(() => {});
  await until('all is under way', () => Object.keys(underWay).every((what) => open.has(what)));
  await until('its vote has come', () => raft.length === 1);
  const honest = clientsOf(t, member, addresses).to(server.hostId);
  const itsVotes = honest.calls.raft({ signal });
  itsVotes.write({ term: 1 });
  await until("the member's, too", () => raft.length === 2);

  removed.add(thief.hostId);
  const sinceMs = performance.now();
  started[0]?.cutRefused();
  for (const [what, running] of Object.entries(underWay)) {
    const ended = await Promise.race([
      running.then(
        () => 'ended',
        () => 'failed',
      ),
      sleep(cutMsMax, 'goes on'),
    ]);
    t.equal(ended, 'failed', `${what} fails`);
  }
  t.ok(performance.now() - sinceMs < cutMsMax);
  await until('the handlers have ended', () =>
    ['fetchBlob', 'watchState', 'consoleLog'].every((what) => !open.has(what)),
  );
  votes.write({ term: 99 });
  itsVotes.write({ term: 2 });
  await until('the member goes on', () => raft.includes(2));
  t.notOk(raft.includes(99), 'no vote of the removed host arrives');
  t.match(await honest.calls.probe({}, soon), { reached: true });
});

void t.test('A9: every method of PeerService refuses a removed host', async (t) => {
  const authority = testAuthority();
  const [server, thief] = [hostOf(authority), hostOf(authority)];
  const address = await serve(t, server, { admits: (hostId) => hostId !== thief.hostId });
  const { calls } = clientsOf(t, thief, new Map([[server.hostId, address]])).to(server.hostId);
  const { signal } = new AbortController();
  const methods = methodsOf(shoal.v1.PeerService);
  t.ok(methods.length >= 14);
  for (const method of methods) {
    await t.rejects(callAny(calls, method, signal), { code: 'IDENTITY_MISMATCH', message: /removed/ }, method.name);
  }
});

/** Calls a method with nothing in it, whatever its kind. */
async function callAny(
  calls: object,
  { name, requestStream, responseStream }: MethodSpec,
  signal: AbortSignal,
): Promise<void> {
  const run: unknown = Reflect.get(calls, name);
  if (typeof run !== 'function') throw new Error(`there is no ${name}`);
  if (requestStream && !responseStream) {
    const { answer } = Reflect.apply(run, calls, [{ signal }]) as { readonly answer: Promise<unknown> };
    await answer;
    return;
  }
  const made: unknown = Reflect.apply(run, calls, [requestStream ? nothing(signal) : {}, { ...soon, signal }]);
  if (responseStream) await drain(made as AsyncIterable<unknown>);
  else await made;
}

void t.test(
  'A9: what members have under way with a removed host ends, too: it serves no image to its end',
  async (t) => {
    const authority = testAuthority();
    const [member, thief, other] = [hostOf(authority), hostOf(authority), hostOf(authority)];
    const { handlers } = endless();
    const addresses = new Map<HostId, string>([
      [thief.hostId, await serve(t, thief, { handlers })],
      [other.hostId, await serve(t, other, { handlers })],
    ]);
    const peers = clientsOf(t, member, addresses);
    const over = new AbortController();
    t.teardown(() => over.abort());
    const { signal } = over;
    let blocks = 0;
    const image = (async () => {
      for await (const _ of peers.to(thief.hostId).calls.fetchBlob({}, { signal })) blocks += 1;
    })();
    image.catch(() => {});
    const watch = drain(peers.to(thief.hostId).calls.watchState({}, { signal }));
    watch.catch(() => {});
    const log = peers.to(thief.hostId).calls.consoleLog({}, { timeoutMs: 30_000 });
    log.catch(() => {});
    const votes = peers.to(thief.hostId).calls.raft({ signal });
    votes.write({ term: 1 });
    let fromOther = 0;
    const good = (async () => {
      for await (const _ of peers.to(other.hostId).calls.fetchBlob({}, { signal })) fromOther += 1;
    })();
    good.catch(() => {});
    await until('both serve', () => blocks > 2 && fromOther > 2);

    addresses.delete(thief.hostId);
    peers.cutRemoved();
    for (const running of [image, watch, log, votes.answer]) {
      const why = await Promise.race([
        running.then(
          () => 'ended',
          (error: unknown) => error,
        ),
        sleep(cutMsMax, 'goes on'),
      ]);
      t.match(why, { code: 'UNAVAILABLE', message: /no member/ });
    }
    t.throws(() => peers.to(thief.hostId), { code: 'NOT_FOUND' });
    const before = fromOther;
    await until('a member serves on', () => fromOther > before + 2);
  },
);
