/** Probes over the connections that this agent has to its peers. */
import type { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { isUnanswered, mayHaveHappened, ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { UnaryOptions } from '../../rpc/client.ts';
import type { PeerClients } from '../peers/peer-client.ts';
import { askPort } from '../peers/port-probe.ts';
import type { ProbeWire } from './host-prober.ts';

/** From one new connection to a host that does not answer to the next: it may merely be slow, and a new one costs it most. Unit: ms. */
const reconnectMsMin = 10_000;

/** Probes that nobody answers, one after the other, before the connection is given up: one alone is late more often than lost. */
const silentProbesMin = 2;

/**
 * See above. When nobody answers, the connection is made again: one without a call is not pinged, and TCP takes minutes to find out
 * that the way was broken for a while. Not at once, since that costs both ends a handshake, most of all when they are busy.
 */
export class PeerProbes implements ProbeWire {
  readonly #clock: Clock;
  readonly #peers: PeerClients;
  /** Probes of a host that nobody has answered since it was last heard. */
  readonly #silent = new Map<HostId, number>();
  /** When the connection to a host that did not answer was last given up. */
  readonly #givenUpMs = new Map<HostId, number>();

  constructor(clock: Clock, peers: PeerClients) {
    this.#clock = clock;
    this.#peers = peers;
  }

  async probe(hostId: HostId, request: shoal.v1.IProbeRequest, options: UnaryOptions): Promise<shoal.v1.ProbeResponse> {
    try {
      const answer = await this.#peers.to(hostId).call((calls) => calls.probe(request, options));
      this.#silent.delete(hostId);
      this.#givenUpMs.delete(hostId);
      return answer;
    } catch (caught) {
      const isSilent = caught instanceof ShoalError && (isUnanswered(caught.code) || mayHaveHappened(caught.code));
      if (isSilent && options.signal?.aborted !== true) this.#giveUp(hostId);
      throw caught;
    }
  }

  async port(hostId: HostId, timeoutMs: number): Promise<'listening' | 'closed' | 'silent' | 'unknown'> {
    const address = this.#peers.addressOf(hostId);
    return address === undefined ? 'unknown' : askPort(this.#clock, address, timeoutMs);
  }

  #giveUp(hostId: HostId): void {
    if (this.#peers.addressOf(hostId) === undefined) {
      this.#silent.delete(hostId);
      this.#givenUpMs.delete(hostId);
      return;
    }
    const silent = (this.#silent.get(hostId) ?? 0) + 1;
    this.#silent.set(hostId, silent);
    if (silent < silentProbesMin) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - (this.#givenUpMs.get(hostId) ?? Number.NEGATIVE_INFINITY) < reconnectMsMin) return;
    this.#givenUpMs.set(hostId, nowMs);
    this.#silent.delete(hostId);
    this.#peers.reconnect(hostId);
  }
}
