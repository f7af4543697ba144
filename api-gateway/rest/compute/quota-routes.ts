/** `/os-quota-sets` and `/limits`, with the keys that each microversion still has. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ownValue } from '../../../node/base/own-value.ts';
import {
  type ProjectUser,
  type UserQuotas,
  userLimits,
  userUsage,
} from '../../../node/services/compute/kit/user-quotas.ts';
import type { QuotaResource, QuotaService, QuotaView } from '../../../node/services/kit/quota.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { readFlag, type View, viewingOf } from './kit/common.ts';
import { type Microversion, microversionOf } from './kit/microversion.ts';
import {
  injectedFileLimits,
  networkLimits,
  serverGroupLimits,
  unexpectedLimit,
  usualLimits,
} from './kit/quota-names.ts';

type ByProject = { Params: { project: string } };

/** Nova's names of the limits that a microversion's quota sets have, with the names that they are kept by. */
function namesOf(microversion: Microversion): Readonly<Record<string, QuotaResource>> {
  return {
    ...usualLimits,
    ...serverGroupLimits,
    ...(microversion < 36 ? networkLimits : {}),
    ...(microversion < 57 ? injectedFileLimits : {}),
  };
}

/**
 * Adds `/os-quota-sets`. A project that has no limits of its own shows the defaults; with `user_id`, those of a single user, which are
 * the project's where the user has none.
 */
export function addQuotaSets(
  app: FastifyInstance,
  gateway: Gateway,
  quotas: QuotaService,
  userQuotas: UserQuotas,
): void {
  const show = async (request: FastifyRequest<ByProject>): Promise<QuotaView> => {
    const { context, reader } = await viewingOf(gateway, request);
    const ofProject = quotas.show(context, reader, request.params.project);
    const user = userOf(request);
    if (user === undefined) return ofProject;
    return {
      limits: { ...ofProject.limits, ...userLimits(reader, user) },
      used: { ...ofProject.used, ...userUsage(reader, user) },
    };
  };
  const path = '/v2.1/os-quota-sets/:project';

  app.get<ByProject>(path, async (request) => {
    const { limits } = await show(request);
    return { quota_set: { id: request.params.project, ...quotaView(microversionOf(request), (name) => limits[name]) } };
  });
  app.get<ByProject>(`${path}/defaults`, async (request) => {
    const limits = quotas.defaults((await viewingOf(gateway, request)).reader);
    return { quota_set: { id: request.params.project, ...quotaView(microversionOf(request), (name) => limits[name]) } };
  });
  app.get<ByProject>(`${path}/detail`, async (request) => {
    const { limits, used } = await show(request);
    const view = quotaView(microversionOf(request), (name) => limits[name]);
    const uses = quotaView(microversionOf(request), (name) => used[name]);
    const details = Object.entries(view).map(([key, limit]) => [
      key,
      { limit, in_use: ownValue(uses, key), reserved: 0 },
    ]);
    return { quota_set: { id: request.params.project, ...Object.fromEntries(details) } };
  });
  app.put<ByProject>(path, { config: { body: schemas.quotaSetBody } }, async (request) => {
    const context = gateway.context(request);
    const body = parse(schemas.quotaSetBody, request.body).quota_set;
    const limits: Partial<Record<QuotaResource, number>> = {};
    let force = false;
    for (const [key, value] of Object.entries(body)) {
      if (key === 'force') {
        force = readFlag(String(value)) === true;
        continue;
      }
      limits[resourceOf(key, microversionOf(request))] = Number(value);
    }
    const user = userOf(request);
    if (user === undefined) await quotas.set(context, request.params.project, limits, { force });
    else await userQuotas.set(context, user, limits, { force });
    const shown = await show(request);
    return { quota_set: quotaView(microversionOf(request), (name) => shown.limits[name]) };
  });
  app.delete<ByProject>(path, async (request, reply) => {
    const context = gateway.context(request);
    const user = userOf(request);
    if (user === undefined) await quotas.reset(context, request.params.project);
    else await userQuotas.reset(context, user);
    return reply.code(202).send();
  });
}

/** The single user whose limits are meant; undefined: the project's are. */
function userOf(request: FastifyRequest<ByProject>): ProjectUser | undefined {
  const userId = Query.of(request).one('user_id');
  return userId === undefined ? undefined : { projectId: request.params.project, userId };
}

function resourceOf(key: string, microversion: Microversion): QuotaResource {
  const name = ownValue(namesOf(microversion), key);
  if (name === undefined) throw unexpectedLimit(key);
  return name;
}

function quotaView(microversion: Microversion, value: (name: QuotaResource) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(namesOf(microversion)).map(([key, name]) => [key, value(name)]));
}

/**
 * Adds `/limits`: the absolute limits and use of the caller's project, or of `tenant_id` for administrators. There are
 * no rate limits.
 */
export function addLimits(app: FastifyInstance, gateway: Gateway, quotas: QuotaService): void {
  app.get('/v2.1/limits', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const isAnyones = gateway.allows(request, 'os_compute_api:limits:other_project');
    const project = (isAnyones ? Query.of(request).one('tenant_id') : undefined) ?? context.projectId;
    const { limits, used } = quotas.show(context, reader, project);
    return { limits: { rate: [], absolute: absoluteView(microversionOf(request), limits, used) } };
  });
}

function absoluteView(microversion: Microversion, limits: QuotaView['limits'], used: QuotaView['used']): View {
  return {
    maxTotalInstances: limits.instances,
    maxTotalCores: limits.cores,
    maxTotalRAMSize: limits.ram,
    maxServerMeta: limits.metadata_items,
    maxTotalKeypairs: limits.key_pairs,
    maxServerGroups: limits.server_groups,
    maxServerGroupMembers: limits.server_group_members,
    totalInstancesUsed: used.instances,
    totalCoresUsed: used.cores,
    totalRAMUsed: used.ram,
    totalServerGroupsUsed: used.server_groups,
    ...(microversion < 36
      ? {
          maxTotalFloatingIps: limits.floatingip,
          maxSecurityGroups: limits.security_group,
          maxSecurityGroupRules: limits.security_group_rule,
          totalFloatingIpsUsed: used.floatingip,
          totalSecurityGroupsUsed: used.security_group,
        }
      : {}),
    ...(microversion < 39 ? { maxImageMeta: limits.metadata_items } : {}),
    ...(microversion < 57
      ? { maxPersonality: limits.injected_files, maxPersonalitySize: limits.injected_file_content_bytes }
      : {}),
  };
}
