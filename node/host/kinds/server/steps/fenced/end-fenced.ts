import { coverageMark } from '../../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../../base/ids.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const markFencedGuestEnded = coverageMark(
  'fenced-guest-ended',
  'the guest of a host that storage has fenced is ended, and not resumed',
);

/**
 * Ends a guest whose host is fenced. A client that was fenced stays so when its host is let in again: the guest would stand still for
 * ever, or believe what was never written. Its disks stay locked for this host, at this generation, and starts from them again.
 */
export const endFenced: ServerStepDefinition<'end-fenced'> = {
  mode: 'tears-down',
  words: 'ending the guest of a fenced host',
  async do(_step, server, { compute, signal }) {
    const serverId = server.id as ServerId;
    await compute.stopGuest(serverId, { graceMs: 0 }, signal);
    await compute.removeGuest(serverId, signal);
    markFencedGuestEnded();
  },
};
