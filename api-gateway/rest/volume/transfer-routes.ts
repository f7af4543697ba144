/** Offers of volumes to other projects, under the newer and the older path. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { anyOf } from '../kit/lists/filter.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/volume.ts';
import { type ById, flagOf, known, linksOf, timeText, type View, viewingOf } from './kit/common.ts';
import { addBothLists, scopeOf, textFilters } from './kit/lists.ts';
import { type Microversion, microversionOf, requireMicroversion } from './kit/microversion.ts';
import { setField } from './kit/set-fields.ts';

type Transfer = shoal.v1.VolumeTransfer;

/** Adds `/volume-transfers`, from 3.55 on, and `/os-volume-transfer`. */
export function addTransfers(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  addTransfersAt(app, gateway, service, { name: 'volume-transfers', from: 55 });
  addTransfersAt(app, gateway, service, { name: 'os-volume-transfer', from: 0 });
}

function addTransfersAt(
  app: FastifyInstance,
  gateway: Gateway,
  { transfers }: VolumeService,
  { name, from }: { readonly name: string; readonly from: Microversion },
): void {
  const path = `/v3/${name}`;
  const brief = ({ id, name: title, volumeId }: Transfer, { request }: { readonly request: FastifyRequest }): View => ({
    id,
    name: title,
    volume_id: volumeId,
    links: linksOf(gateway, request, `/${name}/${id}`),
  });
  const whole = (transfer: Transfer, shown: { readonly request: FastifyRequest }): View => {
    const microversion = microversionOf(shown.request);
    return {
      ...brief(transfer, shown),
      created_at: timeText(transfer.createdMs),
      ...(microversion >= 55 ? { no_snapshots: transfer.withoutSnapshots } : {}),
      ...(microversion >= 57
        ? {
            source_project_id: transfer.projectId,
            destination_project_id: known(transfer.destinationProjectId),
            accepted: transfer.accepted,
          }
        : {}),
    };
  };
  addBothLists<Transfer>(app, gateway, {
    path,
    key: 'transfers',
    from,
    items: (listing) => transfers.list(listing.context, listing.reader, scopeOf(listing)),
    filters: (listing) => ({
      ...textFilters<Transfer>(listing, { name: (one) => one.name }),
      volume_id: anyOf(
        (value) =>
          ({ volumeId }) =>
            volumeId === value,
      ),
    }),
    sortValues: { id: ({ id }) => id, name: (one) => one.name, created_at: ({ createdMs }) => createdMs },
    idOf: ({ id }) => id,
    brief,
    whole,
  });
  app.post(path, { config: { body: schemas.newTransferBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { transfer: body } = parse(schemas.newTransferBody, request.body);
    const { transfer, authKey } = await transfers.create(gateway.context(request), {
      volumeId: body.volume_id,
      ...setField('name', body.name),
      ...(body.no_snapshots === undefined ? {} : { withoutSnapshots: flagOf('no_snapshots', body.no_snapshots) }),
    });
    // The key is told this once, and kept as a hash.
    return reply.code(202).send({ transfer: { ...whole(transfer, { request }), auth_key: authKey } });
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { transfer: whole(transfers.show(context, reader, request.params.id), { request }) };
  });
  app.post<ById>(`${path}/:id/accept`, { config: { body: schemas.acceptTransferBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { auth_key: authKey } = parse(schemas.acceptTransferBody, request.body).accept;
    const accepted = await transfers.accept(gateway.context(request), request.params.id, authKey);
    return reply.code(202).send({ transfer: brief(accepted, { request }) });
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, { from });
    await transfers.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
}
