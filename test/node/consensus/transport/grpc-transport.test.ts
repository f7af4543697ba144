import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId, RaftId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { GrpcRaftTransport } from '../../../../node/consensus/transport/grpc-transport.ts';
import type { Hello, PeerMessage, RaftHandlers, SnapshotPart } from '../../../../node/consensus/transport/transport.ts';
import type { PeerHandlers, PeerServer } from '../../../../node/mesh/peers/peer-server.ts';
import { newMessage } from '../../../../node/raft/index.ts';
import { encodeCommand } from '../../../../node/state/command.ts';
import { clientsOf, hostOf, serve, type TestHost, testAuthority } from '../../mesh/peer-fixtures.ts';

interface Member {
  readonly host: TestHost;
  readonly transport: GrpcRaftTransport;
  readonly received: PeerMessage[];
  /** Where members have said that they are reached. */
  readonly learned: readonly (readonly [HostId, string])[];
  readonly unreachable: RaftId[];
  readonly gone: RaftId[];
  /** Ends its server, as the end of its process would. */
  readonly end: () => Promise<void>;
}

const refuse = async (): Promise<never> => {
  throw new ShoalError('NOT_LEADER', 'not me', { facts: { leader: 9 } });
};

/** Two members that know each other, each served on loopback. Member 3 is known and nowhere to be found. */
async function pairOf(
  test: { teardown(run: () => Promise<void> | void): void },
  answers: Partial<RaftHandlers> = {},
  handlers: Partial<PeerHandlers> = {},
): Promise<readonly [Member, Member]> {
  const authority = testAuthority();
  const hosts = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const addresses = new Map<HostId, string>();
  const members: Member[] = [];
  for (const [at, host] of hosts.slice(0, 2).entries()) {
    const [received, unreachable, gone]: [PeerMessage[], RaftId[], RaftId[]] = [[], [], []];
    const learned: (readonly [HostId, string])[] = [];
    const transport = new GrpcRaftTransport(
      {
        clock: systemClock,
        logger: silentLogger,
        random: new Prng(at),
        peers: clientsOf(test, host, addresses),
        reachedAt: `127.0.0.1:${7000 + at}`,
        learned: (member, peerAddress) => learned.push([member, peerAddress]),
      },
      {
        self: at + 1,
        hostIdOf: (raftId) => hosts[raftId - 1]?.hostId,
        raftIdOf: (hostId) => {
          const index = hosts.findIndex((known) => known.hostId === hostId);
          return index < 0 ? undefined : index + 1;
        },
      },
    );
    test.teardown(() => transport.stop());
    transport.attach({
      onMessage: (message) => received.push(message),
      onUnreachable: (peer) => unreachable.push(peer),
      onGone: (peer) => gone.push(peer),
      propose: refuse,
      readIndex: refuse,
      snapshot: () => {
        throw new ShoalError('UNAVAILABLE', 'none');
      },
      ...answers,
    });
    let end = async (): Promise<void> => {};
    const started = (server: PeerServer): void => {
      end = () => server.stop(0);
    };
    addresses.set(
      host.hostId,
      await serve(test, host, { handlers: { ...transport.peerHandlers, ...handlers }, started }),
    );
    members.push({ host, transport, received, learned, unreachable, gone, end });
  }
  const [first, second] = members;
  if (first === undefined || second === undefined) throw new Error('two members');
  return [first, second];
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; !condition() && i < 500; i++) await sleep(10);
};

t.test('messages and greetings arrive as they were sent, from whom the connection proves', async (t) => {
  const [one, two] = await pairOf(t);
  const append = newMessage({
    type: 'MsgApp',
    to: 2,
    from: 77, // A lie: the certificate says 1.
    term: 3,
    index: 7,
    logTerm: 2,
    commit: 6,
    entries: [{ term: 3, index: 8, type: 'normal', data: Buffer.from('x') }],
  });
  const hello: Hello = {
    type: 'Hello',
    to: 2,
    from: 1,
    term: 3,
    incarnation: 'i-1',
    starts: 4,
    raisedTerm: 0,
    known: undefined,
  };
  one.transport.send(append);
  one.transport.send(hello);
  one.transport.send(newMessage({ type: 'MsgHeartbeat', to: 2, from: 1, term: 3 }));
  await until(() => two.received.length === 3);
  t.match(two.received[0], { type: 'MsgApp', from: 1, term: 3, index: 7, logTerm: 2, commit: 6 });
  t.same(two.received[1], hello);
  t.match(two.received[2], { type: 'MsgHeartbeat', from: 1 });
  t.same(
    two.learned,
    [[one.host.hostId, '127.0.0.1:7000']],
    'a greeting says where the greeter is reached; nothing else does',
  );
  t.same(one.unreachable, []);
});

t.test('a member that cannot be reached is reported, and one that nobody knows too', async (t) => {
  const [one] = await pairOf(t);
  one.transport.send(newMessage({ type: 'MsgHeartbeat', to: 3, from: 1, term: 1 }));
  one.transport.send(newMessage({ type: 'MsgHeartbeat', to: 99, from: 1, term: 1 }));
  await until(() => one.unreachable.includes(3) && one.unreachable.includes(99));
  t.ok(one.unreachable.includes(3) && one.unreachable.includes(99));
});

t.test('a member whose process has ended is told from one that cannot be reached', async (t) => {
  const [one, two] = await pairOf(t);
  for (const index of [1, 2, 3]) {
    one.transport.send(newMessage({ type: 'MsgHeartbeatResp', to: 2, from: 1, term: 1, index }));
  }
  one.transport.send(newMessage({ type: 'MsgHeartbeat', to: 3, from: 1, term: 1 }));
  await until(() => two.received.length === 3 && one.unreachable.includes(3));
  t.same(one.gone, [], 'the one lives, the other never did as far as is known');
  await two.end();
  await until(() => one.gone.length > 0);
  t.same(one.gone, [2]);
});

t.test("a forwarded command comes back with its outcome or with the leader's own error", async (t) => {
  const command = {
    clientToken: 'tok',
    transaction: {
      compares: [{ key: 'a', revision: 3 }],
      thenOps: [{ kind: 'add' as const, key: 'c/x', delta: -1, min: 0, max: 5 }],
      elseOps: [],
    },
  };
  const seen: unknown[] = [];
  const [one] = await pairOf(t, {
    propose: async (received) => {
      seen.push(received);
      return { revision: 12, succeeded: false, failedKey: 'a', counters: [-4, 2], refusal: 'counter-bounds' };
    },
  });
  const signal = AbortSignal.timeout(5000);
  t.same(await one.transport.forwardPropose(2, encodeCommand(command), signal), {
    revision: 12,
    succeeded: false,
    failedKey: 'a',
    counters: [-4, 2],
    refusal: 'counter-bounds',
  });
  t.same(seen, [command]);
  await t.rejects(one.transport.forwardReadIndex(2, signal), { code: 'NOT_LEADER', facts: { leader: 9 } });
});

t.test('a command that certainly did not arrive is told apart from one that may have', async (t) => {
  let arrived = 0;
  const [one, two] = await pairOf(t, {
    propose: () =>
      new Promise(() => {
        arrived++;
      }),
  });
  const command = { clientToken: '', transaction: { compares: [], thenOps: [], elseOps: [] } };
  const startedMs = systemClock.monotonicMs();
  await t.rejects(one.transport.forwardPropose(3, encodeCommand(command), AbortSignal.timeout(5000)), {
    code: 'UNAVAILABLE',
  });
  await t.rejects(one.transport.forwardPropose(99, encodeCommand(command), AbortSignal.timeout(5000)), {
    code: 'UNAVAILABLE',
  });
  t.ok(systemClock.monotonicMs() - startedMs < 1000, 'within a second');
  await t.rejects(one.transport.forwardPropose(2, encodeCommand(command), AbortSignal.timeout(300)), {
    code: 'OUTCOME_UNKNOWN',
  });
  t.equal(arrived, 1);
  await t.rejects(one.transport.forwardPropose(2, encodeCommand(command), AbortSignal.abort()), { code: 'CANCELLED' });
  t.equal(arrived, 1);
  two.transport.attach(undefined);
  await t.rejects(one.transport.forwardReadIndex(2, AbortSignal.timeout(5000)), { code: 'UNAVAILABLE' });
});

t.test(
  'commands on their way when the leader ends have an unknown fate, and the next go to its successor',
  async (t) => {
    let arrived = 0;
    const [one, two] = await pairOf(t, {
      propose: () =>
        new Promise(() => {
          arrived++;
        }),
      readIndex: async () => 7,
    });
    const command = { clientToken: '', transaction: { compares: [], thenOps: [], elseOps: [] } };
    const signal = AbortSignal.timeout(10_000);
    const sent = Array.from({ length: 50 }, () => one.transport.forwardPropose(2, encodeCommand(command), signal));
    for (const promise of sent) promise.catch(() => {});
    await until(() => arrived === 50);
    t.equal(await one.transport.forwardReadIndex(2, signal), 7, 'the others do not hold it up');
    await two.end();
    for (const promise of sent) await t.rejects(promise, { code: 'OUTCOME_UNKNOWN' });
    await t.rejects(one.transport.forwardPropose(2, encodeCommand(command), signal), { code: 'UNAVAILABLE' });
    await t.rejects(one.transport.forwardReadIndex(2, signal), { code: 'UNAVAILABLE' });
  },
);

t.test('a leader of the version before is asked in its own way', async (t) => {
  const old: Partial<PeerHandlers> = {
    // biome-ignore lint/correctness/useYield: it only refuses.
    async *forward() {
      throw new ShoalError('NOT_IMPLEMENTED', 'There is no Forward.');
    },
  };
  let proposed = 0;
  const propose: RaftHandlers['propose'] = async () => {
    proposed += 1;
    return { revision: 12, succeeded: true, counters: [2] };
  };
  const [one] = await pairOf(t, { propose, readIndex: async () => 9 }, old);
  const command = { clientToken: 'tok', transaction: { compares: [], thenOps: [], elseOps: [] } };
  const signal = AbortSignal.timeout(5000);
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => one.transport.forwardPropose(2, encodeCommand(command), signal)),
  );
  t.same(
    outcomes.map(({ revision, counters }) => [revision, counters]),
    [1, 2, 3].map(() => [12, [2]]),
  );
  t.equal(proposed, 3, 'each once');
  t.equal(await one.transport.forwardReadIndex(2, signal), 9);
});

t.test('a snapshot comes in parts, from where it was broken off, as fast as it is taken', async (t) => {
  const confState = { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const place = { index: 40, term: 2, confState };
  let made = 0;
  const [one] = await pairOf(t, {
    async *snapshot(peer, request): AsyncGenerator<SnapshotPart> {
      t.equal(peer, 1);
      t.same(request, { indexMin: 30, resume: { index: 40, offsetBytes: 100 } });
      for (let i = 0; i < 200; i++) {
        made++;
        const offsetBytes = 100 + i * 65536;
        yield { place, offsetBytes, data: new Uint8Array(65536), crc32c: 5, isLast: i === 199 };
      }
    },
  });
  const request = { indexMin: 30, resume: { index: 40, offsetBytes: 100 } };
  let read = 0;
  for await (const part of one.transport.fetchSnapshot(2, request, AbortSignal.timeout(10_000))) {
    if (++read === 1) {
      t.match(part, { place, offsetBytes: 100, crc32c: 5, isLast: false });
      await sleep(100);
      t.ok(made < 150, `${made} parts were made while one was taken`);
    }
    if (read === 200) t.equal(part.isLast, true);
  }
  t.equal(read, 200);
  const none = async (): Promise<void> => {
    for await (const _ of one.transport.fetchSnapshot(3, request, AbortSignal.timeout(5000))) t.fail('a part');
  };
  await t.rejects(none(), { code: 'UNAVAILABLE' });
});
