/**
 * A compute driver without guests: real code, for tests, for the simulator and for an agent without root.
 *
 * `FakeComputeHost` is the machine: its guests go on while drivers come and go, as QEMU processes do. A test acts on the
 * host (`crash`, `powerOff`, `print`, `reboot`) and orders failures (`faults`, `behaviour`); the driver is what the agent
 * holds. Time is the given clock's, so that a simulated host is deterministic.
 */
import { type Clock, sleep, systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';
import type { ComputeDriver, GuestEvent, GuestFound, GuestPower, GuestSpec } from '../types.ts';
import { Faults } from './faults.ts';

/** Operations whose next calls can be made to fail. */
type FakeComputeOperation =
  | 'start'
  | 'list'
  | 'find'
  | 'startGuest'
  | 'stopGuest'
  | 'resetGuest'
  | 'pauseGuest'
  | 'resumeGuest'
  | 'removeGuest'
  | 'consoleLog';

/** How guests behave; may be changed at any time. */
interface FakeGuestBehaviour {
  /** From `startGuest` to running. Default 0. */
  startDelayMs: number;
  /** From the power button to off; `Infinity`: the guest ignores it. Default 0. */
  powerOffDelayMs: number;
  /** A started guest crashes by itself after this; absent: it does not. */
  crashAfterMs?: number;
}

interface FakeGuest {
  readonly spec: GuestSpec;
  readonly pid: number;
  power: GuestPower | 'stopped';
  detail: string;
  console: string;
}

/** What a fake console keeps, in characters; as much as the real one. */
const consoleCharsMax = mibBytes;

/** The machine on which fake guests run. Outlives the drivers opened on it. */
export class FakeComputeHost {
  readonly faults = new Faults<FakeComputeOperation>();
  readonly behaviour: FakeGuestBehaviour = { startDelayMs: 0, powerOffDelayMs: 0 };
  readonly clock: Clock;
  /** Every start that really happened, in order: for checks that nothing was started twice. */
  readonly starts: { readonly serverId: ServerId; readonly generation: number }[] = [];
  readonly guests = new Map<ServerId, FakeGuest>();
  readonly listeners = new Set<(event: GuestEvent) => void>();
  #lastPid = 1000;

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  /** The guest's process dies. */
  crash(serverId: ServerId, detail = 'the QEMU process is gone'): void {
    this.#change(serverId, 'crashed', detail);
  }

  /** The guest powers itself off; its process waits. */
  powerOff(serverId: ServerId): void {
    this.#change(serverId, 'shutdown', 'shutdown');
  }

  /** Its disk fails under it, or is fenced. */
  ioError(serverId: ServerId): void {
    this.#change(serverId, 'paused', 'io-error');
  }

  /** The guest prints on its serial console. */
  print(serverId: ServerId, text: string): void {
    const guest = this.guest(serverId);
    guest.console = (guest.console + text).slice(-consoleCharsMax);
  }

  /** Power cut: every process is gone, files stay. Nobody hears an event. */
  reboot(): void {
    for (const guest of this.guests.values()) {
      if (guest.power === 'stopped') continue;
      guest.power = 'crashed';
      guest.detail = 'the host was restarted';
    }
  }

  /** A guest that is there; `NOT_FOUND` otherwise. */
  guest(serverId: ServerId): FakeGuest {
    const guest = this.guests.get(serverId);
    if (guest === undefined) throw new ShoalError('NOT_FOUND', `no guest ${serverId} on this host`);
    return guest;
  }

  /** Puts a running guest on the host, keeping what an earlier one printed. */
  run(spec: GuestSpec): FakeGuest {
    this.#lastPid += 1;
    const console = this.guests.get(spec.serverId)?.console ?? '';
    const guest: FakeGuest = { spec, pid: this.#lastPid, power: 'running', detail: 'running', console };
    this.guests.set(spec.serverId, guest);
    this.starts.push({ serverId: spec.serverId, generation: spec.generation });
    if (this.behaviour.crashAfterMs !== undefined) {
      this.clock.setTimeout(() => {
        // A guest that has powered itself off runs nothing that could crash.
        const isRunning = isLiving(guest) && guest.power !== 'shutdown';
        if (this.guests.get(spec.serverId) === guest && isRunning) this.crash(spec.serverId);
      }, this.behaviour.crashAfterMs);
    }
    return guest;
  }

  #change(serverId: ServerId, power: GuestPower, detail: string): void {
    const guest = this.guest(serverId);
    guest.power = power;
    guest.detail = detail;
    for (const listener of this.listeners) listener({ serverId, power, detail });
  }
}

/** What an agent holds of a fake host. */
export class FakeComputeDriver implements ComputeDriver {
  readonly name = 'fake';
  readonly accelerator = 'fake';
  readonly #host: FakeComputeHost;
  readonly #own = new Set<(event: GuestEvent) => void>();
  #started = false;

  constructor(host: FakeComputeHost) {
    this.#host = host;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#host.faults.strike('start');
    refuseAborted(signal);
    this.#started = true;
  }

  async stop(): Promise<void> {
    for (const listener of this.#own) this.#host.listeners.delete(listener);
    this.#own.clear();
    this.#started = false;
  }

  async list(signal: AbortSignal): Promise<readonly GuestFound[]> {
    this.#begin('list', signal);
    return [...this.#host.guests.values()].map(asFound).filter((guest) => guest !== undefined);
  }

  async find(serverId: ServerId, signal: AbortSignal): Promise<GuestFound | undefined> {
    this.#begin('find', signal);
    const guest = this.#host.guests.get(serverId);
    return guest === undefined ? undefined : asFound(guest);
  }

  async startGuest(spec: GuestSpec, signal: AbortSignal): Promise<GuestFound> {
    this.#begin('startGuest', signal);
    if (spec.vcpus < 1 || spec.memoryMib < 1) throw new ShoalError('INVALID_ARGUMENT', 'a guest without CPU or memory');
    const runs = (): GuestFound | undefined => {
      const guest = this.#host.guests.get(spec.serverId);
      if (guest === undefined || !isLiving(guest)) return undefined;
      if (guest.spec.generation !== spec.generation) {
        throw new ShoalError('CONFLICT', `guest ${spec.serverId} runs at generation ${guest.spec.generation}`);
      }
      return guest.power === 'shutdown' ? undefined : asFound(guest);
    };
    const before = runs();
    if (before !== undefined) return before;
    const { startDelayMs } = this.#host.behaviour;
    if (startDelayMs > 0) await this.#wait(startDelayMs, signal);
    // Another call may have started it meanwhile.
    const found = runs() ?? asFound(this.#host.run(spec));
    if (found === undefined) throw new ShoalError('DRIVER_FAILED', `guest ${spec.serverId} did not start`);
    return found;
  }

  async stopGuest(serverId: ServerId, options: { readonly graceMs: number }, signal: AbortSignal): Promise<void> {
    this.#begin('stopGuest', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined || guest.power === 'stopped') return;
    if (guest.power === 'running' && options.graceMs > 0) {
      const waitMs = Math.min(options.graceMs, this.#host.behaviour.powerOffDelayMs);
      if (waitMs > 0) await this.#wait(waitMs, signal);
    }
    guest.power = 'stopped';
    guest.detail = 'stopped';
  }

  async resetGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    this.#living('resetGuest', serverId, signal);
  }

  async pauseGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    const guest = this.#living('pauseGuest', serverId, signal);
    guest.power = 'paused';
    guest.detail = 'paused';
  }

  async resumeGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    const guest = this.#living('resumeGuest', serverId, signal);
    if (guest.detail === 'io-error')
      throw new ShoalError('DRIVER_FAILED', `guest ${serverId} does not run on: io-error`);
    guest.power = 'running';
    guest.detail = 'running';
  }

  async removeGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    this.#begin('removeGuest', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined) return;
    if (isLiving(guest)) throw new ShoalError('CONFLICT', `guest ${serverId} still has its process ${guest.pid}`);
    this.#host.guests.delete(serverId);
  }

  async consoleLog(serverId: ServerId, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    this.#begin('consoleLog', signal);
    const bytes = new TextEncoder().encode(this.#host.guest(serverId).console);
    return bytes.subarray(Math.max(0, bytes.length - bytesMax));
  }

  onEvent(listener: (event: GuestEvent) => void): () => void {
    this.#own.add(listener);
    this.#host.listeners.add(listener);
    return () => {
      this.#own.delete(listener);
      this.#host.listeners.delete(listener);
    };
  }

  #begin(operation: FakeComputeOperation, signal: AbortSignal): void {
    if (!this.#started) throw new ShoalError('CANNOT_TELL', 'the fake compute driver has not started');
    refuseAborted(signal);
    this.#host.faults.strike(operation);
  }

  #living(operation: FakeComputeOperation, serverId: ServerId, signal: AbortSignal): FakeGuest {
    this.#begin(operation, signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined || !isLiving(guest)) {
      throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
    }
    if (guest.power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
    return guest;
  }

  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(this.#host.clock, delayMs, signal);
    } catch (caught) {
      throw new ShoalError('CANCELLED', 'waiting for a guest was cancelled', { cause: caught });
    }
  }
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
}

function isLiving(guest: FakeGuest): boolean {
  return guest.power !== 'crashed' && guest.power !== 'stopped';
}

function asFound(guest: FakeGuest): GuestFound | undefined {
  const { power, detail, pid, spec } = guest;
  if (power === 'stopped') return undefined;
  const { serverId, generation } = spec;
  return { serverId, generation, power, detail, ...(power === 'crashed' ? {} : { pid }) };
}
