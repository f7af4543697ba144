/** A guest of this host goes over from one disk to another while it runs: what jobs that move and swap volumes have in common. */
import type { GuestDisk, GuestFound } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { isTransient, ShoalError } from '../../../base/errors.ts';
import type { ServerId, VolumeId } from '../../../base/ids.ts';
import { gibBytes } from '../../../base/units.ts';
import { diskLimits } from '../../../services/volume/kit/disk-limits.ts';
import { poolOf, type VolumeTools } from '../../kinds/volume/kit/tools.ts';
import { volumeSpec } from '../../kinds/volume/kit/volume-spec.ts';
import { forgetSwitch, noteSwitch } from '../../outage/undecided-switches.ts';
import { isGuestUp } from '../../plan/guest-up.ts';

const failpointTargetMade = failpoint(
  'move.target-made',
  'the new disk of a moving volume is there, and nobody has it open',
);
const failpointTargetOpened = failpoint(
  'move.target-opened',
  'the new disk of a moving volume is locked, and not copied to',
);
const failpointWritesWait = failpoint(
  'move.writes-wait',
  'both disks hold the same, the guest waits, and nothing says which counts',
);
const failpointSwitched = failpoint('move.switched', 'the records name the new disk, and the guest has not gone over');
const failpointGoneOver = failpoint('move.gone-over', 'a guest has gone over to a new disk, and its job does not know');

/** The new disk. */
export interface MoveTarget {
  /** With the type that it has afterwards. */
  readonly volume: shoal.v1.Volume;
  readonly pool: string;
  /** What its lock carries from now on. */
  readonly generation: number;
  /** It has content of its own below it, and is not made here. */
  readonly isMade: boolean;
}

/** The guest of a server, if it runs here; undefined: it does not. `CANNOT_TELL` when it does not say which disks it has. */
export async function runningGuest(
  serverId: string,
  { compute, signal }: Pick<VolumeTools, 'compute' | 'signal'>,
): Promise<GuestFound | undefined> {
  const guest = await compute.find(serverId as ServerId, signal);
  if (!isGuestUp(guest)) return undefined;
  if (guest.disks !== undefined) return guest;
  throw new ShoalError('CANNOT_TELL', `the guest of server ${serverId} does not say which disks it has`);
}

/** Opens the new disk as the guest is to have it. Done already: the same. */
export async function openTarget(target: MoveTarget, tools: VolumeTools): Promise<GuestDisk> {
  const { volume, generation, isMade } = target;
  const storage = poolOf(target, tools);
  const sizeBytes = (isMade ? volume.madeGib : volume.sizeGib) * gibBytes;
  const spec = { ...volumeSpec(volume, tools), sizeBytes, generation };
  if (!isMade) await storage.ensureDisk(spec, tools.signal);
  failpointTargetMade();
  const source = await storage.openDisk(spec, tools.hostId, tools.signal);
  failpointTargetOpened();
  const { volumeId, encryption } = spec;
  // What limited the guest before ends with it.
  const limits = diskLimits(tools.reader, volume) ?? {};
  return { volumeId, source, limits, generation, ...(encryption === undefined ? {} : { encryption }) };
}

/** Copies, and has the guest go over once `decide` has recorded that it does. Goes on with what was begun before. */
export async function goOver(
  guest: { readonly serverId: string; readonly volumeId: string; readonly target: GuestDisk; readonly jobId: string },
  steps: { readonly decide: () => Promise<boolean>; readonly progress: (percent: number) => void },
  { compute, store, reader, signal }: Pick<VolumeTools, 'compute' | 'store' | 'reader' | 'signal'>,
): Promise<void> {
  const { serverId, volumeId, target, jobId } = guest;
  const switchOver = async (): Promise<boolean> => {
    failpointWritesWait();
    // Should the guest die now, it is not started before that is decided.
    await noteSwitch(store, volumeId, { jobId, revision: reader.revision });
    const isGoing = await steps.decide();
    if (isGoing) failpointSwitched();
    return isGoing;
  };
  const { progress } = steps;
  await compute.mirrorDisk(serverId as ServerId, volumeId as VolumeId, target, { progress, switchOver }, signal);
  failpointGoneOver();
}

/** Has a guest go over of which the records say so: there is no way back, and what refuses it now is asked again. */
export async function mustGoOver(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (caught) {
    const error = ShoalError.from(caught, 'DRIVER_FAILED');
    if (isTransient(error.code)) throw error;
    throw new ShoalError('UNAVAILABLE', `the guest cannot go over yet: ${error.message}`, { cause: error });
  }
}

/** Leaves the guest on its disk, and closes the new one. */
export async function stayPut(
  guest: { readonly serverId: string; readonly volumeId: string },
  target: MoveTarget,
  tools: VolumeTools,
): Promise<void> {
  const storage = poolOf(target, tools);
  const { volume, generation } = target;
  const volumeId = volume.id as VolumeId;
  await forgetSwitch(tools.store, guest.volumeId);
  if ((await storage.findDisk(volumeId, tools.signal)) === undefined) return;
  if ((await runningGuest(guest.serverId, tools)) !== undefined) {
    const disk = await openTarget({ ...target, isMade: true }, tools);
    await tools.compute.cancelMirror(guest.serverId as ServerId, guest.volumeId as VolumeId, disk, tools.signal);
  }
  await storage.closeDisk(volumeId, tools.hostId, generation, tools.signal);
}
