/** The eye on hosts: what their drivers are called for, and what guests, disks and claims are there, seen from outside. */
import type { DiskSnapshot, DiskSpec, GuestDisk, GuestSpec } from '../../drivers/types.ts';
import type { ServerId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { ContentChecker } from '../checkers/contents.ts';
import { FenceChecker } from '../checkers/fences.ts';
import { checkHosts, checkStart, checkWrite, type RemovalChecker } from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import { RebuildChecker } from '../checkers/rebuilds.ts';
import type { VolumeChecker } from '../checkers/volumes.ts';
import type { Trace } from '../trace/trace.ts';
import type { DriverCall, HostMachine } from '../world/machine.ts';
import { placeOf } from './content-eye.ts';
import { pictureOf } from './host-pictures.ts';
import type { PowerOffs } from './power-offs.ts';
import type { RecordEye } from './record-observer.ts';

interface HostEyeDeps {
  /** All machines of the world. */
  readonly machines: readonly HostMachine[];
  readonly trace: Trace;
  readonly report: Report;
  readonly removals: RemovalChecker;
  readonly volumes: VolumeChecker;
  readonly contents: ContentChecker;
  readonly powerOffs: PowerOffs;
  readonly records: RecordEye;
  /** The replay of what was committed. */
  readonly replay: () => StateReader;
  /** Virtual time. Unit: ms. */
  readonly nowMs: () => number;
}

type Storage = HostMachine['storages'][number];

/** Who has a disk open, and where it is. */
interface PlaceOfDisk {
  readonly storage: Storage;
  readonly hostId: HostMachine['hostId'];
  /** Of what serves the disk; absent: a guest of the machine itself opens it. */
  readonly generation?: number;
}

export class HostEye {
  readonly #deps: HostEyeDeps;
  readonly #rebuilds: RebuildChecker;
  readonly #fences: FenceChecker;
  /** The generation that a guest's disk was opened at, by host, server and where the disk is. */
  readonly #opened = new Map<string, number>();
  /** Each once, also those that several hosts reach. */
  readonly #storages: ReadonlySet<Storage>;

  constructor(deps: HostEyeDeps) {
    this.#deps = deps;
    this.#rebuilds = new RebuildChecker(deps.report);
    this.#fences = new FenceChecker(deps.report);
    this.#storages = new Set(deps.machines.flatMap(({ storages }) => storages));
  }

  /** A driver's call takes effect on a machine. */
  called(machine: HostMachine, call: DriverCall): void {
    const { driver, method, args } = call;
    const { trace, removals, records, replay } = this.#deps;
    const [subject] = args;
    const host = `n${machine.raftId}`;
    this.#mayEndFenced(machine);
    const quiet = quietMethods.has(method);
    if (!quiet) trace.add(`h${machine.raftId}`, `${driver} ${method} ${subjectOf(subject)}`);
    if (!quiet) records.note(replay());
    if (driver === 'compute') this.#callsCompute(machine, method, args);
    if (driver !== 'network') this.#keeps(machine, call);
    if (call.storage !== undefined) this.#callsStorage(machine, call.storage, method, subject);
    if (driver !== 'compute' || typeof subject !== 'string') return;
    if (method === 'stopGuest' && machine.compute.guests.get(subject as ServerId)?.power === 'running') {
      for (const [key] of machine.store.peek('intent/')) removals.mayStop(key.slice('intent/'.length));
      removals.stops(host, subject);
    }
    if (method === 'removeGuest' && machine.compute.guests.has(subject as ServerId)) {
      removals.removes(host, 'guest', subject);
      this.#rebuilds.removes(host, subject, this.#isToGo(subject));
    }
  }

  /** A host that storage has fenced ends its guests, and starts them again or leaves them to others. */
  #mayEndFenced({ storages, hostId, compute }: HostMachine): void {
    if (!storages.some(({ blocked }) => blocked.has(hostId))) return;
    for (const serverId of compute.guests.keys()) this.#deps.removals.mayEnd(serverId);
  }

  /** Disks are about to be opened by a guest. */
  #callsCompute(machine: HostMachine, method: string, args: readonly unknown[]): void {
    if (method === 'startGuest') {
      const spec = args[0] as GuestSpec;
      const host = `n${machine.raftId}`;
      this.#deps.powerOffs.starts(host, spec.serverId);
      this.#rebuilds.builds(host, 'guest', spec.serverId);
      for (const disk of spec.disks) this.#opens(machine, spec, disk);
    }
    if (method === 'resumeGuest') {
      // One that has come from another host while it ran, and has not gone on here yet: its disks are this host's by now.
      const arriving = machine.compute.guests.get(args[0] as ServerId);
      if (arriving?.arrival?.isThere !== true) return;
      for (const disk of arriving.spec.disks) this.#opens(machine, arriving.spec, disk);
      return;
    }
    if (method !== 'attachDisk' && method !== 'mirrorDisk') return;
    const guest = machine.compute.guests.get(args[0] as ServerId);
    // To one that has ended nothing is given.
    if (guest?.power !== 'running' && guest?.power !== 'paused') return;
    this.#opens(machine, guest.spec, args[method === 'attachDisk' ? 1 : 2] as GuestDisk);
  }

  #callsStorage(machine: HostMachine, storage: Storage, method: string, subject: unknown): void {
    const { volumes, records } = this.#deps;
    const host = `n${machine.raftId}`;
    if (method === 'beat') this.#fences.says(host, this.#deps.nowMs());
    if (method === 'ensureDisk') {
      const { volumeId } = subject as DiskSpec;
      if (!volumes.isVolume(volumeId)) this.#rebuilds.builds(host, 'disk', records.serverOf(volumeId) ?? volumeId);
    }
    if (method === 'removeDisk' && storage.disks.has(subject as VolumeId)) {
      this.#removesDisk(machine, storage, subject as VolumeId);
    }
  }

  #removesDisk({ raftId, hostId }: HostMachine, { name }: Storage, volumeId: string): void {
    const { volumes, removals, records } = this.#deps;
    const host = `n${raftId}`;
    if (volumes.isVolume(volumeId)) {
      volumes.removes(host, volumeId, placeOf({ pool: name, hostId }, this.#deps.machines));
      return;
    }
    if (records.isToGo(volumeId)) return;
    const serverId = records.serverOf(volumeId) ?? volumeId;
    removals.removes(host, 'disk', serverId);
    this.#rebuilds.removes(host, serverId, this.#isToGo(serverId));
  }

  /** A disk is about to be given to a guest: it is locked for that by now. A volume's lock has a number of its own. */
  #opens(machine: HostMachine, { serverId, generation }: GuestSpec, disk: GuestDisk): void {
    const { volumes, report } = this.#deps;
    const { volumeId } = disk;
    const at = this.#placeOf(machine, disk);
    // Served no more: it is not opened, and the call fails.
    if (at === undefined) return;
    const lock = at.storage.disks.get(volumeId)?.lock;
    const opened = at.generation ?? (volumes.isVolume(volumeId) ? (lock?.generation ?? 0) : generation);
    checkStart({ host: at.hostId, volumeId, generation: opened }, lock, report);
    this.#opened.set(openedKey(machine, serverId, disk), opened);
  }

  /** Where a guest's disk is, and who has it open for the guest there; undefined: nobody serves it to this guest. */
  #placeOf(machine: HostMachine, { volumeId, source }: GuestDisk): PlaceOfDisk | undefined {
    const { storages, hostId } = machine;
    if (source.kind !== 'nbd') {
      const named = storages.find(({ name }) => source.kind === 'fake' && source.name === `${name}/${volumeId}`);
      const storage = named ?? storages[0];
      return storage === undefined ? undefined : { storage, hostId };
    }
    for (const server of this.#deps.machines) {
      for (const storage of server.storages) {
        const served = storage.address === source.host ? storage.servedAt(source.port, source.key) : undefined;
        if (served !== undefined) return { storage, hostId: server.hostId, generation: served.generation };
      }
    }
    return undefined;
  }

  /** Snapshots are made at this moment: what their volumes hold is what they are to hold. */
  #keeps(machine: HostMachine, { storage, method, args }: DriverCall): void {
    const { volumes } = this.#deps;
    for (const { volumeId, snapshotId } of snapshotsIn(method, args)) {
      const guest = machine.compute.guests.get(args[0] as ServerId);
      const plugged = guest?.spec.disks.find((disk) => disk.volumeId === volumeId);
      const at = storage ?? (plugged === undefined ? undefined : this.#placeOf(machine, plugged)?.storage);
      const disk = at?.disks.get(volumeId);
      // One that is there stays as it is.
      if (disk !== undefined && !disk.snapshots.has(snapshotId)) volumes.keeps(volumeId, snapshotId, disk.content);
    }
  }

  /** Whether the records say that a server is being deleted, or name it no more. */
  #isToGo(serverId: string): boolean {
    return serverTable.get(this.#deps.replay(), serverId)?.record.deleting !== false;
  }

  /** Looks at all hosts as they are now: every guest that runs writes, and whether it may is checked. */
  look(): void {
    const { machines, report, removals } = this.#deps;
    for (const machine of machines) {
      for (const [serverId, guest] of machine.compute.guests)
        if (guest.power === 'shutdown') removals.mayStop(serverId);
      for (const [key] of machine.store.peek('intent/')) removals.mayStop(key.slice('intent/'.length));
    }
    for (const storage of this.#storages) this.#looksAtDisks(storage);
    for (const { hostId, raftId, storages } of machines) {
      const isFenced = storages.some(({ blocked }) => blocked.has(hostId));
      this.#fences.seen(`n${raftId}`, isFenced, this.#deps.nowMs());
    }
    for (const machine of machines) this.#guestsWrite(machine);
    checkHosts(machines.map(pictureOf), report);
  }

  #looksAtDisks({ disks }: Storage): void {
    const { volumes, report } = this.#deps;
    for (const [volumeId, { snapshots, served, lock }] of disks) {
      for (const [snapshotId, content] of snapshots) volumes.holds(volumeId, snapshotId, content);
      // Who is let in may write at any moment.
      if (served === undefined) continue;
      checkWrite({ volumeId, host: served.owner, generation: served.generation }, lock, report);
    }
  }

  #guestsWrite(machine: HostMachine): void {
    const { report, volumes, contents } = this.#deps;
    for (const { power, spec } of machine.compute.guests.values()) {
      if (power !== 'running') continue;
      for (const disk of spec.disks) {
        const { volumeId } = disk;
        if (machine.compute.areWritesHeld(spec.serverId, volumeId)) continue;
        const at = this.#placeOf(machine, disk);
        const generation = this.#opened.get(openedKey(machine, spec.serverId, disk)) ?? spec.generation;
        if (at === undefined) continue;
        if (!at.storage.write(volumeId, at.hostId, generation)) {
          // As QEMU does with a write that storage refuses.
          if (at.storage.blocked.has(at.hostId)) machine.compute.ioError(spec.serverId);
          continue;
        }
        const written = at.storage.disks.get(volumeId);
        checkWrite({ volumeId, host: at.hostId, generation }, written?.lock, report);
        if (written !== undefined && volumes.isVolume(volumeId)) contents.writes(volumeId, written.content);
      }
    }
  }
}

/** Calls that change nothing. */
const quietMethods: ReadonlySet<string> = new Set(['list', 'find', 'found', 'start', 'beat', 'lastBeat', 'isFenced']);

/** A guest's disk at one place. */
function openedKey({ hostId }: HostMachine, serverId: string, { volumeId, source }: GuestDisk): string {
  const where = source.kind === 'fake' ? source.name : source.kind;
  return `${hostId} ${serverId} ${volumeId} ${where}`;
}

/** The snapshots that a driver's call makes. */
function snapshotsIn(method: string, args: readonly unknown[]): readonly DiskSnapshot[] {
  if (method === 'snapshotDisks') return args[1] as readonly DiskSnapshot[];
  if (method !== 'createSnapshot') return [];
  return [{ volumeId: args[0] as VolumeId, snapshotId: args[1] as VolumeSnapshotId }];
}

/** What a driver's call is about: an id, or the id in a spec. */
function subjectOf(argument: unknown): string {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null) return '';
  for (const name of ['serverId', 'portId', 'routerId', 'volumeId', 'networkId']) {
    const id: unknown = Reflect.get(argument, name);
    if (typeof id === 'string') return id;
  }
  return '';
}
