/** What a host holds of a cell: what its guests need, and of all else what every host knows. */
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { hostSlice } from '../../../node/host/host-slice.ts';
import { hostNetworkView } from '../../../node/services/network/host-view.ts';
import { sliceOf } from '../../../node/state/slices/slice-of.ts';
import { SliceState } from '../../../node/state/slices/slice-state.ts';
import type { SliceTerm } from '../../../node/state/slices/slice-terms.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { serverTable, volumeSnapshotTable, volumeTable } from '../../../node/state/tables/index.ts';
import type { KeyValue, StateReader, Transaction } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import { Cell } from '../../../sim/bench/mesh/state/cell.ts';

/** A state that holds a cell. */
function filled(cell: Cell, more: readonly Transaction[] = []): StateMachine {
  const machine = new StateMachine();
  for (const transactions of [cell.transactions(), more]) {
    for (const transaction of transactions) machine.apply(machine.revision + 1, { clientToken: '', transaction });
  }
  return machine;
}

/** The rows that a host of a cell comes to hold. */
function slice(cell: Cell, more: readonly Transaction[] = []): ReadonlyMap<string, KeyValue> {
  const machine = filled(cell, more);
  return sliceOf(machine, termsOf(machine, cell));
}

/** Terms, asked for until nothing is missed. */
function termsOf(machine: StateReader, cell: Cell): ReadonlySet<SliceTerm> {
  const roots = hostSlice(cell.target);
  const terms = new Set<SliceTerm>();
  for (let round = 0; round < 20; round += 1) {
    const before = terms.size;
    const state = new SliceState({ missed: (term) => terms.add(term), used: () => {} });
    state.restore(sliceOf(machine, terms).values(), terms, machine.revision);
    try {
      state.wholly((reader) => roots.read(reader));
    } catch (error) {
      if (!ShoalError.is(error, 'NOT_IN_SLICE')) throw error;
      roots.forget();
    }
    if (terms.size === before) return terms;
  }
  throw new Error('what a host reads has no end');
}

const shape = { portsANetwork: 20, guests: 10, networks: 4, otherNetworks: 0, networksARouter: 2 };
const bytesOf = (rows: Iterable<KeyValue>): number =>
  [...rows].reduce((sum, { key, value }) => sum + key.length + value.length, 0);

t.test('guests of other hosts are known by their ports: no record of their servers is held', (t) => {
  const cell = new Cell({ ...shape, hosts: 10 });
  const rows = slice(cell);
  const servers = [...rows.keys()].filter((key) => key.startsWith(serverTable.prefix));
  t.same(servers.sort(), cell.targetServerIds.map((id) => serverTable.key(id)).sort());
  t.equal(cell.targetServerIds.length, 10);
  t.equal([...rows.keys()].filter((key) => key.startsWith('t/port/')).length, 80);
  t.end();
});

t.test('a host holds nothing of networks in which it has no guests', (t) => {
  const alone = slice(new Cell({ ...shape, hosts: 10 }));
  const among = slice(new Cell({ ...shape, hosts: 10, otherNetworks: 40 }));
  const kinds = (rows: ReadonlyMap<string, KeyValue>) =>
    ['t/port/', 't/server/', 't/network/', 't/subnet/', 't/router/', 't/security-group/'].map(
      (prefix) => [...rows.keys()].filter((key) => key.startsWith(prefix)).length,
    );
  t.same(kinds(among), kinds(alone));
  t.end();
});

t.test('what grows with the cell is the table of its hosts, at half a kilobyte each', (t) => {
  const few = slice(new Cell({ ...shape, hosts: 10 }));
  const many = slice(new Cell({ ...shape, hosts: 210 }));
  const perHost = (bytesOf(many.values()) - bytesOf(few.values())) / 200;
  t.ok(perHost < 512, `${perHost} bytes`);
  t.end();
});

t.test('a host holds the volumes that it carries out, those that its guests have open, and no others', (t) => {
  const cell = new Cell({ ...shape, hosts: 10 });
  const elsewhere = 'e'.repeat(32);
  const volume = (id: string, hostId: string, fields: Partial<shoal.v1.Volume.$Properties> = {}) =>
    new shoal.v1.Volume({ id, projectId: 'p', hostId, ...fields });
  const builder = new TransactionBuilder();
  // The cell's servers are known once it has been made.
  const made = new Cell({ ...shape, hosts: 10 });
  slice(made);
  const [guest = ''] = made.targetServerIds;
  volumeTable.insert(builder, volume('carried', cell.target, { sourceSnapshotId: 'snapshot-of-source' }));
  volumeTable.insert(builder, volume('open', elsewhere, { attachments: [{ id: 'a', serverId: guest }] }));
  volumeTable.insert(builder, volume('other', elsewhere));
  for (const [id, volumeId, hostId] of [
    ['snapshot-of-carried', 'carried', cell.target],
    ['snapshot-of-source', 'source', elsewhere],
    ['snapshot-of-other', 'other', elsewhere],
  ] as const) {
    volumeSnapshotTable.insert(builder, new shoal.v1.VolumeSnapshot({ id, projectId: 'p', volumeId, hostId }));
  }
  const keys = [...slice(cell, [builder.build()]).keys()];
  t.same(
    keys.filter((key) => key.startsWith(volumeTable.prefix)),
    ['carried', 'open'].map((id) => volumeTable.key(id)),
  );
  t.same(
    keys.filter((key) => key.startsWith(volumeSnapshotTable.prefix)),
    ['snapshot-of-carried', 'snapshot-of-source'].map((id) => volumeSnapshotTable.key(id)),
  );
  t.end();
});

t.test('after a change only what it touches is read again, and after a gap everything', (t) => {
  const cell = new Cell({ ...shape, hosts: 10 });
  const machine = filled(cell);
  let reads = 0;
  const counting: StateReader = {
    revision: machine.revision,
    get: (key) => {
      reads += 1;
      return machine.get(key);
    },
    range: (start, end, limit) => {
      reads += 1;
      return machine.range(start, end, limit);
    },
    counter: (key) => machine.counter(key),
  };
  const readsOf = (slice: ReturnType<typeof hostSlice>): number => {
    reads = 0;
    slice.read(counting);
    return reads;
  };
  const slice = hostSlice(cell.target);
  const whole = readsOf(slice);
  t.equal(readsOf(slice), 0, 'nothing has changed');
  slice.heard([serverTable.key(cell.targetServerIds[0] ?? '')]);
  const afterGuest = readsOf(slice);
  t.ok(afterGuest > 0 && afterGuest < whole / 5, `${afterGuest} of ${whole}`);
  slice.heard([serverTable.key('somebody else')]);
  t.equal(readsOf(slice), 0, 'a guest of another host');
  const port = machine.range('t/port/', 't/port0', 1)[0]?.key ?? '';
  slice.heard([port]);
  t.ok(readsOf(slice) > afterGuest, 'a port of its networks');
  slice.forget();
  t.equal(readsOf(slice), whole);
  t.end();
});

t.test('it reads all that the view of its network is made of', (t) => {
  const cell = new Cell({ ...shape, hosts: 10 });
  const machine = filled(cell);
  const terms = termsOf(machine, cell);
  const missed: SliceTerm[] = [];
  const state = new SliceState({ missed: (term) => missed.push(term), used: () => {} });
  state.restore(sliceOf(machine, terms).values(), terms, machine.revision);
  const view = state.wholly((reader) => hostNetworkView(reader, cell.target));
  t.same(missed, []);
  t.equal(view.ports.length, 10);
  t.same(view, hostNetworkView(machine, cell.target));
  t.end();
});
