/** `/flavors`, their extra specs and who may use private ones. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { isAdministrator } from '../../../node/services/kit/permissions.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import { sortOrder } from '../kit/sort-order.ts';
import { parse } from '../kit/validation.ts';
import { briefFlavorView, flavorView } from './flavor-view.ts';
import { pageOf, queryValue, queryValues, readFlag, rootOf, type View, viewingOf } from './kit/common.ts';
import { checkAttributes, type Microversion, microversionOf, requireMicroversion } from './kit/microversion.ts';
import * as schemas from './kit/schemas.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };
type FlavorView = (root: string, flavor: shoal.v1.Flavor, microversion: Microversion) => View;

/**
 * Adds the flavors, their extra specs and their access lists. As in Nova, a flavor's sizes never change; its
 * description can, from 2.55 on.
 */
export function addFlavors(app: FastifyInstance, gateway: Gateway, { flavors }: ComputeService): void {
  const list = async (request: FastifyRequest, view: FlavorView): Promise<object> => {
    const { context, reader } = await viewingOf(gateway, request);
    const selected = select(request, flavors.list(context, reader), isAdministrator(context));
    const { page, links } = pageOf(gateway, request, selected, (flavor) => flavor.id);
    return {
      flavors: page.map((flavor) => view(rootOf(gateway, request), flavor, microversionOf(request))),
      ...(links.length === 0 ? {} : { flavors_links: links }),
    };
  };
  const shown = (request: FastifyRequest, flavor: shoal.v1.Flavor): object => ({
    flavor: flavorView(rootOf(gateway, request), flavor, microversionOf(request)),
  });

  app.get('/v2.1/flavors', (request) => list(request, briefFlavorView));
  app.get('/v2.1/flavors/detail', (request) => list(request, flavorView));
  app.get<ById>('/v2.1/flavors/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return shown(request, flavors.show(context, reader, request.params.id));
  });
  app.post('/v2.1/flavors', async (request) => {
    const context = gateway.context(request);
    const { flavor } = parse(schemas.newFlavorBody, request.body);
    checkAttributes('flavor', flavor, { description: { from: 55 } }, microversionOf(request));
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
  app.put<ById>('/v2.1/flavors/:id', async (request) => {
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

function select(
  request: FastifyRequest,
  all: readonly shoal.v1.Flavor[],
  seesPrivate: boolean,
): readonly shoal.v1.Flavor[] {
  const isPublicText = queryValue(request, 'is_public');
  // Administrators see public ones unless they ask for private ones or, by "none", for all.
  const isAll = !seesPrivate || isPublicText?.toLowerCase() === 'none';
  const isPublic = isAll ? undefined : readFlag(isPublicText ?? 'true');
  if (!isAll && isPublic === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid is_public filter [${shown(isPublicText ?? '')}]`);
  }
  const minDisk = leastOf(request, 'minDisk');
  const minRam = leastOf(request, 'minRam');
  return sorted(
    request,
    all.filter(
      (flavor) =>
        (isPublic === undefined || flavor.isPublic === isPublic) &&
        flavor.diskGib >= minDisk &&
        flavor.memoryMib >= minRam,
    ),
  );
}

function leastOf(request: FastifyRequest, key: 'minDisk' | 'minRam'): number {
  const text = queryValue(request, key) ?? '0';
  if (!/^[+-]?\d{1,15}$/.test(text.trim())) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} filter [${shown(text)}]`);
  }
  return Number(text);
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

/** As Nova: by id, upwards, unless the query says otherwise. */
function sorted(request: FastifyRequest, all: readonly shoal.v1.Flavor[]): readonly shoal.v1.Flavor[] {
  const keys = queryValues(request, 'sort_key');
  const order = sortOrder(keys.length === 0 ? ['flavorid'] : keys, queryValues(request, 'sort_dir'), {
    fallback: 'asc',
    isKnown: (key) => Object.hasOwn(sortValues, key),
  });
  return [...all].sort((a, b) => {
    for (const { key, isDescending } of order) {
      const value = ownValue(sortValues, key);
      const [left, right] = [value?.(a) ?? '', value?.(b) ?? ''];
      if (left !== right) return left < right === isDescending ? 1 : -1;
    }
    return a.id < b.id ? -1 : 1;
  });
}

function addExtraSpecs(app: FastifyInstance, gateway: Gateway, { flavors }: Pick<ComputeService, 'flavors'>): void {
  const path = '/v2.1/flavors/:id/os-extra_specs';
  const specsOf = async (request: FastifyRequest<ById>): Promise<Readonly<Record<string, string>>> => {
    const { context, reader } = await viewingOf(gateway, request);
    return flavors.show(context, reader, request.params.id).extraSpecs;
  };
  const texts = (specs: Readonly<Record<string, string | number>>): Record<string, string> =>
    Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]));

  app.get<ById>(path, async (request) => ({ extra_specs: await specsOf(request) }));
  app.post<ById>(path, async (request) => {
    const specs = texts(parse(schemas.extraSpecsBody, request.body).extra_specs);
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
  app.put<ByKey>(`${path}/:key`, async (request) => {
    const { id, key } = request.params;
    const specs = texts(parse(schemas.extraSpecBody, request.body));
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
  app.post<ById>('/v2.1/flavors/:id/action', async (request) => {
    const context = gateway.context(request);
    const action = parse(schemas.flavorActionBody, request.body);
    const isAdd = 'addTenantAccess' in action;
    const { tenant } = isAdd ? action.addTenantAccess : action.removeTenantAccess;
    return view(await flavors.setAccess(context, request.params.id, tenant, isAdd));
  });
}
