/** `/flavors`, their extra specs and who may use private ones. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { isAdministrator } from '../../../node/services/kit/permissions.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { type Filter, type Filters, once } from '../kit/lists/filter.ts';
import type { Listing } from '../kit/lists/list.ts';
import { orderBy } from '../kit/lists/order.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { briefFlavorView, flavorView } from './flavor-view.ts';
import { readFlag, rootOf, type View, viewingOf } from './kit/common.ts';
import { checkExtraSpec } from './kit/extra-spec-values.ts';
import { addNovaList } from './kit/lists.ts';
import { checkAttributes, type Microversion, microversionOf, requireMicroversion } from './kit/microversion.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };
type FlavorView = (root: string, flavor: shoal.v1.Flavor, microversion: Microversion) => View;

/**
 * Adds the flavors, their extra specs and their access lists. As in Nova, a flavor's sizes never change; its
 * description can, from 2.55 on.
 */
export function addFlavors(app: FastifyInstance, gateway: Gateway, { flavors }: ComputeService): void {
  const list = (path: string, view: FlavorView): void =>
    addNovaList(app, gateway, {
      path,
      key: 'flavors',
      paging: 'marker',
      items: ({ context, reader }) => flavors.list(context, reader),
      filters: flavorFilters,
      // Administrators see public ones unless they ask for private ones or, by "none", for all.
      where: ({ query, context }) =>
        query.all('is_public').length === 0 && isAdministrator(context) ? (flavor) => flavor.isPublic : undefined,
      // As Nova: by id, upwards, unless the query says otherwise.
      order: ({ query }) =>
        orderBy(query, {
          values: sortValues,
          fallback: 'asc',
          byDefault: ['flavorid'],
          last: (a, b) => (a.id < b.id ? -1 : 1),
        }),
      idOf: (flavor) => flavor.id,
      view: (flavor, { request }) => view(rootOf(gateway, request), flavor, microversionOf(request)),
    });
  const shown = (request: FastifyRequest, flavor: shoal.v1.Flavor): object => ({
    flavor: flavorView(rootOf(gateway, request), flavor, microversionOf(request)),
  });

  list('/v2.1/flavors', briefFlavorView);
  list('/v2.1/flavors/detail', flavorView);
  app.get<ById>('/v2.1/flavors/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return shown(request, flavors.show(context, reader, request.params.id));
  });
  app.post('/v2.1/flavors', { config: { body: schemas.newFlavorBody } }, async (request) => {
    const context = gateway.context(request);
    const { flavor } = parse(schemas.newFlavorBody, request.body);
    checkAttributes('flavor', flavor, { description: { from: 55 }, rxtx_factor: { to: 101 } }, microversionOf(request));
    const id = flavor.id == null || flavor.id === 'auto' || flavor.id === '' ? undefined : String(flavor.id);
    const made = await flavors.create(context, {
      ...(id === undefined ? {} : { id }),
      name: flavor.name,
      vcpus: Number(flavor.vcpus),
      memoryMib: Number(flavor.ram),
      diskGib: Number(flavor.disk),
      ephemeralGib: Number(flavor['OS-FLV-EXT-DATA:ephemeral'] ?? 0),
      swapMib: Number(flavor.swap ?? 0),
      rxtxFactor: Number(flavor.rxtx_factor ?? 1),
      isPublic: readFlag(String(flavor['os-flavor-access:is_public'] ?? 'true')) ?? true,
      description: flavor.description ?? '',
    });
    return shown(request, made);
  });
  app.put<ById>('/v2.1/flavors/:id', { config: { body: schemas.flavorPatchBody } }, async (request) => {
    requireMicroversion(request, { from: 55 });
    const context = gateway.context(request);
    const { description } = parse(schemas.flavorPatchBody, request.body).flavor;
    return shown(request, await flavors.setDescription(context, request.params.id, description ?? ''));
  });
  app.delete<ById>('/v2.1/flavors/:id', async (request, reply) => {
    await flavors.delete(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });

  addExtraSpecs(app, gateway, { flavors });
  addAccess(app, gateway, { flavors });
}

function flavorFilters({ context, request }: Listing): Filters<shoal.v1.Flavor> {
  return {
    ...(microversionOf(request) >= 102 ? { name: once((text) => (flavor) => flavor.name === text) } : {}),
    is_public: once((text) => {
      // To all others, private ones are those that they may use.
      if (!isAdministrator(context) || text.toLowerCase() === 'none') return undefined;
      const isPublic = readFlag(text);
      if (isPublic === undefined) {
        throw new ShoalError('INVALID_ARGUMENT', `Invalid is_public filter [${shown(text)}]`);
      }
      return (flavor) => flavor.isPublic === isPublic;
    }),
    minDisk: atLeast((flavor) => flavor.diskGib),
    minRam: atLeast((flavor) => flavor.memoryMib),
  };
}

function atLeast(of: (flavor: shoal.v1.Flavor) => number): Filter<shoal.v1.Flavor> {
  return once((text, key) => {
    if (!/^[+-]?[0-9]{1,15}$/.test(text.trim())) {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} filter [${shown(text)}]`);
    }
    return (flavor) => of(flavor) >= Number(text);
  });
}

/** By Nova's names; `id` counts Nova's rows, which are here in the order of the flavors' own ids. */
const sortValues: Readonly<Record<string, (flavor: shoal.v1.Flavor) => string | number>> = {
  description: (flavor) => flavor.description,
  disabled: () => 0,
  ephemeral_gb: (flavor) => flavor.ephemeralGib,
  flavorid: (flavor) => flavor.id,
  id: (flavor) => flavor.id,
  is_public: (flavor) => Number(flavor.isPublic),
  memory_mb: (flavor) => flavor.memoryMib,
  name: (flavor) => flavor.name,
  root_gb: (flavor) => flavor.diskGib,
  rxtx_factor: (flavor) => flavor.rxtxFactor,
  swap: (flavor) => flavor.swapMib,
  vcpus: (flavor) => flavor.vcpus,
};

function addExtraSpecs(app: FastifyInstance, gateway: Gateway, { flavors }: Pick<ComputeService, 'flavors'>): void {
  const path = '/v2.1/flavors/:id/os-extra_specs';
  const specsOf = async (request: FastifyRequest<ById>): Promise<Readonly<Record<string, string>>> => {
    const { context, reader } = await viewingOf(gateway, request);
    return flavors.show(context, reader, request.params.id).extraSpecs;
  };
  const texts = (specs: Readonly<Record<string, string | number>>): Record<string, string> =>
    Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]));

  app.get<ById>(path, async (request) => ({ extra_specs: await specsOf(request) }));
  app.post<ById>(path, { config: { body: schemas.extraSpecsBody } }, async (request) => {
    const specs = texts(parse(schemas.extraSpecsBody, request.body).extra_specs);
    checkSpecs(request, specs);
    await flavors.setExtraSpecs(gateway.context(request), request.params.id, specs);
    return { extra_specs: specs };
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { id, key } = request.params;
    const specs = await specsOf(request);
    if (!Object.hasOwn(specs, key)) {
      throw new ShoalError('NOT_FOUND', `Flavor ${id} has no extra specs with key ${key}.`);
    }
    return { [key]: specs[key] };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.extraSpecBody } }, async (request) => {
    const { id, key } = request.params;
    const specs = texts(parse(schemas.extraSpecBody, request.body));
    checkSpecs(request, specs);
    if (!Object.hasOwn(specs, key) || Object.keys(specs).length !== 1) {
      throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    }
    await flavors.setExtraSpecs(gateway.context(request), id, specs);
    return specs;
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await flavors.removeExtraSpec(gateway.context(request), request.params.id, request.params.key);
    return reply.code(200).send();
  });
}

/** From 2.86 on Nova knows the names of its own scopes and their values. */
function checkSpecs(request: FastifyRequest, specs: Readonly<Record<string, string>>): void {
  if (microversionOf(request) < 86) return;
  for (const [name, value] of Object.entries(specs)) checkExtraSpec(name, value);
}

function addAccess(app: FastifyInstance, gateway: Gateway, { flavors }: Pick<ComputeService, 'flavors'>): void {
  const view = (flavor: shoal.v1.Flavor): object => ({
    flavor_access: flavor.accessProjectIds.map((projectId) => ({ flavor_id: flavor.id, tenant_id: projectId })),
  });
  app.get<ById>('/v2.1/flavors/:id/os-flavor-access', async (request) => {
    const context = gateway.context(request);
    const { reader } = await viewingOf(gateway, request);
    const flavor = flavors.show(context, reader, request.params.id);
    if (flavor.isPublic) throw new ShoalError('NOT_FOUND', 'Access list not available for public flavors.');
    return view(flavor);
  });
  app.post<ById>('/v2.1/flavors/:id/action', { config: { body: schemas.flavorActionBody } }, async (request) => {
    const context = gateway.context(request);
    const action = parse(schemas.flavorActionBody, request.body);
    const isAdd = 'addTenantAccess' in action;
    const { tenant } = isAdd ? action.addTenantAccess : action.removeTenantAccess;
    return view(await flavors.setAccess(context, request.params.id, tenant, isAdd));
  });
}
