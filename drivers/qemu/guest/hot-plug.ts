/** Devices that a guest gets and loses while it runs, whatever they are: what QEMU's monitor is asked for any of them. */
import { ShoalError } from '../../../node/base/errors.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import type { QemuGuest } from './guest.ts';

/** A Linux guest lets go in 0.2 s, a loaded one in seconds; one that boots or is paused does not. */
const unplugTimeoutMs = 10_000;
/** QEMU tells when a device is gone; this is for a word that was missed. */
const unplugPollMs = 100;

/** Where QEMU keeps the devices that have ids. */
export const peripherals = '/machine/peripheral';

/** Ids of the guest's devices: those that were given one. */
export async function deviceIds(guest: QemuGuest, signal?: AbortSignal): Promise<readonly string[]> {
  const listed = await listOf(guest, 'qom-list', { path: peripherals }, signal);
  return listed.map((entry) => String(entry['name']));
}

/** Plugs a device in. @param what for people: "disk". Throws `CONFLICT` when the guest has no free place. */
export async function addDevice(
  guest: QemuGuest,
  device: Readonly<Record<string, unknown>>,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await guest.execute('device_add', device, signal);
  } catch (caught) {
    if (!ShoalError.is(caught, 'DRIVER_FAILED') || !/no slot\/function available/.test(caught.message)) throw caught;
    throw new ShoalError('CONFLICT', `guest ${guest.serverId} has no free place for another ${what}`, {
      cause: caught,
    });
  }
}

/**
 * Asks the guest to let go of a device, and waits until it has. Not there: success. `UNAVAILABLE` when it does not in time: the
 * request stands. @param what for people: "disk ID".
 */
export async function unplugDevice(guest: QemuGuest, id: string, what: string, signal: AbortSignal): Promise<void> {
  const has = async (): Promise<boolean> => (await deviceIds(guest, signal)).includes(id);
  await askToUnplug(guest, id, signal);
  const deadline = performance.now() + unplugTimeoutMs;
  for (;;) {
    // Listened for before it is looked, so that no word is missed between.
    const told = guest.eventOrPause('DEVICE_DELETED', unplugPollMs);
    if (!(await has())) return;
    if (signal.aborted) throw new ShoalError('CANCELLED', `unplugging ${what} was cancelled`);
    if (performance.now() > deadline) {
      throw new ShoalError('UNAVAILABLE', `guest ${guest.serverId} has not let go of ${what} yet`, { facts: { id } });
    }
    await told;
  }
}

/** A request that stands from an earlier time is as good as a new one. */
async function askToUnplug(guest: QemuGuest, id: string, signal: AbortSignal): Promise<void> {
  try {
    await guest.execute('device_del', { id }, signal);
  } catch (caught) {
    const isAsked =
      ShoalError.is(caught, 'DRIVER_FAILED') && /in the process of unplug|not found/i.test(caught.message);
    if (!isAsked) throw caught;
  }
}

/** An answer that is a list of objects. */
export async function listOf(
  guest: QemuGuest,
  command: string,
  args?: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await guest.execute(command, args, signal);
  if (!Array.isArray(answer)) throw unclear(command);
  return (answer as readonly unknown[]).map((entry) => {
    if (!isRecord(entry)) throw unclear(command);
    return entry;
  });
}

/** @param what QEMU was asked for. */
export function unclear(what: string): ShoalError {
  return new ShoalError('CANNOT_TELL', `QEMU's answer about ${what} is not understood`);
}

/** Waits for work on what may not be there. */
export async function ignoringAbsent(work: Promise<unknown>): Promise<void> {
  await work.catch(absentOf);
}

/** Nothing, for what QEMU says is not there. */
export function absentOf(caught: unknown): undefined {
  if (!ShoalError.is(caught, 'DRIVER_FAILED') || !/not found/i.test(caught.message)) throw caught;
  return undefined;
}
