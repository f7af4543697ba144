/** Calls of a simulated host to others: production's messages over the simulated network, each encoded and decoded on its way. */
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import type { HostCalls, PeerChannel } from '../../node/host/peer-channel.ts';
import type { HostHandlers } from '../../node/host/peer-handlers.ts';
import { shoal } from '../../proto/messages.ts';
import type { SimGossip } from './gossip.ts';

/** What a host answers to others. */
interface FarHost {
  readonly handlers: HostHandlers;
  readonly gossip: SimGossip;
}

/** Has `work` done at the host `hostId` and brings back what came of it. Throws `UNAVAILABLE`; `CANCELLED` by `signal`. */
export type AskHost = <T>(
  hostId: HostId,
  signal: AbortSignal,
  work: (far: FarHost, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** As `AskHost`, for `timeoutMs` at most: then it throws `DEADLINE_EXCEEDED`. */
type AskHostWithin = <T>(
  hostId: HostId,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  work: (far: FarHost, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** Asks with a limit of time, by `clock`. */
export function askWithin(clock: Clock, ask: AskHost): AskHostWithin {
  return async (hostId, { timeoutMs, signal }, work) => {
    const stop = new AbortController();
    let isLate = false;
    const timer = clock.setTimeout(() => {
      isLate = true;
      stop.abort();
    }, timeoutMs);
    const giveUp = (): void => stop.abort(signal?.reason);
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await ask(hostId, stop.signal, work);
    } catch (caught) {
      if (!isLate) throw caught;
      throw new ShoalError('DEADLINE_EXCEEDED', `Host ${hostId} did not answer within ${timeoutMs} ms.`);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  };
}

/** The channel of the host `self`. */
export function simulatedPeers(self: HostId, ask: AskHost, within: AskHostWithin): PeerChannel {
  const callsTo = (hostId: HostId): HostCalls => ({
    claim: (request, limits) =>
      within(hostId, limits, async ({ handlers }, signal) => {
        const answer = await handlers.claim(carried(shoal.v1.ClaimRequest, request), callOf(self, signal));
        return carried(shoal.v1.ClaimResponse, answer);
      }),
    claimBatch: (request, limits) =>
      within(hostId, limits, async ({ handlers }, signal) => {
        const answer = await handlers.claimBatch(carried(shoal.v1.ClaimBatchRequest, request), callOf(self, signal));
        return carried(shoal.v1.ClaimBatchResponse, answer);
      }),
    releaseClaim: (request, limits) =>
      within(hostId, limits, async ({ handlers }, signal) => {
        const answer = await handlers.releaseClaim(
          carried(shoal.v1.ReleaseClaimRequest, request),
          callOf(self, signal),
        );
        return carried(shoal.v1.ReleaseClaimResponse, answer);
      }),
    consoleLog: (request, limits) =>
      within(hostId, limits, async ({ handlers }, signal) => {
        const answer = await handlers.consoleLog(carried(shoal.v1.ConsoleLogRequest, request), callOf(self, signal));
        return carried(shoal.v1.ConsoleLogResponse, answer);
      }),
    askGuest: (request, limits) =>
      within(hostId, limits, async ({ handlers }, signal) => {
        const answer = await handlers.askGuest(carried(shoal.v1.AskGuestRequest, request), callOf(self, signal));
        return carried(shoal.v1.AskGuestResponse, answer);
      }),
    probe: (_request, limits) =>
      within(hostId, limits, async ({ gossip }) => {
        const { isReached } = gossip.answer(self, undefined, undefined);
        return new shoal.v1.ProbeResponse({ reached: isReached });
      }),
    // Whole at once: the receiver checks for what breaks in the middle.
    async *fetchBlob(request, { signal }) {
      yield* await ask(hostId, signal, async ({ handlers }, remote) => {
        const chunks: shoal.v1.BlobChunk[] = [];
        const sent = handlers.fetchBlob(carried(shoal.v1.FetchBlobRequest, request), callOf(self, remote));
        for await (const chunk of sent) chunks.push(carried(shoal.v1.BlobChunk, chunk));
        return chunks;
      });
    },
  });
  return {
    call: async (hostId, make) => make(callsTo(hostId)),
    stream: (hostId, make) => make(callsTo(hostId)),
  };
}

/** A message as it arrives: fields that were left out have their defaults, and nothing of it is shared with the sender. */
function carried<Fields, Message>(
  type: { encode(message: Fields): { finish(): Uint8Array }; decode(bytes: Uint8Array): Message },
  message: Fields,
): Message {
  return type.decode(type.encode(message).finish());
}

function callOf(caller: HostId, signal: AbortSignal): Parameters<HostHandlers['claim']>[1] {
  return { caller, signal, remoteAddress: 'simulated', certificate: undefined, header: () => undefined };
}
