/**
 * Cooperative placement (DESIGN section 6): this agent picks from its own view, the target host admits or refuses, and a
 * refusal brings the target's fresh advert, so that the next choice is a better one.
 */
import {
  type Candidate,
  type Explanation,
  explain,
  explainHost,
  type HostColumns,
  type HostExplanation,
  type PlacementConfiguration,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
  whatIf,
} from '../placement/index.ts';
import { shoal } from '../proto/messages.ts';
import type { Clock } from './base/clock.ts';
import { ShoalError } from './base/errors.ts';
import type { HostId } from './base/ids.ts';
import type { Logger } from './base/logger.ts';
import type { Prng } from './base/prng.ts';
import { needsOf } from './claim-book.ts';
import type { Placed, PlaceRequest, Placer } from './services/dependencies.ts';

/** Hosts asked before giving up: a view so wrong that eight hosts refuse needs a new view, not a ninth try. */
const claimsMax = 8;
/** How long the target keeps room before the bind: an election (a few seconds) fits in many times over. */
const claimTtlMs = 30_000;
/** Hosts explained one by one at most: for people, who read no further. */
const explainedHostsMax = 200;
/** Hosts named with their reasons in a refusal's facts. */
const hostReasonsMax = 20;

/** How claims reach their target. */
export interface ClaimTransport {
  /** Asks the host (this one included) to admit. Throws `UNAVAILABLE` when it cannot be asked. */
  claim(hostId: HostId, request: shoal.v1.ClaimRequest, signal: AbortSignal): Promise<shoal.v1.ClaimResponse>;
  release(hostId: HostId, request: shoal.v1.ReleaseClaimRequest): Promise<void>;
}

/** What it works with. */
export interface GossipPlacerDeps {
  readonly columns: HostColumns;
  readonly transport: ClaimTransport;
  /** Takes in a refusal's fresh advert. False: it was not newer, or not signed by its host. */
  readonly acceptAdvert: (advert: shoal.v1.SignedAdvert) => boolean;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly logger: Logger;
  readonly onDecision?: (result: 'placed' | 'refused' | 'no-host') => void;
}

/** See above. */
export class GossipPlacer implements Placer {
  readonly #deps: GossipPlacerDeps;
  readonly #engine: PlacementEngine;

  constructor(deps: GossipPlacerDeps, configuration: PlacementConfiguration) {
    this.#deps = deps;
    this.#engine = new PlacementEngine(deps.columns, configuration, deps.prng);
  }

  get engine(): PlacementEngine {
    return this.#engine;
  }

  async place(request: PlaceRequest, signal: AbortSignal): Promise<Placed> {
    const { columns, clock } = this.#deps;
    columns.expireHolds(clock.nowMs());
    const refusals: { hostName: string; reason: string }[] = [];
    const excluded = new Set(request.excludeHostIds as readonly HostId[]);
    for (let asked = 0; asked < claimsMax; asked++) {
      const wish = this.#wish(request, [...excluded]);
      const selection = this.#engine.select(wish, asked);
      if (selection.outcome === 'none') throw this.#noValidHost(request, refusals);
      const placed = await this.#tryHost(selection.candidate, request, wish, refusals, signal);
      if (placed !== undefined) return placed;
      excluded.add(selection.candidate.hostId);
    }
    throw this.#noValidHost(request, refusals);
  }

  /** How each filter thins the hosts of this agent's view, and what each says of every host (bounded). */
  explain(request: PlaceRequest): { readonly explanation: Explanation; readonly hosts: readonly HostExplanation[] } {
    const { columns } = this.#deps;
    const wish = this.#wish(request, request.excludeHostIds as readonly HostId[]);
    const explanation = explain(columns, this.#engine.configuration, wish);
    const hosts = [...columns.slots()].slice(0, explainedHostsMax).flatMap((slot) => {
      const hostId = columns.hostIds[slot];
      const told = hostId === undefined ? undefined : explainHost(columns, this.#engine.configuration, wish, hostId);
      return told === undefined ? [] : [told];
    });
    return { explanation, hosts };
  }

  /** How many more of these fit by this agent's view, at most `countMax`. */
  whatIf(request: PlaceRequest, countMax: number): number {
    const wish = this.#wish(request, request.excludeHostIds as readonly HostId[]);
    return whatIf(this.#engine, wish, countMax).fits;
  }

  async #tryHost(
    candidate: Candidate,
    request: PlaceRequest,
    wish: PlacementRequest,
    refusals: { hostName: string; reason: string }[],
    signal: AbortSignal,
  ): Promise<Placed | undefined> {
    const { columns, transport, clock, logger, onDecision } = this.#deps;
    const { hostId } = candidate;
    const key = { serverId: request.serverId, generation: request.generation };
    const hostName = this.#hostName(hostId);
    // Deducted at once, so that other placements of this agent see it before the target's advert says so.
    columns.hold(key, hostId, wish.needs, clock.nowMs() + claimTtlMs);
    let response: shoal.v1.ClaimResponse;
    try {
      response = await transport.claim(
        hostId,
        new shoal.v1.ClaimRequest({
          ...key,
          resources: { vcpus: wish.needs.vcpus, memoryMib: wish.needs.memoryMib, diskGib: wish.needs.diskGib },
          storage: request.storage,
          projectId: request.projectId,
          ttlMs: claimTtlMs,
        }),
        signal,
      );
    } catch (caught) {
      columns.settle(key);
      if (signal.aborted) throw ShoalError.from(caught, 'CANCELLED');
      const error = ShoalError.from(caught, 'UNAVAILABLE');
      logger.warn({ hostId, hostName, code: error.code, err: error }, 'a host could not be asked to admit');
      refusals.push({ hostName, reason: `could not be asked: ${error.message}` });
      // It may have admitted before it went silent; should it be up again, the room is given back at once.
      void transport.release(hostId, new shoal.v1.ReleaseClaimRequest(key)).catch(() => {});
      return undefined;
    }
    if (response.advert !== null) this.#deps.acceptAdvert(response.advert);
    if (!response.admitted) {
      columns.settle(key);
      onDecision?.('refused');
      refusals.push({ hostName, reason: response.reason });
      return undefined;
    }
    onDecision?.('placed');
    // The advert that came along counts the claim already.
    columns.settle(key);
    return {
      hostId,
      hostName,
      release: async () => {
        try {
          await transport.release(hostId, new shoal.v1.ReleaseClaimRequest(key));
        } catch (caught) {
          logger.info({ hostId, ...key, err: caught }, 'a claim could not be given back; it will expire');
        }
      },
    };
  }

  /** The request in placement's words. Hints that name servers are resolved by the compute service beforehand. */
  #wish(request: PlaceRequest, excludedHosts: readonly HostId[]): PlacementRequest {
    const { flavor, image, schedulerHints, group, forceHostName } = request;
    const forced = forceHostName === undefined ? undefined : this.#hostByName(forceHostName);
    const hosts = (name: string): readonly HostId[] | undefined =>
      schedulerHints[name]?.split(',').filter((id) => id !== '') as readonly HostId[] | undefined;
    const differentHosts = hosts('different_host');
    const sameHosts = hosts('same_host');
    const near = nearAddressOf(schedulerHints);
    return placementRequest({
      purpose: request.generation > 1 ? 'move' : 'create',
      projectId: request.projectId,
      flavorName: flavor.name,
      needs: needsOf({ flavor, storage: request.storage }),
      extraSpecs: flavor.extraSpecs,
      imageId: image?.id ?? '',
      imageProperties: image?.properties ?? {},
      zone: request.zone,
      storagePools: [{ name: request.storage, gib: flavor.diskGib }],
      hints: {
        ...(differentHosts === undefined ? {} : { differentHosts }),
        ...(sameHosts === undefined ? {} : { sameHosts }),
        ...(near === undefined ? {} : { nearAddress: near }),
      },
      ...(group === undefined
        ? {}
        : {
            group: {
              id: request.serverId,
              policy: group.policy as 'affinity',
              maxServerPerHost: Math.max(1, group.maxServerPerHost),
              memberHosts: group.memberHostIds as readonly HostId[],
            },
          }),
      ...(forced === undefined ? {} : { host: { hostId: forced, force: true } }),
      excludedHosts,
    });
  }

  #noValidHost(request: PlaceRequest, refusals: readonly { hostName: string; reason: string }[]): ShoalError {
    this.#deps.onDecision?.('no-host');
    const { explanation, hosts: told } = this.explain(request);
    const hosts = told
      .slice(0, hostReasonsMax)
      .flatMap(({ hostName, refusals: reasons }) => reasons.map((reason) => ({ hostName, ...reason })));
    return new ShoalError('NO_VALID_HOST', `No valid host was found. ${explanation.summary}`.trim(), {
      facts: {
        filters: explanation.filters.filter((filter) => filter.removed > 0),
        hosts: [...hosts, ...refusals.map((refusal) => ({ filter: 'Claim', ...refusal }))],
      },
    });
  }

  #hostName(hostId: HostId): string {
    const slot = this.#deps.columns.slotOf(hostId);
    return slot === undefined ? hostId : this.#deps.columns.hostNames[slot] || hostId;
  }

  #hostByName(name: string): HostId {
    const { columns } = this.#deps;
    for (const slot of columns.slots()) {
      const hostId = columns.hostIds[slot];
      if (hostId !== undefined && (columns.hostNames[slot] === name || hostId === name)) return hostId;
    }
    throw new ShoalError('NO_VALID_HOST', `No host called ${name} is known to this agent.`, {
      facts: { hostName: name },
    });
  }
}

/** The hints `build_near_host_ip` and `cidr` (`/24`), as one. The compute service has checked their form. */
function nearAddressOf(
  hints: Readonly<Record<string, string>>,
): { readonly address: string; readonly prefixLength: number } | undefined {
  const address = hints['build_near_host_ip'];
  if (address === undefined) return undefined;
  return { address, prefixLength: Number((hints['cidr'] ?? '/24').replace('/', '')) };
}
