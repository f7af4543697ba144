/** A replica alone, as an agent keeps one: Raft loop, state machine, LevelDB. Its process's memory is its own. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../../node/base/clock.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { RaftStateClient } from '../../../../node/consensus/client/state-client.ts';
import { RaftLoop } from '../../../../node/consensus/loop/loop.ts';
import { decodeCommand, encodeCommand } from '../../../../node/state/command.ts';
import { encodeSnapshot, SnapshotDecoder } from '../../../../node/state/snapshot.ts';
import { StateMachine } from '../../../../node/state/state-machine.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import type { Transaction } from '../../../../node/state/types.ts';
import { openLevelLogStore } from '../../../../node/store/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { answer } from '../hosts/child.ts';
import { Cell, type CellShape } from './cell.ts';
import { NoTransport } from './no-transport.ts';

/** What it is asked. */
export type StateQuestion =
  /** Opens the log in `folder`, or makes it. */
  | { readonly ask: 'open'; readonly folder: string }
  | { readonly ask: 'fill'; readonly shape: CellShape }
  | { readonly ask: 'memory' }
  | { readonly ask: 'changes'; readonly count: number }
  | { readonly ask: 'snapshot' }
  | { readonly ask: 'close' };

/** What it answers: figures by name. */
export type StateAnswer = Readonly<Record<string, number>>;

/** Transactions under way at once. */
const underWayMax = 32;
const mib = 1024 * 1024;

interface Opened {
  readonly loop: RaftLoop;
  readonly state: RaftStateClient;
  readonly folder: string;
}

let opened: Opened | undefined;

async function open(folder: string): Promise<StateAnswer> {
  const beganMs = performance.now();
  const log = await openLevelLogStore({ folder, raftId: 1, bootstrap: true, hasPeers: false });
  const readMs = performance.now() - beganMs;
  const transport = new NoTransport();
  const loop = new RaftLoop({
    clock: systemClock,
    logger: silentLogger,
    random: new Prng(1),
    transport,
    log,
    onFatal: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  await loop.start();
  const state = new RaftStateClient({ loop, transport, clock: systemClock, uniqueName: 'bench' });
  await state.fresh();
  opened = { loop, state, folder };
  return { readMs, readyMs: performance.now() - beganMs, revision: state.local.revision };
}

async function fill({ state }: Opened, shape: CellShape): Promise<StateAnswer> {
  const cell = new Cell(shape);
  const beganMs = performance.now();
  const underWay = new Set<Promise<void>>();
  for (const transaction of cell.transactions()) {
    if (underWay.size >= underWayMax) await Promise.race(underWay);
    const commit = committed(state, transaction).finally(() => underWay.delete(commit));
    underWay.add(commit);
  }
  await Promise.all(underWay);
  return { servers: cell.serverCount, fillMs: performance.now() - beganMs };
}

async function committed(state: RaftStateClient, transaction: Transaction): Promise<void> {
  const outcome = await state.commit(transaction);
  if (!outcome.succeeded) throw new Error(`a record of the cell was refused: ${JSON.stringify(outcome)}`);
}

function memory({ folder }: Opened): StateAnswer {
  for (let turn = 0; turn < 3; turn += 1) globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    rssMib: rss / mib,
    heapMib: heapUsed / mib,
    externalMib: external / mib,
    arrayBuffersMib: arrayBuffers / mib,
    diskMib: bytesBelow(folder) / mib,
  };
}

/** Names of servers changed one after the other: with the log and its sync, then the state machine's part alone. */
async function changes({ state }: Opened, count: number): Promise<StateAnswer> {
  const keys = state.local.range(serverTable.prefix, `${serverTable.prefix}~`, count);
  const commitMs: number[] = [];
  const next = (key: string, at: number): Transaction => {
    const row = serverTable.must(state.local, key.slice(serverTable.prefix.length));
    const change = new TransactionBuilder();
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, name: `renamed-${at}` }));
    return change.build();
  };
  for (const [at, { key }] of keys.entries()) {
    const transaction = next(key, at);
    const beganMs = performance.now();
    await committed(state, transaction);
    commitMs.push(performance.now() - beganMs);
  }
  commitMs.sort((a, b) => a - b);
  const machine = state.local;
  if (!(machine instanceof StateMachine)) throw new Error('the state of a replica is a state machine');
  const encoded = keys.map(({ key }, at) => encodeCommand({ clientToken: '', transaction: next(key, -at) }));
  const copy = new StateMachine();
  for (const row of machine.view().rows()) copy.load(row);
  copy.loaded(machine.appliedIndex);
  const beganMs = performance.now();
  for (const [at, bytes] of encoded.entries()) copy.apply(machine.appliedIndex + 1 + at, decodeCommand(bytes));
  const applyUs = ((performance.now() - beganMs) / count) * 1000;
  return {
    commitP50Ms: commitMs[Math.floor(count / 2)] ?? Number.NaN,
    commitP99Ms: commitMs[Math.floor(count * 0.99)] ?? Number.NaN,
    applyUs,
  };
}

/** As one that lags fetches it: taken, encoded, decoded and made a state of. */
function snapshot({ state }: Opened): StateAnswer {
  const machine = state.local;
  if (!(machine instanceof StateMachine)) throw new Error('the state of a replica is a state machine');
  const takenMs = performance.now();
  const view = machine.view();
  const beganMs = performance.now();
  const pieces = [...encodeSnapshot(view)];
  const encodedMs = performance.now();
  const decoder = new SnapshotDecoder();
  const copy = new StateMachine();
  let longestMs = 0;
  for (const piece of pieces) {
    const pieceMs = performance.now();
    for (const row of decoder.push(piece)) copy.load(row);
    longestMs = Math.max(longestMs, performance.now() - pieceMs);
  }
  return {
    takeMs: beganMs - takenMs,
    encodeMs: encodedMs - beganMs,
    encodePieceMs: (encodedMs - beganMs) / pieces.length,
    decodeMs: performance.now() - encodedMs,
    decodePieceMsWorst: longestMs,
    mib: pieces.reduce((sum, piece) => sum + piece.length, 0) / mib,
    keys: copy.keyCount,
  };
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

answer(async (question: StateQuestion): Promise<StateAnswer> => {
  if (question.ask === 'open') return open(question.folder);
  if (opened === undefined) throw new Error('no log was opened');
  if (question.ask === 'fill') return fill(opened, question.shape);
  if (question.ask === 'memory') return memory(opened);
  if (question.ask === 'changes') return changes(opened, question.count);
  if (question.ask === 'snapshot') return snapshot(opened);
  await opened.loop.stop();
  return {};
});
