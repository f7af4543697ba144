/** Cinder's policy, by Cinder's names, for the block storage API and for `shoal.v1.VolumeService`. */
import { anyToken, cloudAdmin, type PolicyRule, projectReader, rule } from './rule.ts';

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
  ]),
  rule('volume:freeze_host', cloudAdmin, ['PUT /v3/os-services/freeze']),
  rule('volume:thaw_host', cloudAdmin, ['PUT /v3/os-services/thaw']),
  rule('volume:failover_host', cloudAdmin, ['PUT /v3/os-services/failover_host', 'PUT /v3/os-services/failover']),
  rule('volume_extension:hosts', cloudAdmin, ['GET /v3/os-hosts', 'GET /v3/os-hosts/:id']),
  rule('scheduler_extension:scheduler_stats:get_pools', cloudAdmin, ['GET /v3/scheduler-stats/get_pools']),
  rule('volume_extension:capabilities', cloudAdmin, ['GET /v3/capabilities/:host']),
];

/** All rules of block storage. */
export const volumePolicies: readonly PolicyRule[] = [...serviceRules];
