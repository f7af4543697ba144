/** What every `Gossip` promises. The suite runs against libp2p on loopback and against the hub in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { ShoalError } from '../../node/base/errors.ts';
import type { Gossip, GossipPeer, Verdict } from '../../node/mesh/gossip/gossip.ts';
import { gossipBytesMax } from '../../node/mesh/gossip/gossip.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';

/** One implementation under test. */
export interface GossipUnderTest {
  readonly name: string;
  /** Makes gossip for a host that admits those for whom `admits` says so. Not started. */
  make(identity: HostIdentity, admits: (hostId: string) => boolean): Gossip;
  /** Where a started one can be dialled. */
  addressOf(gossip: Gossip): string;
}

interface Node {
  readonly identity: HostIdentity;
  readonly gossip: Gossip;
  readonly heard: string[];
}

const topic = 'shoal/m-1/cell0/adverts/1';
const text = (data: Uint8Array): string => Buffer.from(data).toString('utf8');
const bytes = (content: string): Uint8Array => Buffer.from(content, 'utf8');

export async function until(condition: () => boolean, withinMs = 10_000): Promise<void> {
  for (let waitedMs = 0; !condition() && waitedMs < withinMs; waitedMs += 20) await sleep(20);
}

export async function gossipCompliance(t: Test, under: GossipUnderTest): Promise<void> {
  /** Starts `count` hosts that know one another and waits until each is linked with all others. */
  const meshOf = async (
    test: Test,
    count: number,
    options: { readonly validate?: (data: Uint8Array) => Verdict; readonly admits?: (hostId: string) => boolean } = {},
  ): Promise<readonly Node[]> => {
    const nodes: Node[] = [];
    for (let i = 0; i < count; i++) {
      const identity = HostIdentity.create();
      const gossip = under.make(identity, options.admits ?? (() => true));
      const heard: string[] = [];
      gossip.subscribe(topic, {
        validate: options.validate ?? (() => 'accept'),
        handle: (data) => heard.push(text(data)),
      });
      await gossip.start();
      test.teardown(() => gossip.stop());
      nodes.push({ identity, gossip, heard });
    }
    for (const node of nodes) node.gossip.setPeers(peersOf(nodes, node));
    return nodes;
  };
  const peersOf = (nodes: readonly Node[], self: Node): GossipPeer[] =>
    nodes
      .filter((node) => node !== self)
      .map(({ identity: { hostId, publicKey }, gossip }) => ({ hostId, publicKey, address: under.addressOf(gossip) }));
  const linked = async (nodes: readonly Node[]): Promise<void> => {
    await until(() => nodes.every((node) => node.gossip.connected.length === nodes.length - 1));
  };
  /** Publishes until everybody has heard something: links are up before topics are agreed on. */
  const warm = async (nodes: readonly Node[]): Promise<void> => {
    for (let round = 0; round < 200; round++) {
      for (const [at, { gossip }] of nodes.entries()) await gossip.publish(topic, bytes(`warm ${at} ${round}`));
      await sleep(25);
      if (nodes.every(({ heard }) => new Set(heard.map((line) => line.split(' ')[1])).size >= nodes.length - 1)) break;
    }
    // What was lost at first is told later, and may come until then.
    for (let count = -1, rounds = 0; rounds < 10; rounds += 1) {
      const now = nodes.reduce((sum, { heard }) => sum + heard.length, 0);
      if (now === count) break;
      count = now;
      await sleep(1_500);
    }
    for (const { heard } of nodes) heard.length = 0;
  };

  await t.test(`${under.name}: what one publishes all others hear, once, and it does not hear itself`, async (t) => {
    const nodes = await meshOf(t, 4);
    await linked(nodes);
    for (const node of nodes) {
      t.same(
        [...node.gossip.connected].sort(),
        peersOf(nodes, node)
          .map((peer) => peer.hostId)
          .sort(),
      );
    }
    await warm(nodes);
    for (const [at, { gossip }] of nodes.entries()) await gossip.publish(topic, bytes(`m${at}`));
    await until(() => nodes.every(({ heard }) => heard.length >= 3));
    await sleep(200);
    for (const [at, { heard }] of nodes.entries()) {
      t.same(
        [...heard].sort(),
        ['m0', 'm1', 'm2', 'm3'].filter((line) => line !== `m${at}`),
      );
    }
  });

  await t.test(`${under.name}: what a validator does not accept is neither handled nor passed on`, async (t) => {
    const asked: string[] = [];
    const nodes = await meshOf(t, 3, {
      validate: (data) => {
        asked.push(text(data));
        return text(data).startsWith('bad') ? 'reject' : text(data).startsWith('old') ? 'ignore' : 'accept';
      },
    });
    await linked(nodes);
    await warm(nodes);
    const [first] = nodes;
    for (const line of ['bad', 'old', 'good']) await first?.gossip.publish(topic, bytes(line));
    await until(() => nodes.slice(1).every(({ heard }) => heard.includes('good')));
    await sleep(200);
    for (const { heard } of nodes.slice(1)) t.same(heard, ['good']);
    t.ok(asked.includes('bad') && asked.includes('old'));
  });

  await t.test(`${under.name}: a message over the bound is refused, one at the bound arrives`, async (t) => {
    const nodes = await meshOf(t, 2);
    await linked(nodes);
    await warm(nodes);
    const [first, second] = nodes;
    await t.rejects(first?.gossip.publish(topic, new Uint8Array(gossipBytesMax + 1)) ?? Promise.resolve(), {
      code: 'TOO_LARGE',
    });
    await first?.gossip.publish(topic, bytes('x'.repeat(gossipBytesMax)));
    await until(() => (second?.heard.length ?? 0) > 0);
    t.equal(second?.heard[0]?.length, gossipBytesMax);
  });

  await t.test(`${under.name}: publishing with nobody there is no error`, async (t) => {
    const [alone] = await meshOf(t, 1);
    await alone?.gossip.publish(topic, bytes('hello'));
    t.same(alone?.gossip.connected, []);
  });

  await t.test(
    `${under.name}: a stopped node hears nothing, publishes nothing, and stops again without harm`,
    async (t) => {
      const nodes = await meshOf(t, 2);
      await linked(nodes);
      await warm(nodes);
      const [first, second] = nodes;
      await second?.gossip.stop();
      await second?.gossip.stop();
      await until(() => first?.gossip.connected.length === 0);
      t.same(first?.gossip.connected, []);
      await first?.gossip.publish(topic, bytes('anybody?'));
      await sleep(100);
      t.same(second?.heard, []);
      await t.rejects(second?.gossip.publish(topic, bytes('late')) ?? Promise.resolve(), { code: 'CANCELLED' });
    },
  );

  await t.test(`${under.name}: who has left a topic hears no more of it`, async (t) => {
    const nodes = await meshOf(t, 2);
    await linked(nodes);
    await warm(nodes);
    const [first, second] = nodes;
    const leave = second?.gossip.subscribe(topic, {
      validate: () => 'accept',
      handle: (data) => second.heard.push(text(data)),
    });
    await first?.gossip.publish(topic, bytes('one'));
    await until(() => (second?.heard.length ?? 0) > 0);
    leave?.();
    await first?.gossip.publish(topic, bytes('two'));
    await sleep(200);
    t.same(second?.heard, ['one']);
  });

  const answersOf = async (node: Node | undefined, to: Node | undefined, question: string): Promise<string[]> => {
    const answers: string[] = [];
    if (node === undefined || to === undefined) throw new Error('two nodes');
    const asked = node.gossip.ask(to.identity.hostId, bytes(question), new AbortController().signal);
    // Timers of an agent do not keep a process alive.
    const alive = setInterval(() => {}, 1_000);
    try {
      for await (const answer of asked) answers.push(text(answer));
    } finally {
      clearInterval(alive);
    }
    return answers;
  };

  await t.test(`${under.name}: a linked host answers questions, with as many messages as it likes`, async (t) => {
    const nodes = await meshOf(t, 2);
    await linked(nodes);
    const [first, second] = nodes;
    const asked: string[] = [];
    second?.gossip.answer(function* (from, question) {
      asked.push(`${from} ${text(question)}`);
      const size = Number(text(question));
      for (let n = 0; n < 40; n += 1) yield bytes(String(n % 10).repeat(size));
    });
    const answers = await answersOf(first, second, '60000');
    t.equal(answers.length, 40);
    t.ok(answers.every((answer, n) => answer === String(n % 10).repeat(60_000)));
    t.same(asked, [`${first?.identity.hostId} 60000`]);
    t.same(await answersOf(first, second, '0'), Array(40).fill(''), 'empty ones count');
  });

  await t.test(`${under.name}: who gets no answer is told so`, async (t) => {
    const nodes = await meshOf(t, 2);
    await linked(nodes);
    const [first, second] = nodes;
    await t.rejects(answersOf(first, second, 'nobody listens'), { code: 'UNAVAILABLE' });
    const stop = second?.gossip.answer(() => {
      throw new ShoalError('INVALID_ARGUMENT', 'no such question');
    });
    await t.rejects(answersOf(first, second, 'nonsense'), { code: 'UNAVAILABLE' }, 'the peer is not told why');
    stop?.();
    second?.gossip.answer(() => [bytes('well')]);
    t.same(await answersOf(first, second, 'well?'), ['well'], 'a refusal breaks no link');
    await t.rejects(answersOf(first, second, 'x'.repeat(gossipBytesMax + 1)), { code: 'TOO_LARGE' });
    const gone = AbortSignal.abort();
    const late = first?.gossip.ask(second?.identity.hostId ?? first.identity.hostId, bytes('?'), gone);
    await t.rejects(
      async () => {
        for await (const _ of late ?? []) t.fail('nothing comes');
      },
      { code: 'CANCELLED' },
    );
    await second?.gossip.stop();
    await until(() => first?.gossip.connected.length === 0);
    await t.rejects(answersOf(first, second, 'anybody?'), { code: 'UNAVAILABLE' });
  });

  await t.test(`${under.name}: a new link is told of, at both ends, and again when it was dropped`, async (t) => {
    const made: string[] = [];
    const nodes: Node[] = [];
    for (let n = 0; n < 2; n += 1) {
      const identity = HostIdentity.create();
      const gossip = under.make(identity, () => true);
      gossip.onLink((hostId) => made.push(`${identity.hostId} ${hostId}`));
      await gossip.start();
      t.teardown(() => gossip.stop());
      nodes.push({ identity, gossip, heard: [] });
    }
    for (const node of nodes) node.gossip.setPeers(peersOf(nodes, node));
    await linked(nodes);
    const [one, two] = nodes.map(({ identity }) => identity.hostId);
    await until(() => new Set(made).size === 2);
    t.same([...new Set(made)].sort(), [`${one} ${two}`, `${two} ${one}`].sort());
    // Where both dialled at once the second link may still be on its way.
    await sleep(500);
    made.length = 0;
    if (two !== undefined) nodes[0]?.gossip.drop(two);
    await until(() => made.includes(`${one} ${two}`));
    t.ok(made.includes(`${one} ${two}`));
  });
}
