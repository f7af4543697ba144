/** The collections: each names its service, its bodies and its view. */

import type { FastifyInstance } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { isShared } from '../../../node/services/kit/ownership.ts';
import { isAllowed } from '../../../node/services/kit/permissions.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { RouterInterface } from '../../../node/services/network/routers.ts';
import type { RouteDraft } from '../../../node/services/network/routes.ts';
import type { RuleView } from '../../../node/services/network/security-groups.ts';
import {
  floatingIpTable,
  networkTable,
  portTable,
  routerTable,
  securityGroupTable,
  subnetPoolTable,
  subnetTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/network.ts';
import { readResource, readResources } from './attributes.ts';
import * as bodies from './bodies.ts';
import { addCollection, type Collection, onlyOne, viewingOf } from './collection.ts';
import * as filters from './filters.ts';
import { addNetworkList, showAnswer, type View } from './listing.ts';
import { resourceBody } from './resource-body.ts';
import {
  floatingIpView,
  networkView,
  portView,
  routerView,
  ruleView,
  securityGroupView,
  subnetPoolView,
  subnetView,
} from './views.ts';

type ById = { Params: { id: string } };

/** Bodies come checked by the schema beside which they stand. */
const as = <Schema extends TSchema>(_schema: Schema, body: unknown): Static<Schema> => body as Static<Schema>;

/** The one value of a query key; undefined when it stands not at all or several times. */
function single(query: Query, key: string): string | undefined {
  const values = query.all(key);
  return values.length === 1 ? values[0] : undefined;
}

/** Adds `/networks`. Several in one request are made in one transaction. */
export function addNetworks(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { networks } = network;
  addCollection<shoal.v1.Network>(app, gateway, {
    plural: 'networks',
    key: 'network',
    newSchema: schemas.networkNew,
    patchSchema: schemas.networkPatch,
    listKeys: filters.networkKeys,
    readOnly: schemas.readOnly.network,
    revision: (reader, id) => networkTable.get(reader, id)?.revision,
    list: ({ context, reader }) => networks.list(context, reader),
    show: ({ context, reader }, id) => networks.show(context, reader, id),
    create: (context, all) =>
      networks.create(
        context,
        all.map((body) => bodies.networkDraft(as(schemas.networkNew, body))),
      ),
    update: (context, id, body) => networks.update(context, id, bodies.networkPatchOf(as(schemas.networkPatch, body))),
    retag: (context, id, tags) => networks.update(context, id, { tags }),
    delete: (context, id) => networks.delete(context, id),
    view: ({ context, reader }, record) =>
      networkView(reader, record, (rule) => isAllowed(context, rule), isShared(context, reader, 'network', record)),
  });
}

/** Adds `/subnets`. Several in one request are made in one transaction. */
export function addSubnets(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { subnets } = network;
  addCollection<shoal.v1.Subnet>(app, gateway, {
    plural: 'subnets',
    key: 'subnet',
    newSchema: schemas.subnetNew,
    patchSchema: schemas.subnetPatch,
    listKeys: filters.subnetKeys,
    readOnly: schemas.readOnly.subnet,
    revision: (reader, id) => subnetTable.get(reader, id)?.revision,
    list: ({ context, reader }) => subnets.list(context, reader),
    show: ({ context, reader }, id) => subnets.show(context, reader, id),
    create: (context, all) =>
      subnets.create(
        context,
        all.map((body) => bodies.subnetDraft(as(schemas.subnetNew, body))),
      ),
    update: (context, id, body) => subnets.update(context, id, bodies.subnetPatchOf(as(schemas.subnetPatch, body))),
    retag: (context, id, tags) => subnets.update(context, id, { tags }),
    delete: (context, id) => subnets.delete(context, id),
    view: (_viewing, record) => subnetView(record),
  });
}

/** Adds `/subnetpools`, `add_prefixes` and `remove_prefixes`. One pool in one request. */
export function addSubnetPools(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { subnetPools } = network;
  addCollection<shoal.v1.SubnetPool>(app, gateway, {
    plural: 'subnetpools',
    key: 'subnetpool',
    newSchema: schemas.subnetPoolNew,
    patchSchema: schemas.subnetPoolPatch,
    listKeys: filters.subnetPoolKeys,
    readOnly: schemas.readOnly.subnetpool,
    revision: (reader, id) => subnetPoolTable.get(reader, id)?.revision,
    list: ({ context, reader }) => subnetPools.list(context, reader),
    show: ({ context, reader }, id) => subnetPools.show(context, reader, id),
    create: async (context, all) => [
      await subnetPools.create(
        context,
        bodies.subnetPoolDraft(as(schemas.subnetPoolNew, onlyOne(all, 'subnet pools'))),
      ),
    ],
    update: (context, id, body) =>
      subnetPools.update(context, id, bodies.subnetPoolPatchOf(as(schemas.subnetPoolPatch, body))),
    retag: (context, id, tags) => subnetPools.update(context, id, { tags }),
    delete: (context, id) => subnetPools.delete(context, id),
    view: ({ context, reader }, record) => subnetPoolView(record, isShared(context, reader, 'subnetpool', record)),
  });

  const prefixesOf = (body: unknown): readonly string[] =>
    readResource(body, { key: 'subnetpool', schema: schemas.subnetPoolPrefixes, verb: 'PUT', readOnly: [] }).prefixes;
  app.put<ById>(
    '/v2.0/subnetpools/:id/add_prefixes',
    { config: { body: schemas.subnetPoolPrefixes } },
    async (request) => {
      const prefixes = prefixesOf(request.body);
      return { prefixes: await subnetPools.addPrefixes(gateway.context(request), request.params.id, prefixes) };
    },
  );
  app.put<ById>(
    '/v2.0/subnetpools/:id/remove_prefixes',
    { config: { body: schemas.subnetPoolPrefixes } },
    async (request) => {
      const prefixes = prefixesOf(request.body);
      return { prefixes: await subnetPools.removePrefixes(gateway.context(request), request.params.id, prefixes) };
    },
  );
}

/**
 * Adds `/ports`. Lists by `device_id` and `network_id` read an index. Several in one request are made in one
 * transaction.
 */
export function addPorts(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { ports } = network;
  addCollection<shoal.v1.Port>(app, gateway, {
    plural: 'ports',
    key: 'port',
    newSchema: schemas.portNew,
    patchSchema: schemas.portPatch,
    listKeys: filters.portKeys,
    readOnly: schemas.readOnly.port,
    revision: (reader, id) => portTable.get(reader, id)?.revision,
    list: ({ context, reader }, query) => {
      const deviceId = single(query, 'device_id');
      const networkId = single(query, 'network_id');
      return ports.list(context, reader, {
        ...(deviceId === undefined ? {} : { deviceId }),
        ...(networkId === undefined ? {} : { networkId }),
      });
    },
    show: ({ context, reader }, id) => ports.show(context, reader, id),
    create: (context, all) =>
      ports.create(
        context,
        all.map((body) => bodies.portDraft(as(schemas.portNew, body))),
      ),
    update: (context, id, body) => ports.update(context, id, bodies.portPatchOf(as(schemas.portPatch, body))),
    retag: (context, id, tags) => ports.update(context, id, { tags }),
    delete: (context, id) => ports.delete(context, id),
    view: ({ context, reader }, record) => portView(reader, record, (rule) => isAllowed(context, rule)),
  });
}

/** Adds `/routers` and `add_router_interface` and `remove_router_interface`. One router in one request. */
export function addRouters(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { routers } = network;
  addCollection<shoal.v1.Router>(app, gateway, {
    plural: 'routers',
    key: 'router',
    newSchema: schemas.routerNew,
    patchSchema: schemas.routerPatch,
    listKeys: filters.routerKeys,
    readOnly: schemas.readOnly.router,
    revision: (reader, id) => routerTable.get(reader, id)?.revision,
    list: ({ context, reader }) => routers.list(context, reader),
    show: ({ context, reader }, id) => routers.show(context, reader, id),
    create: async (context, all) => [
      await routers.create(context, bodies.routerDraft(as(schemas.routerNew, onlyOne(all, 'routers')))),
    ],
    update: (context, id, body) => routers.update(context, id, bodies.routerPatchOf(as(schemas.routerPatch, body))),
    retag: (context, id, tags) => routers.update(context, id, { tags }),
    delete: (context, id) => routers.delete(context, id),
    view: ({ context }, record) => routerView(record, (rule) => isAllowed(context, rule)),
  });

  app.put<ById>(
    '/v2.0/routers/:id/add_router_interface',
    { config: { body: schemas.routerInterface } },
    async (request) => {
      const { portId, subnetId } = interfaceOf(request.body);
      if ((portId === undefined) === (subnetId === undefined)) {
        throw badRequest('Either subnet_id or port_id must be specified');
      }
      const draft = portId === undefined ? { subnetId: subnetId ?? '' } : { portId };
      return interfaceView(await routers.addInterface(gateway.context(request), request.params.id, draft));
    },
  );
  app.put<ById>(
    '/v2.0/routers/:id/remove_router_interface',
    { config: { body: schemas.routerInterface } },
    async (request) => {
      const { portId, subnetId } = interfaceOf(request.body);
      if (portId === undefined && subnetId === undefined) {
        throw badRequest('Either subnet_id or port_id must be specified');
      }
      const draft = {
        ...(portId === undefined ? {} : { portId }),
        ...(subnetId === undefined ? {} : { subnetId }),
      };
      return interfaceView(await routers.removeInterface(gateway.context(request), request.params.id, draft));
    },
  );
}

/** Adds `add_extraroutes` and `remove_extraroutes`, which leave a router's other routes alone. */
export function addExtraRoutes(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { routers } = network;
  const add = (
    verb: 'add' | 'remove',
    reroute: (context: RequestContext, id: string, routes: readonly RouteDraft[]) => Promise<shoal.v1.Router>,
  ): void => {
    app.put<ById>(
      `/v2.0/routers/:id/${verb}_extraroutes`,
      { config: { body: resourceBody('router', schemas.extraRoutes) } },
      async (request) => {
        const { items } = readResources(request.body, {
          ...{ key: 'router', schema: schemas.extraRoutes, verb: 'PUT', readOnly: schemas.readOnly.router },
        });
        const routes = (items[0]?.routes ?? []).map(({ destination, nexthop }) => ({ destination, nextHop: nexthop }));
        const record = await reroute(gateway.context(request), request.params.id, routes);
        const { context, reader } = await viewingOf(gateway, request);
        const view = routerView(record, (rule) => isAllowed(context, rule));
        return { router: { ...view, revision_number: routerTable.get(reader, record.id)?.revision ?? 0 } };
      },
    );
  };
  add('add', (context, id, routes) => routers.addRoutes(context, id, routes));
  add('remove', (context, id, routes) => routers.removeRoutes(context, id, routes));
}

/** The body has no key of its own around it. */
function interfaceOf(body: unknown): { readonly portId: string | undefined; readonly subnetId: string | undefined } {
  const parsed = readResource(body, {
    key: 'router interface',
    schema: schemas.routerInterface,
    verb: 'PUT',
    readOnly: [],
  });
  return { portId: parsed.port_id ?? undefined, subnetId: parsed.subnet_id ?? undefined };
}

function interfaceView({ router, port }: RouterInterface): object {
  const subnetIds = port.fixedIps.map((fixed) => fixed.subnetId);
  return {
    id: router.id,
    tenant_id: router.projectId,
    project_id: router.projectId,
    port_id: port.id,
    network_id: port.networkId,
    subnet_id: subnetIds[0],
    subnet_ids: subnetIds,
    tags: router.tags,
  };
}

/** Adds `/floatingips`. One in one request. */
export function addFloatingIps(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { floatingIps } = network;
  addCollection<shoal.v1.FloatingIp>(app, gateway, {
    plural: 'floatingips',
    key: 'floatingip',
    newSchema: schemas.floatingIpNew,
    patchSchema: schemas.floatingIpPatch,
    listKeys: filters.floatingIpKeys,
    readOnly: schemas.readOnly.floatingip,
    revision: (reader, id) => floatingIpTable.get(reader, id)?.revision,
    list: ({ context, reader }) => floatingIps.list(context, reader),
    show: ({ context, reader }, id) => floatingIps.show(context, reader, id),
    create: async (context, all) => [
      await floatingIps.create(
        context,
        bodies.floatingIpDraft(as(schemas.floatingIpNew, onlyOne(all, 'floating IPs'))),
      ),
    ],
    update: (context, id, body) =>
      floatingIps.update(context, id, bodies.floatingIpPatchOf(as(schemas.floatingIpPatch, body))),
    retag: (context, id, tags) => floatingIps.update(context, id, { tags }),
    delete: (context, id) => floatingIps.delete(context, id),
    view: ({ reader }, record) => floatingIpView(reader, record),
  });
}

/**
 * Adds `/security-groups` and `/security-group-rules`. One group in one request; several rules are made in one
 * transaction.
 */
export function addSecurityGroups(app: FastifyInstance, gateway: Gateway, network: NetworkService): void {
  const { securityGroups } = network;
  const groups: Collection<shoal.v1.SecurityGroup> = {
    plural: 'security-groups',
    key: 'security_group',
    keys: 'security_groups',
    newSchema: schemas.securityGroupNew,
    patchSchema: schemas.securityGroupPatch,
    listKeys: filters.securityGroupKeys,
    readOnly: schemas.readOnly.security_group,
    revision: (reader, id) => securityGroupTable.get(reader, id)?.revision,
    list: async (viewing) => {
      // As in Neutron, a list makes the default group. What cannot be written now is made by a later one.
      const err = viewing.isStale ? undefined : await securityGroups.offerDefault(viewing.context);
      if (err !== undefined) gateway.logger.debug({ err }, 'the default security group could not be created');
      return securityGroups.list(viewing.context, viewing.reader);
    },
    show: ({ context, reader }, id) => securityGroups.show(context, reader, id),
    create: async (context, all) => [
      await securityGroups.create(
        context,
        bodies.securityGroupDraft(as(schemas.securityGroupNew, onlyOne(all, 'security groups'))),
      ),
    ],
    update: (context, id, body) => {
      const { name, description, stateful } = as(schemas.securityGroupPatch, body);
      return securityGroups.update(context, id, definedOf({ name, description, stateful }));
    },
    retag: (context, id, tags) => securityGroups.update(context, id, { tags }),
    delete: (context, id) => securityGroups.delete(context, id),
    view: ({ context, reader }, record) =>
      securityGroupView(record, isShared(context, reader, 'security_group', record)),
  };
  addCollection(app, gateway, groups);
  addRules(app, gateway, network);
}

function addRules(app: FastifyInstance, gateway: Gateway, { securityGroups }: NetworkService): void {
  const path = '/v2.0/security-group-rules';
  const withRevision = (reader: StateReader, view: RuleView): View => ({
    ...ruleView(view),
    // A rule never changes: its group's row is what was written when it was made.
    revision_number: securityGroupTable.get(reader, view.group.id)?.revision ?? 0,
  });

  addNetworkList(app, gateway, {
    path,
    key: 'security_group_rules',
    known: filters.ruleKeys,
    views: ({ context, reader }) => securityGroups.listRules(context, reader).map((view) => withRevision(reader, view)),
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const view: RuleView = securityGroups.showRule(context, reader, request.params.id);
    return showAnswer(request, 'security_group_rule', withRevision(reader, view));
  });
  const body = resourceBody('security_group_rule', schemas.securityGroupRuleNew, 'security_group_rules');
  app.post(path, { config: { body } }, async (request, reply) => {
    const context = gateway.context(request);
    const { isBulk, items } = readResources(request.body, {
      key: 'security_group_rule',
      keys: 'security_group_rules',
      schema: schemas.securityGroupRuleNew,
      verb: 'POST',
      readOnly: schemas.readOnly.security_group_rule,
    });
    const made = await securityGroups.createRules(
      context,
      items.map((body) => bodies.securityGroupRuleDraft(body)),
    );
    const { reader } = await viewingOf(gateway, request);
    const views = made.map((view) => withRevision(reader, view));
    return reply.code(201).send(isBulk ? { security_group_rules: views } : { security_group_rule: views[0] });
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    await securityGroups.deleteRule(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}
