/** Asks voters, from outside of the group, whether they are there and whether they can commit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import { silentLogger } from '../../base/telemetry/logger.ts';
import { hostIdOf, type Membership } from '../../cluster/membership.ts';
import { PeerClient } from '../../mesh/peers/peer-client.ts';
import type { PeerCertificates } from '../../mesh/peers/peer-credentials.ts';
import type { ConfState } from '../../raft/index.ts';

/** What became of asking one voter. */
export type VoterVerdict =
  /** It leads, and a quorum has just confirmed that. */
  | 'commits'
  /** It is there and knows a leader. */
  | 'follows'
  /** It is there, without a leader or a quorum. */
  | 'alone'
  /** Nobody answers at its address. */
  | 'silent'
  /** Somebody else answers at its address. */
  | 'stranger'
  /** No address of it is known, so it was not asked. */
  | 'not-asked';

/**
 * What one voter answered. `name` is its host's, or `member N` where no host is known; `detail` says the verdict to
 * people.
 */
export interface VoterAnswer {
  readonly raftId: RaftId;
  readonly name: string;
  readonly verdict: VoterVerdict;
  readonly detail: string;
}

/** One question may take so long. Unit: milliseconds. */
const questionMs = 1500;
const pauseMs = 250;

/**
 * Asks each voter again and again for `forMs`, which must exceed an election by far: a group that has just lost its leader
 * must have the time to find another. Ends early only when one commits.
 */
export async function probeVoters(
  voters: readonly RaftId[],
  options: { readonly membership: Membership; readonly tlsPrivateKeyPem: string; readonly forMs: number },
): Promise<readonly VoterAnswer[]> {
  const { membership, tlsPrivateKeyPem, forMs } = options;
  const certificates: PeerCertificates = {
    meshId: membership.meshId,
    certificatePem: membership.certificatePem,
    privateKeyPem: tlsPrivateKeyPem,
    authorityPem: membership.authorityCertificatePem,
  };
  return Promise.all(
    voters.map(async (raftId): Promise<VoterAnswer> => {
      const host = membership.hosts.find((known) => known.raftId === raftId);
      if (host === undefined) {
        return { raftId, name: `member ${raftId}`, verdict: 'not-asked', detail: 'its address is not known here' };
      }
      const { name, peerAddress } = host;
      const client = new PeerClient(
        { logger: silentLogger },
        { hostId: hostIdOf(host), address: peerAddress, certificates },
      );
      try {
        return { raftId, name, ...(await askUntilSure(client, forMs)) };
      } finally {
        client.close();
      }
    }),
  );
}

/** Whether these members could form a quorum: a majority of the voters, and of the outgoing ones while there are any. */
export function couldFormQuorum({ voters, votersOutgoing }: ConfState, present: ReadonlySet<RaftId>): boolean {
  const isMajority = (ids: readonly RaftId[]): boolean =>
    ids.filter((id) => present.has(id)).length > Math.floor(ids.length / 2);
  return isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing));
}

async function askUntilSure(client: PeerClient, forMs: number): Promise<Pick<VoterAnswer, 'verdict' | 'detail'>> {
  const endMs = performance.now() + forMs;
  /** It was there at some time: one lost packet at the end does not make it silent. */
  let present: Pick<VoterAnswer, 'verdict' | 'detail'> | undefined;
  /** Said by the first attempt to connect; while the next one waits its turn, nobody answers. */
  let stranger: Pick<VoterAnswer, 'verdict' | 'detail'> | undefined;
  for (;;) {
    const answer = await ask(client);
    if (answer.verdict === 'commits') return answer;
    if (answer.verdict === 'follows' || answer.verdict === 'alone') present = answer;
    if (answer.verdict === 'stranger') stranger = answer;
    if (performance.now() + pauseMs >= endMs) return present ?? stranger ?? answer;
    await sleep(pauseMs);
  }
}

async function ask(client: PeerClient): Promise<Pick<VoterAnswer, 'verdict' | 'detail'>> {
  try {
    await client.call((calls) => calls.readIndex({}, { timeoutMs: questionMs }));
    return { verdict: 'commits', detail: 'it leads, and a quorum answers it' };
  } catch (caught) {
    const error = ShoalError.from(caught, 'UNAVAILABLE');
    if (error.code === 'IDENTITY_MISMATCH') return { verdict: 'stranger', detail: error.message };
    const leader = error.facts['leaderRaftId'];
    if (error.code === 'NOT_LEADER' && typeof leader === 'number' && leader !== 0) {
      return { verdict: 'follows', detail: `it follows member ${leader}` };
    }
    if (client.isConnected) return { verdict: 'alone', detail: `it answers, without a quorum: ${error.message}` };
    return { verdict: 'silent', detail: `nobody answers at ${client.address}` };
  }
}
