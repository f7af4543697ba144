/** Asking placement without placing: who would take such a server, why not the others, and how many more fit. */
import { randomUUID } from 'node:crypto';
import type { Explanation, HostExplanation } from '../../../placement/index.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServerId } from '../../base/ids.ts';
import { serverGroupTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { PlacementInquiry, PlaceRequest } from '../kit/dependencies.ts';
import type { ComputeOptions } from './dependencies.ts';
import { groupForPlacement } from './kit/group-hosts.ts';
import { meshDefaults } from './server-create.ts';
import { checkRequestSpec, type RequestSpec } from './server-draft.ts';

/** Most that is counted to: a bound on the work that one question makes. */
const countMaxMax = 100_000;

/** As the compute service is told. */
export type PreviewOptions = ComputeOptions;

/** Both gateways ask through this. The request is checked as a create's would be, so that the answer holds for one. */
export class PlacementPreview {
  readonly #inquiry: PlacementInquiry;
  readonly #options: PreviewOptions;

  constructor(inquiry: PlacementInquiry, options: PreviewOptions = { storage: 'local' }) {
    this.#inquiry = inquiry;
    this.#options = options;
  }

  /** How each filter thins the hosts; and what is said of each host, which is for administrators. */
  explain(
    context: RequestContext,
    reader: StateReader,
    spec: RequestSpec,
  ): { readonly explanation: Explanation; readonly hosts: readonly HostExplanation[] } {
    return this.#inquiry.explain(this.#request(context, reader, spec));
  }

  /** How many more of these fit, up to `countMax` (1 to `countMaxMax`). */
  whatIf(context: RequestContext, reader: StateReader, spec: RequestSpec, countMax: number): number {
    if (!Number.isInteger(countMax) || countMax < 1 || countMax > countMaxMax) {
      throw new ShoalError('INVALID_ARGUMENT', `count_max ${countMax}: expected 1 to ${countMaxMax}.`);
    }
    return this.#inquiry.whatIf(this.#request(context, reader, spec), countMax);
  }

  #request(context: RequestContext, reader: StateReader, spec: RequestSpec): PlaceRequest {
    const checked = checkRequestSpec(context, reader, spec, this.#options);
    const group = serverGroupTable.get(reader, checked.groupId)?.record;
    return {
      // Never claimed: any id does.
      serverId: randomUUID() as ServerId,
      generation: 1,
      flavor: checked.flavor,
      ...(checked.image === undefined ? {} : { image: checked.image }),
      projectId: context.projectId,
      zone: checked.zone,
      storage: meshDefaults(reader, this.#options).storage,
      excludeHostIds: [],
      ...(checked.forceHostName === undefined ? {} : { forceHostName: checked.forceHostName }),
      ...(checked.hostName === undefined ? {} : { hostName: checked.hostName }),
      schedulerHints: checked.hints,
      ...(group === undefined ? {} : { group: groupForPlacement(reader, group) }),
    };
  }
}
