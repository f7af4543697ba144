/**
 * The resources that a host gives to guests and that are counted, one entry each. Adverts on the wire, columns, claims,
 * filters, the configuration (`capacity.resources`) and `resources:` extra specs all read this list, so that a new resource
 * is one entry here (README.md, "How to add a resource class").
 */
export const resourceClasses = {
  vcpus: { placementName: 'VCPU', noun: 'vCPUs', unit: 'vCPUs', isCountable: true, isBasic: true },
  memoryMib: { placementName: 'MEMORY_MB', noun: 'memory', unit: 'MiB of memory', isBasic: true },
  diskGib: { placementName: 'DISK_GB', noun: 'local disk', unit: 'GiB of local disk', isBasic: true },
  egressKbps: {
    placementName: 'NET_BW_EGR_KILOBIT_PER_SEC',
    noun: 'egress bandwidth',
    unit: 'kbit/s of egress bandwidth',
    isBasic: false,
  },
} as const satisfies Readonly<Record<string, ResourceClass>>;

/** One entry of the list. */
interface ResourceClass {
  /** The name that OpenStack Placement has for it (os-resource-classes), or one that begins with `CUSTOM_`. */
  readonly placementName: string;
  readonly noun: string;
  /** As it reads after a number. */
  readonly unit: string;
  /** True for things ("fewer vCPUs"), absent for what is measured ("less memory"). */
  readonly isCountable?: boolean;
  /**
   * True for what every flavor has an amount of and every host tells: these have fields of their own on the wire, and the
   * index that all flavors share is searched by them. False for all others: what no flavor names is not needed, what a
   * host does not tell it does not have.
   */
  readonly isBasic: boolean;
}

/** The name of one resource: the field of needs, pools and columns. */
export type ResourceName = keyof typeof resourceClasses;
/** Those that every flavor and every host has. */
export type BasicResource = {
  [N in ResourceName]: (typeof resourceClasses)[N]['isBasic'] extends true ? N : never;
}[ResourceName];
/** Those that only some have. */
export type ExtraResource = Exclude<ResourceName, BasicResource>;

/** One thing for each resource; those of the extra ones may be absent. */
export type ByResource<T> = Readonly<Record<BasicResource, T>> & Readonly<Partial<Record<ExtraResource, T>>>;
/** That guests can be given fewer, or less, than `amount` of it, for people. */
export function shortageText(name: ResourceName, amount: number): string {
  const entry: ResourceClass = resourceClasses[name];
  return entry.isCountable === true
    ? `fewer than ${amount} ${entry.unit} are free`
    : `less than ${amount} ${entry.unit} is free`;
}

/** How much of each, in the resource's own unit; whole numbers. Absent: nothing. */
export type ResourceAmounts = ByResource<number>;

/** All names, in the order of the list. */
export const resourceNames = Object.keys(resourceClasses) as readonly ResourceName[];
/** The names of the extra ones. */
export const extraResources = resourceNames.filter(isExtra);

/** Whether only some flavors and hosts have it. */
export function isExtra(name: ResourceName): name is ExtraResource {
  return !resourceClasses[name].isBasic;
}

/** Makes one thing for each resource. */
export function eachResource<T>(make: (name: ResourceName) => T): Readonly<Record<ResourceName, T>> {
  return Object.fromEntries(resourceNames.map((name) => [name, make(name)])) as Record<ResourceName, T>;
}

/** The extra resource that Placement calls so; undefined: there is none. */
export function extraResourceOf(placementName: string): ExtraResource | undefined {
  return extraResources.find((name) => resourceClasses[name].placementName === placementName);
}

/** Prefix of the extra specs that ask for extra resources, as Nova has it: `resources:CLASS=AMOUNT`. */
export const resourceSpecPrefix = 'resources:';

/**
 * What a flavor's extra specs ask of the extra resources. What is no whole number from 0 to 2^31 - 1, and a class that is
 * not in the list, asks for nothing: such a flavor is refused before (node/services/compute/attribute-rules.ts).
 */
export function extraAmountsOf(
  extraSpecs: Readonly<Record<string, string>>,
): Readonly<Partial<Record<ExtraResource, number>>> {
  const amounts: Partial<Record<ExtraResource, number>> = {};
  for (const name of extraResources) {
    const key = `${resourceSpecPrefix}${resourceClasses[name].placementName}`;
    const text = Object.hasOwn(extraSpecs, key) ? extraSpecs[key] : undefined;
    const amount = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (amount > 0 && amount < 2 ** 31) amounts[name] = amount;
  }
  return amounts;
}
