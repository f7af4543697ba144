/** Nova's old way to the volume service: `/os-volumes` and `/os-snapshots`, up to 2.35. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import { typeById } from '../../../../node/services/volume/records/type-record.ts';
import { zoneOfVolume } from '../../../../node/services/volume/records/volume-zone.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { plainTimeText, readFlag, rootOf, type View, viewingOf } from '../kit/common.ts';
import { addNovaList } from '../kit/lists.ts';
import { lastOfProxies, requireMicroversion } from '../kit/microversion.ts';

type ById = { Params: { id: string } };
type Service = Pick<VolumeService, 'volumes' | 'snapshots'>;

/** Adds the project's volumes and snapshots. The two lists of each are the same, as in Nova. */
export function addVolumes(app: FastifyInstance, gateway: Gateway, service: Service): void {
  addVolumesAlone(app, gateway, service);
  addSnapshots(app, gateway, service);
}

function addVolumesAlone(app: FastifyInstance, gateway: Gateway, { volumes }: Service): void {
  const path = '/v2.1/os-volumes';
  for (const list of [path, `${path}/detail`]) {
    addNovaList(app, gateway, {
      path: list,
      key: 'volumes',
      microversions: lastOfProxies,
      paging: 'offset',
      items: ({ context, reader }) => volumes.list(context, reader, { allProjects: false }),
      idOf: ({ id }) => id,
      view: (volume, { reader }) => volumeView(reader, volume),
    });
  }
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { context, reader } = await viewingOf(gateway, request);
    return { volume: volumeView(reader, volumes.show(context, reader, request.params.id)) };
  });
  app.post(path, { config: { body: schemas.proxiedVolumeBody } }, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    const made = await volumes.create(gateway.context(request), volumeDraft(request));
    return reply
      .code(200)
      .header('location', `${rootOf(gateway, request)}${path}/${made.id}`)
      .send({ volume: volumeView(await gateway.readState(request), made) });
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    await volumes.remove(gateway.context(request), request.params.id, { cascade: false, force: false });
    return reply.code(202).send();
  });
}

function volumeDraft(request: FastifyRequest): Parameters<Service['volumes']['create']>[1] {
  const { volume } = parse(schemas.proxiedVolumeBody, request.body);
  return {
    sizeGib: Number(volume.size),
    ...(volume.display_name === undefined ? {} : { name: volume.display_name }),
    ...(volume.display_description === undefined ? {} : { description: volume.display_description }),
    ...(volume.volume_type === undefined ? {} : { type: volume.volume_type }),
    ...(volume.availability_zone === undefined ? {} : { zone: volume.availability_zone }),
    ...(volume.metadata === undefined ? {} : { metadata: volume.metadata }),
    ...(volume.snapshot_id === undefined ? {} : { snapshotId: volume.snapshot_id }),
  };
}

function addSnapshots(app: FastifyInstance, gateway: Gateway, { snapshots }: Service): void {
  const path = '/v2.1/os-snapshots';
  for (const list of [path, `${path}/detail`]) {
    addNovaList(app, gateway, {
      path: list,
      key: 'snapshots',
      microversions: lastOfProxies,
      paging: 'offset',
      items: ({ context, reader }) => snapshots.list(context, reader, { allProjects: false }),
      idOf: ({ id }) => id,
      view: snapshotView,
    });
  }
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { context, reader } = await viewingOf(gateway, request);
    return { snapshot: snapshotView(snapshots.show(context, reader, request.params.id)) };
  });
  app.post(path, { config: { body: schemas.proxiedSnapshotBody } }, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const { snapshot } = parse(schemas.proxiedSnapshotBody, request.body);
    const made = await snapshots.create(gateway.context(request), {
      volumeId: snapshot.volume_id,
      force: readFlag(String(snapshot.force ?? 'false')) === true,
      ...(snapshot.display_name == null ? {} : { name: snapshot.display_name }),
      ...(snapshot.display_description == null ? {} : { description: snapshot.display_description }),
    });
    return { snapshot: snapshotView(made) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    await snapshots.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
}

function volumeView(reader: StateReader, volume: shoal.v1.Volume): View {
  const use = volume.attachments.find(({ status }) => status === 'attached' || status === 'detaching');
  return {
    id: volume.id,
    status: volume.status,
    size: volume.sizeGib,
    availabilityZone: zoneOfVolume(reader, volume),
    createdAt: plainTimeText(volume.createdMs),
    attachments: [use === undefined ? {} : useView(volume, use)],
    displayName: volume.name,
    displayDescription: volume.description,
    volumeType: typeById(reader, volume.typeId)?.name ?? null,
    snapshotId: volume.sourceSnapshotId === '' ? null : volume.sourceSnapshotId,
    metadata: volume.metadata,
  };
}

function useView({ id }: shoal.v1.Volume, { serverId, device }: shoal.v1.IVolumeAttachment): View {
  const name = device ?? '';
  return { id, volumeId: id, serverId: serverId ?? '', ...(name === '' ? {} : { device: name }) };
}

function snapshotView(snapshot: shoal.v1.VolumeSnapshot): View {
  return {
    id: snapshot.id,
    volumeId: snapshot.volumeId,
    status: snapshot.status,
    size: snapshot.sizeGib,
    createdAt: plainTimeText(snapshot.createdMs),
    displayName: snapshot.name,
    displayDescription: snapshot.description,
  };
}
