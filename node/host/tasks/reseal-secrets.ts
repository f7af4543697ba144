/**
 * After the mesh key has changed, everything that the state holds sealed is sealed with the new one, piece by piece; when nothing is
 * left, the mesh's record says so, and the keys before the last one go. Until then those keys stay, so that nothing is
 * unreadable in between.
 */
import { shoal } from '../../../proto/messages.ts';
import { failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { type SealedFields, sealedFields } from '../../services/cluster/sealed-fields.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import { type SealedSecret, type Sealing, type SecretName, sealLabel } from '../../services/kit/sealing.ts';
import { transact } from '../../services/kit/transact.ts';
import { editWhileRoom } from '../../services/kit/transact-in-pieces.ts';
import { meshKeyEpochTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { LeaderTask } from './task.ts';

/** Rows that one transaction changes at most, and transactions of one run. */
const rowsAtOnceMax = 100;
const piecesMax = 100;

const failpointResealSome = failpoint(
  'reseal.some',
  'some secrets are sealed with the new mesh key, and others are not',
);

interface ResealTools {
  readonly deps: ServiceDependencies;
  readonly sealing: Sealing;
  readonly signal: AbortSignal;
}

/** See above. At rest it reads one record. */
export function resealSecrets(sealing: Sealing): LeaderTask {
  return {
    name: 'reseal-secrets',
    periodMs: 2_000,
    async run(deps, signal) {
      const mesh = meshTable.get(deps.state.local, 'mesh')?.record;
      if (mesh === undefined || mesh.sealedSinceEpoch >= mesh.keyEpoch) return;
      let pieces = 0;
      for (const fields of sealedFields) {
        const stale = fields.staleIds(deps.state.local, mesh.keyEpoch);
        for (let at = 0; at < stale.length; at += rowsAtOnceMax) {
          if (pieces >= piecesMax) return;
          pieces += 1;
          await resealPiece({ deps, sealing, signal }, fields, stale.slice(at, at + rowsAtOnceMax));
          failpointResealSome();
        }
      }
      await noteDone(deps, mesh.keyEpoch, signal);
    },
  };
}

/** Rows that have no room in the transaction are left to the next run, as are secrets that this host cannot open. */
async function resealPiece(
  { deps, sealing, signal }: ResealTools,
  fields: SealedFields,
  ids: readonly string[],
): Promise<void> {
  await transact(deps, { signal }, (attempt) => {
    const { record: mesh } = meshTable.must(attempt.reader, 'mesh');
    editWhileRoom(attempt, ids, (id) =>
      fields.reseal(attempt, id, {
        epoch: mesh.keyEpoch,
        reseal(name, secret) {
          const bare = opened({ deps, sealing }, attempt.reader, name, secret);
          return bare === undefined ? undefined : sealing.seal(attempt, name, bare);
        },
      }),
    );
  });
}

/** Undefined, and a line in the log: this host has not the key that seals it. The key is kept for the one that has. */
function opened(
  { deps, sealing }: Pick<ResealTools, 'deps' | 'sealing'>,
  reader: StateReader,
  name: SecretName,
  secret: SealedSecret,
): Uint8Array | undefined {
  try {
    return sealing.open(reader, name, secret);
  } catch (caught) {
    if (!ShoalError.is(caught, 'UNAVAILABLE', 'IDENTITY_MISMATCH')) throw caught;
    deps.logger.warn(
      { secret: sealLabel(name), keyEpoch: secret.keyEpoch, err: caught },
      'a secret cannot be sealed with the present mesh key, for this host cannot open it; the key that seals it is kept',
    );
    return undefined;
  }
}

/** Notes that nothing is sealed with an earlier key, if it is so, and drops the keys that nobody needs. */
async function noteDone(deps: ServiceDependencies, epoch: number, signal: AbortSignal): Promise<void> {
  await transact(deps, { signal }, ({ reader, change }) => {
    const mesh = meshTable.must(reader, 'mesh');
    if (mesh.record.keyEpoch !== epoch) return;
    if (sealedFields.some((fields) => fields.staleIds(reader, epoch).length > 0)) return;
    for (const row of meshKeyEpochTable.list(reader)) {
      // The one before the present still signs tokens that are good for a while.
      if (row.record.epoch < epoch - 1) meshKeyEpochTable.remove(change, row);
    }
    meshTable.update(change, mesh, new shoal.v1.Mesh({ ...mesh.record, sealedSinceEpoch: epoch }));
  });
}
