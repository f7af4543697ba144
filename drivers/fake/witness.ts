import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../node/base/ids.ts';
import type { StorageWitness } from '../types.ts';

type WitnessOperation = 'beat' | 'lastBeat' | 'fenceFormer' | 'isFenced' | 'unfence';

interface Holder {
  readonly owner: HostId;
  readonly generation: number;
}

/** The part of a disk that says who may write it. */
interface HeldDisk {
  lock: Holder | undefined;
  readonly sharers: Holder[];
  readonly watchers: Set<HostId>;
  readonly waiting: Map<HostId, number>;
}

/** The part of the fake storage that a witness is. */
interface WitnessedStorage {
  readonly faults: { strike(operation: WitnessOperation): void };
  readonly disks: ReadonlyMap<VolumeId, HeldDisk>;
  readonly blocked: Set<HostId>;
  readonly beats: Map<HostId, string>;
  readonly canFence: boolean;
}

/** What fake storage that hosts share knows of them. */
export class FakeWitness implements StorageWitness {
  readonly #storage: WitnessedStorage;

  constructor(storage: WitnessedStorage) {
    this.#storage = storage;
  }

  async beat(owner: HostId, text: string, signal: AbortSignal): Promise<void> {
    this.#begin('beat', signal);
    if (this.#storage.blocked.has(owner)) {
      throw new ShoalError('FENCE_UNPROVEN', 'the storage has fenced this host', { facts: { owner } });
    }
    this.#storage.beats.set(owner, text);
  }

  async lastBeat(owner: HostId, signal: AbortSignal): Promise<string | undefined> {
    this.#begin('lastBeat', signal);
    return this.#storage.beats.get(owner);
  }

  async fenceFormer(
    { volumeId, generation, shared }: Parameters<StorageWitness['fenceFormer']>[0],
    former: HostId,
    signal: AbortSignal,
  ): Promise<void> {
    this.#begin('fenceFormer', signal);
    const disk = this.#storage.disks.get(volumeId);
    if (disk === undefined) return;
    const holders = [...(disk.lock === undefined ? [] : [disk.lock]), ...disk.sharers];
    const old = holders.filter((holder) =>
      shared === true ? holder.owner === former : holder.generation < generation,
    );
    if (old.length > 0 && !this.#storage.canFence) {
      throw new ShoalError('FENCE_UNPROVEN', `host ${old[0]?.owner} cannot be fenced`, { facts: { volumeId } });
    }
    for (const { owner } of old) this.#fence(disk, owner);
    const open = [...disk.watchers, ...disk.waiting.keys()];
    const foreign = shared === true ? open.filter((host) => host === former) : open;
    // The next host may have its own lock already, and watch.
    if (foreign.length > 0 && (shared === true || old.length > 0 || holders.length === 0)) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is open at ${foreign.join(', ')}`);
    }
    if (disk.lock !== undefined && old.includes(disk.lock)) disk.lock = undefined;
    for (const holder of old) {
      const at = disk.sharers.indexOf(holder);
      if (at >= 0) disk.sharers.splice(at, 1);
    }
  }

  async isFenced(owner: HostId, signal: AbortSignal): Promise<boolean> {
    this.#begin('isFenced', signal);
    return this.#storage.blocked.has(owner);
  }

  async unfence(owner: HostId, signal: AbortSignal): Promise<void> {
    this.#begin('unfence', signal);
    this.#storage.blocked.delete(owner);
  }

  /** A fenced client's watch ends when the storage has the fence. */
  #fence(disk: HeldDisk, owner: HostId): void {
    this.#storage.blocked.add(owner);
    disk.watchers.delete(owner);
    disk.waiting.delete(owner);
  }

  #begin(operation: WitnessOperation, signal: AbortSignal): void {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'cancelled before it began');
    this.#storage.faults.strike(operation);
  }
}
