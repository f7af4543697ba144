import { randomUUID } from 'node:crypto';
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId } from '../../node/base/ids.ts';
import type { Handlers } from '../../node/mesh/grpc/server.ts';
import type { Flavors } from '../../node/services/compute/flavors.ts';
import type { PlaceRequest } from '../../node/services/dependencies.ts';
import type { ImageService } from '../../node/services/image.ts';
import { meshTable } from '../../node/state/tables/index.ts';
import type { Explanation, HostExplanation } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import { type Caller, type Callers, nativePolicy, type Served } from './caller.ts';

/** Most that `WhatIf` counts to: a bound on the work that one call makes. */
const countMaxMax = 100_000;

/** Asks the placement view of this agent without placing anything. */
export interface PlacementInquiry {
  explain(request: PlaceRequest): { readonly explanation: Explanation; readonly hosts: readonly HostExplanation[] };
  /** How many more like it fit, at most `countMax`. */
  whatIf(request: PlaceRequest, countMax: number): number;
}

export interface PlacementHandlersDependencies {
  readonly inquiry: PlacementInquiry;
  readonly flavors: Flavors;
  readonly images: ImageService;
}

/** `shoal.v1.PlacementService`. Reasons per host are for administrators. */
export function placementHandlers(
  callers: Callers,
  deps: PlacementHandlersDependencies,
): Handlers<shoal.v1.PlacementService, Caller> {
  return {
    explain: (request, call) =>
      callers.serve(call, async (served) => {
        const { explanation, hosts } = deps.inquiry.explain(await wish(deps, served, request, request.schedulerHints));
        const perHost = nativePolicy.allows('explain_per_host', served.credentials) ? hosts : [];
        return {
          filters: explanation.filters.map((filter) => ({
            filter: filter.name,
            removed: filter.removed,
            left: filter.considered - filter.removed,
            reason: filter.reasons[0]?.text ?? '',
          })),
          hosts: perHost.map((host) => ({
            hostId: host.hostId,
            hostName: host.hostName,
            filter: host.refusals[0]?.filter ?? '',
            reason: host.refusals[0]?.reason ?? '',
            weight: host.score ?? 0,
          })),
        };
      }),
    whatIf: (request, call) =>
      callers.serve(call, async (served) => {
        const { countMax } = request;
        if (countMax < 1 || countMax > countMaxMax) {
          throw new ShoalError('INVALID_ARGUMENT', `count_max ${countMax}: expected 1 to ${countMaxMax}.`);
        }
        return { count: deps.inquiry.whatIf(await wish(deps, served, request, {}), countMax) };
      }),
  };
}

async function wish(
  deps: PlacementHandlersDependencies,
  { context, read }: Served,
  asked: { readonly flavorId: string; readonly imageId: string; readonly zone: string },
  schedulerHints: Readonly<Record<string, string>>,
): Promise<PlaceRequest> {
  const { reader } = await read();
  const image = asked.imageId === '' ? undefined : deps.images.show(reader, context, asked.imageId);
  return {
    // Never claimed: any id does.
    serverId: randomUUID() as ServerId,
    generation: 1,
    flavor: deps.flavors.show(context, reader, asked.flavorId),
    ...(image === undefined ? {} : { image }),
    projectId: context.projectId,
    zone: asked.zone,
    storage: meshTable.get(reader, 'mesh')?.record.defaultStorage || 'local',
    excludeHostIds: [],
    schedulerHints,
  };
}
