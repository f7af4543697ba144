import { failpoint } from '../../../../../base/buggify/buggify.ts';
import { plugNicIn, whyNoTap } from '../../kit/nics.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const failpointReported = failpoint('attach-nic.reported', 'a NIC is recorded as plugged in a moment ago');

/** Plugs a NIC into the guest, or leaves it to the next start of one that is off; tells the record. */
export const plugNic: ServerStepDefinition<'plug-nic'> = {
  mode: 'acts',
  words: 'attaching the network interface',
  wait: ({ portId }, _server, tools) => whyNoTap(portId, tools),
  async do({ portId }, server, tools) {
    const isUp = await plugNicIn(server, portId, tools);
    await tools.nicReports.plugged(server, portId, isUp);
    failpointReported();
  },
};
