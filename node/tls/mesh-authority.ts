import type { MeshAuthority } from '../mesh/identity/authority.ts';
import type { MeshKeyRing } from '../mesh/identity/mesh-key-ring.ts';
import { openAuthority } from '../mesh/identity/rekey.ts';
import { meshTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';

/**
 * The mesh's authority as the records have it; undefined while this replica has not come to where this host is a member.
 * Throws as `MeshAuthority.open`.
 */
export function meshAuthority(reader: StateReader, keys: MeshKeyRing): MeshAuthority | undefined {
  const isThere = meshTable.get(reader, 'mesh') !== undefined && keys.hasCurrent(reader);
  return isThere ? openAuthority(keys, reader) : undefined;
}
