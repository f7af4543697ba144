/** What Ceph knows of the hosts: signs of life on an object of each, and who may write what. */
import { networkInterfaces } from 'node:os';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../node/base/ids.ts';
import type { StorageWitness } from '../types.ts';
import type { CephClient } from './client.ts';
import { exitStatus } from './exit-status.ts';
import { type Fence, stillWatched } from './fence.ts';
import { ipOf, readBlocklist, readInfo } from './rbd.ts';

/** Of the object's attributes: what the host said last. */
const beatAttribute = 'beat';
/** `rados` ends with 1 whatever it was, and says it in words. */
const noObjectWords = /\(2\) No such file or directory|\(61\) No data available/;

/** Addresses of this host's interfaces, as `os.networkInterfaces` has them. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
}

/**
 * One pool as a witness. A host's sign of life is an attribute of `shoal.alive.HOST`. A fenced host knows itself by the addresses
 * of its own interfaces: to ask Ceph from where it comes it would have to write.
 */
export class RbdWitness implements StorageWitness {
  readonly #client: CephClient;
  readonly #fence: Fence;
  readonly #pool: string;
  readonly #ownIp: () => string;
  readonly #addresses: () => readonly string[];

  /**
   * @param parts.ownIp this host's address as Ceph sees it; throws before it is known.
   * @param parts.addresses of this host's interfaces.
   */
  constructor(
    parts: { readonly client: CephClient; readonly fence: Fence; readonly ownIp: () => string },
    pool: string,
    addresses: () => readonly string[] = ownAddresses,
  ) {
    this.#client = parts.client;
    this.#fence = parts.fence;
    this.#ownIp = parts.ownIp;
    this.#pool = pool;
    this.#addresses = addresses;
  }

  async beat(owner: HostId, text: string, signal: AbortSignal): Promise<void> {
    await this.#client.rados(['-p', this.#pool, 'setxattr', aliveObject(owner), beatAttribute, text], { signal });
  }

  async lastBeat(owner: HostId, signal: AbortSignal): Promise<string | undefined> {
    const argv = ['-p', this.#pool, 'getxattr', aliveObject(owner), beatAttribute];
    const said = await this.#client.rados(argv, { signal, okStatus: [0, 1] });
    if (said.status === 0) return said.stdout.trim();
    if (noObjectWords.test(said.stderr)) return undefined;
    throw new ShoalError('CANNOT_TELL', `Ceph does not say whether host ${owner} is there: ${said.stderr.slice(-300)}`);
  }

  async fenceFormer(
    { volumeId, generation, shared }: Parameters<StorageWitness['fenceFormer']>[0],
    former: HostId,
    signal: AbortSignal,
  ): Promise<void> {
    const rbdId = await this.#rbdId(volumeId, signal);
    if (rbdId === undefined) return;
    const { holders } = await this.#fence.locks(rbdId, signal);
    const isOld = (holder: (typeof holders)[number]): boolean =>
      shared === true ? holder.owner === former : holder.generation < generation;
    const old = holders.filter(isOld);
    const ips = new Set(old.map(({ address }) => ipOf(address)));
    if (ips.has(this.#ownIp())) {
      throw new ShoalError('FENCE_UNPROVEN', `disk ${volumeId} is held from this host's own address`, {
        facts: { volumeId, holders: old.map(({ owner }) => owner) },
      });
    }
    for (const ip of ips) await this.#fence.fenceAddress(ip, signal);
    if (shared === true) await this.#mustBeAlone(volumeId, ips, signal);
    else if (ips.size > 0) await this.#fence.untilNoWatchers(volumeId, signal);
    else await this.#mustBeUnwatched(volumeId, holders.length, signal);
    for (const holder of old) await this.#fence.breakLock(rbdId, holder, signal);
  }

  async isFenced(_owner: HostId, signal: AbortSignal): Promise<boolean> {
    return (await this.#ownFences(signal)).length > 0;
  }

  async unfence(_owner: HostId, signal: AbortSignal): Promise<void> {
    for (const ip of await this.#ownFences(signal)) await this.#fence.unfence(ip, signal);
  }

  /** Whole hosts on the blocklist that are this one. A single client of it stays there: it is never used again. */
  async #ownFences(signal: AbortSignal): Promise<readonly string[]> {
    const { blocked } = readBlocklist(await this.#client.cephJson(['osd', 'dump'], { signal }));
    const own = this.#addresses().map((address) => (address.includes(':') ? `[${address}]` : address));
    return own.filter((ip) => blocked.includes(`${ip}:0/0`));
  }

  async #rbdId(volumeId: VolumeId, signal: AbortSignal): Promise<string | undefined> {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    const answer = await this.#client.rbdJson(['info', `${this.#pool}/${volumeId}`], { signal, okStatus });
    return answer === undefined ? undefined : readInfo(answer).id;
  }

  /** Nobody of before holds it. It may have the next host's lock already, whose guest watches it. */
  async #mustBeUnwatched(volumeId: VolumeId, holders: number, signal: AbortSignal): Promise<void> {
    if (holders > 0) return;
    const watchers = await this.#fence.watchers(volumeId, signal);
    if (watchers.length > 0) throw stillWatched(volumeId, watchers);
  }

  async #mustBeAlone(volumeId: VolumeId, ips: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const watchers = await this.#fence.watchers(volumeId, signal);
    const old = watchers.filter(({ address }) => ips.has(ipOf(address)));
    if (old.length > 0) throw stillWatched(volumeId, old);
  }
}

function aliveObject(owner: HostId): string {
  return `shoal.alive.${owner}`;
}
