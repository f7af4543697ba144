/** Slices fed from a state: whatever is lost, late or left out, a slice is what its terms cover of the state at its revision. */
import t from 'tap';
import { Prng } from '../../../../node/base/prng.ts';
import { SliceFeed, type Subscriber } from '../../../../node/state/slices/slice-feed.ts';
import { sliceOf } from '../../../../node/state/slices/slice-of.ts';
import { SliceState } from '../../../../node/state/slices/slice-state.ts';
import { StateMachine } from '../../../../node/state/state-machine.ts';
import { prefixEnd } from '../../../../node/state/table.ts';
import type { Op } from '../../../../node/state/types.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A keyspace of two tables with an index and a unique index each, changed at random. */
class World {
  readonly machine = new StateMachine();
  readonly feed: SliceFeed;
  readonly random: Prng;
  /** By row: its index key, and its unique key. */
  readonly rows = new Map<string, { readonly index: string; readonly unique: string }>();

  constructor(seed: number, bounds: ConstructorParameters<typeof SliceFeed>[1]) {
    this.random = new Prng(seed);
    this.feed = new SliceFeed(this.machine, bounds);
  }

  /** One transaction of up to three changes of rows. */
  change(): void {
    const ops: Op[] = [];
    for (let n = 1 + this.random.below(3); n > 0; n -= 1) ops.push(...this.#rowChange());
    const revision = this.machine.appliedIndex + 1;
    const { events } = this.machine.apply(revision, {
      clientToken: '',
      transaction: { compares: [], thenOps: ops, elseOps: [] },
    });
    this.feed.applied(revision, events);
  }

  #rowChange(): Op[] {
    const { random } = this;
    const table = random.pick(['a', 'b']);
    const id = `${random.below(12)}`;
    const key = `t/${table}/${id}`;
    const known = this.rows.get(key);
    const ops: Op[] = [];
    if (known !== undefined) {
      ops.push({ kind: 'delete', key: `x/${table}/of/${known.index}/${id}` });
      ops.push({ kind: 'delete', key: `u/${table}/name/${known.unique}` });
    }
    if (random.chance(0.25)) {
      this.rows.delete(key);
      return known === undefined ? [] : [...ops, { kind: 'delete', key }];
    }
    const taken = new Set([...this.rows].filter(([other]) => other !== key).map(([, row]) => row.unique));
    const next = { index: `${random.below(4)}`, unique: `${random.below(30)}` };
    if (taken.has(next.unique)) return [];
    this.rows.set(key, next);
    ops.push({ kind: 'put', key, value: bytes(`${random.below(1000)}`) });
    ops.push({ kind: 'put', key: `x/${table}/of/${next.index}/${id}`, value: new Uint8Array(0) });
    ops.push({ kind: 'put', key: `u/${table}/name/${next.unique}`, value: bytes(id) });
    return ops;
  }

  term(): string {
    const { random } = this;
    const table = random.pick(['a', 'b']);
    return random.pick([
      `t/${table}/`,
      `t/${table}/${random.below(12)}`,
      `x/${table}/of/${random.below(4)}/`,
      `x/${table}/`,
      `u/${table}/name/${random.below(30)}`,
    ]);
  }
}

/** A host with a slice, and the connection that feeds it. */
class Host {
  readonly slice: SliceState;
  readonly world: World;
  subscriber: Subscriber | undefined;
  /** What the events of the slice add up to. */
  readonly followed = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
    this.slice = new SliceState({ missed: () => {}, used: () => {} });
  }

  connect(): void {
    this.disconnect();
    this.subscriber = this.world.feed.subscribe(
      this.slice.held,
      this.slice.asked,
      this.slice.revision,
      this.slice.termsNumber,
    );
  }

  disconnect(): void {
    if (this.subscriber !== undefined) this.world.feed.unsubscribe(this.subscriber);
    this.subscriber = undefined;
    this.slice.disconnected();
  }

  changeTerms(): void {
    const { random } = this.world;
    const add = [this.world.term()];
    const terms = [...this.slice.held, ...this.slice.asked];
    const remove =
      random.chance(0.4) && terms.length > 0 ? [random.pick(terms)].filter((term) => !add.includes(term)) : [];
    this.#follow(this.slice.change(add, remove).events);
    if (this.subscriber !== undefined) this.world.feed.change(this.subscriber, add, remove, this.slice.termsNumber);
  }

  /** Takes up to `pieces`; returns whether there was nothing left. */
  take(pieces: number, isProgressDue: boolean): boolean {
    const { subscriber, slice, world } = this;
    if (subscriber === undefined) return false;
    for (let n = 0; n < pieces; n += 1) {
      if (subscriber.isLost) world.feed.repair(subscriber, slice.digests());
      const delta = world.feed.next(subscriber, isProgressDue);
      if (delta === undefined) return true;
      const change = slice.take(delta);
      if (change !== undefined) {
        this.#follow(change.events);
        if (isProgressDue) return true;
      }
    }
    return false;
  }

  #follow(events: readonly { readonly key: string; readonly value: Uint8Array | undefined }[]): void {
    for (const { key, value } of events) {
      if (value === undefined) this.followed.delete(key);
      else this.followed.set(key, new TextDecoder().decode(value));
    }
  }
}

const shown = (rows: Iterable<{ key: string; value: Uint8Array; revision: number }>): readonly string[] =>
  [...rows].map(({ key, value, revision }) => `${key}=${new TextDecoder().decode(value)}@${revision}`).sort();

const seeds = 500;
const isLost = ({ subscriber }: Host): boolean => subscriber?.isLost === true;

await t.test('a slice is what its terms cover of the state, whatever happens to the connection', (t) => {
  let whole = 0;
  let repairs = 0;
  let resumed = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const small = seed % 3 === 0;
    const world = new World(
      seed,
      small ? { pendingKeysMax: 4, recentKeysMax: 12, pieceBytes: 60 } : { pieceBytes: 200 },
    );
    const hosts = [new Host(world), new Host(world), new Host(world)];
    for (let step = 0; step < 120; step += 1) {
      const host = world.random.pick(hosts);
      const what = world.random.below(10);
      if (what < 5) world.change();
      else if (what === 5) host.changeTerms();
      else if (what === 6 && world.random.chance(0.4)) host.disconnect();
      else if (what === 7 && host.subscriber === undefined) {
        host.connect();
        if (isLost(host)) repairs += 1;
        else resumed += 1;
      } else host.take(1 + world.random.below(4), false);
    }
    for (const host of hosts) {
      if (host.subscriber === undefined) host.connect();
      for (let n = 0; n < 2000 && !host.take(50, true); n += 1);
      const { slice } = host;
      const expected = shown(sliceOf(world.machine, slice.held).values());
      const found = shown(slice.rows());
      if (slice.revision !== world.machine.appliedIndex || expected.join() !== found.join()) {
        t.equal(slice.revision, world.machine.appliedIndex, `seed ${seed}: it is current`);
        t.same(found, expected, `seed ${seed}: its rows`);
        t.end();
        return;
      }
      const byEvents = [...host.followed].map(([key, value]) => `${key}=${value}`).sort();
      const byRows = [...slice.rows()].map(({ key, value }) => `${key}=${new TextDecoder().decode(value)}`).sort();
      if (byEvents.join() !== byRows.join()) t.same(byEvents, byRows, `seed ${seed}: its events add up to its rows`);
      whole += 1;
    }
  }
  t.equal(whole, seeds * 3);
  t.ok(repairs > 100, `${repairs} connections began with a repair`);
  t.ok(resumed > 100, `${resumed} connections resumed`);
  t.end();
});

await t.test('what is not covered is not said to be absent', (t) => {
  const world = new World(1, {});
  for (let n = 0; n < 60; n += 1) world.change();
  const missed: string[] = [];
  const used = new Set<string>();
  const slice = new SliceState({ missed: (term) => missed.push(term), used: (term) => used.add(term) });
  t.throws(() => slice.get('t/a/1'), { code: 'NOT_IN_SLICE' });
  t.throws(() => slice.range('x/a/of/1/', prefixEnd('x/a/of/1/')), { code: 'NOT_IN_SLICE' });
  t.same(missed, ['t/a/1', 'x/a/of/1/']);
  t.throws(() => slice.counter('quota'), { code: 'NOT_IN_SLICE' });
  // A computation is asked to run until all that it reads is there.
  const compute = (reader: Parameters<Parameters<SliceState['wholly']>[0]>[0]): number =>
    reader
      .range('x/a/of/1/', prefixEnd('x/a/of/1/'))
      .filter(({ key }) => reader.get(`t/a/${key.slice('x/a/of/1/'.length)}`) !== undefined).length;
  t.throws(() => slice.wholly(compute), { code: 'NOT_IN_SLICE' });
  slice.change(missed, []);
  const subscriber = world.feed.subscribe(slice.held, slice.asked, 0, slice.termsNumber);
  t.equal(subscriber.isLost, false, 'who has nothing is sent what it asks for, and has nothing to compare');
  for (let delta = world.feed.next(subscriber, true); delta !== undefined; delta = world.feed.next(subscriber, false))
    slice.take(delta);
  t.equal(
    slice.wholly(compute),
    [...world.rows].filter(([key, { index }]) => key.startsWith('t/a/') && index === '1').length,
  );
  t.equal(slice.get('t/a/1') === undefined, !world.rows.has('t/a/1'), 'absence can be told now');
  t.ok(used.has('x/a/of/1/'));
  t.end();
});

await t.test('new terms are sent whole, however many rows they have, without comparing digests', (t) => {
  const world = new World(2, { pendingKeysMax: 3, pieceBytes: 100 });
  for (let n = 0; n < 80; n += 1) world.change();
  const host = new Host(world);
  host.connect();
  const rowsOfTables = ['t/a/', 't/b/'];
  for (const terms of [rowsOfTables, ['x/a/', 'x/b/']]) {
    host.slice.change(terms, []);
    world.feed.change(host.subscriber as Subscriber, terms, [], host.slice.termsNumber);
    t.equal(host.subscriber?.isLost, false);
    // What changes meanwhile comes with it.
    host.take(1, false);
    for (let n = 0; n < 5; n += 1) world.change();
    t.equal(host.subscriber?.isLost, false);
    for (let n = 0; n < 500 && !host.take(1, true); n += 1);
    t.same(shown(host.slice.rows()), shown(sliceOf(world.machine, host.slice.held).values()));
  }
  t.ok(host.slice.rowCount > 10);
  for (let n = 0; n < 40; n += 1) world.change();
  t.equal(host.subscriber?.isLost, true, 'one that takes nothing after that is lost as ever');
  t.end();
});

await t.test('who has nothing in common with a change is not touched by it', (t) => {
  const world = new World(3, {});
  const host = new Host(world);
  host.slice.change(['t/none/'], []);
  host.connect();
  while (!host.take(10, true));
  for (let n = 0; n < 200; n += 1) world.change();
  t.equal(host.subscriber?.pending.size, 0);
  t.equal(world.feed.next(host.subscriber as Subscriber, false), undefined);
  t.match(world.feed.next(host.subscriber as Subscriber, true), {
    revision: 200,
    puts: [],
    deletes: [],
    isWhole: true,
  });
  t.end();
});
