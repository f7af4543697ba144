/**
 * Members that say that they are reached elsewhere. TLS has proved their key, and a copy of a host's disk has the same: a
 * member is followed only when no other run of it answers where it was until now.
 */
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { isSameInstance, parseInstance } from '../mesh/peers/instance.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import type { HostDirectory } from './host-directory.ts';

/** Time for an agent at the former address to answer, ms. */
const answerMsMax = 1_000;

interface MovesDeps {
  readonly logger: Logger;
  readonly peers: PeerClients;
  readonly directory: HostDirectory;
  readonly signal: AbortSignal;
  /** Called when a member is reached elsewhere than was known. */
  readonly onMoved: () => void;
}

/** See above. */
export class Moves {
  readonly #deps: MovesDeps;
  /** Members about whose former address is being asked. */
  readonly #asking = new Set<HostId>();

  constructor(deps: MovesDeps) {
    this.#deps = deps;
  }

  /** A member has said where it listens. Followed soon after, if it has moved; one question a member at a time. */
  told(hostId: HostId, peerAddress: string, instance: string | undefined): void {
    const { directory, logger } = this.#deps;
    const known = directory.find(hostId);
    if (known === undefined || known.peerAddress === peerAddress || this.#asking.has(hostId)) return;
    this.#asking.add(hostId);
    this.#follow(hostId, { peerAddress, gossipAddress: known.gossipAddress }, instance)
      .catch((error: unknown) => logger.warn({ error, hostId, peerAddress }, 'a member that has moved is not followed'))
      .finally(() => this.#asking.delete(hostId));
  }

  /** Throws `IDENTITY_MISMATCH` when another run of the host answers where it was. */
  async mustHaveMoved(hostId: HostId, peerAddress: string, instance: string | undefined): Promise<void> {
    const former = this.#deps.directory.addressOf(hostId);
    const caller = parseInstance(instance);
    // A caller of a version that does not tell its run is believed.
    if (former === undefined || former === peerAddress || caller === undefined) return;
    const client = this.#deps.peers.at(hostId, former);
    try {
      const options = { timeoutMs: answerMsMax, signal: this.#deps.signal };
      const found = parseInstance((await client.call((calls) => calls.getInstance({}, options))).instance);
      if (found === undefined || isSameInstance(found, caller)) return;
    } catch (caught) {
      // An agent that does not know the question is one of an earlier version, and there; anything else is no answer.
      if (!ShoalError.is(caught, 'NOT_IMPLEMENTED')) return;
    } finally {
      client.close();
    }
    throw new ShoalError(
      'IDENTITY_MISMATCH',
      `Host ${hostId} answers at ${former} still: who says that it is at ${peerAddress} now is a copy of it.`,
      { facts: { hostId, former, peerAddress } },
    );
  }

  async #follow(
    hostId: HostId,
    addresses: { readonly peerAddress: string; readonly gossipAddress: string },
    instance: string | undefined,
  ): Promise<void> {
    const { directory, logger, onMoved } = this.#deps;
    await this.mustHaveMoved(hostId, addresses.peerAddress, instance);
    if (!directory.learn(hostId, addresses)) return;
    logger.info({ hostId, peerAddress: addresses.peerAddress }, 'a host is reached under another address');
    onMoved();
  }
}
