/** How a guest's process comes to its end: the power button, then `quit`, then force. */
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { signalProcess, waitGone } from '../process.ts';
import type { QemuGuest } from './guest/guest.ts';

/** After `quit` QEMU flushes its disks and goes; after SIGKILL only a dying disk can hold it. */
const quitTimeoutMs = 10_000;
/** From SIGKILL to a process that is gone. */
export const killTimeoutMs = 10_000;
/** How often a guest that was asked to power off is looked at. Events are faster; this is for when they are lost. */
const powerOffPollMs = 100;

/** ACPI within the grace (0: at once), then `quit`, then SIGKILL. Returns when the process is gone. */
export async function endProcess(guest: QemuGuest, graceMs: number, log: Logger, signal: AbortSignal): Promise<void> {
  if (graceMs > 0) await powerOff(guest, graceMs, log, signal);
  await quit(guest, log, signal);
}

/** Presses the power button and waits. A guest that cannot hear it (paused, or no ACPI) is left for `quit`. */
async function powerOff(guest: QemuGuest, graceMs: number, log: Logger, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + graceMs;
  try {
    if ((await guest.state(signal)).power !== 'running') return;
    await guest.execute('system_powerdown', undefined, signal);
    while (performance.now() < deadline) {
      if ((await guest.state(signal)).power !== 'running') return;
      await delay(powerOffPollMs);
    }
    log.info({ serverId: guest.serverId, graceMs }, 'the guest did not power off within its grace period');
  } catch (caught) {
    if (signal.aborted)
      throw new ShoalError('CANCELLED', `stopping ${guest.serverId} was cancelled`, { cause: caught });
    log.warn({ serverId: guest.serverId, err: caught }, 'QEMU cannot press the power button');
  }
}

async function quit(guest: QemuGuest, log: Logger, signal: AbortSignal): Promise<void> {
  try {
    await guest.execute('quit', undefined, signal);
  } catch (caught) {
    if (signal.aborted)
      throw new ShoalError('CANCELLED', `stopping ${guest.serverId} was cancelled`, { cause: caught });
    // Gone before it could answer, or stuck: both are handled below.
    log.debug({ serverId: guest.serverId, err: caught }, 'QEMU did not answer quit');
    if (!ShoalError.is(caught, 'UNAVAILABLE')) await signalProcess(guest.identity, 'SIGTERM');
  }
  if (await waitGone(guest.identity, quitTimeoutMs, signal)) return;
  log.warn({ serverId: guest.serverId, pid: guest.identity.pid }, 'QEMU did not quit; it is killed');
  await signalProcess(guest.identity, 'SIGKILL');
  if (!(await waitGone(guest.identity, killTimeoutMs, signal))) {
    throw new ShoalError('DRIVER_FAILED', `process ${guest.identity.pid} of ${guest.serverId} survives SIGKILL`);
  }
}
