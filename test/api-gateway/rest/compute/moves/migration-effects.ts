/** Every key of the queries of migrations and of instance actions. */
import { randomUUID } from 'node:crypto';
import {
  beginMigration,
  type MigrationKind,
  type MigrationStatus,
} from '../../../../../node/services/compute/history/migrations.ts';
import { transact } from '../../../../../node/services/kit/transact.ts';
import { hostTable } from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../../effects/effects.ts';
import { at } from '../server-effects.ts';

type Draft = { kind: MigrationKind; status: MigrationStatus; from: string; to: string; serverId?: string };

/** Records a migration of some server; its id. */
async function migration(cloud: EffectCloud, { kind, status, from, to, serverId = randomUUID() }: Draft) {
  const { world } = cloud;
  const id = randomUUID();
  const hostId = (name: string) => hostTable.one(world.state.local, 'name', name)?.record.id ?? '';
  const server = new shoal.v1.Server({ id: serverId, hostId: hostId(from) });
  await transact(world.deps, world.admin, (attempt) => {
    const flavors = { oldFlavorId: '1', newFlavorId: '2' };
    const draft = { id, kind, status, server, targetHostId: hostId(to), ...flavors, generation: 2 };
    beginMigration(attempt, { userId: `user-${kind}`, projectId: `project-${kind}` }, draft, world.deps.clock.nowMs());
  });
  return { id, serverId };
}

const idsOf = async (cloud: EffectCloud, query: string, minor = 79, status = 200): Promise<readonly string[]> => {
  const url = `/compute/v2.1/os-migrations?${query}`;
  const answer = await cloud.ask('GET', url, { headers: at(minor), status });
  return (answer.migrations ?? []).map((one: Answer) => one.uuid);
};

/** Two that differ in everything, the second the newer. */
async function pair(cloud: EffectCloud) {
  const a = await migration(cloud, { kind: 'resize', status: 'finished', from: 'host-1', to: 'host-1' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const b = await migration(cloud, { kind: 'migration', status: 'error', from: 'host-2', to: 'host-2' });
  return { a, b };
}

/** The query finds the first of the pair and not the second; the other one the second. */
const finds =
  (queries: (of: Awaited<ReturnType<typeof pair>>) => readonly [string, string]): Effect =>
  async (t, cloud) => {
    const { a, b } = await pair(cloud);
    const [first, second] = queries({ a, b });
    const seen = async (query: string) => {
      const ids = await idsOf(cloud, query);
      return [ids.includes(a.id), ids.includes(b.id)];
    };
    t.strictSame(await seen(first), [true, false], first);
    t.strictSame(await seen(second), [false, true], second);
  };

/** A server with three actions, and their list for a query. */
async function actionsOf(cloud: EffectCloud) {
  const body = { server: { name: 'guest', flavorRef: '1', imageRef: 'cirros', networks: 'none' } };
  const { server } = await cloud.ask('POST', '/compute/v2.1/servers', { body, headers: at(52) });
  const url = `/compute/v2.1/servers/${server.id}`;
  await hostsAct(cloud.world);
  for (const action of ['os-stop', 'os-start']) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await cloud.ask('POST', `${url}/action`, { body: { [action]: null } });
    await hostsAct(cloud.world);
  }
  const list = (query: string, status = 200): Promise<Answer> =>
    cloud.ask('GET', `${url}/os-instance-actions?${query}`, { headers: at(79), status });
  return { list, names: async (query: string) => (await list(query)).instanceActions.map((one: Answer) => one.action) };
}

/** From 2.80 on. */
function ofOwner(key: string, prefix: string): Effect {
  return async (t, cloud) => {
    const { a, b } = await pair(cloud);
    for (const [kind, one, other] of [
      ['resize', a, b],
      ['migration', b, a],
    ] as const) {
      const found = await idsOf(cloud, `${key}=${prefix}-${kind}`, 80);
      t.strictSame([found.includes(one.id), found.includes(other.id)], [true, false], kind);
    }
    await idsOf(cloud, `${key}=x`, 79, 400);
  };
}

/** See above. */
export const migrationEffects: Effects = {
  'GET /v2.1/os-migrations ?hidden': async (t, cloud) => {
    const { a } = await pair(cloud);
    t.notOk((await idsOf(cloud, 'hidden=true')).includes(a.id));
    t.ok((await idsOf(cloud, 'hidden=false')).includes(a.id));
  },
  'GET /v2.1/os-migrations ?host': finds(() => ['host=host-1', 'host=host-2']),
  'GET /v2.1/os-migrations ?instance_uuid': finds(({ a, b }) => [
    `instance_uuid=${a.serverId}`,
    `instance_uuid=${b.serverId}`,
  ]),
  'GET /v2.1/os-migrations ?source_compute': finds(() => ['source_compute=host-1', 'source_compute=host-2']),
  'GET /v2.1/os-migrations ?status': finds(() => ['status=finished', 'status=error']),
  'GET /v2.1/os-migrations ?migration_type': finds(() => ['migration_type=resize', 'migration_type=migration']),
  'GET /v2.1/os-migrations ?user_id': ofOwner('user_id', 'user'),
  'GET /v2.1/os-migrations ?project_id': ofOwner('project_id', 'project'),
  'GET /v2.1/os-migrations ?limit': async (t, cloud) => {
    await pair(cloud);
    t.equal((await idsOf(cloud, 'limit=1')).length, 1);
    t.equal((await idsOf(cloud, 'limit=2')).length, 2);
    await idsOf(cloud, 'limit=-1', 79, 400);
    const { migrations_links: links } = await cloud.ask('GET', '/compute/v2.1/os-migrations?limit=1', {
      headers: at(59),
    });
    t.equal(links[0].rel, 'next');
  },
  'GET /v2.1/os-migrations ?marker': async (t, cloud) => {
    await pair(cloud);
    const all = await idsOf(cloud, '');
    t.strictSame(await idsOf(cloud, `marker=${all[0]}`), all.slice(1));
    await idsOf(cloud, 'marker=none', 79, 400);
  },
  'GET /v2.1/os-migrations ?changes-since': async (t, cloud) => {
    const { a } = await pair(cloud);
    t.ok((await idsOf(cloud, 'changes-since=2000-01-01T00:00:00Z')).includes(a.id));
    t.strictSame(await idsOf(cloud, 'changes-since=2900-01-01T00:00:00Z'), []);
    await idsOf(cloud, 'changes-since=soon', 79, 400);
  },
  'GET /v2.1/os-migrations ?changes-before': async (t, cloud) => {
    const { a } = await pair(cloud);
    t.ok((await idsOf(cloud, 'changes-before=2900-01-01T00:00:00Z')).includes(a.id));
    t.strictSame(await idsOf(cloud, 'changes-before=2000-01-01T00:00:00Z'), []);
    await idsOf(cloud, 'changes-before=2900-01-01T00:00:00Z', 65, 400);
  },
  'GET /v2.1/servers/:id/os-instance-actions ?limit': async (t, cloud) => {
    const { list, names } = await actionsOf(cloud);
    t.strictSame(await names('limit=1'), ['start']);
    t.strictSame(await names('limit=2'), ['start', 'stop']);
    t.equal((await list('limit=1')).links[0].rel, 'next');
    await list('limit=-1', 400);
  },
  'GET /v2.1/servers/:id/os-instance-actions ?marker': async (t, cloud) => {
    const { list, names } = await actionsOf(cloud);
    const [start, stop] = (await list('')).instanceActions;
    t.strictSame(await names(`marker=${start.request_id}`), ['stop', 'create']);
    t.strictSame(await names(`marker=${stop.request_id}`), ['create']);
    await list('marker=req-none', 400);
  },
  'GET /v2.1/servers/:id/os-instance-actions ?changes-since': async (t, cloud) => {
    const { names } = await actionsOf(cloud);
    t.strictSame(await names('changes-since=2000-01-01T00:00:00Z'), ['start', 'stop', 'create']);
    t.strictSame(await names('changes-since=2900-01-01T00:00:00Z'), []);
  },
  'GET /v2.1/servers/:id/os-instance-actions ?changes-before': async (t, cloud) => {
    const { names } = await actionsOf(cloud);
    t.strictSame(await names('changes-before=2900-01-01T00:00:00Z'), ['start', 'stop', 'create']);
    t.strictSame(await names('changes-before=2000-01-01T00:00:00Z'), []);
  },
};
