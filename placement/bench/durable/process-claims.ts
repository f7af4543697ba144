/** Claims on their way to simulated hosts: one message a process and batch, however many hosts it is for. */
import { must } from '../../../node/base/assert.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import type { AddressedClaim, ClaimAnswer, ClaimAnswers, ClaimTransport } from '../../../node/cluster/placer.ts';
import type { PeerClients } from '../../../node/mesh/peers/peer-client.ts';
import { shoal } from '../../../proto/messages.ts';

/** As production's, with room for a machine that runs all hosts at once. Unit: milliseconds. */
const claimTimeoutMs = 10_000;

/** See above. */
export class ProcessClaims implements ClaimTransport {
  readonly #peers: PeerClients;
  readonly #processOf = new Map<HostId, HostId>();

  constructor(peers: PeerClients) {
    this.#peers = peers;
  }

  /** These hosts are in that process. */
  note(process: HostId, hostIds: readonly HostId[]): void {
    for (const hostId of hostIds) this.#processOf.set(hostId, process);
  }

  claim(hostId: HostId, request: shoal.v1.ClaimRequest, signal: AbortSignal): Promise<shoal.v1.ClaimResponse> {
    return this.#peers
      .to(this.#process(hostId))
      .call((calls) => calls.claim(request, { timeoutMs: claimTimeoutMs, signal }));
  }

  async claimAll(claims: readonly AddressedClaim[], signal: AbortSignal): Promise<ClaimAnswers> {
    const byProcess = new Map<HostId, number[]>();
    for (const [at, { hostId }] of claims.entries()) {
      const process = this.#process(hostId);
      const places = byProcess.get(process);
      if (places === undefined) byProcess.set(process, [at]);
      else places.push(at);
    }
    const answers: ClaimAnswer[] = [];
    const adverts: shoal.v1.SignedAdvert[] = [];
    await Promise.all(
      [...byProcess].map(async ([process, places]) => {
        const request = new shoal.v1.ClaimBatchRequest({
          claims: places.map((at) => must(claims[at], 'a claim of the batch').request),
        });
        try {
          const told = await this.#peers
            .to(process)
            .call((calls) => calls.claimBatch(request, { timeoutMs: claimTimeoutMs, signal }));
          adverts.push(...told.adverts);
          for (const [nth, at] of places.entries()) answers[at] = must(told.answers[nth], 'an answer a claim');
        } catch (caught) {
          for (const at of places) answers[at] = ShoalError.from(caught, 'UNAVAILABLE');
        }
      }),
    );
    return { answers, adverts };
  }

  async release(hostId: HostId, request: shoal.v1.ReleaseClaimRequest): Promise<void> {
    await this.#peers
      .to(this.#process(hostId))
      .call((calls) => calls.releaseClaim(request, { timeoutMs: claimTimeoutMs }));
  }

  #process(hostId: HostId): HostId {
    return must(this.#processOf.get(hostId), `the process of host ${hostId}`);
  }
}
