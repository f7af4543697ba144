import type { Clock } from '../../node/base/clock.ts';
import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { ServerDraft } from '../../node/services/compute/server-draft.ts';
import type { StateClient } from '../../node/state/types.ts';
import type { shoal } from '../../proto/messages.ts';
import { consoleHandlers } from './consoles.ts';
import { keypairHandlers } from './keypairs.ts';
import type { Caller, Callers } from './kit/caller.ts';
import { tokenOf } from './kit/client-token.ts';
import { pageById } from './kit/page.ts';
import { RecordWatch } from './kit/record-watch.ts';
import type { WatchStreams } from './kit/watch-streams.ts';
import { serverImageHandlers } from './server-images.ts';
import { serverInterfaceHandlers } from './server-interfaces.ts';
import { serverMoveHandlers } from './server-moves.ts';
import { serverStateHandlers } from './server-states.ts';
import { serverView, watchedServers } from './server-watch.ts';

/** `shoal.v1.ComputeService`: the same servers as the compute API's, natively. */
export function computeHandlers(
  callers: Callers,
  deps: {
    readonly compute: ComputeService;
    readonly state: StateClient;
    readonly clock: Clock;
    readonly watchStreams: WatchStreams;
  },
): Handlers<shoal.v1.ComputeService, Caller> {
  const { compute, state } = deps;
  return {
    createServer: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { servers, reservationId } = await compute.servers.create(context, draftOf(request));
        const serverIds = servers.map((server) => server.id);
        if (request.idsOnly) return { serverIds, reservationId };
        const views = servers.map((server) => serverView(context, server));
        const isMany = request.minCount > 1 || request.maxCount > 1;
        return { server: views[0] ?? null, servers: isMany ? views : [], serverIds, reservationId };
      }),
    getServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { server: serverView(context, compute.servers.show(context, reader, serverId)), stale };
      }),
    listServers: ({ allProjects, pageSize, pageToken }, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        if (allProjects) enforce('os_compute_api:servers:index:get_all_tenants');
        const { reader, stale } = await read();
        const { page, nextPageToken } = pageById(compute.servers.list(context, reader, allProjects), {
          pageSize,
          pageToken,
        });
        return {
          servers: page.map((server) => serverView(context, server)),
          nextPageToken,
          stale,
          revision: reader.revision,
        };
      }),
    deleteServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.delete(context, serverId);
        return {};
      }),
    stopServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.stop(context, serverId);
        return {};
      }),
    startServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.start(context, serverId);
        return {};
      }),
    rebootServer: ({ serverId, hard }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.reboot(context, serverId, hard);
        return {};
      }),
    getConsoleLog: ({ serverId, linesMax }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader } = await read();
        const lines = linesMax === 0 ? undefined : linesMax;
        return { output: await compute.servers.consoleOutput(context, reader, serverId, lines) };
      }),
    async *watchServers({ fromRevision }, call) {
      const { context, recheck } = callers.open(call);
      const watch = new RecordWatch(watchedServers, state, { context, clock: deps.clock, recheck }, fromRevision);
      yield* deps.watchStreams.counted(context.userId, () => watch.events());
    },
    listFlavors: (_request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader } = await read();
        return { flavors: [...compute.flavors.list(context, reader)] };
      }),
    ...consoleHandlers(callers, compute),
    ...serverInterfaceHandlers(callers, compute),
    ...serverStateHandlers(callers, compute),
    ...serverMoveHandlers(callers, compute),
    ...serverImageHandlers(callers, compute),
    ...keypairHandlers(callers, compute),
  };
}

function draftOf(request: shoal.v1.CreateServerRequest): ServerDraft {
  return {
    name: request.name,
    flavorId: request.flavorId,
    imageId: request.imageId,
    ...(request.networkIds.length === 0 ? {} : { networks: request.networkIds.map((networkId) => ({ networkId })) }),
    ...(request.keyName === '' ? {} : { keyName: request.keyName }),
    ...(request.userData.length === 0 ? {} : { userData: Buffer.from(request.userData).toString('base64') }),
    metadata: request.metadata,
    ...(request.zone === '' ? {} : { zone: request.zone }),
    ...(request.securityGroupNames.length === 0 ? {} : { securityGroups: request.securityGroupNames }),
    schedulerHints: request.schedulerHints,
    ...tokenOf(request.clientToken),
    ...(request.minCount === 0 ? {} : { minCount: request.minCount }),
    ...(request.maxCount === 0 ? {} : { maxCount: request.maxCount }),
  };
}
