import { assert } from '../../node/base/assert.ts';
import type { ServerId } from '../../node/base/ids.ts';
import { fitNuma, type NumaAssignment } from '../devices/numa.ts';
import { fitPci, type PciAssignment } from '../devices/pci.ts';
import type { NumaCell, PciPool, ResourcePool } from '../model/advert.ts';
import { capacityOf } from '../model/advert.ts';
import { type ClaimKey, claimKeyText, type ResourceNeeds } from '../model/request.ts';
import {
  type ByResource,
  eachResource,
  type ResourceName,
  resourceClasses,
  resourceNames,
} from '../model/resource-classes.ts';

/**
 * The admission ledger of one host: the authority on what the host has given away (node/README.md, "Rules").
 *
 * Pure and synchronous: a call decides at once against all that was admitted before, so a hundred concurrent claimers are
 * a hundred calls in some order and never share the same room. What the caller owes: after a call returns `changes`, sync
 * them to disk *before* answering anybody. If that fails the process stops; the claim that memory knew of was never
 * promised. A restart feeds `restore` with all stored records.
 *
 * Life of a claim: `admit` -> held until it expires or its askers `withdraw` -> `bind` (the Raft log says that the server is
 * here) -> held until `release`. An expired or released claim leaves a tombstone for a while, so that a delayed copy of its
 * request does not come back to life. A tombstone names the askers whose claim has ended: the next placement of the same
 * server is another asker, and is judged by the room there is.
 *
 * Invariant: for each resource the sum over servers of the largest live claim of that server is at most the capacity at
 * the time of the last admission. (A resize on the same host claims at generation g+1 while g is still held: the host needs
 * room for the larger of both, not the sum, because a server runs in one shape at a time. Devices, pinned CPUs and huge
 * pages are real things and are held for both.)
 */
export class ClaimLedger {
  #capacity: HostCapacity;
  readonly #limits: ClaimLimits;
  readonly #records = new Map<string, ClaimRecord>();
  readonly #byServer = new Map<string, ClaimRecord[]>();
  /** What all live claims take together. */
  readonly #used: Record<ResourceName, number> = { ...eachResource(() => 0) };
  #pendingCount = 0;
  /** Tombstones in the order in which they were made. */
  readonly #tombstones = new Map<string, ClaimRecord>();

  private constructor(capacity: HostCapacity, limits: ClaimLimits) {
    this.#capacity = capacity;
    this.#limits = limits;
  }

  /** The ledger as it was: every stored record, in any order. Records over capacity stay: what runs is a fact. */
  static restore(
    capacity: HostCapacity,
    records: Iterable<ClaimRecord> = [],
    limits: ClaimLimits = defaultClaimLimits,
  ): ClaimLedger {
    const ledger = new ClaimLedger(capacity, limits);
    for (const record of records) ledger.#put(record);
    return ledger;
  }

  /**
   * May this server, at this generation, have these resources until `expiresAtMs`? Asking again with the same key and needs
   * gives the same answer and, when not bound, the later expiry. Times are the caller's clock, milliseconds.
   */
  admit(claim: Claim, nowMs: number): Admission {
    const key = claimKeyText(claim);
    const known = this.#records.get(key);
    if (known !== undefined) return this.#admitAgain(known, claim);
    const fault = faultOf(claim, nowMs);
    if (fault !== undefined) return refused('malformed', fault);
    const dead = this.#tombstones.get(key);
    if (dead !== undefined && dead.expiresAtMs > nowMs && isEndedFor(dead, claim.asker)) {
      return refused('gone', `the claim was ${dead.state} before`);
    }
    const endedAskers = dead?.endedAskers;
    const others = this.#byServer.get(claim.serverId) ?? [];
    const newest = others.reduce((most, r) => Math.max(most, r.generation), -1);
    if (newest > claim.generation) {
      return refused('stale', `generation ${newest} of the server is known here, ${claim.generation} is older`);
    }
    if (this.#pendingCount >= this.#limits.pendingMax) {
      return refused('overloaded', `${this.#pendingCount} claims wait to be bound`);
    }
    const conflict = this.#groupConflict(claim);
    if (conflict !== undefined) return conflict;
    return this.#admitWithin(claim.needs, others, {
      serverId: claim.serverId,
      generation: claim.generation,
      needs: claim.needs,
      groupId: claim.group?.id ?? '',
      state: 'admitted',
      expiresAtMs: claim.expiresAtMs,
      ...(claim.asker === undefined ? {} : { askers: [claim.asker] }),
      ...(endedAskers === undefined ? {} : { endedAskers }),
    });
  }

  /** The log says that the server is here at this generation. The claim no longer expires. */
  bind(key: ClaimKey): ClaimChange {
    const known = this.#records.get(claimKeyText(key));
    if (known === undefined) return { outcome: 'unknown', changes: [] };
    if (known.state === 'bound') return { outcome: 'done', changes: [] };
    const { askers, endedAskers, ...claimed } = known;
    const boundFor = askers === undefined ? {} : { boundFor: joined(endedAskers ?? [], askers) };
    const record: ClaimRecord = { ...claimed, ...boundFor, state: 'bound', expiresAtMs: 0 };
    this.#drop(known);
    this.#put(record);
    return { outcome: 'done', changes: [{ kind: 'put', record }] };
  }

  /**
   * Takes a claim in without asking for room: what a restarted agent finds bound in the log or running on the machine.
   * A fact cannot be refused; from then on less is free. Idempotent.
   */
  adopt(key: ClaimKey, needs: ResourceNeeds, groupId = ''): ClaimChange {
    const text = claimKeyText(key);
    if (this.#records.has(text)) return this.bind(key);
    const record: ClaimRecord = {
      serverId: key.serverId,
      generation: key.generation,
      needs,
      groupId,
      state: 'bound',
      boundFor: [],
      expiresAtMs: 0,
      pci: fitPci(this.#capacity.pciPools, this.#pciTaken(), needs.pci) ?? [],
      numa: needs.numa === undefined ? [] : (fitNuma(this.#capacity.numaCells, this.#numaTaken(), needs.numa) ?? []),
    };
    this.#put(record);
    return { outcome: 'done', changes: [{ kind: 'put', record }] };
  }

  /**
   * As `adopt`, for a server that the log puts here and that does not run here yet: its claim ended before it was bound
   * (the agent that placed it was paused meanwhile), and its room may have been given to others. Then it is refused.
   */
  adoptWithin(key: ClaimKey, needs: ResourceNeeds, groupId = ''): Admission {
    const known = this.#records.get(claimKeyText(key));
    if (known !== undefined) return { outcome: 'admitted', record: known, changes: this.bind(key).changes };
    const admission = this.#admitWithin(needs, this.#byServer.get(key.serverId) ?? [], {
      ...key,
      needs,
      groupId,
      state: 'bound',
      boundFor: [],
      expiresAtMs: 0,
    });
    return admission;
  }

  /**
   * An asker does not want its claim any more. The room is given back when nobody else has been told yes for it: two agents
   * may place one server at a time, when its owner asks again elsewhere, and the one that comes too late must not take
   * away what the other binds. A claim that is bound is the records' to end, and no asker's.
   */
  withdraw(key: ClaimKey, asker: string, nowMs: number): ClaimChange {
    const known = this.#records.get(claimKeyText(key));
    if (known === undefined) return this.#releaseUnknown(key, [asker], nowMs);
    if (known.state === 'bound') return { outcome: 'unknown', changes: [] };
    const askers = known.askers ?? [];
    if (askers.length > 0 && !askers.includes(asker)) return { outcome: 'unknown', changes: [] };
    const left = askers.filter((other) => other !== asker);
    if (left.length === 0) return this.release(key, nowMs);
    const record: ClaimRecord = { ...known, askers: left, endedAskers: joined(known.endedAskers ?? [], [asker]) };
    this.#drop(known);
    this.#put(record);
    return { outcome: 'done', changes: [{ kind: 'put', record }] };
  }

  /**
   * Gives the room back. Also refuses, until `nowMs + tombstoneMs`, copies of the claim that are still on their way: those of
   * the askers that it was admitted for; those of every asker when it named none. A server that was to come here while it runs, and
   * stayed, may come again at the same generation: that is another placement.
   */
  release(key: ClaimKey, nowMs: number): ClaimChange {
    const known = this.#records.get(claimKeyText(key));
    if (known === undefined) return this.#releaseUnknown(key, undefined, nowMs);
    this.#drop(known);
    return { outcome: 'done', changes: this.#bury(known, 'released', nowMs) };
  }

  /** Released before it arrived, or once more: the copy on its way must find the tombstone. */
  #releaseUnknown(key: ClaimKey, askers: readonly string[] | undefined, nowMs: number): ClaimChange {
    const before = this.#tombstones.get(claimKeyText(key));
    if (before !== undefined && (askers ?? []).every((asker) => isEndedFor(before, asker))) {
      return { outcome: 'done', changes: [] };
    }
    const { serverId, generation } = key;
    const record: ClaimRecord = { ...emptyRecord, serverId, generation, ...(askers === undefined ? {} : { askers }) };
    const endedAskers = before?.endedAskers;
    const changes = this.#bury(endedAskers === undefined ? record : { ...record, endedAskers }, 'released', nowMs);
    return { outcome: before === undefined ? 'unknown' : 'done', changes };
  }

  /** Ends every unbound claim whose time has come, and forgets old tombstones. */
  expire(nowMs: number): { readonly expired: readonly ClaimRecord[]; readonly changes: readonly LedgerChange[] } {
    const expired: ClaimRecord[] = [];
    const changes: LedgerChange[] = [];
    for (const [key, tombstone] of this.#tombstones) {
      if (tombstone.expiresAtMs > nowMs) continue;
      this.#tombstones.delete(key);
      changes.push({ kind: 'delete', key: { serverId: tombstone.serverId, generation: tombstone.generation } });
    }
    for (const record of this.#records.values()) {
      if (record.state !== 'admitted' || record.expiresAtMs > nowMs) continue;
      expired.push(record);
    }
    for (const record of expired) {
      this.#drop(record);
      changes.push(...this.#bury(record, 'expired', nowMs));
    }
    return { expired, changes };
  }

  /**
   * What the machine has may change (memory added, a reservation, another ratio). Less than what is given away is allowed:
   * nothing is taken back, and nothing is admitted until there is room again.
   */
  setCapacity(capacity: HostCapacity): void {
    this.#capacity = capacity;
  }

  /** Given away and free, for the advert. Free is below 0 when capacity shrank under what runs. */
  usage(): LedgerUsage {
    const { pciPools } = this.#capacity;
    const taken = this.#pciTaken();
    return {
      ...eachResource((name) => ({ used: this.#used[name], free: this.#capacityOf(name) - this.#used[name] })),
      servers: this.#byServer.size,
      pending: this.#pendingCount,
      pciFree: pciPools.map((pool, i) => pool.free - (taken[i] ?? 0)),
      numa: this.#numaTaken(),
    };
  }

  /** The live claim under this key. */
  get(key: ClaimKey): ClaimRecord | undefined {
    return this.#records.get(claimKeyText(key));
  }

  /** Every record that `restore` needs: live claims and tombstones. */
  records(): readonly ClaimRecord[] {
    return [...this.#records.values(), ...this.#tombstones.values()];
  }

  /** Enters `record` when there is room for it beside the claims that its server has already, `others`. */
  #admitWithin(
    needs: ResourceNeeds,
    others: readonly ClaimRecord[],
    record: Omit<ClaimRecord, 'pci' | 'numa'>,
  ): Admission {
    const shortage = this.#shortage(needs, others);
    if (shortage !== undefined) return shortage;
    const pci = needs.pci.length === 0 ? [] : fitPci(this.#capacity.pciPools, this.#pciTaken(), needs.pci);
    if (pci === undefined) return refused('devices', 'the requested PCI devices are not free');
    const numa = needs.numa === undefined ? [] : fitNuma(this.#capacity.numaCells, this.#numaTaken(), needs.numa);
    if (numa === undefined) return refused('numa', 'the requested NUMA cells do not fit');
    const whole: ClaimRecord = { ...record, pci, numa };
    const before = { ...this.#used };
    this.#put(whole);
    this.#assertWithinCapacity(before);
    return { outcome: 'admitted', record: whole, changes: [{ kind: 'put', record: whole }] };
  }

  #admitAgain(known: ClaimRecord, claim: Claim): Admission {
    if (!sameNeeds(known.needs, claim.needs)) {
      return refused('conflict', 'the same server and generation hold a claim of another shape');
    }
    if (claim.asker !== undefined && known.endedAskers?.includes(claim.asker) === true) {
      return refused('gone', 'the claim was given back before');
    }
    const askers = askersWith(known.askers, claim.asker);
    if (askers !== undefined && askers.length > askersMax)
      return refused('overloaded', `${askersMax} placements ask for the same claim`);
    const isLater = known.expiresAtMs < claim.expiresAtMs;
    if (known.state === 'bound' || (!isLater && askers === known.askers)) {
      return { outcome: 'admitted', record: known, changes: [] };
    }
    const expiresAtMs = Math.max(known.expiresAtMs, claim.expiresAtMs);
    const record: ClaimRecord = { ...known, expiresAtMs, ...(askers === undefined ? {} : { askers }) };
    this.#drop(known);
    this.#put(record);
    return { outcome: 'admitted', record, changes: [{ kind: 'put', record }] };
  }

  #shortage(needs: ResourceNeeds, others: readonly ClaimRecord[]): Refusal | undefined {
    for (const name of resourceNames) {
      const wanted = needs[name] ?? 0;
      if (wanted === 0) continue;
      const { unit } = resourceClasses[name];
      const total = this.#capacity[name]?.total ?? 0;
      if (wanted > total) return refused(name, `${wanted} ${unit} are wanted, the machine has ${total}`);
      const more = Math.max(0, wanted - largest(others, name));
      const free = this.#capacityOf(name) - this.#used[name];
      if (more > 0 && more > free) return refused(name, `${more} ${unit} are wanted, ${Math.max(0, free)} are free`);
    }
    if (others.length === 0 && this.#byServer.size >= this.#limits.serversMax) {
      return refused('servers', `the host has ${this.#byServer.size} servers, its limit`);
    }
    return undefined;
  }

  #groupConflict(claim: Claim): Refusal | undefined {
    const { group } = claim;
    if (group === undefined) return undefined;
    let members = 0;
    for (const [serverId, records] of this.#byServer) {
      if (serverId !== claim.serverId && records.some((r) => r.groupId === group.id)) members++;
    }
    return members < group.membersMax
      ? undefined
      : refused('group', `${members} members of server group ${group.id} are here already`);
  }

  #pciTaken(): readonly number[] {
    const taken = this.#capacity.pciPools.map(() => 0);
    if (taken.length === 0) return taken;
    for (const record of this.#records.values()) {
      for (const a of record.pci) taken[a.pool] = (taken[a.pool] ?? 0) + a.count;
    }
    return taken;
  }

  #numaTaken(): readonly NumaAssignment[] {
    const taken: NumaAssignment[] = [];
    if (this.#capacity.numaCells.length === 0) return taken;
    for (const record of this.#records.values()) taken.push(...record.numa);
    return taken;
  }

  #put(record: ClaimRecord): void {
    const key = claimKeyText(record);
    if (record.state === 'released' || record.state === 'expired') {
      this.#tombstones.set(key, record);
      return;
    }
    assert(!this.#records.has(key), () => `claim ${key} is in the ledger twice`);
    // Stored under one key: that the tombstone ends must not take the live claim away.
    this.#tombstones.delete(key);
    this.#records.set(key, record);
    this.#account(record.serverId, [...(this.#byServer.get(record.serverId) ?? []), record]);
    if (record.state === 'admitted') this.#pendingCount++;
  }

  #drop(record: ClaimRecord): void {
    this.#records.delete(claimKeyText(record));
    const rest = (this.#byServer.get(record.serverId) ?? []).filter((r) => r.generation !== record.generation);
    this.#account(record.serverId, rest);
    if (record.state === 'admitted') this.#pendingCount--;
  }

  /** Replaces a server's live claims and moves the sums by the difference. */
  #account(serverId: ServerId, records: ClaimRecord[]): void {
    const before = this.#byServer.get(serverId) ?? [];
    for (const name of resourceNames) this.#used[name] += largest(records, name) - largest(before, name);
    if (records.length === 0) this.#byServer.delete(serverId);
    else this.#byServer.set(serverId, records);
  }

  #bury(record: ClaimRecord, state: 'released' | 'expired', nowMs: number): readonly LedgerChange[] {
    const text = claimKeyText(record);
    const endedAskers = record.askers ? joined(record.endedAskers ?? [], record.askers) : record.boundFor;
    const tombstone: ClaimRecord = {
      ...emptyRecord,
      serverId: record.serverId,
      generation: record.generation,
      state,
      expiresAtMs: nowMs + this.#limits.tombstoneMs,
      ...(endedAskers === undefined ? {} : { endedAskers }),
    };
    const changes: LedgerChange[] = [{ kind: 'put', record: tombstone }];
    // To the end of the order: it is the newest.
    this.#tombstones.delete(text);
    this.#tombstones.set(text, tombstone);
    for (const [key, oldest] of this.#tombstones) {
      if (this.#tombstones.size <= this.#limits.tombstonesMax) break;
      this.#tombstones.delete(key);
      changes.push({ kind: 'delete', key: { serverId: oldest.serverId, generation: oldest.generation } });
    }
    return changes;
  }

  /** After an admission: what grew is within capacity. (What did not grow may be over it, after a shrink.) */
  #assertWithinCapacity(before: Readonly<Record<ResourceName, number>>): void {
    assert(
      resourceNames.every((name) => this.#used[name] === before[name] || this.#used[name] <= this.#capacityOf(name)),
      () => `over capacity: ${JSON.stringify(this.usage())}`,
    );
  }

  #capacityOf(name: ResourceName): number {
    const pool = this.#capacity[name];
    return pool === undefined ? 0 : capacityOf(pool);
  }
}

/** What a host can give. The same facts as in its advert; `used` and `free` there come from the ledger. */
export interface HostCapacity extends ByResource<Omit<ResourcePool, 'used'>> {
  /** `free`: devices that are not in use by anything outside the ledger. */
  readonly pciPools: readonly PciPool[];
  /** `cpusPinned`, `memoryUsedMib` and `pages.used`: what is taken by anything outside the ledger. */
  readonly numaCells: readonly NumaCell[];
}

/** Bounds of a ledger. */
export interface ClaimLimits {
  /** Claims admitted and not bound. More means that binding is stuck: better to refuse at once than to fill up. */
  readonly pendingMax: number;
  /** Servers on the host. */
  readonly serversMax: number;
  /** How long a released or expired claim is remembered, ms. Longer than a request can be on its way. */
  readonly tombstoneMs: number;
  /** Tombstones kept; the oldest goes first. */
  readonly tombstonesMax: number;
}

/**
 * 1,000 unbound claims are several seconds of binding at the cluster's full rate, all aimed at one host. Requests live 30 s
 * at most, so a tombstone of 120 s outlives every copy.
 */
export const defaultClaimLimits: ClaimLimits = {
  pendingMax: 1_000,
  serversMax: 10_000,
  tombstoneMs: 120_000,
  tombstonesMax: 10_000,
};

/** A request to run a server here. */
export interface Claim extends ClaimKey {
  readonly needs: ResourceNeeds;
  /** When it ends unless bound, by the target's clock, ms. */
  readonly expiresAtMs: number;
  /** Who asks: one placement at one agent. Absent: any withdrawal ends the claim. */
  readonly asker?: string;
  /** Anti-affinity, checked here too so that a lost race is seen early. The bind transaction is what makes it exact. */
  readonly group?: { readonly id: string; readonly membersMax: number };
}

/** A claim as stored. Plain data; map it to and from protobuf. */
export interface ClaimRecord extends ClaimKey {
  readonly needs: ResourceNeeds;
  /** Empty: none. */
  readonly groupId: string;
  /** `released` and `expired` are tombstones: they hold nothing. */
  readonly state: 'admitted' | 'bound' | 'released' | 'expired';
  /** Admitted: when it expires. Tombstone: when it may be forgotten. Bound: 0. */
  readonly expiresAtMs: number;
  readonly pci: readonly PciAssignment[];
  readonly numa: readonly NumaAssignment[];
  /** Admitted: all who were told yes. */
  readonly askers?: readonly string[];
  /** Bound: those for whom it was admitted before; none of one that was taken in later. Absent: not known. */
  readonly boundFor?: readonly string[];
  /** Those of whose requests a late copy is refused. Absent: nobody's for an admitted claim, everybody's for a tombstone. */
  readonly endedAskers?: readonly string[];
}

/** What to write before answering. */
export type LedgerChange =
  | { readonly kind: 'put'; readonly record: ClaimRecord }
  | { readonly kind: 'delete'; readonly key: ClaimKey };

/** Why a claim was refused. */
export type RefusalWhy =
  | ResourceName
  | 'devices'
  | 'numa'
  | 'servers'
  | 'group'
  | 'overloaded'
  | 'stale'
  | 'conflict'
  | 'gone'
  | 'malformed';

/** The answer to `admit`. A refusal changes nothing; the caller adds the host's fresh advert to it. */
export type Admission =
  | { readonly outcome: 'admitted'; readonly record: ClaimRecord; readonly changes: readonly LedgerChange[] }
  | Refusal;

interface Refusal {
  readonly outcome: 'refused';
  readonly why: RefusalWhy;
  /** For people. */
  readonly text: string;
  readonly changes: readonly never[];
}

/** The answer to `bind` and `release`. `unknown`: no live claim has that key. */
export interface ClaimChange {
  readonly outcome: 'done' | 'unknown';
  readonly changes: readonly LedgerChange[];
}

/** What is given away and what is left. */
export interface LedgerUsage extends Readonly<Record<ResourceName, { readonly used: number; readonly free: number }>> {
  readonly servers: number;
  readonly pending: number;
  /** By pool. */
  readonly pciFree: readonly number[];
  readonly numa: readonly NumaAssignment[];
}

/** Placements that one claim is admitted for: its owner may ask at every agent, and more than once. */
const askersMax = 64;

function askersWith(askers: readonly string[] | undefined, asker: string | undefined): readonly string[] | undefined {
  return asker === undefined || askers?.includes(asker) === true ? askers : [...(askers ?? []), asker];
}

/** Whether the claim that left this tombstone was also that of `asker`, so that a copy of its request must not revive it. */
function isEndedFor(tombstone: ClaimRecord, asker: string | undefined): boolean {
  return asker === undefined || tombstone.endedAskers === undefined || tombstone.endedAskers.includes(asker);
}

/**
 * Two lists of askers as one. Of more than `askersMax` the newest are kept: a request is on its way for seconds, and no
 * server is placed that often in them.
 */
function joined(earlier: readonly string[], later: readonly string[]): readonly string[] {
  return [...earlier.filter((asker) => !later.includes(asker)), ...later].slice(-askersMax);
}

const emptyRecord: Omit<ClaimRecord, 'serverId' | 'generation'> = {
  needs: { vcpus: 0, memoryMib: 0, diskGib: 0, pci: [] },
  groupId: '',
  state: 'released',
  expiresAtMs: 0,
  pci: [],
  numa: [],
};

function refused(why: RefusalWhy, text: string): Refusal {
  return { outcome: 'refused', why, text, changes: [] };
}

function faultOf(claim: Claim, nowMs: number): string | undefined {
  const { needs } = claim;
  if (claim.serverId === '' || claim.serverId.includes('/')) return 'the server id is malformed';
  if (!Number.isSafeInteger(claim.generation) || claim.generation < 0) return 'the generation is malformed';
  for (const name of resourceNames) {
    const amount = needs[name] ?? 0;
    if (!Number.isSafeInteger(amount) || amount < 0) return `${name} is not a count`;
  }
  if (needs.pci.some((p) => !Number.isSafeInteger(p.count) || p.count < 0 || p.count > 1024)) {
    return 'a PCI request is malformed';
  }
  const cells = needs.numa?.cells ?? [];
  if (cells.some((c) => !(c.vcpus >= 0 && c.memoryMib >= 0 && c.vcpus < 2 ** 31 && c.memoryMib < 2 ** 31))) {
    return 'a NUMA cell is malformed';
  }
  return claim.expiresAtMs > nowMs ? undefined : 'the claim has expired before it arrived';
}

function largest(records: readonly ClaimRecord[], name: ResourceName): number {
  let most = 0;
  for (const record of records) most = Math.max(most, record.needs[name] ?? 0);
  return most;
}

function sameNeeds(a: ResourceNeeds, b: ResourceNeeds): boolean {
  return (
    resourceNames.every((name) => (a[name] ?? 0) === (b[name] ?? 0)) &&
    JSON.stringify([a.pci.map(pciText), numaText(a)]) === JSON.stringify([b.pci.map(pciText), numaText(b)])
  );
}

function pciText(p: ResourceNeeds['pci'][number]): string {
  return `${p.count}/${p.vendorId}/${p.productId}/${p.physicalNetwork}`;
}

function numaText({ numa }: ResourceNeeds): string {
  if (numa === undefined) return '';
  return `${numa.cells.map((c) => `${c.vcpus}/${c.memoryMib}`).join()};${numa.dedicated};${numa.pageSizeKib}`;
}
