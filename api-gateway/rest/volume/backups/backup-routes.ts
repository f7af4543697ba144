/** Backups of volumes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { clientTokenOf } from '../../kit/client-token.ts';
import { anyOf } from '../../kit/lists/filter.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { action, addActions } from '../kit/actions.ts';
import { type ById, flagOf, viewingOf } from '../kit/common.ts';
import { addBothLists, mapFilter, scopeOf, textFilters } from '../kit/lists.ts';
import { microversionOf, requireMicroversion } from '../kit/microversion.ts';
import { namesOf, setField } from '../kit/set-fields.ts';
import { backupView, briefBackupView } from './backup-view.ts';

type Backup = shoal.v1.VolumeBackup;

/** From here on a backup can be renamed, have metadata, and name a zone. */
const updatesFrom = 9;
const metadataFrom = 43;
const zonesFrom = 51;

/** Adds `/backups`. */
export function addBackups(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  const { backups } = service;
  const path = '/v3/backups';
  addBothLists<Backup>(app, gateway, {
    path,
    key: 'backups',
    items: (listing) => backups.list(listing.context, listing.reader, scopeOf(listing)),
    filters: (listing) => ({
      ...textFilters<Backup>(listing, {
        name: ({ name }) => name,
        status: ({ status }) => status,
        volume_id: ({ volumeId }) => volumeId,
      }),
      size: anyOf(
        (value) =>
          ({ sizeGib }) =>
            String(sizeGib) === value,
      ),
      metadata: mapFilter(({ metadata }) => metadata),
      project_id: listing.allows('backup:backup_project_attribute')
        ? anyOf(
            (value) =>
              ({ projectId }) =>
                projectId === value,
          )
        : () => undefined,
    }),
    sortValues: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      status: ({ status }) => status,
      size: ({ sizeGib }) => sizeGib,
      volume_id: ({ volumeId }) => volumeId,
      created_at: ({ createdMs }) => createdMs,
      updated_at: ({ updatedMs }) => updatedMs,
    },
    idOf: ({ id }) => id,
    brief: briefBackupView,
    whole: backupView,
  });
  app.post(path, { config: { body: schemas.newBackupBody } }, async (request, reply) => {
    const made = await backups.create(gateway.context(request), draftOf(request));
    return reply.code(202).send({ backup: briefBackupView(made, { gateway, request }) });
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { backup: backupView(backups.show(context, reader, request.params.id), { gateway, request }) };
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.backupBody } }, async (request) => {
    requireMicroversion(request, { from: updatesFrom });
    const { backup: body } = parse(schemas.backupBody, request.body);
    const patch = {
      ...namesOf(body),
      ...(microversionOf(request) >= metadataFrom ? setField('metadata', body.metadata) : {}),
    };
    if (Object.keys(patch).length === 0) {
      throw new ShoalError('INVALID_ARGUMENT', 'At least one of name, description or metadata is to be changed.');
    }
    const changed = await backups.update(gateway.context(request), request.params.id, patch);
    return { backup: briefBackupView(changed, { gateway, request }) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    await backups.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
  addActions(app, gateway, `${path}/:id/action`, {
    'os-reset_status': action(schemas.resetStatusBody, ({ status }, { context, id }) =>
      backups.resetStatus(context, id, status),
    ),
    'os-force_delete': action(schemas.nothing, (_argument, { context, id }) =>
      backups.remove(context, id, { force: true }),
    ),
  });
  addRestore(app, gateway, service);
  addRecords(app, gateway, service);
}

function draftOf(request: FastifyRequest): Parameters<VolumeService['backups']['create']>[1] {
  const { backup } = parse(schemas.newBackupBody, request.body);
  const microversion = microversionOf(request);
  return {
    volumeId: backup.volume_id,
    ...clientTokenOf(request),
    ...setField('snapshotId', backup.snapshot_id),
    ...setField('name', backup.name),
    ...setField('description', backup.description),
    ...setField('container', backup.container),
    ...(backup.incremental === undefined ? {} : { incremental: flagOf('incremental', backup.incremental) }),
    ...(backup.force === undefined ? {} : { force: flagOf('force', backup.force) }),
    ...(microversion >= metadataFrom ? setField('metadata', backup.metadata) : {}),
    ...(microversion >= zonesFrom ? setField('zone', backup.availability_zone) : {}),
  };
}

/** Into a volume that is there, or into a new one. */
function addRestore(app: FastifyInstance, gateway: Gateway, { backups, volumes }: VolumeService): void {
  app.post<ById>('/v3/backups/:id/restore', { config: { body: schemas.restoreBody } }, async (request, reply) => {
    const { restore: body } = parse(schemas.restoreBody, request.body);
    const { context, reader } = await viewingOf(gateway, request);
    const backup = backups.show(context, reader, request.params.id);
    const volume =
      body.volume_id == null || body.volume_id === ''
        ? await volumes.create(context, {
            backupId: backup.id,
            sizeGib: backup.sizeGib,
            name: body.name ?? `restore_backup_${backup.id}`,
          })
        : await backups.restore(context, backup.id, body.volume_id);
    return reply.code(202).send({ restore: { backup_id: backup.id, volume_id: volume.id, volume_name: volume.name } });
  });
}

/** What is to be kept of a backup elsewhere, and taken back from there. */
function addRecords(app: FastifyInstance, gateway: Gateway, { backups }: VolumeService): void {
  app.get<ById>('/v3/backups/:id/export_record', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { service, url } = backups.exportRecord(context, reader, request.params.id);
    return { 'backup-record': { backup_service: service, backup_url: url } };
  });
  app.post('/v3/backups/import_record', { config: { body: schemas.importRecordBody } }, async (request, reply) => {
    const { 'backup-record': record } = parse(schemas.importRecordBody, request.body);
    const made = await backups.importRecord(gateway.context(request), record.backup_service, record.backup_url);
    return reply.code(201).send({ backup: briefBackupView(made, { gateway, request }) });
  });
}
