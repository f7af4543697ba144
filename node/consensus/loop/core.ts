/**
 * The consensus core as the loop runs it: it reads from the log store and writes nothing itself, so that the loop decides
 * when what is stored may be spoken of.
 */

import { buggify } from '../../base/buggify/buggify.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { noBytes, RawNode, type Snapshot } from '../../raft/index.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftLoopOptions } from '../replica/options.ts';
import type { Replica } from '../replica/replica.ts';
import type { SnapshotCache } from '../snapshots/snapshot-cache.ts';

const buggifyOneEntryAtATime = buggify('raft-loop.one-entry-at-a-time', 'entries are read from the log one by one');
const buggifyShortestElectionTimeout = buggify(
  'raft-loop.shortest-election-timeout',
  'an election timeout is the shortest there is',
);

interface CoreDeps {
  readonly raftId: RaftId;
  readonly options: RaftLoopOptions;
  readonly random: Prng;
  readonly logger: Logger;
  readonly store: LogStore;
  readonly replica: Replica;
  readonly cache: SnapshotCache;
}

/** A core that goes on from what is on disk and what is applied. */
export function makeCore(deps: CoreDeps): RawNode {
  const { raftId, options, random, logger, store, replica } = deps;
  return new RawNode({
    id: raftId,
    storage: {
      initialState: () => ({ ...store.initialState(), confState: replica.confState }),
      entries: (low, high, bytesMax) => store.entries(low, high, buggifyOneEntryAtATime() ? 1 : bytesMax),
      term: (index) => store.term(index),
      firstIndex: () => store.firstIndex(),
      lastIndex: () => store.lastIndex(),
      snapshot: () => snapshotPlace(deps),
    },
    applied: replica.appliedIndex,
    random: {
      below: (bound) => (buggifyShortestElectionTimeout() ? 0 : random.below(bound)),
    },
    electionTicks: options.electionTicks,
    heartbeatTicks: options.heartbeatTicks,
    asyncStorageWrites: true,
    checkQuorum: true,
    preVote: true,
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
    logger,
  });
}

/** The snapshot to tell a follower of: its place alone, for the content is fetched. */
function snapshotPlace({ replica, cache, store }: CoreDeps): Snapshot | 'temporarily-unavailable' {
  if (replica.appliedIndex === 0) return 'temporarily-unavailable';
  const place = cache.newest(replica.appliedIndex, store.firstIndex() - 1, replica.confState);
  return { ...place, data: noBytes };
}
