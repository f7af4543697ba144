/** Nova's policy, by Nova's names, for the compute API and for `shoal.v1.ComputeService`. */
import {
  administrator,
  anyToken,
  cloudAdmin,
  type PolicyRule,
  projectManager,
  projectMember,
  projectReader,
  rule,
} from './rule.ts';

const servers = '/v2.1/servers';
const action = (name: string): string => `POST ${servers}/:id/action#${name}`;
const rpc = (name: string): string => `rpc shoal.v1.ComputeService/${name}`;

const serverRules: readonly PolicyRule[] = [
  rule('os_compute_api:servers:index', projectReader, [`GET ${servers}`, rpc('ListServers'), rpc('WatchServers')]),
  rule('os_compute_api:servers:detail', projectReader, [`GET ${servers}/detail`]),
  rule('os_compute_api:servers:show', projectReader, [`GET ${servers}/:id`, rpc('GetServer')]),
  rule('os_compute_api:servers:create', projectMember, [`POST ${servers}`, rpc('CreateServer')]),
  rule('os_compute_api:servers:update', projectMember, [`PUT ${servers}/:id`]),
  rule('os_compute_api:servers:delete', projectMember, [
    `DELETE ${servers}/:id`,
    action('forceDelete'),
    rpc('DeleteServer'),
  ]),
  rule('os_compute_api:os-deferred-delete:restore', projectMember, [action('restore')]),
  rule('os_compute_api:os-admin-actions:inject_network_info', cloudAdmin, [action('injectNetworkInfo')]),
  rule('os_compute_api:os-server-password:show', projectReader, [`GET ${servers}/:id/os-server-password`]),
  rule('os_compute_api:os-server-password:clear', projectMember, [`DELETE ${servers}/:id/os-server-password`]),
  rule('os_compute_api:servers:start', projectMember, [action('os-start'), rpc('StartServer')]),
  rule('os_compute_api:servers:stop', projectMember, [action('os-stop'), rpc('StopServer')]),
  rule('os_compute_api:servers:reboot', projectMember, [action('reboot'), rpc('RebootServer')]),
  rule('os_compute_api:servers:create_image', projectMember, [action('createImage'), rpc('CreateServerImage')]),
  rule('os_compute_api:os-create-backup', projectMember, [action('createBackup'), rpc('CreateServerBackup')]),
  rule('os_compute_api:servers:rebuild', projectMember, [action('rebuild'), rpc('RebuildServer')]),
  rule('os_compute_api:os-rescue', projectMember, [action('rescue'), rpc('RescueServer')]),
  rule('os_compute_api:os-unrescue', projectMember, [action('unrescue'), rpc('UnrescueServer')]),
  rule('os_compute_api:os-shelve:shelve', projectMember, [action('shelve'), rpc('ShelveServer')]),
  rule('os_compute_api:os-shelve:unshelve', projectMember, [action('unshelve'), rpc('UnshelveServer')]),
  rule('os_compute_api:os-shelve:shelve_offload', cloudAdmin, [action('shelveOffload'), rpc('OffloadServer')]),
  rule('os_compute_api:os-pause-server:pause', projectMember, [action('pause'), rpc('PauseServer')]),
  rule('os_compute_api:os-pause-server:unpause', projectMember, [action('unpause'), rpc('UnpauseServer')]),
  rule('os_compute_api:os-suspend-server:suspend', projectMember, [action('suspend'), rpc('SuspendServer')]),
  rule('os_compute_api:os-suspend-server:resume', projectMember, [action('resume'), rpc('ResumeServer')]),
  rule('os_compute_api:os-admin-actions:reset_state', cloudAdmin, [action('os-resetState'), rpc('ResetServerState')]),
  rule('os_compute_api:servers:trigger_crash_dump', projectMember, [
    action('trigger_crash_dump'),
    rpc('TriggerServerCrashDump'),
  ]),
  rule('os_compute_api:os-admin-password', projectMember, [action('changePassword'), rpc('SetServerPassword')]),
  rule('os_compute_api:os-lock-server:lock', projectMember, [action('lock'), rpc('LockServer')]),
  rule('os_compute_api:os-lock-server:unlock', projectMember, [action('unlock'), rpc('UnlockServer')]),
  rule('os_compute_api:os-migrate-server:migrate', projectManager, [action('migrate'), rpc('MigrateServer')]),
  rule('os_compute_api:os-migrate-server:migrate_live', projectManager, [
    action('os-migrateLive'),
    rpc('MigrateServerLive'),
  ]),
  rule('os_compute_api:os-evacuate', cloudAdmin, [action('evacuate'), rpc('EvacuateServer')]),
  rule('os_compute_api:servers:resize', projectMember, [action('resize'), rpc('ResizeServer')]),
  rule('os_compute_api:servers:confirm_resize', projectMember, [action('confirmResize'), rpc('ConfirmServerResize')]),
  rule('os_compute_api:servers:revert_resize', projectMember, [action('revertResize'), rpc('RevertServerResize')]),
  rule('os_compute_api:os-console-output', projectMember, [action('os-getConsoleOutput'), rpc('GetConsoleLog')]),
  rule('os_compute_api:os-multinic:add', projectMember, [action('addFixedIp')]),
  rule('os_compute_api:os-multinic:remove', projectMember, [action('removeFixedIp')]),
  rule('os_compute_api:os-floating-ips:add', projectMember, [action('addFloatingIp')]),
  rule('os_compute_api:os-floating-ips:remove', projectMember, [action('removeFloatingIp')]),
  rule('os_compute_api:os-remote-consoles', projectMember, [
    `POST ${servers}/:id/remote-consoles`,
    ...['os-getVNCConsole', 'os-getSPICEConsole', 'os-getRDPConsole', 'os-getSerialConsole'].map(action),
    rpc('OpenConsole'),
  ]),
  rule('os_compute_api:os-console-auth-tokens', cloudAdmin, ['GET /v2.1/os-console-auth-tokens/:token']),
  rule('os_compute_api:os-server-diagnostics', cloudAdmin, [
    `GET ${servers}/:id/diagnostics`,
    rpc('GetServerDiagnostics'),
  ]),
  rule('os_compute_api:os-security-groups:add', projectMember, [action('addSecurityGroup')]),
  rule('os_compute_api:os-security-groups:remove', projectMember, [action('removeSecurityGroup')]),
  // The handler refuses what is no action of this version; this rule says which callers it tells.
  rule('os_compute_api:servers:action', projectMember, [`POST ${servers}/:id/action`]),
  rule('os_compute_api:os-instance-actions:list', projectReader, [
    `GET ${servers}/:id/os-instance-actions`,
    rpc('ListServerActions'),
  ]),
  rule('os_compute_api:os-instance-actions:show', projectReader, [`GET ${servers}/:id/os-instance-actions/:key`]),
  rule('os_compute_api:os-migrations:index', projectManager, ['GET /v2.1/os-migrations', rpc('ListMigrations')]),
  rule('os_compute_api:servers:migrations:index', projectManager, [`GET ${servers}/:id/migrations`]),
  rule('os_compute_api:servers:migrations:show', cloudAdmin, [`GET ${servers}/:id/migrations/:key`]),
  rule('os_compute_api:servers:migrations:delete', projectManager, [
    `DELETE ${servers}/:id/migrations/:key`,
    rpc('AbortServerMigration'),
  ]),
  rule('os_compute_api:servers:migrations:force_complete', projectManager, [
    `POST ${servers}/:id/migrations/:key/action`,
    rpc('ForceCompleteServerMigration'),
  ]),
  rule('os_compute_api:ips:index', projectReader, [`GET ${servers}/:id/ips`]),
  rule('os_compute_api:ips:show', projectReader, [`GET ${servers}/:id/ips/:key`]),
  rule('os_compute_api:os-security-groups:list', projectReader, [`GET ${servers}/:id/os-security-groups`]),
  rule('os_compute_api:os-volumes-attachments:index', projectReader, [`GET ${servers}/:id/os-volume_attachments`]),
  rule('os_compute_api:os-volumes-attachments:show', projectReader, [`GET ${servers}/:id/os-volume_attachments/:key`]),
  rule('os_compute_api:os-volumes-attachments:create', projectMember, [
    `POST ${servers}/:id/os-volume_attachments`,
    'rpc shoal.v1.VolumeService/AttachVolume',
  ]),
  rule('os_compute_api:os-volumes-attachments:update', projectMember, [
    `PUT ${servers}/:id/os-volume_attachments/:key`,
  ]),
  rule('os_compute_api:os-volumes-attachments:delete', projectMember, [
    `DELETE ${servers}/:id/os-volume_attachments/:key`,
    'rpc shoal.v1.VolumeService/DetachVolume',
  ]),
  rule('os_compute_api:os-attach-interfaces:list', projectReader, [
    `GET ${servers}/:id/os-interface`,
    rpc('ListInterfaces'),
  ]),
  rule('os_compute_api:os-attach-interfaces:show', projectReader, [`GET ${servers}/:id/os-interface/:key`]),
  rule('os_compute_api:os-attach-interfaces:create', projectMember, [
    `POST ${servers}/:id/os-interface`,
    rpc('AttachInterface'),
  ]),
  rule('os_compute_api:os-attach-interfaces:delete', projectMember, [
    `DELETE ${servers}/:id/os-interface/:key`,
    rpc('DetachInterface'),
  ]),
  rule('os_compute_api:server-metadata:index', projectReader, [`GET ${servers}/:id/metadata`]),
  rule('os_compute_api:server-metadata:show', projectReader, [`GET ${servers}/:id/metadata/:key`]),
  rule('os_compute_api:server-metadata:create', projectMember, [`POST ${servers}/:id/metadata`]),
  rule('os_compute_api:server-metadata:update_all', projectMember, [`PUT ${servers}/:id/metadata`]),
  rule('os_compute_api:server-metadata:update', projectMember, [`PUT ${servers}/:id/metadata/:key`]),
  rule('os_compute_api:server-metadata:delete', projectMember, [`DELETE ${servers}/:id/metadata/:key`]),
  rule('os_compute_api:os-server-tags:index', projectReader, [`GET ${servers}/:id/tags`]),
  rule('os_compute_api:os-server-tags:show', projectReader, [`GET ${servers}/:id/tags/:key`]),
  rule('os_compute_api:os-server-tags:update_all', projectMember, [`PUT ${servers}/:id/tags`]),
  rule('os_compute_api:os-server-tags:update', projectMember, [`PUT ${servers}/:id/tags/:key`]),
  rule('os_compute_api:os-server-tags:delete_all', projectMember, [`DELETE ${servers}/:id/tags`]),
  rule('os_compute_api:os-server-tags:delete', projectMember, [`DELETE ${servers}/:id/tags/:key`]),
];

/** Parts of requests and of answers that are rights of their own. Asked by handlers and by the compute service. */
const serverParts: readonly PolicyRule[] = [
  rule('os_compute_api:servers:index:get_all_tenants', administrator, []),
  rule('os_compute_api:servers:detail:get_all_tenants', administrator, []),
  // More keys to filter by, and a mistake in one is refused instead of ignored.
  rule('os_compute_api:servers:allow_all_filters', administrator, []),
  rule('os_compute_api:os-volumes-attachments:swap', cloudAdmin, []),
  rule('os_compute_api:servers:create:forced_host', administrator, []),
  rule('compute:servers:create:requested_destination', administrator, []),
  rule('os_compute_api:os-shelve:unshelve_to_host', administrator, []),
  // A project's manager moves its servers, and is not told where they are.
  rule('os_compute_api:os-migrate-server:migrate:host', administrator, []),
  rule('os_compute_api:os-migrate-server:migrate_live:host', administrator, []),
  rule('os_compute_api:os-migrations:index:all_projects', administrator, []),
  rule('os_compute_api:os-migrations:index:host', administrator, []),
  rule('os_compute_api:servers:migrations:index:host', administrator, []),
  rule('os_compute_api:os-extended-server-attributes', administrator, []),
  rule('os_compute_api:servers:show:host_status', administrator, []),
  rule('os_compute_api:os-instance-actions:events', administrator, []),
  rule('os_compute_api:os-instance-actions:events:details', administrator, []),
  rule('os_compute_api:os-server-groups:index:all_projects', administrator, []),
  rule('os_compute_api:limits:other_project', administrator, []),
];

const flavors = '/v2.1/flavors';

const flavorRules: readonly PolicyRule[] = [
  rule('os_compute_api:flavors', projectReader, [
    `GET ${flavors}`,
    `GET ${flavors}/detail`,
    `GET ${flavors}/:id`,
    rpc('ListFlavors'),
  ]),
  rule('os_compute_api:os-flavor-manage:create', cloudAdmin, [`POST ${flavors}`]),
  rule('os_compute_api:os-flavor-manage:update', cloudAdmin, [`PUT ${flavors}/:id`]),
  rule('os_compute_api:os-flavor-manage:delete', cloudAdmin, [`DELETE ${flavors}/:id`]),
  rule('os_compute_api:os-flavor-extra-specs:index', projectReader, [`GET ${flavors}/:id/os-extra_specs`]),
  rule('os_compute_api:os-flavor-extra-specs:show', projectReader, [`GET ${flavors}/:id/os-extra_specs/:key`]),
  rule('os_compute_api:os-flavor-extra-specs:create', cloudAdmin, [`POST ${flavors}/:id/os-extra_specs`]),
  rule('os_compute_api:os-flavor-extra-specs:update', cloudAdmin, [`PUT ${flavors}/:id/os-extra_specs/:key`]),
  rule('os_compute_api:os-flavor-extra-specs:delete', cloudAdmin, [`DELETE ${flavors}/:id/os-extra_specs/:key`]),
  rule('os_compute_api:os-flavor-access', cloudAdmin, [
    `GET ${flavors}/:id/os-flavor-access`,
    `POST ${flavors}/:id/action`,
  ]),
];

const hostRules: readonly PolicyRule[] = [
  rule('os_compute_api:os-hypervisors:list', cloudAdmin, ['GET /v2.1/os-hypervisors']),
  rule('os_compute_api:os-hypervisors:list-detail', cloudAdmin, ['GET /v2.1/os-hypervisors/detail']),
  rule('os_compute_api:os-hypervisors:statistics', cloudAdmin, ['GET /v2.1/os-hypervisors/statistics']),
  rule('os_compute_api:os-hypervisors:show', cloudAdmin, ['GET /v2.1/os-hypervisors/:id']),
  rule('os_compute_api:os-hypervisors:uptime', cloudAdmin, ['GET /v2.1/os-hypervisors/:id/uptime']),
  rule('os_compute_api:os-hypervisors:search', cloudAdmin, ['GET /v2.1/os-hypervisors/:id/search']),
  rule('os_compute_api:os-hypervisors:servers', cloudAdmin, ['GET /v2.1/os-hypervisors/:id/servers']),
  rule('os_compute_api:os-hosts:list', cloudAdmin, ['GET /v2.1/os-hosts']),
  rule('os_compute_api:os-hosts:show', cloudAdmin, ['GET /v2.1/os-hosts/:id']),
  rule('os_compute_api:os-hosts:update', cloudAdmin, ['PUT /v2.1/os-hosts/:id']),
  rule('os_compute_api:os-hosts:start', cloudAdmin, ['GET /v2.1/os-hosts/:id/startup']),
  rule('os_compute_api:os-hosts:shutdown', cloudAdmin, ['GET /v2.1/os-hosts/:id/shutdown']),
  rule('os_compute_api:os-hosts:reboot', cloudAdmin, ['GET /v2.1/os-hosts/:id/reboot']),
  rule('os_compute_api:os-instance-usage-audit-log:list', cloudAdmin, ['GET /v2.1/os-instance_usage_audit_log']),
  rule('os_compute_api:os-instance-usage-audit-log:show', cloudAdmin, [
    'GET /v2.1/os-instance_usage_audit_log/:before',
  ]),
  rule('os_compute_api:os-server-external-events:create', cloudAdmin, ['POST /v2.1/os-server-external-events']),
  rule('os_compute_api:os-services:list', cloudAdmin, ['GET /v2.1/os-services']),
  rule('os_compute_api:os-services:update', cloudAdmin, [
    'PUT /v2.1/os-services/enable',
    'PUT /v2.1/os-services/disable',
    'PUT /v2.1/os-services/disable-log-reason',
    'PUT /v2.1/os-services/force-down',
    'PUT /v2.1/os-services/:id',
  ]),
  rule('os_compute_api:os-services:delete', cloudAdmin, ['DELETE /v2.1/os-services/:id']),
  rule('os_compute_api:os-availability-zone:list', projectReader, ['GET /v2.1/os-availability-zone']),
  rule('os_compute_api:os-availability-zone:detail', cloudAdmin, ['GET /v2.1/os-availability-zone/detail']),
  rule('os_compute_api:os-aggregates:index', cloudAdmin, ['GET /v2.1/os-aggregates']),
  rule('os_compute_api:os-aggregates:show', cloudAdmin, ['GET /v2.1/os-aggregates/:id']),
  rule('os_compute_api:os-aggregates:create', cloudAdmin, ['POST /v2.1/os-aggregates']),
  rule('os_compute_api:os-aggregates:update', cloudAdmin, ['PUT /v2.1/os-aggregates/:id']),
  rule('os_compute_api:os-aggregates:delete', cloudAdmin, ['DELETE /v2.1/os-aggregates/:id']),
  rule('os_compute_api:os-aggregates:action', cloudAdmin, ['POST /v2.1/os-aggregates/:id/action']),
];

const quotas = '/v2.1/os-quota-sets/:project';

const projectRules: readonly PolicyRule[] = [
  // Nova left these to Glance's own policy.
  rule('os_compute_api:images:index', projectReader, ['GET /v2.1/images', 'GET /v2.1/images/detail']),
  rule('os_compute_api:images:show', projectReader, [
    'GET /v2.1/images/:id',
    'GET /v2.1/images/:id/metadata',
    'GET /v2.1/images/:id/metadata/:key',
  ]),
  // Nova leaves these to Glance's own policy, too; the image service asks who may write the image.
  rule('os_compute_api:image-metadata:update', projectMember, [
    'POST /v2.1/images/:id/metadata',
    'PUT /v2.1/images/:id/metadata',
    'PUT /v2.1/images/:id/metadata/:key',
    'DELETE /v2.1/images/:id/metadata/:key',
  ]),
  rule('os_compute_api:images:delete', projectMember, ['DELETE /v2.1/images/:id']),
  rule('os_compute_api:os-keypairs:index', projectReader, ['GET /v2.1/os-keypairs', rpc('ListKeypairs')]),
  rule('os_compute_api:os-keypairs:show', projectReader, ['GET /v2.1/os-keypairs/:name', rpc('GetKeypair')]),
  rule('os_compute_api:os-keypairs:create', projectMember, ['POST /v2.1/os-keypairs', rpc('CreateKeypair')]),
  rule('os_compute_api:os-keypairs:delete', projectMember, ['DELETE /v2.1/os-keypairs/:name', rpc('DeleteKeypair')]),
  rule('os_compute_api:os-security-groups:get', projectReader, [
    'GET /v2.1/os-security-groups',
    'GET /v2.1/os-security-groups/:id',
  ]),
  rule('os_compute_api:os-security-groups:create', projectMember, ['POST /v2.1/os-security-groups']),
  rule('os_compute_api:os-security-groups:update', projectMember, ['PUT /v2.1/os-security-groups/:id']),
  rule('os_compute_api:os-security-groups:delete', projectMember, ['DELETE /v2.1/os-security-groups/:id']),
  rule('os_compute_api:os-security-groups:rule:create', projectMember, ['POST /v2.1/os-security-group-rules']),
  rule('os_compute_api:os-security-groups:rule:delete', projectMember, ['DELETE /v2.1/os-security-group-rules/:id']),
  rule('os_compute_api:os-networks:list', projectReader, ['GET /v2.1/os-networks']),
  rule('os_compute_api:os-networks:show', projectReader, ['GET /v2.1/os-networks/:id']),
  rule('os_compute_api:os-tenant-networks:list', projectReader, ['GET /v2.1/os-tenant-networks']),
  rule('os_compute_api:os-tenant-networks:show', projectReader, ['GET /v2.1/os-tenant-networks/:id']),
  rule('os_compute_api:os-floating-ip-pools', projectReader, ['GET /v2.1/os-floating-ip-pools']),
  rule('os_compute_api:os-floating-ips:list', projectReader, ['GET /v2.1/os-floating-ips']),
  rule('os_compute_api:os-floating-ips:show', projectReader, ['GET /v2.1/os-floating-ips/:id']),
  rule('os_compute_api:os-floating-ips:create', projectMember, ['POST /v2.1/os-floating-ips']),
  rule('os_compute_api:os-floating-ips:delete', projectMember, ['DELETE /v2.1/os-floating-ips/:id']),
  rule('os_compute_api:os-volumes:list', projectReader, ['GET /v2.1/os-volumes']),
  rule('os_compute_api:os-volumes:detail', projectReader, ['GET /v2.1/os-volumes/detail']),
  rule('os_compute_api:os-volumes:show', projectReader, ['GET /v2.1/os-volumes/:id']),
  rule('os_compute_api:os-volumes:create', projectMember, ['POST /v2.1/os-volumes']),
  rule('os_compute_api:os-volumes:delete', projectMember, ['DELETE /v2.1/os-volumes/:id']),
  rule('os_compute_api:os-volumes:snapshots:list', projectReader, ['GET /v2.1/os-snapshots']),
  rule('os_compute_api:os-volumes:snapshots:detail', projectReader, ['GET /v2.1/os-snapshots/detail']),
  rule('os_compute_api:os-volumes:snapshots:show', projectReader, ['GET /v2.1/os-snapshots/:id']),
  rule('os_compute_api:os-volumes:snapshots:create', projectMember, ['POST /v2.1/os-snapshots']),
  rule('os_compute_api:os-volumes:snapshots:delete', projectMember, ['DELETE /v2.1/os-snapshots/:id']),
  rule('os_compute_api:os-server-groups:index', projectReader, ['GET /v2.1/os-server-groups']),
  rule('os_compute_api:os-server-groups:show', projectReader, ['GET /v2.1/os-server-groups/:id']),
  rule('os_compute_api:os-server-groups:create', projectMember, ['POST /v2.1/os-server-groups']),
  rule('os_compute_api:os-server-groups:delete', projectMember, ['DELETE /v2.1/os-server-groups/:id']),
  rule('os_compute_api:os-quota-sets:show', projectReader, [`GET ${quotas}`]),
  rule('os_compute_api:os-quota-sets:detail', projectReader, [`GET ${quotas}/detail`]),
  // Nova shows the defaults to everybody.
  rule('os_compute_api:os-quota-sets:defaults', anyToken, [`GET ${quotas}/defaults`]),
  rule('os_compute_api:os-quota-sets:update', cloudAdmin, [`PUT ${quotas}`]),
  rule('os_compute_api:os-quota-sets:delete', cloudAdmin, [`DELETE ${quotas}`]),
  rule('os_compute_api:os-quota-class-sets:show', cloudAdmin, ['GET /v2.1/os-quota-class-sets/:id']),
  rule('os_compute_api:os-quota-class-sets:update', cloudAdmin, ['PUT /v2.1/os-quota-class-sets/:id']),
  rule('os_compute_api:os-simple-tenant-usage:list', cloudAdmin, ['GET /v2.1/os-simple-tenant-usage']),
  rule('os_compute_api:os-simple-tenant-usage:show', projectReader, ['GET /v2.1/os-simple-tenant-usage/:project']),
  rule('os_compute_api:limits', projectReader, ['GET /v2.1/limits']),
  // What the service consists of; Nova shows it to everybody.
  rule('os_compute_api:extensions', anyToken, ['GET /v2.1/extensions', 'GET /v2.1/extensions/:alias']),
];

/**
 * Every compute operation, REST and gRPC, is guarded by exactly one of these. The compute service asks the same one again, of
 * the server that it finds.
 */
export const computePolicies: readonly PolicyRule[] = [
  ...serverRules,
  ...serverParts,
  ...flavorRules,
  ...hostRules,
  ...projectRules,
];
