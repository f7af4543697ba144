/** The key of one host in two processes: which of them is served. Real TLS and gRPC on loopback. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import {
  formatInstance,
  type Instance,
  isOlderInstance,
  newInstance,
  parseInstance,
} from '../../../../node/mesh/peers/instance.ts';
import { PeerClients } from '../../../../node/mesh/peers/peer-client.ts';
import { fixedCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import type { SeenInstance } from '../../../../node/mesh/peers/peer-instances.ts';
import type { PeerServer } from '../../../../node/mesh/peers/peer-server.ts';
import { hostOf, serve, type TestHost, testAuthority } from '../peer-fixtures.ts';

const soon = { timeoutMs: 5_000 };

/** A process of a host. */
function processOf(
  test: { teardown(run: () => void): void },
  host: TestHost,
  addresses: ReadonlyMap<HostId, string>,
  instance?: Instance,
): PeerClients {
  const clients = new PeerClients(
    { logger: silentLogger },
    {
      certificates: fixedCertificates(host.certificates),
      addressOf: (hostId) => addresses.get(hostId),
      ...(instance === undefined ? {} : { caller: { instance, listensAt: '192.0.2.7:7401' } }),
    },
  );
  test.teardown(() => clients.close());
  return clients;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 300) throw new Error(`not within three seconds: ${what}`);
    await sleep(10);
  }
}

async function world(test: { teardown(run: () => void | Promise<void>): void }) {
  const authority = testAuthority();
  const [server, host] = [hostOf(authority), hostOf(authority)];
  const started: PeerServer[] = [];
  const votes: number[] = [];
  const address = await serve(test, server, {
    handlers: {
      raft: async (messages) => {
        for await (const { term } of messages) votes.push(term);
        return {};
      },
    },
    started: (made) => started.push(made),
  });
  const addresses = new Map([[server.hostId, address]]);
  const twice = (): readonly string[] => started[0]?.keysUsedTwice.map(({ hostId }) => hostId) ?? [];
  const start = (instance?: Instance) => processOf(test, host, addresses, instance);
  return { server, host, votes, twice, start };
}

t.test('an instance as it stands in a header', (t) => {
  const made = newInstance(1_764_460_800_000);
  t.same(parseInstance(formatInstance(made)), made);
  for (const wrong of [
    undefined,
    '',
    '1',
    '0-0123456789abcdef',
    '1-0123456789ABCDEF',
    '1-0123456789abcdef0',
    '-1-0123456789abcdef',
  ]) {
    t.equal(parseInstance(wrong), undefined, String(wrong));
  }
  t.equal(parseInstance('9999999999999999-0123456789abcdef'), undefined, 'no number that JavaScript has');
  t.ok(isOlderInstance({ epoch: 1, nonce: 'f' }, { epoch: 2, nonce: 'a' }));
  t.ok(isOlderInstance({ epoch: 2, nonce: 'a' }, { epoch: 2, nonce: 'b' }));
  t.notOk(isOlderInstance({ epoch: 2, nonce: 'a' }, { epoch: 2, nonce: 'a' }));
  t.end();
});

t.test(
  'the older of two that live is served, the newer refused with a word; no vote of the newer comes through',
  async (t) => {
    const { server, host, votes, twice, start } = await world(t);
    const older = start(newInstance(1_000));
    const newer = start(newInstance(2_000));
    const over = new AbortController();
    t.teardown(() => over.abort());
    const itsVotes = older.to(server.hostId).calls.raft({ signal: over.signal });
    itsVotes.write({ term: 1 });
    await until('its vote', () => votes.length === 1);
    t.same(twice(), []);
    const refused = { code: 'IDENTITY_MISMATCH', message: /Another agent runs with the key of host/ };
    await t.rejects(newer.to(server.hostId).calls.probe({}, soon), refused);
    const stolen = newer.to(server.hostId).calls.raft({ signal: over.signal });
    stolen.write({ term: 99 });
    await t.rejects(stolen.answer, refused);
    itsVotes.write({ term: 2 });
    await until('the older goes on', () => votes.includes(2));
    t.same(votes, [1, 2]);
    t.same(twice(), [host.hostId], 'and it is told of');
  },
);

t.test('an older one that comes later takes its place, and the newer is cut', async (t) => {
  const { server, votes, start } = await world(t);
  const newer = start(newInstance(2_000));
  const over = new AbortController();
  t.teardown(() => over.abort());
  const stolen = newer.to(server.hostId).calls.raft({ signal: over.signal });
  stolen.write({ term: 7 });
  await until('it was believed', () => votes.includes(7));
  const older = start(newInstance(1_000));
  t.match(await older.to(server.hostId).calls.probe({}, soon), { reached: true });
  await t.rejects(stolen.answer, { code: 'UNAVAILABLE' }, 'the stream of the newer is cut');
  await t.rejects(newer.to(server.hostId).calls.probe({}, soon), { code: 'IDENTITY_MISMATCH' });
});

t.test(
  'a restart is no second agent: once the connection of the run before has ended, the next is served',
  async (t) => {
    const { server, twice, start } = await world(t);
    const before = start(newInstance(1_000));
    await before.to(server.hostId).calls.probe({}, soon);
    before.close();
    const after = start(newInstance(2_000));
    const endMs = systemClock.monotonicMs() + 3_000;
    for (;;) {
      const found = await after
        .to(server.hostId)
        .calls.probe({}, soon)
        .catch((error: unknown) => error);
      if (!(found instanceof Error)) break;
      if (systemClock.monotonicMs() > endMs) throw found;
      await sleep(20);
    }
    t.match(await after.to(server.hostId).calls.probe({}, soon), { reached: true });
    await start().to(server.hostId).calls.probe({}, soon);
    t.ok(twice().length <= 1, 'an agent that does not tell its run is served as before');
  },
);

t.test('two processes of one host meet: each is told which run the other is', async (t) => {
  const authority = testAuthority();
  const host = hostOf(authority);
  const met: SeenInstance[] = [];
  const own = newInstance(1_000);
  const address = await serve(t, host, {
    instance: own,
    self: { hostId: host.hostId, met: (caller) => met.push(caller) },
  });
  const copy = newInstance(2_000);
  const client = processOf(t, host, new Map(), copy).at(host.hostId, address);
  t.teardown(() => client.close());
  t.same(parseInstance((await client.calls.getInstance({}, soon)).instance), own);
  t.match(met, [{ instance: copy, remoteAddress: /^127\.0\.0\.1:\d+$/, listensAt: '192.0.2.7:7401' }]);
});
