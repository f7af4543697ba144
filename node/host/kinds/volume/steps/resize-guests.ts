import { coverageMark } from '../../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { gibBytes } from '../../../../base/units.ts';
import { serverTable } from '../../../../state/tables/index.ts';
import { whereItIs } from '../kit/open-guest.ts';
import type { VolumeStepDefinition } from './definition.ts';

const markGuestResized = coverageMark(
  'volume-resized-in-another-guest',
  'a guest sees the new size of a volume that it has beside others',
);

/** Shows the new size to each guest that has the volume open, and tells the records of the servers, also of those that are off. */
export const resizeGuests: VolumeStepDefinition<'resize-guests'> = {
  mode: 'acts',
  words: 'showing guests the new size of the volume',
  async do({ serverIds }, volume, tools) {
    const { compute, reader, signal, volumeReports } = tools;
    for (const serverId of serverIds) {
      const server = serverTable.get(reader, serverId)?.record;
      if (server === undefined) continue;
      const attachments = volume.attachments.filter((one) => one.serverId === serverId);
      await whereItIs({ id: volume.id, attachments }, tools, {
        open: async (guestId) => {
          markGuestResized();
          await compute.resizeDisk(guestId, volume.id as VolumeId, volume.madeGib * gibBytes, signal);
        },
        // It sees the size when it is started.
        closed: async () => {},
      });
      await volumeReports.resized(server, volume.id, volume.madeGib);
    }
  },
};
