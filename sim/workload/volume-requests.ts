/**
 * What a user of block storage asks for: drawn from what the project has, as its records say. Many of these requests meet a volume in
 * another state, and are refused.
 */
import type { Prng } from '../../node/base/prng.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { indexKey } from '../../node/state/table.ts';
import {
  serverTable,
  volumeGroupSnapshotTable,
  volumeGroupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { shoal } from '../../proto/messages.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { consistentGroups, typesOfPools } from '../settings/volume-types.ts';

/** What is asked of an agent. */
export type Work = (agent: HostAgent, context: RequestContext) => Promise<unknown>;

/** One request, with what the trace calls it. */
interface VolumeRequest {
  readonly what: string;
  /** It is an administrator's. */
  readonly isAdmins?: boolean;
  readonly work: Work;
}

/** What a project has. */
export interface ProjectVolumes {
  readonly projectId: string;
  readonly volumes: readonly shoal.v1.Volume[];
  readonly snapshots: readonly shoal.v1.VolumeSnapshot[];
  readonly groups: readonly shoal.v1.VolumeGroup[];
  readonly groupSnapshots: readonly shoal.v1.VolumeGroupSnapshot[];
  readonly servers: readonly shoal.v1.Server[];
  /** All hosts, by name. */
  readonly hostNames: readonly string[];
}

/** Size of the largest volume, GiB. */
const sizeGibMax = 4;
/** Groups that a project keeps at a time. */
const groupsMax = 2;

/** Reads it. */
export function projectVolumes(reader: StateReader, projectId: string, hostNames: readonly string[]): ProjectVolumes {
  const of = <T>(rows: readonly { readonly record: T }[]): readonly T[] => rows.map(({ record }) => record);
  const index = indexKey(projectId);
  return {
    projectId,
    hostNames,
    volumes: of(volumeTable.by(reader, 'project', index)),
    snapshots: of(volumeSnapshotTable.by(reader, 'project', index)),
    groups: of(volumeGroupTable.by(reader, 'project', index)),
    groupSnapshots: of(volumeGroupSnapshotTable.by(reader, 'project', index)),
    servers: of(serverTable.list(reader)).filter((server) => server.projectId === projectId),
  };
}

/** One of them that fits, if one does; else any. Undefined: there is none. */
export function pickFit<T>(random: Prng, all: readonly T[], isFit: (one: T) => boolean): T | undefined {
  const fit = all.filter(isFit);
  const from = fit.length > 0 ? fit : all;
  return from.length === 0 ? undefined : random.pick(from);
}

type Draw = (random: Prng, has: ProjectVolumes) => VolumeRequest | undefined;

const detach: Draw = (random, { volumes }) => {
  const volume = pickFit(random, volumes, ({ attachments }) => attachments.length > 0);
  const serverId = volume?.attachments[0]?.serverId ?? '';
  if (volume === undefined || serverId === '') return undefined;
  return {
    what: `detach ${volume.id} from ${serverId}`,
    work: ({ services }, context) => services.volume.attachments.unplug(context, serverId, volume.id),
  };
};

const extend: Draw = (random, { volumes }) => {
  const { id } = random.pick(volumes);
  const sizeGib = 1 + random.below(sizeGibMax);
  return {
    what: `extend ${id}`,
    work: ({ services }, context) => services.volume.volumes.extend(context, id, sizeGib),
  };
};

const snapshot: Draw = (random, { volumes }) => {
  const { id } = random.pick(volumes);
  const draft = { volumeId: id, force: true };
  return { what: `snapshot ${id}`, work: ({ services }, context) => services.volume.snapshots.create(context, draft) };
};

const revert: Draw = (random, { snapshots }) => {
  if (snapshots.length === 0) return undefined;
  const { id, volumeId } = random.pick(snapshots);
  return {
    what: `revert ${volumeId}`,
    work: ({ services }, context) => services.volume.volumes.revert(context, volumeId, id),
  };
};

const removeSnapshot: Draw = (random, { snapshots }) => {
  if (snapshots.length === 0) return undefined;
  const { id } = random.pick(snapshots);
  return {
    what: `delete snapshot ${id}`,
    work: ({ services }, context) => services.volume.snapshots.remove(context, id),
  };
};

const remove: Draw = (random, { volumes }) => {
  const { id } = random.pick(volumes);
  const cascade = random.chance(0.5);
  return {
    what: `delete volume ${id}`,
    work: ({ services }, context) => services.volume.volumes.remove(context, id, { cascade }),
  };
};

/** One that may move: alone, and without snapshots. */
function movable(random: Prng, { volumes, snapshots }: ProjectVolumes): shoal.v1.Volume | undefined {
  const kept = new Set(snapshots.map(({ volumeId }) => volumeId));
  return pickFit(random, volumes, ({ id, groupId, status }) => {
    return groupId === '' && !kept.has(id) && (status === 'available' || status === 'in-use');
  });
}

const retype: Draw = (random, has) => {
  const volume = movable(random, has);
  if (volume === undefined) return undefined;
  const { id } = volume;
  const type = random.pick(Object.values(typesOfPools));
  return {
    what: `retype ${id} to ${type}`,
    work: ({ services }, context) => services.volume.moves.retype(context, id, type, 'on-demand'),
  };
};

const migrate: Draw = (random, has) => {
  const volume = movable(random, has);
  if (volume === undefined) return undefined;
  const { id } = volume;
  const pool = random.pick(Object.keys(typesOfPools));
  const host = `${random.pick(has.hostNames)}@${pool}#${pool}`;
  return {
    what: `migrate ${id} to ${host}`,
    isAdmins: true,
    work: ({ services }, context) => services.volume.moves.migrate(context, id, host),
  };
};

const swap: Draw = (random, { volumes }) => {
  const volume = pickFit(random, volumes, ({ attachments }) => attachments.length === 1);
  const other = pickFit(random, volumes, ({ status, sizeGib }) => {
    return status === 'available' && sizeGib >= (volume?.sizeGib ?? 0);
  });
  const serverId = volume?.attachments[0]?.serverId ?? '';
  if (volume === undefined || other === undefined || serverId === '') return undefined;
  return {
    what: `swap ${volume.id} of ${serverId} for ${other.id}`,
    isAdmins: true,
    work: ({ services }, context) => services.volume.swaps.begin(context, serverId, volume.id, other.id),
  };
};

const group: Draw = (random, { groups, volumes, groupSnapshots }) => {
  const types = Object.values(typesOfPools);
  const draft = { groupType: consistentGroups, volumeTypes: [...types, '__DEFAULT__'] };
  if (groups.length < groupsMax && random.chance(0.3)) {
    return { what: 'create group', work: ({ services }, context) => services.volume.groups.create(context, draft) };
  }
  if (groups.length === 0) return undefined;
  const used = new Set(volumes.map(({ groupId }) => groupId));
  const id = pickFit(random, groups, (one) => used.has(one.id))?.id ?? '';
  const members = volumes.filter(({ groupId }) => groupId === id).map((volume) => volume.id);
  const others = volumes.filter(({ groupId }) => groupId === '').map((volume) => volume.id);
  switch (random.below(8)) {
    case 0: {
      const deleteVolumes = random.chance(0.3);
      return {
        what: `delete group ${id}`,
        work: ({ services }, context) => services.volume.groups.remove(context, id, { deleteVolumes }),
      };
    }
    case 1:
    case 2: {
      if (groupSnapshots.length === 0) return undefined;
      const kept = random.pick(groupSnapshots).id;
      return {
        what: `delete group snapshot ${kept}`,
        work: ({ services }, context) => services.volume.groupSnapshots.remove(context, kept),
      };
    }
    case 3: {
      if (members.length === 0) return undefined;
      const patch = { removeVolumeIds: [random.pick(members)] };
      return {
        what: `group ${id} loses a volume`,
        work: ({ services }, context) => services.volume.groups.update(context, id, patch),
      };
    }
    case 4:
    case 5: {
      if (others.length === 0) return undefined;
      const patch = { addVolumeIds: [random.pick(others)] };
      return {
        what: `group ${id} gets a volume`,
        work: ({ services }, context) => services.volume.groups.update(context, id, patch),
      };
    }
    default:
      return {
        what: `snapshot group ${id}`,
        work: ({ services }, context) => services.volume.groupSnapshots.create(context, { groupId: id }),
      };
  }
};

/** How often each is drawn, of all of them together. */
const draws: readonly (readonly [weight: number, draw: Draw])[] = [
  [2, detach],
  [1, extend],
  [2, snapshot],
  [1, revert],
  [2, removeSnapshot],
  [2, remove],
  [2, retype],
  [2, migrate],
  [2, swap],
  [4, group],
];
const weights = draws.reduce((sum, [weight]) => sum + weight, 0);

/** The next request; undefined: what it would be about is not there. @param has at least one volume. */
export function drawVolumeRequest(random: Prng, has: ProjectVolumes): VolumeRequest | undefined {
  let left = random.below(weights);
  for (const [weight, draw] of draws) {
    left -= weight;
    if (left < 0) return draw(random, has);
  }
  return undefined;
}
