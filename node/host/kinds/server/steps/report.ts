import type { ServerStepDefinition } from '../kit/step-definition.ts';

/** Tells the record what is so here. */
export const report: ServerStepDefinition<'report'> = {
  mode: 'reports',
  words: 'recording the state of the server',
  async do(step, server, tools) {
    await tools.reports.power(server, step.power, Math.max(server.rebootsDone, tools.reboots.done(server)));
  },
};
