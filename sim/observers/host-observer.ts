/** The eye on hosts: what their drivers are called for, and what guests, disks and claims are there, seen from outside. */
import type { DiskSnapshot, DiskSpec, GuestDisk, GuestSpec } from '../../drivers/types.ts';
import type { ServerId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { checkHosts, checkStart, checkWrite, type RemovalChecker } from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import { RebuildChecker } from '../checkers/rebuilds.ts';
import type { VolumeChecker } from '../checkers/volumes.ts';
import type { Trace } from '../trace/trace.ts';
import type { HostMachine } from '../world/machine.ts';
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
  readonly powerOffs: PowerOffs;
  readonly records: RecordEye;
  /** The replay of what was committed. */
  readonly replay: () => StateReader;
}

/** A machine, or a part of what one is. */
interface PlaceOfDisk {
  readonly storage: HostMachine['storage'];
  readonly hostId: HostMachine['hostId'];
  /** Of what serves the disk; absent: a guest of the machine itself opens it. */
  readonly generation?: number;
}

export class HostEye {
  readonly #deps: HostEyeDeps;
  readonly #rebuilds: RebuildChecker;
  /** The generation that a guest's disk was opened at, by host, server and disk. */
  readonly #opened = new Map<string, number>();

  constructor(deps: HostEyeDeps) {
    this.#deps = deps;
    this.#rebuilds = new RebuildChecker(deps.report);
  }

  /** A driver's call takes effect on a machine. */
  called(machine: HostMachine, driver: string, method: string, args: readonly unknown[]): void {
    const { trace, removals, volumes, powerOffs, records, replay } = this.#deps;
    const [subject] = args;
    const host = `n${machine.raftId}`;
    const quiet = method === 'list' || method === 'find' || method === 'found' || method === 'start';
    if (!quiet) trace.add(`h${machine.raftId}`, `${driver} ${method} ${subjectOf(subject)}`);
    if (!quiet) records.note(replay());
    if (driver === 'compute' && method === 'startGuest') {
      const spec = subject as GuestSpec;
      powerOffs.starts(host, spec.serverId);
      this.#rebuilds.builds(host, 'guest', spec.serverId);
      for (const disk of spec.disks) this.#opens(machine, spec, disk);
    }
    if (driver === 'compute' && method === 'attachDisk') {
      const [serverId, disk] = args as [ServerId, GuestDisk];
      const spec = machine.compute.guests.get(serverId)?.spec;
      if (spec !== undefined) this.#opens(machine, spec, disk);
    }
    if (driver !== 'network') this.#keeps(machine, method, args);
    if (driver === 'storage' && method === 'ensureDisk') {
      const { volumeId } = subject as DiskSpec;
      if (!volumes.isVolume(volumeId)) this.#rebuilds.builds(host, 'disk', records.serverOf(volumeId) ?? volumeId);
    }
    if (typeof subject !== 'string') return;
    if (
      driver === 'compute' &&
      method === 'stopGuest' &&
      machine.compute.guests.get(subject as ServerId)?.power === 'running'
    ) {
      for (const [key] of machine.store.peek('intent/')) removals.mayStop(key.slice('intent/'.length));
      removals.stops(host, subject);
    }
    if (driver === 'compute' && method === 'removeGuest' && machine.compute.guests.has(subject as ServerId)) {
      removals.removes(host, 'guest', subject);
      this.#rebuilds.removes(host, subject, this.#isToGo(subject));
    }
    if (driver === 'storage' && method === 'removeDisk' && machine.storage.disks.has(subject as VolumeId)) {
      this.#removesDisk(host, subject);
    }
  }

  #removesDisk(host: string, volumeId: string): void {
    const { volumes, removals, records } = this.#deps;
    if (volumes.isVolume(volumeId)) {
      volumes.removes(host, volumeId);
      return;
    }
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
    this.#opened.set(`${machine.hostId} ${serverId} ${volumeId}`, opened);
  }

  /** Where a guest's disk is, and who has it open for the guest there; undefined: nobody serves it to this guest. */
  #placeOf(machine: HostMachine, { source }: GuestDisk): PlaceOfDisk | undefined {
    if (source.kind !== 'nbd') return machine;
    const { machines } = this.#deps;
    const server = machines.find(({ storage }) => storage.address === source.host);
    const served = server?.storage.servedAt(source.port, source.key);
    if (server === undefined || served === undefined) return undefined;
    return { storage: server.storage, hostId: server.hostId, generation: served.generation };
  }

  /** Snapshots are made at this moment: what their volumes hold is what they are to hold. */
  #keeps({ storage }: HostMachine, method: string, args: readonly unknown[]): void {
    for (const { volumeId, snapshotId } of snapshotsIn(method, args)) {
      const disk = storage.disks.get(volumeId);
      if (disk !== undefined) this.#deps.volumes.keeps(volumeId, snapshotId, disk.content);
    }
  }

  /** Whether the records say that a server is being deleted, or name it no more. */
  #isToGo(serverId: string): boolean {
    return serverTable.get(this.#deps.replay(), serverId)?.record.deleting !== false;
  }

  /** Looks at all hosts as they are now: every guest that runs writes, and whether it may is checked. */
  look(): void {
    const { machines, report, removals, volumes } = this.#deps;
    for (const machine of machines) {
      for (const [serverId, guest] of machine.compute.guests)
        if (guest.power === 'shutdown') removals.mayStop(serverId);
      for (const [key] of machine.store.peek('intent/')) removals.mayStop(key.slice('intent/'.length));
      for (const [volumeId, { snapshots }] of machine.storage.disks) {
        for (const [snapshotId, content] of snapshots) volumes.holds(volumeId, snapshotId, content);
      }
      for (const [volumeId, { served, lock }] of machine.storage.disks) {
        // Who is let in may write at any moment.
        if (served?.owner !== machine.hostId) continue;
        checkWrite({ volumeId, host: served.owner, generation: served.generation }, lock, report);
      }
      for (const { power, spec } of machine.compute.guests.values()) {
        if (power !== 'running') continue;
        for (const disk of spec.disks) {
          const { volumeId } = disk;
          const at = this.#placeOf(machine, disk);
          const generation = this.#opened.get(`${machine.hostId} ${spec.serverId} ${volumeId}`) ?? spec.generation;
          if (at === undefined || !at.storage.write(volumeId, at.hostId, generation)) continue;
          checkWrite({ volumeId, host: at.hostId, generation }, at.storage.disks.get(volumeId)?.lock, report);
        }
      }
    }
    checkHosts(machines.map(pictureOf), report);
  }
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
