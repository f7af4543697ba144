/** The page "how to add a kind" shows an example; here it runs, and what the page shows is what runs. */
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { SteppedKind } from '../../../../node/host/engine/stepped-kind.ts';
import { HostLoop } from '../../../../node/host/host-loop.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { until } from '../../../support/raft/raft-group.ts';
import { scratchKind } from './scratch-kind.ts';

async function makeWorld(t: Test, options: { readonly stepPatienceMs: number }) {
  const state = new MemoryStateClient();
  const folders = new Set<string>();
  const removed: string[] = [];
  const told: string[] = [];
  let isFull = false;
  const tools = { folders, isFull: () => isFull, removed: (id: string) => removed.push(id) };
  const definition = scratchKind('h1', tools, (id, message) => told.push(`${id}: ${message}`));
  const loop = new HostLoop({
    state,
    kinds: (passes) => [
      new SteppedKind(
        definition,
        { state, passes, clock: systemClock, logger: silentLogger },
        { retryMs: 10, stepPatienceMs: options.stepPatienceMs },
      ),
    ],
    onHostEvent: () => () => {},
    clock: systemClock,
    logger: silentLogger,
  });
  await loop.start();
  t.teardown(() => loop.stop());
  const put = async (fields: object): Promise<void> => {
    const change = new TransactionBuilder();
    const server = new shoal.v1.Server({ id: 's1', hostId: 'h1', generation: 1, ...fields });
    const before = serverTable.get(state.local, 's1');
    if (before === undefined) serverTable.insert(change, server);
    else serverTable.update(change, before, server);
    await state.commit(change.build());
  };
  const fill = (is: boolean): void => {
    isFull = is;
  };
  return { folders, removed, told, put, fill };
}

t.test('the README shows the code that this test runs', async (t) => {
  const page = await readFile(new URL('../../../../node/host/engine/README.md', import.meta.url), 'utf8');
  const shown = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const source = await readFile(new URL('scratch-kind.ts', import.meta.url), 'utf8');
  t.ok(shown.length > 1000 && source.endsWith(shown));
});

t.test('a desired thing is made, and a thing that a committed deletion names is removed', async (t) => {
  const { folders, removed, put } = await makeWorld(t, { stepPatienceMs: 60_000 });
  folders.add('nobody’s');
  await put({});
  await until(() => folders.has('s1'), 'it is made');
  await put({ deleting: true });
  await until(() => removed.length > 0, 'it is removed');
  t.same([...folders], ['nobody’s'], 'what has no record is left alone');
});

t.test('a step that must wait is tried again, and its owner is told when that lasts too long', async (t) => {
  const patient = await makeWorld(t, { stepPatienceMs: 60_000 });
  patient.fill(true);
  await patient.put({});
  patient.fill(false);
  await until(() => patient.folders.has('s1'), 'it is made once it can be');
  t.same(patient.told, []);

  const hasty = await makeWorld(t, { stepPatienceMs: 1 });
  hasty.fill(true);
  await hasty.put({});
  await until(() => hasty.told.length > 0, 'its owner is told');
  t.match(hasty.told, [/UNAVAILABLE: making the scratch folder failed/]);
  hasty.fill(false);
  await hasty.put({ generation: 2 });
  await until(() => hasty.folders.has('s1'), 'another request is tried again');
});
