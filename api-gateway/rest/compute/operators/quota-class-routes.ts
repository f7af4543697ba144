/** `/os-quota-class-sets`: the limits of projects that have none of their own. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { QuotaResource, QuotaService } from '../../../../node/services/kit/quota.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { viewingOf } from '../kit/common.ts';
import { type Microversion, microversionOf } from '../kit/microversion.ts';
import {
  injectedFileLimits,
  networkLimits,
  serverGroupLimits,
  unexpectedLimit,
  usualLimits,
} from '../kit/quota-names.ts';

type ById = { Params: { id: string } };

/** The only class that limits anything, as in Nova. */
const onlyClass = 'default';

/** Nova's names of the limits that a microversion shows, with the names that they are kept by. */
function namesOf(microversion: Microversion): Readonly<Record<string, QuotaResource>> {
  return {
    ...usualLimits,
    ...(microversion >= 50 ? serverGroupLimits : networkLimits),
    ...(microversion < 57 ? injectedFileLimits : {}),
  };
}

/** Adds the class to read and to change. `PUT` of another class than `default` is 400: nothing would follow from it. */
export function addQuotaClasses(app: FastifyInstance, gateway: Gateway, quotas: QuotaService): void {
  const path = '/v2.1/os-quota-class-sets/:id';
  app.get<ById>(path, async (request) => {
    const limits = quotas.defaults((await viewingOf(gateway, request)).reader);
    const names = Object.entries(namesOf(microversionOf(request)));
    return {
      quota_class_set: {
        id: request.params.id,
        ...Object.fromEntries(names.map(([key, name]) => [key, limits[name]])),
      },
    };
  });
  app.put<ById>(path, { config: { body: schemas.quotaClassSetBody } }, async (request) => {
    const { id } = request.params;
    const body = parse(schemas.quotaClassSetBody, request.body).quota_class_set;
    const names = namesOf(microversionOf(request));
    const limits = Object.entries(body).map(([key, limit]) => {
      const name = Object.hasOwn(names, key) ? names[key] : undefined;
      if (name === undefined) throw unexpectedLimit(key);
      return [name, Number(limit)] as const;
    });
    if (id !== onlyClass) {
      throw new ShoalError('INVALID_ARGUMENT', `There is one quota class, ${onlyClass}, and not ${shown(id)}.`);
    }
    await quotas.setDefaults(gateway.context(request), Object.fromEntries(limits));
    const next = quotas.defaults(await gateway.readState(request));
    return { quota_class_set: Object.fromEntries(Object.entries(names).map(([key, name]) => [key, next[name]])) };
  });
}
