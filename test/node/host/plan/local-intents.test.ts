import { randomUUID } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { IntentBook } from '../../../../node/host/outage/intent-book.ts';
import { RevisionFence } from '../../../../node/host/outage/revision-fence.ts';
import { foldIntent, withIntent } from '../../../../node/host/plan/local-intents.ts';
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

t.test('intents fold: the last power wins, reboots add up and power on', (t) => {
  let pending = foldIntent(undefined, record, { kind: 'stop' });
  t.equal(withIntent(record, pending).powerWanted, PowerWanted.POWER_WANTED_STOPPED);
  pending = foldIntent(pending, record, { kind: 'reboot', hard: true });
  pending = foldIntent(pending, record, { kind: 'reboot', hard: false });
  const next = withIntent(record, pending);
  t.equal(next.powerWanted, PowerWanted.POWER_WANTED_RUNNING);
  t.equal(next.rebootsWanted, 6);
  t.equal(next.rebootHard, false);
  t.equal(record.rebootsWanted, 4, 'the record itself is untouched');
  t.end();
});

t.test('an intent for another generation, or for a server that is going, is void', (t) => {
  const pending = foldIntent(undefined, record, { kind: 'stop' });
  const moved = new shoal.v1.Server({ ...record, generation: 4 });
  t.equal(withIntent(moved, pending), moved);
  const going = new shoal.v1.Server({ ...record, deleting: true });
  t.equal(withIntent(going, pending), going);
  t.same(foldIntent(pending, moved, { kind: 'start' }), {
    serverId: 's1',
    generation: 4,
    powerWanted: 'running',
    reboots: 0,
    rebootHard: false,
  });
  t.end();
});

t.test('an intent is kept without quorum and committed once, with it', async (t) => {
  const state = new MemoryStateClient();
  const builder = new TransactionBuilder();
  serverTable.insert(builder, record);
  await state.commit(builder.build());
  const store = memoryHostStore();
  const book = new IntentBook({ store, state, logger: silentLogger, clock: systemClock, newId: randomUUID });

  state.available = false;
  await book.note(record, { kind: 'stop' });
  await book.flush(new AbortController().signal);
  t.notOk(book.isEmpty);
  t.equal(book.overlay(record).powerWanted, PowerWanted.POWER_WANTED_STOPPED);

  state.available = true;
  await book.flush(new AbortController().signal);
  t.ok(book.isEmpty);
  t.ok(
    new RevisionFence(store).isAheadOf(state.local.revision - 1),
    'older records, which do not say so, are not believed',
  );
  t.equal(serverTable.must(state.local, 's1').record.powerWanted, PowerWanted.POWER_WANTED_STOPPED);
});

t.test('an intent stays while this agent is behind, and is told as no failure', async (t) => {
  const state = new MemoryStateClient();
  const store = memoryHostStore();
  const book = new IntentBook({ store, state, logger: silentLogger, clock: systemClock, newId: randomUUID });
  await book.note(record, { kind: 'stop' });
  const fresh = state.fresh.bind(state);
  state.fresh = async () => {
    throw new ShoalError('STALE', 'This agent has not caught up.');
  };
  await book.flush(new AbortController().signal);
  t.notOk(book.isEmpty);
  state.fresh = fresh;
  await book.flush(new AbortController().signal);
  t.ok(book.isEmpty);
});
