import { randomUUID } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { IntentBook } from '../../../../node/host/outage/intent-book.ts';
import { PowerOffNotes } from '../../../../node/host/outage/power-off-notes.ts';
import { RevisionFence } from '../../../../node/host/outage/revision-fence.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';

const { PowerWanted } = shoal.v1;
const record = new shoal.v1.Server({
  id: 's1',
  hostId: 'aa',
  generation: 3,
  powerWanted: PowerWanted.POWER_WANTED_RUNNING,
  rebootsWanted: 4,
});
const wantedOf = (server: shoal.v1.Server): shoal.v1.PowerWanted => server.powerWanted;

t.test('a note holds for what was asked when the guest went off, and for nothing else', async (t) => {
  const notes = new PowerOffNotes(memoryHostStore());
  t.equal(notes.overlay(record), record);
  await notes.note(record);
  for (const { name, edit, isOff } of [
    { name: 'the same ask', edit: {}, isOff: true },
    { name: 'a task that the host set', edit: { taskState: 'spawning' }, isOff: true },
    { name: 'its owner starts it', edit: { taskState: 'powering-on' }, isOff: false },
    { name: 'its owner reboots it', edit: { rebootsWanted: 5 }, isOff: false },
    { name: 'it has moved', edit: { generation: 4 }, isOff: false },
    { name: 'it is being deleted', edit: { deleting: true }, isOff: false },
    { name: 'another server', edit: { id: 's2' }, isOff: false },
  ]) {
    const expected = isOff ? PowerWanted.POWER_WANTED_STOPPED : PowerWanted.POWER_WANTED_RUNNING;
    t.equal(wantedOf(notes.overlay(new shoal.v1.Server({ ...record, ...edit }))), expected, name);
  }
  await notes.drop('s1', 'another ask');
  t.same(notes.serverIds, ['s1'], 'a note made meanwhile stays');
  await notes.drop('s1');
  t.same(notes.serverIds, []);
});

t.test(
  'what a guest did without quorum is committed with it, unless its owner asked for something since',
  async (t) => {
    const state = new MemoryStateClient();
    const builder = new TransactionBuilder();
    serverTable.insert(builder, record);
    await state.commit(builder.build());
    const store = memoryHostStore();
    const book = new IntentBook({ store, state, logger: silentLogger, clock: systemClock, newId: randomUUID });
    const notes = new PowerOffNotes(store);
    const signal = new AbortController().signal;

    state.available = false;
    await notes.note(record);
    t.notOk(book.isEmpty);
    t.equal(wantedOf(book.overlay(record)), PowerWanted.POWER_WANTED_STOPPED);
    await book.note(record, { kind: 'start' });
    t.equal(wantedOf(book.overlay(record)), PowerWanted.POWER_WANTED_RUNNING, 'the owner has the last word');
    await notes.note(record);
    await book.flush(signal);
    t.same(notes.serverIds, ['s1'], 'no quorum, no change');

    state.available = true;
    await book.flush(signal);
    t.ok(book.isEmpty);
    t.ok(
      new RevisionFence(store).isAheadOf(state.local.revision - 1),
      'older records, which do not say so, are not believed',
    );
    t.equal(wantedOf(serverTable.must(state.local, 's1').record), PowerWanted.POWER_WANTED_STOPPED);
  },
);
