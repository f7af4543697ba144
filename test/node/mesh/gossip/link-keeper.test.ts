import t from 'tap';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import type { GossipPeer } from '../../../../node/mesh/gossip/gossip.ts';
import { LinkKeeper, linkPolicy } from '../../../../node/mesh/gossip/link-keeper.ts';
import { ManualClock } from '../manual-clock.ts';

/** Hosts whose links are counted instead of made: a dial takes a while, and both ends may be at it. */
class Fabric {
  readonly clock = new ManualClock();
  readonly keepers = new Map<HostId, LinkKeeper>();
  /** Who dialled whom and is connected: one entry a connection. */
  connections: { readonly from: HostId; readonly to: HostId }[] = [];
  readonly down = new Set<HostId>();
  readonly silentMs = new Map<string, number>();
  readonly tests: string[] = [];
  dials = 0;
  readonly #dialMs: number;

  constructor(hosts: number, options: { readonly dialMs?: number; readonly dialsAtOnce?: boolean } = {}) {
    this.#dialMs = options.dialMs ?? 50;
    const ids = Array.from({ length: hosts }, (_, at) => `host-${String(at).padStart(4, '0')}` as HostId);
    for (const [at, id] of ids.entries()) {
      const keeper = new LinkKeeper(
        { clock: this.clock, logger: silentLogger, random: new Prng(at + 1), self: id },
        {
          dial: (peer, signal) => this.#dial(id, peer.hostId, signal),
          connected: () => [...new Set(this.#of(id))],
          doubled: () => this.#of(id).filter((other, n, all) => all.indexOf(other) !== n),
          silentMs: (other) => this.silentMs.get(`${id} ${other}`) ?? 0,
          test: async (other) => {
            this.tests.push(`${id} ${other}`);
            if (this.down.has(other)) throw new Error('no answer');
            for (const pair of [`${id} ${other}`, `${other} ${id}`]) this.silentMs.set(pair, 0);
          },
          drop: (other) => this.drop(id, other),
        },
        options.dialsAtOnce === true ? { ...linkPolicy, yieldMs: 0 } : linkPolicy,
      );
      this.keepers.set(id, keeper);
    }
    this.setPeers();
  }

  setPeers(): void {
    for (const [id, keeper] of this.keepers) {
      const others = [...this.keepers.keys()].filter((other) => other !== id);
      keeper.setPeers(others.map((hostId): GossipPeer => ({ hostId, publicKey: new Uint8Array(32), address: '' })));
    }
  }

  start(): void {
    for (const keeper of this.keepers.values()) keeper.start();
  }

  stop(): void {
    for (const keeper of this.keepers.values()) keeper.stop();
  }

  drop(one: HostId, other: HostId): void {
    this.connections = this.connections.filter(
      ({ from, to }) => !((from === one && to === other) || (from === other && to === one)),
    );
  }

  degrees(): readonly number[] {
    return [...this.keepers.keys()].map((id) => new Set(this.#of(id)).size);
  }

  #of(id: HostId): HostId[] {
    return this.connections.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []));
  }

  #dial(from: HostId, to: HostId, signal: AbortSignal): Promise<void> {
    this.dials += 1;
    return new Promise((resolve, reject) => {
      this.clock.setTimeout(() => {
        if (signal.aborted || this.down.has(to) || this.down.has(from)) {
          reject(new Error('not reached'));
          return;
        }
        this.connections.push({ from, to });
        resolve();
      }, this.#dialMs);
    });
  }
}

t.test('hosts that learn of each other at once have one connection a pair', async (t) => {
  const fabric = new Fabric(4);
  t.teardown(() => fabric.stop());
  fabric.start();
  await fabric.clock.advance(5_000);
  t.same(fabric.degrees(), [3, 3, 3, 3]);
  t.equal(fabric.connections.length, 6, 'no pair has two');
  t.equal(fabric.dials, 6, 'and none was dialled from both ends');
});

t.test('two connections with one host become one, though the other end dials at once', async (t) => {
  const fabric = new Fabric(4, { dialsAtOnce: true });
  t.teardown(() => fabric.stop());
  fabric.start();
  await fabric.clock.advance(600);
  t.ok(fabric.connections.length > 6, 'both ends dialled');
  await fabric.clock.advance(10_000);
  t.same(fabric.degrees(), [3, 3, 3, 3]);
  t.equal(fabric.connections.length, 6);
});

t.test('a host has no more links among sixty hosts than among twelve', async (t) => {
  for (const hosts of [12, 60]) {
    const fabric = new Fabric(hosts);
    t.teardown(() => fabric.stop());
    fabric.start();
    await fabric.clock.advance(60_000);
    const degrees = fabric.degrees();
    t.ok(Math.min(...degrees) >= linkPolicy.linksWanted - 1, `${hosts} hosts: ${Math.min(...degrees)} links at least`);
    t.ok(Math.max(...degrees) <= linkPolicy.linksMax, `${hosts} hosts: ${Math.max(...degrees)} links at most`);
    const dialled = fabric.dials;
    await fabric.clock.advance(240_000);
    const dialsPerHostMinute = (fabric.dials - dialled) / hosts / 4;
    // Those beyond the links wanted, and no others.
    t.ok(
      dialsPerHostMinute < (1.25 * 60_000) / linkPolicy.exploreRestMs,
      `at rest ${dialsPerHostMinute.toFixed(2)} dials a host and minute`,
    );
    fabric.stop();
  }
});

t.test('links between two groups come back after they could not reach each other', async (t) => {
  const fabric = new Fabric(40);
  t.teardown(() => fabric.stop());
  fabric.start();
  await fabric.clock.advance(20_000);
  const ids = [...fabric.keepers.keys()];
  const isNear = (id: HostId): boolean => ids.indexOf(id) < 20;
  const parts = fabric.connections.filter(({ from, to }) => isNear(from) !== isNear(to));
  // One half is switched off and on: seen from the other half, all of it is gone.
  for (const id of ids) if (!isNear(id)) fabric.down.add(id);
  for (const { from, to } of parts) fabric.drop(from, to);
  await fabric.clock.advance(60_000);
  t.notOk(fabric.connections.some(({ from, to }) => isNear(from) !== isNear(to)));
  fabric.down.clear();
  await fabric.clock.advance(60_000);
  t.ok(
    fabric.connections.some(({ from, to }) => isNear(from) !== isNear(to)),
    'within a minute',
  );
});

t.test('a silent link is tested by one of its two ends, and dropped when nobody answers', async (t) => {
  const fabric = new Fabric(2);
  t.teardown(() => fabric.stop());
  fabric.start();
  await fabric.clock.advance(2_000);
  t.equal(fabric.connections.length, 1);
  const [one = '' as HostId, two = '' as HostId] = fabric.keepers.keys();
  const silent = (ms: number): void => {
    for (const pair of [`${one} ${two}`, `${two} ${one}`]) fabric.silentMs.set(pair, ms);
  };
  silent(linkPolicy.pingMs - 1);
  await fabric.clock.advance(1_000);
  t.same(fabric.tests, [], 'what was heard lately is not tested');
  silent(linkPolicy.pingMs * 2);
  await fabric.clock.advance(1_000);
  t.same(fabric.tests, [`${one} ${two}`], 'one test, and both have heard something');
  silent(linkPolicy.pingMs * 2);
  fabric.down.add(two);
  await fabric.clock.advance(1_000);
  t.equal(fabric.connections.length, 0);
});
