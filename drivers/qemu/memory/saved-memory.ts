/**
 * Guests that are suspended: their memory and the state of their devices in a file, and no process.
 *
 *     RUN/guests/SERVER/saved/
 *       memory        QEMU's migration stream
 *       saved.json    says that it is whole, and what has to be there when it is loaded; written last, removed first
 *
 * QEMU's sandbox lets it open no such file, so the agent carries the stream, over a socket in the guest's own folder. The file is
 * removed before a guest goes on from it: one that has run since must never be put back.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { lchown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { syncFolder, writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { errnoOf, isMissing } from '../../../node/base/system-error.ts';
import { gibBytes, mibBytes } from '../../../node/base/units.ts';
import { readJsonFile } from '../../json-file.ts';
import type { GuestSpec } from '../../types.ts';
import type { RunFiles } from '../confinement/run-files.ts';
import { placesFromJson, placesOf } from '../disks/device-places.ts';
import type { DevicePlaces } from '../disks/disk-nodes.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { setMigration } from '../moves/migration-settings.ts';

/** Where the stream goes: a socket in the guest's folder. */
const socketName = 'stream';
/** Slowest disk on which a guest can be suspended, and what comes on top. */
const slowestBytesPerS = 5 * mibBytes;
const leastMs = 60_000;
const pollMs = 20;
/** What comes on top of the guest's memory, at most: its devices, and the stream's own words. Unit: bytes. */
const deviceBytesMax = gibBytes;

/** A memory that lies ready. */
export interface SavedMemory {
  readonly generation: number;
  /** QEMU's name of the machine: another one cannot take the memory. */
  readonly machine: string;
  readonly places: DevicePlaces;
}

/** Saved memories of one driver's guests. */
export class SavedMemories {
  readonly #files: RunFiles;

  constructor(files: RunFiles) {
    this.#files = files;
  }

  /** What is saved and whole; undefined: nothing is. */
  async find(serverId: ServerId): Promise<SavedMemory | undefined> {
    const value = await readJsonFile(this.#path(serverId, 'saved.json'));
    if (value === undefined) return undefined;
    if (isRecord(value) && typeof value['generation'] === 'number' && typeof value['machine'] === 'string') {
      const places = placesFromJson(value['places']);
      if (places !== undefined) return { generation: value['generation'], machine: value['machine'], places };
    }
    throw new ShoalError('DRIVER_FAILED', `${this.#path(serverId, 'saved.json')} does not describe a saved memory`);
  }

  /**
   * Saves the memory of a guest, whose processors stand still from now on. Durable when it returns. A failure lets a guest go on
   * that ran before; `DRIVER_FAILED` with the fact `reason: 'full'` when there is no room.
   * @param uid whose the guest's QEMU is.
   */
  async save(
    guest: QemuGuest,
    known: { readonly machine: string; readonly uid: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { serverId, generation } = guest;
    const didRun = (await guest.state(signal)).power === 'running';
    const places = await placesOf(guest, signal);
    await this.drop(serverId);
    await mkdir(this.#folder(serverId), { recursive: true, mode: 0o700 });
    await guest.execute('stop', undefined, signal);
    try {
      await this.#receive(guest, known.uid, signal);
    } catch (caught) {
      await this.drop(serverId);
      if (didRun && (await guest.alive())) await guest.execute('cont');
      throw caught;
    }
    const about = { generation, machine: known.machine, places: Object.fromEntries(places) };
    await writeFileDurably(this.#path(serverId, 'saved.json'), JSON.stringify(about), { mode: 0o600 });
    await syncFolder(this.#files.folder(serverId));
  }

  /**
   * Loads the memory into a QEMU that was started to take it, whose processors then stand. `DRIVER_FAILED` when QEMU refuses
   * it: it ends then, and the memory stays.
   */
  async load(guest: QemuGuest, signal: AbortSignal): Promise<void> {
    const { serverId } = guest;
    const path = this.#path(serverId, 'memory');
    const socketPath = this.#files.streamSocket(serverId, socketName);
    const deadline = performance.now() + leastMs + ((await stat(path)).size / slowestBytesPerS) * 1000;
    // What an earlier QEMU of this guest has left there is not followed.
    await rm(socketPath, { recursive: true, force: true });
    await guest.execute('migrate-incoming', { uri: `unix:${socketPath}` }, signal);
    const socket = await connected(socketPath);
    try {
      await pipeline(createReadStream(path), socket, { signal });
    } catch (caught) {
      // QEMU closes its end when it refuses what it reads; why, its own words below say.
      if (signal.aborted) throw new ShoalError('CANCELLED', `resuming ${serverId} was cancelled`, { cause: caught });
    }
    for (;;) {
      const state = await guest.state(signal);
      if (state.power === 'crashed') {
        const said = (await readFile(this.#files.qemuLog(serverId), 'utf8')).trim().slice(-1000);
        throw new ShoalError('DRIVER_FAILED', `QEMU does not take the saved memory of ${serverId}: ${said}`);
      }
      if (state.detail === 'paused') return;
      await waitBefore(deadline, `QEMU did not take the saved memory of ${serverId} in time: ${state.detail}`);
    }
  }

  /** Forgets what was saved. Nothing there is success. */
  async drop(serverId: ServerId): Promise<void> {
    const description = this.#path(serverId, 'saved.json');
    const isThere = await stat(description).then(
      () => true,
      (caught: unknown) => {
        if (isMissing(caught)) return false;
        throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${description}`);
      },
    );
    if (isThere) {
      await rm(description);
      await syncFolder(this.#folder(serverId));
    }
    await rm(this.#folder(serverId), { recursive: true, force: true });
  }

  /** Has QEMU send its memory here, into the file. */
  async #receive(guest: QemuGuest, uid: number, signal: AbortSignal): Promise<void> {
    const { serverId } = guest;
    const socketPath = this.#files.streamSocket(serverId, socketName);
    await rm(socketPath, { recursive: true, force: true });
    const partial = this.#path(serverId, 'memory.partial');
    const { server, written } = receiver(partial, (await this.#memoryMib(serverId)) * mibBytes + deviceBytesMax);
    // Looked at below; a failure while QEMU is still asked must not be unhandled.
    written.catch(() => {});
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(socketPath, resolve);
      });
      // The folder is the guest's: what lies there by now may be a link.
      if (process.getuid?.() === 0) await lchown(socketPath, uid, uid);
      await setMigration(guest, { end: 'none', isLive: false }, signal);
      await guest.execute('migrate', { uri: `unix:${socketPath}` }, signal);
      await this.#untilSent(guest, written, signal);
      await written;
    } catch (caught) {
      if (await guest.alive()) await cancelMigration(guest);
      throw full(caught) ?? ShoalError.from(caught, 'DRIVER_FAILED', `saving the memory of ${serverId}`);
    } finally {
      server.close();
      await rm(socketPath, { recursive: true, force: true });
    }
    const file = await open(partial, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, this.#path(serverId, 'memory'));
    await syncFolder(this.#folder(serverId));
  }

  async #untilSent(guest: QemuGuest, written: Promise<void>, signal: AbortSignal): Promise<void> {
    let failure: unknown;
    written.catch((caught: unknown) => {
      failure = caught;
    });
    let deadline = performance.now() + leastMs;
    let sent = 0;
    for (;;) {
      if (failure !== undefined) throw ShoalError.from(failure, 'DRIVER_FAILED', 'writing the memory of a guest');
      const reply = await guest.execute('query-migrate', undefined, signal);
      const status = isRecord(reply) ? reply['status'] : undefined;
      if (status === 'completed') return;
      if (status === 'failed' || status === 'cancelled') {
        const why = isRecord(reply) ? String(reply['error-desc'] ?? status) : status;
        throw new ShoalError('DRIVER_FAILED', `QEMU could not save the memory of ${guest.serverId}: ${why}`);
      }
      const ram = isRecord(reply) && isRecord(reply['ram']) ? Number(reply['ram']['transferred'] ?? 0) : 0;
      // As long as it moves it may go on.
      if (ram > sent) deadline = performance.now() + leastMs;
      sent = Math.max(sent, ram);
      await waitBefore(deadline, `saving the memory of ${guest.serverId} has not moved for ${leastMs} ms`);
    }
  }

  /** What the guest was started with, by the agent's own note. */
  async #memoryMib(serverId: ServerId): Promise<number> {
    const spec = await readJsonFile(join(this.#files.folder(serverId), 'spec.json'));
    if (isRecord(spec) && typeof spec['memoryMib'] === 'number') return spec['memoryMib'];
    throw new ShoalError('CANNOT_TELL', `how much memory guest ${serverId} has is not noted`);
  }

  #folder(serverId: ServerId): string {
    return join(this.#files.folder(serverId), 'saved');
  }

  #path(serverId: ServerId, name: string): string {
    return join(this.#folder(serverId), name);
  }
}

/** Refuses to load a memory into a guest that is not the one that was saved: QEMU would end, and say it less plainly. */
export function mustFit(saved: SavedMemory, spec: GuestSpec, machine: string): void {
  const refuse = (what: string): never => {
    throw new ShoalError('DRIVER_FAILED', `the saved memory of ${spec.serverId} cannot be loaded: ${what}`);
  };
  if (saved.generation !== spec.generation) refuse(`it is of generation ${saved.generation}, not ${spec.generation}`);
  if (saved.machine !== machine) refuse(`it is of machine ${saved.machine}, and this host runs ${machine}`);
  const isOfSpec = (id: string): boolean => /^(disk|nic)-/.test(id);
  const before = [...saved.places.keys()].filter(isOfSpec).sort();
  const now = [
    ...spec.disks.map(({ volumeId }) => `disk-${volumeId}`),
    ...spec.nics.map(({ portId }) => `nic-${portId}`),
  ].sort();
  if (before.join() !== now.join()) refuse(`it had the devices ${before.join(', ')}, and is to have ${now.join(', ')}`);
}

/** Takes one connection, and writes what comes into the file, up to `bytesMax`. */
function receiver(path: string, bytesMax: number): { readonly server: Server; readonly written: Promise<void> } {
  const done = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    server.close();
    const bounded = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      let bytes = 0;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > bytesMax) throw new ShoalError('TOO_LARGE', `a memory of more than ${bytesMax} bytes`);
        yield chunk;
      }
    };
    pipeline(socket, bounded, createWriteStream(path, { mode: 0o600 })).then(done.resolve, done.reject);
  });
  return { server, written: done.promise };
}

/** A connection to a QEMU that listens by now. */
async function connected(path: string): Promise<Socket> {
  const socket = connect({ path });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(ShoalError.from(error, 'UNAVAILABLE', 'reaching QEMU for its memory')));
  });
  return socket;
}

async function cancelMigration(guest: QemuGuest): Promise<void> {
  await guest.execute('migrate_cancel');
  const deadline = performance.now() + leastMs;
  for (;;) {
    const reply = await guest.execute('query-migrate');
    const status = isRecord(reply) ? reply['status'] : undefined;
    if (status !== 'setup' && status !== 'active' && status !== 'device' && status !== 'cancelling') return;
    await waitBefore(deadline, `the migration of ${guest.serverId} does not end`);
  }
}

async function waitBefore(deadline: number, message: string): Promise<void> {
  if (performance.now() > deadline) throw new ShoalError('DEADLINE_EXCEEDED', message);
  await delay(pollMs);
}

function full(caught: unknown): ShoalError | undefined {
  if (errnoOf(caught) !== 'ENOSPC' && errnoOf(caught) !== 'EDQUOT') return undefined;
  const message = 'there is no room for the memory of the guest on its host';
  return new ShoalError('DRIVER_FAILED', message, { facts: { reason: 'full' }, cause: caught });
}
