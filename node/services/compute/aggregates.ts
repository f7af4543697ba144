/** Host aggregates: administrators group hosts, and placement's filters and weighers read what is said of the groups. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { aggregateTable, hostTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { putOnHost } from '../kit/put-on-host.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { zoneByAggregate, zoneKey, zoneOfHost } from '../kit/zones.ts';
import { badRequest, checkName, conflict } from './kit/refusals.ts';

/** Keys of one aggregate, and longest key and value, characters: Nova's columns. */
const metadataItemsMax = 128;
const metadataCharactersMax = 255;
/** Hosts of one aggregate: a record of ids stays far below a value's bound. */
const hostsMax = 10_000;
/** Counter of the numbers given away. */
const numberKey = 'c/aggregate-number';
/** Written by each change that may give hosts another zone: two of them never commit from one view. */
const zonesKey = 'g/aggregate-zones';

interface AggregatePatch {
  readonly name?: string;
  /** null: none. */
  readonly zone?: string | null;
}

/**
 * Nova's `os-aggregates`. By default its rules let administrators alone to it. Methods that change throw what `transact`
 * throws.
 */
export class Aggregates {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** By number. */
  list(reader: StateReader): readonly shoal.v1.HostAggregate[] {
    return aggregateTable
      .list(reader)
      .map((row) => row.record)
      .sort((a, b) => a.number - b.number);
  }

  /** By number or id. Throws `NOT_FOUND`. */
  show(reader: StateReader, idOrNumber: string): shoal.v1.HostAggregate {
    return aggregateRow(reader, idOrNumber).record;
  }

  /** Throws `CONFLICT` for a name that is taken. */
  async create(
    context: RequestContext,
    draft: { readonly name: string; readonly zone?: string },
  ): Promise<shoal.v1.HostAggregate> {
    const name = checkName('name', draft.name);
    const zone = draft.zone === undefined ? undefined : checkZoneName(draft.zone);
    return transact(this.#deps, context, ({ reader, change }) => {
      if (aggregateTable.one(reader, 'name', indexKey(name)) !== undefined) {
        throw conflict(`Aggregate ${name} already exists.`);
      }
      const nowMs = this.#deps.clock.nowMs();
      const aggregate = new shoal.v1.HostAggregate({
        id: this.#deps.newId(),
        // Should somebody be faster, the number's index fails the transaction, and the next attempt reads a higher one.
        number: reader.counter(numberKey) + 1,
        name,
        metadata: zone === undefined ? {} : { [zoneKey]: zone },
        createdMs: nowMs,
      });
      change.add(numberKey, 1, { min: 0, max: 2 ** 31 - 1 });
      aggregateTable.insert(change, aggregate);
      return aggregate;
    });
  }

  /** Throws `CONFLICT` where the new zone would move servers to another, or give a host two. */
  update(context: RequestContext, idOrNumber: string, patch: AggregatePatch): Promise<shoal.v1.HostAggregate> {
    const { zone } = patch;
    const name = patch.name === undefined ? undefined : checkName('name', patch.name);
    return this.#edit(context, idOrNumber, (attempt, aggregate) => {
      const { reader } = attempt;
      const other = name === undefined ? undefined : aggregateTable.one(reader, 'name', indexKey(name));
      if (other !== undefined && other.record.id !== aggregate.id) throw conflict(`Aggregate ${name} already exists.`);
      return {
        ...(name === undefined ? {} : { name }),
        ...(zone === undefined ? {} : { metadata: withZone(attempt, aggregate, zone) }),
      };
    });
  }

  /** Sets keys; `null` removes one. The key `availability_zone` is the zone, with the checks of `update`. */
  setMetadata(
    context: RequestContext,
    idOrNumber: string,
    metadata: Readonly<Record<string, string | null>>,
  ): Promise<shoal.v1.HostAggregate> {
    return this.#edit(context, idOrNumber, (attempt, aggregate) => {
      const { [zoneKey]: zone, ...plain } = metadata;
      const next = new Map(
        Object.entries(zone === undefined ? aggregate.metadata : withZone(attempt, aggregate, zone)),
      );
      for (const [key, value] of Object.entries(plain)) {
        if (value === null) next.delete(key);
        else next.set(checkText(key, 1), checkText(value, 0));
      }
      if (next.size > metadataItemsMax)
        throw badRequest(`An aggregate has at most ${metadataItemsMax} metadata items.`);
      return { metadata: Object.fromEntries(next) };
    });
  }

  /**
   * Throws `NOT_FOUND` for an unknown host, `CONFLICT` for one that is there already, is in another zone's aggregate, or has
   * servers whose zone would change.
   */
  addHost(context: RequestContext, idOrNumber: string, hostName: string): Promise<shoal.v1.HostAggregate> {
    return this.#edit(context, idOrNumber, ({ reader, change }, aggregate) => {
      const row = hostTable.one(reader, 'name', indexKey(hostName));
      if (row === undefined) throw hostNotFound(hostName);
      const { record: host } = row;
      if (aggregate.hostIds.includes(host.id)) {
        throw conflict(`Aggregate ${aggregate.number} already has host ${hostName}.`);
      }
      if (aggregate.hostIds.length >= hostsMax) throw badRequest(`An aggregate has at most ${hostsMax} hosts.`);
      const zone = aggregate.metadata[zoneKey];
      takeTurn({ reader, change });
      if (zone !== undefined) {
        checkOtherZones(reader, aggregate, [host.id], zone, 'add host to');
        const before = zoneByAggregate(reader, host.id);
        if (before !== zone) checkNoServers(reader, aggregate, host, { verb: 'added to', before, after: zone });
      }
      // Its removal takes it out of the aggregates that it finds.
      putOnHost(change, host.id);
      return { hostIds: [...aggregate.hostIds, host.id] };
    });
  }

  /** Throws `NOT_FOUND` for a host that is not in it, `CONFLICT` for one that has servers whose zone would change. */
  removeHost(context: RequestContext, idOrNumber: string, hostName: string): Promise<shoal.v1.HostAggregate> {
    return this.#edit(context, idOrNumber, ({ reader, change }, aggregate) => {
      const host = hostTable.one(reader, 'name', indexKey(hostName))?.record;
      if (host === undefined) throw hostNotFound(hostName);
      if (!aggregate.hostIds.includes(host.id)) {
        throw new ShoalError('NOT_FOUND', `Aggregate ${aggregate.number} has no host ${hostName}.`);
      }
      const before = aggregate.metadata[zoneKey];
      if (before !== undefined) {
        takeTurn({ reader, change });
        const after = zoneByAggregate(reader, host.id, aggregate.id);
        if (after !== before) checkNoServers(reader, aggregate, host, { verb: 'removed from', before, after });
      }
      return { hostIds: aggregate.hostIds.filter((id) => id !== host.id) };
    });
  }

  /** Throws `INVALID_ARGUMENT` while it has hosts, as Nova does. */
  async delete(context: RequestContext, idOrNumber: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = aggregateRow(reader, idOrNumber);
      if (row.record.hostIds.length > 0) {
        throw badRequest(
          `Cannot remove host from aggregate ${row.record.number}. Reason: Host aggregate is not empty.`,
        );
      }
      aggregateTable.remove(change, row);
    });
  }

  #edit(
    context: RequestContext,
    idOrNumber: string,
    edit: (attempt: Attempt, aggregate: shoal.v1.HostAggregate) => shoal.v1.HostAggregate.$Properties,
  ): Promise<shoal.v1.HostAggregate> {
    return transact(this.#deps, context, (attempt) => {
      const row = aggregateRow(attempt.reader, idOrNumber);
      const next = new shoal.v1.HostAggregate({
        ...row.record,
        ...edit(attempt, row.record),
        updatedMs: this.#deps.clock.nowMs(),
      });
      aggregateTable.update(attempt.change, row, next);
      return next;
    });
  }
}

/** What a host tells of its aggregates in its advert. */
export function advertisedAggregates(reader: StateReader, hostId: string): readonly shoal.v1.Aggregate[] {
  return aggregateTable
    .by(reader, 'host', hostId)
    .map(({ record: { name, metadata } }) => new shoal.v1.Aggregate({ name, metadata }));
}

function aggregateRow(reader: StateReader, idOrNumber: string): Row<shoal.v1.HostAggregate> {
  const row = /^\d{1,10}$/.test(idOrNumber)
    ? aggregateTable.one(reader, 'number', String(Number(idOrNumber)))
    : aggregateTable.get(reader, idOrNumber);
  if (row === undefined) throw new ShoalError('NOT_FOUND', `Aggregate ${idOrNumber} could not be found.`);
  return row;
}

/** The metadata with another zone; null: with none. */
function withZone(
  { reader, change }: Attempt,
  aggregate: shoal.v1.HostAggregate,
  zone: string | null,
): Readonly<Record<string, string>> {
  const { [zoneKey]: before, ...rest } = aggregate.metadata;
  const after = zone === null ? undefined : checkZoneName(zone);
  if (before !== after) {
    takeTurn({ reader, change });
    const isTaken = aggregate.hostIds.some((hostId) => serverTable.by(reader, 'host', hostId).length > 0);
    if (isTaken) {
      throw conflict(
        `Cannot update metadata of aggregate ${aggregate.number}. Reason: One or more hosts contain instances in this zone`,
      );
    }
    if (after !== undefined) checkOtherZones(reader, aggregate, aggregate.hostIds, after, 'update metadata of');
  }
  return after === undefined ? rest : { ...rest, [zoneKey]: after };
}

/**
 * A zone is read from all aggregates of a host and written to one: whatever may change the zone of hosts, in whichever
 * aggregate, comes after what it has read.
 */
function takeTurn({ reader, change }: Pick<Attempt, 'reader' | 'change'>): void {
  change.compare({ key: zonesKey, revision: reader.get(zonesKey)?.revision ?? 0 });
  change.op({ kind: 'put', key: zonesKey, value: new Uint8Array() });
}

/** The zone of a server is its host's: a host that has any keeps its zone. */
function checkNoServers(
  reader: StateReader,
  aggregate: shoal.v1.HostAggregate,
  host: shoal.v1.Host,
  zones: {
    readonly verb: 'added to' | 'removed from';
    readonly before: string | undefined;
    readonly after: string | undefined;
  },
): void {
  const servers = serverTable.count(reader, 'host', host.id);
  if (servers === 0) return;
  const named = (zone: string | undefined): string => zone ?? zoneOfHost(host);
  const action = zones.verb === 'added to' ? 'add host to' : 'remove host from';
  throw conflict(
    `Cannot ${action} aggregate ${aggregate.number}. Reason: The host cannot be ${zones.verb} the aggregate as the ` +
      `availability zone of the host would change from '${named(zones.before)}' to '${named(zones.after)}' but the host ` +
      `already has ${servers} instance(s). Move the instances away from this host then try again.`,
  );
}

/** A host is in one zone: no other aggregate may give it another. */
function checkOtherZones(
  reader: StateReader,
  aggregate: shoal.v1.HostAggregate,
  hostIds: readonly string[],
  zone: string,
  action: string,
): void {
  for (const hostId of hostIds) {
    for (const { record } of aggregateTable.by(reader, 'host', hostId)) {
      const other = record.metadata[zoneKey];
      if (record.id !== aggregate.id && other !== undefined && other !== zone) {
        throw conflict(
          `Cannot ${action} aggregate ${aggregate.number}. Reason: One or more hosts already in availability zone(s) ['${other}']`,
        );
      }
    }
  }
}

function checkZoneName(zone: string): string {
  if (zone.includes(':')) throw badRequest(`Invalid availability zone ${zone.slice(0, 64)}: it holds a colon.`);
  return checkText(zone, 1);
}

function checkText(text: string, charactersMin: number): string {
  if (text.length < charactersMin || text.length > metadataCharactersMax) {
    throw badRequest(`A key or value has ${charactersMin} to ${metadataCharactersMax} characters.`);
  }
  return text;
}

function hostNotFound(name: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Compute host ${name.slice(0, 255)} could not be found.`);
}
