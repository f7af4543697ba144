/** Whatever is asked of volumes, in whatever order, and whatever their hosts answer: what is counted is what is there. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { Prng } from '../../../../node/base/prng.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import { type CountedResource, quotaUsage } from '../../../../node/services/kit/quota.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { VolumeJobReportService } from '../../../../node/services/volume/job-reports.ts';
import {
  jobTable,
  serverTable,
  volumeBackupTable,
  volumeSnapshotTable,
  volumeTable,
  volumeTypeTable,
} from '../../../../node/state/tables/index.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from './volume-world.ts';

const seeds = 12;
const steps = 70;

/** What may be refused: expected answers, never a fault of the service. */
const refusals = [
  'INVALID_ARGUMENT',
  'QUOTA_EXCEEDED',
  'NOT_FOUND',
  'CONFLICT',
  'FORBIDDEN',
  'NO_VALID_HOST',
  'UNAVAILABLE',
];

interface Run {
  readonly world: VolumeWorld;
  readonly random: Prng;
  readonly projects: readonly RequestContext[];
  /** Keys of offers, by their ids. */
  readonly offers: Map<string, string>;
}

function pick<T>(random: Prng, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[random.below(items.length)];
}

/** One thing that somebody asks, or that a host says. */
async function step(run: Run): Promise<void> {
  const { world, random, projects, offers } = run;
  const { volumes, snapshots, attachments, moves, transfers, backups } = world.volume;
  const { local } = world.state;
  const volume = pick(random, volumeTable.list(local))?.record;
  const anybody = pick(random, projects) ?? world.alice;
  // Mostly the owner: what others ask for is refused, and changes nothing.
  const owner = projects.find(({ projectId }) => projectId === volume?.projectId);
  const context = random.below(4) === 0 ? anybody : (owner ?? anybody);
  const volumeId = volume?.id ?? 'none';
  const serverId = pick(random, serverTable.list(local))?.record.id ?? 'none';
  switch (random.below(21)) {
    case 0:
    case 1:
      await volumes.create(context, {
        sizeGib: 1 + random.below(120),
        ...(pick(random, [{}, { type: 'other' }, { type: 'sealed' }]) ?? {}),
      });
      return;
    case 2:
      await volumes.create(context, { sourceVolumeId: volumeId, sizeGib: 1 + random.below(120) });
      return;
    case 3:
      await volumes.extend(context, volumeId, 1 + random.below(200));
      return;
    case 4:
      await volumes.remove(context, volumeId, { cascade: random.below(2) === 0, force: random.below(3) === 0 });
      return;
    case 5:
      await snapshots.create(context, { volumeId, force: true });
      return;
    case 6:
      await snapshots.remove(context, pick(random, volumeSnapshotTable.list(local))?.record.id ?? 'none');
      return;
    case 7:
      await attachments.plug(context, serverId, { volumeId, deleteOnTermination: random.below(2) === 0 });
      return;
    case 8:
      await attachments.unplug(context, serverId, volumeId);
      return;
    case 9: {
      const { transfer, authKey } = await transfers.create(context, {
        volumeId,
        withoutSnapshots: random.below(2) === 0,
      });
      offers.set(transfer.id, authKey);
      return;
    }
    case 10: {
      const [id, key] = pick(random, [...offers]) ?? ['none', ''];
      await transfers.accept(context, id, key);
      return;
    }
    case 11:
      await moves.retype(context, volumeId, pick(random, ['other', 'sealed', '__DEFAULT__']) ?? 'other', 'never');
      return;
    case 12:
      await backups.create(context, { volumeId, force: true, incremental: random.below(2) === 0 });
      return;
    case 13: {
      const backup = pick(random, volumeBackupTable.list(local))?.record.id ?? 'none';
      await backups.remove(context, backup, { force: random.below(3) === 0 });
      return;
    }
    case 14: {
      // As another cloud would know it: the project that imports it pays for it.
      const backup = pick(random, volumeBackupTable.list(local))?.record.id ?? 'none';
      const { service, url } = backups.exportRecord(context, local, backup);
      await backups.remove(context, backup);
      await jobsAct(run);
      await backups.importRecord(anybody, service, url);
      return;
    }
    case 15:
      if (volume !== undefined && volume.hostId !== '') {
        await world.volumeReports(volume.hostId).failed(volume, { message: 'it did not work', details: '' });
      }
      return;
    default:
      await volumeHostsAct(world);
      await jobsAct(run);
  }
}

/** Jobs come to their ends, well or not. */
async function jobsAct({ world, random }: Run): Promise<void> {
  const reports = new VolumeJobReportService(world.deps, new AbortController().signal);
  for (const { record } of volumeBackupTable.list(world.state.local)) {
    if (record.status === 'deleting') await reports.backupRemoved(record.id);
    if (record.status !== 'creating') continue;
    const made = { objectCount: 1, storedBytes: 1, manifestSha256: 'aa', dataTimestampMs: record.createdMs };
    await (random.below(2) === 0
      ? reports.backupMade(record.id, made)
      : reports.backupFailed(record.id, { message: 'it did not work', details: '' }));
  }
  await transact(world.deps, world.admin, ({ reader, change }) => {
    for (const row of jobTable.list(reader)) jobTable.remove(change, row);
  });
}

/** What each project has by its rows, under the names of the counters. */
function recount(world: VolumeWorld): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = (projectId: string, resource: CountedResource, amount: number): void => {
    const key = `${projectId}/${resource}`;
    sums.set(key, (sums.get(key) ?? 0) + amount);
  };
  const { local } = world.state;
  for (const { record } of volumeTable.list(local)) {
    for (const suffix of ['', `_${record.typeId}`] as const) {
      add(record.projectId, `volumes${suffix}`, 1);
      add(record.projectId, `gigabytes${suffix}`, record.sizeGib);
    }
  }
  for (const { record } of volumeSnapshotTable.list(local)) {
    for (const suffix of ['', `_${record.typeId}`] as const) {
      add(record.projectId, `snapshots${suffix}`, 1);
      add(record.projectId, `gigabytes${suffix}`, record.sizeGib);
    }
  }
  for (const { record } of volumeBackupTable.list(local)) {
    add(record.projectId, 'backups', 1);
    add(record.projectId, 'backup_gigabytes', record.sizeGib);
  }
  return sums;
}

/** The counters that do not say what the rows do. */
function wrongCounts({ world, projects }: Run): readonly string[] {
  const sums = recount(world);
  const typeIds = volumeTypeTable.list(world.state.local).map(({ record }) => record.id);
  const kinds = ['volumes', 'gigabytes', 'snapshots'] as const;
  const resources: CountedResource[] = [...kinds, 'backups', 'backup_gigabytes'];
  for (const kind of kinds) for (const id of typeIds) resources.push(`${kind}_${id}`);
  return projects.flatMap(({ projectId }) =>
    resources.flatMap((resource) => {
      const counted = quotaUsage(world.state.local, projectId, resource);
      const there = sums.get(`${projectId}/${resource}`) ?? 0;
      return counted === there ? [] : [`${projectId} ${resource}: ${counted} counted, ${there} there`];
    }),
  );
}

/** Disks of servers and attachments of volumes that do not say the same. */
function wrongUses(world: VolumeWorld): readonly string[] {
  const { local } = world.state;
  const disks = serverTable
    .list(local)
    .flatMap(({ record }) => record.disks.map((disk) => `${disk.volumeId}@${record.id}/${disk.attachmentId}`));
  const uses = volumeTable
    .list(local)
    .flatMap(({ record }) => record.attachments.map(({ id, serverId }) => `${record.id}@${serverId}/${id}`));
  const several = volumeTable.list(local).filter(({ record }) => record.attachments.length > 1 && !record.multiattach);
  return [
    ...disks.filter((disk) => !uses.includes(disk)).map((disk) => `disk ${disk} has no attachment`),
    ...uses.filter((use) => !disks.includes(use)).map((use) => `attachment ${use} has no disk`),
    ...several.map(({ record }) => `volume ${record.id} has several attachments`),
  ];
}

for (const storage of ['rbd', 'local'] as const) {
  t.test(`counts and uses are exact under random requests, in a pool ${storage}`, async (t) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const world = await makeVolumeWorld(storage);
      await world.volume.types.create(world.admin, { name: 'other' });
      const sealed = await world.volume.types.create(world.admin, { name: 'sealed' });
      await world.volume.types.setEncryption(world.admin, sealed.id, { provider: 'luks' }, { mustBeNew: true });
      await addServer(world);
      await addServer(world);
      const run: Run = { world, random: new Prng(seed), projects: [world.alice, world.bob], offers: new Map() };
      let done = 0;
      for (let at = 0; at < steps; at++) {
        try {
          await step(run);
          done += 1;
        } catch (caught) {
          if (!(caught instanceof ShoalError) || !refusals.includes(caught.code)) throw caught;
        }
        const wrong = [...wrongCounts(run), ...wrongUses(world)];
        if (wrong.length > 0) {
          t.same(wrong, [], `seed ${seed}, step ${at}`);
          return;
        }
      }
      t.ok(done > steps / 4, `seed ${seed}: ${done} of ${steps} were done`);
    }
  });
}
