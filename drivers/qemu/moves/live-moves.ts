/**
 * Guests that go to another host while they run. The taker is a QEMU with the same devices and no memory; the memory goes from QEMU
 * to QEMU, in TLS with a pre-shared key. What is known of a copy is read from QEMU alone, so that the next agent goes on with it.
 *
 * Under TCG the guest is paused before its memory is read: QEMU 7.2 loses writes of a guest that runs meanwhile, and says that all is
 * well.
 */
import { rm } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { checkNbdKey } from '../../nbd/exports/export-command.ts';
import type { MemoryProgress, MemoryReceiver, MoveKey, SendSteps } from '../../types.ts';
import { placesFromJson, placesOf } from '../disks/device-places.ts';
import type { DevicePlaces } from '../disks/disk-nodes.ts';
import { addKey, forgetKey } from '../disks/nbd-credentials.ts';
import type { PlugFolders } from '../disks/plug-folder.ts';
import type { QemuGuest } from '../guest/guest.ts';
import type { GuestMachines } from '../hardware/guest-machines.ts';
import { setMigration } from './migration-settings.ts';

/** The object that a copy proves itself with, and its folder. */
const credentials = 'live-move';
const credentialsFolder = 'live-move.tls';
/** Ports on which memories are taken: those that libvirt uses for it, which firewalls know. */
const portsFirst = 49_152;
const portsLast = 49_215;
/** How often a copy is looked at. Unit: ms. */
const lookMs = 50;
/** A copy that has not moved for so long does not go on. Unit: ms. */
const stuckMs = 60_000;
/** The longest description of hardware that is read. */
const hardwareCharsMax = 65_536;

const underWay: ReadonlySet<string> = new Set([
  'setup',
  'active',
  'pre-switchover',
  'device',
  'postcopy-active',
  'postcopy-paused',
  'wait-unplug',
  'cancelling',
]);

/** What is known of this host's QEMU. */
interface LiveMoveDeps {
  readonly plugs: PlugFolders;
  /** Whose the guest's QEMU is. */
  readonly uidOf: (serverId: ServerId) => Promise<number>;
  readonly machines: GuestMachines;
  readonly accelerator: 'kvm' | 'tcg';
  /** Address of this host at which memories are taken. */
  readonly address: string;
}

/** What QEMU says of a copy. */
interface CopyState {
  readonly status: string;
  readonly error: string;
  readonly memory: MemoryProgress;
}

/** Does it to the guest, behind what else is asked of it. Throws `NOT_FOUND` when it does not run. */
type Turn = <T>(work: (guest: QemuGuest) => Promise<T>) => Promise<T>;

/** One for all guests of a driver. */
export class LiveMoves {
  readonly #deps: LiveMoveDeps;

  constructor(deps: LiveMoveDeps) {
    this.#deps = deps;
  }

  /** As `ComputeDriver.hardwareOf`. */
  async hardwareOf(guest: QemuGuest, signal: AbortSignal): Promise<string> {
    if ((await guest.state(signal)).power === 'shutdown') {
      throw new ShoalError('CONFLICT', `guest ${guest.serverId} is powered off`);
    }
    const { machines, accelerator } = this.#deps;
    const machine = await machines.ofRunning(guest.serverId);
    return JSON.stringify({ machine, accelerator, places: Object.fromEntries(await placesOf(guest, signal)) });
  }

  /** The machine that another host describes, and where its devices are. `DRIVER_FAILED` when this one cannot make it so. */
  madeOf(hardware: string): { readonly machine: string; readonly places: DevicePlaces } {
    const { machines, accelerator } = this.#deps;
    const told = readHardware(hardware);
    const refuse = (what: string): never => {
      throw new ShoalError('DRIVER_FAILED', `this host cannot take the guest: ${what}`);
    };
    if (!machines.has(told.machine)) refuse(`it has machine ${told.machine}, which this host's QEMU does not make`);
    if (told.accelerator !== accelerator)
      refuse(`it runs under ${told.accelerator}, and guests here under ${accelerator}`);
    return { machine: told.machine, places: told.places };
  }

  /** Has a QEMU that was started for it take the memory. Returns where. */
  async take(guest: QemuGuest, key: MoveKey, signal: AbortSignal): Promise<MemoryReceiver> {
    const { plugs, uidOf, address, accelerator } = this.#deps;
    checkNbdKey(key);
    const folder = await plugs.ownFolder(guest.serverId, credentialsFolder, await uidOf(guest.serverId));
    // It stays until the guest ends: QEMU reads the key when somebody connects.
    await addKey(guest, { id: credentials, folder, key, endpoint: 'server' });
    await setMigration(guest, { end: 'takes', isLive: accelerator === 'kvm', credentials }, signal);
    const uri = `tcp:${isIPv6(address) ? `[${address}]` : address}:${portsFirst},to=${portsLast}`;
    await guest.execute('migrate-incoming', { uri }, signal);
    const taken = await this.takenAt(guest, signal);
    if (taken !== undefined) return taken;
    throw new ShoalError('DRIVER_FAILED', `QEMU does not say where it takes the memory of ${guest.serverId}`);
  }

  /** Where a QEMU takes the memory that it waits for; undefined: it was not told to. */
  async takenAt(guest: QemuGuest, signal: AbortSignal): Promise<MemoryReceiver | undefined> {
    const reply = await guest.execute('query-migrate', undefined, signal);
    const places = isRecord(reply) && Array.isArray(reply['socket-address']) ? reply['socket-address'] : [];
    const port = places.map((place: unknown) => (isRecord(place) ? Number(place['port']) : Number.NaN))[0];
    return port === undefined || !Number.isSafeInteger(port) ? undefined : { address: this.#deps.address, port };
  }

  /** As `ComputeDriver.sendGuest`. */
  async send(
    serverId: ServerId,
    to: MemoryReceiver & { readonly key: MoveKey },
    { progress, mustFinish }: SendSteps,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<void> {
    checkNbdKey(to.key);
    const pace = new Pace();
    let hasBegun = false;
    for (;;) {
      if (signal.aborted) throw new ShoalError('CANCELLED', `nobody waits for the move of ${serverId} any more`);
      const isOver = await turn(async (guest) => {
        const { power, detail } = await guest.state(signal);
        const copy = await copyOf(guest, signal);
        if (copy.status === 'completed' && detail === 'postmigrate') return true;
        if (!hasBegun && !underWay.has(copy.status)) {
          if (power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
          if (detail === 'inmigrate') throw new ShoalError('CONFLICT', `guest ${serverId} has not run here yet`);
          await this.#begin(guest, to, signal);
        } else if (!underWay.has(copy.status) && copy.status !== 'completed') {
          throw new ShoalError(
            'DRIVER_FAILED',
            `QEMU could not send the memory of ${serverId}: ${copy.error || copy.status}`,
          );
        } else {
          progress(copy.memory);
          pace.mustMove(copy.memory.sentBytes, serverId);
          if (power === 'running' && mustFinish()) await guest.execute('stop', undefined, signal);
        }
        hasBegun = true;
        return false;
      });
      if (isOver) return;
      await delay(lookMs);
    }
  }

  /** As `ComputeDriver.cancelSend`. */
  async cancel(guest: QemuGuest, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + stuckMs;
    let { status } = await copyOf(guest, signal);
    // The taker may have all of it at this moment: then nothing is left to be cancelled, and the guest is paused.
    if (underWay.has(status)) await guest.execute('migrate_cancel', undefined, signal);
    while (underWay.has(status)) {
      if (performance.now() > deadline) {
        throw new ShoalError('DEADLINE_EXCEEDED', `the copy of ${guest.serverId} does not end: ${status}`);
      }
      await delay(lookMs);
      ({ status } = await copyOf(guest, signal));
    }
    await forgetKey(guest, credentials);
  }

  async #begin(
    guest: QemuGuest,
    { address, port, key }: MemoryReceiver & { readonly key: MoveKey },
    signal: AbortSignal,
  ): Promise<void> {
    const { plugs, uidOf, accelerator } = this.#deps;
    const isLive = accelerator === 'kvm';
    const folder = await plugs.ownFolder(guest.serverId, credentialsFolder, await uidOf(guest.serverId));
    try {
      await addKey(guest, { id: credentials, folder, key, endpoint: 'client' });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await setMigration(guest, { end: 'sends', isLive, credentials }, signal);
    if (!isLive && (await guest.state(signal)).power === 'running') await guest.execute('stop', undefined, signal);
    await guest.execute('migrate', { uri: `tcp:${isIPv6(address) ? `[${address}]` : address}:${port}` }, signal);
  }
}

/** Notices a copy that stands still. */
class Pace {
  #sentBytes = -1;
  #movedMs = performance.now();

  mustMove(sentBytes: number, serverId: ServerId): void {
    const nowMs = performance.now();
    if (sentBytes !== this.#sentBytes) {
      this.#sentBytes = sentBytes;
      this.#movedMs = nowMs;
    } else if (nowMs - this.#movedMs > stuckMs) {
      throw new ShoalError('DRIVER_FAILED', `the copy of the memory of ${serverId} has not moved for ${stuckMs} ms`);
    }
  }
}

async function copyOf(guest: QemuGuest, signal: AbortSignal): Promise<CopyState> {
  const reply = await guest.execute('query-migrate', undefined, signal);
  const told = isRecord(reply) ? reply : {};
  const ram = isRecord(told['ram']) ? told['ram'] : {};
  const bytes = (name: string): number => (typeof ram[name] === 'number' ? ram[name] : 0);
  return {
    status: typeof told['status'] === 'string' ? told['status'] : 'none',
    error: typeof told['error-desc'] === 'string' ? told['error-desc'] : '',
    memory: { totalBytes: bytes('total'), sentBytes: bytes('transferred'), remainingBytes: bytes('remaining') },
  };
}

/** Reads what `hardwareOf` has written on another host. */
function readHardware(text: string): {
  readonly machine: string;
  readonly accelerator: string;
  readonly places: DevicePlaces;
} {
  const refuse = (): never => {
    throw new ShoalError('DRIVER_FAILED', 'what the other host says of the guest is no description of its hardware');
  };
  if (text.length > hardwareCharsMax) return refuse();
  const value = parsed(text);
  if (!isRecord(value)) return refuse();
  const { machine, accelerator } = value;
  const places = placesFromJson(value['places']);
  if (typeof machine !== 'string' || typeof accelerator !== 'string' || places === undefined) return refuse();
  return { machine, accelerator, places };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (caught) {
    if (caught instanceof SyntaxError) return undefined;
    throw caught;
  }
}
