import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** The part of `shoal.v1.ComputeService` that keeps servers as images. */
export function serverImageHandlers(
  callers: Callers,
  { images }: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, 'createServerImage' | 'createServerBackup'> {
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
  };
}
