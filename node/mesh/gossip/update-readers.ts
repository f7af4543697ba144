import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';

/** Which members' agents understand updates of adverts: those whose own adverts have a profile. */
export class UpdateReaders {
  readonly #older = new Set<HostId>();

  /** Whether all do, of those that have been heard of. */
  get areAll(): boolean {
    return this.#older.size === 0;
  }

  /** An advert has come. True: it is of the first agent that does not, where all did before. */
  note({ hostId, profile }: Pick<shoal.v1.Advert, 'hostId' | 'profile'>): boolean {
    const didAll = this.areAll;
    if (profile > 0) this.#older.delete(hostId as HostId);
    else this.#older.add(hostId as HostId);
    return didAll && !this.areAll;
  }

  /** Forgets hosts that are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#older) if (!isMember(hostId)) this.#older.delete(hostId);
  }
}
