/**
 * Making servers: check, place (a host admits), bind (one transaction). Whatever fails after a host admitted gives the
 * claim back; only a commit of unknown fate does not, for the server may be bound: then the claim's own expiry decides.
 */
import { createHash } from 'node:crypto';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServerId } from '../../base/ids.ts';
import {
  imageTable,
  meshTable,
  portTable,
  securityGroupTable,
  serverGroupTable,
  serverTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../context.ts';
import type { Placed } from '../dependencies.ts';
import { deviceOwners, updatePortRow } from '../network/port-record.ts';
import { isFreePort, planPort } from '../network/ports.ts';
import { chargeQuota, quotaLimit, quotaUsage, unlimited } from '../quota.ts';
import { type Attempt, Change, randomFrom, transact } from '../transact.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { badRequest, conflict } from './refusals.ts';
import { type CheckedDraft, checkDraft, type NicDraft, type ServerDraft } from './server-draft.ts';
import { amountsOf, powerStates } from './server-record.ts';

/** Placements of one server when its group keeps changing between choice and commit. */
const placementsMax = 32;
/** Servers of one request that are placed at once: enough to hide the claims' round trips. */
const atOnceMax = 8;
/** Generation of a new server. */
const firstGeneration = 1;

/** What one request made. */
export interface MadeServers {
  readonly servers: readonly shoal.v1.Server[];
  readonly reservationId: string;
}

/** The group was not what the placement assumed: place again. */
class GroupChanged extends Error {}

export class ServerMaker {
  readonly #deps: ComputeDependencies;
  readonly #options: ComputeOptions;

  constructor(deps: ComputeDependencies, options: ComputeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Makes between `minCount` and `maxCount` servers, as many as the quota allows. A server for which no host is found is
   * made in ERROR, as Nova does; `undo` is called for those made when fewer than `minCount` could be.
   */
  async make(
    context: RequestContext,
    draft: ServerDraft,
    undo: (server: shoal.v1.Server) => Promise<void>,
  ): Promise<MadeServers> {
    const reader = await this.#deps.state.fresh(context.signal);
    const ids = Array.from({ length: draft.maxCount ?? draft.minCount ?? 1 }, (_, index) =>
      draft.clientToken === undefined
        ? this.#deps.newId()
        : idFromToken(`${context.projectId}/${draft.clientToken}/${index}`),
    );
    const before =
      draft.clientToken === undefined ? [] : ids.flatMap((id) => serverTable.get(reader, id)?.record ?? []);
    if (before[0] !== undefined) return { servers: before, reservationId: before[0].reservationId };

    const checked = checkDraft(context, reader, draft);
    const count = affordable(context, reader, checked);
    const reservationId = `r-${this.#deps.newId().replaceAll('-', '').slice(0, 8)}`;
    const made: shoal.v1.Server[] = [];
    const failures: unknown[] = [];
    // Members of one group would only get in each other's way.
    const atOnce = checked.groupId === '' ? atOnceMax : 1;
    for (let first = 0; first < count && failures.length === 0; first += atOnce) {
      const batch = ids.slice(first, Math.min(first + atOnce, count));
      const outcomes = await Promise.allSettled(
        batch.map((id, index) =>
          this.#makeOne(context, checked, { id, reservationId, name: nameOf(checked, first + index) }),
        ),
      );
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') made.push(outcome.value);
        else failures.push(outcome.reason);
      }
    }
    const isFewerWelcome =
      made.length >= checked.minCount && failures.every((error) => ShoalError.is(error, 'QUOTA_EXCEEDED'));
    if (failures.length > 0 && !isFewerWelcome) {
      await Promise.allSettled(made.map((server) => undo(server)));
      throw failures[0];
    }
    return { servers: made, reservationId };
  }

  async #makeOne(context: RequestContext, checked: CheckedDraft, naming: Naming): Promise<shoal.v1.Server> {
    for (let placements = 0; placements < placementsMax; placements++) {
      const reader = await this.#deps.state.fresh(context.signal);
      const { storage } = meshDefaults(reader, this.#options);
      const group = checked.groupId === '' ? undefined : serverGroupTable.get(reader, checked.groupId);
      if (checked.groupId !== '' && group === undefined)
        throw badRequest(`Instance group ${checked.groupId} could not be found.`);
      this.#rehearse(context, reader, checked, naming);
      let placed: Placed;
      try {
        placed = await this.#deps.placer.place(
          {
            serverId: naming.id as ServerId,
            generation: firstGeneration,
            flavor: checked.flavor,
            image: checked.image,
            projectId: context.projectId,
            zone: checked.zone,
            storage,
            excludeHostIds: [],
            ...(checked.forceHostName === undefined ? {} : { forceHostName: checked.forceHostName }),
            schedulerHints: checked.hints,
            ...(group === undefined ? {} : { group: groupForPlacement(reader, group.record) }),
          },
          context.signal,
        );
      } catch (caught) {
        if (!ShoalError.is(caught, 'NO_VALID_HOST')) throw caught;
        return this.#bind(context, checked, naming, { noValidHost: caught, storage, groupRevision: undefined });
      }
      try {
        const bound = await this.#bind(context, checked, naming, { placed, storage, groupRevision: group?.revision });
        // A repeat of this request was faster, and on another host.
        if (bound.hostId !== placed.hostId) await placed.release();
        return bound;
      } catch (caught) {
        // A server that may be bound keeps its room; the claim ends by itself if it is not.
        if (!ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) await placed.release();
        if (!(caught instanceof GroupChanged)) throw caught;
      }
    }
    throw new ShoalError('PRECONDITION_CHANGED', 'The server group kept changing under this request; try again.');
  }

  /** Plans the bind once for nothing, so that what is sure to be refused is refused before a host is asked. */
  #rehearse(context: RequestContext, reader: StateReader, checked: CheckedDraft, naming: Naming): void {
    const attempt: Attempt = { reader, change: new Change(), random: randomFrom(this.#deps.newId()), number: 0 };
    this.#plan(context, attempt, checked, naming, '');
  }

  #bind(
    context: RequestContext,
    checked: CheckedDraft,
    naming: Naming,
    where: {
      readonly placed?: Placed;
      readonly noValidHost?: ShoalError;
      readonly storage: string;
      readonly groupRevision: number | undefined;
    },
  ): Promise<shoal.v1.Server> {
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const existing = serverTable.get(reader, naming.id)?.record;
      if (existing !== undefined) return existing;
      if (where.placed === undefined) {
        const failed = this.#record(context, checked, naming, where.storage);
        failed.status = shoal.v1.ServerStatus.SERVER_STATUS_ERROR;
        failed.taskState = '';
        failed.fault = noHostFault(where.noValidHost, this.#deps.clock.nowMs());
        chargeQuota(change, reader, context.projectId, amountsOf(failed));
        serverTable.insert(change, failed);
        return failed;
      }
      const server = this.#record(context, checked, naming, where.storage);
      server.hostId = where.placed.hostId;
      server.portIds = [...this.#plan(context, attempt, checked, naming, where.placed.hostId)];
      if (checked.groupId !== '') {
        const group = serverGroupTable.get(reader, checked.groupId);
        // The host was chosen for the group as it was then; another member may sit there by now.
        const isStrict = group?.record.policy.startsWith('soft-') === false;
        if (group === undefined || (isStrict && group.revision !== where.groupRevision)) throw new GroupChanged();
        checkMembers(reader, group.record);
        const memberIds = [...group.record.memberIds, server.id];
        serverGroupTable.update(change, group, new shoal.v1.ServerGroup({ ...group.record, memberIds }));
      }
      change.compare({ key: imageTable.key(checked.image.id), exists: true });
      serverTable.insert(change, server);
      return server;
    });
  }

  /** Quota and ports of a new server; returns the ports' ids in the order of the NICs. */
  #plan(
    context: RequestContext,
    attempt: Attempt,
    checked: CheckedDraft,
    naming: Naming,
    hostId: string,
  ): readonly string[] {
    const { flavor } = checked;
    chargeQuota(attempt.change, attempt.reader, context.projectId, {
      instances: 1,
      cores: flavor.vcpus,
      ram: flavor.memoryMib,
    });
    return checked.nics.map((nic) =>
      nic.portId === undefined
        ? this.#newPort(context, attempt, checked, nic, naming, hostId)
        : this.#takePort(attempt, nic.portId, naming, hostId),
    );
  }

  #newPort(
    context: RequestContext,
    attempt: Attempt,
    checked: CheckedDraft,
    nic: NicDraft,
    naming: Naming,
    hostId: string,
  ): string {
    const port = planPort(
      // An address that the project asks for by its server is its own choice, on shared networks too (as in Nova).
      nic.fixedIp === undefined ? context : { ...context, isAdmin: true },
      attempt,
      {
        networkId: nic.networkId ?? '',
        projectId: context.projectId,
        deviceId: naming.id,
        deviceOwner: deviceOwners.compute,
        ...(nic.fixedIp === undefined ? {} : { fixedIps: [{ ip: nic.fixedIp }] }),
        ...(checked.securityGroups === undefined
          ? {}
          : { securityGroupIds: checked.securityGroups.map((group) => group.id) }),
      },
      {
        id: this.#deps.newId(),
        nowMs: this.#deps.clock.nowMs(),
        newId: this.#deps.newId,
        hostId,
        madeForServer: true,
      },
    );
    return port.id;
  }

  #takePort(attempt: Attempt, portId: string, naming: Naming, hostId: string): string {
    const row = portTable.get(attempt.reader, portId);
    if (row === undefined) throw badRequest(`Port ${portId} could not be found.`);
    if (!isFreePort(row.record)) throw conflict(`Port ${portId} is still in use.`);
    updatePortRow(
      attempt.change,
      row,
      new shoal.v1.Port({
        ...row.record,
        deviceId: naming.id,
        deviceOwner: deviceOwners.compute,
        hostId,
        updatedMs: this.#deps.clock.nowMs(),
      }),
    );
    return portId;
  }

  #record(context: RequestContext, checked: CheckedDraft, naming: Naming, storage: string): shoal.v1.Server {
    const nowMs = this.#deps.clock.nowMs();
    return new shoal.v1.Server({
      id: naming.id,
      name: naming.name,
      projectId: context.projectId,
      userId: context.userId,
      description: checked.description,
      flavor: checked.flavor,
      imageId: checked.image.id,
      generation: firstGeneration,
      powerWanted: shoal.v1.PowerWanted.POWER_WANTED_RUNNING,
      status: shoal.v1.ServerStatus.SERVER_STATUS_BUILD,
      taskState: 'spawning',
      keyName: checked.key?.name ?? '',
      publicKey: checked.key?.publicKey ?? '',
      userData: checked.userData,
      metadata: checked.metadata,
      zone: checked.zone,
      storage,
      rootVolumeId: this.#deps.newId(),
      createdMs: nowMs,
      updatedMs: nowMs,
      configDrive: checked.configDrive,
      powerState: powerStates.none,
      reservationId: naming.reservationId,
      serverGroupId: checked.groupId,
      schedulerHints: checked.hints,
      securityGroupNames: (checked.securityGroups ?? []).map((group) => group.name),
      tags: [...checked.tags],
      hostname: checked.hostname ?? hostnameOf(naming.name, naming.id),
    });
  }
}

interface Naming {
  readonly id: string;
  readonly name: string;
  readonly reservationId: string;
}

/** Where new disks go in this mesh. */
export function meshDefaults(reader: StateReader, options: ComputeOptions): { readonly storage: string } {
  const recorded = meshTable.get(reader, 'mesh')?.record.defaultStorage ?? '';
  return { storage: recorded === '' ? options.storage : recorded };
}

/** A group as placement wants it: the hosts of its members. */
export function groupForPlacement(
  reader: StateReader,
  group: shoal.v1.ServerGroup,
  withoutServerId = '',
): { readonly policy: string; readonly maxServerPerHost: number; readonly memberHostIds: readonly string[] } {
  const memberHostIds = group.memberIds
    .filter((id) => id !== withoutServerId)
    .flatMap((id) => {
      const hostId = serverTable.get(reader, id)?.record.hostId ?? '';
      return hostId === '' ? [] : [hostId];
    });
  return { policy: group.policy, maxServerPerHost: group.maxServerPerHost, memberHostIds };
}

/** A name that DNS and every guest accept: letters, digits and hyphens, 63 at most. */
export function hostnameOf(name: string, id: string): string {
  const clean = name
    .toLowerCase()
    .replace(/[\s_.]+/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return clean === '' ? `server-${id}` : clean;
}

function nameOf(checked: CheckedDraft, index: number): string {
  return checked.maxCount === 1 ? checked.name : `${checked.name}-${index + 1}`;
}

/** How many of the servers the quota has room for; throws when that is fewer than wanted at least. */
function affordable(context: RequestContext, reader: StateReader, checked: CheckedDraft): number {
  const needs = { instances: 1, cores: checked.flavor.vcpus, ram: checked.flavor.memoryMib } as const;
  let count = checked.maxCount;
  for (const resource of ['instances', 'cores', 'ram'] as const) {
    const limit = quotaLimit(reader, context.projectId, resource);
    const used = quotaUsage(reader, context.projectId, resource);
    const room = limit === unlimited ? Number.POSITIVE_INFINITY : Math.max(0, limit - used);
    const fit = Math.floor(room / needs[resource]);
    if (fit < checked.minCount) {
      throw new ShoalError(
        'QUOTA_EXCEEDED',
        `Quota exceeded for ${resource}: Requested ${needs[resource] * checked.minCount}, but already used ${used} of ${limit} ${resource}`,
        { facts: { resource, limit, used } },
      );
    }
    count = Math.min(count, fit);
  }
  return count;
}

function checkMembers(reader: StateReader, group: shoal.v1.ServerGroup): void {
  const limit = quotaLimit(reader, group.projectId, 'server_group_members');
  if (limit !== unlimited && group.memberIds.length >= limit) {
    throw new ShoalError('QUOTA_EXCEEDED', 'Quota exceeded, too many servers in group');
  }
}

function noHostFault(error: ShoalError | undefined, nowMs: number): shoal.v1.ServerFault {
  return new shoal.v1.ServerFault({
    code: 500,
    message: 'No valid host was found. There are not enough hosts available.',
    details: JSON.stringify(error?.facts ?? {}),
    createdMs: nowMs,
  });
}

/** The same token, the same id: the record's own key then makes a repeat harmless. Shaped as a UUID of version 8. */
function idFromToken(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Names of a server's groups, for answers: those of its ports, in order. */
export function securityGroupNamesOf(reader: StateReader, server: shoal.v1.Server): readonly string[] {
  const names = new Set<string>();
  for (const portId of server.portIds) {
    for (const id of portTable.get(reader, portId)?.record.securityGroupIds ?? []) {
      const name = securityGroupTable.get(reader, id)?.record.name;
      if (name !== undefined) names.add(name);
    }
  }
  return [...names];
}
