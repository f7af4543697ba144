/**
 * Joining by way of a member that holds a part of the state only: tickets, and the numbers that hosts are given, only a replica
 * has. The member passes the newcomer on to one, over peer RPC, and hands back what that says.
 */
import { shoal } from '../../../proto/messages.ts';
import { isUnanswered, mayHaveHappened, ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { ipVersion } from '../../base/ip-version.ts';
import type { PeerClients } from '../peers/peer-client.ts';
import type { JoinHandlers, PeerHandlers } from '../peers/peer-server.ts';
import { sourceOf } from './failure-limiter.ts';

/** Time to connect to a replica, and for its answer. Unit: ms. A newcomer waits 15 s. */
const connectMsMax = 1_000;
const answerMsMax = 5_000;
/** Replicas that are asked, at most. */
const attemptsMax = 3;

/** Whether another replica may do it: nothing was done, or doing it again does nothing more. */
function isForAnother(caught: unknown): boolean {
  if (ShoalError.is(caught, 'NOT_IN_SLICE', 'NOT_IMPLEMENTED', 'NOT_FOUND')) return true;
  return caught instanceof ShoalError && (isUnanswered(caught.code) || mayHaveHappened(caught.code));
}

interface JoinRelayDeps {
  readonly peers: Pick<PeerClients, 'to'>;
  /** The replicas, while this host is none; undefined: it is one. */
  readonly replicas: () => readonly HostId[] | undefined;
}

/** See above. */
export class JoinRelay {
  readonly #deps: JoinRelayDeps;

  constructor(deps: JoinRelayDeps) {
    this.#deps = deps;
  }

  /**
   * Has a replica admit the newcomer. Resolves undefined where this host is one itself. Throws what the replica throws
   * (`JoinHandler.join`), and `UNAVAILABLE` when none can be reached.
   */
  async join(
    request: shoal.v1.JoinRequest,
    remoteAddress: string,
    signal: AbortSignal,
  ): Promise<shoal.v1.IJoinResponse | undefined> {
    const replicas = this.#deps.replicas();
    if (replicas === undefined) return undefined;
    let last: unknown;
    for (const replica of replicas.slice(0, attemptsMax)) {
      signal.throwIfAborted();
      try {
        const peer = this.#deps.peers.to(replica);
        await peer.connect(connectMsMax);
        return await peer.calls.relayJoin({ join: request, remoteAddress }, { timeoutMs: answerMsMax, signal });
      } catch (caught) {
        if (signal.aborted || !isForAnother(caught)) throw caught;
        last = caught;
      }
    }
    const text =
      'This host holds a part of the records, and no replica of them can be reached from here; ask another host.';
    throw new ShoalError('UNAVAILABLE', text, { cause: last });
  }

  /** A replica's side. Throws as `JoinHandler.join`, and `NOT_IN_SLICE` where this host is no replica. */
  handler(joiner: Pick<JoinHandlers, 'admit' | 'join'>): PeerHandlers['relayJoin'] {
    return async ({ join, remoteAddress }, { signal }) => {
      if (this.#deps.replicas() !== undefined) {
        throw new ShoalError('NOT_IN_SLICE', 'This host holds a part of the records only; ask another one.');
      }
      if (!join || ipVersion(sourceOf(remoteAddress)) === 0) {
        throw new ShoalError('INVALID_ARGUMENT', 'The relayed join names no newcomer.');
      }
      joiner.admit(remoteAddress);
      return joiner.join(shoal.v1.JoinRequest.create(join), remoteAddress, signal);
    };
  }
}
