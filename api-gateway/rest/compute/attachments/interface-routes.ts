/** The NICs of servers: `/servers/{id}/os-interface`. */
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { ComputeService } from '../../../../node/services/compute/index.ts';
import type { ServerInterface } from '../../../../node/services/compute/interfaces/server-interfaces.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { type View, viewingOf } from '../kit/common.ts';
import { type AttributeVersions, checkAttributes, type Microversion, microversionOf } from '../kit/microversion.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };

const versions: AttributeVersions = { tag: { from: 49 } };
/** From then on answers say the tag. */
const taggedFrom = 70;

/** Adds the NICs of servers. */
export function addInterfaces(
  app: FastifyInstance,
  gateway: Gateway,
  { interfaces }: Pick<ComputeService, 'interfaces'>,
): void {
  const path = '/v2.1/servers/:id/os-interface';
  app.get<ById>(path, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const found = interfaces.list(context, reader, request.params.id);
    return { interfaceAttachments: found.map((one) => interfaceView(one, microversionOf(request))) };
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const found = interfaces.show(context, reader, request.params.id, request.params.key);
    return { interfaceAttachment: interfaceView(found, microversionOf(request)) };
  });
  app.post<ById>(path, { config: { body: schemas.interfaceBody } }, async (request) => {
    // As Nova's, which takes an empty body, and none.
    const { interfaceAttachment: body = {} } = parse(schemas.interfaceBody, request.body ?? {});
    checkAttributes('interfaceAttachment', body, versions, microversionOf(request));
    const made = await interfaces.attach(gateway.context(request), request.params.id, draftOf(body));
    return { interfaceAttachment: interfaceView(made, microversionOf(request)) };
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await interfaces.detach(gateway.context(request), request.params.id, request.params.key);
    return reply.code(202).send();
  });
}

function draftOf(body: NonNullable<Static<typeof schemas.interfaceBody>['interfaceAttachment']>) {
  const fixedIp = body.fixed_ips?.[0]?.ip_address;
  return {
    ...(body.port_id === undefined ? {} : { portId: body.port_id }),
    ...(body.net_id === undefined ? {} : { networkId: body.net_id }),
    ...(fixedIp === undefined ? {} : { fixedIp }),
    ...(body.tag === undefined ? {} : { tag: body.tag }),
  };
}

function interfaceView({ port, tag }: ServerInterface, microversion: Microversion): View {
  return {
    port_id: port.id,
    net_id: port.networkId,
    mac_addr: port.mac,
    port_state: port.status,
    fixed_ips: port.fixedIps.map((fixed) => ({ subnet_id: fixed.subnetId, ip_address: fixed.ip })),
    ...(microversion >= taggedFrom ? { tag: tag === '' ? null : tag } : {}),
  };
}
