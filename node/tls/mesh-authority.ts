import { MeshAuthority } from '../mesh/authority.ts';
import type { MeshKey } from '../mesh/mesh-key.ts';
import { meshTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';

/** The mesh's authority as the records have it; undefined while they have not arrived here. Throws as `MeshAuthority.open`. */
export function meshAuthority(reader: StateReader, meshKey: MeshKey): MeshAuthority | undefined {
  const mesh = meshTable.get(reader, 'mesh')?.record;
  if (mesh === undefined) return undefined;
  const { meshId, authorityCertificatePem: certificatePem, sealedAuthorityKey: sealedKey } = mesh;
  return MeshAuthority.open({ meshId, certificatePem, sealedKey }, meshKey);
}
