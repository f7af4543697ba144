/** `shoal.v1.ClusterService` and `JobService`: the mesh is administrators' business; how it stands, a project's readers may see. */
import { cloudAdmin, hostOperator, type PolicyRule, projectReader, rule } from './rule.ts';

const rpc = (name: string): string => `rpc shoal.v1.ClusterService/${name}`;
const jobRpc = (name: string): string => `rpc shoal.v1.JobService/${name}`;

/**
 * The rules of the mesh, all named `shoal:mesh:...`: OpenStack has no such API. `reset_password` needs root at a host,
 * no token will do.
 */
export const meshPolicies: readonly PolicyRule[] = [
  rule('shoal:mesh:status', projectReader, [rpc('GetStatus')]),
  rule('shoal:mesh:list_hosts', cloudAdmin, [rpc('ListHosts')]),
  rule('shoal:mesh:list_storage_pools', cloudAdmin, [rpc('ListStoragePools')]),
  rule('shoal:mesh:create_ticket', cloudAdmin, [rpc('CreateTicket')]),
  rule('shoal:mesh:set_host_enabled', cloudAdmin, [rpc('SetHostEnabled')]),
  rule('shoal:mesh:remove_host', cloudAdmin, [rpc('RemoveHost')]),
  rule('shoal:mesh:list_unreadable_records', cloudAdmin, [rpc('ListUnreadableRecords')]),
  rule('shoal:mesh:remove_unreadable_record', cloudAdmin, [rpc('RemoveUnreadableRecord')]),
  rule('shoal:mesh:reset_password', hostOperator, [rpc('ResetPassword')]),
  rule('shoal:mesh:rekey', cloudAdmin, [rpc('Rekey')]),
  rule('shoal:mesh:set_cloud_backups', cloudAdmin, [rpc('SetCloudBackups')]),
  rule('shoal:mesh:create_cloud_backup', cloudAdmin, [rpc('CreateCloudBackup')]),
  rule('shoal:mesh:list_cloud_backups', cloudAdmin, [rpc('ListCloudBackups')]),
  rule('shoal:mesh:verify_cloud_backup', cloudAdmin, [rpc('VerifyCloudBackup')]),
  rule('shoal:mesh:get_upgrade', cloudAdmin, [rpc('GetUpgrade')]),
  rule('shoal:mesh:finalize_upgrade', cloudAdmin, [rpc('FinalizeUpgrade')]),
  // Of the native module's own route.
  rule('shoal:events:watch', projectReader, ['GET /events']),
  // Asked by it for all projects and for what belongs to none.
  rule('shoal:events:watch_all', cloudAdmin, []),
  rule('shoal:jobs:list', cloudAdmin, [jobRpc('ListJobs'), jobRpc('GetJob')]),
  rule('shoal:jobs:cancel', cloudAdmin, [jobRpc('CancelJob')]),
  rule('shoal:jobs:pause', cloudAdmin, [jobRpc('PauseJob'), jobRpc('ResumeJob')]),
  rule('shoal:mesh:drain_host', cloudAdmin, [jobRpc('DrainHost'), jobRpc('UndrainHost')]),
  rule('shoal:mesh:plan_drain', cloudAdmin, [jobRpc('PlanDrain')]),
  rule('shoal:mesh:rotate_authority', cloudAdmin, [jobRpc('RotateAuthority')]),
];
