/**
 * Making servers: check, place (a host admits), bind (one transaction). Whatever fails after a host admitted gives the
 * claim back; only a commit of unknown fate does not, for the server may be bound: then the claim's own expiry decides.
 */

import { shoal } from '../../../proto/messages.ts';
import { must } from '../../base/assert.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServerId } from '../../base/ids.ts';
import { beginningOf } from '../../base/text.ts';
import { commandBytesMax } from '../../state/command.ts';
import { encodeRecord } from '../../state/record-bytes.ts';
import { hostTable, imageTable, meshTable, serverGroupTable, serverTable } from '../../state/tables/index.ts';
import { type StateReader, transactionItemsMax } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { PlacedServer } from '../kit/dependencies.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { idFromToken } from '../kit/id-from-token.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { type Amounts, type CountedResource, chargeQuota, quotaLimit, quotaUsage, unlimited } from '../kit/quota.ts';
import { type Attempt, Change, randomFrom, transact } from '../kit/transact.ts';
import { updatePortRow } from '../network/port-record.ts';
import { planPort } from '../network/ports.ts';
import { amountsOfVolume, charge, sumOf } from '../volume/kit/charges.ts';
import type { CheckedDisks } from '../volume/servers/block-devices.ts';
import { planDisks } from '../volume/servers/server-volumes.ts';
import type { CheckedVolume } from '../volume/volumes/volume-draft.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { keptProperties } from './hardware/guest-hardware.ts';
import { askedAction, askedAt, withEvents } from './history/action-history.ts';
import { placementEvents } from './history/placement-events.ts';
import { groupAllows, groupForPlacement, writeGroup } from './kit/group-hosts.ts';
import { labelOf } from './kit/nic-rules.ts';
import { badRequest } from './kit/refusals.ts';
import { amountsOf, powerStates } from './kit/server-record.ts';
import { holdUserQuota } from './kit/user-quotas.ts';
import {
  type CheckedDraft,
  checkDraft,
  countMax,
  type NicDraft,
  type ServerDraft,
  usablePort,
} from './server-draft.ts';

const markCreationRepeated = coverageMark('creation-repeated', 'a creation is answered with what an earlier one made');
const failpointCreateClaimedNotBound = failpoint(
  'create.claimed-not-bound',
  'a host has admitted a server that is not recorded',
);
const failpointCreateBoundNotAnswered = failpoint(
  'create.bound-not-answered',
  'a server is recorded, and its owner was not told',
);
const markRepeatBoundElsewhere = coverageMark(
  'repeat-bound-elsewhere',
  'a repeat of a creation was faster, on another host',
);
const markBindOfUnknownFate = coverageMark('bind-of-unknown-fate', 'a claim is kept, for its server may be recorded');
const markBindFailed = coverageMark('bind-failed', 'a claim is given back');
const markClaimsTooOldToBind = coverageMark(
  'claims-too-old-to-bind',
  'a placement took so long that its claims may have ended',
);
const failpointCreateBindPlanned = failpoint('create.bind-planned', 'a bind is about to be sent');
const markGroupOutdated = coverageMark(
  'group-outdated',
  'a server is placed again: its group does not allow the chosen host any more',
);

/** Placements of one request when its group or its quota keeps changing between choice and commit. */
const placementsMax = 32;
/** Generation of a new server. */
const firstGeneration = 1;
/** Compares and ops of a server, and of each of its NICs, at the most: what a transaction has room for follows. */
const itemsPerServer = 12;
const itemsPerNic = 32;
/** Bytes that a server takes in a command beside its record (compares, index entries, ids of its ports), and each NIC: as above. */
const bytesPerServer = 4096;
const bytesPerNic = 2048;
/** The same of each disk: the volume that it may be, its attachment and what is said of it in the server's record. */
const itemsPerDisk = 40;
const bytesPerDisk = 4096;
/** Longest fault message, characters: names every filter with its count several times over. */
const faultCharactersMax = 1024;
/** Part of a command's bound that servers may fill; the rest is for what comes once a transaction. */
const fillMax = 0.75;

/** What one request made. */
export interface MadeServers {
  readonly servers: readonly shoal.v1.Server[];
  readonly reservationId: string;
}

/** The group does not allow the hosts any more, hosts are gone, or the claims may have ended: place again. */
class PlacementOutdated extends Error {
  /** Chosen hosts that have left the mesh: this agent's view may show them a little longer. */
  readonly goneHostIds: readonly string[];

  constructor(goneHostIds: readonly string[] = []) {
    super('The hosts that were chosen can not be had any more.');
    this.goneHostIds = goneHostIds;
  }
}

/** Turns a request into servers with hosts, ports and quota. Holds nothing between two calls. */
export class ServerMaker {
  readonly #deps: ComputeDependencies;
  readonly #options: ComputeOptions;

  constructor(deps: ComputeDependencies, options: ComputeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Makes between `minCount` and `maxCount` servers, as many as quota and hosts have room for: placed as one batch, bound
   * by one transaction. (By several, one after another, where so many records do not fit into one.) When fewer than
   * `minCount` can be made, nothing is left behind; `undo` is called for those of earlier transactions.
   *
   * A single server for which no host is found is made in ERROR with the reason as its fault, as Nova does; of several,
   * the request is refused with `NO_VALID_HOST`.
   */
  async make(
    context: RequestContext,
    draft: ServerDraft,
    undo: (server: shoal.v1.Server) => Promise<void>,
  ): Promise<MadeServers> {
    const reader = await this.#deps.state.fresh(context.signal);
    // More are refused below; here they are only not made ids for.
    const idCount = Math.min(countMax, draft.maxCount ?? draft.minCount ?? 1);
    const newServerId = this.#deps.newServerId ?? this.#deps.newId;
    const ids = Array.from({ length: idCount }, (_, index) =>
      draft.clientToken === undefined
        ? newServerId()
        : idFromToken(`${context.projectId}/${draft.clientToken}/${index}`),
    );
    const before =
      draft.clientToken === undefined ? [] : ids.flatMap((id) => serverTable.get(reader, id)?.record ?? []);
    const isDone = before.length > 0 && before.length >= (draft.minCount ?? 1);
    if (before[0] !== undefined) markCreationRepeated();
    if (before[0] !== undefined && isDone) return { servers: before, reservationId: before[0].reservationId };

    const { storage } = meshDefaults(reader, this.#options);
    const draftOptions = { ...this.#options, storage, hostViews: this.#deps.hostViews };
    const checked = checkDraft(context, reader, draft, draftOptions);
    const reservationId = before[0]?.reservationId ?? `r-${this.#deps.newId().replaceAll('-', '').slice(0, 8)}`;
    const known = new Set(before.map((server) => server.id));
    const wanted = ids
      .map((id, index) => ({ id, reservationId, name: nameOf(checked, index) }))
      .filter(({ id }) => !known.has(id));
    const made: shoal.v1.Server[] = [];
    // The last name is the longest.
    const sample = must(wanted.at(-1), 'a server to make');
    const atOnce = serversPerTransaction(this.#record(context, checked, sample, storage), checked);
    try {
      for (let first = 0; first < wanted.length; first += atOnce) {
        const batch = wanted.slice(first, first + atOnce);
        const minCount = checked.minCount - known.size - made.length;
        const later = wanted.length - first - batch.length;
        const servers = await this.#makeBatch(context, checked, batch, Math.max(1, minCount - later), first === 0);
        made.push(...servers);
        if (servers.length < batch.length) break;
      }
    } catch (caught) {
      // Enough were made before there was no room for more.
      const isEnough = made.length > 0 && known.size + made.length >= checked.minCount;
      if (!isEnough || !ShoalError.is(caught, 'QUOTA_EXCEEDED', 'NO_VALID_HOST')) {
        throw await this.#undone(made, undo, caught);
      }
    }
    return { servers: [...before, ...made], reservationId };
  }

  /** Gives up the servers of earlier transactions. Returns why, with those that could not be given up. */
  async #undone(
    made: readonly shoal.v1.Server[],
    undo: (server: shoal.v1.Server) => Promise<void>,
    why: unknown,
  ): Promise<unknown> {
    const outcomes = await Promise.allSettled(made.map((server) => undo(server)));
    const leftIds: string[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const server = made[index];
      if (outcome.status === 'fulfilled' || server === undefined) continue;
      leftIds.push(server.id);
      this.#deps.logger.error(
        { serverId: server.id, projectId: server.projectId, err: outcome.reason },
        'a server of a request that was refused could not be deleted again; it stays until its owner deletes it',
      );
    }
    if (leftIds.length === 0 || !(why instanceof ShoalError)) return why;
    const { code, message, facts } = why;
    return new ShoalError(
      code,
      `${message} These servers of the request were made before and could not be deleted again; delete them: ${leftIds.join(', ')}.`,
      { facts: { ...facts, leftServerIds: leftIds }, cause: why },
    );
  }

  /**
   * Places and binds between `minCount` and all of `namings`, in their order, or none.
   * @param hasReadFresh a linearizable view has been read a moment ago: the local one is no older.
   */
  async #makeBatch(
    context: RequestContext,
    checked: CheckedDraft,
    namings: readonly Naming[],
    minCount: number,
    hasReadFresh: boolean,
  ): Promise<readonly shoal.v1.Server[]> {
    const goneHostIds = new Set<string>();
    for (let placements = 0; placements < placementsMax; placements++) {
      const { state } = this.#deps;
      const reader = placements === 0 && hasReadFresh ? state.local : await state.fresh(context.signal);
      const { storage } = meshDefaults(reader, this.#options);
      const group = checked.groupId === '' ? undefined : serverGroupTable.get(reader, checked.groupId);
      if (checked.groupId !== '' && group === undefined)
        throw badRequest(`Instance group ${checked.groupId} could not be found.`);
      const count = affordable(context, reader, checked, { minCount, maxCount: namings.length });
      const wanted = namings.slice(0, count);
      this.#rehearse(context, reader, checked, wanted);
      let placed: readonly PlacedServer[];
      try {
        placed = await this.#deps.placer.placeBatch(
          {
            serverId: must(wanted[0], 'a server to place').id as ServerId,
            generation: firstGeneration,
            flavor: checked.flavor,
            ...(checked.image === undefined ? {} : { image: checked.image }),
            ...(checked.disks.isRootVolume ? { hasRootVolume: true } : {}),
            ...(checked.disks.pools.length === 0 ? {} : { volumePools: checked.disks.pools }),
            projectId: context.projectId,
            zone: checked.zone,
            storage,
            excludeHostIds: [...goneHostIds],
            ...(checked.forceHostName === undefined ? {} : { forceHostName: checked.forceHostName }),
            ...(checked.hostName === undefined ? {} : { hostName: checked.hostName }),
            schedulerHints: checked.hints,
            ...(group === undefined ? {} : { group: groupForPlacement(reader, group.record) }),
          },
          { serverIds: wanted.map(({ id }) => id as ServerId), minCount },
          context.signal,
        );
      } catch (caught) {
        if (!ShoalError.is(caught, 'NO_VALID_HOST') || checked.maxCount > 1) throw caught;
        const why = withVolumeHost(caught, checked);
        return [await this.#bindFailed(context, checked, must(wanted[0], 'the one server'), storage, why)];
      }
      failpointCreateClaimedNotBound();
      try {
        const bound = await this.#bind(context, checked, wanted, { placed, storage });
        failpointCreateBoundNotAnswered();
        // A repeat of this request was faster, and on another host.
        const hostOf = new Map(bound.map((server) => [server.id, server.hostId]));
        const elsewhere = placed.filter((one) => hostOf.get(one.serverId) !== one.hostId);
        if (elsewhere.length > 0) markRepeatBoundElsewhere();
        await Promise.all(elsewhere.map((one) => one.release()));
        return bound;
      } catch (caught) {
        // Servers that may be bound keep their room; the claims end by themselves if they are not.
        if (ShoalError.is(caught, 'OUTCOME_UNKNOWN', 'CANCELLED')) markBindOfUnknownFate();
        else {
          markBindFailed();
          await Promise.all(placed.map((one) => one.release()));
        }
        // Somebody else took of the quota meanwhile: as many as it has room for now.
        const hasFewer = ShoalError.is(caught, 'QUOTA_EXCEEDED') && wanted.length > minCount;
        if (!(caught instanceof PlacementOutdated) && !hasFewer) throw caught;
        if (caught instanceof PlacementOutdated) for (const id of caught.goneHostIds) goneHostIds.add(id);
      }
    }
    throw new ShoalError(
      'PRECONDITION_CHANGED',
      'The server could not be bound to the host that was chosen for it, again and again; try again.',
    );
  }

  /** Plans the bind once for nothing, so that what is sure to be refused is refused before a host is asked. */
  #rehearse(context: RequestContext, reader: StateReader, checked: CheckedDraft, namings: readonly Naming[]): void {
    const attempt: Attempt = { reader, change: new Change(), random: randomFrom(this.#deps.newId()), number: 0 };
    this.#charge(context, attempt, checked, namings.length);
    charge(attempt.change, reader, context.projectId, volumeAmounts(checked.disks, namings.length));
    for (const naming of namings) this.#ports(context, attempt, checked, naming, '');
  }

  /** One transaction: quota, records, ports, addresses, hosts and generations, and the group they join. */
  #bind(
    context: RequestContext,
    checked: CheckedDraft,
    namings: readonly Naming[],
    where: {
      readonly placed: readonly PlacedServer[];
      readonly storage: string;
    },
  ): Promise<readonly shoal.v1.Server[]> {
    const namingOf = new Map(namings.map((naming) => [naming.id, naming]));
    return transact(this.#deps, { signal: context.signal, hasReadFresh: true }, (attempt) => {
      const { reader, change } = attempt;
      const servers: shoal.v1.Server[] = [];
      const added: shoal.v1.Server[] = [];
      const gone = where.placed.filter((one) => !hostTable.exists(reader, one.hostId)).map((one) => one.hostId);
      for (const one of where.placed) {
        const { serverId, hostId } = one;
        const existing = serverTable.get(reader, serverId)?.record;
        if (existing !== undefined) {
          servers.push(existing);
          continue;
        }
        const naming = must(namingOf.get(serverId), 'the name of a server that was placed');
        const server = this.#record(context, checked, naming, where.storage);
        server.hostId = hostId;
        server.actions = withEvents(
          server,
          askedAt(1),
          placementEvents(one, this.#deps.clock.nowMs()),
          server.createdMs,
        );
        server.portIds = [...this.#ports(context, attempt, checked, naming, hostId)];
        server.nics = taggedNics(server.portIds, checked.nics);
        planDisks({ deps: this.#deps, options: this.#options, context }, attempt, server, checked.disks);
        servers.push(server);
        added.push(server);
      }
      if (added.length === 0) return servers;
      if (where.placed.some((one) => one.isTooOld())) {
        markClaimsTooOldToBind();
        // By now a repeat may have made the server, and its owner have deleted it again: it must not come back.
        if (checked.isRepeatable)
          throw new ShoalError(
            'DEADLINE_EXCEEDED',
            'The request took longer than hosts hold a claim; repeat it with the same client token.',
          );
        throw new PlacementOutdated();
      }
      if (gone.length > 0) throw new PlacementOutdated(gone);
      for (const server of added) putOnHost(change, server.hostId);
      this.#charge(context, attempt, checked, added.length);
      if (checked.groupId !== '') this.#join(attempt, checked.groupId, added);
      if (checked.image !== undefined) change.compare({ key: imageTable.key(checked.image.id), exists: true });
      for (const server of added) serverTable.insert(change, server);
      failpointCreateBindPlanned();
      return servers;
    });
  }

  /** The hosts were chosen for the group as it was then: what is committed agrees with it as it is now. */
  #join({ reader, change }: Attempt, groupId: string, added: readonly shoal.v1.Server[]): void {
    const group = serverGroupTable.get(reader, groupId);
    const hostIds = added.map((server) => server.hostId);
    if (group === undefined || !groupAllows(groupForPlacement(reader, group.record), hostIds)) {
      markGroupOutdated();
      throw new PlacementOutdated();
    }
    if (membersLeft(reader, group.record) < added.length) throw tooManyMembers();
    writeGroup(change, group, [...group.record.memberIds, ...added.map((server) => server.id)]);
  }

  /** The record of a server that found no host. */
  #bindFailed(
    context: RequestContext,
    checked: CheckedDraft,
    naming: Naming,
    storage: string,
    why: ShoalError,
  ): Promise<shoal.v1.Server> {
    return transact(this.#deps, { signal: context.signal, hasReadFresh: true }, ({ reader, change }) => {
      const existing = serverTable.get(reader, naming.id)?.record;
      if (existing !== undefined) return existing;
      const failed = this.#record(context, checked, naming, storage);
      failed.status = shoal.v1.ServerStatus.SERVER_STATUS_ERROR;
      failed.taskState = '';
      failed.fault = noHostFault(why, this.#deps.clock.nowMs());
      chargeQuota(change, reader, context.projectId, amountsOf(failed));
      holdUserQuota(change, reader, context, amountsOf(failed));
      serverTable.insert(change, failed);
      return failed;
    });
  }

  #charge(context: RequestContext, { change, reader }: Attempt, { flavor }: CheckedDraft, count: number): void {
    const amounts = { instances: count, cores: count * flavor.vcpus, ram: count * flavor.memoryMib };
    chargeQuota(change, reader, context.projectId, amounts);
    holdUserQuota(change, reader, context, amounts);
  }

  /** Ports of a new server, made or taken; their ids in the order of the NICs. */
  #ports(
    context: RequestContext,
    attempt: Attempt,
    checked: CheckedDraft,
    naming: Naming,
    hostId: string,
  ): readonly string[] {
    return checked.nics.map((nic) =>
      nic.portId === undefined
        ? this.#newPort(context, attempt, checked, nic, naming, hostId)
        : this.#takePort(context, attempt, nic.portId, {
            naming,
            hostId,
            dnsName: labelOf(serverHostname(checked, naming)),
          }),
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
      context,
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
        dnsName: labelOf(serverHostname(checked, naming)),
      },
    );
    return port.id;
  }

  #takePort(
    context: RequestContext,
    attempt: Attempt,
    portId: string,
    { naming, hostId, dnsName }: { readonly naming: Naming; readonly hostId: string; readonly dnsName: string },
  ): string {
    const row = usablePort(context, attempt.reader, portId);
    updatePortRow(
      attempt.change,
      row,
      new shoal.v1.Port({
        ...row.record,
        deviceId: naming.id,
        deviceOwner: deviceOwners.compute,
        hostId,
        dnsName,
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
      imageId: checked.image?.id ?? '',
      imageProperties: keptProperties(checked.imageProperties),
      generation: firstGeneration,
      powerWanted: shoal.v1.PowerWanted.POWER_WANTED_RUNNING,
      askedRevision: 1,
      status: shoal.v1.ServerStatus.SERVER_STATUS_BUILD,
      taskState: 'spawning',
      keyName: checked.key?.name ?? '',
      publicKey: checked.key?.publicKey ?? '',
      keyType: checked.key?.type ?? '',
      userData: checked.userData,
      metadata: checked.metadata,
      zone: checked.zone,
      storage,
      rootVolumeId: checked.disks.isRootVolume ? '' : this.#deps.newId(),
      createdMs: nowMs,
      updatedMs: nowMs,
      configDrive: checked.configDrive,
      powerState: powerStates.none,
      reservationId: naming.reservationId,
      serverGroupId: checked.groupId,
      schedulerHints: checked.hints,
      securityGroupNames: (checked.securityGroups ?? []).map((group) => group.name),
      tags: [...checked.tags],
      injectedFiles: [...checked.injectedFiles],
      accessIpv4: checked.accessIpv4,
      accessIpv6: checked.accessIpv6,
      diskConfigAuto: checked.diskConfigAuto,
      hostname: serverHostname(checked, naming),
      actions: askedAction({ actions: [] }, 'create', context, nowMs, { askedRevision: 1 }),
    });
  }
}

interface Naming {
  readonly id: string;
  readonly name: string;
  readonly reservationId: string;
}

/** What the record says of NICs with tags. @param portIds in the order of the drafts. */
function taggedNics(portIds: readonly string[], drafts: readonly NicDraft[]): shoal.v1.ServerNic[] {
  return portIds.flatMap((portId, at) => {
    const tag = drafts[at]?.tag ?? '';
    return tag === '' ? [] : [new shoal.v1.ServerNic({ portId, tag })];
  });
}

function serverHostname(checked: CheckedDraft, naming: Naming): string {
  return checked.hostname ?? hostnameOf(naming.name, naming.id);
}

/** Where new disks go in this mesh. */
export function meshDefaults(reader: StateReader, options: ComputeOptions): { readonly storage: string } {
  const recorded = meshTable.get(reader, 'mesh')?.record.defaultStorage ?? '';
  return { storage: recorded === '' ? options.storage : recorded };
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

/** How many of `maxCount` servers the quota has room for; throws when that is fewer than `minCount`. */
function affordable(
  context: RequestContext,
  reader: StateReader,
  checked: CheckedDraft,
  { minCount, maxCount }: { readonly minCount: number; readonly maxCount: number },
): number {
  const needs = { instances: 1, cores: checked.flavor.vcpus, ram: checked.flavor.memoryMib } as const;
  let count = maxCount;
  for (const resource of ['instances', 'cores', 'ram'] as const) {
    const limit = quotaLimit(reader, context.projectId, resource);
    const used = quotaUsage(reader, context.projectId, resource);
    const room = limit === unlimited ? Number.POSITIVE_INFINITY : Math.max(0, limit - used);
    const fit = Math.floor(room / needs[resource]);
    if (fit < minCount) {
      throw new ShoalError(
        'QUOTA_EXCEEDED',
        `Quota exceeded for ${resource}: Requested ${needs[resource] * minCount}, but already used ${used} of ${limit} ${resource}`,
        { facts: { resource, limit, used } },
      );
    }
    count = Math.min(count, fit);
  }
  for (const [resource, amount] of Object.entries(volumeAmounts(checked.disks, 1))) {
    const limit = quotaLimit(reader, context.projectId, resource as CountedResource);
    const used = quotaUsage(reader, context.projectId, resource as CountedResource);
    // Too little for `minCount`: the charge refuses it, in Cinder's words.
    if (limit !== unlimited) count = Math.min(count, Math.max(minCount, Math.floor((limit - used) / amount)));
  }
  const group = serverGroupTable.get(reader, checked.groupId)?.record;
  if (group === undefined) return count;
  const left = membersLeft(reader, group);
  if (left < minCount) throw tooManyMembers();
  return Math.min(count, left);
}

/** How many servers may still join a group. */
function membersLeft(reader: StateReader, group: shoal.v1.ServerGroup): number {
  const limit = quotaLimit(reader, group.projectId, 'server_group_members');
  return limit === unlimited ? Number.POSITIVE_INFINITY : Math.max(0, limit - group.memberIds.length);
}

function tooManyMembers(): ShoalError {
  return new ShoalError('QUOTA_EXCEEDED', 'Quota exceeded, too many servers in group');
}

/** How many servers with such a record fit into one transaction, whatever their addresses turn out to be. */
function serversPerTransaction(record: shoal.v1.Server, { nics, disks }: CheckedDraft): number {
  const nicCount = nics.length;
  const diskBytes = disks.disks.reduce((sum, { newVolume }) => sum + bytesPerDisk + imageBytesOf(newVolume), 0);
  const bytes = bytesPerServer + encodeRecord(shoal.v1.Server, record).length + nicCount * bytesPerNic + diskBytes;
  const items = itemsPerServer + nicCount * itemsPerNic + disks.disks.length * itemsPerDisk;
  return Math.max(
    1,
    Math.floor(Math.min((fillMax * commandBytesMax) / bytes, (fillMax * transactionItemsMax) / items)),
  );
}

/** What a volume's record has of its image, bytes at most: the one part of it that may be large. */
function imageBytesOf(volume: CheckedVolume | undefined): number {
  const characters = Object.entries(volume?.imageMetadata ?? {}).reduce(
    (sum, [k, v]) => sum + k.length + v.length + 16,
    0,
  );
  return 3 * characters;
}

/** What the volumes that are made with so many servers take of the quota. */
function volumeAmounts({ disks }: CheckedDisks, count: number): Amounts {
  const each = disks.flatMap(({ newVolume }) =>
    newVolume === undefined ? [] : [amountsOfVolume({ sizeGib: newVolume.sizeGib, typeId: newVolume.type.id })],
  );
  return sumOf(Array.from({ length: count }, () => each).flat());
}

/** Why no other host was looked at, for a server whose volumes are on one host. */
function withVolumeHost(error: ShoalError, { disks }: CheckedDraft): ShoalError {
  if (disks.hostName === undefined) return error;
  return new ShoalError(
    error.code,
    `${error.message} Volumes of the server are on the own storage of host ${disks.hostName}: only that host can have it.`,
    { facts: error.facts, cause: error },
  );
}

function noHostFault(error: ShoalError, nowMs: number): shoal.v1.ServerFault {
  return new shoal.v1.ServerFault({
    code: 500,
    message: beginningOf(error.message, faultCharactersMax),
    details: JSON.stringify(error.facts),
    createdMs: nowMs,
  });
}
