import type { ServerId } from '../../../../base/ids.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

/** Stops the guest's processors; its memory stays. */
export const pause: ServerStepDefinition<'pause'> = {
  mode: 'acts',
  words: 'pausing the server',
  async do(_step, server, tools) {
    await tools.compute.pauseGuest(server.id as ServerId, tools.signal);
    await tools.reports.power(server, 'paused', server.rebootsDone, undefined, tools.events.done());
  },
};
