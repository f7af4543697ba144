/** What a host answers to those who ask it to admit servers: one claim, several at once, and claims given back. */
import type { shoal } from '../../../proto/messages.ts';
import { must } from '../../base/assert.ts';
import { buggify } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId, ServerId } from '../../base/ids.ts';
import { claimedNeeds } from '../../cluster/resource-needs.ts';
import type { PeerHandlers } from '../../mesh/peers/peer-server.ts';
import type { Claims } from './claim-book.ts';

const buggifyRefuseEarly = buggify('claims.refuse-early', 'a host refuses a claim as if it were overloaded');

/** Longest that a claim may wait to be bound, ms. */
const claimTtlMsMax = 120_000;
/** Claims being decided at a time; more means that this host is overloaded and says so at once. */
const claimsAtOnceMax = 256;
/** Claims of one batch. */
export const claimsPerBatchMax = 1_000;

/** What they need of the agent. */
export interface ClaimHandlersDeps {
  readonly claims: Claims;
  /** This host's advert as of now, signed: what a refusal carries. */
  readonly freshAdvert: () => shoal.v1.SignedAdvert;
  /**
   * The least (epoch, sequence) that an advert made from now on can have. Absent: an admission carries the fresh advert,
   * which costs a signature here and its check there.
   */
  readonly nextAdvert?: () => { readonly epoch: number; readonly sequence: number };
  /** False: an operator keeps new servers away. */
  readonly isEnabled: () => boolean;
  /** Whose claims these are. Absent: claims that name a host are taken whichever they name. */
  readonly hostId?: HostId;
  readonly onClaim?: (result: 'admitted' | 'refused') => void;
}

/** The claims' part of `PeerHandlers`. */
export type ClaimHandlers = Pick<PeerHandlers, 'claim' | 'claimBatch' | 'releaseClaim'>;

/** Makes them. */
export function claimHandlers(deps: ClaimHandlersDeps): ClaimHandlers {
  let deciding = 0;
  /** Undefined: admitted. A text: refused for that. */
  const decide = async (request: shoal.v1.ClaimRequest, asker: HostId): Promise<string | undefined> => {
    const { resources, serverId, generation, hostId } = request;
    if (deps.hostId !== undefined && hostId !== '' && hostId !== deps.hostId) return 'another host was asked for';
    if (!deps.isEnabled()) return 'the host is disabled';
    if (deciding >= claimsAtOnceMax || buggifyRefuseEarly())
      return `the host is overloaded: ${deciding} claims are being decided`;
    deciding++;
    try {
      const needs = claimedNeeds(must(resources, 'the resources of a checked claim'));
      if (typeof needs === 'string') return `this host knows no resource class ${needs.slice(0, 255)}`;
      const admission = await deps.claims.admit(
        {
          serverId: serverId as ServerId,
          generation,
          needs,
          asker: askerOf(asker, request),
          ...(request.groupId === ''
            ? {}
            : { group: { id: request.groupId, membersMax: Math.max(1, request.groupMembersMax) } }),
        },
        request.ttlMs,
      );
      return admission.outcome === 'refused' ? admission.text : undefined;
    } finally {
      deciding--;
    }
  };
  const answer = async (request: shoal.v1.ClaimRequest, asker: HostId): Promise<shoal.v1.IClaimResponse> => {
    const refusal = await decide(request, asker);
    deps.onClaim?.(refusal === undefined ? 'admitted' : 'refused');
    if (refusal !== undefined) return { admitted: false, reason: refusal };
    const next = deps.nextAdvert?.();
    return {
      admitted: true,
      ...(next === undefined ? {} : { countedEpoch: next.epoch, countedSequence: next.sequence }),
    };
  };
  return {
    async claim(request, { caller }): Promise<shoal.v1.IClaimResponse> {
      checkClaim(request);
      const told = await answer(request, caller);
      return told.admitted && told.countedSequence !== undefined ? told : { ...told, advert: deps.freshAdvert() };
    },

    async claimBatch({ claims }, { caller }): Promise<shoal.v1.IClaimBatchResponse> {
      if (claims.length === 0 || claims.length > claimsPerBatchMax) {
        throw new ShoalError('INVALID_ARGUMENT', `A batch has 1 to ${claimsPerBatchMax} claims.`, {
          facts: { claims: claims.length },
        });
      }
      // All before any is decided: an error must not leave claims admitted that nobody is told of.
      for (const claim of claims) checkClaim(claim);
      const answers = await Promise.all(claims.map((claim) => answer(claim, caller)));
      const isFresh = answers.every((told) => told.admitted && told.countedSequence !== undefined);
      return { answers, adverts: isFresh ? [] : [deps.freshAdvert()] };
    },

    async releaseClaim(request, { caller }): Promise<shoal.v1.IReleaseClaimResponse> {
      // Another host's claim holds nothing here.
      if (deps.hostId !== undefined && request.hostId !== '' && request.hostId !== deps.hostId) return {};
      await deps.claims.withdraw(request.serverId as ServerId, request.generation, askerOf(caller, request));
      return {};
    },
  };
}

function checkClaim({ resources, serverId, ttlMs }: shoal.v1.ClaimRequest): void {
  if (resources === null || resources === undefined || serverId === '' || ttlMs > claimTtlMsMax) {
    throw new ShoalError('INVALID_ARGUMENT', 'The claim is malformed.', { facts: { serverId, ttlMs } });
  }
}

/** One placement at one agent, which TLS proves to be the caller. */
function askerOf(caller: HostId, { attempt }: { readonly attempt: number }): string {
  return `${caller}/${attempt}`;
}
