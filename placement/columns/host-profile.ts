import type { HostAdvert, HostAggregate, Hypervisor } from '../model/advert.ts';

/**
 * What many hosts have in common and that seldom changes: aggregates, traits, zone, hypervisor, networks. Equal profiles
 * are one object with one small number, so a request class judges each profile once instead of each host.
 */
export interface HostProfile {
  /** Index into per-profile tables. Never reused while the columns' `layoutVersion` stands. */
  readonly id: number;
  readonly cell: string;
  readonly zone: string;
  readonly failureDomain: string;
  readonly aggregates: readonly HostAggregate[];
  /** Every value that any aggregate of the host gives to a key. */
  readonly metadata: ReadonlyMap<string, ReadonlySet<string>>;
  readonly traits: ReadonlySet<string>;
  readonly physicalNetworks: ReadonlySet<string>;
  readonly featureLevel: number;
  readonly hypervisor: Hypervisor;
  readonly capabilities: Readonly<Record<string, string>>;
}

/** Interns profiles and counts their users. */
export class ProfileTable {
  /** By id; undefined where no host has the profile any more. */
  readonly byId: (HostProfile | undefined)[] = [];
  readonly #byKey = new Map<string, { readonly profile: HostProfile; users: number }>();
  readonly #keyById: string[] = [];
  /** Projects that some aggregate names in a `filter_tenant_id` key, with the number of profiles that do. */
  readonly #projectsNamed = new Map<string, number>();
  /** Keys in aggregates' metadata, with the number of profiles that have them. */
  readonly #metadataKeys = new Map<string, number>();

  /** Live profiles. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Whether any aggregate in the view has metadata under this key. */
  hasMetadata(key: string): boolean {
    return this.#metadataKeys.has(key);
  }

  /** Whether any aggregate in the view names this project: only then do hosts judge it apart from all others. */
  namesProject(projectId: string): boolean {
    return this.#projectsNamed.size > 0 && this.#projectsNamed.has(projectId);
  }

  /** The advert's profile; `current` (the host's profile so far) is returned unchanged when it still says the same. */
  acquire(advert: HostAdvert, current: HostProfile | undefined): HostProfile {
    if (current !== undefined) {
      if (saysTheSame(current, advert)) return current;
      this.release(current);
    }
    const key = profileKey(advert);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.users++;
      return known.profile;
    }
    const profile = makeProfile(this.byId.length, advert);
    this.byId.push(profile);
    this.#keyById.push(key);
    this.#byKey.set(key, { profile, users: 1 });
    for (const project of projectsIn(profile)) count(this.#projectsNamed, project, 1);
    for (const metadataKey of profile.metadata.keys()) count(this.#metadataKeys, metadataKey, 1);
    return profile;
  }

  /** Gives the live profiles new small ids, in their old order. Returns what each old object became. */
  renumber(): ReadonlyMap<HostProfile, HostProfile> {
    const moved = new Map<HostProfile, HostProfile>();
    const live = [...this.byId.keys()].filter((id) => this.byId[id] !== undefined);
    const keys = live.map((id) => this.#keyById[id] ?? '');
    this.byId.length = 0;
    this.#keyById.length = 0;
    for (const key of keys) {
      const entry = this.#byKey.get(key);
      if (entry === undefined) continue;
      const profile = { ...entry.profile, id: this.byId.length };
      moved.set(entry.profile, profile);
      this.byId.push(profile);
      this.#keyById.push(key);
      this.#byKey.set(key, { profile, users: entry.users });
    }
    return moved;
  }

  /** One user fewer. */
  release(profile: HostProfile): void {
    const key = this.#keyById[profile.id] ?? '';
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    entry.users--;
    if (entry.users > 0) return;
    this.#byKey.delete(key);
    this.byId[profile.id] = undefined;
    this.#keyById[profile.id] = '';
    for (const project of projectsIn(profile)) count(this.#projectsNamed, project, -1);
    for (const metadataKey of profile.metadata.keys()) count(this.#metadataKeys, metadataKey, -1);
  }
}

function count(counts: Map<string, number>, key: string, delta: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + delta;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}

/** Prefix of the aggregate metadata keys that reserve hosts for projects; Nova allows any suffix. */
const tenantKeyPrefix = 'filter_tenant_id';

/** Projects that the profile's aggregates reserve its hosts for. Empty: no such aggregate. */
export function projectsIn(profile: HostProfile): ReadonlySet<string> {
  const projects = new Set<string>();
  for (const [key, values] of profile.metadata) {
    if (!key.startsWith(tenantKeyPrefix)) continue;
    for (const value of values) {
      for (const part of value.split(',')) {
        const project = part.trim();
        if (project !== '') projects.add(project);
      }
    }
  }
  return projects;
}

function makeProfile(id: number, advert: HostAdvert): HostProfile {
  const metadata = new Map<string, Set<string>>();
  for (const aggregate of advert.aggregates) {
    for (const [key, value] of Object.entries(aggregate.metadata)) {
      const values = metadata.get(key);
      if (values === undefined) metadata.set(key, new Set([value]));
      else values.add(value);
    }
  }
  return {
    id,
    cell: advert.cell,
    zone: advert.zone,
    failureDomain: advert.failureDomain,
    aggregates: advert.aggregates,
    metadata,
    traits: new Set(advert.traits),
    physicalNetworks: new Set(advert.physicalNetworks),
    featureLevel: advert.featureLevel,
    hypervisor: advert.hypervisor,
    capabilities: advert.capabilities,
  };
}

/** Text that is equal exactly when two adverts have one profile. */
function profileKey(advert: HostAdvert): string {
  return JSON.stringify([
    advert.cell,
    advert.zone,
    advert.failureDomain,
    advert.aggregates.map((a) => [a.name, sortedEntries(a.metadata)]).sort(),
    [...advert.traits].sort(),
    [...advert.physicalNetworks].sort(),
    advert.featureLevel,
    advert.hypervisor.type,
    advert.hypervisor.version,
    advert.hypervisor.cpuArch,
    advert.hypervisor.supported.map((s) => [s.arch, s.hypervisorType, s.vmMode]),
    sortedEntries(advert.capabilities),
  ]);
}

function sortedEntries(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record).sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** A quick look that avoids building the key when a host repeats itself, which is nearly always. */
function saysTheSame(profile: HostProfile, advert: HostAdvert): boolean {
  if (
    profile.cell !== advert.cell ||
    profile.zone !== advert.zone ||
    profile.failureDomain !== advert.failureDomain ||
    profile.featureLevel !== advert.featureLevel ||
    profile.traits.size !== advert.traits.length ||
    profile.physicalNetworks.size !== advert.physicalNetworks.length
  ) {
    return false;
  }
  for (const trait of advert.traits) if (!profile.traits.has(trait)) return false;
  for (const network of advert.physicalNetworks) if (!profile.physicalNetworks.has(network)) return false;
  return (
    sameAggregates(profile.aggregates, advert.aggregates) &&
    sameHypervisor(profile.hypervisor, advert.hypervisor) &&
    sameRecord(profile.capabilities, advert.capabilities)
  );
}

function sameAggregates(a: readonly HostAggregate[], b: readonly HostAggregate[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined || left.name !== right.name) return false;
    if (!sameRecord(left.metadata, right.metadata)) return false;
  }
  return true;
}

function sameHypervisor(a: Hypervisor, b: Hypervisor): boolean {
  if (a === b) return true;
  if (a.type !== b.type || a.version !== b.version || a.cpuArch !== b.cpuArch) return false;
  if (a.supported.length !== b.supported.length) return false;
  return a.supported.every((left, i) => {
    const right = b.supported[i];
    return (
      right !== undefined &&
      left.arch === right.arch &&
      left.hypervisorType === right.hypervisorType &&
      left.vmMode === right.vmMode
    );
  });
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  if (a === b) return true;
  let count = 0;
  for (const key in a) {
    if (a[key] !== b[key]) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}
