import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';
import { serverView } from './server-watch.ts';

type ImageMethods =
  | 'createServerImage'
  | 'createServerBackup'
  | 'rebuildServer'
  | 'rescueServer'
  | 'unrescueServer'
  | 'shelveServer'
  | 'offloadServer'
  | 'unshelveServer';

/** The part of `shoal.v1.ComputeService` that keeps servers as images, and makes them of images again. */
export function serverImageHandlers(
  callers: Callers,
  { images, rebuild, rescue, shelve }: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, ImageMethods> {
  return {
    createServerImage: ({ serverId, name, metadata }, call) =>
      callers.serve(call, async ({ context }) => {
        const image = await images.create(context, serverId, { name, metadata });
        return { imageId: image.id };
      }),
    createServerBackup: ({ serverId, name, metadata, backupType, rotation }, call) =>
      callers.serve(call, async ({ context }) => {
        const image = await images.createBackup(context, serverId, { name, metadata, backupType, rotation });
        return { imageId: image.id };
      }),
    rebuildServer: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const server = await rebuild.begin(context, request.serverId, rebuildDraftOf(request));
        return { server: serverView(context, server) };
      }),
    rescueServer: ({ serverId, imageId }, call) =>
      callers.serve(call, async ({ context }) => {
        await rescue.begin(context, serverId, { ...(imageId === '' ? {} : { imageId }), mayHaveRootVolume: true });
        return {};
      }),
    unrescueServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await rescue.end(context, serverId);
        return {};
      }),
    shelveServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await shelve.begin(context, serverId);
        return {};
      }),
    offloadServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await shelve.offload(context, serverId);
        return {};
      }),
    unshelveServer: ({ serverId, zone, hostName }, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        if (hostName !== '') enforce('os_compute_api:os-shelve:unshelve_to_host');
        const place = { ...(zone === '' ? {} : { zone }), ...(hostName === '' ? {} : { hostName }) };
        await shelve.end(context, serverId, place);
        return {};
      }),
  };
}

function rebuildDraftOf(request: shoal.v1.RebuildServerRequest) {
  const { imageId, name, description, metadata, keyName, userData, hostname } = request;
  return {
    imageId,
    ...(name === null || name === undefined ? {} : { name }),
    ...(description === null || description === undefined ? {} : { description }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(keyName === null || keyName === undefined ? {} : { keyName }),
    ...(userData === null || userData === undefined ? {} : { userData: Buffer.from(userData).toString('base64') }),
    ...(hostname === null || hostname === undefined ? {} : { hostname }),
  };
}
