import type { HostWeigher } from './weigher.ts';

/** The failure detector's suspicion, 0..1, with a negative multiplier: a suspect is a last choice, never refused. */
export const hostStateWeigher: HostWeigher = {
  name: 'HostStateWeigher',
  purpose: 'hosts that the failure detector does not suspect',
  scope: 'host',
  multiplierKey: 'host_state_weight_multiplier',
  multipliers: { spread: -1_000, pack: -1_000 },
  compile: () => (columns, slot) => columns.suspicion[slot] ?? 0,
};
