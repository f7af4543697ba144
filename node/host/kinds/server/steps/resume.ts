import type { ServerId } from '../../../../base/ids.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

/** Lets a paused guest go on. */
export const resume: ServerStepDefinition<'resume'> = {
  mode: 'acts',
  words: 'resuming the server',
  async do(_step, server, tools) {
    await tools.compute.resumeGuest(server.id as ServerId, tools.signal);
    await tools.reports.power(server, 'running', server.rebootsDone, undefined, tools.events.done());
  },
};
