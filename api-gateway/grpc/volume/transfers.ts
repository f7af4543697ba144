import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { pageById } from '../kit/page.ts';

type TransferMethods = 'listVolumeTransfers' | 'createVolumeTransfer' | 'acceptVolumeTransfer' | 'deleteVolumeTransfer';

/** The part of `shoal.v1.VolumeService` that is about volumes offered to other projects. */
export function transferHandlers(
  callers: Callers,
  { transfers }: Pick<VolumeService, 'transfers'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, TransferMethods> {
  return {
    listVolumeTransfers: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const { page, nextPageToken } = pageById(transfers.list(context, reader, { allProjects }), request);
        return { transfers: page.map(transferView), nextPageToken, stale };
      }),
    createVolumeTransfer: ({ volumeId, name, withoutSnapshots }, call) =>
      callers.serve(call, async ({ context }) => {
        const { transfer, authKey } = await transfers.create(context, { volumeId, name, withoutSnapshots });
        return { transfer: transferView(transfer), authKey };
      }),
    acceptVolumeTransfer: ({ transferId, authKey }, call) =>
      callers.serve(call, async ({ context }) => ({
        transfer: transferView(await transfers.accept(context, transferId, authKey)),
      })),
    deleteVolumeTransfer: ({ transferId }, call) =>
      callers.serve(call, async ({ context }) => {
        await transfers.remove(context, transferId);
        return {};
      }),
  };
}

/** Without the hash of its key. */
function transferView(transfer: shoal.v1.VolumeTransfer): shoal.v1.VolumeTransferView {
  const { id, name, volumeId, projectId, withoutSnapshots, createdMs } = transfer;
  return new shoal.v1.VolumeTransferView({ id, name, volumeId, projectId, withoutSnapshots, createdMs });
}
