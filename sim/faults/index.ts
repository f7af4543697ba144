/** Every kind of fault by name. Add one: its name in ../settings/fault-names.ts, its effect in the file of its group, a line in README.md. */

import type { FaultName } from '../settings/fault-names.ts';
import { clientFaults } from './client.ts';
import { clockFaults } from './clock.ts';
import { diskFaults } from './disk.ts';
import type { FaultKind } from './fault.ts';
import { gossipFaults } from './gossip.ts';
import { hostFaults } from './host.ts';
import { memberFaults } from './member.ts';
import { networkFaults } from './network.ts';
import { processFaults } from './process.ts';
import { stateFaults } from './state.ts';
import { takeoverFaults } from './takeover.ts';
import { volumeFaults } from './volume.ts';

export const faults = {
  ...networkFaults,
  ...diskFaults,
  ...stateFaults,
  ...clockFaults,
  ...processFaults,
  ...hostFaults,
  ...gossipFaults,
  ...memberFaults,
  ...clientFaults,
  ...volumeFaults,
  ...takeoverFaults,
} as const satisfies Readonly<Record<FaultName, FaultKind>>;
