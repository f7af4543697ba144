import { randomUUID } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { silentLogger } from '../../../node/base/logger.ts';
import { emptyConfState, type Message, newMessage } from '../../../node/raft/index.ts';
import { SnapshotIntake } from '../../../node/raft-loop/snapshot-intake.ts';
import { SnapshotShelf } from '../../../node/raft-loop/snapshot-shelf.ts';
import type { RaftTransport } from '../../../node/raft-transport.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import { openMemoryLogStore } from '../../../node/store/index.ts';

/** Member 1, which fetches from member 2, whose state grows with each offer. */
async function world() {
  const machine = new StateMachine();
  const shelf = new SnapshotShelf(
    () => ({ place: { index: machine.appliedIndex, term: 1, confState: emptyConfState }, view: machine.view() }),
    () => 0,
    () => {},
    async () => {},
  );
  let fetches = 0;
  const transport = {
    fetchSnapshot: (...[, request, signal]: Parameters<RaftTransport['fetchSnapshot']>) => {
      fetches += 1;
      return shelf.serve(1, request, signal);
    },
  };
  const { store } = await openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID(), bootstrap: false });
  let arrivals = 0;
  const intake = new SnapshotIntake({
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
    shelf.newest(index, index, emptyConfState);
    const place = { index, term: 1, confState: emptyConfState };
    const snapshot = { ...place, data: new Uint8Array(0) };
    return newMessage({ type: 'MsgSnap', from: 2, to: 1, term: 1, snapshot });
  };
  const arrived = async (count: number): Promise<void> => {
    for (let turns = 0; arrivals < count && turns < 1_000; turns += 1) await new Promise((done) => setImmediate(done));
    t.equal(arrivals, count);
  };
  return { intake, offer, arrived, fetches: () => fetches };
}

void t.test('the core hears of an offer when the content is here, once, by what was fetched', async (t) => {
  const { intake, offer, arrived } = await world();
  t.equal(intake.offered(offer(10), 0), 'fetching');
  t.equal(intake.takeOffer(), undefined);
  await arrived(1);
  t.equal(intake.takeOffer()?.snapshot?.index, 10);
  t.equal(intake.takeOffer(), undefined, 'once');
  t.equal(intake.offered(offer(11), 11), 'past');
  t.equal(intake.end().offer, undefined, 'what is past is not looked at again');
});

void t.test('what is offered while another is installed is looked at when that is done', async (t) => {
  const { intake, offer, arrived, fetches } = await world();
  intake.offered(offer(10), 0);
  await arrived(1);
  const { snapshot } = intake.takeOffer() ?? {};
  if (snapshot === undefined || snapshot === null) throw new Error('the offer is here');
  t.equal(intake.begin(snapshot).place.index, 10);
  const newer = offer(20);
  t.equal(intake.offered(newer, 10), 'fetching');
  t.equal(fetches(), 1, 'nothing is fetched meanwhile');
  t.ok(intake.hold({ ...newer, type: 'MsgStorageAppend' }), 'work behind it waits');
  const { behind, offer: left } = intake.end();
  t.equal(behind.length, 1);
  t.equal(left, newer);
  t.notOk(intake.isInstalling);
  t.equal(intake.offered(newer, 10), 'fetching');
  await arrived(2);
  t.equal(intake.takeOffer()?.snapshot?.index, 20);
});

void t.test('what comes while another is installed is not taken for that one', async (t) => {
  const { intake, offer, arrived } = await world();
  intake.offered(offer(10), 0);
  await arrived(1);
  const { snapshot } = intake.takeOffer() ?? {};
  if (snapshot === undefined || snapshot === null) throw new Error('the offer is here');
  // The newer one is asked for before the core wants the older installed, and comes afterwards.
  const newer = offer(20);
  t.equal(intake.offered(newer, 0), 'fetching');
  t.equal(intake.begin(snapshot).place.index, 10);
  await arrived(2);
  const { offer: left } = intake.end();
  t.equal(left, newer, 'it is offered to the core now');
  t.equal(intake.offered(newer, 10), 'here');
  t.equal(intake.takeOffer()?.snapshot?.index, 20);
});
