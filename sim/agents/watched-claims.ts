/** The claims of a host, with the checker's eye on each answer. */
import type { HostId } from '../../node/base/ids.ts';
import type { Claims } from '../../node/host/claims/claim-book.ts';
import type { ClaimChecker } from '../checkers/claims.ts';

/** Stands outermost: it sees what askers ask and are answered. */
export function watchedClaims(inner: Claims, hostId: HostId, checker: ClaimChecker): Claims {
  return {
    usage: () => inner.usage(),
    admit: async (claim, ttlMs) => {
      const admission = await inner.admit(claim, ttlMs);
      const isGone = admission.outcome === 'refused' && admission.why === 'gone';
      checker.answered(hostId, keyOf(claim.serverId, claim.generation), claim.asker ?? '', isGone);
      return admission;
    },
    withdraw: (serverId, generation, asker) => {
      checker.givesBack(hostId, keyOf(serverId, generation), asker);
      return inner.withdraw(serverId, generation, asker);
    },
    release: (serverId, generation) => inner.release(serverId, generation),
    follow: (servers, ...rest) => {
      for (const server of servers) {
        if (server.hostId === hostId) checker.recorded(hostId, keyOf(server.id, server.generation));
      }
      return inner.follow(servers, ...rest);
    },
  };
}

function keyOf(serverId: string, generation: number): string {
  return `${serverId}/${generation}`;
}
