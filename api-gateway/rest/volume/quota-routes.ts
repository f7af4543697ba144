/** Quotas of block storage, and the limits and use of the caller's project. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shown } from '../../kit/input.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { quotaClassBody, quotaSetBody } from '../schemas/volume.ts';
import { type ById, flagOf, type View, viewingOf } from './kit/common.ts';
import { microversionOf } from './kit/microversion.ts';

type ByProject = { Params: { project: string } };

/** Highest limit: what a signed 32-bit field holds. */
const limitMax = 2 ** 31 - 1;
/** Keys of a body that set no limit. */
const notLimits: ReadonlySet<string> = new Set([
  'tenant_id',
  'project_id',
  'force',
  'skip_validation',
  'class_name',
  'id',
]);
const classPath = '/v3/os-quota-class-sets/:id';

/** Adds `/os-quota-sets` and `/os-quota-class-sets`. */
export function addQuotas(app: FastifyInstance, gateway: Gateway, { quotas }: VolumeService): void {
  const path = '/v3/os-quota-sets/:project';
  const limitsOf = async (request: FastifyRequest<ByProject>): Promise<View> => {
    const { context, reader } = await viewingOf(gateway, request);
    const set = quotas.show(context, reader, request.params.project);
    return Object.fromEntries(Object.entries(set).map(([name, { limit }]) => [name, limit]));
  };
  app.get<ByProject>(path, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const usage = Query.of(request).one('usage');
    if (usage === undefined || !flagOf('usage', usage)) {
      return { quota_set: { id: request.params.project, ...(await limitsOf(request)) } };
    }
    const set = quotas.show(context, reader, request.params.project);
    const uses = Object.entries(set).map(([name, { limit, used }]) => [
      name,
      { limit, in_use: used, reserved: 0, allocated: 0 },
    ]);
    return { quota_set: { id: request.params.project, ...Object.fromEntries(uses) } };
  });
  app.get<ByProject>(`${path}/defaults`, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return { quota_set: { id: request.params.project, ...quotas.defaults(reader) } };
  });
  app.put<ByProject>(path, { config: { body: quotaSetBody } }, async (request) => {
    const { quota_set: body } = parse(quotaSetBody, request.body);
    const { context, reader } = await viewingOf(gateway, request);
    await quotas.set(context, reader, request.params.project, limitsIn(body));
    return { quota_set: await limitsOf(request) };
  });
  app.delete<ByProject>(path, async (request, reply) => {
    await quotas.reset(gateway.context(request), request.params.project);
    return reply.code(200).send();
  });
  app.get<ById>(classPath, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return { quota_class_set: { id: request.params.id, ...quotas.defaults(reader) } };
  });
  app.put<ById>(classPath, { config: { body: quotaClassBody } }, async (request) => {
    const { quota_class_set: body } = parse(quotaClassBody, request.body);
    const { id } = request.params;
    if (id !== 'default') {
      throw new ShoalError('INVALID_ARGUMENT', `There is one quota class, default, and not ${shown(id)}.`);
    }
    const { context, reader } = await viewingOf(gateway, request);
    await quotas.setDefaults(context, reader, limitsIn(body));
    return { quota_class_set: quotas.defaults(await gateway.readState(request)) };
  });
}

/** The limits that a body sets, by name. */
function limitsIn(body: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const entries = Object.entries(body).filter(([name, value]) => !notLimits.has(name) && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, limitOf(name, value)]));
}

/** From -1, which is none, on. */
function limitOf(name: string, value: unknown): number {
  const text = String(value);
  const limit = Number(text);
  if (/^-?\d{1,10}$/.test(text) && limit >= -1 && limit <= limitMax) return limit;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `Invalid value '${shown(text)}' for ${shown(name)}: it is from -1 to ${limitMax}.`,
  );
}

/** Adds `/limits`: of the caller's project, or for administrators of `project_id`. There are no rate limits. */
export function addLimits(app: FastifyInstance, gateway: Gateway, { quotas }: VolumeService): void {
  app.get('/v3/limits', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const query = Query.of(request);
    const wanted = microversionOf(request) >= 39 ? query.one('project_id') : undefined;
    const isAnyones = gateway.allows(request, 'limits_extension:other_project');
    const set = quotas.show(context, reader, (isAnyones ? wanted : undefined) ?? context.projectId);
    const of = (name: string) => ownValue(set, name) ?? { limit: -1, used: 0 };
    return {
      limits: {
        rate: [],
        absolute: {
          maxTotalVolumes: of('volumes').limit,
          maxTotalSnapshots: of('snapshots').limit,
          maxTotalVolumeGigabytes: of('gigabytes').limit,
          maxTotalBackups: of('backups').limit,
          maxTotalBackupGigabytes: of('backup_gigabytes').limit,
          totalVolumesUsed: of('volumes').used,
          totalSnapshotsUsed: of('snapshots').used,
          totalGigabytesUsed: of('gigabytes').used,
          totalBackupsUsed: of('backups').used,
          totalBackupGigabytesUsed: of('backup_gigabytes').used,
        },
      },
    };
  });
}
