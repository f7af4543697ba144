/**
 * With which status the real services answer what they have taken: a row's source is the file that says so. Compared on
 * 2026-11-29, row by row, with the code of nova 34.0.0 (`@wsgi.response`, 200 without one), keystone 30.0.0 (the status that
 * a resource's method returns, 200 without one), glance 33.0.0 (`status_int` of the serializers, 200 without one) and
 * neutron 29.0.0, and the latter with "Normal response codes" of the api-ref in neutron-lib 5.0.1. The first row that fits
 * holds. What no row names is not known here, and no proof may ask for it.
 */
const statuses: readonly (readonly [operation: RegExp, source: string, ...answers: number[]])[] = [
  // nova/api/openstack/compute
  [/^(GET|HEAD) \/v2\.1\/servers\/[^/]+\/tags\/[^/]+$/, 'server_tags.py', 204],
  [/^(GET|HEAD) (\/v2\.1\/|\/v2\.1$)/, 'each index, detail and show', 200],
  [/^POST \/v2\.1\/servers$/, 'servers.py', 202],
  [/^PUT \/v2\.1\/servers\/[^/]+$/, 'servers.py', 200],
  [/^DELETE \/v2\.1\/servers\/[^/]+$/, 'servers.py', 204],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#os-getConsoleOutput$/, 'console_output.py', 200],
  [
    /^POST \/v2\.1\/servers\/[^/]+\/action#(os-start|os-stop|reboot|resize|revertResize|createImage)$/,
    'servers.py',
    202,
  ],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#evacuate$/, 'evacuate.py', 200],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#confirmResize$/, 'servers.py', 204],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#os-get(VNC|Serial)Console$/, 'remote_consoles.py', 200],
  [/^POST \/v2\.1\/servers\/[^/]+\/remote-consoles$/, 'remote_consoles.py', 200],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#forceDelete$/, 'deferred_delete.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(un)?pause$/, 'pause_server.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(suspend|resume)$/, 'suspend_server.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#os-resetState$/, 'admin_actions.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#rebuild$/, 'servers.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#rescue$/, 'rescue.py', 200],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#unrescue$/, 'rescue.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(shelve|shelveOffload|unshelve)$/, 'shelve.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#createBackup$/, 'create_backup.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#trigger_crash_dump$/, 'servers.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#changePassword$/, 'admin_password.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(un)?lock$/, 'lock_server.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#migrate$/, 'migrate_server.py', 202],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(add|remove)SecurityGroup$/, 'security_groups.py', 202],
  [/^(POST|PUT) \/v2\.1\/servers\/[^/]+\/metadata(\/[^/]+)?$/, 'server_metadata.py', 200],
  [/^DELETE \/v2\.1\/servers\/[^/]+\/metadata\/[^/]+$/, 'server_metadata.py', 204],
  [/^POST \/v2\.1\/servers\/[^/]+\/os-volume_attachments$/, 'volume_attachments.py', 200],
  [/^(PUT|DELETE) \/v2\.1\/servers\/[^/]+\/os-volume_attachments\/[^/]+$/, 'volume_attachments.py', 202],
  [/^PUT \/v2\.1\/servers\/[^/]+\/tags$/, 'server_tags.py', 200],
  [/^PUT \/v2\.1\/servers\/[^/]+\/tags\/[^/]+$/, 'server_tags.py', 201, 204],
  [/^DELETE \/v2\.1\/servers\/[^/]+\/tags(\/[^/]+)?$/, 'server_tags.py', 204],
  [/^(POST|PUT) \/v2\.1\/flavors(\/[^/]+)?$/, 'flavors.py', 200],
  [/^DELETE \/v2\.1\/flavors\/[^/]+$/, 'flavors.py', 202],
  [/^(POST|PUT|DELETE) \/v2\.1\/flavors\/[^/]+\/os-extra_specs(\/[^/]+)?$/, 'flavors_extraspecs.py', 200],
  [/^POST \/v2\.1\/flavors\/[^/]+\/action#/, 'flavor_access.py', 200],
  [/^PUT \/v2\.1\/os-services\/[^/]+$/, 'services.py', 200],
  [/^DELETE \/v2\.1\/os-services\/[^/]+$/, 'services.py', 204],
  [/^(POST|PUT|DELETE) \/v2\.1\/os-aggregates(\/[^/]+(\/action#.*)?)?$/, 'aggregates.py', 200],
  [/^DELETE \/v2\.1\/images\/[^/]+$/, 'images.py', 204],
  // The second from 2.2 on.
  [/^POST \/v2\.1\/os-keypairs$/, 'keypairs.py', 200, 201],
  [/^DELETE \/v2\.1\/os-keypairs\/[^/]+$/, 'keypairs.py', 202, 204],
  [/^(POST|PUT) \/v2\.1\/os-security-groups(\/[^/]+)?$/, 'security_groups.py', 200],
  [/^DELETE \/v2\.1\/os-security-groups\/[^/]+$/, 'security_groups.py', 202],
  [/^POST \/v2\.1\/os-server-groups$/, 'server_groups.py', 200],
  [/^DELETE \/v2\.1\/os-server-groups\/[^/]+$/, 'server_groups.py', 204],
  [/^PUT \/v2\.1\/os-quota-sets\/[^/]+$/, 'quota_sets.py', 200],
  [/^DELETE \/v2\.1\/os-quota-sets\/[^/]+$/, 'quota_sets.py', 202],
  [/^PUT \/v2\.1\/os-quota-class-sets\/[^/]+$/, 'quota_classes.py', 200],
  [/^PUT \/v2\.1\/os-hosts\/[^/]+$/, 'hosts.py', 200],
  [/^POST \/v2\.1\/os-server-external-events$/, 'server_external_events.py', 200, 207],
  [/^POST \/v2\.1\/servers\/[^/]+\/action#(add|remove)FloatingIp$/, 'floating_ips.py', 202],
  [/^POST \/v2\.1\/os-floating-ips$/, 'floating_ips.py', 200],
  [/^DELETE \/v2\.1\/os-floating-ips\/[^/]+$/, 'floating_ips.py', 202],
  [/^POST \/v2\.1\/os-security-group-rules$/, 'security_groups.py', 200],
  [/^DELETE \/v2\.1\/os-security-group-rules\/[^/]+$/, 'security_groups.py', 202],
  [/^POST \/v2\.1\/os-(volumes|snapshots)$/, 'volumes.py, snapshots.py', 200],
  [/^DELETE \/v2\.1\/os-(volumes|snapshots)\/[^/]+$/, 'volumes.py, snapshots.py', 202],
  // cinder/api, compared with the API's reference.
  [/^POST \/v3\/volumes$/, 'v3/volumes.py', 202],
  [/^POST \/v3\/types$/, 'contrib/types_manage.py', 200],
  // keystone/api
  [/^(GET|HEAD) \/v3\/projects\/[^/]+\/tags\/[^/]+$/, 'projects.py', 204],
  [/^(GET|HEAD|PUT|DELETE) \/v3\/projects\/[^/]+\/users\/[^/]+\/roles\/[^/]+$/, 'projects.py', 204],
  [/^(GET|HEAD|PUT|DELETE) \/v3\/domains\/[^/]+\/users\/[^/]+\/roles\/[^/]+$/, 'domains.py', 204],
  [/^(GET|HEAD|PUT|DELETE) \/v3\/system\/users\/[^/]+\/roles\/[^/]+$/, 'system.py', 204],
  [/^(GET|HEAD) (\/v3\/|\/v3$)/, 'each get', 200],
  [/^POST \/v3\/auth\/tokens$/, 'auth.py', 201],
  [/^DELETE \/v3\/auth\/tokens$/, 'auth.py', 204],
  [/^POST \/v3\/users\/[^/]+\/password$/, 'users.py', 204],
  [/^PUT \/v3\/projects\/[^/]+\/tags$/, 'projects.py', 200],
  [/^PUT \/v3\/projects\/[^/]+\/tags\/[^/]+$/, 'projects.py', 201],
  [/^DELETE \/v3\/projects\/[^/]+\/tags(\/[^/]+)?$/, 'projects.py', 204],
  [/^POST \/v3\/(domains|projects|roles|users)$/, 'domains.py, projects.py, roles.py, users.py', 201],
  [/^PATCH \/v3\/(domains|projects|roles|users)\/[^/]+$/, 'domains.py, projects.py, roles.py, users.py', 200],
  [/^DELETE \/v3\/(domains|projects|roles|users)\/[^/]+$/, 'domains.py, projects.py, roles.py, users.py', 204],
  // glance/api/v2. The file of an image without data is 204, a part of it 206.
  [/^GET \/v2\/images\/[^/]+\/file$/, 'image_data.py', 200, 204, 206],
  [/^(GET|HEAD) (\/v2\/|\/v2$)/, 'each index and show', 200],
  [/^POST \/v2\/images$/, 'images.py', 201],
  [/^PATCH \/v2\/images\/[^/]+$/, 'images.py', 200],
  [/^DELETE \/v2\/images\/[^/]+$/, 'images.py', 204],
  [/^POST \/v2\/images\/[^/]+\/actions\/(de|re)activate$/, 'image_actions.py', 204],
  [/^PUT \/v2\/images\/[^/]+\/file$/, 'image_data.py', 204],
  [/^(PUT|DELETE) \/v2\/images\/[^/]+\/tags\/[^/]+$/, 'image_tags.py', 204],
  [/^(POST|PUT) \/v2\/images\/[^/]+\/members(\/[^/]+)?$/, 'image_members.py', 200],
  [/^DELETE \/v2\/images\/[^/]+\/members\/[^/]+$/, 'image_members.py', 204],
  [/^PUT \/v2\/info\/usage\/[^/]+$/, 'none: Glance keeps its limits in Keystone', 200],
  // neutron/extensions/tagging.py; for the others neutron/pecan_wsgi/controllers/{resource,utils,quota}.py
  [/^(GET|HEAD) \/v2\.0\/[^/]+\/[^/]+\/tags\/[^/]+$/, 'tagging.py; tags.inc', 204],
  [/^PUT \/v2\.0\/[^/]+\/[^/]+\/tags$/, 'tagging.py; tags.inc', 200],
  [/^PUT \/v2\.0\/[^/]+\/[^/]+\/tags\/[^/]+$/, 'tagging.py; tags.inc', 201],
  [/^DELETE \/v2\.0\/[^/]+\/[^/]+\/tags(\/[^/]+)?$/, 'tagging.py; tags.inc', 204],
  [/^(GET|HEAD) (\/v2\.0\/|\/v2\.0$)/, 'resource.py; each .inc', 200],
  [/^PUT \/v2\.0\/subnetpools\/[^/]+\/(add|remove)_prefixes$/, 'resource.py; subnetpool-prefix-ops', 200],
  [/^PUT \/v2\.0\/routers\/[^/]+\/(add|remove)_(router_interface|extraroutes)$/, 'resource.py; routers.inc', 200],
  [/^PUT \/v2\.0\/quotas\/[^/]+$/, 'quota.py; quotas.inc', 200],
  [/^DELETE \/v2\.0\/quotas\/[^/]+$/, 'utils.py; quotas.inc', 204],
  [/^POST \/v2\.0\/[^/]+$/, 'resource.py; each .inc', 201],
  [/^PUT \/v2\.0\/[^/]+\/[^/]+$/, 'resource.py; each .inc', 200],
  [/^DELETE \/v2\.0\/[^/]+\/[^/]+$/, 'utils.py; each .inc', 204],
];

/** Whether a success is the real service's. An action is named behind `#`. Throws for an operation that is not known. */
export function isRealStatus(operation: string, status: number): boolean {
  const found = statuses.find(([pattern]) => pattern.test(operation));
  if (found === undefined) throw new Error(`With which status is ${operation} answered?`);
  const [, , ...answers] = found;
  return answers.includes(status);
}
