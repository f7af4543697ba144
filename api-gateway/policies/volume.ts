/** Cinder's policy, by Cinder's names, for the block storage API and for `shoal.v1.VolumeService`. */
import { administrator, anyToken, cloudAdmin, type PolicyRule, projectMember, projectReader, rule } from './rule.ts';

const rpc = (name: string): string => `rpc shoal.v1.VolumeService/${name}`;
const act = (collection: string, name: string): string => `POST /v3/${collection}/:id/action#${name}`;
const volumeAction = (name: string): string => act('volumes', name);

const volumeRules: readonly PolicyRule[] = [
  rule('volume:create', projectMember, ['POST /v3/volumes', rpc('CreateVolume')]),
  rule('volume:get_all', projectReader, [
    'GET /v3/volumes',
    'GET /v3/volumes/detail',
    'GET /v3/volumes/summary',
    rpc('ListVolumes'),
    rpc('WatchVolumes'),
  ]),
  rule('volume:get', projectReader, ['GET /v3/volumes/:id', rpc('GetVolume')]),
  rule('volume:update', projectMember, ['PUT /v3/volumes/:id', rpc('UpdateVolume')]),
  rule('volume:delete', projectMember, ['DELETE /v3/volumes/:id', rpc('DeleteVolume')]),
  rule('volume:get_volume_metadata', projectReader, [
    'GET /v3/volumes/:id/metadata',
    'GET /v3/volumes/:id/metadata/:key',
  ]),
  rule('volume:create_volume_metadata', projectMember, ['POST /v3/volumes/:id/metadata']),
  rule('volume:update_volume_metadata', projectMember, [
    'PUT /v3/volumes/:id/metadata',
    'PUT /v3/volumes/:id/metadata/:key',
  ]),
  rule('volume:delete_volume_metadata', projectMember, ['DELETE /v3/volumes/:id/metadata/:key']),
  rule('volume_extension:volume_encryption_metadata', projectReader, [
    'GET /v3/volumes/:id/encryption',
    'GET /v3/volumes/:id/encryption/:key',
  ]),
  // The handler refuses what is no action of this version; this rule says which callers it tells.
  rule('volume:action', projectMember, ['POST /v3/volumes/:id/action']),
  rule('volume:extend', projectMember, [volumeAction('os-extend'), rpc('ExtendVolume')]),
  rule('volume:extend_volume_completion', cloudAdmin, [volumeAction('os-extend_volume_completion')]),
  rule('volume:revert_to_snapshot', projectMember, [volumeAction('revert'), rpc('RevertVolume')]),
  rule('volume:update_readonly_flag', projectMember, [volumeAction('os-update_readonly_flag')]),
  rule('volume:set_bootable', projectMember, [volumeAction('os-set_bootable')]),
  rule('volume_extension:volume_image_metadata:set', projectMember, [volumeAction('os-set_image_metadata')]),
  rule('volume_extension:volume_image_metadata:remove', projectMember, [volumeAction('os-unset_image_metadata')]),
  rule('volume_extension:volume_actions:reserve', projectMember, [volumeAction('os-reserve')]),
  rule('volume_extension:volume_actions:unreserve', projectMember, [volumeAction('os-unreserve')]),
  rule('volume_extension:volume_actions:begin_detaching', projectMember, [volumeAction('os-begin_detaching')]),
  rule('volume_extension:volume_actions:roll_detaching', projectMember, [volumeAction('os-roll_detaching')]),
  rule('volume_extension:volume_image_metadata:show', projectMember, [volumeAction('os-show_image_metadata')]),
  rule('volume_extension:volume_actions:attach', projectMember, [volumeAction('os-attach')]),
  rule('volume_extension:volume_actions:detach', projectMember, [volumeAction('os-detach')]),
  rule('volume_extension:volume_actions:initialize_connection', projectMember, [
    volumeAction('os-initialize_connection'),
  ]),
  rule('volume_extension:volume_actions:terminate_connection', projectMember, [
    volumeAction('os-terminate_connection'),
  ]),
  rule('volume_extension:volume_admin_actions:force_detach', cloudAdmin, [volumeAction('os-force_detach')]),
  rule('volume_extension:volume_admin_actions:reset_status', cloudAdmin, [volumeAction('os-reset_status')]),
  rule('volume_extension:volume_admin_actions:force_delete', cloudAdmin, [volumeAction('os-force_delete')]),
];

const moveRules: readonly PolicyRule[] = [
  rule('volume:retype', projectMember, [volumeAction('os-retype')]),
  rule('volume_extension:volume_admin_actions:migrate_volume', cloudAdmin, [volumeAction('os-migrate_volume')]),
  rule('volume_extension:volume_actions:upload_image', projectMember, [volumeAction('os-volume_upload_image')]),
  rule('volume:reimage', projectMember, [volumeAction('os-reimage'), rpc('ReimageVolume')]),
  rule('volume_extension:volume_manage', cloudAdmin, ['POST /v3/manageable_volumes', 'POST /v3/os-volume-manage']),
  rule('volume_extension:volume_unmanage', cloudAdmin, [volumeAction('os-unmanage')]),
];

const transferRules: readonly PolicyRule[] = [
  rule('volume:get_all_transfers', projectReader, [
    'GET /v3/volume-transfers',
    'GET /v3/volume-transfers/detail',
    'GET /v3/os-volume-transfer',
    'GET /v3/os-volume-transfer/detail',
    rpc('ListVolumeTransfers'),
  ]),
  rule('volume:get_transfer', projectReader, ['GET /v3/volume-transfers/:id', 'GET /v3/os-volume-transfer/:id']),
  rule('volume:create_transfer', projectMember, [
    'POST /v3/volume-transfers',
    'POST /v3/os-volume-transfer',
    rpc('CreateVolumeTransfer'),
  ]),
  rule('volume:accept_transfer', projectMember, [
    'POST /v3/volume-transfers/:id/accept',
    'POST /v3/os-volume-transfer/:id/accept',
    rpc('AcceptVolumeTransfer'),
  ]),
  rule('volume:delete_transfer', projectMember, [
    'DELETE /v3/volume-transfers/:id',
    'DELETE /v3/os-volume-transfer/:id',
    rpc('DeleteVolumeTransfer'),
  ]),
];

const backupRules: readonly PolicyRule[] = [
  rule('backup:get_all', projectReader, ['GET /v3/backups', 'GET /v3/backups/detail', rpc('ListVolumeBackups')]),
  rule('backup:get', projectReader, ['GET /v3/backups/:id', rpc('GetVolumeBackup')]),
  rule('backup:create', projectMember, ['POST /v3/backups', rpc('CreateVolumeBackup')]),
  rule('backup:update', projectMember, ['PUT /v3/backups/:id']),
  rule('backup:delete', projectMember, ['DELETE /v3/backups/:id', rpc('DeleteVolumeBackup')]),
  rule('backup:restore', projectMember, ['POST /v3/backups/:id/restore', rpc('RestoreVolumeBackup')]),
  rule('backup:export-import', cloudAdmin, ['GET /v3/backups/:id/export_record', rpc('ExportVolumeBackup')]),
  rule('backup:backup-import', cloudAdmin, ['POST /v3/backups/import_record', rpc('ImportVolumeBackup')]),
  // Cinder has neither.
  rule('shoal:backup:verify', projectMember, [rpc('VerifyVolumeBackup')]),
  rule('shoal:backup:expire', projectMember, [rpc('ExpireVolumeBackups')]),
  rule('backup:action', cloudAdmin, ['POST /v3/backups/:id/action']),
  rule('volume_extension:backup_admin_actions:reset_status', cloudAdmin, [act('backups', 'os-reset_status')]),
  rule('volume_extension:backup_admin_actions:force_delete', cloudAdmin, [act('backups', 'os-force_delete')]),
];

const groupRules: readonly PolicyRule[] = [
  rule('group:get_all', projectReader, ['GET /v3/groups', 'GET /v3/groups/detail', rpc('ListVolumeGroups')]),
  rule('group:get', projectReader, ['GET /v3/groups/:id', rpc('GetVolumeGroup')]),
  rule('group:create', projectMember, [
    'POST /v3/groups',
    'POST /v3/groups/action',
    'POST /v3/groups/action#create-from-src',
    rpc('CreateVolumeGroup'),
  ]),
  rule('group:update', projectMember, ['PUT /v3/groups/:id', rpc('UpdateVolumeGroup')]),
  rule('group:action', projectMember, ['POST /v3/groups/:id/action']),
  rule('group:delete', projectMember, [act('groups', 'delete'), rpc('DeleteVolumeGroup')]),
  rule('group:reset_status', cloudAdmin, [act('groups', 'reset_status')]),
  rule('group:get_all_group_snapshots', projectReader, [
    'GET /v3/group_snapshots',
    'GET /v3/group_snapshots/detail',
    rpc('ListVolumeGroupSnapshots'),
  ]),
  rule('group:get_group_snapshot', projectReader, ['GET /v3/group_snapshots/:id', rpc('GetVolumeGroupSnapshot')]),
  rule('group:create_group_snapshot', projectMember, ['POST /v3/group_snapshots', rpc('CreateVolumeGroupSnapshot')]),
  rule('group:delete_group_snapshot', projectMember, [
    'DELETE /v3/group_snapshots/:id',
    rpc('DeleteVolumeGroupSnapshot'),
  ]),
  rule('group:group_snapshot_action', cloudAdmin, ['POST /v3/group_snapshots/:id/action']),
  rule('group:reset_group_snapshot_status', cloudAdmin, [act('group_snapshots', 'reset_status')]),
  rule('group:get_all_group_types', projectReader, ['GET /v3/group_types']),
  rule('group:get_group_type', projectReader, ['GET /v3/group_types/:id']),
  rule('group:create_group_type', cloudAdmin, ['POST /v3/group_types']),
  rule('group:update_group_type', cloudAdmin, ['PUT /v3/group_types/:id']),
  rule('group:delete_group_type', cloudAdmin, ['DELETE /v3/group_types/:id']),
  rule('group:group_types_specs:get_all', cloudAdmin, ['GET /v3/group_types/:id/group_specs']),
  rule('group:group_types_specs:get', cloudAdmin, ['GET /v3/group_types/:id/group_specs/:key']),
  rule('group:group_types_specs:create', cloudAdmin, ['POST /v3/group_types/:id/group_specs']),
  rule('group:group_types_specs:update', cloudAdmin, ['PUT /v3/group_types/:id/group_specs/:key']),
  rule('group:group_types_specs:delete', cloudAdmin, ['DELETE /v3/group_types/:id/group_specs/:key']),
];

const snapshotRules: readonly PolicyRule[] = [
  rule('volume:get_all_snapshots', projectReader, [
    'GET /v3/snapshots',
    'GET /v3/snapshots/detail',
    rpc('ListVolumeSnapshots'),
  ]),
  rule('volume:create_snapshot', projectMember, ['POST /v3/snapshots', rpc('CreateVolumeSnapshot')]),
  rule('volume:get_snapshot', projectReader, ['GET /v3/snapshots/:id', rpc('GetVolumeSnapshot')]),
  rule('volume:update_snapshot', projectMember, ['PUT /v3/snapshots/:id']),
  rule('volume:delete_snapshot', projectMember, ['DELETE /v3/snapshots/:id', rpc('DeleteVolumeSnapshot')]),
  rule('volume:get_snapshot_metadata', projectReader, [
    'GET /v3/snapshots/:id/metadata',
    'GET /v3/snapshots/:id/metadata/:key',
  ]),
  rule('volume:update_snapshot_metadata', projectMember, [
    'POST /v3/snapshots/:id/metadata',
    'PUT /v3/snapshots/:id/metadata',
    'PUT /v3/snapshots/:id/metadata/:key',
  ]),
  rule('volume:delete_snapshot_metadata', projectMember, ['DELETE /v3/snapshots/:id/metadata/:key']),
  rule('volume:snapshot_action', projectMember, ['POST /v3/snapshots/:id/action']),
  rule('snapshot_extension:snapshot_actions:update_snapshot_status', projectMember, [
    act('snapshots', 'os-update_snapshot_status'),
  ]),
  rule('snapshot_extension:snapshot_unmanage', cloudAdmin, [act('snapshots', 'os-unmanage')]),
  rule('volume_extension:snapshot_admin_actions:reset_status', cloudAdmin, [act('snapshots', 'os-reset_status')]),
  rule('volume_extension:snapshot_admin_actions:force_delete', cloudAdmin, [act('snapshots', 'os-force_delete')]),
];

const typeRules: readonly PolicyRule[] = [
  rule('volume_extension:type_get_all', projectReader, ['GET /v3/types', rpc('ListVolumeTypes')]),
  rule('volume_extension:type_get', projectReader, ['GET /v3/types/:id']),
  rule('volume_extension:type_create', cloudAdmin, ['POST /v3/types', rpc('CreateVolumeType')]),
  rule('volume_extension:type_update', cloudAdmin, ['PUT /v3/types/:id', rpc('UpdateVolumeType')]),
  rule('volume_extension:type_delete', cloudAdmin, ['DELETE /v3/types/:id', rpc('DeleteVolumeType')]),
  rule('volume_extension:types_extra_specs:index', projectReader, ['GET /v3/types/:id/extra_specs']),
  rule('volume_extension:types_extra_specs:show', projectReader, ['GET /v3/types/:id/extra_specs/:key']),
  rule('volume_extension:types_extra_specs:create', cloudAdmin, ['POST /v3/types/:id/extra_specs']),
  rule('volume_extension:types_extra_specs:update', cloudAdmin, ['PUT /v3/types/:id/extra_specs/:key']),
  rule('volume_extension:types_extra_specs:delete', cloudAdmin, [
    'DELETE /v3/types/:id/extra_specs/:key',
    rpc('RemoveVolumeTypeExtraSpec'),
  ]),
  rule('volume_extension:volume_type_access:get_all_for_type', cloudAdmin, ['GET /v3/types/:id/os-volume-type-access']),
  rule('volume_extension:volume_type_access:action', cloudAdmin, [
    'POST /v3/types/:id/action',
    rpc('SetVolumeTypeAccess'),
  ]),
  rule('volume_extension:volume_type_access:addProjectAccess', cloudAdmin, [act('types', 'addProjectAccess')]),
  rule('volume_extension:volume_type_access:removeProjectAccess', cloudAdmin, [act('types', 'removeProjectAccess')]),
  rule('volume_extension:volume_type_encryption:get', cloudAdmin, [
    'GET /v3/types/:id/encryption',
    'GET /v3/types/:id/encryption/:key',
  ]),
  rule('volume_extension:volume_type_encryption:create', cloudAdmin, [
    'POST /v3/types/:id/encryption',
    rpc('SetVolumeTypeEncryption'),
  ]),
  rule('volume_extension:volume_type_encryption:update', cloudAdmin, ['PUT /v3/types/:id/encryption/:key']),
  rule('volume_extension:volume_type_encryption:delete', cloudAdmin, [
    'DELETE /v3/types/:id/encryption/:key',
    rpc('RemoveVolumeTypeEncryption'),
  ]),
  rule('volume_extension:default_get_all', cloudAdmin, ['GET /v3/default-types']),
  rule('volume_extension:default_get', cloudAdmin, ['GET /v3/default-types/:project']),
  rule('volume_extension:default_set_or_update', cloudAdmin, ['PUT /v3/default-types/:project']),
  rule('volume_extension:default_unset', cloudAdmin, ['DELETE /v3/default-types/:project']),
];

const qosRules: readonly PolicyRule[] = [
  rule('volume_extension:qos_specs_manage:get_all', cloudAdmin, ['GET /v3/qos-specs', rpc('ListQosSpecs')]),
  rule('volume_extension:qos_specs_manage:get', cloudAdmin, [
    'GET /v3/qos-specs/:id',
    'GET /v3/qos-specs/:id/associations',
  ]),
  rule('volume_extension:qos_specs_manage:create', cloudAdmin, ['POST /v3/qos-specs', rpc('CreateQosSpecs')]),
  rule('volume_extension:qos_specs_manage:update', cloudAdmin, [
    'PUT /v3/qos-specs/:id',
    'GET /v3/qos-specs/:id/associate',
    'GET /v3/qos-specs/:id/disassociate',
    'GET /v3/qos-specs/:id/disassociate_all',
    rpc('UpdateQosSpecs'),
    rpc('SetVolumeTypeQos'),
  ]),
  rule('volume_extension:qos_specs_manage:delete', cloudAdmin, [
    'DELETE /v3/qos-specs/:id',
    'PUT /v3/qos-specs/:id/delete_keys',
    rpc('DeleteQosSpecs'),
    rpc('RemoveQosSpecsKeys'),
  ]),
];

const attachmentRules: readonly PolicyRule[] = [
  rule('volume:attachment_get_all', projectReader, ['GET /v3/attachments', 'GET /v3/attachments/detail']),
  rule('volume:attachment_get', projectReader, ['GET /v3/attachments/:id']),
  rule('volume:attachment_create', projectMember, ['POST /v3/attachments']),
  rule('volume:attachment_update', projectMember, ['PUT /v3/attachments/:id']),
  rule('volume:attachment_delete', projectMember, ['DELETE /v3/attachments/:id']),
  rule('volume:attachment_action', projectMember, ['POST /v3/attachments/:id/action']),
  rule('volume:attachment_complete', projectMember, [act('attachments', 'os-complete')]),
];

const projectRules: readonly PolicyRule[] = [
  rule('volume_extension:quotas:show', projectReader, [
    'GET /v3/os-quota-sets/:project',
    'GET /v3/os-quota-sets/:project/defaults',
  ]),
  rule('volume_extension:quotas:update', cloudAdmin, ['PUT /v3/os-quota-sets/:project']),
  rule('volume_extension:quotas:delete', cloudAdmin, ['DELETE /v3/os-quota-sets/:project']),
  rule('volume_extension:quota_classes:get', cloudAdmin, ['GET /v3/os-quota-class-sets/:id']),
  rule('volume_extension:quota_classes:update', cloudAdmin, ['PUT /v3/os-quota-class-sets/:id']),
  rule('limits_extension:used_limits', projectReader, ['GET /v3/limits']),
  rule('message:get_all', projectReader, ['GET /v3/messages']),
  rule('message:get', projectReader, ['GET /v3/messages/:id']),
  rule('message:delete', projectMember, ['DELETE /v3/messages/:id']),
];

/** Parts of requests and of answers that are rights of their own. Asked by handlers. */
const parts: readonly PolicyRule[] = [
  // `all_tenants`: Cinder has no rule for it and asks whether the caller is an administrator.
  rule('volume:get_all:all_projects', administrator, []),
  rule('volume:force_delete', administrator, []),
  rule('volume_extension:volume_host_attribute', administrator, []),
  rule('volume_extension:volume_mig_status_attribute', administrator, []),
  rule('volume_extension:access_types_extra_specs', administrator, []),
  rule('volume_extension:access_types_qos_specs_id', administrator, []),
  rule('backup:backup_project_attribute', administrator, []),
  rule('group:access_group_types_specs', administrator, []),
  rule('limits_extension:other_project', administrator, []),
];

/** What the service consists of, and where it runs. */
const serviceRules: readonly PolicyRule[] = [
  rule('volume_extension:list_extensions', anyToken, ['GET /v3/extensions', 'GET /v3/extensions/:alias']),
  rule('volume:availability_zone_list', projectReader, ['GET /v3/os-availability-zone']),
  rule('volume:resource_filters', projectReader, ['GET /v3/resource_filters']),
  rule('clusters:get_all', cloudAdmin, ['GET /v3/clusters', 'GET /v3/clusters/detail']),
  rule('clusters:get', cloudAdmin, ['GET /v3/clusters/:id']),
  rule('workers:cleanup', cloudAdmin, ['POST /v3/workers/cleanup']),
  rule('volume_extension:services:index', cloudAdmin, ['GET /v3/os-services']),
  rule('volume_extension:services:update', cloudAdmin, [
    'PUT /v3/os-services/enable',
    'PUT /v3/os-services/disable',
    'PUT /v3/os-services/disable-log-reason',
    'PUT /v3/os-services/get-log',
    'PUT /v3/os-services/set-log',
  ]),
  rule('volume:freeze_host', cloudAdmin, ['PUT /v3/os-services/freeze']),
  rule('volume:thaw_host', cloudAdmin, ['PUT /v3/os-services/thaw']),
  rule('volume:failover_host', cloudAdmin, ['PUT /v3/os-services/failover_host', 'PUT /v3/os-services/failover']),
  rule('volume_extension:hosts', cloudAdmin, ['GET /v3/os-hosts', 'GET /v3/os-hosts/:id']),
  rule('scheduler_extension:scheduler_stats:get_pools', cloudAdmin, ['GET /v3/scheduler-stats/get_pools']),
  rule('volume_extension:capabilities', cloudAdmin, ['GET /v3/capabilities/:host']),
];

/** All rules of block storage. */
export const volumePolicies: readonly PolicyRule[] = [
  ...volumeRules,
  ...moveRules,
  ...transferRules,
  ...backupRules,
  ...groupRules,
  ...snapshotRules,
  ...typeRules,
  ...qosRules,
  ...attachmentRules,
  ...projectRules,
  ...serviceRules,
  ...parts,
];
