/** What this agent asks of other hosts; what it would ask of itself it does without the network. */
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { AddressedClaim, ClaimAnswer, ClaimAnswers, ClaimTransport } from '../cluster/placer.ts';
import type { PeerCall } from '../mesh/peers/peer-server.ts';
import type { HostProbe } from '../services/kit/dependencies.ts';
import type { PeerChannel } from './peer-channel.ts';
import type { HostHandlers } from './peer-handlers.ts';

/** A claim is decided in milliseconds; a host that takes longer is no good choice. */
const claimTimeoutMs = 2_000;
const releaseTimeoutMs = 5_000;
/** Somebody waits for the answer of several; a busy agent still answers within this. */
const probeTimeoutMs = 1_000;
const consoleTimeoutMs = 5_000;
/** The guest's own agent has 13 s. */
const askGuestTimeoutMs = 20_000;

/** See above. */
export class PeerCalls implements ClaimTransport, HostProbe {
  readonly #channel: PeerChannel;
  readonly #self: HostId;
  readonly #own: HostHandlers;

  /** @param own what this host, `self`, answers itself. */
  constructor(channel: PeerChannel, self: HostId, own: HostHandlers) {
    this.#channel = channel;
    this.#self = self;
    this.#own = own;
  }

  async claim(hostId: HostId, request: shoal.v1.ClaimRequest, signal: AbortSignal): Promise<shoal.v1.ClaimResponse> {
    if (hostId === this.#self) {
      return shoal.v1.ClaimResponse.create(await this.#own.claim(request, this.#ownCall(signal)));
    }
    return this.#channel.call(hostId, (calls) => calls.claim(request, { timeoutMs: claimTimeoutMs, signal }));
  }

  async claimAll(claims: readonly AddressedClaim[], signal: AbortSignal): Promise<ClaimAnswers> {
    const byHost = new Map<HostId, number[]>();
    for (const [at, { hostId }] of claims.entries()) {
      const own = byHost.get(hostId);
      if (own === undefined) byHost.set(hostId, [at]);
      else own.push(at);
    }
    const answers: ClaimAnswer[] = [];
    const adverts: shoal.v1.SignedAdvert[] = [];
    await Promise.all(
      [...byHost].map(async ([hostId, places]) => {
        const requests = places.flatMap((at) => claims[at]?.request ?? []);
        const told = await this.#claimsOf(hostId, requests, signal);
        adverts.push(...told.adverts);
        for (const [nth, at] of places.entries()) {
          answers[at] = told.answers[nth] ?? new ShoalError('UNAVAILABLE', 'The host left a claim unanswered.');
        }
      }),
    );
    return { answers, adverts };
  }

  /** Several claims of one host in one call; one by one where the host is of a version that has no such call. */
  async #claimsOf(
    hostId: HostId,
    requests: readonly shoal.v1.ClaimRequest[],
    signal: AbortSignal,
  ): Promise<ClaimAnswers> {
    const failed = (caught: unknown): ClaimAnswer => ShoalError.from(caught, 'UNAVAILABLE');
    if (requests.length > 1) {
      try {
        const batch = new shoal.v1.ClaimBatchRequest({ claims: [...requests] });
        return hostId === this.#self
          ? ownAnswers(await this.#own.claimBatch(batch, this.#ownCall(signal)))
          : await this.#channel.call(hostId, (calls) => calls.claimBatch(batch, { timeoutMs: claimTimeoutMs, signal }));
      } catch (caught) {
        if (!ShoalError.is(caught, 'NOT_IMPLEMENTED'))
          return { answers: requests.map(() => failed(caught)), adverts: [] };
      }
    }
    const answers = await Promise.all(requests.map((request) => this.claim(hostId, request, signal).catch(failed)));
    return { answers, adverts: [] };
  }

  async release(hostId: HostId, request: shoal.v1.ReleaseClaimRequest): Promise<void> {
    const { signal } = new AbortController();
    if (hostId === this.#self) await this.#own.releaseClaim(request, this.#ownCall(signal));
    else {
      await this.#channel.call(hostId, (calls) => calls.releaseClaim(request, { timeoutMs: releaseTimeoutMs }));
    }
  }

  async answers(hostId: HostId, signal: AbortSignal): Promise<boolean> {
    if (hostId === this.#self) return true;
    try {
      const options = { timeoutMs: probeTimeoutMs, signal };
      return (await this.#channel.call(hostId, (calls) => calls.probe({}, options))).reached;
    } catch (caught) {
      if (!(caught instanceof ShoalError) || signal.aborted) throw caught;
      return false;
    }
  }

  async consoleLog(hostId: HostId, serverId: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    const request = shoal.v1.ConsoleLogRequest.create({ serverId, bytesMax });
    const response =
      hostId === this.#self
        ? await this.#own.consoleLog(request, this.#ownCall(signal))
        : await this.#channel.call(hostId, (calls) =>
            calls.consoleLog(request, { timeoutMs: consoleTimeoutMs, signal }),
          );
    return response.data ?? new Uint8Array(0);
  }

  async askGuest(
    hostId: HostId,
    request: shoal.v1.AskGuestRequest,
    signal: AbortSignal,
  ): Promise<shoal.v1.AskGuestResponse> {
    if (hostId === this.#self) {
      return shoal.v1.AskGuestResponse.create(await this.#own.askGuest(request, this.#ownCall(signal)));
    }
    return this.#channel.call(hostId, (calls) => calls.askGuest(request, { timeoutMs: askGuestTimeoutMs, signal }));
  }

  #ownCall(signal: AbortSignal): PeerCall {
    return { caller: this.#self, signal, remoteAddress: 'self', certificate: undefined, header: () => undefined };
  }
}

/** What this host answered itself, as it would have come over the wire. */
function ownAnswers({ answers, adverts }: shoal.v1.IClaimBatchResponse): ClaimAnswers {
  return {
    answers: (answers ?? []).map((answer) => shoal.v1.ClaimResponse.create(answer)),
    adverts: (adverts ?? []).map((advert) => shoal.v1.SignedAdvert.create(advert)),
  };
}
