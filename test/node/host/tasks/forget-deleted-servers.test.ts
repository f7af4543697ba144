/** Servers that have gone are told of for a while, and no longer. */
import t from 'tap';
import { forgetDeletedServers } from '../../../../node/host/tasks/forget-deleted-servers.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { deletedServerTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { makeWorld } from '../../services/world.ts';

const { signal } = new AbortController();
const dayMs = 86_400_000;

t.test('those of a month ago are forgotten, and those before a project’s latest two hundred', async (t) => {
  const world = makeWorld();
  const nowMs = world.deps.clock.nowMs();
  await transact(world.deps, world.admin, ({ change }) => {
    const add = (id: string, projectId: string, deletedMs: number) =>
      deletedServerTable.insert(change, new shoal.v1.DeletedServer({ id, projectId, deletedMs }));
    add('month', 'alice', nowMs - 30 * dayMs);
    add('day', 'alice', nowMs - dayMs);
    for (let at = 0; at < 205; at++) add(`s${at}`, 'bob', nowMs - 1_000 + at);
  });
  await forgetDeletedServers.run(world.deps, signal);
  const left = deletedServerTable.list(world.state.local).map(({ record }) => record.id);
  t.ok(left.includes('day'));
  t.notOk(left.includes('month'));
  t.equal(left.filter((id) => id.startsWith('s')).length, 200);
  t.notOk(left.includes('s4'), 'the oldest went');
});
