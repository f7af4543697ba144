/** A mesh's own secrets on a state in memory: what a service that removes hosts needs. */
import type { Clock } from '../../node/base/clock.ts';
import { MeshAuthority } from '../../node/mesh/identity/authority.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../node/mesh/identity/mesh-key-ring.ts';
import { meshAddAuthority, meshRekey } from '../../node/services/cluster/mesh-rekey.ts';
import type { AddAuthority, Rekey } from '../../node/services/kit/dependencies.ts';
import { TransactionBuilder } from '../../node/state/table.ts';
import { meshTable } from '../../node/state/tables/index.ts';
import type { StateClient } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';

/** Writes the mesh's record unless there is one; the founder is host 1 of `addHost`. */
export async function foundTestMesh(
  state: StateClient,
  clock: Clock,
): Promise<{
  readonly keys: MeshKeyRing;
  readonly authority: MeshAuthority;
  readonly rekey: Rekey;
  readonly addAuthority: AddAuthority;
}> {
  const key = MeshKey.create();
  const authority = MeshAuthority.create('mesh-1');
  const keys = new MeshKeyRing(HostIdentity.fromSeed(new Uint8Array(32).fill(1)), key);
  const builder = new TransactionBuilder();
  meshTable.insert(
    builder,
    new shoal.v1.Mesh({
      id: 'mesh',
      meshId: 'mesh-1',
      name: 'test',
      authorityCertificatePem: authority.certificatePem,
      sealedAuthorityKey: authority.sealKey(key),
    }),
  );
  await state.commit(builder.build());
  return { keys, authority, rekey: meshRekey(keys, clock, 3_600_000), addAuthority: meshAddAuthority(keys, clock) };
}
