import { failpoint } from '../../../../base/buggify/buggify.ts';
import { gibBytes } from '../../../../base/units.ts';
import { servedKey } from '../kit/served-key.ts';
import { poolOf } from '../kit/tools.ts';
import { volumeSpec } from '../kit/volume-spec.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointServeBegins = failpoint('serve.begins', 'a volume is to be served to another host, and nothing is done');
const failpointServeServed = failpoint('serve.served', 'a volume is served, and no record says where');
const failpointServeReported = failpoint('serve.reported', 'a record says since a moment ago where a volume is served');

/** Serves the volume to the host of the server that has it, and tells the record where. */
export const serve: VolumeStepDefinition<'serve'> = {
  mode: 'restores',
  words: "serving the volume to its server's host",
  async do(_step, volume, tools) {
    const { served } = volume;
    if (served === null) return;
    failpointServeBegins();
    const attachment = volume.attachments.find(({ serverId }) => serverId !== '');
    const spec = {
      ...volumeSpec(volume, tools),
      sizeBytes: volume.madeGib * gibBytes,
      generation: served.generation,
    };
    const serving = {
      key: servedKey(volume.id, served, tools),
      readOnly: volume.readOnly || attachment?.readOnly === true,
      // Where its guest has it open already, if what served it has died.
      ...(served.port === 0 ? {} : { port: served.port }),
    };
    const at = await poolOf(volume, tools).serveDisk(spec, tools.hostId, serving, tools.signal);
    failpointServeServed();
    await tools.volumeReports.served(volume, at);
    failpointServeReported();
  },
};
