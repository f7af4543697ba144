/** The state of an agent: its log and Raft loop, and the replica or the slice that is read from. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import type { Health } from '../base/telemetry/health.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import type { HostDirectory } from '../cluster/host-directory.ts';
import { type Membership, readFounding } from '../cluster/membership.ts';
import type { Config } from '../config/options.ts';
import { RaftLoop } from '../consensus/loop/loop.ts';
import type { GrpcRaftTransport } from '../consensus/transport/grpc-transport.ts';
import { hostSlice } from '../host/host-slice.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import { grpcSliceChannel } from '../slices/grpc-slice-channel.ts';
import { SliceReplica } from '../slices/slice-replica.ts';
import { SliceStore, sliceWriteBufferBytes } from '../slices/slice-store.ts';
import { StateMember } from '../slices/state-member.ts';
import { openLevelLogStore } from '../store/index.ts';
import { openLevelDisk } from '../store/level/level-disk.ts';
import type { RunningParts } from './life/running-parts.ts';
import { raftMetrics } from './raft-metrics.ts';

/** How long a start waits for a slice of the state; it goes on without one, as a replica that has heard nothing yet. */
const startMsMax = 5_000;

interface StateSideDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly running: RunningParts;
  readonly transport: GrpcRaftTransport;
  readonly directory: HostDirectory;
  readonly peers: PeerClients;
  readonly onFatal: (error: unknown) => void;
  /** Why this agent runs without consensus; absent: it does not. */
  readonly idle: ShoalError | undefined;
}

/** Opens the log and starts to take part. Resolves once there is something to read, or after five seconds without it. */
export async function startState(
  deps: StateSideDeps,
  config: Config,
  membership: Membership,
): Promise<{ readonly loop: RaftLoop; readonly member: StateMember }> {
  const { clock, logger, random, metrics, health, running, onFatal, idle, transport, directory, peers } = deps;
  const { dataDir } = config;
  const { standbys: _, ...raft } = config.raft;
  const { hostId, raftId } = membership;
  const opened = await openLevelLogStore({
    folder: join(dataDir, 'log'),
    raftId,
    bootstrap: readFounding(dataDir) !== undefined,
    hasPeers: membership.hosts.some((host) => host.hostId !== hostId),
  });
  for (const finding of opened.findings) logger.warn({ finding }, 'opening the log found damage');
  const loop = new RaftLoop(
    {
      clock,
      logger: logger.child({ part: 'raft' }),
      random: random.fork(),
      transport,
      log: opened,
      onFatal,
      nameOf: (raftId) => directory.nameOf(raftId),
      idle,
      observer: raftMetrics(metrics),
    },
    raft,
  );
  if (idle !== undefined) {
    health.failed('consensus', idle);
    logger.error({ err: idle }, 'this agent runs without consensus');
  }
  await loop.start();
  running.started('raft loop', () => loop.stop());
  const sliceFolder = join(dataDir, 'slice');
  const channel = grpcSliceChannel(peers, (id) => directory.hostIdOf(id));
  const member = new StateMember({
    clock,
    logger: logger.child({ part: 'state' }),
    loop,
    transport,
    channel,
    uniqueName: randomUUID,
    onFatal,
    keptRevision: () => keptSliceRevision(sliceFolder),
    slice: async () =>
      new SliceReplica({
        clock,
        logger: logger.child({ part: 'slice' }),
        random: random.fork(),
        channel,
        store: new SliceStore(await openLevelDisk(sliceFolder, { writeBufferBytes: sliceWriteBufferBytes })),
        self: raftId,
        hosts: () => directory.hosts().map((host) => host.raftId),
        roots: hostSlice(hostId as HostId),
        onFatal,
      }),
  });
  await member.start();
  running.started('state', () => member.stop());
  await member.ready(startMsMax);
  return { loop, member };
}

/** The revision of the slice in a folder; 0: there is none, and then nothing is left of an earlier one. */
async function keptSliceRevision(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  const store = new SliceStore(await openLevelDisk(folder));
  try {
    const revision = store.revision();
    if (revision === 0) await store.sweep();
    return revision;
  } finally {
    await store.close();
  }
}
