/**
 * An agent's network driver as a process of its own, to be run in another mount namespace: starts it with the options given
 * as JSON, makes the network that is given besides, and prints what happened as JSON.
 *
 *     start-network-driver.ts '{"options": {...}, "network": {...}}'
 */
import { runCommand } from '../../drivers/command.ts';
import type { NetworkSpec } from '../../drivers/types.ts';
import { VxlanDriver, type VxlanOptions } from '../../drivers/vxlan/index.ts';
import { systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';

/** What is printed. */
export interface StartOutcome {
  readonly started: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly facts?: unknown;
  readonly warnings: readonly string[];
}

const given = JSON.parse(process.argv[2] ?? '') as { options: VxlanOptions; network?: NetworkSpec };
const signal = AbortSignal.timeout(60_000);
const warnings: string[] = [];
const logger = { ...silentLogger, warn: (_: object, text: string) => warnings.push(text) };
const driver = new VxlanDriver({ runCommand, logger, clock: systemClock }, given.options);
let outcome: StartOutcome = { started: true, warnings };
try {
  await driver.start(signal);
  if (given.network !== undefined) await driver.ensureNetwork(given.network, signal);
} catch (caught) {
  const { code, message, facts } = ShoalError.from(caught, 'DRIVER_FAILED');
  outcome = { started: false, code, message, facts, warnings };
}
await driver.stop();
console.log(JSON.stringify(outcome));
