/** Messages to owners of volumes do not grow without bound. */
import t from 'tap';
import { forgetExpiredMessages } from '../../../../node/host/tasks/forget-expired-messages.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { volumeMessageTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { makeWorld } from '../../services/world.ts';

const { signal } = new AbortController();

t.test('those that have expired go, and those beyond a project’s latest thousand', async (t) => {
  const world = makeWorld();
  const nowMs = world.deps.clock.nowMs();
  const message = (id: string, projectId: string, createdMs: number, expiresMs: number) =>
    new shoal.v1.VolumeMessage({ id, projectId, resourceId: 'v', createdMs, expiresMs });
  const add = (messages: readonly shoal.v1.VolumeMessage[]) =>
    transact(world.deps, world.admin, ({ change }) => {
      for (const one of messages) volumeMessageTable.insert(change, one);
    });
  await add([message('expired', 'alice', 1, nowMs - 1), message('good', 'alice', 2, nowMs + 60_000)]);
  for (let at = 0; at < 1_010; at += 101) {
    await add(Array.from({ length: 101 }, (_, n) => message(`m${at + n}`, 'bob', 10 + at + n, nowMs + 60_000)));
  }
  await forgetExpiredMessages.run(world.deps, signal);
  const left = volumeMessageTable.list(world.state.local).map(({ record }) => record);
  t.same(
    left.filter(({ projectId }) => projectId === 'alice').map(({ id }) => id),
    ['good'],
  );
  const bobs = left.filter(({ projectId }) => projectId === 'bob');
  t.equal(bobs.length, 1_000);
  t.notOk(
    bobs.some(({ id }) => id === 'm0'),
    'the oldest went',
  );
});
