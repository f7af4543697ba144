/** A guest process of a server: made of its record, and what must be so before and after. */
import type { GuestHardware, GuestSpec } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { guestHardware } from '../../../../services/compute/hardware/guest-hardware.ts';
import { disksOf } from '../../../../services/volume/kit/disks-of-server.ts';
import { serverTable } from '../../../../state/tables/index.ts';
import { undecidedSwitch } from '../../../outage/undecided-switches.ts';
import { closeDisks, openDisks } from './disks.ts';
import { nicsOfStart } from './nics.ts';
import type { ServerTools } from './tools.ts';

const failpointStartGuestRuns = failpoint('start.guest-runs', 'a guest runs, and no record says so');
const markStartFailedLockGivenBack = coverageMark(
  'start-failed-lock-given-back',
  'a start failed, and the lock of its disk was given back',
);

/**
 * Makes the disks and runs the guest, unless it runs at the server's generation. Returns its machine, by its pinned name; empty of a
 * driver that has none.
 */
export async function startGuest(server: shoal.v1.Server, tools: ServerTools): Promise<string> {
  const { compute, signal, events } = tools;
  const running = await compute.find(server.id as ServerId, signal);
  if (running?.power === 'running' && running.generation === server.generation) return running.machine ?? '';
  mustHaveDisksOfNow(server, tools);
  await tools.powerOffs.drop(server.id);
  const nics = await events.during('compute_find_ports', async () => nicsOfStart(server, running, tools));
  const disks = await events.during('compute_open_disks', () => openDisks(server, tools));
  const spec = specOf(server, server.generation, { disks, nics });
  const started = await events.during('compute_start_guest', () => compute.startGuest(spec, signal));
  // A guest that ran meanwhile, as another start made it, may have other limits.
  for (const { volumeId, limits } of disks) {
    if (running === undefined) tools.appliedLimits.note(server.id, volumeId, limits);
    else tools.appliedLimits.forget(server.id, volumeId);
  }
  failpointStartGuestRuns();
  return started.machine ?? '';
}

/** What its flavor and its image ask for, on the machine that it has had from its first start on. */
function hardwareOf(server: shoal.v1.Server): GuestHardware {
  const { flavor, imageProperties, machine } = server;
  const request = { vcpus: flavor?.vcpus ?? 1, extraSpecs: flavor?.extraSpecs ?? {}, imageProperties };
  return { ...guestHardware(request), ...(machine === '' ? {} : { machine }) };
}

/** What the guest is made of, of its record, with these disks and NICs. */
export function specOf(
  server: shoal.v1.Server,
  generation: number,
  devices: Pick<GuestSpec, 'disks' | 'nics'>,
): GuestSpec {
  return {
    serverId: server.id as ServerId,
    generation,
    name: server.name,
    vcpus: server.flavor?.vcpus ?? 1,
    memoryMib: server.flavor?.memoryMib ?? 128,
    ...devices,
    hardware: hardwareOf(server),
  };
}

/**
 * While a step waited for the guest to end, one of its disks may have been switched for another. Throws `UNAVAILABLE` when the records
 * name other disks by now, or have not said yet: what the guest wrote to the old one would be lost.
 */
function mustHaveDisksOfNow(server: shoal.v1.Server, tools: ServerTools): void {
  const undecided = undecidedSwitch(server, tools);
  if (undecided !== undefined) throw new ShoalError('UNAVAILABLE', undecided);
  const now = serverTable.get(tools.reader, server.id)?.record;
  if (now === undefined || now.generation !== server.generation) return;
  const places = (record: shoal.v1.Server): string =>
    disksOf(record)
      .map(({ volumeId, pool, generation }) => `${volumeId} ${pool} ${generation}`)
      .join();
  if (places(now) === places(server)) return;
  throw new ShoalError('UNAVAILABLE', `the disks of server ${server.id} have changed meanwhile`);
}

/** The locks of a guest that could not be started go back, unless QEMU may hold the disks after all. */
export async function giveBackDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  const found = await tools.compute.find(server.id as ServerId, tools.signal);
  if (found !== undefined && found.power !== 'crashed' && found.power !== 'suspended') return;
  markStartFailedLockGivenBack();
  await closeDisks(server, tools);
}
