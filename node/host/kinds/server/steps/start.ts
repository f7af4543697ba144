import { shoal } from '../../../../../proto/messages.ts';
import { undecidedSwitch } from '../../../outage/undecided-switches.ts';
import type { ServerStep } from '../../../plan/server-plan.ts';
import { giveBackDisks, startGuest } from '../kit/guest.ts';
import { unpluggedPort } from '../kit/nics.ts';
import { whyNotThere } from '../kit/served-volumes.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

/** Makes the disks, runs QEMU, and tells the record. */
export const start: ServerStepDefinition<'start'> = {
  mode: 'acts',
  words: 'starting the server',
  wait: (_step, server, tools) =>
    unpluggedPort(server, tools) ?? whyNotThere(server, tools) ?? undecidedSwitch(server, tools),
  async do(step, server, tools) {
    const machine = await startGuest(server, tools);
    const started = machine === '' ? server : new shoal.v1.Server({ ...server, machine });
    const rebootsDone = Math.max(server.rebootsDone, tools.reboots.done(server));
    await tools.reports.power(started, 'running', rebootsDone, restartNotice(step, server), tools.events.done());
  },
  undo: (_step, server, tools) => giveBackDisks(server, tools),
};

/** What the owner is told of a start that nobody asked for; undefined for one that was. */
function restartNotice(
  step: Extract<ServerStep, { readonly kind: 'start' }>,
  server: shoal.v1.Server,
): string | undefined {
  if (step.reason === 'crashed') {
    return "The guest's QEMU process had ended unexpectedly: it crashed or was killed. Its host started the guest again.";
  }
  // Recorded as running, with nothing asked of it: it was off because its host was.
  const wasUp = server.status === shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE && server.taskState === '';
  return wasUp ? 'The guest was off, as its host had been. Its host started the guest again.' : undefined;
}
