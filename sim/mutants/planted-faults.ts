/** What a second, wrong hand does on a host, again and again: planted bugs that no switch between parts can make. */
import type { ComputeDriver, StorageDriver } from '../../drivers/types.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../node/base/ids.ts';
import { serverTable, volumeTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import type { HostMachine } from '../world/machine.ts';
import type { Process } from '../world/node.ts';

export type PlantedFault = (scene: {
  readonly agent: HostAgent;
  readonly process: Process;
  readonly machine: HostMachine;
  readonly compute: ComputeDriver;
  /** By the name of the pool. */
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly signal: AbortSignal;
  readonly machines: readonly HostMachine[];
}) => Promise<void>;

type FakeDisk = HostMachine['storages'][number]['disks'] extends Map<VolumeId, infer Disk> ? Disk : never;

/** What has served each disk. */
const servedOnce = new WeakMap<FakeDisk, NonNullable<FakeDisk['served']>>();

/** All disks that a host reaches. */
function disksOf({ storages }: HostMachine): readonly FakeDisk[] {
  return storages.flatMap(({ disks }) => [...disks.values()]);
}

export const plantedFaults = {
  'deletes-without-record': async ({ process, machine, compute, signal }) => {
    for (const serverId of machine.runningGuests()) {
      if (serverTable.get(process.state.local, serverId) !== undefined) continue;
      await compute.stopGuest(serverId, { graceMs: 0 }, signal);
      await compute.removeGuest(serverId, signal);
    }
  },
  'stops-without-quorum': async ({ process, machine, compute, signal }) => {
    if (process.state.status().hasQuorum) return;
    for (const serverId of machine.runningGuests()) await compute.stopGuest(serverId, { graceMs: 0 }, signal);
  },
  'stops-on-suspicion': async ({ agent, machine, machines, compute, signal }) => {
    if (!machines.some(({ hostId }) => agent.host.gossip.condition(hostId) === 'dead')) return;
    for (const serverId of machine.runningGuests()) await compute.stopGuest(serverId, { graceMs: 0 }, signal);
  },
  'takes-over-on-suspicion': async ({ agent, machines, compute, signal }) => {
    for (const other of machines) {
      if (agent.host.gossip.condition(other.hostId) !== 'dead') continue;
      for (const serverId of other.runningGuests())
        await compute.startGuest(other.compute.guest(serverId).spec, signal);
    }
  },
  'releases-before-exit': async ({ agent, process, machine }) => {
    for (const serverId of machine.runningGuests()) {
      const record = serverTable.get(process.state.local, serverId)?.record;
      if (record?.deleting === true) await agent.host.claims.release(serverId, record.generation);
    }
  },
  'snapshot-goes-on': async ({ machine }) => {
    for (const disk of disksOf(machine)) {
      for (const id of disk.snapshots.keys()) disk.snapshots.set(id, disk.content);
    }
  },
  'removes-detached-volumes': async ({ process, machine, storage, signal }) => {
    for (const { record } of volumeTable.by(process.replicaState.local, 'host', machine.hostId)) {
      if (record.status !== 'available' || record.madeGib === 0) continue;
      try {
        await storage.get(record.pool)?.removeDisk(record.id as VolumeId, signal);
      } catch (caught) {
        if (!(caught instanceof ShoalError)) throw caught;
      }
    }
  },
  'serves-on': async ({ machine }) => {
    for (const disk of disksOf(machine)) {
      if (disk.served !== undefined) servedOnce.set(disk, disk.served);
      else disk.served = servedOnce.get(disk);
    }
  },
  'removes-disks-of-stopped': async ({ process, machine, storage, signal }) => {
    for (const { record } of serverTable.list(process.replicaState.local)) {
      const isOff = record.status === shoal.v1.ServerStatus.SERVER_STATUS_SHUTOFF;
      if (record.hostId !== machine.hostId || !isOff || record.deleting) continue;
      if (machine.compute.guests.get(record.id as ServerId)?.power === 'running') continue;
      try {
        await storage.get(record.storage)?.removeDisk(record.rootVolumeId as VolumeId, signal);
      } catch (caught) {
        if (!(caught instanceof ShoalError)) throw caught;
      }
    }
  },
} as const satisfies Readonly<Record<string, PlantedFault>>;
