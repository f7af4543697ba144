import type { Clock } from '../../base/clock.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import { rekey } from '../../mesh/identity/rekey.ts';
import type { Rekey } from '../kit/dependencies.ts';

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
