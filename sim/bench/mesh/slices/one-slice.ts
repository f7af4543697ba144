/**
 * The slice of one busy host, in cells of several sizes: what it takes to fetch and to keep, to resume when a hundredth of it
 * has changed, and to start from with nobody reachable. Production's feeder and subscriber, with LevelDB.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../../node/base/clock.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { hostSlice } from '../../../../node/host/host-slice.ts';
import { SliceFeeder } from '../../../../node/slices/slice-feeder.ts';
import { SliceReplica } from '../../../../node/slices/slice-replica.ts';
import { SliceStore, sliceWriteBufferBytes } from '../../../../node/slices/slice-store.ts';
import type { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { flavorTable, portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { openLevelDisk } from '../../../../node/store/level/level-disk.ts';
import { shoal } from '../../../../proto/messages.ts';
import type { Figure } from '../figures/figure.ts';
import { Cell } from '../state/cell.ts';
import { CountedChannel } from './counted-channel.ts';
import { filledState } from './filled-state.ts';

const guests = 50;
const networks = 20;
const portsANetwork = 200;
const startsMax = 5;
/** More keys than a feed remembers: who resumes after them compares digests. */
const forgettingRows = 70_000;
const kib = 1024;

/** Measures it in a cell of so many hosts. @param folder of its own, empty. */
export async function oneSlice(hosts: number, folder: string): Promise<readonly Figure[]> {
  const otherNetworks = Math.max(5, hosts / 50);
  const cell = new Cell({ hosts, portsANetwork, guests, networks, otherNetworks, networksARouter: 5 });
  const state = await filledState(cell);
  const feeder = new SliceFeeder({ clock: systemClock, state, knownSince: () => 0, isReplica: () => true });
  await feeder.start();
  const channel = new CountedChannel((requests, signal) => feeder.serve(requests, signal));
  const host = new Host(cell, channel, folder);
  const figures: Figure[] = [];
  const add = (what: string, value: number, unit: string, target?: number): void =>
    void figures.push({ what, hosts, value, unit, ...(target === undefined ? {} : { target }) });

  const firstMs = await host.follow(state.local.revision);
  const sizes = host.sizes();
  add('servers in the cell', cell.serverCount, '');
  add('slice, rows', sizes.rows, '');
  add('slice, bytes of its rows', sizes.bytes, 'bytes', 1_000_000);
  add('  of them the table of hosts', sizes.hostBytes, 'bytes');
  add('  of them ports', sizes.portBytes, 'bytes');
  add('slice fetched for the first time, on the wire', channel.replyBytes, 'bytes');
  add('slice fetched for the first time', firstMs, 'ms');
  await host.stop();
  add('slice on disk', await bytesIn(folder), 'bytes');

  await changeHundredth(cell, state);
  await host.resume(state, channel, (bytes) => add('resumed, a hundredth changed', bytes, 'bytes', 64 * kib));
  await changeHundredth(cell, state);
  await forget(state);
  await host.resume(state, channel, (bytes) =>
    add('the same, when the replica does not know any more what has changed', bytes, 'bytes', 64 * kib),
  );

  channel.isOpen = false;
  const startMs: number[] = [];
  for (let start = 0; start < startsMax; start += 1) startMs.push(await host.startAlone());
  add('start with nobody reachable', Math.max(...startMs), 'ms', 2_000);
  await feeder.stop();
  return figures;
}

/** The busy host's side. */
class Host {
  readonly #cell: Cell;
  readonly #channel: CountedChannel;
  readonly #folder: string;
  #slice: SliceReplica | undefined;

  constructor(cell: Cell, channel: CountedChannel, folder: string) {
    this.#cell = cell;
    this.#channel = channel;
    this.#folder = folder;
  }

  /** Follows until it is whole at `revision`. Returns how long that took, ms. */
  async follow(revision: number): Promise<number> {
    const beganMs = performance.now();
    const slice = await this.#start();
    if (!(await slice.ready(60_000)) || !(await slice.waitApplied(revision, 60_000))) {
      throw new Error('the slice was not whole after a minute');
    }
    return performance.now() - beganMs;
  }

  /** Starts from its disk and is told what has changed. `told` hears how many bytes both sides sent. */
  async resume(state: MemoryStateClient, channel: CountedChannel, told: (bytes: number) => void): Promise<void> {
    channel.replyBytes = 0;
    channel.requestBytes = 0;
    await this.follow(state.local.revision);
    told(channel.replyBytes + channel.requestBytes);
    await this.stop();
  }

  /** From its disk alone. Returns ms until its state can be used. */
  async startAlone(): Promise<number> {
    const beganMs = performance.now();
    const slice = await this.#start();
    const isReady = await slice.ready(60_000);
    const tookMs = performance.now() - beganMs;
    await this.stop();
    if (!isReady) throw new Error('the slice on disk is not whole');
    return tookMs;
  }

  sizes(): { readonly rows: number; readonly bytes: number; readonly hostBytes: number; readonly portBytes: number } {
    const sum = { rows: 0, bytes: 0, hostBytes: 0, portBytes: 0 };
    for (const { key, value } of this.#slice?.rows() ?? []) {
      const bytes = key.length + value.length;
      sum.rows += 1;
      sum.bytes += bytes;
      if (/^[tux]\/host\//.test(key)) sum.hostBytes += bytes;
      if (/^[tux]\/port\//.test(key)) sum.portBytes += bytes;
    }
    return sum;
  }

  async stop(): Promise<void> {
    await this.#slice?.stop();
  }

  async #start(): Promise<SliceReplica> {
    this.#slice = new SliceReplica({
      clock: systemClock,
      logger: silentLogger,
      random: new Prng(1),
      channel: this.#channel,
      store: new SliceStore(await openLevelDisk(this.#folder, { writeBufferBytes: sliceWriteBufferBytes })),
      self: 1,
      hosts: () => [2],
      roots: hostSlice(this.#cell.target),
      onFatal: (error) => {
        throw error;
      },
    });
    await this.#slice.start();
    return this.#slice;
  }
}

/** Changes a hundredth of the rows that the host holds: its own servers, then ports of its networks. */
async function changeHundredth(cell: Cell, state: MemoryStateClient): Promise<void> {
  const change = new TransactionBuilder();
  let left = Math.ceil((networks * portsANetwork * 3) / 100);
  const { local } = state;
  for (const id of cell.targetServerIds) {
    left -= 1;
    const row = serverTable.must(local, id);
    const next = { ...row.record, description: `${row.record.description}x`, updatedMs: row.record.updatedMs + 1 };
    serverTable.update(change, row, new shoal.v1.Server(next));
  }
  const projectIds = new Set(cell.targetServerIds.map((id) => serverTable.must(local, id).record.projectId));
  for (const projectId of projectIds) {
    for (const row of portTable.by(local, 'project', projectId)) {
      if (left <= 0) break;
      left -= 1;
      portTable.update(change, row, new shoal.v1.Port({ ...row.record, updatedMs: row.record.updatedMs + 1 }));
    }
  }
  await state.commit(change.build());
}

/** Changes so much that is none of the host's business that the feed forgets what came before. */
async function forget(state: MemoryStateClient): Promise<void> {
  const key = flavorTable.key('of nobody');
  const value = new Uint8Array(8);
  for (let row = 0; row < forgettingRows; ) {
    const thenOps = Array.from({ length: 2_000 }, (_, at) => ({ kind: 'put' as const, key: `${key}${at}`, value }));
    row += thenOps.length;
    await state.commit({ compares: [], thenOps, elseOps: [] });
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}
