/**
 * The replica of the bench: a cell's state, production's feeder and peer server. Writes names of servers at a steady rate, each
 * with the time at which it was committed.
 */
import { systemClock } from '../../../../node/base/clock.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { fixedCertificates, type PeerCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { peerServerLimits } from '../../../../node/mesh/peers/peer-limits.ts';
import { PeerServer } from '../../../../node/mesh/peers/peer-server.ts';
import { followSliceHandler } from '../../../../node/slices/grpc-slice-channel.ts';
import { SliceFeeder } from '../../../../node/slices/slice-feeder.ts';
import type { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { meshTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { answer, cpuMs } from '../hosts/child.ts';
import { Cell, type CellShape } from '../state/cell.ts';
import { filledState } from './filled-state.ts';
import { refusingHandlers, refusingJoin } from './refusing.ts';

/** What it is asked. */
export type ReplicaQuestion =
  | {
      readonly ask: 'start';
      readonly shape: CellShape;
      readonly certificates: PeerCertificates;
      readonly listen: string;
    }
  /** Changes servers of the first `involvedHosts` hosts. */
  | { readonly ask: 'write'; readonly perSecond: number; readonly forMs: number; readonly involvedHosts: number }
  /** Changes one row that all subscribers have. */
  | { readonly ask: 'touch' }
  | { readonly ask: 'down' }
  | { readonly ask: 'up' }
  | { readonly ask: 'idle'; readonly forMs: number };

/** What it answers. */
export interface ReplicaAnswer {
  readonly revision: number;
  readonly subscribers: number;
  readonly writes: number;
  /** Of one core, while it did what it was asked. Unit: percent. */
  readonly cpuPercent: number;
}

interface Serving {
  readonly cell: Cell;
  readonly state: MemoryStateClient;
  readonly feeder: SliceFeeder;
  readonly certificates: PeerCertificates;
  readonly listen: string;
  server: PeerServer;
}

const random = new Prng(7);
let serving: Serving | undefined;

async function listening(of: Omit<Serving, 'server'>): Promise<PeerServer> {
  const server = new PeerServer(
    { clock: systemClock, logger: silentLogger },
    {
      certificates: fixedCertificates(of.certificates),
      admits: () => true,
      handlers: {
        ...refusingHandlers,
        followSlice: followSliceHandler((requests, signal) => of.feeder.serve(requests, signal)),
      },
      join: refusingJoin,
      // All subscribers of the bench have one address.
      limits: {
        ...peerServerLimits,
        listener: { ...peerServerLimits.listener, connectionsPerAddressMax: peerServerLimits.listener.connectionsMax },
      },
    },
  );
  await server.listen(of.listen);
  return server;
}

async function started({ shape, certificates, listen }: Extract<ReplicaQuestion, { ask: 'start' }>): Promise<Serving> {
  const cell = new Cell(shape);
  const state = await filledState(cell);
  const feeder = new SliceFeeder({ clock: systemClock, state, knownSince: () => 0, isReplica: () => true });
  await feeder.start();
  const of = { cell, state, feeder, certificates, listen };
  return { ...of, server: await listening(of) };
}

async function write(
  { cell, state }: Serving,
  { perSecond, forMs, involvedHosts }: Extract<ReplicaQuestion, { ask: 'write' }>,
): Promise<number> {
  const involved = new Set<string>(cell.hostIds.slice(0, involvedHosts));
  const ids = [...cell.targetServerIds, ...cell.otherServerIds].filter((id) =>
    involved.has(serverTable.must(state.local, id).record.hostId),
  );
  const beganMs = performance.now();
  let writes = 0;
  for (;;) {
    const elapsedMs = performance.now() - beganMs;
    if (elapsedMs >= forMs) return writes;
    for (; writes < (elapsedMs * perSecond) / 1000; writes += 1) {
      const row = serverTable.must(state.local, random.pick(ids));
      const change = new TransactionBuilder();
      const description = String(process.hrtime.bigint());
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, description }));
      await state.commit(change.build());
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function touch({ state }: Serving): Promise<void> {
  const row = meshTable.must(state.local, 'mesh');
  const change = new TransactionBuilder();
  meshTable.update(change, row, new shoal.v1.Mesh({ ...row.record, name: String(process.hrtime.bigint()) }));
  await state.commit(change.build());
}

answer(async (question: ReplicaQuestion): Promise<ReplicaAnswer> => {
  const [cpuBefore, beganMs] = [cpuMs(), performance.now()];
  let writes = 0;
  if (question.ask === 'start') serving = await started(question);
  if (serving === undefined) throw new Error('the replica has not been started');
  if (question.ask === 'write') writes = await write(serving, question);
  if (question.ask === 'touch') await touch(serving);
  if (question.ask === 'down') await serving.server.stop();
  if (question.ask === 'up') serving.server = await listening(serving);
  if (question.ask === 'idle') await new Promise((resolve) => setTimeout(resolve, question.forMs));
  return {
    revision: serving.state.local.revision,
    subscribers: serving.feeder.subscriberCount,
    writes,
    cpuPercent: ((cpuMs() - cpuBefore) / (performance.now() - beganMs)) * 100,
  };
});
