/**
 * Cooperative placement (DESIGN section 6): this agent picks from its own view, the target host admits or refuses, and a
 * refusal brings the target's fresh advert, so that the next choice is a better one.
 */

import {
  type BatchMember,
  type ClaimKey,
  explain,
  explainHost,
  type HostColumns,
  type PlacementConfiguration,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
  type ResourceNeeds,
  ShapeTracker,
  selectBatch,
  whatIf,
} from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { must } from '../base/assert.ts';
import { buggify, coverageMark } from '../base/buggify/buggify.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId, ServerId } from '../base/ids.ts';
import { ownValue } from '../base/own-value.ts';
import type { Prng } from '../base/prng.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { traitsForHardware } from '../services/compute/hardware/guest-hardware.ts';
import type { Placed, PlacedServer, PlacementInquiry, PlaceRequest, Placer } from '../services/kit/dependencies.ts';
import { isApart } from '../services/kit/storage-pools.ts';
import { claimAmounts, needsOf } from './resource-needs.ts';

const buggifyForgetHost = buggify('placer.forget-host', 'the best host is passed over');
const markHostCouldNotBeAsked = coverageMark('host-could-not-be-asked', 'a host chosen by gossip does not answer');
const markClaimRefusedByItsTarget = coverageMark('claim-refused-by-its-target', 'a host chosen by gossip refuses');
const markNoValidHost = coverageMark('no-valid-host', 'no host takes a server');

/** Hosts asked before giving up: a view so wrong that eight hosts refuse needs a new view, not a ninth try. */
const claimsMax = 8;
/** How long the target keeps room before the bind: an election (a few seconds) fits in many times over. */
const claimTtlMs = 30_000;
/** Age from which a claim is not bound any more: what is left is for the transaction, which takes seconds at most. */
const bindWithinMs = claimTtlMs / 2;
/** Hosts explained one by one at most: for people, who read no further. */
const explainedHostsMax = 200;
/** Hosts named with their reasons in a refusal's facts. */
const hostReasonsMax = 20;

/** Servers seen before their shapes rule packing for the first time; then each time that there are four times as many. */
const shapesLearnedMin = 2_000;

/** How claims reach their target. */
export interface ClaimTransport {
  /** Asks the host (this one included) to admit. Throws `UNAVAILABLE` when it cannot be asked. */
  claim(hostId: HostId, request: shoal.v1.ClaimRequest, signal: AbortSignal): Promise<shoal.v1.ClaimResponse>;
  /**
   * Asks many at once, in as few messages as there are hosts. Never rejects: what could not be asked is an error among
   * the answers. Absent: they are asked one by one.
   */
  claimAll?(claims: readonly AddressedClaim[], signal: AbortSignal): Promise<ClaimAnswers>;
  release(hostId: HostId, request: shoal.v1.ReleaseClaimRequest): Promise<void>;
}

/** A claim and whom to ask. */
export interface AddressedClaim {
  readonly hostId: HostId;
  readonly request: shoal.v1.ClaimRequest;
}

/** What a host said, or why it could not be asked. */
export type ClaimAnswer = shoal.v1.ClaimResponse | ShoalError;

/** One answer a claim, in their order, and the fresh adverts of hosts that refused something. */
export interface ClaimAnswers {
  readonly answers: readonly ClaimAnswer[];
  readonly adverts: readonly shoal.v1.SignedAdvert[];
}

/** A host that did not admit, for people. */
interface Refusal {
  readonly hostName: string;
  readonly reason: string;
}

/** What it works with. */
interface GossipPlacerDeps {
  readonly columns: HostColumns;
  readonly transport: ClaimTransport;
  /** Takes in a refusal's fresh advert. False: it was not newer, or not signed by its host. */
  readonly acceptAdvert: (advert: shoal.v1.SignedAdvert) => boolean;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly logger: Logger;
  readonly onDecision?: (result: 'placed' | 'refused' | 'no-host') => void;
}

/** Why hosts pass or not. */
type Told = ReturnType<PlacementInquiry['explain']>;

/** See above. */
export class GossipPlacer implements Placer {
  readonly #deps: GossipPlacerDeps;
  readonly #engine: PlacementEngine;
  readonly #shapes = new ShapeTracker();
  #learnShapesAt = shapesLearnedMin;
  /** Of the last placement. Begins anywhere: hosts may remember those of the process before this one. */
  #attempt: number;

  /** @param engine chooses among the hosts of `deps.columns`; benches put others beside ours. */
  constructor(
    deps: GossipPlacerDeps,
    configuration: PlacementConfiguration,
    engine: PlacementEngine = new PlacementEngine(deps.columns, configuration, deps.prng),
  ) {
    this.#deps = deps;
    this.#engine = engine;
    this.#attempt = deps.prng.uint32();
  }

  get engine(): PlacementEngine {
    return this.#engine;
  }

  async place(request: PlaceRequest, signal: AbortSignal): Promise<Placed> {
    const [placed] = await this.placeBatch(request, { serverIds: [request.serverId], minCount: 1 }, signal);
    return must(placed, 'the place of the one server asked for');
  }

  async placeBatch(
    request: PlaceRequest,
    batch: { readonly serverIds: readonly ServerId[]; readonly minCount: number },
    signal: AbortSignal,
  ): Promise<readonly PlacedServer[]> {
    const { columns, clock } = this.#deps;
    columns.expireHolds(clock.nowMs());
    this.#attempt = (this.#attempt + 1) % 2 ** 32;
    const attempt = this.#attempt;
    const beganMs = clock.nowMs();
    const refusals: Refusal[] = [];
    const excluded = new Set(request.excludeHostIds as readonly HostId[]);
    const placed: PlacedServer[] = [];
    this.#learnShape(request, batch.serverIds.length);
    let shortage: { readonly told: Told; readonly fitting: number } | undefined;
    let pending = batch.serverIds.map((serverId) => ({ serverId, generation: request.generation }));
    for (let asked = 0; asked < claimsMax && pending.length > 0; asked++) {
      const placement = this.#requestFor(
        request,
        [...excluded],
        placed.map((one) => one.hostId),
      );
      const selection = selectBatch(this.#engine, placement, {
        keys: pending,
        minCount: batch.minCount - placed.length,
        expiresAtMs: clock.nowMs() + claimTtlMs,
        refusals: asked,
        onShort: (fitting) => {
          const members = [...placed.map((one) => one.hostId), ...fitting];
          shortage = { told: this.#explain(request, members), fitting: members.length };
        },
      });
      if (selection.outcome === 'none') break;
      const { members } = selection;
      if (asked === 0 && buggifyForgetHost()) {
        for (const { key, candidate } of members) {
          columns.releaseHold(key);
          excluded.add(candidate.hostId);
        }
        continue;
      }
      const askedMs = clock.monotonicMs();
      const chosenMs = clock.nowMs();
      const answers = await this.#ask(request, placement, members, attempt, signal);
      const times = { beganMs, chosenMs, admittedMs: clock.nowMs() };
      pending = [];
      for (const [at, { key, candidate }] of members.entries()) {
        const { hostId } = candidate;
        const refusal = this.#take(key, hostId, answers[at], attempt);
        if (refusal === undefined) {
          placed.push({ serverId: key.serverId, ...this.#placed(key, hostId, { attempt, askedMs }), times });
          continue;
        }
        refusals.push({ hostName: this.#hostName(hostId), reason: refusal });
        excluded.add(hostId);
        pending.push(key);
      }
      if (signal.aborted) {
        this.#giveBack(placed);
        throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      }
    }
    if (placed.length > 0 && placed.length >= batch.minCount) return placed;
    this.#giveBack(placed);
    const { fitting = placed.length, told } = shortage ?? {};
    throw this.#noValidHost(request, refusals, { placed: fitting, wanted: batch.minCount }, told);
  }

  /** How each filter thins the hosts of this agent's view, and what each says of every host (bounded). */
  explain(request: PlaceRequest): Told {
    return this.#explain(request, []);
  }

  /** As `explain`. @param members hosts that guests of the same batch take. */
  #explain(request: PlaceRequest, members: readonly HostId[]): Told {
    const { columns } = this.#deps;
    const placement = this.#requestFor(request, request.excludeHostIds as readonly HostId[], members);
    const explanation = explain(columns, this.#engine.configuration, placement);
    const hosts = [...columns.slots()].slice(0, explainedHostsMax).flatMap((slot) => {
      const hostId = columns.hostIds[slot];
      const told =
        hostId === undefined ? undefined : explainHost(columns, this.#engine.configuration, placement, hostId);
      return told === undefined ? [] : [told];
    });
    return { explanation, hosts };
  }

  /** How many more of these fit by this agent's view, at most `countMax`. */
  whatIf(request: PlaceRequest, countMax: number): number {
    const placement = this.#requestFor(request, request.excludeHostIds as readonly HostId[]);
    return whatIf(this.#engine, placement, countMax).fits;
  }

  /** What is packed depends on the shapes in use. They are applied seldom, as every index is built again for them. */
  #learnShape(request: PlaceRequest, count: number): void {
    if (this.#engine.configuration.strategy !== 'pack') return;
    const needs = this.#needsOf(request);
    for (let n = 0; n < count; n++) this.#shapes.note(needs);
    if (this.#shapes.total < this.#learnShapesAt) return;
    this.#learnShapesAt *= 4;
    this.#engine.reconfigure({ ...this.#engine.configuration, shapes: this.#shapes.shapes() });
  }

  /** Asks all hosts at once. One answer a member, in order; an error is one, too. */
  async #ask(
    request: PlaceRequest,
    placement: PlacementRequest,
    members: readonly BatchMember[],
    attempt: number,
    signal: AbortSignal,
  ): Promise<readonly ClaimAnswer[]> {
    const { transport } = this.#deps;
    // The bind transaction decides; the target's word finds a lost race before the guest's ports are made.
    const apart =
      placement.group?.policy === 'anti-affinity'
        ? { groupId: placement.group.id, groupMembersMax: placement.group.maxServerPerHost }
        : {};
    const claims = members.map(({ key, candidate: { hostId } }) => ({
      hostId,
      request: new shoal.v1.ClaimRequest({
        ...key,
        resources: claimAmounts(placement.needs),
        storage: request.storage,
        projectId: request.projectId,
        ttlMs: claimTtlMs,
        hostId,
        attempt,
        ...apart,
      }),
    }));
    if (transport.claimAll !== undefined && claims.length > 1) {
      const { answers, adverts } = await transport.claimAll(claims, signal);
      // First all adverts, then the holds: the row must never show the room of a claim that is admitted.
      for (const advert of adverts) this.#deps.acceptAdvert(advert);
      return answers;
    }
    return Promise.all(
      claims.map(({ hostId, request: claim }) =>
        transport.claim(hostId, claim, signal).catch((caught: unknown) => ShoalError.from(caught, 'UNAVAILABLE')),
      ),
    );
  }

  /** Takes a host's answer in. Returns why it did not admit; undefined: it did. */
  #take(key: ClaimKey, hostId: HostId, answer: ClaimAnswer | undefined, attempt: number): string | undefined {
    const { columns, transport, logger, onDecision } = this.#deps;
    const response = answer ?? new ShoalError('UNAVAILABLE', 'It was not asked.');
    if (response instanceof ShoalError) {
      columns.releaseHold(key);
      markHostCouldNotBeAsked();
      logger.warn(
        { hostId, hostName: this.#hostName(hostId), code: response.code, err: response },
        'a host did not answer a claim',
      );
      // It may have admitted before it went silent; should it be up again, the room is given back at once.
      void transport.release(hostId, new shoal.v1.ReleaseClaimRequest({ ...key, hostId, attempt })).catch(() => {});
      return `could not be asked: ${response.message}`;
    }
    if (response.advert !== null) this.#deps.acceptAdvert(response.advert);
    if (!response.admitted) {
      markClaimRefusedByItsTarget();
      columns.releaseHold(key);
      onDecision?.('refused');
      return response.reason;
    }
    onDecision?.('placed');
    // Told which advert will count the claim, its room stays deducted until then; else the one that came along counts it.
    const { countedEpoch: epoch, countedSequence: sequence } = response;
    if (sequence > 0) columns.releaseHoldWith(key, { epoch, sequence });
    else columns.releaseHold(key);
    return undefined;
  }

  #placed(key: ClaimKey, hostId: HostId, asked: { readonly attempt: number; readonly askedMs: number }): Placed {
    const { columns, transport, logger, clock } = this.#deps;
    const { attempt, askedMs } = asked;
    return {
      hostId,
      hostName: this.#hostName(hostId),
      isTooOld: () => clock.monotonicMs() - askedMs > bindWithinMs,
      release: async () => {
        columns.releaseHold(key);
        try {
          await transport.release(hostId, new shoal.v1.ReleaseClaimRequest({ ...key, hostId, attempt }));
        } catch (caught) {
          logger.info({ hostId, ...key, err: caught }, 'a claim could not be released; it will expire');
        }
      },
    };
  }

  /** Nobody waits for it: a claim that cannot be given back expires. */
  #giveBack(placed: readonly Placed[]): void {
    for (const one of placed) void one.release();
  }

  /** The request in placement's words. Hints that name servers are resolved by the compute service beforehand. */
  #requestFor(
    request: PlaceRequest,
    excludedHosts: readonly HostId[],
    placed: readonly HostId[] = [],
  ): PlacementRequest {
    const { flavor, image, schedulerHints, group, forceHostName } = request;
    const wantedName = forceHostName ?? request.hostName;
    const wanted = wantedName === undefined ? undefined : this.#hostByName(wantedName);
    const hosts = (name: string): readonly HostId[] | undefined =>
      ownValue(schedulerHints, name)
        ?.split(',')
        .filter((id) => id !== '') as readonly HostId[] | undefined;
    const differentHosts = hosts('different_host');
    const sameHosts = hosts('same_host');
    const near = nearAddressOf(schedulerHints);
    const { query } = schedulerHints;
    return placementRequest({
      purpose: request.generation > 1 ? 'move' : 'create',
      projectId: request.projectId,
      flavorName: flavor.name,
      needs: this.#needsOf(request),
      extraSpecs: flavor.extraSpecs,
      imageId: image?.id ?? '',
      imageProperties: image?.properties ?? {},
      requiredTraits: traitsForHardware({
        vcpus: flavor.vcpus,
        extraSpecs: flavor.extraSpecs,
        imageProperties: image?.properties ?? {},
      }),
      zone: request.zone,
      storagePools: poolsOf(request),
      hints: {
        ...(differentHosts === undefined ? {} : { differentHosts }),
        ...(sameHosts === undefined ? {} : { sameHosts }),
        ...(query === undefined ? {} : { query }),
        ...(near === undefined ? {} : { nearAddress: near }),
      },
      ...(group === undefined
        ? {}
        : {
            group: {
              id: group.id,
              policy: group.policy as 'affinity',
              maxServerPerHost: Math.max(1, group.maxServerPerHost),
              memberHosts: [...(group.memberHostIds as readonly HostId[]), ...placed],
            },
          }),
      ...(wanted === undefined ? {} : { host: { hostId: wanted, force: forceHostName !== undefined } }),
      excludedHosts,
    });
  }

  #noValidHost(
    request: PlaceRequest,
    refusals: readonly Refusal[],
    count: { readonly placed: number; readonly wanted: number },
    { explanation, hosts: told }: Told = this.explain(request),
  ): ShoalError {
    this.#deps.onDecision?.('no-host');
    markNoValidHost();
    const hosts = told
      .slice(0, hostReasonsMax)
      .flatMap(({ hostName, refusals: reasons }) => reasons.map((reason) => ({ hostName, ...reason })));
    const some = count.wanted > 1 ? `Only ${count.placed} of ${count.wanted} servers fit. ` : '';
    const policy = count.wanted > 1 ? groupLimit(request.group) : '';
    return new ShoalError('NO_VALID_HOST', `No valid host was found. ${some}${policy}${explanation.summary}`.trim(), {
      facts: {
        filters: explanation.filters.filter((filter) => filter.removed > 0),
        hosts: [...hosts, ...refusals.slice(0, hostReasonsMax).map((refusal) => ({ filter: 'Claim', ...refusal }))],
      },
    });
  }

  #needsOf({ flavor, storage, hasRootVolume = false }: PlaceRequest): ResourceNeeds {
    return needsOf({ flavor, storage, hasRootVolume }, (name) => isApart(name, this.#deps.columns.isSharedPool(name)));
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

/** The pools that its disks live in: the one of its own, where it has some, and its volumes'. */
function poolsOf({
  flavor,
  storage,
  hasRootVolume = false,
  volumePools = [],
}: PlaceRequest): PlacementRequest['storagePools'] {
  const hasOwn = !hasRootVolume || flavor.ephemeralGib > 0 || flavor.swapMib > 0;
  const own = hasOwn ? [{ name: storage, gib: hasRootVolume ? 0 : flavor.diskGib }] : [];
  const gib = new Map<string, number>();
  for (const pool of [...own, ...volumePools]) gib.set(pool.name, (gib.get(pool.name) ?? 0) + pool.gib);
  return [...gib].map(([name, sum]) => ({ name, gib: sum }));
}

/** What the policy of a strict group allows, for a caller that asked for more at once; empty when there is none. */
function groupLimit(group: PlaceRequest['group']): string {
  if (group?.policy === 'affinity')
    return 'The policy of their server group (affinity) wants all of them on one host. ';
  if (group?.policy !== 'anti-affinity') return '';
  const most = Math.max(1, group.maxServerPerHost);
  return `The policy of their server group (anti-affinity) allows ${most === 1 ? 'one' : most} on each host. `;
}

/** The hints `build_near_host_ip` and `cidr` (`/24`), as one. The compute service has checked their form. */
function nearAddressOf(
  hints: Readonly<Record<string, string>>,
): { readonly address: string; readonly prefixLength: number } | undefined {
  const address = hints['build_near_host_ip'];
  if (address === undefined) return undefined;
  return { address, prefixLength: Number((hints['cidr'] ?? '/24').replace('/', '')) };
}
