/** The disks of a server that is being made: its own, volumes that are there, and volumes that are made with it. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { Attempt } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { ownVolume } from '../kit/find.ts';
import { mustBeFree, planPlug } from '../records/plug.ts';
import { nextDeviceName, volumeKind, waitsForVolumes } from '../records/server-disks.ts';
import { checkBytesAtRest, writeVolume } from '../records/volume-record.ts';
import { planVolume } from '../volumes/volume-plan.ts';
import type { CheckedDisk, CheckedDisks } from './block-devices.ts';

/** What the disks are planned with. */
interface DiskPlanning {
  readonly deps: VolumeDependencies;
  /** The storage pool of types that name none. */
  readonly options: { readonly storage: string };
  readonly context: RequestContext;
}

/**
 * Gives a server in the making its disks, and adds to the change what is made or taken for them. The server has its host.
 * Throws what `planVolume` and `planPlug` throw.
 */
export function planDisks(
  planning: DiskPlanning,
  attempt: Attempt,
  server: shoal.v1.Server,
  { disks, isRootVolume }: CheckedDisks,
): void {
  const planned: shoal.v1.ServerDisk[] = [];
  let isWaiting = false;
  for (const disk of disks) {
    const device = nextDeviceName(planned, !isRootVolume);
    const { entry, isMade } =
      disk.kind === volumeKind
        ? volumeEntry(planning, attempt, server, { disk, device })
        : { entry: ownEntry(planning, server, { disk, device }), isMade: true };
    planned.push(entry);
    isWaiting ||= !isMade;
    if (isRootVolume && disk.bootIndex === 0) server.rootVolumeId = entry.volumeId;
  }
  server.disks = planned;
  if (isWaiting) server.taskState = waitsForVolumes;
}

/** A disk and its name in the guest. */
interface NamedDisk {
  readonly disk: CheckedDisk;
  readonly device: string;
}

function ownEntry({ deps }: DiskPlanning, server: shoal.v1.Server, { disk, device }: NamedDisk): shoal.v1.ServerDisk {
  const { kind, bus, tag, guestFormat, sizeGib, sizeMib, bootIndex, deleteOnTermination } = disk;
  const fields = { kind, bus, tag, guestFormat, sizeGib, sizeMib, bootIndex, deleteOnTermination, device };
  return new shoal.v1.ServerDisk({ ...fields, volumeId: deps.newId(), pool: server.storage });
}

function volumeEntry(
  { deps, options, context }: DiskPlanning,
  attempt: Attempt,
  server: shoal.v1.Server,
  { disk, device }: NamedDisk,
): { readonly entry: shoal.v1.ServerDisk; readonly isMade: boolean } {
  const { reader, change } = attempt;
  const place = { serverId: server.id, hostId: server.hostId, attachmentId: deps.newId(), device };
  const said = { bootIndex: disk.bootIndex, deleteOnTermination: disk.deleteOnTermination, tag: disk.tag };
  const bus = disk.bus === '' ? {} : { bus: disk.bus };
  if (disk.volumeId !== undefined) {
    const row = ownVolume(context, reader, disk.volumeId);
    mustBeFree(row.record, '');
    checkBytesAtRest(row.record);
    const { fields, disk: entry } = planPlug(deps, attempt, row.record, place);
    writeVolume(change, row, fields, deps.clock.nowMs());
    return { entry: new shoal.v1.ServerDisk({ ...entry, ...bus, ...said }), isMade: row.record.madeGib > 0 };
  }
  if (disk.newVolume === undefined)
    throw new ShoalError('INVALID_ARGUMENT', 'A disk is neither a volume nor made as one.');
  const volume = planVolume({ deps, options, context }, attempt, disk.newVolume, {
    id: deps.newId(),
    hostId: server.hostId,
  });
  if (volume.hostId === '') {
    throw new ShoalError(
      'NO_VALID_HOST',
      `No valid host was found. The host that was chosen for the server cannot make a volume in the storage pool ${volume.pool}.`,
      { facts: { pool: volume.pool, hostId: server.hostId } },
    );
  }
  const { fields, disk: entry } = planPlug(deps, attempt, volume, place);
  volumeTable.insert(change, new shoal.v1.Volume({ ...volume, ...fields, status: 'creating' }));
  return { entry: new shoal.v1.ServerDisk({ ...entry, ...bus, ...said }), isMade: false };
}
