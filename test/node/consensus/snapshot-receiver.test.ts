import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import type { Vouching } from '../../../node/consensus/replica/comparison.ts';
import { SnapshotCache } from '../../../node/consensus/snapshots/snapshot-cache.ts';
import { SnapshotFetch } from '../../../node/consensus/snapshots/snapshot-fetch.ts';
import { SnapshotReceiver } from '../../../node/consensus/snapshots/snapshot-receiver.ts';
import type { RaftTransport } from '../../../node/consensus/transport/transport.ts';
import { emptyConfState, type Message, newMessage } from '../../../node/raft/index.ts';
import { isSameDigest } from '../../../node/state/digest.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';

function cacheOf(machine: StateMachine, vouches: () => Vouching = () => 'yes'): SnapshotCache {
  return new SnapshotCache({
    take: () => ({ place: { index: machine.appliedIndex, term: 1, confState: emptyConfState }, view: machine.view() }),
    nowMs: () => 0,
    report: () => {},
    rest: async () => {},
    vouches,
  });
}

/** Member 1, which fetches from member 2, whose state grows with each offer. */
async function world(t: Test) {
  const machine = new StateMachine();
  const cache = cacheOf(machine);
  let fetches = 0;
  const transport = {
    fetchSnapshot: (...[, request, signal]: Parameters<RaftTransport['fetchSnapshot']>) => {
      fetches += 1;
      return cache.serve(1, request, signal);
    },
  };
  const { store } = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID(), bootstrap: false });
  let arrivals = 0;
  const receiver = new SnapshotReceiver({
    clock: systemClock,
    logger: silentLogger,
    transport,
    store,
    arrived: () => {
      arrivals += 1;
    },
    failed: (error) => t.fail(String(error)),
  });
  /** The leader's state is at `index` now, and it offers that. */
  const offer = (index: number): Message => {
    machine.skip(index);
    cache.newest(index, index, emptyConfState);
    const place = { index, term: 1, confState: emptyConfState };
    const snapshot = { ...place, data: new Uint8Array(0) };
    return newMessage({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot });
  };
  const arrived = async (count: number): Promise<void> => {
    for (let turns = 0; arrivals < count && turns < 1_000; turns += 1) await new Promise((done) => setImmediate(done));
    t.equal(arrivals, count);
  };
  return { receiver, offer, arrived, fetches: () => fetches };
}

void t.test('the core hears of an offer when the content is here, once, by what was fetched', async (t) => {
  const { receiver, offer, arrived } = await world(t);
  t.equal(receiver.offered(offer(10), 0), 'fetching');
  t.equal(receiver.takeOffer(), undefined);
  await arrived(1);
  t.equal(receiver.takeOffer()?.snapshot?.index, 10);
  t.equal(receiver.takeOffer(), undefined, 'once');
  t.equal(receiver.offered(offer(11), 11), 'past');
  t.equal(receiver.end().offer, undefined, 'what is past is not looked at again');
});

void t.test('what is offered while another is installed is looked at when that is done', async (t) => {
  const { receiver, offer, arrived, fetches } = await world(t);
  receiver.offered(offer(10), 0);
  await arrived(1);
  const { snapshot } = receiver.takeOffer() ?? {};
  if (snapshot === undefined || snapshot === null) throw new Error('the offer is here');
  t.equal(receiver.begin(snapshot).place.index, 10);
  const newer = offer(20);
  t.equal(receiver.offered(newer, 10), 'fetching');
  t.equal(fetches(), 1, 'nothing is fetched meanwhile');
  t.ok(receiver.hold({ ...newer, type: 'MsgStorageAppend' }), 'work behind it waits');
  const { behind, offer: left } = receiver.end();
  t.equal(behind.length, 1);
  t.equal(left, newer);
  t.notOk(receiver.isInstalling);
  t.equal(receiver.offered(newer, 10), 'fetching');
  await arrived(2);
  t.equal(receiver.takeOffer()?.snapshot?.index, 20);
});

void t.test('what comes while another is installed is not taken for that one', async (t) => {
  const { receiver, offer, arrived } = await world(t);
  receiver.offered(offer(10), 0);
  await arrived(1);
  const { snapshot } = receiver.takeOffer() ?? {};
  if (snapshot === undefined || snapshot === null) throw new Error('the offer is here');
  // The newer one is asked for before the core wants the older installed, and comes afterwards.
  const newer = offer(20);
  t.equal(receiver.offered(newer, 0), 'fetching');
  t.equal(receiver.begin(snapshot).place.index, 10);
  await arrived(2);
  const { offer: left } = receiver.end();
  t.equal(left, newer, 'it is offered to the core now');
  t.equal(receiver.offered(newer, 10), 'here');
  t.equal(receiver.takeOffer()?.snapshot?.index, 20);
});

void t.test(
  'rows that are not those which the sender has applied are refused, and nothing of them stays',
  async (t) => {
    const machine = new StateMachine();
    for (const [at, key] of ['a', 'b', 'c'].entries()) {
      const thenOps = [{ kind: 'put', key, value: Buffer.from('right') }] as const;
      machine.apply(at + 1, { clientToken: `token-${key}`, transaction: { compares: [], thenOps, elseOps: [] } });
    }
    const cache = cacheOf(machine);
    const place = cache.newest(3, 1, emptyConfState);
    const disk = new MemoryDisk();
    const { store } = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID(), bootstrap: false }, disk);
    const before = disk.keys();
    const transport = {
      fetchSnapshot: (...[, request, signal]: Parameters<RaftTransport['fetchSnapshot']>) =>
        cache.serve(1, request, signal),
    };
    const deps = { clock: systemClock, logger: silentLogger, transport, store };
    // The pauses between its tries keep no process alive.
    const alive = setInterval(() => {}, 1_000);
    t.teardown(() => clearInterval(alive));
    const row = machine.get('b');
    if (row === undefined) throw new Error('no row');
    // Memory that rots at the sender: each piece has a checksum that holds, and so has the snapshot.
    Reflect.set(row, 'value', Buffer.from('wrong'));
    await t.rejects(new SnapshotFetch(deps, 2, place.index).run(new AbortController().signal), {
      code: 'LOG_CORRUPT',
      message: /not those that its sender has applied/,
    });
    t.same(disk.keys(), before, 'no row of it is on the disk');
    Reflect.set(row, 'value', Buffer.from('right'));
    const fetched = await new SnapshotFetch(deps, 2, place.index).run(new AbortController().signal);
    t.ok(isSameDigest(fetched.machine.digest, machine.digest), 'the right rows are taken');
    t.ok(disk.keys().length > before.length);
  },
);

void t.test('the last piece of a snapshot waits until the state was compared with that of the others', async (t) => {
  const machine = new StateMachine();
  const thenOps = [{ kind: 'put', key: 'a', value: Buffer.from('b') }] as const;
  machine.apply(1, { clientToken: 'token', transaction: { compares: [], thenOps, elseOps: [] } });
  let vouching: Vouching = 'not-yet';
  const cache = cacheOf(machine, () => vouching);
  const { index } = cache.newest(1, 1, emptyConfState);
  const serve = async (signal = new AbortController().signal): Promise<boolean[]> => {
    const lasts: boolean[] = [];
    for await (const part of cache.serve(1, { indexMin: index }, signal)) lasts.push(part.isLast);
    return lasts;
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  let lasts: boolean[] | undefined;
  const served = serve().then((found) => {
    lasts = found;
  });
  await turn();
  cache.tick();
  await turn();
  t.equal(lasts, undefined, 'nothing is known yet');
  vouching = 'yes';
  cache.judged();
  await served;
  t.equal(lasts?.at(-1), true, 'it has come whole');

  vouching = 'not-yet';
  const refused = serve();
  vouching = 'no';
  cache.judged();
  await t.rejects(refused, { code: 'UNAVAILABLE' }, 'the others hold another');

  vouching = 'not-yet';
  const stop = new AbortController();
  const stopped = serve(stop.signal);
  await turn();
  stop.abort();
  await t.rejects(stopped, { code: 'CANCELLED' }, 'a peer that gives up is not waited for, though no tick comes');

  const last = serve();
  await turn();
  cache.close();
  await t.rejects(last, { code: 'CANCELLED' }, 'an agent that stops lets nobody wait');
});

/** A peer that sends snapshots piece by piece as it is told; what is fetched is written to `disk`. */
async function slowPeer(t: Test) {
  const machine = new StateMachine();
  const cache = cacheOf(machine);
  const disk = new MemoryDisk();
  const { store } = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID(), bootstrap: false }, disk);
  const arrivals: number[] = [];
  const failures: unknown[] = [];
  const behaviour = { breaksAtEnd: false, onLastPart: (): void => {} };
  const transport = {
    async *fetchSnapshot(...[, request, signal]: Parameters<RaftTransport['fetchSnapshot']>) {
      for await (const part of cache.serve(1, request, signal)) {
        if (part.isLast) behaviour.onLastPart();
        yield behaviour.breaksAtEnd ? { ...part, isLast: false } : part;
      }
    },
  };
  const deps = { clock: systemClock, logger: silentLogger, transport, store };
  const receiver = new SnapshotReceiver({
    ...deps,
    arrived: () => arrivals.push(1),
    failed: (error) => failures.push(error),
  });
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const offer = (index: number): Message => {
    const value = new Uint8Array(1024 * 1024);
    const thenOps = [{ kind: 'put', key: `key-${index}`, value } as const];
    machine.apply(index, { clientToken: '', transaction: { compares: [], thenOps, elseOps: [] } });
    const place = cache.newest(index, index, emptyConfState);
    const snapshot = { ...place, data: new Uint8Array(0) };
    return newMessage({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot });
  };
  /** Generations of rows on the disk. */
  const generations = (): number => new Set(disk.keys().flatMap((key) => /^r\/(\w+)\//.exec(key)?.[1] ?? [])).size;
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) await new Promise((done) => setImmediate(done));
  };
  return { deps, receiver, offer, generations, turns, behaviour, arrivals, failures, disk };
}

void t.test('a fetch that is given up in the pause between two tries leaves no rows', async (t) => {
  const { deps, offer, generations, turns, behaviour } = await slowPeer(t);
  offer(10);
  behaviour.breaksAtEnd = true;
  const stop = new AbortController();
  const run = new SnapshotFetch(deps, 2, 10).run(stop.signal);
  await turns();
  t.equal(generations(), 1, 'its rows are being written, and it waits before the next try');
  stop.abort('a reason that is no error');
  await t.rejects(run, { code: 'CANCELLED' });
  t.equal(generations(), 0);
});

void t.test('a fetch that is given up as its last piece comes is not taken, and leaves no rows', async (t) => {
  const { deps, offer, generations, behaviour } = await slowPeer(t);
  offer(10);
  const stop = new AbortController();
  behaviour.onLastPart = () => stop.abort(new ShoalError('CANCELLED', 'A newer one is offered.'));
  await t.rejects(new SnapshotFetch(deps, 2, 10).run(stop.signal), { code: 'CANCELLED' });
  t.equal(generations(), 0);
});

void t.test('content that nobody takes any more is given up: by a newer one, by a stop', async (t) => {
  const { receiver, offer, generations, turns, arrivals, failures } = await slowPeer(t);
  receiver.offered(offer(10), 0);
  await turns();
  t.equal(arrivals.length, 1);
  receiver.offered(offer(20), 0);
  await turns();
  t.equal(arrivals.length, 2);
  t.equal(generations(), 1, 'the older one is gone');
  t.equal(receiver.takeOffer()?.snapshot?.index, 20);
  receiver.stop(new ShoalError('CANCELLED', 'The agent is stopping.'));
  await turns();
  t.equal(generations(), 0, 'and the newer one after the stop');
  t.equal(receiver.takeUnwanted(), undefined);
  t.same(failures, []);
});

void t.test('content that comes as the agent stops is not announced', async (t) => {
  const { receiver, offer, generations, turns, behaviour, arrivals } = await slowPeer(t);
  behaviour.onLastPart = () => receiver.stop(new ShoalError('CANCELLED', 'The agent is stopping.'));
  receiver.offered(offer(10), 0);
  await turns();
  t.equal(arrivals.length, 0);
  t.equal(generations(), 0);
});
