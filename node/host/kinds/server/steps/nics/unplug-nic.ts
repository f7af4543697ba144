import { failpoint } from '../../../../../base/buggify/buggify.ts';
import { pullNicOut } from '../../kit/nics.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const failpointReported = failpoint(
  'detach-nic.reported',
  'the port of a NIC is free in the records since a moment ago',
);

/** Has the guest let go of a NIC, and tells the record. Its tap goes with its port, by the network's own kind. */
export const unplugNic: ServerStepDefinition<'unplug-nic'> = {
  mode: 'acts',
  words: 'detaching the network interface',
  async do({ portId }, server, tools) {
    await pullNicOut(server, portId, tools);
    await tools.nicReports.unplugged(server, portId);
    failpointReported();
  },
};
