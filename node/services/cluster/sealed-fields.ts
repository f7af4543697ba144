/**
 * Every field of the state that is sealed with the mesh key, so that all of them are sealed again when that changes. A field that
 * is not here is lost with the key that sealed it: test/node/services/cluster/sealed-fields.test.ts compares this with the
 * messages.
 */
import { shoal } from '../../../proto/messages.ts';
import type { Row, Table } from '../../state/table.ts';
import { cloudBackupsTable, serverTable, volumeBackupTable, volumeTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { cloudBackupName, liveMoveName, type SealedSecret, type SecretKind, type SecretName } from '../kit/sealing.ts';
import type { Change } from '../kit/transact.ts';
import { servedVolumeName } from '../volume/records/served-volume.ts';

/** Seals a secret with the present key; undefined: it is left as it is. */
type Reseal = (name: SecretName, secret: SealedSecret) => SealedSecret | undefined;

/** The sealed fields of the records of one table. */
export interface SealedFields {
  readonly table: string;
  /** What each is, by its path in a record. */
  readonly fields: Readonly<Record<string, SecretKind>>;
  /** Ids of the rows with a secret that another mesh key than that of `epoch` seals. */
  staleIds(reader: StateReader, epoch: number): readonly string[];
  /** Has all that is stale in a row sealed again. A row that has gone is left alone. */
  reseal(attempt: { readonly reader: StateReader; readonly change: Change }, id: string, work: ResealWork): void;
}

/** What is sealed again: all that another key than that of `epoch` seals. */
interface ResealWork {
  readonly epoch: number;
  readonly reseal: Reseal;
}

/** All of them. */
export const sealedFields: readonly SealedFields[] = [
  sealedIn(
    volumeTable,
    { 'encryption.sealedKey': 'volume-key', 'served.sealedKey': 'served-volume' },
    (volume, work) => {
      const encryption = resealEncryption(volume.encryption, work);
      const served = resealServed(volume, work);
      if (encryption === undefined && served === undefined) return undefined;
      return new shoal.v1.Volume({
        ...volume,
        ...(encryption === undefined ? {} : { encryption }),
        ...(served === undefined ? {} : { served }),
      });
    },
  ),
  sealedIn(
    volumeBackupTable,
    { sealedKey: 'backup-key', 'volumeEncryption.sealedKey': 'volume-key' },
    (backup, work) => {
      const own = resealed({ kind: 'backup-key', id: backup.id }, secretOf(backup), work);
      const volumeEncryption = resealEncryption(backup.volumeEncryption, work);
      if (own === undefined && volumeEncryption === undefined) return undefined;
      return new shoal.v1.VolumeBackup({
        ...backup,
        ...(own === undefined ? {} : { sealedKey: own.sealed, keyEpoch: own.keyEpoch }),
        ...(volumeEncryption === undefined ? {} : { volumeEncryption }),
      });
    },
  ),
  sealedIn(serverTable, { 'move.sealedKey': 'live-move' }, (server, work) => {
    const { move } = server;
    const next = move === null ? undefined : resealed(liveMoveName(move.migrationId), secretOf(move), work);
    if (move === null || next === undefined) return undefined;
    const sealedMove = new shoal.v1.ServerMove({ ...move, sealedKey: next.sealed, keyEpoch: next.keyEpoch });
    return new shoal.v1.Server({ ...server, move: sealedMove });
  }),
  sealedIn(cloudBackupsTable, { sealedKey: 'cloud-backup' }, (settings, work) => {
    const next = resealed(cloudBackupName, secretOf(settings), work);
    return next && new shoal.v1.CloudBackups({ ...settings, sealedKey: next.sealed, keyEpoch: next.keyEpoch });
  }),
];

/** @param edit the record with all of its stale secrets sealed again; undefined: it has none. */
function sealedIn<T extends object>(
  table: Table<T>,
  fields: Readonly<Record<string, SecretKind>>,
  edit: (record: T, work: ResealWork) => T | undefined,
): SealedFields {
  const isStale = ({ record }: Row<T>, epoch: number): boolean =>
    edit(record, { epoch, reseal: (_name, { sealed }) => ({ sealed, keyEpoch: epoch }) }) !== undefined;
  return {
    table: table.definition.name,
    fields,
    staleIds: (reader, epoch) =>
      table
        .list(reader)
        .filter((row) => isStale(row, epoch))
        .map(({ record }) => table.definition.id(record)),
    reseal({ reader, change }, id, work) {
      const row = table.get(reader, id);
      const next = row === undefined ? undefined : edit(row.record, work);
      if (row !== undefined && next !== undefined) table.update(change, row, next);
    },
  };
}

function resealEncryption(
  encryption: shoal.v1.IVolumeEncryption | null | undefined,
  work: ResealWork,
): shoal.v1.VolumeEncryption | undefined {
  if (encryption === null || encryption === undefined) return undefined;
  const next = resealed({ kind: 'volume-key', id: encryption.keyId ?? '' }, secretOf(encryption), work);
  if (next === undefined) return undefined;
  return new shoal.v1.VolumeEncryption({ ...encryption, sealedKey: next.sealed, keyEpoch: next.keyEpoch });
}

function resealServed({ id, served }: shoal.v1.Volume, work: ResealWork): shoal.v1.ServedVolume | undefined {
  if (served === null) return undefined;
  const next = resealed(servedVolumeName(id, served.generation), secretOf(served), work);
  if (next === undefined) return undefined;
  return new shoal.v1.ServedVolume({ ...served, sealedKey: next.sealed, keyEpoch: next.keyEpoch });
}

function secretOf(from: { readonly sealedKey?: Uint8Array | null; readonly keyEpoch?: number | null }): SealedSecret {
  return { sealed: from.sealedKey ?? new Uint8Array(), keyEpoch: from.keyEpoch ?? 0 };
}

/** Undefined: there is none, or it is sealed with the present key. */
function resealed(name: SecretName, secret: SealedSecret, { epoch, reseal }: ResealWork): SealedSecret | undefined {
  return secret.sealed.length === 0 || secret.keyEpoch === epoch ? undefined : reseal(name, secret);
}
