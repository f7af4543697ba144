/** All hosts of a cell in one process: each with its own connection and slice, as production follows one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { hostSlice } from '../../../../node/host/host-slice.ts';
import { PeerClients } from '../../../../node/mesh/peers/peer-client.ts';
import { fixedCertificates, type PeerCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { grpcSliceChannel } from '../../../../node/slices/grpc-slice-channel.ts';
import { SliceReplica } from '../../../../node/slices/slice-replica.ts';
import type { SliceRoots } from '../../../../node/slices/slice-roots.ts';
import { SliceStore, sliceWriteBufferBytes } from '../../../../node/slices/slice-store.ts';
import { meshTable, serverTable } from '../../../../node/state/tables/index.ts';
import { openLevelDisk } from '../../../../node/store/level/level-disk.ts';
import { MemoryDisk } from '../../../../node/store/memory/memory-disk.ts';
import { answer, cpuMs } from '../hosts/child.ts';

/**
 * What each subscriber follows: what its host needs, the rows of its host's servers alone, or one row that all have. A thousand
 * slices of the first kind are 6 GB in one process.
 */
export type Follows = 'host' | 'own-servers' | 'one-row';

/** What it is asked. */
export type SubscribersQuestion =
  | {
      readonly ask: 'start';
      /** Each host with its certificate. */
      readonly hosts: readonly { readonly hostId: HostId; readonly certificates: PeerCertificates }[];
      readonly replica: { readonly hostId: HostId; readonly address: string };
      readonly follows: Follows;
      /** So many keep their slice in LevelDB, below `folder`; the others in memory: a thousand syncs a second are not one disk's. */
      readonly onDisk: number;
      readonly folder: string;
    }
  /** Forgets what was seen so far. */
  | { readonly ask: 'begin' }
  /** What was seen since. */
  | { readonly ask: 'seen' }
  /** Waits until all have a revision. */
  | { readonly ask: 'current'; readonly revision: number };

/** What it answers. */
export interface SubscribersAnswer {
  /** From the commit of a change of a server until its own host has applied it. Unit: ms. */
  readonly appliedMs: readonly number[];
  /** The same, of those that keep their slices in LevelDB: it is on disk by then. */
  readonly onDiskMs: readonly number[];
  /** From the commit of a change of the row that all have until the last, and until each, has applied it. Unit: ms. */
  readonly seenByAllMs: readonly number[];
  readonly seenByOneMs: readonly number[];
  /** Changes that were heard of, by the place of the host. */
  readonly changes: readonly number[];
  readonly tookMs: number;
  readonly cpuPercent: number;
}

interface Seen {
  appliedMs: number[];
  onDiskMs: number[];
  changes: number[];
  /** By the value of the row. */
  readonly shared: Map<string, number[]>;
}

const readyMsMax = 240_000;
const slices: SliceReplica[] = [];
let seen: Seen = { appliedMs: [], onDiskMs: [], changes: [], shared: new Map() };

async function start(question: Extract<SubscribersQuestion, { ask: 'start' }>): Promise<void> {
  const { hosts, replica, follows, onDisk } = question;
  const folder = await mkdtemp(join(question.folder, 'slices-'));
  process.on('exit', () => void rm(folder, { recursive: true, force: true }));
  for (const [at, { hostId, certificates }] of hosts.entries()) {
    const peers = new PeerClients(
      { logger: silentLogger },
      { certificates: fixedCertificates(certificates), addressOf: () => replica.address },
    );
    const slice = new SliceReplica({
      clock: systemClock,
      logger: silentLogger,
      random: new Prng(at + 1),
      channel: grpcSliceChannel(peers, () => replica.hostId),
      store: new SliceStore(
        at < onDisk
          ? await openLevelDisk(join(folder, String(at)), { writeBufferBytes: sliceWriteBufferBytes })
          : new MemoryDisk(),
      ),
      self: at + 2,
      hosts: () => [1],
      roots: rootsOf(follows, hostId),
      onFatal: (error) => {
        console.error(error);
        process.exit(1);
      },
    });
    slices.push(slice);
    watchServers(slice, at, hostId, at < onDisk);
    watchShared(slice, at);
    await slice.start();
  }
  for (const slice of slices) if (!(await slice.ready(readyMsMax))) throw new Error('a slice is not whole');
}

function rootsOf(follows: Follows, hostId: HostId): SliceRoots {
  if (follows === 'host') return hostSlice(hostId);
  if (follows === 'one-row') return oneRow;
  return {
    read: (reader) => void serverTable.by(reader, 'host', hostId),
    heard: () => {},
    forget: () => {},
  };
}

/** The row of the mesh, and nothing else. */
const oneRow: SliceRoots = {
  read: (reader) => void meshTable.get(reader, 'mesh'),
  heard: () => {},
  forget: () => {},
};

function watchServers(slice: SliceReplica, at: number, hostId: HostId, isOnDisk: boolean): void {
  slice.watches.watch({ prefix: serverTable.prefix }, (events) => {
    for (const { value } of events) {
      seen.changes[at] = (seen.changes[at] ?? 0) + 1;
      const server = value === undefined ? undefined : serverTable.decode(value);
      if (server?.hostId !== hostId || server.description === '') continue;
      (isOnDisk ? seen.onDiskMs : seen.appliedMs).push(sinceMs(server.description));
    }
  });
}

function watchShared(slice: SliceReplica, at: number): void {
  slice.watches.watch({ prefix: meshTable.prefix }, (events) => {
    for (const { value } of events) {
      if (value === undefined) continue;
      const { name } = meshTable.decode(value);
      if (!/^\d+$/.test(name)) continue;
      const times = seen.shared.get(name) ?? [];
      times[at] = sinceMs(name);
      seen.shared.set(name, times);
    }
  });
}

/** The clock of `hrtime` is one for all processes of a machine. */
function sinceMs(ns: string): number {
  return Number(process.hrtime.bigint() - BigInt(ns)) / 1e6;
}

answer(async (question: SubscribersQuestion): Promise<SubscribersAnswer> => {
  const [cpuBefore, beganMs] = [cpuMs(), performance.now()];
  if (question.ask === 'start') await start(question);
  if (question.ask === 'begin') seen = { appliedMs: [], onDiskMs: [], changes: [], shared: new Map() };
  if (question.ask === 'current') {
    const { revision } = question;
    const found = await Promise.all(slices.map((slice) => slice.waitApplied(revision, readyMsMax)));
    if (found.includes(false)) throw new Error('a slice did not become current');
  }
  const shared = [...seen.shared.values()].map((times) => times.filter((ms) => ms !== undefined));
  return {
    appliedMs: seen.appliedMs,
    onDiskMs: seen.onDiskMs,
    seenByAllMs: shared.filter((times) => times.length === slices.length).map((times) => Math.max(...times)),
    seenByOneMs: shared.flat(),
    changes: Array.from(slices, (_, at) => seen.changes[at] ?? 0),
    tookMs: performance.now() - beganMs,
    cpuPercent: ((cpuMs() - cpuBefore) / (performance.now() - beganMs)) * 100,
  };
});
