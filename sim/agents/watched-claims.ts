import type { HostId, ServerId } from '../../node/base/ids.ts';
import { ClaimBook } from '../../node/host/claims/claim-book.ts';
import type { Admission, Claim } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { ClaimChecker } from '../checkers/claims.ts';

/** Whose claims these are, and who watches. */
interface Watch {
  readonly hostId: HostId;
  readonly checker: ClaimChecker;
  /** A planted bug: no asker is noted, so that a claim that is given back has ended for everybody, retries included. */
  readonly endsForAll: boolean;
}

/** The claims of a host, with the checker's eye on each answer. */
export class WatchedClaimBook extends ClaimBook {
  readonly #watch: Watch;

  constructor(watch: Watch, ...claims: ConstructorParameters<typeof ClaimBook>) {
    super(...claims);
    this.#watch = watch;
  }

  override async admit(claim: Omit<Claim, 'expiresAtMs'>, ttlMs: number): Promise<Admission> {
    const { hostId, checker, endsForAll } = this.#watch;
    const { asker, ...nobodys } = claim;
    const admission = await super.admit(endsForAll ? nobodys : claim, ttlMs);
    const isGone = admission.outcome === 'refused' && admission.why === 'gone';
    checker.answered(hostId, keyOf(claim.serverId, claim.generation), asker ?? '', isGone);
    return admission;
  }

  override withdraw(serverId: ServerId, generation: number, asker: string): Promise<void> {
    const { hostId, checker } = this.#watch;
    checker.givesBack(hostId, keyOf(serverId, generation), asker);
    return super.withdraw(serverId, generation, asker);
  }

  override follow(
    servers: readonly shoal.v1.Server[],
    ...rest: [
      selfId: string,
      revision: number,
      isHere: (serverId: string) => boolean,
      isUnreadable: (serverId: string) => boolean,
    ]
  ): Promise<ReadonlyMap<string, string>> {
    const { hostId, checker } = this.#watch;
    for (const server of servers) {
      if (server.hostId === hostId) checker.recorded(hostId, keyOf(server.id, server.generation));
    }
    return super.follow(servers, ...rest);
  }
}

function keyOf(serverId: string, generation: number): string {
  return `${serverId}/${generation}`;
}
