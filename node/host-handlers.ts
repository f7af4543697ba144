/** What this host does for its peers: admit claims, hand out image content, show a guest's console. */
import type { ComputeDriver } from '../drivers/types.ts';
import type { shoal } from '../proto/messages.ts';
import { ShoalError } from './base/errors.ts';
import type { ServerId } from './base/ids.ts';
import type { ClaimBook } from './claim-book.ts';
import type { ImageDepot } from './image-depot.ts';
import type { PeerHandlers } from './mesh/peer-server.ts';

/** Bytes of a console that a caller may ask for at once. */
export const consoleBytesMax = 1024 * 1024;
/** Longest that a claim may wait to be bound, ms. */
const claimTtlMsMax = 120_000;
/** Claims being decided at a time; more means that this host is overloaded and says so at once. */
const claimsAtOnceMax = 256;

/** What they need of the agent. */
export interface HostHandlersDeps {
  readonly claims: ClaimBook;
  readonly images: ImageDepot;
  readonly compute: ComputeDriver;
  /** This host's advert as of now, signed: what a refusal carries. */
  readonly freshAdvert: () => shoal.v1.SignedAdvert;
  /** False: an operator keeps new servers away. */
  readonly isEnabled: () => boolean;
  readonly onClaim?: (result: 'admitted' | 'refused') => void;
}

/** The host's part of `PeerHandlers`. */
export type HostHandlers = Pick<PeerHandlers, 'claim' | 'releaseClaim' | 'fetchBlob' | 'consoleLog'>;

/** Makes them. */
export function hostHandlers(deps: HostHandlersDeps): HostHandlers {
  let deciding = 0;
  return {
    async claim(request): Promise<shoal.v1.IClaimResponse> {
      const refuse = (reason: string): shoal.v1.IClaimResponse => {
        deps.onClaim?.('refused');
        return { admitted: false, reason, advert: deps.freshAdvert() };
      };
      if (!deps.isEnabled()) return refuse('the host is disabled');
      if (deciding >= claimsAtOnceMax) return refuse(`the host is overloaded: ${deciding} claims are being decided`);
      const { resources, serverId, generation } = request;
      if (resources === null || resources === undefined || serverId === '' || request.ttlMs > claimTtlMsMax) {
        throw new ShoalError('INVALID_ARGUMENT', 'The claim is malformed.', {
          facts: { serverId, ttlMs: request.ttlMs },
        });
      }
      deciding++;
      try {
        const { vcpus, memoryMib, diskGib } = resources;
        const admission = await deps.claims.admit(
          { serverId: serverId as ServerId, generation, needs: { vcpus, memoryMib, diskGib, pci: [] } },
          request.ttlMs,
        );
        if (admission.outcome === 'refused') return refuse(admission.text);
        deps.onClaim?.('admitted');
        return { admitted: true, reason: '', advert: deps.freshAdvert() };
      } finally {
        deciding--;
      }
    },

    async releaseClaim(request): Promise<shoal.v1.IReleaseClaimResponse> {
      await deps.claims.release(request.serverId as ServerId, request.generation);
      return {};
    },

    async *fetchBlob(request, call): AsyncIterable<shoal.v1.IBlobChunk> {
      if (!/^[0-9a-f]{64}$/.test(request.sha256))
        throw new ShoalError('INVALID_ARGUMENT', 'The content address is malformed.');
      const totalBytes = await deps.images.sizeOf(request.sha256);
      if (totalBytes === undefined) throw new ShoalError('NOT_FOUND', 'The content is not on this host.');
      for await (const data of deps.images.read(request.sha256, call.signal)) yield { totalBytes, data };
    },

    async consoleLog(request, call): Promise<shoal.v1.IConsoleLogResponse> {
      const bytesMax = Math.min(request.bytesMax || consoleBytesMax, consoleBytesMax);
      return { data: await deps.compute.consoleLog(request.serverId as ServerId, bytesMax, call.signal) };
    },
  };
}
