/** What every log store promises, whatever disk it stands on. */
import type { Test } from 'tap';
import { type Entry, emptyConfState } from '../../node/raft/index.ts';
import { decodeCommand, encodeCommand } from '../../node/state/command.ts';
import type { DigestValue } from '../../node/state/digest.ts';
import type { StoredRow } from '../../node/state/rows.ts';
import { StateMachine } from '../../node/state/state-machine.ts';
import type { LogStore, OpenedLog } from '../../node/store/index.ts';

/** A disk that can be opened again after the store on it was closed or dropped. */
export interface LogStoreSubject {
  open(options?: { readonly bootstrap?: boolean }): Promise<OpenedLog>;
  /** Frees what the disk takes. */
  dispose(): Promise<void>;
}

export function entry(index: number, term: number, text = `${index}/${term}`): Entry {
  return { index, term, type: 'normal', data: new TextEncoder().encode(text) };
}

export function entriesFrom(first: number, count: number, term: number): Entry[] {
  return Array.from({ length: count }, (_, n) => entry(first + n, term));
}

/** Applies a put of `key` at `index`, to the machine and to the store. */
export function applyPut(log: { store: LogStore; machine: StateMachine }, index: number, key: string): void {
  const command = decodeCommand(
    encodeCommand({
      clientToken: '',
      transaction: { compares: [], thenOps: [{ kind: 'put', key, value: new TextEncoder().encode(key) }], elseOps: [] },
    }),
  );
  const { rows } = log.machine.apply(index, command);
  const term = log.store.term(index);
  if (typeof term === 'string') throw new Error(`no term for ${index}`);
  log.store.apply({ rows, index, term, confState: confState(), digest: log.machine.digest });
}

/** Of a state that holds these rows. */
function digestOf(rows: readonly StoredRow[]): DigestValue {
  const machine = new StateMachine();
  for (const row of rows) machine.load(row);
  return machine.digest;
}

export function confState(): typeof emptyConfState {
  return { ...emptyConfState, voters: [1, 2, 3] };
}

function read(store: LogStore, low: number, high: number): string[] {
  const found = store.entries(low, high, Number.POSITIVE_INFINITY);
  if (typeof found === 'string') return [found];
  return found.map((e) => `${e.index}.${e.term}:${new TextDecoder().decode(e.data)}`);
}

export async function logStoreCompliance(t: Test, make: () => Promise<LogStoreSubject>): Promise<void> {
  const withSubject = async (t: Test, body: (subject: LogStoreSubject) => Promise<void>): Promise<void> => {
    const subject = await make();
    try {
      await body(subject);
    } finally {
      await subject.dispose();
    }
    t.pass('done');
  };

  await t.test('a new log is empty; a bootstrapped one has its member as the only voter', async (t) => {
    await withSubject(t, async (subject) => {
      const { store, isNew } = await subject.open();
      t.equal(isNew, true);
      t.equal(store.firstIndex(), 1);
      t.equal(store.lastIndex(), 0);
      t.equal(store.term(0), 0);
      t.same(store.initialState(), { hardState: { term: 0, vote: 0, commit: 0 }, confState: emptyConfState });
      await store.close();
    });
    await withSubject(t, async (subject) => {
      const { store } = await subject.open({ bootstrap: true });
      t.same(store.initialState().confState.voters, [1]);
      t.same(store.initialState().hardState, { term: 1, vote: 0, commit: 1 });
      t.equal(store.firstIndex(), 2);
      t.equal(store.term(1), 1);
      t.equal(store.applied.index, 1);
      await store.close();
      const again = await subject.open({ bootstrap: true });
      t.equal(again.isNew, false);
      t.same(again.store.initialState().confState.voters, [1]);
      t.equal(again.store.quarantine, undefined);
      await again.store.close();
    });
  });

  await t.test('what was appended is there after a restart, with hard state, terms and bounds', async (t) => {
    await withSubject(t, async (subject) => {
      const first = await subject.open();
      await first.store.append({ hardState: { term: 2, vote: 3, commit: 0 }, entries: entriesFrom(1, 3, 1) });
      await first.store.append({ entries: entriesFrom(4, 3, 2) });
      await first.store.append({ hardState: { term: 2, vote: 3, commit: 5 }, entries: [] });
      const check = (store: LogStore, when: string): void => {
        t.equal(store.lastIndex(), 6, when);
        t.same(store.initialState().hardState, { term: 2, vote: 3, commit: 5 }, when);
        t.same(
          [0, 1, 3, 4, 6, 7].map((n) => store.term(n)),
          [0, 1, 1, 2, 2, 'unavailable'],
          when,
        );
        t.same(read(store, 3, 6), ['3.1:3/1', '4.2:4/2', '5.2:5/2'], when);
        t.same(read(store, 6, 8), ['unavailable'], when);
        const limited = store.entries(1, 7, 1);
        t.equal(typeof limited === 'string' ? 0 : limited.length, 1, 'at least one, whatever the limit');
      };
      check(first.store, 'before');
      const { incarnation, starts } = first.store.identity;
      await first.store.close();
      await first.store.close();
      const second = await subject.open();
      t.equal(second.store.quarantine, undefined);
      t.same(second.findings, []);
      check(second.store, 'after');
      t.equal(second.store.identity.incarnation, incarnation);
      t.equal(second.store.identity.starts, starts + 1);
      t.equal(second.store.logBytes, first.store.logBytes);
      await second.store.close();
    });
  });

  await t.test('entries of a newer leader replace what is there and behind', async (t) => {
    await withSubject(t, async (subject) => {
      const { store } = await subject.open();
      await store.append({ entries: entriesFrom(1, 10, 1) });
      await store.append({ hardState: { term: 3, vote: 0, commit: 0 }, entries: entriesFrom(4, 2, 3) });
      t.equal(store.lastIndex(), 5);
      t.same(
        [3, 4, 5, 6].map((n) => store.term(n)),
        [1, 3, 3, 'unavailable'],
      );
      await store.close();
      const again = (await subject.open()).store;
      t.equal(again.quarantine, undefined);
      t.equal(again.lastIndex(), 5);
      t.same(read(again, 1, 6), ['1.1:1/1', '2.1:2/1', '3.1:3/1', '4.3:4/3', '5.3:5/3']);
      await again.close();
    });
  });

  await t.test('appends asked for at once become one batch, and are seen only when durable', async (t) => {
    await withSubject(t, async (subject) => {
      const { store } = await subject.open();
      const order: number[] = [];
      const appends = Array.from({ length: 50 }, (_, n) =>
        store.append({ entries: [entry(n + 1, 1)] }).then(() => order.push(store.lastIndex())),
      );
      t.equal(store.lastIndex(), 0, 'not durable yet');
      await Promise.all(appends);
      t.equal(store.lastIndex(), 50);
      t.equal(new Set(order).size <= 2, true, 'two batches at most');
      // Replacing within what is only planned.
      const a = store.append({ entries: entriesFrom(51, 5, 1) });
      const b = store.append({ hardState: { term: 2, vote: 0, commit: 0 }, entries: entriesFrom(52, 1, 2) });
      await Promise.all([a, b]);
      t.same(
        [51, 52, 53].map((n) => store.term(n)),
        [1, 2, 'unavailable'],
      );
      await store.close();
      const again = await subject.open();
      t.equal(again.store.quarantine, undefined);
      t.same(
        [51, 52, 53].map((n) => again.store.term(n)),
        [1, 2, 'unavailable'],
      );
      await again.store.close();
    });
  });

  await t.test('the state comes back as of the applied index, and the membership with it', async (t) => {
    await withSubject(t, async (subject) => {
      const log = await subject.open();
      await log.store.append({ hardState: { term: 1, vote: 0, commit: 3 }, entries: entriesFrom(1, 3, 1) });
      applyPut(log, 1, 'a');
      applyPut(log, 2, 'b');
      t.equal(log.store.applied.index, 0, 'not durable yet');
      await log.store.flush();
      t.equal(log.store.applied.index, 2);
      applyPut(log, 3, 'c');
      await log.store.close();
      const again = await subject.open();
      t.equal(again.machine.appliedIndex, 3, 'closing writes what waits');
      t.same(
        again.machine.range('a', 'z').map((found) => [found.key, found.revision]),
        [
          ['a', 1],
          ['b', 2],
          ['c', 3],
        ],
      );
      t.same(again.store.initialState().confState, confState());
      await again.store.close();
    });
  });

  await t.test('compaction drops the beginning and nothing else', async (t) => {
    await withSubject(t, async (subject) => {
      const log = await subject.open();
      await log.store.append({
        hardState: { term: 2, vote: 0, commit: 9 },
        entries: [...entriesFrom(1, 5, 1), ...entriesFrom(6, 5, 2)],
      });
      for (let n = 1; n <= 9; n += 1) applyPut(log, n, `k${n}`);
      await log.store.flush();
      const before = log.store.logBytes;
      t.equal(log.store.compactionIndex(0), 9, 'never beyond the state');
      const half = log.store.compactionIndex(Math.floor(before / 2));
      t.ok(half >= 4 && half <= 6, `half is ${half}`);
      await log.store.compact(7);
      const check = (store: LogStore, when: string): void => {
        t.equal(store.firstIndex(), 8, when);
        t.equal(store.term(7), 2, when);
        t.equal(store.term(6), 'compacted', when);
        t.same(read(store, 7, 9), ['compacted'], when);
        t.same(read(store, 8, 11), ['8.2:8/2', '9.2:9/2', '10.2:10/2'], when);
      };
      check(log.store, 'before');
      t.ok(log.store.logBytes < before / 2);
      await log.store.append({ entries: entriesFrom(11, 1, 2) });
      await log.store.close();
      const again = await subject.open();
      t.equal(again.store.quarantine, undefined);
      check(again.store, 'after');
      t.equal(again.machine.get('k1')?.revision, 1);
      await again.store.close();
    });
  });

  await t.test('a snapshot is installed whole or not at all', async (t) => {
    await withSubject(t, async (subject) => {
      const log = await subject.open();
      await log.store.append({ hardState: { term: 1, vote: 0, commit: 2 }, entries: entriesFrom(1, 4, 1) });
      applyPut(log, 1, 'old');
      await log.store.flush();
      const half = log.store.install();
      await half.write([{ key: 'khalf', value: Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 9, 1]) }]);
      await log.store.close();

      const second = await subject.open();
      t.equal(second.machine.get('half'), undefined, 'given up: nothing of it is seen');
      t.equal(second.machine.get('old')?.revision, 1);
      const whole = second.store.install();
      const rows = ['x', 'y'].map((key) => ({ key: `k${key}`, value: Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 9, 1]) }));
      for (const row of rows) await whole.write([row]);
      const place = { index: 20, term: 4, confState: confState() };
      await whole.commit(place, digestOf(rows), { term: 5, vote: 2, commit: 20 });
      const check = (store: LogStore, when: string): void => {
        t.equal(store.firstIndex(), 21, when);
        t.equal(store.lastIndex(), 20, when);
        t.equal(store.term(20), 4, when);
        t.equal(store.applied.index, 20, when);
        t.same(store.initialState(), { hardState: { term: 5, vote: 2, commit: 20 }, confState: confState() }, when);
      };
      check(second.store, 'before');
      await second.store.close();
      const third = await subject.open();
      check(third.store, 'after');
      t.equal(third.store.quarantine, undefined);
      t.same(
        third.machine.range('a', 'z').map((found) => [found.key, found.revision]),
        [
          ['x', 9],
          ['y', 9],
        ],
      );
      await third.store.append({ entries: entriesFrom(21, 2, 5) });
      t.same(read(third.store, 21, 23), ['21.5:21/5', '22.5:22/5']);
      await third.store.close();
    });
  });

  await t.test('a newer snapshot may be written while an older one is taken over', async (t) => {
    await withSubject(t, async (subject) => {
      const log = await subject.open();
      const row = (key: string) => ({ key: `k${key}`, value: Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 9, 1]) });
      const [older, newer, unwanted] = [log.store.install(), log.store.install(), log.store.install()];
      await newer.write([row('x')]);
      await older.write([row('a')]);
      await unwanted.write([row('u')]);
      await older.commit({ index: 20, term: 4, confState: confState() }, digestOf([row('a')]), undefined);
      await newer.write([row('y')]);
      await unwanted.abandon();
      await newer.commit({ index: 30, term: 4, confState: confState() }, digestOf([row('x'), row('y')]), undefined);
      await log.store.close();
      const again = await subject.open();
      t.equal(again.store.applied.index, 30);
      t.equal(again.store.quarantine, undefined);
      t.same(
        again.machine.range('a', 'z').map((found) => found.key),
        ['x', 'y'],
      );
      await again.store.close();
    });
  });

  await t.test('what was heard of others is kept', async (t) => {
    await withSubject(t, async (subject) => {
      const { store } = await subject.open();
      const memory = { incarnation: 'abc', starts: 3, term: 7, match: 99, matchTerm: 6, raisedTerm: 5 };
      store.rememberPeer(2, memory);
      await store.flush();
      await store.close();
      const again = (await subject.open()).store;
      t.same(again.peers.get(2), memory);
      t.equal(again.peers.get(3), undefined);
      await again.close();
    });
  });

  await t.test('a quarantine stays until it is lifted, and raises the term once', async (t) => {
    await withSubject(t, async (subject) => {
      const { store } = await subject.open();
      await store.append({ hardState: { term: 2, vote: 1, commit: 0 }, entries: entriesFrom(1, 1, 2) });
      await store.setQuarantine({ reason: 'rolled-back', detail: 'the leader remembers more', raisedTerm: 0 });
      await store.raiseTermFence(7);
      await store.close();
      const again = (await subject.open()).store;
      t.match(again.quarantine, { reason: 'rolled-back', raisedTerm: 1007 });
      t.same(again.initialState().hardState, { term: 1007, vote: 0, commit: 0 });
      await again.setQuarantine(undefined);
      await again.close();
      const third = (await subject.open()).store;
      t.equal(third.quarantine, undefined);
      await third.close();
    });
  });
}
