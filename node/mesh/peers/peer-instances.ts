/**
 * Which instance of each host is served here. A host's key on two machines (its disk was copied, a virtual machine cloned) is
 * one host to TLS and two processes to everybody: both would vote, write the same record and run the same guests. Of two that
 * are connected the older is served and the newer refused. A connection that is dead is given up after some seconds
 * (peer-limits.ts): so long a host that lost power may be refused when it is back.
 */
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { type Instance, isOlderInstance, isSameInstance } from './instance.ts';

/** Said in the facts of the refusal, so that the refused can tell it from others. */
export const keyInUse = 'key-in-use';

/** How long two instances are told of after the newer was refused last, ms. */
const toldMs = 60_000;

/** A run of a host that has called, and from where. */
export interface SeenInstance {
  readonly instance: Instance;
  /** ip:port of a connection of it. */
  readonly remoteAddress: string;
  /** Where it says that it listens, host:port. */
  readonly listensAt: string | undefined;
}

/** Where to look for an agent, for people: where it listens, or at least where it calls from. */
export function whereabouts({ listensAt, remoteAddress }: SeenInstance): string {
  return listensAt ?? remoteAddress;
}

/** Two agents with the key of one host. */
export interface KeyUsedTwice {
  readonly hostId: HostId;
  readonly served: SeenInstance;
  readonly refused: SeenInstance;
  /** When the newer was refused last; monotonic, ms. */
  readonly refusedMs: number;
}

interface PeerInstancesDeps {
  readonly clock: Clock;
  /** Whether the connection from `ip:port` is open. */
  isConnected(remoteAddress: string): boolean;
  /** Cuts those connections, with the calls on them. */
  cut(remoteAddresses: ReadonlySet<string>): void;
  /** Called whenever a call is refused, and when the older of two comes and the newer is cut. */
  onTwice(found: KeyUsedTwice): void;
}

interface Served {
  readonly instance: Instance;
  readonly listensAt: string | undefined;
  /** Its connections; those that have ended are dropped when another comes. */
  remotes: Set<string>;
}

/** See above. Bounded by the members and their connections. */
export class PeerInstances {
  readonly #deps: PeerInstancesDeps;
  readonly #served = new Map<HostId, Served>();
  readonly #twice = new Map<HostId, KeyUsedTwice>();

  constructor(deps: PeerInstancesDeps) {
    this.#deps = deps;
  }

  /** Takes note of a call. Throws `IDENTITY_MISMATCH` when an older instance of the host is connected. */
  admit(hostId: HostId, caller: SeenInstance): void {
    const served = this.#served.get(hostId);
    if (served !== undefined && isSameInstance(served.instance, caller.instance)) {
      if (!served.remotes.has(caller.remoteAddress)) served.remotes = this.#open(served).add(caller.remoteAddress);
      return;
    }
    const open = served === undefined ? new Set<string>() : this.#open(served);
    const [remoteAddress] = open;
    if (served !== undefined && remoteAddress !== undefined) {
      const known = { instance: served.instance, remoteAddress, listensAt: served.listensAt };
      if (!isOlderInstance(caller.instance, served.instance)) throw this.#found(hostId, known, caller);
      this.#found(hostId, caller, known);
      this.#deps.cut(open);
    }
    const { instance, listensAt } = caller;
    this.#served.set(hostId, { instance, listensAt, remotes: new Set([caller.remoteAddress]) });
  }

  /** Hosts whose key was used twice of late. */
  twice(): readonly KeyUsedTwice[] {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const { hostId, refusedMs } of this.#twice.values()) {
      if (nowMs - refusedMs > toldMs) this.#twice.delete(hostId);
    }
    return [...this.#twice.values()];
  }

  /** Forgets hosts that are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#served.keys()) if (!isMember(hostId)) this.#served.delete(hostId);
    for (const hostId of this.#twice.keys()) if (!isMember(hostId)) this.#twice.delete(hostId);
  }

  #open({ remotes }: Served): Set<string> {
    return new Set([...remotes].filter((remote) => this.#deps.isConnected(remote)));
  }

  #found(hostId: HostId, served: SeenInstance, refused: SeenInstance): ShoalError {
    const found = { hostId, served, refused, refusedMs: this.#deps.clock.monotonicMs() };
    this.#twice.set(hostId, found);
    this.#deps.onTwice(found);
    return new ShoalError(
      'IDENTITY_MISMATCH',
      `Another agent runs with the key of host ${hostId}, since ${new Date(served.instance.epoch).toISOString()}, ` +
        `at ${whereabouts(served)}.`,
      { facts: { hostId, reason: keyInUse, otherAddress: served.listensAt ?? '' } },
    );
  }
}
