/**
 * `/v2/info/usage`: what the caller's project has of its image quotas, as Glance words it. Glance has its limits set in
 * Keystone's unified limits, which are not served: below the project's id administrators set them here.
 */
import type { FastifyInstance } from 'fastify';
import type { QuotaService, QuotaView } from '../../../node/services/kit/quota.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { imageLimitsBody } from '../schemas/image.ts';

type ByProject = { Params: { project: string } };

/**
 * Adds the usage of the caller's project, and by a project's id usage and limits. -1 means no limit; `image_size_total`
 * is in MiB.
 */
export function addQuotaRoutes(app: FastifyInstance, gateway: Gateway, quotas: QuotaService): void {
  app.get('/v2/info/usage', async (request) => {
    const context = gateway.context(request);
    return usageView(quotas.show(context, await gateway.readState(request), context.projectId));
  });
  app.get<ByProject>('/v2/info/usage/:project', async (request) => {
    const reader = await gateway.readState(request);
    return usageView(quotas.show(gateway.context(request), reader, request.params.project));
  });
  app.put<ByProject>('/v2/info/usage/:project', { config: { body: imageLimitsBody } }, async (request) => {
    const { project } = request.params;
    const { limits } = parse(imageLimitsBody, request.body);
    await quotas.set(gateway.context(request), project, limits);
    return usageView(quotas.show(gateway.context(request), await gateway.readState(request), project));
  });
}

/** `image_size_total` is in MiB. */
function usageView({ limits, used }: QuotaView): Readonly<Record<string, unknown>> {
  const of = (name: 'image_count_total' | 'image_size_total') => ({ limit: limits[name], usage: used[name] });
  return { usage: { image_size_total: of('image_size_total'), image_count_total: of('image_count_total') } };
}
