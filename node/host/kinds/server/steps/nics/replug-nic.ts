import { coverageMark } from '../../../../../base/buggify/buggify.ts';
import { plugNicIn, whyNoTap } from '../../kit/nics.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const markNicPluggedAgain = coverageMark('nic-plugged-again', 'a guest had lost a NIC that is its own');

/** A NIC has gone from the guest by itself, or by a request to let go that was withdrawn: it is plugged in again. */
export const replugNic: ServerStepDefinition<'replug-nic'> = {
  mode: 'restores',
  words: 'attaching the network interface again',
  wait: ({ portId }, _server, tools) => whyNoTap(portId, tools),
  async do({ portId }, server, tools) {
    await plugNicIn(server, portId, tools);
    markNicPluggedAgain();
  },
};
