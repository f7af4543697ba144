/**
 * Certificates that last a week, and clocks that are wrong. TLS goes by the clock of this machine, so what is moved is the time
 * at which a certificate was issued. Real TLS and gRPC on loopback.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { type Logger, silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { hostLeftMs, hostLeftMsMin, hostLifeMs, type MeshAuthority } from '../../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import type { PeerCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { clientsOf, hostOf, serve, type TestHost, testAuthority } from '../peer-fixtures.ts';

const soon = { timeoutMs: 5_000 };
const dayMs = 86_400_000;

/** A host with the least that is ever left of a certificate, on a machine whose clock is `offMs` ahead (negative: behind). */
function leastLeft(authority: MeshAuthority, offMs: number): TestHost {
  const identity = HostIdentity.create();
  const tlsKey = createTlsKey();
  // It renews when its own clock shows `hostLeftMs` to be left.
  const issuedMs = Date.now() + hostLeftMs(identity.hostId) - hostLifeMs;
  return {
    identity,
    hostId: identity.hostId,
    certificates: {
      meshId: authority.meshId,
      certificatePem: authority.issueHost(identity.hostId, tlsKey.publicKeySpki, issuedMs + offMs),
      privateKeyPem: tlsKey.privateKeyPem,
      authorityPem: authority.certificatePem,
    },
  };
}

t.test('hosts renew with three days left or more, each at its own time', (t) => {
  const left = Array.from({ length: 50 }, () => hostLeftMs(HostIdentity.create().hostId));
  t.ok(left.every((ms) => ms >= hostLeftMsMin && ms < hostLifeMs - 2 * dayMs));
  t.ok(Math.max(...left) - Math.min(...left) > dayMs / 2, 'spread over a day');
  t.end();
});

// The two ends of a connection each look at the other's certificate by their own clock: a clock that is ahead sees less left.
for (const [what, offMs] of [
  ['behind', -dayMs],
  ['ahead', dayMs],
] as const) {
  t.test(`a host whose clock is a day ${what} calls and is called`, async (t) => {
    const authority = testAuthority();
    const [wrong, right] = [leastLeft(authority, offMs), leastLeft(authority, 0)];
    // To the one that is ahead every other certificate looks a day older.
    const seen = leastLeft(authority, offMs > 0 ? -offMs : 0);
    for (const [caller, callee] of [
      [wrong, right],
      [right, wrong],
      [wrong, seen],
      [seen, wrong],
    ] as const) {
      const address = await serve(t, callee);
      const peer = clientsOf(t, caller, new Map([[callee.hostId, address]])).to(callee.hostId);
      t.match(await peer.calls.probe({}, soon), { reached: true });
    }
  });
}

t.test('a clock that is wrong by more is refused, and both sides say that it may be the clock', async (t) => {
  const authority = testAuthority();
  const [late, server] = [leastLeft(authority, -5 * dayMs), hostOf(authority)];
  const told: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_facts: unknown, text?: string) => told.push(text ?? '') };
  const address = await serve(t, server, { logger });
  const peer = clientsOf(t, late, new Map([[server.hostId, address]])).to(server.hostId);
  await t.rejects(
    peer.call((calls) => calls.probe({}, soon)),
    { code: 'UNAUTHENTICATED', message: /Is a clock wrong/ },
  );
  t.match(told.join(), /a certificate that has ended: the clock of one/);

  const itsAddress = await serve(t, late);
  const caller = clientsOf(t, server, new Map([[late.hostId, itsAddress]])).to(late.hostId);
  await t.rejects(
    caller.call((calls) => calls.probe({}, soon)),
    { code: 'IDENTITY_MISMATCH', message: /the clock of one/ },
  );
});

t.test('connections that nobody uses are closed, and made again by the next call', async (t) => {
  const authority = testAuthority();
  const [server, busy, client] = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const terms: number[] = [];
  const callers = new Set<string>();
  const handlers = {
    raft: async (messages: AsyncIterable<{ readonly term: number }>) => {
      for await (const { term } of messages) terms.push(term);
      return {};
    },
    probe: async (_request: unknown, { remoteAddress }: { readonly remoteAddress: string }) => {
      callers.add(remoteAddress);
      return { reached: true };
    },
  };
  const addresses = new Map<HostId, string>();
  for (const host of [server, busy]) addresses.set(host.hostId, await serve(t, host, { handlers }));
  const peers = clientsOf(t, client, addresses);
  const over = new AbortController();
  t.teardown(() => over.abort());
  const stream = peers.to(busy.hostId).calls.raft({ signal: over.signal });
  stream.write({ term: 1 });
  await peers.to(server.hostId).calls.probe({}, soon);
  peers.closeUnused();
  await peers.to(server.hostId).calls.probe({}, soon);
  t.equal(callers.size, 1, 'one that was used meanwhile stays');
  peers.closeUnused();
  t.equal(peers.count, 2);
  peers.closeUnused();
  t.equal(peers.count, 1, 'one that was not is closed');
  stream.write({ term: 2 });
  const endMs = systemClock.monotonicMs() + 3_000;
  while (!terms.includes(2) && systemClock.monotonicMs() < endMs) await sleep(10);
  t.same(terms, [1, 2], 'one with a call under way is not');
  t.match(await peers.to(server.hostId).calls.probe({}, soon), { reached: true });
  t.equal(callers.size, 2, 'and a new one is made');
});

t.test('a renewal costs no call, and leaves no connection behind', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const terms: number[] = [];
  const callers = new Set<string>();
  const address = await serve(t, server, {
    handlers: {
      raft: async (messages) => {
        for await (const { term } of messages) terms.push(term);
        return {};
      },
      probe: async (_request, { remoteAddress }) => {
        callers.add(remoteAddress);
        return { reached: true };
      },
    },
  });
  let certificates: PeerCertificates = client.certificates;
  const source = { current: () => certificates, subscribe: () => () => {} };
  const peers = clientsOf(t, { ...client, source }, new Map<HostId, string>([[server.hostId, address]]));
  const over = new AbortController();
  t.teardown(() => over.abort());
  const stream = peers.to(server.hostId).calls.raft({ signal: over.signal });
  stream.write({ term: 1 });
  for (let renewal = 1; renewal <= 5; renewal += 1) {
    certificates = { ...certificates };
    t.match(await peers.to(server.hostId).calls.probe({}, soon), { reached: true });
  }
  t.equal(callers.size, 5, 'each renewal makes a connection of its own');
  stream.write({ term: 2 });
  const endMs = systemClock.monotonicMs() + 3_000;
  while (!terms.includes(2) && systemClock.monotonicMs() < endMs) await sleep(10);
  t.same(terms, [1, 2], 'the stream of before goes on');
  t.ok(peers.retired <= 1, 'and alone is kept of those of before');
});
