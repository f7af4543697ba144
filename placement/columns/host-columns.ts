import type { HostId } from '../../node/base/ids.ts';
import { fitNuma, type NumaAssignment } from '../devices/numa.ts';
import { fitPci, type PciAssignment } from '../devices/pci.ts';
import { compareAdverts, type HostAdvert, type NumaCell, type PciPool, type StoragePool } from '../model/advert.ts';
import { adverseIn } from '../model/advert-check.ts';
import { type ClaimKey, claimKeyText, type ResourceNeeds } from '../model/request.ts';
import {
  type ExtraResource,
  eachResource,
  extraResources,
  type ResourceName,
  resourceNames,
} from '../model/resource-classes.ts';
import { type HostProfile, ProfileTable } from './host-profile.ts';
import { ResourceColumn } from './resource-column.ts';
import { StoragePoolCensus } from './storage-pool-census.ts';

/**
 * The view of all hosts, as a struct of arrays: one row (*slot*) a host, one typed array a column. Adverts feed it; every
 * change of a row goes into a change log from which indexes catch up (../index/candidate-index.ts).
 *
 * Method. A scan over typed arrays is what V8 runs fastest (about 5 ns a host against 110 ns for objects), and a log of
 * changed slots lets any number of indexes follow at their own pace without callbacks: each keeps a cursor, and an entry
 * that is not its slot's latest is skipped, so a host that changed ten times is re-scored once.
 *
 * Free amounts already count *holds*: claims that this agent has sent and that no advert shows yet.
 */
export class HostColumns {
  /** Slots ever handed out are below this. A slot below it may be vacant (`takesGuests` and `present` are 0). */
  slotsUsed = 0;
  /** Length of every column. Power of two. */
  slotsMax: number;

  readonly profiles = new ProfileTable();
  hostIds: (HostId | undefined)[] = [];
  hostNames: string[] = [];
  addresses: string[] = [];
  disabledReasons: string[] = [];
  profileOf: (HostProfile | undefined)[] = [];
  metrics: Readonly<Record<string, number>>[] = [];
  pciPools: (readonly PciPool[])[] = [];
  numaCells: (readonly NumaCell[])[] = [];
  storagePools: (readonly StoragePool[])[] = [];

  present: Uint8Array;
  enabled: Uint8Array;
  /** 1 when the advert says so and the failure detector does not object. */
  up: Uint8Array;
  /** 1 when the row is present, enabled and up. */
  takesGuests: Float64Array;
  profileIds: Int32Array;
  /** Room by resource: `resources.vcpus.free[slot]`. */
  readonly resources: Readonly<Record<ResourceName, ResourceColumn>>;
  /** Servers on the host, with holds. */
  numInstances: Float64Array;
  /** I/O-heavy operations, with holds. */
  ioOps: Float64Array;
  buildFailures: Float64Array;
  /** Free devices over all pools, with holds. */
  pciFree: Float64Array;
  /** 0 (healthy) to 1: how strongly the failure detector suspects the host. */
  suspicion: Float64Array;
  /** Breaks ties between equal scores: lower wins. Unique a slot, different on every agent, so agents do not herd. */
  rank: Uint32Array;

  /** Entries ever written to the change log. */
  changeCount = 0;
  /** Position of a slot's latest entry in the change log. */
  lastChange: Float64Array;
  /** Ring of changed slots; entry i is at `i & changeMask`. */
  changes: Int32Array;
  changeMask: number;
  /** Grows when columns moved or a scale changed: indexes must be built again. */
  layoutVersion = 0;
  /** Grows when a host comes or goes: what knows hosts by their slots must look them up again. */
  membershipVersion = 0;

  #numInstancesSaid: Float64Array;
  #ioOpsSaid: Float64Array;
  #pciFreeSaid: Float64Array;
  #heldCount: Int32Array;
  #heldPci: Float64Array;
  #epochs: Float64Array;
  #sequences: Float64Array;
  #upSaid: Uint8Array;
  #detectedDown: Uint8Array;

  readonly #poolCensus = new StoragePoolCensus();
  readonly #slotById = new Map<HostId, number>();
  readonly #vacant: number[] = [];
  readonly #holds = new Map<string, Hold>();
  /** Holds with PCI devices or NUMA cells, by slot: few, and they need more than a sum. */
  readonly #heavyHolds = new Map<number, Hold[]>();
  /** Admitted claims that wait for the advert that counts them, by slot: the keys of their holds. */
  readonly #awaited = new Map<number, string[]>();
  /** No hold ends before this. */
  #holdsExpireMs = Number.POSITIVE_INFINITY;
  /** The same as `resources`, to loop over. */
  readonly #extras: readonly { readonly name: ExtraResource; readonly column: ResourceColumn }[];
  readonly #resources: readonly { readonly name: ResourceName; readonly column: ResourceColumn }[];
  readonly #rankSeed: number;

  /** @param seed draws the tie-break ranks; each agent has its own. */
  constructor(options: { readonly seed: number; readonly slotsMax?: number }) {
    let slots = 64;
    while (slots < (options.slotsMax ?? 0)) slots *= 2;
    this.slotsMax = slots;
    this.#rankSeed = options.seed >>> 0;
    this.present = new Uint8Array(slots);
    this.enabled = new Uint8Array(slots);
    this.up = new Uint8Array(slots);
    this.takesGuests = new Float64Array(slots);
    this.profileIds = new Int32Array(slots);
    this.resources = eachResource(() => new ResourceColumn(slots));
    this.#extras = extraResources.map((name) => ({ name, column: this.resources[name] }));
    this.#resources = resourceNames.map((name) => ({ name, column: this.resources[name] }));
    this.numInstances = new Float64Array(slots);
    this.ioOps = new Float64Array(slots);
    this.buildFailures = new Float64Array(slots);
    this.pciFree = new Float64Array(slots);
    this.suspicion = new Float64Array(slots);
    this.rank = new Uint32Array(slots);
    this.lastChange = new Float64Array(slots);
    this.changes = new Int32Array(slots * 2);
    this.changeMask = slots * 2 - 1;
    this.#numInstancesSaid = new Float64Array(slots);
    this.#ioOpsSaid = new Float64Array(slots);
    this.#pciFreeSaid = new Float64Array(slots);
    this.#heldCount = new Int32Array(slots);
    this.#heldPci = new Float64Array(slots);
    this.#epochs = new Float64Array(slots);
    this.#sequences = new Float64Array(slots);
    this.#upSaid = new Uint8Array(slots);
    this.#detectedDown = new Uint8Array(slots);
    this.#fillRanks(0);
  }

  /** Hosts in the view. */
  get hostCount(): number {
    return this.#slotById.size;
  }

  /** Claims in flight. */
  get holdCount(): number {
    return this.#holds.size;
  }

  /** Whether disks in the storage pool can be opened from every host that lists it; undefined: no host lists it. */
  isSharedPool(name: string): boolean | undefined {
    return this.#poolCensus.isShared(name);
  }

  /** The host's row, or undefined when the view does not have it. */
  slotOf(hostId: HostId): number | undefined {
    return this.#slotById.get(hostId);
  }

  /** Slots of all hosts, ascending. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.slotsUsed; slot++) if (this.present[slot] === 1) yield slot;
  }

  /**
   * Takes in an advert. `stale`: one at least as new is already here (a lower or equal (epoch, sequence) never wins).
   * `invalid`: numbers or sizes that no sane host sends (`adverseIn` says which); nothing changed.
   */
  upsert(advert: HostAdvert): 'applied' | 'stale' | 'invalid' {
    if (adverseIn(advert) !== undefined) return 'invalid';
    let slot = this.#slotById.get(advert.hostId);
    if (slot === undefined) {
      slot = this.#takeSlot(advert.hostId);
    } else if (compareAdverts(advert, { epoch: this.#epochs[slot] ?? 0, sequence: this.#sequences[slot] ?? 0 }) <= 0) {
      return 'stale';
    }
    this.#epochs[slot] = advert.epoch;
    this.#sequences[slot] = advert.sequence;
    this.#releaseCounted(slot, advert);
    this.#fill(slot, advert);
    return 'applied';
  }

  /** (epoch, sequence) of the advert that the row shows. */
  versionOf(hostId: HostId): { readonly epoch: number; readonly sequence: number } | undefined {
    const slot = this.#slotById.get(hostId);
    return slot === undefined ? undefined : { epoch: this.#epochs[slot] ?? 0, sequence: this.#sequences[slot] ?? 0 };
  }

  /** Forgets a host and its holds. False when it is not in the view. */
  remove(hostId: HostId): boolean {
    const slot = this.#slotById.get(hostId);
    if (slot === undefined) return false;
    if ((this.#heldCount[slot] ?? 0) > 0) {
      for (const [key, hold] of this.#holds) if (hold.slot === slot) this.#drop(key, hold);
    }
    this.#awaited.delete(slot);
    for (const { column } of this.#resources) column.vacate(slot);
    this.#checkScales();
    const profile = this.profileOf[slot];
    if (profile !== undefined) this.profiles.release(profile);
    this.profileOf[slot] = undefined;
    this.#slotById.delete(hostId);
    this.membershipVersion++;
    this.#vacant.push(slot);
    this.hostIds[slot] = undefined;
    this.hostNames[slot] = '';
    this.metrics[slot] = noMetrics;
    this.pciPools[slot] = [];
    this.numaCells[slot] = [];
    this.#poolCensus.replace(this.storagePools[slot] ?? none, none);
    this.storagePools[slot] = none;
    this.present[slot] = 0;
    this.takesGuests[slot] = 0;
    this.suspicion[slot] = 0;
    this.#detectedDown[slot] = 0;
    this.#note(slot);
    return true;
  }

  /**
   * What this agent's failure detector thinks. `up` false takes the host out of placement; `suspicion` (0 to 1) makes it a
   * last choice. A newer advert does not overrule it: the detector does, when the host answers again.
   */
  setLiveness(hostId: HostId, liveness: { readonly up: boolean; readonly suspicion: number }): boolean {
    const slot = this.#slotById.get(hostId);
    if (slot === undefined) return false;
    const down = liveness.up ? 0 : 1;
    const suspicion = Math.min(1, Math.max(0, liveness.suspicion));
    if (this.#detectedDown[slot] === down && this.suspicion[slot] === suspicion) return true;
    this.#detectedDown[slot] = down;
    this.suspicion[slot] = suspicion;
    this.#refreshState(slot);
    this.#note(slot);
    return true;
  }

  /**
   * Deducts a claim in flight, so that this agent's next decision sees it. False (and nothing held) when the host is not in
   * the view. Holding the same key again replaces the first hold. Devices and NUMA cells are deducted when they fit.
   * @param expiresAtMs when `expireHolds` drops it, in case nobody releases it.
   */
  hold(key: ClaimKey, hostId: HostId, needs: ResourceNeeds, expiresAtMs: number): boolean {
    const slot = this.#slotById.get(hostId);
    if (slot === undefined) return false;
    const text = claimKeyText(key);
    this.#releaseText(text);
    const hold: Hold = {
      slot,
      needs,
      pci: needs.pci.length === 0 ? none : (fitPci(this.pciPools[slot] ?? [], this.pciTaken(slot), needs.pci) ?? none),
      numa:
        needs.numa === undefined
          ? none
          : (fitNuma(this.numaCells[slot] ?? [], this.numaTaken(slot), needs.numa) ?? none),
      expiresAtMs,
      counted: undefined,
    };
    this.#holds.set(text, hold);
    this.#holdsExpireMs = Math.min(this.#holdsExpireMs, expiresAtMs);
    if (hold.pci.length > 0 || hold.numa.length > 0) {
      const heavy = this.#heavyHolds.get(slot);
      if (heavy === undefined) this.#heavyHolds.set(slot, [hold]);
      else heavy.push(hold);
    }
    this.#addHeld(hold, 1);
    return true;
  }

  /**
   * The claim is no longer in flight: refused, released, or admitted and shown by an advert that is already in. Call
   * `upsert` with the reply's advert first. False when nothing was held under the key.
   */
  releaseHold(key: ClaimKey): boolean {
    return this.#releaseText(claimKeyText(key));
  }

  /**
   * The claim was admitted, and the host's advert of that (epoch, sequence) is the first to count it: the hold lasts until
   * that one or a newer is taken in. So an admission need not bring an advert, and the room is never counted twice or not
   * at all. False when nothing was held under the key.
   */
  releaseHoldWith(key: ClaimKey, counted: { readonly epoch: number; readonly sequence: number }): boolean {
    const text = claimKeyText(key);
    const hold = this.#holds.get(text);
    if (hold === undefined) return false;
    const shown = { epoch: this.#epochs[hold.slot] ?? 0, sequence: this.#sequences[hold.slot] ?? 0 };
    if (compareAdverts(shown, counted) >= 0) return this.#releaseText(text);
    hold.counted = counted;
    const awaited = this.#awaited.get(hold.slot);
    if (awaited === undefined) this.#awaited.set(hold.slot, [text]);
    else awaited.push(text);
    return true;
  }

  /** Drops holds whose time has come. Returns how many. Looks at them only when one may have. */
  expireHolds(nowMs: number): number {
    if (nowMs < this.#holdsExpireMs) return 0;
    let dropped = 0;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [key, hold] of this.#holds) {
      if (hold.expiresAtMs > nowMs) {
        nextMs = Math.min(nextMs, hold.expiresAtMs);
        continue;
      }
      this.#drop(key, hold);
      dropped++;
    }
    this.#holdsExpireMs = nextMs;
    return dropped;
  }

  /**
   * Lets the row look as if `copies` more guests were on the host, while `look` runs. Nothing is logged, so `look` must ask
   * for no score that anybody keeps.
   */
  pretend<T>(slot: number, needs: ResourceNeeds, copies: number, look: () => T): T {
    this.#holdResources(slot, needs, copies);
    this.#refreshFree(slot);
    this.numInstances[slot] = at(this.numInstances, slot) + copies;
    try {
      return look();
    } finally {
      this.#holdResources(slot, needs, -copies);
      this.#refreshFree(slot);
    }
  }

  /** Devices of each pool that holds have taken. */
  pciTaken(slot: number): readonly number[] {
    const heavy = this.#heavyHolds.get(slot);
    if (heavy === undefined) return none;
    const taken: number[] = (this.pciPools[slot] ?? []).map(() => 0);
    for (const hold of heavy) for (const a of hold.pci) taken[a.pool] = (taken[a.pool] ?? 0) + a.count;
    return taken;
  }

  /** Parts of NUMA cells that holds have taken. */
  numaTaken(slot: number): readonly NumaAssignment[] {
    const heavy = this.#heavyHolds.get(slot);
    return heavy === undefined ? none : heavy.flatMap((hold) => hold.numa);
  }

  /** An advert has come: it counts the admitted claims that waited for it. */
  #releaseCounted(slot: number, advert: { readonly epoch: number; readonly sequence: number }): void {
    const awaited = this.#awaited.get(slot);
    if (awaited === undefined) return;
    const later = awaited.filter((text) => {
      const hold = this.#holds.get(text);
      // Gone, or held again since, for another claim under the same key.
      if (hold?.counted === undefined) return false;
      if (compareAdverts(advert, hold.counted) < 0) return true;
      this.#drop(text, hold);
      return false;
    });
    if (later.length === 0) this.#awaited.delete(slot);
    else this.#awaited.set(slot, later);
  }

  #releaseText(text: string): boolean {
    const hold = this.#holds.get(text);
    if (hold === undefined) return false;
    this.#drop(text, hold);
    return true;
  }

  #drop(key: string, hold: Hold): void {
    this.#holds.delete(key);
    if (hold.pci.length > 0 || hold.numa.length > 0) {
      const rest = (this.#heavyHolds.get(hold.slot) ?? []).filter((h) => h !== hold);
      if (rest.length === 0) this.#heavyHolds.delete(hold.slot);
      else this.#heavyHolds.set(hold.slot, rest);
    }
    this.#addHeld(hold, -1);
  }

  #addHeld(hold: Hold, sign: 1 | -1): void {
    const { slot } = hold;
    this.#holdResources(slot, hold.needs, sign);
    add(this.#heldCount, slot, sign);
    for (const a of hold.pci) add(this.#heldPci, slot, sign * a.count);
    this.#refreshFree(slot);
    this.#note(slot);
  }

  #holdResources(slot: number, needs: ResourceNeeds, copies: number): void {
    const { vcpus, memoryMib, diskGib } = this.resources;
    vcpus.hold(slot, copies * needs.vcpus);
    memoryMib.hold(slot, copies * needs.memoryMib);
    diskGib.hold(slot, copies * needs.diskGib);
    for (const { name, column } of this.#extras) {
      const amount = needs[name] ?? 0;
      if (amount !== 0) column.hold(slot, copies * amount);
    }
  }

  #refreshState(slot: number): void {
    const up = this.#upSaid[slot] === 1 && this.#detectedDown[slot] === 0 ? 1 : 0;
    this.up[slot] = up;
    this.takesGuests[slot] = this.enabled[slot] === 1 ? up : 0;
  }

  #refreshFree(slot: number): void {
    this.numInstances[slot] = at(this.#numInstancesSaid, slot) + at(this.#heldCount, slot);
    this.ioOps[slot] = at(this.#ioOpsSaid, slot) + at(this.#heldCount, slot);
    this.pciFree[slot] = at(this.#pciFreeSaid, slot) - at(this.#heldPci, slot);
  }

  #fill(slot: number, advert: HostAdvert): void {
    const profile = this.profiles.acquire(advert, this.profileOf[slot]);
    this.profileOf[slot] = profile;
    this.profileIds[slot] = profile.id;
    this.hostNames[slot] = advert.hostName;
    this.addresses[slot] = advert.address;
    this.disabledReasons[slot] = advert.state.disabledReason;
    this.metrics[slot] = advert.metrics;
    this.numaCells[slot] = advert.numaCells;
    this.#poolCensus.replace(this.storagePools[slot] ?? none, advert.storagePools);
    this.storagePools[slot] = advert.storagePools;
    this.pciPools[slot] = advert.pciPools;
    this.enabled[slot] = advert.state.enabled ? 1 : 0;
    this.#upSaid[slot] = advert.state.up ? 1 : 0;
    this.#refreshState(slot);

    const { vcpus, memoryMib, diskGib } = this.resources;
    vcpus.fill(slot, advert.vcpus);
    memoryMib.fill(slot, advert.memoryMib);
    diskGib.fill(slot, advert.diskGib);
    for (const { name, column } of this.#extras) column.fill(slot, advert[name]);
    this.present[slot] = 1;
    this.#numInstancesSaid[slot] = advert.numInstances;
    this.#ioOpsSaid[slot] = advert.ioOps;
    this.buildFailures[slot] = advert.buildFailures;
    let devices = 0;
    for (const pool of advert.pciPools) devices += pool.free;
    this.#pciFreeSaid[slot] = devices;
    this.#refreshFree(slot);
    this.#checkScales();
    this.#compactProfiles();
    this.#note(slot);
  }

  #checkScales(): void {
    let moved = false;
    // Each of them must take note of its own change.
    for (const { column } of this.#resources) if (column.refreshScale()) moved = true;
    if (moved) this.layoutVersion++;
  }

  /** Profile ids only grow; when most are dead, number the live ones afresh so that per-profile tables stay small. */
  #compactProfiles(): void {
    const { profiles } = this;
    if (profiles.byId.length <= 4 * profiles.size + profileIdsSlack) return;
    const renumbered = profiles.renumber();
    for (let slot = 0; slot < this.slotsUsed; slot++) {
      const profile = this.profileOf[slot];
      if (profile === undefined) continue;
      const moved = renumbered.get(profile);
      if (moved === undefined) continue;
      this.profileOf[slot] = moved;
      this.profileIds[slot] = moved.id;
    }
    this.layoutVersion++;
  }

  #takeSlot(hostId: HostId): number {
    let slot = this.#vacant.pop();
    if (slot === undefined) {
      if (this.slotsUsed === this.slotsMax) this.#grow();
      slot = this.slotsUsed++;
    }
    this.#slotById.set(hostId, slot);
    this.membershipVersion++;
    this.hostIds[slot] = hostId;
    this.present[slot] = 0;
    return slot;
  }

  #grow(): void {
    const slots = this.slotsMax * 2;
    const bytes = (from: Uint8Array): Uint8Array => copyInto(new Uint8Array(slots), from);
    const floats = (from: Float64Array): Float64Array => copyInto(new Float64Array(slots), from);
    const ints = (from: Int32Array): Int32Array => copyInto(new Int32Array(slots), from);
    this.present = bytes(this.present);
    this.enabled = bytes(this.enabled);
    this.up = bytes(this.up);
    this.takesGuests = floats(this.takesGuests);
    this.profileIds = ints(this.profileIds);
    for (const { column } of this.#resources) column.grow(slots);
    this.numInstances = floats(this.numInstances);
    this.ioOps = floats(this.ioOps);
    this.buildFailures = floats(this.buildFailures);
    this.pciFree = floats(this.pciFree);
    this.suspicion = floats(this.suspicion);
    this.rank = copyInto(new Uint32Array(slots), this.rank);
    this.lastChange = floats(this.lastChange);
    // The ring's positions shift with its length, so what was logged is lost: `layoutVersion` tells the indexes.
    this.changes = new Int32Array(slots * 2);
    this.changeMask = slots * 2 - 1;
    this.#numInstancesSaid = floats(this.#numInstancesSaid);
    this.#ioOpsSaid = floats(this.#ioOpsSaid);
    this.#pciFreeSaid = floats(this.#pciFreeSaid);
    this.#heldCount = ints(this.#heldCount);
    this.#heldPci = floats(this.#heldPci);
    this.#epochs = floats(this.#epochs);
    this.#sequences = floats(this.#sequences);
    this.#upSaid = bytes(this.#upSaid);
    this.#detectedDown = bytes(this.#detectedDown);
    const before = this.slotsMax;
    this.slotsMax = slots;
    this.#fillRanks(before);
    this.layoutVersion++;
  }

  /** A bijection of the slot number, so that no two slots share a rank. */
  #fillRanks(from: number): void {
    for (let slot = from; slot < this.slotsMax; slot++) {
      let z = Math.imul(slot ^ this.#rankSeed, 0x9e3779b1);
      z ^= z >>> 15;
      z = Math.imul(z, 0x85ebca77);
      z ^= z >>> 13;
      z = Math.imul(z, 0xc2b2ae3d);
      this.rank[slot] = z ^ (z >>> 16);
    }
  }

  #note(slot: number): void {
    this.changes[this.changeCount & this.changeMask] = slot;
    this.lastChange[slot] = this.changeCount;
    this.changeCount++;
  }
}

/** A claim in flight. */
interface Hold {
  readonly slot: number;
  readonly needs: ResourceNeeds;
  readonly pci: readonly PciAssignment[];
  readonly numa: readonly NumaAssignment[];
  readonly expiresAtMs: number;
  /** The first advert that counts the claim, once that is known. */
  counted: { readonly epoch: number; readonly sequence: number } | undefined;
}

const none: readonly never[] = [];
const noMetrics: Readonly<Record<string, number>> = {};
/** Dead profile ids tolerated before renumbering: costs a few bytes a class. */
const profileIdsSlack = 1024;

function at(column: Float64Array | Int32Array, slot: number): number {
  return column[slot] ?? 0;
}

function add(column: Float64Array | Int32Array, slot: number, delta: number): void {
  column[slot] = (column[slot] ?? 0) + delta;
}

function copyInto<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
