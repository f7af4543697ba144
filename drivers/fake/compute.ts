/**
 * A compute driver without guests: real code, for tests, for the simulator and for an agent without root.
 *
 * `FakeComputeHost` is the machine: its guests go on while drivers come and go, as QEMU processes do. A test acts on the
 * host (`crash`, `powerOff`, `print`, `reboot`) and orders failures (`faults`, `behaviour`); the driver is what the agent
 * holds. Time is the given clock's, so that a simulated host is deterministic.
 */
import type { Duplex } from 'node:stream';
import { type Clock, sleep, systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { PortId, ServerId, VolumeId } from '../../node/base/ids.ts';
import { mibBytes } from '../../node/base/units.ts';
import { checkLimits } from '../disk-limits.ts';
import { checkNbdKey } from '../nbd/exports/export-command.ts';
import type {
  ComputeDriver,
  DiskLimits,
  DiskSnapshot,
  GuestDiagnostics,
  GuestDisk,
  GuestEvent,
  GuestFound,
  GuestPower,
  GuestSpec,
  MemoryReceiver,
  MirrorSteps,
  MoveKey,
  NicSpec,
  SendSteps,
} from '../types.ts';
import { FakeConsoles } from './consoles.ts';
import { halfWritten } from './content.ts';
import { Faults } from './faults.ts';
import { type FakeStorage, keepSnapshot } from './storage.ts';

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
  | 'suspendGuest'
  | 'hardwareOf'
  | 'receiveGuest'
  | 'sendGuest'
  | 'cancelSend'
  | 'injectNmi'
  | 'setPassword'
  | 'removeGuest'
  | 'consoleLog'
  | 'openConsole'
  | 'diagnostics'
  | 'attachDisk'
  | 'detachDisk'
  | 'attachNic'
  | 'detachNic'
  | 'resizeDisk'
  | 'snapshotDisks'
  | 'removeDiskSnapshot'
  | 'setDiskLimits'
  | 'mirrorDisk'
  | 'cancelMirror';

/** How guests behave; may be changed at any time. */
interface FakeGuestBehaviour {
  /** From `startGuest` to running. Default 0. */
  startDelayMs: number;
  /** From the power button to off; `Infinity`: the guest ignores it. Default 0. */
  powerOffDelayMs: number;
  /** A started guest crashes by itself after this; absent: it does not. */
  crashAfterMs?: number;
  /** From the request to unplug a disk or a NIC to the guest's letting go; `Infinity`: it never does. Default 0. */
  unplugDelayMs: number;
  /** From the beginning of a mirror to both disks' holding the same. Default 0. */
  mirrorDelayMs: number;
  /** From the beginning of a move to another host to its memory's being there; `Infinity`: only when it is paused. Default 0. */
  sendDelayMs: number;
  /** Whether guests have an agent that freezes their file systems. Default false. */
  freezes: boolean;
  /** Users whose passwords the guests' agents set; absent: guests have no agent for that. */
  users?: readonly string[];
}

interface FakeGuest {
  /** With the disks and NICs that it has now: those that were plugged in too. */
  spec: GuestSpec;
  pid: number;
  /** When its process began; the clock's, monotonic. */
  startedMs: number;
  power: GuestPower | 'stopped';
  detail: string;
  console: string;
  /** Set by its agent, by user. */
  readonly passwords: Map<string, string>;
  /** Interrupts that it was sent. */
  nmis: number;
  /** Disks and NICs that it was asked to let go of and has not. A reset does it. */
  readonly leaving: Set<VolumeId | PortId>;
  /** Copies to other disks that go on, by the disk that is copied. They go on while no agent runs, and end with the process. */
  readonly mirrors: Map<VolumeId, FakeMirror>;
  /** Its memory is being sent, or was. Goes on while no agent runs, and ends with the process. */
  sending?: FakeSending;
  /** It waits for its memory from another host, or has it and has not run yet. */
  arrival?: FakeArrival;
}

interface FakeMirror {
  readonly target: GuestDisk;
  /** When both hold the same; the clock's, monotonic. */
  readonly readyMs: number;
  /** Both hold the same, and the guest's writes wait. */
  isPending: boolean;
}

interface FakeSending {
  /** When all of it is there; the clock's, monotonic. */
  readonly readyMs: number;
  isThere: boolean;
}

interface FakeArrival {
  readonly key: MoveKey;
  readonly port: number;
  isThere: boolean;
}

/** How often a copy of a memory is looked at. */
const sendLookMs = 100;

/** Disks and NICs that a guest has room for, as a real one. */
const devicesMax = 26;
/** How long `detachDisk` waits for the guest, as the real driver. */
const unplugTimeoutMs = 10_000;

/** What a fake console keeps, in characters; as much as the real one. */
const consoleCharsMax = mibBytes;

/** The machine that takes memories at an address, if it is reached. */
type HostAt = (address: string) => FakeComputeHost | undefined;

type FakeStorageDisk = FakeStorage['disks'] extends Map<VolumeId, infer Disk> ? Disk : never;

/** The storage that serves disks at an address, if that host is reached. */
type StorageAt = (address: string) => FakeStorage | undefined;

/** The machine on which fake guests run. Outlives the drivers opened on it. */
export class FakeComputeHost {
  readonly faults = new Faults<FakeComputeOperation>();
  readonly behaviour: FakeGuestBehaviour = {
    startDelayMs: 0,
    powerOffDelayMs: 0,
    unplugDelayMs: 0,
    mirrorDelayMs: 0,
    sendDelayMs: 0,
    freezes: false,
  };
  readonly clock: Clock;
  /** Every start that really happened, in order: for checks that nothing was started twice. */
  readonly starts: { readonly serverId: ServerId; readonly generation: number }[] = [];
  readonly guests = new Map<ServerId, FakeGuest>();
  readonly consoles = new FakeConsoles();
  readonly listeners = new Set<(event: GuestEvent) => void>();
  readonly #storages: readonly FakeStorage[];
  readonly #storageAt: StorageAt;
  /** Where this machine takes the memories of guests, and how it finds others that do. */
  readonly address: string;
  readonly hostAt: HostAt;
  #lastPid = 1000;
  #lastPort = 49_151;

  /**
   * @param storages where its guests' disks are: what a guest does with a disk that is plugged in is done there.
   * @param storageAt finds the storage of another host that serves disks at an address. Default: none is reached.
   * @param others where this machine is found by others, and how it finds them. Default: none is reached.
   */
  constructor(
    clock: Clock = systemClock,
    storages: readonly FakeStorage[] = [],
    storageAt: StorageAt = () => undefined,
    others: { readonly address: string; readonly hostAt: HostAt } = { address: '127.0.0.1', hostAt: () => undefined },
  ) {
    this.clock = clock;
    this.address = others.address;
    this.hostAt = others.hostAt;
    this.#storages = storages;
    this.#storageAt = storageAt;
  }

  /** As QEMU, which opens the disk, and connects when it is another host's. */
  mustReach({ volumeId, source }: GuestDisk): void {
    if (source.kind === 'fake') {
      const at = this.#storages.find(({ name }) => source.name === `${name}/${volumeId}`);
      if (at === undefined || at.disks.has(volumeId)) return;
      throw new ShoalError('DRIVER_FAILED', `disk ${volumeId} is not there to be opened`);
    }
    if (source.kind !== 'nbd') return;
    const served = this.#storageAt(source.host)?.servedAt(source.port, source.key);
    if (served !== undefined) return;
    throw new ShoalError('UNAVAILABLE', `disk ${volumeId} is not served at ${source.host} port ${source.port}`);
  }

  /** The storage that a guest has the disk open from; `NOT_FOUND` when none has it. */
  storageOf({ volumeId, source }: GuestDisk): { readonly storage: FakeStorage; readonly disk: FakeStorageDisk } {
    const named = this.#storages.filter(({ name }) => source.kind === 'fake' && source.name === `${name}/${volumeId}`);
    const serving = source.kind === 'nbd' ? this.#storageAt(source.host) : undefined;
    const storages = serving === undefined ? [...named, ...this.#storages] : [serving];
    for (const storage of storages) {
      const disk = storage.disks.get(volumeId);
      if (disk !== undefined) return { storage, disk };
    }
    throw new ShoalError('NOT_FOUND', `no storage of this host has disk ${volumeId}`);
  }

  /** Whether what the guest writes to the disk waits for the records to say which of two disks it goes on with. */
  areWritesHeld(serverId: ServerId, volumeId: VolumeId): boolean {
    return this.guests.get(serverId)?.mirrors.get(volumeId)?.isPending === true;
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
      if (guest.power === 'stopped' || guest.power === 'suspended') continue;
      this.consoles.end(guest.spec.serverId);
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

  /** A guest that was suspended goes on in a process of its own. */
  goOn(guest: FakeGuest): void {
    this.#lastPid += 1;
    guest.pid = this.#lastPid;
    guest.startedMs = this.clock.monotonicMs();
    guest.power = 'running';
    guest.detail = 'running';
    this.starts.push({ serverId: guest.spec.serverId, generation: guest.spec.generation });
  }

  /** A guest that waits for its memory. */
  receive(spec: GuestSpec, key: MoveKey): FakeGuest {
    this.#lastPort += 1;
    const guest = this.#put(spec, 'paused', 'inmigrate');
    guest.arrival = { key, port: this.#lastPort, isThere: false };
    return guest;
  }

  /** A guest that has come goes on for the first time. */
  arrive(guest: FakeGuest): void {
    delete guest.arrival;
    this.starts.push({ serverId: guest.spec.serverId, generation: guest.spec.generation });
  }

  /** Puts a running guest on the host, keeping what an earlier one printed. */
  run(spec: GuestSpec): FakeGuest {
    const guest = this.#put(spec, 'running', 'running');
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

  #put(spec: GuestSpec, power: GuestPower, detail: string): FakeGuest {
    this.#lastPid += 1;
    const guest: FakeGuest = {
      spec,
      pid: this.#lastPid,
      startedMs: this.clock.monotonicMs(),
      power,
      detail,
      console: this.guests.get(spec.serverId)?.console ?? '',
      leaving: new Set(),
      mirrors: new Map(),
      passwords: new Map(),
      nmis: 0,
    };
    this.guests.set(spec.serverId, guest);
    return guest;
  }

  #change(serverId: ServerId, power: GuestPower, detail: string): void {
    const guest = this.guest(serverId);
    guest.power = power;
    guest.detail = detail;
    if (power === 'crashed') this.consoles.end(serverId);
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
    for (const disk of spec.disks) this.#host.mustReach(disk);
    const suspended = this.#host.guests.get(spec.serverId);
    if (suspended?.power === 'suspended') {
      mustFit(suspended.spec, spec);
      this.#host.goOn(suspended);
    }
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
    this.#host.consoles.end(serverId);
  }

  async resetGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    const guest = this.#living('resetGuest', serverId, signal);
    const disks = guest.spec.disks.filter(({ volumeId }) => !guest.leaving.has(volumeId));
    const nics = guest.spec.nics.filter(({ portId }) => !guest.leaving.has(portId));
    guest.spec = { ...guest.spec, disks, nics };
    guest.leaving.clear();
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
    if (guest.arrival?.isThere === false) {
      throw new ShoalError('UNAVAILABLE', `the memory of guest ${serverId} is not there yet`);
    }
    if (guest.arrival !== undefined) this.#host.arrive(guest);
    delete guest.sending;
    guest.power = 'running';
    guest.detail = 'running';
  }

  async suspendGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    if (this.#host.guests.get(serverId)?.power === 'suspended') return this.#begin('suspendGuest', signal);
    const guest = this.#living('suspendGuest', serverId, signal);
    guest.power = 'suspended';
    guest.detail = 'its memory is saved';
    this.#host.consoles.end(serverId);
  }

  async hardwareOf(serverId: ServerId, signal: AbortSignal): Promise<string> {
    return hardwareText(this.#living('hardwareOf', serverId, signal).spec);
  }

  async receiveGuest(
    spec: GuestSpec,
    { hardware, key }: { readonly hardware: string; readonly key: MoveKey },
    signal: AbortSignal,
  ): Promise<MemoryReceiver> {
    this.#begin('receiveGuest', signal);
    checkNbdKey(key);
    const { address } = this.#host;
    const known = this.#host.guests.get(spec.serverId);
    if (known !== undefined && (isLiving(known) || known.power === 'suspended')) {
      const isWaiting = known.spec.generation === spec.generation && known.arrival?.isThere === false;
      if (!isWaiting || known.arrival === undefined) {
        throw new ShoalError('CONFLICT', `guest ${spec.serverId} is here at generation ${known.spec.generation}`);
      }
      return { address, port: known.arrival.port };
    }
    if (hardwareText(spec) !== hardware) {
      throw new ShoalError('DRIVER_FAILED', `guest ${spec.serverId} had other devices than it is to have here`);
    }
    for (const disk of spec.disks) this.#host.mustReach(disk);
    return { address, port: this.#host.receive(spec, key).arrival?.port ?? 0 };
  }

  async sendGuest(
    serverId: ServerId,
    to: MemoryReceiver & { readonly key: MoveKey },
    steps: SendSteps,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const guest = this.#living('sendGuest', serverId, signal);
      if (guest.arrival !== undefined) throw new ShoalError('CONFLICT', `guest ${serverId} has not run here yet`);
      if (guest.sending?.isThere === true) return;
      const sending = beginSending(guest, this.#host);
      const taker = takerOf(this.#host, serverId, to);
      if (taker === undefined) {
        delete guest.sending;
        throw new ShoalError('DRIVER_FAILED', `nobody takes guest ${serverId} at ${to.address} port ${to.port}`);
      }
      if (steps.mustFinish() && guest.power === 'running') {
        guest.power = 'paused';
        guest.detail = 'paused';
      }
      const nowMs = this.#host.clock.monotonicMs();
      const isPaused = guest.power !== 'running';
      if (nowMs >= sending.readyMs || (isPaused && sending.readyMs === Number.POSITIVE_INFINITY)) {
        sending.isThere = true;
        taker.arrived();
        guest.power = 'paused';
        guest.detail = 'postmigrate';
        continue;
      }
      const totalBytes = guest.spec.memoryMib * mibBytes;
      steps.progress({ totalBytes, sentBytes: 0, remainingBytes: totalBytes });
      await this.#wait(Math.min(sendLookMs, sending.readyMs - nowMs), signal);
    }
  }

  async cancelSend(serverId: ServerId, signal: AbortSignal): Promise<void> {
    this.#begin('cancelSend', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest !== undefined) delete guest.sending;
  }

  async injectNmi(serverId: ServerId, signal: AbortSignal): Promise<void> {
    this.#living('injectNmi', serverId, signal).nmis += 1;
  }

  async setPassword(serverId: ServerId, user: string, password: string, signal: AbortSignal): Promise<void> {
    const guest = this.#living('setPassword', serverId, signal);
    const { users } = this.#host.behaviour;
    if (guest.power !== 'running') throw new ShoalError('CONFLICT', `guest ${serverId} does not run`);
    if (users === undefined) throw new ShoalError('UNAVAILABLE', "the guest's agent did not answer");
    if (!users.includes(user)) throw new ShoalError('DRIVER_FAILED', `the guest's agent refused: no user ${user}`);
    guest.passwords.set(user, password);
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

  async openConsole(serverId: ServerId, kind: 'vnc' | 'serial', signal: AbortSignal): Promise<Duplex> {
    this.#begin('openConsole', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined || !isLiving(guest)) {
      throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
    }
    return this.#host.consoles.open(serverId, kind, (text) => this.#host.print(serverId, text));
  }

  async diagnostics(serverId: ServerId, signal: AbortSignal): Promise<GuestDiagnostics> {
    this.#begin('diagnostics', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined || !isLiving(guest)) {
      throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
    }
    const { vcpus, memoryMib, disks, nics } = guest.spec;
    const idle = { receivedBytes: 0, receivedPackets: 0, receivedErrors: 0, receivedDrops: 0 };
    const silent = { sentBytes: 0, sentPackets: 0, sentErrors: 0, sentDrops: 0 };
    const unused = { readBytes: 0, readRequests: 0, writeBytes: 0, writeRequests: 0, errors: 0 };
    return {
      state: guest.detail,
      uptimeS: Math.floor((this.#host.clock.monotonicMs() - guest.startedMs) / 1000),
      memoryMib,
      memoryUsedMib: memoryMib,
      cpus: Array.from({ length: vcpus }, (_, id) => ({ id, timeNs: 0 })),
      disks: disks.map(({ volumeId }) => ({ volumeId, ...unused })),
      nics: nics.map(({ mac }) => ({ mac, ...idle, ...silent })),
    };
  }

  async attachDisk(serverId: ServerId, disk: GuestDisk, signal: AbortSignal): Promise<void> {
    const guest = this.#living('attachDisk', serverId, signal);
    if (disk.limits !== undefined) checkLimits(disk.limits);
    if (guest.spec.disks.some(({ volumeId }) => volumeId === disk.volumeId)) return;
    if ([...guest.mirrors.values()].some(({ target }) => target.volumeId === disk.volumeId)) {
      throw new ShoalError('CONFLICT', `disk ${disk.volumeId} is being filled for guest ${serverId}`);
    }
    mustHaveRoom(guest, 'disk');
    this.#host.mustReach(disk);
    guest.spec = { ...guest.spec, disks: [...guest.spec.disks, disk] };
  }

  async detachDisk(serverId: ServerId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    this.#begin('detachDisk', signal);
    const isPlugged = ({ spec }: FakeGuest): boolean => spec.disks.some((disk) => disk.volumeId === volumeId);
    const guest = await this.#letGo(serverId, { id: volumeId, what: 'disk', isPlugged }, signal);
    if (guest === undefined) return;
    guest.mirrors.delete(volumeId);
    guest.spec = { ...guest.spec, disks: guest.spec.disks.filter((disk) => disk.volumeId !== volumeId) };
  }

  async attachNic(serverId: ServerId, nic: NicSpec, signal: AbortSignal): Promise<void> {
    const guest = this.#living('attachNic', serverId, signal);
    if (guest.spec.nics.some(({ portId }) => portId === nic.portId)) return;
    mustHaveRoom(guest, 'NIC');
    const others = [...this.#host.guests.values()].filter(isLiving);
    if (others.some(({ spec }) => spec.nics.some(({ tapName }) => tapName === nic.tapName))) {
      throw new ShoalError('DRIVER_FAILED', `tap ${nic.tapName} cannot be given to its guest: a guest has it open`);
    }
    guest.spec = { ...guest.spec, nics: [...guest.spec.nics, nic] };
  }

  async detachNic(serverId: ServerId, portId: PortId, signal: AbortSignal): Promise<void> {
    this.#begin('detachNic', signal);
    const isPlugged = ({ spec }: FakeGuest): boolean => spec.nics.some((nic) => nic.portId === portId);
    const guest = await this.#letGo(serverId, { id: portId, what: 'NIC', isPlugged }, signal);
    if (guest === undefined) return;
    guest.spec = { ...guest.spec, nics: guest.spec.nics.filter((nic) => nic.portId !== portId) };
  }

  async resizeDisk(serverId: ServerId, volumeId: VolumeId, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const guest = this.#plugged('resizeDisk', serverId, volumeId, signal);
    this.#host.storageOf(mustHave(guest, volumeId)).storage.grow(volumeId, sizeBytes);
  }

  async snapshotDisks(
    serverId: ServerId,
    snapshots: readonly DiskSnapshot[],
    options: { readonly freeze: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly frozen: boolean }> {
    const guest = this.#living('snapshotDisks', serverId, signal);
    const disks = snapshots.map(({ volumeId, snapshotId }) => {
      return { disk: this.#host.storageOf(mustHave(guest, volumeId)).disk, snapshotId };
    });
    const missing = disks.filter(({ disk, snapshotId }) => !disk.snapshots.has(snapshotId));
    for (const { disk, snapshotId } of missing) keepSnapshot(disk, snapshotId);
    const canFreeze = this.#host.behaviour.freezes && guest.power === 'running';
    return { frozen: options.freeze && canFreeze && missing.length > 0 };
  }

  async removeDiskSnapshot(serverId: ServerId, snapshot: DiskSnapshot, signal: AbortSignal): Promise<void> {
    const guest = this.#plugged('removeDiskSnapshot', serverId, snapshot.volumeId, signal);
    this.#host.storageOf(mustHave(guest, snapshot.volumeId)).disk.snapshots.delete(snapshot.snapshotId);
  }

  async setDiskLimits(serverId: ServerId, volumeId: VolumeId, limits: DiskLimits, signal: AbortSignal): Promise<void> {
    const guest = this.#plugged('setDiskLimits', serverId, volumeId, signal);
    checkLimits(limits);
    replaceDisk(guest, volumeId, (disk) => ({ ...disk, limits }));
  }

  async mirrorDisk(
    serverId: ServerId,
    volumeId: VolumeId,
    target: GuestDisk,
    { progress, switchOver }: MirrorSteps,
    signal: AbortSignal,
  ): Promise<void> {
    if (target.limits !== undefined) checkLimits(target.limits);
    for (;;) {
      const guest = this.#living('mirrorDisk', serverId, signal);
      if (isOn(guest, target)) break;
      const mirror = this.#mirrorOf(guest, volumeId, target);
      const waitMs = mirror.readyMs - this.#host.clock.monotonicMs();
      if (waitMs > 0) {
        progress(0);
        await this.#wait(waitMs, signal);
        continue;
      }
      if (!mirror.isPending) {
        const from = this.#host.storageOf(mustHave(guest, volumeId)).disk;
        this.#host.storageOf(target).disk.content = from.content;
        mirror.isPending = true;
      }
      const isGoing = await switchOver();
      // It may have died while the records were asked.
      if (this.#host.guests.get(serverId) !== guest || !isLiving(guest) || guest.mirrors.get(volumeId) !== mirror)
        continue;
      guest.mirrors.delete(volumeId);
      if (!isGoing) throw new ShoalError('CONFLICT', `disk ${volumeId} was not to go over any more`);
      replaceDisk(guest, volumeId, (disk) => onTarget(disk, target));
    }
    progress(100);
  }

  async cancelMirror(serverId: ServerId, volumeId: VolumeId, target: GuestDisk, signal: AbortSignal): Promise<void> {
    this.#begin('cancelMirror', signal);
    const guest = this.#host.guests.get(serverId);
    if (guest === undefined || !isLiving(guest)) return;
    if (isOn(guest, target)) {
      throw new ShoalError('CONFLICT', `guest ${serverId} has gone over to the new disk already`);
    }
    guest.mirrors.delete(volumeId);
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

  #plugged(operation: FakeComputeOperation, serverId: ServerId, volumeId: VolumeId, signal: AbortSignal): FakeGuest {
    const guest = this.#living(operation, serverId, signal);
    mustHave(guest, volumeId);
    return guest;
  }

  /** Waits for the guest to let go of a device; undefined: it does not have it, or has gone meanwhile. */
  async #letGo(
    serverId: ServerId,
    device: {
      readonly id: VolumeId | PortId;
      readonly what: string;
      readonly isPlugged: (guest: FakeGuest) => boolean;
    },
    signal: AbortSignal,
  ): Promise<FakeGuest | undefined> {
    const has = (): FakeGuest | undefined => {
      const guest = this.#host.guests.get(serverId);
      return guest !== undefined && isLiving(guest) && device.isPlugged(guest) ? guest : undefined;
    };
    const before = has();
    if (before === undefined) return undefined;
    const { unplugDelayMs } = this.#host.behaviour;
    const waitMs = before.power === 'running' ? unplugDelayMs : Number.POSITIVE_INFINITY;
    if (waitMs > 0) await this.#wait(Math.min(waitMs, unplugTimeoutMs), signal);
    const guest = has();
    if (guest === undefined || waitMs <= unplugTimeoutMs) return guest;
    guest.leaving.add(device.id);
    throw new ShoalError('UNAVAILABLE', `guest ${serverId} has not let go of ${device.what} ${device.id} yet`);
  }

  /** The copy to this target, which begins unless it goes on. */
  #mirrorOf(guest: FakeGuest, volumeId: VolumeId, target: GuestDisk): FakeMirror {
    const from = this.#host.storageOf(mustHave(guest, volumeId)).disk;
    const known = guest.mirrors.get(volumeId);
    if (known !== undefined && isSameSource(known.target, target)) return known;
    this.#host.mustReach(target);
    const to = this.#host.storageOf(target).disk;
    if (to.sizeBytes < from.sizeBytes) {
      throw new ShoalError('CONFLICT', `disk ${target.volumeId} is smaller than ${volumeId}`);
    }
    to.content = halfWritten(from.content);
    const readyMs = this.#host.clock.monotonicMs() + this.#host.behaviour.mirrorDelayMs;
    const mirror = { target, readyMs, isPending: false };
    guest.mirrors.set(volumeId, mirror);
    return mirror;
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

function mustHave(guest: FakeGuest, volumeId: VolumeId): GuestDisk {
  const found = guest.spec.disks.find((disk) => disk.volumeId === volumeId);
  if (found !== undefined) return found;
  throw new ShoalError('NOT_FOUND', `guest ${guest.spec.serverId} does not have disk ${volumeId}`);
}

function mustHaveRoom({ spec }: FakeGuest, what: string): void {
  if (spec.disks.length + spec.nics.length < devicesMax) return;
  throw new ShoalError('CONFLICT', `guest ${spec.serverId} has no free place for another ${what}`);
}

function isSameSource(one: GuestDisk, other: GuestDisk): boolean {
  return one.volumeId === other.volumeId && JSON.stringify(one.source) === JSON.stringify(other.source);
}

function isOn(guest: FakeGuest, target: GuestDisk): boolean {
  return guest.spec.disks.some((disk) => isSameSource(disk, target));
}

/** The device stays as it is; what it reads is another. */
function onTarget(disk: GuestDisk, { volumeId, source, encryption, limits, generation }: GuestDisk): GuestDisk {
  const { encryption: _before, generation: _earlier, ...device } = disk;
  return {
    ...device,
    volumeId,
    source,
    ...(encryption === undefined ? {} : { encryption }),
    ...(limits === undefined ? {} : { limits }),
    ...(generation === undefined ? {} : { generation }),
  };
}

function replaceDisk(guest: FakeGuest, volumeId: VolumeId, change: (disk: GuestDisk) => GuestDisk): void {
  const disks = guest.spec.disks.map((disk) => (disk.volumeId === volumeId ? change(disk) : disk));
  guest.spec = { ...guest.spec, disks };
}

/** The copy, which begins unless it goes on. */
function beginSending(guest: FakeGuest, { clock, behaviour }: FakeComputeHost): FakeSending {
  guest.sending ??= { readyMs: clock.monotonicMs() + behaviour.sendDelayMs, isThere: false };
  return guest.sending;
}

/** What takes the memory at that place, with that key; undefined: nothing does. */
function takerOf(
  host: FakeComputeHost,
  serverId: ServerId,
  { address, port, key }: MemoryReceiver & { readonly key: MoveKey },
): { readonly arrived: () => void } | undefined {
  const taker = host.hostAt(address)?.guests.get(serverId);
  const arrival = taker?.arrival;
  if (taker === undefined || arrival === undefined || !isLiving(taker) || arrival.isThere) return undefined;
  if (arrival.port !== port || arrival.key.keyHex !== key.keyHex) return undefined;
  return {
    arrived: () => {
      arrival.isThere = true;
      taker.detail = 'paused';
    },
  };
}

/** What a real guest's devices would be. */
function hardwareText({ disks, nics, vcpus, memoryMib }: GuestSpec): string {
  const devices = [...disks.map(({ volumeId }) => volumeId), ...nics.map(({ portId }) => portId)].sort();
  return JSON.stringify({ machine: 'fake', vcpus, memoryMib, devices });
}

/** Refuses what a real guest's memory could not be loaded into. */
function mustFit(saved: GuestSpec, spec: GuestSpec): void {
  const devicesOf = ({ disks, nics }: GuestSpec): string =>
    [...disks.map(({ volumeId }) => volumeId), ...nics.map(({ portId }) => portId)].sort().join();
  if (saved.generation === spec.generation && devicesOf(saved) === devicesOf(spec)) return;
  throw new ShoalError(
    'DRIVER_FAILED',
    `the saved memory of ${spec.serverId} cannot be loaded: it is of another guest`,
  );
}

function isLiving(guest: FakeGuest): boolean {
  return guest.power !== 'crashed' && guest.power !== 'stopped' && guest.power !== 'suspended';
}

function asFound(guest: FakeGuest): GuestFound | undefined {
  const { power, detail, pid, spec } = guest;
  if (power === 'stopped') return undefined;
  const { serverId, generation } = spec;
  const nics = spec.nics.map(({ portId }) => portId).sort();
  const machine = spec.hardware?.machine ?? `fake-${spec.hardware?.family ?? 'pc'}`;
  const alive = { pid, disks: spec.disks.map((disk) => disk.volumeId), nics, machine };
  const saved = power === 'suspended' ? { nics } : {};
  return { serverId, generation, power, detail, ...(isLiving(guest) ? alive : saved) };
}
