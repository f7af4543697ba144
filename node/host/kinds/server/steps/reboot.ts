import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { undecidedSwitch } from '../../../outage/undecided-switches.ts';
import { giveBackDisks, startGuest } from '../kit/guest.ts';
import { unpluggedPort } from '../kit/nics.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointRebootDoneNotNoted = failpoint('reboot.done-not-noted', 'a guest was rebooted, and nothing says so');
const markRebootHard = coverageMark('reboot-hard', 'a hard reboot');
const markRebootSoft = coverageMark('reboot-soft', 'a soft reboot');
const failpointRebootNotedNotReported = failpoint('reboot.noted-not-reported', 'a reboot is noted, and not recorded');

/** A guest that does not power off in this time is reset: a reboot is wanted, not a long wait. */
const softRebootGraceMs = 20_000;

/** Resets in place (hard), or stops and starts (soft); then tells the record which reboot is done. */
export const reboot: ServerStepDefinition<'reboot'> = {
  mode: 'acts',
  words: 'rebooting the server',
  wait: (_step, server, tools) => unpluggedPort(server, tools) ?? undecidedSwitch(server, tools),
  async do(step, server, tools) {
    const serverId = server.id as ServerId;
    const { compute, signal } = tools;
    if (step.hard && (await compute.find(serverId, signal))?.power === 'running') {
      await compute.resetGuest(serverId, signal);
    } else {
      await compute.stopGuest(serverId, { graceMs: step.hard ? 0 : softRebootGraceMs }, signal);
      await startGuest(server, tools);
    }
    failpointRebootDoneNotNoted();
    if (step.hard) markRebootHard();
    else markRebootSoft();
    // Written before it is reported: should the report fail, the guest is not rebooted again.
    await tools.reboots.note(server, step.number);
    failpointRebootNotedNotReported();
    await tools.reports.power(server, 'running', step.number, undefined, tools.events.done());
  },
  undo: (_step, server, tools) => giveBackDisks(server, tools),
};
