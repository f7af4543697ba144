import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { shoal } from '../../proto/messages.ts';
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
      callers.serve(call, async ({ context }) => {
        await compute.moves.migrate(context, serverId, hostName === '' ? undefined : hostName);
        return {};
      }),
    migrateServerLive: ({ serverId, hostName }, call) =>
      callers.serve(call, async ({ context }) => {
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
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const { serverId, kind, status } = request;
        const found = compute.migrations
          .list(reader)
          .filter((one) => isOr(serverId, one.serverId) && isOr(kind, one.kind) && isOr(status, one.status));
        const { page, nextPageToken } = pageById(found, request);
        return { migrations: [...page], nextPageToken, stale };
      }),
    listServerActions: ({ serverId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { actions: compute.servers.show(context, reader, serverId).actions, stale };
      }),
  };
}
