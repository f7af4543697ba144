/** How jobs about volumes and backups end: the owner is told why one failed, and what one was about is free when it says so. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { setFaultInjector } from '../../../node/base/buggify/buggify.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { imageTable, jobTable, volumeBackupTable, volumeTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

/** One way for a job to fail: where, and what asks for it. */
interface Failure {
  readonly point: string;
  readonly action: RegExp;
  begin(host: VolumeHost, volumeId: string, backupId: string): Promise<unknown>;
}

const imageRecord = new shoal.v1.Image({
  ...{ id: '00000000-0000-4000-8000-0000000000a1', visibility: 'public', diskFormat: 'qcow2', sha256: 'ab'.repeat(32) },
  ...{ status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE, virtualSizeBytes: 1000 },
});

const failures: Readonly<Record<string, Failure>> = {
  'volume-copy': {
    point: 'volume-copy.made',
    action: /^create volume/,
    begin: ({ service, context }, sourceVolumeId) => service.volumes.create(context, { sourceVolumeId, sizeGib: 1 }),
  },
  'volume-backup': {
    point: 'backup.source-kept',
    action: /^create backup:/,
    begin: ({ service, context }, volumeId) => service.backups.create(context, { volumeId }),
  },
  'volume-restore': {
    point: 'restore.disk-made',
    action: /^restore backup:/,
    begin: ({ service, context }, volumeId, backupId) => service.backups.restore(context, backupId, volumeId),
  },
  'volume-backup-delete': {
    point: 'backup-delete.deleted',
    action: /^delete backup:/,
    begin: ({ service, context }, _volumeId, backupId) => service.backups.remove(context, backupId),
  },
  'volume-backup-verify': {
    point: 'backup-verify.read',
    action: /^verify backup:/,
    begin: ({ service, context }, _volumeId, backupId) => service.backupUpkeep.verify(context, backupId),
  },
  'volume-upload': {
    point: 'upload.kept',
    action: /^copy volume to image:/,
    begin: ({ service, context }, volumeId) => service.moves.uploadToImage(context, volumeId, { imageName: 'image' }),
  },
  'volume-reimage': {
    point: 'reimage.beside',
    action: /^reimage volume:/,
    begin: async (host, volumeId) => {
      const { service, context, world } = host;
      const { id: imageId, sha256 } = imageRecord;
      const builder = new TransactionBuilder();
      imageTable.insert(builder, imageRecord);
      await world.state.commit(builder.build());
      world.storage.images.set(sha256, { format: 'qcow2', virtualSizeBytes: 1000 });
      return service.reimages.begin(context, volumeId, { imageId, reserved: false });
    },
  },
  'volume-migrate': {
    point: 'migrate.copied',
    action: /^migrate volume:/,
    begin: ({ service, context }, volumeId) => service.moves.migrate(context, volumeId, 'host-1@fast#fast'),
  },
  'volume-swap': {
    point: 'move.writes-wait',
    action: /^migrate volume:/,
    begin: async (host, volumeId) => {
      const { service, context } = host;
      await service.attachments.plug(context, serverId, { volumeId });
      await host.until('it is attached', () => host.volume(volumeId)?.status === 'in-use');
      const { id: otherId } = await service.volumes.create(context, { sizeGib: 1 });
      const admin = { ...context, permissions: { operation: '', allows: () => true } };
      return service.swaps.begin(admin, serverId, volumeId, otherId);
    },
  },
};
/** Says why in the job itself: what it fails at are jobs of their own, which are above. */
const tellsNobody: readonly string[] = ['volume-backup-expire'];

t.test('each kind of job about volumes is here', async (t) => {
  const folder = new URL('../../../node/host/jobs/kinds/', import.meta.url);
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')));
  const kinds = texts.flatMap((text) => [...text.matchAll(/name: '(volume-[a-z-]+)'/g)].map((match) => match[1] ?? ''));
  t.same(kinds.sort(), [...Object.keys(failures), ...tellsNobody].sort());
});

for (const [kind, failure] of Object.entries(failures)) {
  t.test(kind, (t) => told(t, kind, failure));
}

for (const [kind, failure] of Object.entries(failures)) {
  t.test(`${kind} that comes to its end`, (t) => done(t, kind, failure));
}

/** Kinds that leave what they are about as free as it was. */
const hinders: Readonly<Record<string, false>> = { 'volume-backup-verify': false };

/** Collects moments at which a record said that it is free, while a job about it would have refused the next. */
function falselyFree(t: Test, { world }: VolumeHost): readonly string[] {
  const found: string[] = [];
  const look = (): void => {
    const reader = world.state.local;
    for (const { record: job } of jobTable.by(reader, 'under-way', 'yes')) {
      if (hinders[job.kind] === false) continue;
      const [table, id = ''] = job.subject.split('/');
      const volume = table === 'volume' ? volumeTable.get(reader, id)?.record : undefined;
      const backup = table === 'backup' ? volumeBackupTable.get(reader, id)?.record : undefined;
      const isMoving = ['starting', 'migrating', 'completing'].includes(volume?.migrationStatus ?? '');
      const status = volume?.status ?? backup?.status ?? 'gone';
      const isFree = /^(available|in-use|error.*|gone)$/.test(status) && !isMoving;
      if (isFree) found.push(`${job.kind}: ${job.subject} is ${status}`);
    }
  };
  for (const { prefix } of [jobTable, volumeTable, volumeBackupTable]) {
    const watch = world.state.watch({ prefix }, look);
    t.teardown(() => watch.close());
  }
  return found;
}

async function done(t: Test, kind: string, { begin }: Failure): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'shoal-messages-'));
  t.teardown(() => rm(root, { recursive: true }));
  const host = await volumeHost(t, pathToFileURL(root).href);
  const { service, context, world } = host;
  const { id: volumeId } = await service.volumes.create(context, { sizeGib: 1 });
  const { id: backupId } = await service.backups.create(context, { volumeId });
  await host.until('there is a backup', () => host.backup(backupId)?.status === 'available');
  const wrong = falselyFree(t, host);
  await begin(host, volumeId, backupId);
  const jobOf = (): shoal.v1.Job | undefined =>
    jobTable.list(world.state.local).find(({ record }) => record.kind === kind && record.endedMs > 0)?.record;
  const isOther = (): boolean => kind !== 'volume-backup' || jobTable.list(world.state.local).length > 1;
  await host.until('it is done', () => jobOf() !== undefined && host.isAtRest && isOther());
  t.match(jobOf(), { status: shoal.v1.JobStatus.JOB_STATUS_SUCCEEDED, progressDone: 100, progressTotal: 100 });
  t.same(wrong, []);
}

async function told(t: Test, kind: string, { point, action, begin }: Failure): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'shoal-messages-'));
  t.teardown(() => rm(root, { recursive: true }));
  const host = await volumeHost(t, pathToFileURL(root).href);
  const { service, context, world } = host;
  const { id: volumeId } = await service.volumes.create(context, { sizeGib: 1 });
  const { id: backupId } = await service.backups.create(context, { volumeId });
  await host.until('there is a backup', () => host.backup(backupId)?.status === 'available' && host.isAtRest);
  let hits = 0;
  setFaultInjector({
    buggify: () => false,
    mark: () => {},
    failpoint: (name) => {
      if (name !== point) return;
      hits += 1;
      throw new ShoalError('DRIVER_FAILED', 'the cable is cut');
    },
  });
  const wrong = falselyFree(t, host);
  await begin(host, volumeId, backupId);
  const messages = () => service.messages.list(context, world.state.local);
  await host.until('its owner is told', () => messages().length > 0 && host.isAtRest);
  t.ok(hits > 0, 'it failed there');
  t.equal(messages().length, 1, 'once');
  t.same(wrong, []);
  t.match(messages()[0]?.userMessage, action);
  t.match(messages()[0]?.userMessage, /the cable is cut/);
  t.ok(jobTable.list(world.state.local).some((row) => row.record.kind === kind && row.record.failures.length > 0));
}
