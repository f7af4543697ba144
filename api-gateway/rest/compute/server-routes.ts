/** `/servers` and what lies below one. */

import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { NicDraft, ServerDraft } from '../../../node/services/compute/server-draft.ts';
import { portTable, securityGroupTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { clientTokenOf } from '../kit/client-token.ts';
import type { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { addInterfaces } from './attachments/interface-routes.ts';
import { blockDevicesOf } from './block-devices.ts';
import { linksOf, readFlag, rootOf, type View, viewingOf } from './kit/common.ts';
import { addNovaList } from './kit/lists.ts';
import {
  type AttributeVersions,
  checkAttributes,
  type Microversion,
  microversionOf,
  requireMicroversion,
} from './kit/microversion.ts';
import { securityGroupView } from './kit/security-group-view.ts';
import { lastPart, serverFilters, serverOrder } from './server-listing.ts';
import {
  briefServerView,
  groupNames,
  plainAddressesView,
  type ServerViewing,
  serverView,
  updatedServerView,
  viewingWith,
} from './server-view.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };

/**
 * Adds the servers, their addresses, interfaces, security groups, metadata and tags. Actions are in
 * `server-actions.ts`.
 */
export function addServers(app: FastifyInstance, gateway: Gateway, compute: ComputeService): void {
  const { servers } = compute;
  const viewingFrom = (request: FastifyRequest, reader: StateReader): ServerViewing =>
    viewingWith(gateway, compute, request, reader);
  const viewing = async (request: FastifyRequest): Promise<ServerViewing> =>
    viewingFrom(request, await gateway.readState(request));
  const list = (
    rule: 'index' | 'detail',
    path: string,
    view: (with_: ServerViewing, server: shoal.v1.Server) => View,
  ): void =>
    addNovaList(app, gateway, {
      path,
      key: 'servers',
      paging: 'marker',
      items: ({ context, reader, query, request }) => {
        const isAll = wantsAllProjects(query);
        if (isAll) gateway.enforce(request, `os_compute_api:servers:${rule}:get_all_tenants`);
        return servers.list(context, reader, isAll);
      },
      filters: serverFilters,
      order: serverOrder,
      idOf: (server) => server.id,
      view: (server, { request, reader }) => view(viewingFrom(request, reader), server),
    });

  list('index', '/v2.1/servers', briefServerView);
  list('detail', '/v2.1/servers/detail', (with_, server) => serverView(with_, server, true));

  app.post('/v2.1/servers', { config: { body: schemas.newServerBody } }, async (request, reply) => {
    const context = gateway.context(request);
    const body = parse(schemas.newServerBody, request.body);
    const { servers: made, reservationId } = await servers.create(context, draftOf(request, body));
    if (readFlag(String(body.server.return_reservation_id ?? 'false')) === true) {
      return reply.code(202).send({ reservation_id: reservationId });
    }
    const [server] = made;
    if (server === undefined) throw new ShoalError('CONFLICT', 'No server was made.');
    const root = rootOf(gateway, request);
    const { reader } = await viewing(request);
    const names = groupNames(reader, server);
    return reply
      .code(202)
      .header('location', `${root}/v2.1/servers/${server.id}`)
      .send({
        server: {
          id: server.id,
          links: linksOf(root, `servers/${server.id}`),
          'OS-DCF:diskConfig': server.diskConfigAuto ? 'AUTO' : 'MANUAL',
          security_groups: names.map((name) => ({ name })),
          // Clients insist on the key. Nothing here can set a password in a guest; keys and user data do that.
          adminPass: body.server.adminPass ?? randomBytes(9).toString('base64url'),
        },
      });
  });

  app.get<ById>('/v2.1/servers/:id', async (request) => {
    const with_ = await viewing(request);
    const server = servers.show(gateway.context(request), with_.reader, request.params.id);
    return { server: serverView(with_, server, false) };
  });

  app.put<ById>('/v2.1/servers/:id', { config: { body: schemas.serverPatchBody } }, async (request) => {
    const context = gateway.context(request);
    const patch = parse(schemas.serverPatchBody, request.body).server;
    checkAttributes('server', patch, patchVersions, microversionOf(request));
    checkHostname(patch.hostname, microversionOf(request));
    const server = await servers.update(context, request.params.id, {
      ...(patch.name === undefined ? {} : { name: patch.name }),
      ...(patch.description === undefined ? {} : { description: patch.description ?? '' }),
      ...(patch.hostname === undefined ? {} : { hostname: patch.hostname }),
      ...(patch.pinned_availability_zone === undefined ? {} : { pinnedZone: patch.pinned_availability_zone }),
      ...commonDraft(patch),
    });
    return { server: updatedServerView(await viewing(request), server) };
  });

  app.delete<ById>('/v2.1/servers/:id', async (request, reply) => {
    await servers.delete(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });

  app.get<ById>('/v2.1/servers/:id/ips', async (request) => {
    const { reader } = await viewing(request);
    const server = servers.show(gateway.context(request), reader, request.params.id);
    return { addresses: plainAddressesView(reader, server) };
  });
  app.get<ByKey>('/v2.1/servers/:id/ips/:key', async (request) => {
    const { reader } = await viewing(request);
    const { id, key } = request.params;
    const all = plainAddressesView(reader, servers.show(gateway.context(request), reader, id));
    const addresses = Object.hasOwn(all, key) ? all[key] : undefined;
    if (addresses === undefined) throw new ShoalError('NOT_FOUND', 'Instance is not a member of specified network');
    return { [key]: addresses };
  });

  // What a guest has posted to the metadata service, encrypted with its owner's key.
  app.get<ById>('/v2.1/servers/:id/os-server-password', async (request) => {
    const { reader } = await viewing(request);
    return { password: compute.passwords.show(gateway.context(request), reader, request.params.id) };
  });
  app.delete<ById>('/v2.1/servers/:id/os-server-password', async (request, reply) => {
    await compute.passwords.clear(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });

  app.get<ById>('/v2.1/servers/:id/os-security-groups', async (request) => {
    const { reader } = await viewing(request);
    const server = servers.show(gateway.context(request), reader, request.params.id);
    const ids = new Set(server.portIds.flatMap((id) => portTable.find(reader, id)?.record.securityGroupIds ?? []));
    const groups = [...ids].flatMap((id) => securityGroupTable.find(reader, id)?.record ?? []);
    return { security_groups: groups.map((group) => securityGroupView(reader, group)) };
  });

  addInterfaces(app, gateway, compute);
  addMetadata(app, gateway, compute);
  addTags(app, gateway, compute);
}

function addMetadata(app: FastifyInstance, gateway: Gateway, { servers }: ComputeService): void {
  const path = '/v2.1/servers/:id/metadata';
  const metadataOf = async (request: FastifyRequest<ById>): Promise<Readonly<Record<string, string>>> => {
    const { context, reader } = await viewingOf(gateway, request);
    return servers.show(context, reader, request.params.id).metadata;
  };
  const set = async (request: FastifyRequest<ById>, replace: boolean): Promise<object> => {
    const { metadata } = parse(schemas.metadataBody, request.body);
    return {
      metadata: await servers.setMetadata(gateway.context(request), request.params.id, metadata, { replace }),
    };
  };
  app.get<ById>(path, async (request) => ({ metadata: await metadataOf(request) }));
  app.post<ById>(path, { config: { body: schemas.metadataBody } }, (request) => set(request, false));
  app.put<ById>(path, { config: { body: schemas.metadataBody } }, (request) => set(request, true));
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { key } = request.params;
    const metadata = await metadataOf(request);
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (value === undefined) throw new ShoalError('NOT_FOUND', 'Metadata item was not found');
    return { meta: { [key]: value } };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.metaBody } }, async (request) => {
    const { id, key } = request.params;
    const { meta } = parse(schemas.metaBody, request.body);
    if (Object.keys(meta).length !== 1) {
      throw new ShoalError('INVALID_ARGUMENT', 'Request body contains too many items');
    }
    if (!Object.hasOwn(meta, key)) throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    await servers.setMetadata(gateway.context(request), id, meta, { replace: false });
    return { meta };
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await servers.removeMetadata(gateway.context(request), request.params.id, request.params.key);
    return reply.code(204).send();
  });
}

function addTags(app: FastifyInstance, gateway: Gateway, { servers }: ComputeService): void {
  const path = '/v2.1/servers/:id/tags';
  const tagsOf = async (request: FastifyRequest<ById>): Promise<readonly string[]> => {
    requireMicroversion(request, { from: 26 });
    const { context, reader } = await viewingOf(gateway, request);
    return servers.show(context, reader, request.params.id).tags;
  };
  const set = (request: FastifyRequest<ById>, edit: (tags: readonly string[]) => readonly string[]) => {
    requireMicroversion(request, { from: 26 });
    return servers.setTags(gateway.context(request), request.params.id, edit);
  };
  const none = (reply: FastifyReply) => reply.code(204).send();
  const unknown = (tag: string): ShoalError => new ShoalError('NOT_FOUND', `Server has no tag '${tag}'`);

  app.get<ById>(path, async (request) => ({ tags: await tagsOf(request) }));
  app.put<ById>(path, { config: { body: schemas.tagsBody } }, async (request) => {
    const { tags } = parse(schemas.tagsBody, request.body);
    return { tags: await set(request, () => tags) };
  });
  app.delete<ById>(path, async (request, reply) => {
    await set(request, () => []);
    return none(reply);
  });
  app.get<ByKey>(`${path}/:key`, async (request, reply) => {
    if (!(await tagsOf(request)).includes(request.params.key)) throw unknown(request.params.key);
    return none(reply);
  });
  app.put<ByKey>(`${path}/:key`, async (request, reply) => {
    const { id } = request.params;
    const key = parse(schemas.tagParameter, request.params.key, 'tag');
    let isNew = false;
    await set(request, (tags) => {
      isNew = !tags.includes(key);
      return isNew ? [...tags, key] : tags;
    });
    const location = `${rootOf(gateway, request)}/v2.1/servers/${id}/tags/${encodeURIComponent(key)}`;
    return reply
      .code(isNew ? 201 : 204)
      .header('location', location)
      .send();
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    const { key } = request.params;
    await set(request, (tags) => {
      if (!tags.includes(key)) throw unknown(key);
      return tags.filter((tag) => tag !== key);
    });
    return none(reply);
  });
}

function wantsAllProjects(query: Query): boolean {
  const text = query.one('all_tenants');
  if (text === undefined) return false;
  const all = readFlag(text);
  if (all === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid value for all_tenants: ${shown(text)}`);
  return all;
}

function draftOf(request: FastifyRequest, body: Static<typeof schemas.newServerBody>): ServerDraft {
  const { server } = body;
  checkMicroversion(server, microversionOf(request));
  if ((server.trusted_image_certificates?.length ?? 0) > 0) throw unsupported('trusted image certificates');
  if (readFlag(String(server.config_drive ?? 'false')) === true) throw unsupported('config drives');
  const blockDevices = blockDevicesOf(server, microversionOf(request));
  const host = server.host ?? server.hypervisor_hostname;
  if (server.hypervisor_hostname !== undefined && server.hypervisor_hostname !== host) {
    throw new ShoalError('INVALID_ARGUMENT', `No compute host ${host} has the node ${server.hypervisor_hostname}.`);
  }
  const zone = server.availability_zone;
  return {
    name: server.name,
    flavorId: lastPart(String(server.flavorRef)),
    imageId: lastPart(server.imageRef ?? ''),
    ...(blockDevices.length === 0 ? {} : { blockDevices }),
    ...(server.networks === undefined ? {} : { networks: nicsOf(server.networks, microversionOf(request)) }),
    ...(server.key_name === undefined ? {} : { keyName: server.key_name }),
    ...(server.user_data == null ? {} : { userData: server.user_data }),
    ...(server.metadata === undefined ? {} : { metadata: server.metadata }),
    ...(zone === undefined ? {} : { zone }),
    ...(host === undefined ? {} : { hostName: host }),
    ...(server.security_groups === undefined
      ? {}
      : { securityGroups: server.security_groups.map((group) => group.name ?? '') }),
    schedulerHints: body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {},
    ...(server.min_count === undefined ? {} : { minCount: Number(server.min_count) }),
    ...(server.max_count === undefined ? {} : { maxCount: Number(server.max_count) }),
    ...(server.description == null ? {} : { description: server.description }),
    ...(server.tags === undefined ? {} : { tags: server.tags }),
    ...(server.hostname === undefined ? {} : { hostname: server.hostname }),
    ...(server.personality === undefined ? {} : { injectedFiles: server.personality }),
    ...commonDraft(server),
    ...clientTokenOf(request),
  };
}

/** Attributes of a new server and the microversions that have them. */
const attributeVersions: AttributeVersions = {
  description: { from: 19 },
  tags: { from: 52 },
  personality: { to: 56 },
  trusted_image_certificates: { from: 63 },
  host: { from: 74 },
  hypervisor_hostname: { from: 74 },
  hostname: { from: 90 },
};

/** Of a server that is there. */
const patchVersions: AttributeVersions = {
  description: { from: 19 },
  hostname: { from: 90 },
  pinned_availability_zone: { from: 104 },
};

/** One label until 2.93; with its domain from 2.94 on, which the service checks. */
function checkHostname(hostname: string | undefined, microversion: Microversion): void {
  if (hostname === undefined || microversion >= 94 || /^[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9]$/.test(hostname))
    return;
  throw new ShoalError('INVALID_ARGUMENT', `Invalid input for field/attribute hostname. Value: ${shown(hostname)}.`);
}

/** Refuses what Nova does not have in this microversion; from 2.37 on it must be said which networks are meant. */
function checkMicroversion(server: Static<typeof schemas.newServerBody>['server'], microversion: Microversion): void {
  checkAttributes('server', server, attributeVersions, microversion);
  checkHostname(server.hostname, microversion);
  if (microversion >= 37 && server.networks === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      "Invalid body: server is missing networks: name them, or 'auto' or 'none'.",
    );
  }
  if (microversion < 37 && typeof server.networks === 'string') {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'Invalid body: server.networks is a list; auto and none exist from 2.37 on.',
    );
  }
}

/** What may be said of a server when it is made and later. */
function commonDraft(body: Static<typeof schemas.serverPatchBody>['server']) {
  return {
    ...(body.accessIPv4 === undefined ? {} : { accessIpv4: body.accessIPv4 }),
    ...(body.accessIPv6 === undefined ? {} : { accessIpv6: body.accessIPv6 }),
    ...(body['OS-DCF:diskConfig'] === undefined ? {} : { diskConfigAuto: body['OS-DCF:diskConfig'] === 'AUTO' }),
  };
}

/** Nova lost them for a while. */
function hasNicTags(microversion: Microversion): boolean {
  return (microversion >= 32 && microversion <= 36) || microversion >= 42;
}

function nicsOf(
  networks: Exclude<Static<typeof schemas.newServerBody>['server']['networks'], undefined>,
  microversion: Microversion,
) {
  if (typeof networks === 'string') return networks;
  return networks.map((nic): NicDraft => {
    if (nic.port == null && nic.uuid === undefined) {
      throw new ShoalError('INVALID_ARGUMENT', "Bad network format: missing 'uuid'");
    }
    if (nic.tag !== undefined && !hasNicTags(microversion)) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        'Invalid body: server.networks has unknown properties: tag (from 2.32 to 2.36, and from 2.42).',
      );
    }
    return {
      ...(nic.uuid === undefined ? {} : { networkId: nic.uuid }),
      ...(nic.port == null ? {} : { portId: nic.port }),
      ...(nic.fixed_ip === undefined ? {} : { fixedIp: nic.fixed_ip }),
      ...(nic.tag === undefined ? {} : { tag: nic.tag }),
    };
  });
}

function unsupported(what: string): ShoalError {
  return new ShoalError('NOT_IMPLEMENTED', `This version of Shoal does not have ${what}.`);
}
