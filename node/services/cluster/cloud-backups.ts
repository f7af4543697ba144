/** Backups of the cloud itself: where they go, how often, and how they went. The leader makes them (host/tasks/back-up-cloud.ts). */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { featureLevels } from '../../base/version.ts';
import { mustBeInForce } from '../../state/tables/feature-level.ts';
import { cloudBackupsTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { CloudBackupCatalog, ServiceDependencies } from '../kit/dependencies.ts';
import { cloudBackupName, type Sealing } from '../kit/sealing.ts';
import { transact } from '../kit/transact.ts';

/** The one row of its table. */
export const cloudBackupsId = 'cloud-backups';

/** Longest period of the schedule, hours: a year. */
const everyHoursMax = 8_760;
const keepMax = 10_000;
const keyBytes = 32;
const storePattern = /^(?:file:\/\/\/[^\s?#]{1,1000}|s3:\/\/[a-z0-9][a-z0-9.-]{2,62}(?:\/[A-Za-z0-9._/-]{0,900})?)$/;
/** Most that is believed of what nobody has authenticated: scrypt takes 1 GiB of memory with these. */
const log2CostMax = 20;
const blockSizeMax = 8;
const parallelismMax = 4;

interface CloudBackupDependencies extends ServiceDependencies {
  readonly sealing: Sealing;
  /** Absent: this agent reads no stores. */
  readonly catalog?: CloudBackupCatalog | undefined;
}

/** See above. Authorisation is the gateway's. */
export class CloudBackupService {
  readonly #deps: CloudBackupDependencies;

  constructor(deps: CloudBackupDependencies) {
    this.#deps = deps;
  }

  /** What is set and how it went, without the key; undefined: nothing was ever set. */
  settings(reader: StateReader): shoal.v1.CloudBackups | undefined {
    const record = cloudBackupsTable.get(reader, cloudBackupsId)?.record;
    return record && new shoal.v1.CloudBackups({ ...record, sealedKey: new Uint8Array() });
  }

  /**
   * Says where backups go from now on. Throws `INVALID_ARGUMENT`, `CONFLICT` while an older release may be a member,
   * `UNAVAILABLE` while this host has no copy of the mesh key.
   */
  async set(wanted: shoal.v1.SetCloudBackupsRequest, context: Pick<RequestContext, 'signal'>): Promise<void> {
    const { store, everyHours, keep, origin, key } = checked(wanted);
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      mustBeInForce(reader, featureLevels.cloudBackups, 'Backups of the cloud');
      const row = cloudBackupsTable.get(reader, cloudBackupsId);
      const settings = { store, everyHours, keep };
      if (origin === undefined) {
        if (row === undefined) throw invalid('No key is set yet: name a passphrase or a key file.');
        cloudBackupsTable.update(change, row, new shoal.v1.CloudBackups({ ...row.record, ...settings }));
        return;
      }
      const { sealed, keyEpoch } = this.#deps.sealing.seal(attempt, cloudBackupName, key);
      const next = new shoal.v1.CloudBackups({
        ...row?.record,
        ...settings,
        id: cloudBackupsId,
        origin,
        sealedKey: sealed,
        keyEpoch,
      });
      if (row === undefined) cloudBackupsTable.insert(change, next);
      else cloudBackupsTable.update(change, row, next);
    });
  }

  /** Asks for a backup; returns by which name it is answered. Throws `CONFLICT` while nothing says where to. */
  async ask(context: Pick<RequestContext, 'signal'>): Promise<string> {
    const asked = this.#deps.newId();
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = cloudBackupsTable.get(reader, cloudBackupsId);
      if (row === undefined || row.record.store === '') throw nothingSet();
      cloudBackupsTable.update(change, row, new shoal.v1.CloudBackups({ ...row.record, asked }));
    });
    return asked;
  }

  /** The backups of this mesh that lie in the store, the newest first; none while nothing is set. */
  async list(reader: StateReader, signal: AbortSignal): Promise<readonly shoal.v1.CloudBackupView[]> {
    const store = cloudBackupsTable.get(reader, cloudBackupsId)?.record.store ?? '';
    if (store === '') return [];
    return this.#catalog().list(store, meshTable.must(reader, 'mesh').record.meshId, signal);
  }

  /** Reads all of one with the key that is set now. Throws `CONFLICT` while nothing is set, and as `CloudBackupCatalog.verify`. */
  async verify(
    reader: StateReader,
    backupId: string,
    signal: AbortSignal,
  ): Promise<shoal.v1.VerifyCloudBackupResponse> {
    const settings = cloudBackupsTable.get(reader, cloudBackupsId)?.record;
    if (settings === undefined || settings.store === '') throw nothingSet();
    const { meshId } = meshTable.must(reader, 'mesh').record;
    const { sealedKey: sealed, keyEpoch } = settings;
    const key = this.#deps.sealing.open(reader, cloudBackupName, { sealed, keyEpoch });
    return this.#catalog().verify(settings.store, { meshId, backupId }, key, signal);
  }

  #catalog(): CloudBackupCatalog {
    if (this.#deps.catalog !== undefined) return this.#deps.catalog;
    throw new ShoalError('NOT_IMPLEMENTED', 'This agent reads no backups of the cloud.');
  }
}

/** Checks how a key follows from a secret, as it was read or asked for, field by field. Throws `INVALID_ARGUMENT`. */
export function checkedOrigin(origin: shoal.v1.ICloudBackupKeyOrigin): shoal.v1.CloudBackupKeyOrigin {
  const known = new shoal.v1.CloudBackupKeyOrigin(origin);
  const { kind, salt, log2Cost, blockSize, parallelism } = known;
  const isOfKeyFile = kind === 'key-file' && log2Cost === 0 && blockSize === 0 && parallelism === 0;
  const isOfPassphrase =
    kind === 'passphrase' &&
    isWithin(log2Cost, 10, log2CostMax) &&
    isWithin(blockSize, 1, blockSizeMax) &&
    isWithin(parallelism, 1, parallelismMax);
  if ((isOfKeyFile || isOfPassphrase) && isWithin(salt.length, 16, 64)) return known;
  throw invalid('How the key of the backups follows from a secret is said in a way that is not known here.');
}

function checked(wanted: shoal.v1.SetCloudBackupsRequest): Pick<
  shoal.v1.SetCloudBackupsRequest,
  'store' | 'everyHours' | 'keep' | 'key'
> & {
  readonly origin: shoal.v1.CloudBackupKeyOrigin | undefined;
} {
  const { store, everyHours, keep, key, origin } = wanted;
  if (store !== '' && !storePattern.test(store)) {
    throw invalid(`"${store}" is no store: say file:///FOLDER or s3://BUCKET/PREFIX.`);
  }
  if (everyHours > everyHoursMax) throw invalid(`Backups are made every 0 to ${everyHoursMax} hours.`);
  if (keep > keepMax) throw invalid(`0 to ${keepMax} backups are kept.`);
  if (origin === null) return { store, everyHours, keep, key, origin: undefined };
  if (key.length !== keyBytes) throw invalid(`The key of backups has ${keyBytes} bytes, not ${key.length}.`);
  return { store, everyHours, keep, key, origin: checkedOrigin(origin) };
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function nothingSet(): ShoalError {
  return new ShoalError('CONFLICT', 'Nothing says where backups of the cloud go; say it with: shoal cloud-backup set.');
}

function invalid(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
