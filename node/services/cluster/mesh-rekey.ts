import type { Clock } from '../../base/clock.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import { addAuthority, rekey } from '../../mesh/identity/rekey.ts';
import type { AddAuthority, Rekey } from '../kit/dependencies.ts';

/** How services re-key the mesh that this host belongs to. @param tokenLifetimeMs how long a token may live on, ms. */
export function meshRekey(ring: MeshKeyRing, clock: Clock, tokenLifetimeMs: number): Rekey {
  return ({ reader, change }, { removedHostId, trusted }) => {
    const nowMs = clock.nowMs();
    return rekey(ring, reader, change, {
      nowMs,
      ...(removedHostId === undefined ? {} : { removedHostId }),
      ...(trusted ? { formerTokensGoodUntilMs: nowMs + tokenLifetimeMs } : {}),
    });
  };
}

/** How services begin to rotate the authority of the mesh that this host belongs to. */
export function meshAddAuthority(ring: MeshKeyRing, clock: Clock): AddAuthority {
  return ({ reader, change }) => addAuthority(ring, reader, change, clock.nowMs());
}
