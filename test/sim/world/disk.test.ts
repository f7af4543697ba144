/** What the simulated disk lets go with the power, and what of that shows at the next start. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Prng } from '../../../node/base/prng.ts';
import { openLogAt } from '../../../node/store/log/log-place.ts';
import type { OpenedLog } from '../../../node/store/log/recovery.ts';
import { SimDisk } from '../../../sim/world/disk.ts';
import { Life, Schedule } from '../../../sim/world/schedule.ts';
import { confState, entriesFrom } from '../../compliance/log-store.ts';

const observer = { onDurable: () => {}, onWiped: () => {}, onRolledBack: () => {} };

/** A log of one of three voters, on a disk of its own. */
class Scene {
  readonly schedule = new Schedule();
  readonly disk: SimDisk;
  life = new Life('n1.1');

  constructor(seed: number) {
    this.disk = new SimDisk({ schedule: this.schedule, random: new Prng(seed), observer }, { syncMs: 1 });
  }

  /** Lets time pass until `work` is done; its end is told by what it resolves with. */
  async during<T>(work: Promise<T>): Promise<T> {
    const done = { is: false };
    const end = work.finally(() => {
      done.is = true;
    });
    for (let turns = 0; turns < 1_000 && !done.is; turns += 1) {
      await this.schedule.runUntil(this.schedule.nowMs + 1, () => done.is);
      await delay(0);
    }
    return end;
  }

  open(): Promise<OpenedLog> {
    return this.during(openLogAt(this.disk.place(this.life), { raftId: 1, newIncarnation: 'one' }));
  }

  /** The process and the power go; then the end of the write-ahead file is missing. */
  async loseEnd(): Promise<OpenedLog> {
    this.life.end();
    this.disk.crash();
    this.disk.cutEnd();
    this.life = new Life('n1.2');
    return this.open();
  }
}

async function scene(seed: number): Promise<{ readonly scene: Scene; readonly log: OpenedLog }> {
  const made = new Scene(seed);
  const log = await made.open();
  const { store } = log;
  await made.during(store.append({ hardState: { term: 2, vote: 1, commit: 4 }, entries: entriesFrom(1, 4, 2) }));
  store.apply({ rows: [], index: 4, term: 2, confState: confState(), digest: log.machine.digest });
  await made.during(store.flush());
  return { scene: made, log };
}

const seeds = Array.from({ length: 40 }, (_, n) => n + 1);

await t.test(
  'a vote that goes with the end of the log is missed at the next start, whatever the power took',
  async (t) => {
    for (const seed of seeds) {
      const { scene: made, log } = await scene(seed);
      await made.during(log.store.append({ hardState: { term: 3, vote: 3, commit: 4 }, entries: [] }));
      const { store } = await made.loseEnd();
      t.not(store.initialState().hardState.vote, 3, 'it is forgotten');
      t.not(store.quarantine, undefined, `seed ${seed}`);
    }
  },
);

await t.test('entries of the last second may go unseen, those of before it do not', async (t) => {
  for (const pauseMs of [0, 1_100]) {
    let unseen = 0;
    for (const seed of seeds) {
      const { scene: made, log } = await scene(seed);
      await made.during(log.store.append({ entries: entriesFrom(5, 1, 2) }));
      await made.schedule.runUntil(made.schedule.nowMs + pauseMs, () => false);
      // What comes last is not missing: only what lies before it is.
      await made.during(log.store.append({ entries: entriesFrom(6, 1, 2) }));
      const { store } = await made.loseEnd();
      if (store.quarantine === undefined) unseen += 1;
    }
    t.equal(unseen > 0, pauseMs === 0, `${unseen} of ${seeds.length}`);
  }
});
