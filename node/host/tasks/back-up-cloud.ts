/** The leader backs the cloud up: on its schedule, and when somebody asks for it; and lets old backups go. */
import { randomBytes } from 'node:crypto';
import type { BackupStore } from '../../../drivers/backup/store.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { MeshKeyRing } from '../../mesh/identity/mesh-key-ring.ts';
import { cloudBackupsId } from '../../services/cluster/cloud-backups.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import { cloudBackupName, type Sealing } from '../../services/kit/sealing.ts';
import { transact } from '../../services/kit/transact.ts';
import type { StateView } from '../../state/state-machine.ts';
import { cloudBackupsTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { expireCloudBackups } from '../cloud-backup/catalog.ts';
import { newBackupId } from '../cloud-backup/objects.ts';
import { writeCloudBackup } from '../cloud-backup/write.ts';
import type { LeaderTask } from './task.ts';

const hourMs = 3_600_000;
/** After a failure the schedule's next attempt waits so long, ms: a store that is away for the night is asked now and then. */
const againMs = 600_000;
/** Longest reason that is kept, characters. */
const failureCharactersMax = 1_000;

/** What backups are made of. */
export interface CloudBackupSource {
  /** All of the state here; undefined: this host holds only a slice of it. */
  readonly stateView: () => StateView | undefined;
  readonly keys: MeshKeyRing;
  /** Release of this agent. */
  readonly version: string;
}

/** And what they are made with. */
interface CloudBackupTools extends CloudBackupSource {
  readonly sealing: Sealing;
  readonly backupStore: (url: string) => BackupStore;
}

/** See above. At rest it reads one record. */
export function backUpCloud(tools: CloudBackupTools): LeaderTask {
  return {
    name: 'back-up-cloud',
    periodMs: 2_000,
    async run(deps, signal) {
      const settings = cloudBackupsTable.get(deps.state.local, cloudBackupsId)?.record;
      if (settings === undefined || !isDue(settings, deps.clock.nowMs())) return;
      const { asked } = settings;
      const beganMs = deps.clock.nowMs();
      await note(deps, { beganMs }, signal);
      try {
        const made = await backUp(tools, deps, settings, signal);
        await note(deps, { made, failure: '', answered: asked }, signal);
        deps.logger.info({ backupId: made.backupId, revision: made.revision }, 'the cloud is backed up');
      } catch (caught) {
        // A leader that stops leaves it to the next one.
        if (signal.aborted) throw caught;
        const { message } = ShoalError.from(caught, 'DRIVER_FAILED');
        await note(deps, { failure: message.slice(0, failureCharactersMax), answered: asked }, signal);
        throw caught;
      }
    },
  };
}

/** Whether a backup is to be made now. */
export function isDue(settings: shoal.v1.CloudBackups, nowMs: number): boolean {
  if (settings.store === '') return false;
  if (settings.asked !== settings.answered) return true;
  if (settings.everyHours === 0) return false;
  const waitMs =
    settings.failure === '' ? settings.everyHours * hourMs : Math.min(againMs, settings.everyHours * hourMs);
  // A clock that was set back must not stop the schedule.
  return nowMs - settings.beganMs >= waitMs || nowMs < settings.beganMs - hourMs;
}

async function backUp(
  tools: CloudBackupTools,
  deps: ServiceDependencies,
  settings: shoal.v1.CloudBackups,
  signal: AbortSignal,
): Promise<shoal.v1.CloudBackupMade> {
  const { origin, sealedKey: sealed, keyEpoch, keep } = settings;
  if (origin === null) throw new ShoalError('CONFLICT', 'No key is set for backups of the cloud.');
  // All that was acknowledged before now is in it.
  await deps.state.fresh(signal);
  const view = tools.stateView();
  if (view === undefined) throw new ShoalError('UNAVAILABLE', 'This host holds only a part of the state.');
  const store = tools.backupStore(settings.store);
  const key = tools.sealing.open(deps.state.local, cloudBackupName, { sealed, keyEpoch });
  const nowMs = deps.clock.nowMs();
  const made = await writeCloudBackup(
    store,
    {
      backupId: newBackupId(nowMs, randomBytes(4).toString('hex')),
      view,
      meshKeys: meshKeysOf(tools.keys, view.reader),
      origin,
      key,
      nowMs,
      version: tools.version,
    },
    signal,
  );
  const { meshId } = meshTable.must(view.reader, 'mesh').record;
  if (keep > 0) await expireCloudBackups(store, { meshId, keep, nowMs }, signal);
  return made;
}

/** The present key, and those before it by which something may still be sealed. Throws `UNAVAILABLE` without the present one. */
function meshKeysOf(
  keys: MeshKeyRing,
  reader: StateReader,
): readonly { readonly epoch: number; readonly key: Uint8Array }[] {
  const { keyEpoch, sealedSinceEpoch } = meshTable.must(reader, 'mesh').record;
  if (!keys.hasCurrent(reader)) {
    throw new ShoalError('UNAVAILABLE', 'This host has no copy of the present mesh key yet.');
  }
  const found: { epoch: number; key: Uint8Array }[] = [];
  for (let epoch = sealedSinceEpoch; epoch <= keyEpoch; epoch += 1) {
    const key = keys.opening(reader, epoch);
    if (key !== undefined) found.push({ epoch, key: key.reveal() });
  }
  return found;
}

async function note(
  deps: ServiceDependencies,
  told: Partial<Pick<shoal.v1.CloudBackups, 'beganMs' | 'made' | 'failure' | 'answered'>>,
  signal: AbortSignal,
): Promise<void> {
  await transact(deps, { signal }, ({ reader, change }) => {
    const row = cloudBackupsTable.get(reader, cloudBackupsId);
    if (row !== undefined) cloudBackupsTable.update(change, row, new shoal.v1.CloudBackups({ ...row.record, ...told }));
  });
}
