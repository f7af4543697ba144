/**
 * Who may write a disk on Ceph, and how another is kept from it.
 *
 * librbd's exclusive lock is no fence: it is handed over on request, so two QEMUs happily take turns on one image. What
 * is used instead:
 *
 * - The **storage lock**: an exclusive cls_lock named `shoal` on the image's header object. Its cookie is the server's
 *   generation, its description the host, and Ceph adds the address of the client that took it. Taking it is atomic, it
 *   stays until it is broken, and it goes away with the image. It says who *should* write.
 * - The **blocklist**: OSDs refuse every operation of an address. That is what really keeps a host from writing, even
 *   one that is cut off, frozen, or no longer listens to anybody.
 * - **Watchers**: every client that has an image open watches its header. A client that watches may write.
 *
 * A host is fenced without an end: an entry that expires would let a host that was frozen for an hour write again.
 * It is unfenced (`unfence`) only when its guests are proved gone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { CephClient } from './client.ts';
import { exitStatus } from './exit-status.ts';
import { ipOf, type LockHolder, readBlocklist, readLocks, readWatchers, type Watcher } from './rbd.ts';

const lockName = 'shoal';
/** Ceph wants a number: ten years, in seconds. */
const foreverS = 315_360_000;
/** An OSD drops the watches of a blocked client as soon as it has the map; a dead client's watch ends after 30 s. */
const watchersGoneTimeoutMs = 10_000;
const watchersPollMs = 200;

/**
 * Locks, watchers and the blocklist of one pool. An `rbdId` is Ceph's own id of an image (`RbdInfo.id`); an address is
 * an `IP`, in brackets when it is IPv6, or one client's `IP:PORT/NONCE`.
 */
export class Fence {
  readonly #client: CephClient;
  readonly #pool: string;

  constructor(client: CephClient, pool: string) {
    this.#client = client;
    this.#pool = pool;
  }

  /** Who holds the lock, alone or with others. The image exists. */
  async locks(rbdId: string, signal: AbortSignal): Promise<ReturnType<typeof readLocks>> {
    const argv = ['-p', this.#pool, 'lock', 'info', header(rbdId), lockName];
    return readLocks(await this.#client.radosJson(argv, { signal }));
  }

  /** Takes the free lock, or one beside others who share it; false when another was faster. */
  async takeLock(
    rbdId: string,
    holder: { readonly owner: string; readonly generation: number; readonly isShared?: boolean },
    signal: AbortSignal,
  ): Promise<boolean> {
    const type = holder.isShared === true ? 'shared' : 'exclusive';
    const argv = ['-p', this.#pool, 'lock', 'get', header(rbdId), lockName, '--lock-type', type];
    argv.push('--lock-cookie', String(holder.generation), '--lock-description', holder.owner);
    // rados says 1 for every failure: what is true now decides.
    const taken = await this.#client.rados(argv, { signal, okStatus: [0, 1] });
    if (taken.status === 0) return true;
    if ((await this.locks(rbdId, signal)).holders.length > 0) return false;
    throw new ShoalError('CANNOT_TELL', `the storage lock could not be taken: ${taken.stderr.trim().slice(-300)}`);
  }

  /** Breaks exactly this hold. Gone already: success. */
  async breakLock(rbdId: string, holder: LockHolder, signal: AbortSignal): Promise<void> {
    const argv = ['-p', this.#pool, 'lock', 'break', header(rbdId), lockName, holder.locker];
    const broken = await this.#client.rados([...argv, '--lock-cookie', holder.cookie], { signal, okStatus: [0, 1] });
    if (broken.status === 0) return;
    const now = (await this.locks(rbdId, signal)).holders;
    if (now.some(({ locker, cookie }) => locker === holder.locker && cookie === holder.cookie)) {
      throw new ShoalError(
        'DRIVER_FAILED',
        `the storage lock could not be broken: ${broken.stderr.trim().slice(-300)}`,
      );
    }
  }

  /** Every client that has the image open. */
  async watchers(image: string, signal: AbortSignal): Promise<readonly Watcher[]> {
    return readWatchers(await this.#client.rbdJson(['status', `${this.#pool}/${image}`], { signal }));
  }

  /** The same; undefined without the image. */
  async watchersIfThere(image: string, signal: AbortSignal): Promise<readonly Watcher[] | undefined> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const answer = await this.#client.rbdJson(['status', `${this.#pool}/${image}`], { signal, okStatus });
    return answer === undefined ? undefined : readWatchers(answer);
  }

  /**
   * Fences every client of this address (`IP`), or one client (`IP:PORT/NONCE`), and returns when no OSD of the pool
   * takes a write of it any more. `FENCE_UNPROVEN` when that cannot be seen.
   */
  async fenceAddress(address: string, signal: AbortSignal): Promise<void> {
    const entry = address.includes('/') ? address : `${address}:0/0`;
    await this.#client.ceph(['osd', 'blocklist', 'add', entry, String(foreverS)], { signal });
    const { epoch, blocked } = readBlocklist(await this.#client.cephJson(['osd', 'dump'], { signal }));
    if (!blocked.includes(entry)) {
      throw new ShoalError('FENCE_UNPROVEN', `Ceph's blocklist does not hold ${entry} after it was added`, {
        facts: { epoch, entry },
      });
    }
    try {
      // An OSD refuses a client only once it has the map that says so. This client has that map, and an OSD answers it
      // only after it has too; listing a pool asks every placement group. So when the list is through, all know.
      await this.#client.rados(['-p', this.#pool, 'ls', '--output', '/dev/null'], { signal, isLong: true });
    } catch (caught) {
      throw new ShoalError('FENCE_UNPROVEN', `not every OSD has shown that it knows epoch ${epoch}`, { cause: caught });
    }
  }

  /** Whether every client of this address is fenced. */
  async isFenced(ip: string, signal: AbortSignal): Promise<boolean> {
    const { blocked } = readBlocklist(await this.#client.cephJson(['osd', 'dump'], { signal }));
    return blocked.includes(`${ip}:0/0`);
  }

  /** Unfences an address. The caller has proved that no guest of an earlier generation runs there. */
  async unfence(ip: string, signal: AbortSignal): Promise<void> {
    await this.#client.ceph(['osd', 'blocklist', 'rm', `${ip}:0/0`], { signal });
  }

  /** Waits until nobody has the image open. `FENCE_UNPROVEN` names who still does. */
  async untilNoWatchers(image: string, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + watchersGoneTimeoutMs;
    for (;;) {
      const watchers = await this.watchers(image, signal);
      if (watchers.length === 0) return;
      if (performance.now() > deadline) throw stillWatched(image, watchers);
      await delay(watchersPollMs);
    }
  }
}

/** The refusal that names who has the image open. */
export function stillWatched(image: string, watchers: readonly Watcher[]): ShoalError {
  const addresses = watchers.map((watcher) => watcher.address);
  return new ShoalError('FENCE_UNPROVEN', `disk ${image} is open at ${addresses.map(ipOf).join(', ')}`, {
    facts: { watchers: addresses },
  });
}

function header(rbdId: string): string {
  return `rbd_header.${rbdId}`;
}
