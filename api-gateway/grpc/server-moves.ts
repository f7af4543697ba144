import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';
import { isOr, pageById } from './kit/page.ts';

type MoveMethods =
  | 'evacuateServer'
  | 'resizeServer'
  | 'confirmServerResize'
  | 'revertServerResize'
  | 'migrateServer'
  | 'migrateServerLive'
  | 'abortServerMigration'
  | 'forceCompleteServerMigration'
  | 'listMigrations'
  | 'listServerActions';

/** The part of `shoal.v1.ComputeService` that moves servers, and tells what became of it. */
export function serverMoveHandlers(
  callers: Callers,
  compute: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, MoveMethods> {
  return {
    evacuateServer: ({ serverId, hostName, landsStopped }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.moves.evacuate(context, serverId, { ...(hostName === '' ? {} : { hostName }), landsStopped });
        return {};
      }),
    resizeServer: ({ serverId, flavorId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.moves.resize(context, serverId, flavorId);
        return {};
      }),
    confirmServerResize: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.moves.confirm(context, serverId);
        return {};
      }),
    revertServerResize: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.moves.cancel(context, serverId);
        return {};
      }),
    migrateServer: ({ serverId, hostName }, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        if (hostName !== '') enforce('os_compute_api:os-migrate-server:migrate:host');
        await compute.moves.migrate(context, serverId, hostName === '' ? undefined : hostName);
        return {};
      }),
    migrateServerLive: ({ serverId, hostName }, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        if (hostName !== '') enforce('os_compute_api:os-migrate-server:migrate_live:host');
        await compute.liveMigrations.begin(context, serverId, hostName === '' ? {} : { hostName });
        return {};
      }),
    abortServerMigration: ({ serverId, migrationId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.liveMigrations.abort(context, serverId, migrationId);
        return {};
      }),
    forceCompleteServerMigration: ({ serverId, migrationId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.liveMigrations.forceComplete(context, serverId, migrationId);
        return {};
      }),
    listMigrations: (request, call) =>
      callers.serve(call, async ({ context, allows, read }) => {
        const { reader, stale } = await read();
        const { serverId, kind, status } = request;
        const isAll = allows('os_compute_api:os-migrations:index:all_projects');
        const isTold = allows('os_compute_api:os-migrations:index:host');
        const found = compute.migrations
          .list(reader)
          .filter(({ projectId }) => isAll || projectId === context.projectId)
          .filter((one) => isOr(serverId, one.serverId) && isOr(kind, one.kind) && isOr(status, one.status));
        const { page, nextPageToken } = pageById(found, request);
        return { migrations: page.map((one) => (isTold ? one : withoutHosts(one))), nextPageToken, stale };
      }),
    listServerActions: ({ serverId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        const { actions } = compute.servers.actionsOf(context, reader, serverId, { alsoDeleted: true });
        return { actions, stale };
      }),
  };
}

/** What a project's manager is told: what became of a move, not of which hosts. */
function withoutHosts(one: shoal.v1.Migration): shoal.v1.Migration {
  return new shoal.v1.Migration({ ...one, sourceHostId: '', targetHostId: '', sourceHostName: '', targetHostName: '' });
}
