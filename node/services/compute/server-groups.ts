/** Server groups: which servers must, or should, share a host or keep apart. */

import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { serverGroupTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { mayActOn } from '../kit/permissions.ts';

import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { transact } from '../kit/transact.ts';
import { badRequest, checkName, groupNotFound } from './kit/refusals.ts';
import { holdUserQuota } from './kit/user-quotas.ts';

const policies = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'];

interface ServerGroupDraft {
  readonly name: string;
  readonly policy: string;
  /** Anti-affinity only: how many may share a host. Absent: one. */
  readonly maxServerPerHost?: number;
}

/**
 * Nova's `os-server-groups`. A group of another project is `NOT_FOUND` but for administrators; its quota is
 * `server_groups`. Policies and `maxServerPerHost` do not change once the group is made.
 */
export class ServerGroups {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** The project's; with `allProjects` everybody's. */
  list(context: RequestContext, reader: StateReader, allProjects = false): readonly shoal.v1.ServerGroup[] {
    const rows = allProjects
      ? serverGroupTable.list(reader)
      : serverGroupTable.by(reader, 'project', indexKey(context.projectId));
    return rows.map((row) => row.record);
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.ServerGroup {
    return groupRow(context, reader, id).record;
  }

  async create(context: RequestContext, draft: ServerGroupDraft): Promise<shoal.v1.ServerGroup> {
    const name = checkName('name', draft.name);
    if (!policies.includes(draft.policy)) {
      throw badRequest(`Invalid input for field/attribute policy. Value: ${draft.policy}.`);
    }
    if (draft.maxServerPerHost !== undefined && draft.policy !== 'anti-affinity') {
      throw badRequest('Only anti-affinity policy supports rules.');
    }
    const group = new shoal.v1.ServerGroup({
      id: this.#deps.newId(),
      name,
      projectId: context.projectId,
      userId: context.userId,
      policy: draft.policy,
      maxServerPerHost: draft.maxServerPerHost ?? (draft.policy === 'anti-affinity' ? 1 : 0),
      createdMs: this.#deps.clock.nowMs(),
    });
    await transact(this.#deps, context, ({ reader, change }) => {
      chargeQuota(change, reader, context.projectId, { server_groups: 1 });
      holdUserQuota(change, reader, context, { server_groups: 1 });
      serverGroupTable.insert(change, group);
    });
    return group;
  }

  /** Its servers stay where they are. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = groupRow(context, reader, id);
      refundQuota(change, row.record.projectId, { server_groups: 1 });
      serverGroupTable.remove(change, row);
    });
  }
}

/** The project's own group, or any for administrators; 404 otherwise. */
export function groupRow(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.ServerGroup> {
  const row = serverGroupTable.get(reader, id);
  if (row === undefined || !mayActOn(context, row.record)) throw groupNotFound(id);
  return row;
}
