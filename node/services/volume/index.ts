/** The volume service: what both gateways call. */
import { VolumeAttachments } from './attachments/attachments.ts';
import { VolumeSwaps } from './attachments/volume-swaps.ts';
import { BackupUpkeep } from './backups/backup-upkeep.ts';
import { VolumeBackups } from './backups/backups.ts';
import { VolumeGroupSnapshots } from './groups/group-snapshots.ts';
import { VolumeGroupTypes } from './groups/group-types.ts';
import { VolumeGroups } from './groups/groups.ts';
import type { VolumeDependencies, VolumeOptions } from './kit/dependencies.ts';
import { VolumeMessages } from './kit/messages.ts';
import { VolumeQuotas } from './quotas.ts';
import { VolumeTransfers } from './transfers/transfers.ts';
import { VolumeQos } from './types/qos.ts';
import { VolumeTypes } from './types/types.ts';
import { VolumeSnapshots } from './volumes/snapshots.ts';
import { VolumeMoves } from './volumes/volume-moves.ts';
import { VolumeReimages } from './volumes/volume-reimages.ts';
import { Volumes } from './volumes/volumes.ts';

/** Cinder's resources, each by its own class. Reads take a reader; changes commit one transaction each. */
export class VolumeService {
  readonly volumes: Volumes;
  readonly snapshots: VolumeSnapshots;
  readonly types: VolumeTypes;
  readonly qos: VolumeQos;
  readonly attachments: VolumeAttachments;
  readonly messages: VolumeMessages;
  readonly quotas: VolumeQuotas;
  readonly moves: VolumeMoves;
  readonly reimages: VolumeReimages;
  readonly swaps: VolumeSwaps;
  readonly transfers: VolumeTransfers;
  readonly backups: VolumeBackups;
  readonly backupUpkeep: BackupUpkeep;
  readonly groups: VolumeGroups;
  readonly groupTypes: VolumeGroupTypes;
  readonly groupSnapshots: VolumeGroupSnapshots;

  constructor(deps: VolumeDependencies, options: VolumeOptions) {
    this.volumes = new Volumes(deps, options);
    this.snapshots = new VolumeSnapshots(deps);
    this.types = new VolumeTypes(deps);
    this.qos = new VolumeQos(deps);
    this.attachments = new VolumeAttachments(deps);
    this.messages = new VolumeMessages(deps);
    this.quotas = new VolumeQuotas(deps);
    this.moves = new VolumeMoves(deps, options);
    this.reimages = new VolumeReimages(deps);
    this.swaps = new VolumeSwaps(deps);
    this.transfers = new VolumeTransfers(deps);
    this.backups = new VolumeBackups(deps, options);
    this.backupUpkeep = new BackupUpkeep(deps);
    this.groups = new VolumeGroups(deps, options);
    this.groupTypes = new VolumeGroupTypes(deps);
    this.groupSnapshots = new VolumeGroupSnapshots(deps);
  }
}
