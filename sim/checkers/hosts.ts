/**
 * What must hold of hosts and guests, at any moment: checked on plain pictures of the world, so that hand-made ones prove
 * the checks.
 */
import type { Report } from './invariants.ts';

/** A guest as it is on a host. */
interface GuestPicture {
  readonly serverId: string;
  readonly generation: number;
  readonly isRunning: boolean;
}

/** A claim in a host's ledger. */
interface ClaimPicture {
  readonly serverId: string;
  readonly generation: number;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

export interface HostPicture {
  readonly name: string;
  readonly guests: readonly GuestPicture[];
  readonly claims: readonly ClaimPicture[];
  /** What claims may sum up to. */
  readonly room: { readonly vcpus: number; readonly memoryMib: number; readonly diskGib: number };
}

/** No server runs twice; nobody gives what it has not; whatever runs is claimed. */
export function checkHosts(hosts: readonly HostPicture[], report: Report): void {
  const runsOn = new Map<string, string>();
  for (const host of hosts) {
    const generations = new Map<string, Set<number>>();
    for (const { serverId, generation } of host.claims) {
      const known = generations.get(serverId);
      if (known === undefined) generations.set(serverId, new Set([generation]));
      else known.add(generation);
    }
    for (const guest of host.guests) {
      if (!guest.isRunning) continue;
      const other = runsOn.get(guest.serverId);
      if (other !== undefined) report('no-double-run', `server ${guest.serverId} runs on ${other} and on ${host.name}`);
      runsOn.set(guest.serverId, host.name);
      if (generations.get(guest.serverId)?.has(guest.generation) !== true) {
        report(
          'runs-only-what-is-claimed',
          `server ${guest.serverId} of generation ${guest.generation} runs on ${host.name} without a claim`,
        );
      }
    }
    for (const resource of ['vcpus', 'memoryMib', 'diskGib'] as const) {
      // A server that is resized on its host has a claim for each shape, and runs in one of them at a time.
      const largest = new Map<string, number>();
      for (const claim of host.claims)
        largest.set(claim.serverId, Math.max(largest.get(claim.serverId) ?? 0, claim[resource]));
      let sum = 0;
      for (const amount of largest.values()) sum += amount;
      if (sum <= host.room[resource]) continue;
      report(
        'no-overcommit',
        `claims on ${host.name} take ${sum} of ${host.room[resource]} ${resource}: ${host.claims.map((claim) => claim.serverId).join()}`,
      );
    }
  }
}

/** A port as recorded. */
interface PortPicture {
  readonly id: string;
  readonly networkId: string;
  readonly mac: string;
  readonly ips: readonly string[];
}

/** No address twice on a network, no MAC either. */
export function checkAddresses(ports: readonly PortPicture[], report: Report): void {
  const seen = new Map<string, string>();
  for (const port of ports) {
    for (const address of [
      `mac ${port.mac} on network ${port.networkId}`,
      ...port.ips.map((ip) => `${ip} on network ${port.networkId}`),
    ]) {
      const other = seen.get(address);
      if (other !== undefined) report('unique-addresses', `${address} belongs to ports ${other} and ${port.id}`);
      seen.set(address, port.id);
    }
  }
}

/** What a project has, by resource, summed over its records and as its counters say. */
export interface QuotaPicture {
  readonly projectId: string;
  readonly resource: string;
  readonly sum: number;
  readonly counted: number;
}

export function checkQuota(quotas: readonly QuotaPicture[], report: Report): void {
  for (const { projectId, resource, sum, counted } of quotas) {
    if (sum !== counted) report('quota-equals-sum', `${projectId} has ${sum} ${resource}, its counter says ${counted}`);
  }
}

/** Follows what was ever asked of servers, to judge what hosts do to them. */
export class RemovalChecker {
  readonly #report: Report;
  /** Servers whose deletion was committed, or that have moved on. */
  readonly #mayGo = new Set<string>();
  /** Hosts, by server, to which it was to come and did not: what waited for it there may go. */
  readonly #mayGoFrom = new Map<string, Set<string>>();
  /** Servers that somebody asked to stop, reboot or delete at some time. */
  readonly #mayStop = new Set<string>();
  /** Servers whose host was fenced. */
  readonly #mayEnd = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** A committed record says that the server is to be deleted or to leave its host. */
  mayGo(serverId: string): void {
    this.#mayGo.add(serverId);
    this.#mayStop.add(serverId);
  }

  /** A committed record says that a host is to end what waited for the server, which stays where it is. */
  mayGoFrom(serverId: string, host: string): void {
    this.#mayGoFrom.set(serverId, (this.#mayGoFrom.get(serverId) ?? new Set()).add(host));
  }

  /** A record, or its owner at its host, says that it is to stop or reboot; or its guest has powered itself off. */
  mayStop(serverId: string): void {
    this.#mayStop.add(serverId);
  }

  /** Its host was fenced by storage: the guest goes, and nothing else of it. */
  mayEnd(serverId: string): void {
    this.#mayStop.add(serverId);
    this.#mayEnd.add(serverId);
  }

  /** A host removes a guest or its disk. */
  removes(host: string, what: string, serverId: string): void {
    if (this.#mayGo.has(serverId) || this.#mayGoFrom.get(serverId)?.has(host) === true) return;
    if (what === 'guest' && this.#mayEnd.has(serverId)) return;
    this.#report(
      'record-before-removal',
      `${host} removes the ${what} of server ${serverId}, which no record asks for`,
    );
  }

  /** A host stops a guest that runs. */
  stops(host: string, serverId: string): void {
    if (this.#mayStop.has(serverId)) return;
    this.#report('data-plane-independent', `${host} stops server ${serverId}, which nobody asked for`);
  }
}

/** A guest's write as storage saw it. */
export function checkWrite(
  write: { readonly volumeId: string; readonly host: string; readonly generation: number },
  lock: { readonly owner: string; readonly generation: number } | undefined,
  report: Report,
): void {
  if (lock !== undefined && lock.owner === write.host && lock.generation === write.generation) return;
  const held = lock === undefined ? 'nobody' : `${lock.owner} at generation ${lock.generation}`;
  report(
    'single-writer',
    `${write.host} writes ${write.volumeId} at generation ${write.generation}; its lock is held by ${held}`,
  );
}

/** A guest that went off by its own will stays off until its owner asks for something. */
export class PowerOffChecker {
  readonly #report: Report;
  readonly #off = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Servers whose guests are off by their own will. */
  get off(): readonly string[] {
    return [...this.#off.keys()];
  }

  /** The guest has powered itself off on `host`, while nobody was asking for anything. */
  wentOff(host: string, serverId: string): void {
    this.#off.set(serverId, host);
  }

  /** The owner asks for something, whatever comes of it; or the host has lost all that could tell (a power cut). */
  mayStart(serverId: string): void {
    this.#off.delete(serverId);
  }

  /** A host starts the guest. */
  starts(host: string, serverId: string): void {
    const at = this.#off.get(serverId);
    if (at === undefined) return;
    this.#report('off-means-off', `${host} starts server ${serverId}, which powered itself off on ${at}`);
  }
}

/** A network as recorded. */
interface NetworkPicture {
  readonly id: string;
  readonly vni: number;
}

/** No two networks share a VNI: their frames would be one another's. */
export function checkVnis(networks: readonly NetworkPicture[], report: Report): void {
  const seen = new Map<number, string>();
  for (const { id, vni } of networks) {
    const other = seen.get(vni);
    if (other !== undefined) report('unique-vnis', `networks ${other} and ${id} both have VNI ${vni}`);
    seen.set(vni, id);
  }
}

/** What a server holds that nobody else may. */
interface HoldingsPicture {
  readonly serverId: string;
  readonly projectId: string;
  /** The name that its owner gave it; every creation of a workload has another. */
  readonly name: string;
  readonly volumeIds: readonly string[];
  readonly portIds: readonly string[];
}

/** A disk and a port belong to one server. */
export function checkAttachments(servers: readonly HoldingsPicture[], report: Report): void {
  const seen = new Map<string, string>();
  for (const { serverId, volumeIds, portIds } of servers) {
    for (const held of [...volumeIds.map((id) => `disk ${id}`), ...portIds.map((id) => `port ${id}`)]) {
      const other = seen.get(held);
      if (other !== undefined) report('unique-attachments', `${held} belongs to servers ${other} and ${serverId}`);
      seen.set(held, serverId);
    }
  }
}

/** A record of a project and the things of projects that it names. */
export interface ReferencesPicture {
  /** For people: `port 1234`. */
  readonly what: string;
  readonly projectId: string;
  readonly names: readonly { readonly what: string; readonly projectId: string }[];
}

/** Nothing names what belongs to another project. (Nothing is shared in this world.) */
export function checkReferences(records: readonly ReferencesPicture[], report: Report): void {
  for (const { what, projectId, names } of records) {
    for (const named of names) {
      if (named.projectId === projectId) continue;
      report('references-own', `${what} of ${projectId} names ${named.what}, which is ${named.projectId}'s`);
    }
  }
}

/** One creation, however often it is sent and to whom, makes one server. */
export function checkCreations(servers: readonly HoldingsPicture[], report: Report): void {
  const seen = new Map<string, string>();
  for (const { serverId, projectId, name } of servers) {
    const key = `${projectId}/${name}`;
    const other = seen.get(key);
    if (other !== undefined) report('creation-once', `servers ${other} and ${serverId} are both ${key}`);
    seen.set(key, serverId);
  }
}

/** A guest is about to be started on a host: by then its disk is locked for this host and generation. */
export function checkStart(
  start: { readonly host: string; readonly volumeId: string; readonly generation: number },
  lock: { readonly owner: string; readonly generation: number } | undefined,
  report: Report,
): void {
  if (lock !== undefined && lock.owner === start.host && lock.generation === start.generation) return;
  const held = lock === undefined ? 'nobody' : `${lock.owner} at generation ${lock.generation}`;
  report(
    'lock-before-start',
    `${start.host} starts a guest at generation ${start.generation} on ${start.volumeId}, which is locked by ${held}`,
  );
}

/** Somebody asked for a server of another project, and this is what came. */
export function checkStranger(
  asked: { readonly by: string; readonly serverId: string; readonly isShown: boolean },
  report: Report,
): void {
  if (asked.isShown) report('tenants-apart', `${asked.by} is shown server ${asked.serverId} of another project`);
}

/** No two members of a group that is to be apart sit on one host, and all of one that is to be together do. */
export function checkGroups(
  groups: readonly { readonly id: string; readonly policy: string; readonly hostIds: readonly string[] }[],
  report: Report,
): void {
  for (const { id, policy, hostIds } of groups) {
    const hosts = new Set(hostIds).size;
    if (policy === 'affinity' ? hosts <= 1 : hosts === hostIds.length) continue;
    report('groups-hold', `members of the ${policy} group ${id} are on ${hostIds.join()}`);
  }
}

/** What owners were told, against what is there once all is quiet. */
export function checkPromises(
  told: {
    readonly created: ReadonlySet<string>;
    /** Deletions that were asked for, whatever came of them. */
    readonly deleting: ReadonlySet<string>;
    /** Deletions that were acknowledged. */
    readonly deleted: ReadonlySet<string>;
  },
  recorded: ReadonlySet<string>,
  report: Report,
): void {
  for (const id of told.deleted)
    if (recorded.has(id)) report('nothing-leaked', `server ${id} was deleted and is still recorded`);
  for (const id of told.created) {
    if (told.deleting.has(id) || recorded.has(id)) continue;
    report('acknowledged-durable', `the creation of server ${id} was acknowledged, nobody deleted it, and it is gone`);
  }
}
