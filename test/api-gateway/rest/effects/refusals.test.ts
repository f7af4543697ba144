/**
 * With which status the real services refuse: of the routes most used, the body that is invalid, the id that nobody has, the
 * one that is another's, what is in use and what is over quota. The last column is the file that says so, and the exception
 * or the place in it. Read on 2026-11-29 in nova 34.0.0, keystone 30.0.0, glance 33.0.0, neutron 29.0.0 and neutron-lib
 * 5.0.1: the deciding code of most rows. Of the rows for an invalid body in Nova and Keystone only that there is a schema;
 * those for Keystone's 404 and Neutron's foreign ids follow from the classes of the exceptions and the policy hook.
 */
import t from 'tap';
import { type Cloud, startCloud } from '../cloud.ts';
import { publicKey } from '../compute/kit/public-key.ts';
import { liftQuotas } from '../compute/lift-quotas.ts';

type Asker = 'admin' | 'member';
type Refusal = readonly [asker: Asker, operation: string, body: unknown, status: number, source: string];

const unknown = '11111111-2222-4333-8444-555555555555';
const servers = 'POST /compute/v2.1/servers';
const server = (extra: object) => ({
  server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...extra },
});

const rename = (path: string) => ({ op: 'replace', path, value: 'b' });
const patchType = 'application/openstack-images-v2.1-json-patch';

/** Names in braces are ids that `prepare` made. */
const refusals: Readonly<Record<string, readonly Refusal[]>> = {
  compute: [
    ['admin', servers, {}, 400, 'compute/schemas/servers.py'],
    ['admin', servers, server({ imageRef: unknown }), 400, 'compute/servers.py: INVALID_FLAVOR_IMAGE_EXCEPTIONS'],
    ['admin', servers, server({ flavorRef: 'none' }), 400, 'compute/servers.py: FlavorNotFound'],
    ['admin', servers, server({ networks: [{ uuid: unknown }] }), 400, 'compute/servers.py: NetworkNotFound'],
    ['member', servers, server({}), 403, 'compute/servers.py: OverQuota'],
    ['admin', `GET /compute/v2.1/servers/${unknown}`, undefined, 404, 'common.py: get_instance'],
    ['member', 'GET /compute/v2.1/servers/{server}', undefined, 404, 'common.py: get_instance'],
    ['admin', 'PUT /compute/v2.1/servers/{server}', { server: { name: 5 } }, 400, 'compute/schemas/servers.py'],
    ['admin', `PUT /compute/v2.1/servers/${unknown}`, { server: { name: 'a' } }, 404, 'compute/servers.py'],
    ['admin', `DELETE /compute/v2.1/servers/${unknown}`, undefined, 404, 'compute/servers.py'],
    ['member', 'DELETE /compute/v2.1/servers/{server}', undefined, 404, 'common.py: get_instance'],
    ['admin', 'POST /compute/v2.1/servers/{server}/action', { fly: null }, 400, 'wsgi.py: There is no such action'],
    ['admin', 'POST /compute/v2.1/servers/{server}/action', { reboot: {} }, 400, 'compute/schemas/servers.py: reboot'],
    ['admin', 'POST /compute/v2.1/servers/{server}/action', { unpause: null }, 409, 'compute/pause_server.py'],
    ['admin', 'POST /compute/v2.1/servers/{server}/action', { resume: null }, 409, 'compute/suspend_server.py'],
    ['admin', `POST /compute/v2.1/servers/${unknown}/action`, { 'os-stop': null }, 404, 'compute/servers.py'],
    ['admin', 'POST /compute/v2.1/os-keypairs', { keypair: {} }, 400, 'compute/schemas/keypairs.py'],
    [
      'admin',
      'POST /compute/v2.1/os-keypairs',
      { keypair: { name: 'k', public_key: publicKey } },
      409,
      'compute/keypairs.py',
    ],
    [
      'member',
      'POST /compute/v2.1/os-keypairs',
      { keypair: { name: 'k', public_key: publicKey } },
      403,
      'compute/keypairs.py',
    ],
    ['admin', 'DELETE /compute/v2.1/os-keypairs/none', undefined, 404, 'compute/keypairs.py'],
    ['admin', 'GET /compute/v2.1/flavors/none', undefined, 404, 'compute/flavors.py'],
    ['admin', 'POST /compute/v2.1/flavors', { flavor: {} }, 400, 'compute/schemas/flavors.py'],
    [
      'admin',
      'POST /compute/v2.1/flavors',
      { flavor: { name: 'm1.tiny', ram: 1, vcpus: 1, disk: 1 } },
      409,
      'compute/flavors.py',
    ],
    ['admin', 'POST /compute/v2.1/os-server-groups', { server_group: {} }, 400, 'compute/schemas/server_groups.py'],
    [
      'member',
      'POST /compute/v2.1/os-server-groups',
      { server_group: { name: 'a', policies: ['affinity'] } },
      403,
      'compute/server_groups.py: OverQuota',
    ],
    ['admin', `DELETE /compute/v2.1/os-server-groups/${unknown}`, undefined, 404, 'compute/server_groups.py'],
  ],
  identity: [
    ['admin', 'POST /identity/v3/auth/tokens', {}, 400, 'auth/schema.py'],
    ['admin', 'POST /identity/v3/projects', { project: {} }, 400, 'resource/schema.py'],
    ['admin', 'POST /identity/v3/projects', { project: { name: 'mine' } }, 409, 'exception.py: Conflict'],
    ['member', 'POST /identity/v3/projects', { project: { name: 'b' } }, 403, 'api/projects.py: enforce_call'],
    ['admin', `GET /identity/v3/projects/${unknown}`, undefined, 404, 'exception.py: ProjectNotFound'],
    ['member', 'GET /identity/v3/projects/{project}', undefined, 403, 'api/projects.py: enforce_call'],
    [
      'admin',
      `PATCH /identity/v3/projects/${unknown}`,
      { project: { name: 'b' } },
      404,
      'exception.py: ProjectNotFound',
    ],
    ['admin', `DELETE /identity/v3/projects/${unknown}`, undefined, 404, 'exception.py: ProjectNotFound'],
    ['admin', 'POST /identity/v3/users', { user: {} }, 400, 'identity/schema.py'],
    ['admin', 'POST /identity/v3/users', { user: { name: 'admin' } }, 409, 'exception.py: Conflict'],
    ['admin', `GET /identity/v3/users/${unknown}`, undefined, 404, 'exception.py: UserNotFound'],
    ['member', 'GET /identity/v3/users/{user}', undefined, 403, 'api/users.py: enforce_call'],
    ['member', `GET /identity/v3/users/${unknown}`, undefined, 403, 'api/users.py: enforce_call before the look-up'],
    ['admin', `PATCH /identity/v3/users/${unknown}`, { user: { name: 'b' } }, 404, 'exception.py: UserNotFound'],
    ['admin', `DELETE /identity/v3/users/${unknown}`, undefined, 404, 'exception.py: UserNotFound'],
    ['admin', 'POST /identity/v3/users/{user}/password', { user: {} }, 400, 'identity/schema.py: password_change'],
    [
      'admin',
      'POST /identity/v3/users/{user}/password',
      { user: { original_password: 'wrong', password: 'a longer password' } },
      401,
      'api/users.py: UserChangePasswordResource',
    ],
    ['admin', 'POST /identity/v3/roles', { role: {} }, 400, 'assignment/schema.py'],
    ['admin', 'POST /identity/v3/roles', { role: { name: 'member' } }, 409, 'exception.py: Conflict'],
    ['admin', `DELETE /identity/v3/roles/${unknown}`, undefined, 404, 'exception.py: RoleNotFound'],
    [
      'admin',
      `PUT /identity/v3/projects/{project}/users/{user}/roles/${unknown}`,
      undefined,
      404,
      'exception.py: RoleNotFound',
    ],
    [
      'admin',
      `DELETE /identity/v3/projects/{project}/users/{user}/roles/${unknown}`,
      undefined,
      404,
      'exception.py: RoleNotFound',
    ],
    ['admin', 'DELETE /identity/v3/domains/default', undefined, 403, 'resource/core.py: that is enabled'],
  ],
  image: [
    ['admin', 'POST /image/v2/images', { disk_format: 'floppy' }, 400, 'images.py: RequestDeserializer'],
    ['admin', 'POST /image/v2/images', { status: 'active' }, 403, 'images.py: RequestDeserializer, read-only'],
    ['admin', 'POST /image/v2/images', { id: '{image}' }, 409, 'images.py: create, Duplicate'],
    ['member', 'POST /image/v2/images', {}, 413, 'images.py: create, LimitExceeded'],
    ['admin', 'PATCH /image/v2/images/{image}', [{ op: 'fly', path: '/name' }], 400, 'images.py: RequestDeserializer'],
    ['admin', 'PATCH /image/v2/images/{image}', [rename('/status')], 403, 'images.py: _validate_change, read-only'],
    ['admin', `PATCH /image/v2/images/${unknown}`, [rename('/name')], 404, 'images.py: update'],
    ['member', 'PATCH /image/v2/images/{image}', [rename('/name')], 404, 'images.py: update'],
    ['member', 'PATCH /image/v2/images/{public}', [rename('/name')], 403, 'images.py: update'],
    ['admin', `GET /image/v2/images/${unknown}`, undefined, 404, 'images.py: show'],
    ['member', 'GET /image/v2/images/{image}', undefined, 404, 'images.py: show'],
    ['admin', `DELETE /image/v2/images/${unknown}`, undefined, 404, 'images.py: delete'],
    ['member', 'DELETE /image/v2/images/{image}', undefined, 404, 'images.py: delete'],
    ['member', 'DELETE /image/v2/images/{public}', undefined, 403, 'images.py: delete'],
    ['admin', 'DELETE /image/v2/images/{protected}', undefined, 403, 'images.py: delete, ProtectedImageDelete'],
    ['admin', `GET /image/v2/images/${unknown}/file`, undefined, 404, 'image_data.py: download'],
    ['admin', 'PUT /image/v2/images/{image}/file', {}, 415, 'image_data.py: RequestDeserializer'],
    ['admin', `PUT /image/v2/images/${unknown}/tags/a`, undefined, 404, 'image_tags.py: update'],
    ['admin', 'DELETE /image/v2/images/{image}/tags/none', undefined, 404, 'image_tags.py: delete'],
    ['admin', 'POST /image/v2/images/{shared}/members', {}, 400, 'image_members.py: RequestDeserializer'],
    ['admin', 'POST /image/v2/images/{shared}/members', { member: '{memberProject}' }, 409, 'image_members.py: create'],
    ['admin', 'POST /image/v2/images/{public}/members', { member: 'b' }, 403, 'image_members.py: only shared images'],
    ['admin', `POST /image/v2/images/${unknown}/members`, { member: 'b' }, 404, 'image_members.py: _lookup_image'],
    ['admin', 'DELETE /image/v2/images/{shared}/members/none', undefined, 404, 'image_members.py: _lookup_member'],
    ['admin', `POST /image/v2/images/${unknown}/actions/deactivate`, undefined, 404, 'image_actions.py'],
  ],
  network: [
    ['admin', 'POST /networking/v2.0/networks', {}, 400, 'api/v2/base.py: prepare_request_body'],
    ['admin', 'POST /networking/v2.0/networks', { network: { colour: 1 } }, 400, 'neutron_lib/api/attributes.py'],
    ['member', 'POST /networking/v2.0/networks', { network: {} }, 409, 'neutron_lib/exceptions: OverQuota'],
    ['admin', `GET /networking/v2.0/networks/${unknown}`, undefined, 404, 'neutron_lib/exceptions: NetworkNotFound'],
    ['member', 'GET /networking/v2.0/networks/{network}', undefined, 404, 'pecan_wsgi/hooks/policy_enforcement.py'],
    [
      'member',
      'PUT /networking/v2.0/networks/{network}',
      { network: { name: 'b' } },
      404,
      'pecan_wsgi/hooks/policy_enforcement.py',
    ],
    [
      'admin',
      `PUT /networking/v2.0/networks/${unknown}`,
      { network: { name: 'b' } },
      404,
      'neutron_lib/exceptions: NetworkNotFound',
    ],
    ['member', 'DELETE /networking/v2.0/networks/{network}', undefined, 404, 'pecan_wsgi/hooks/policy_enforcement.py'],
    ['admin', 'DELETE /networking/v2.0/networks/{network}', undefined, 409, 'neutron_lib/exceptions: NetworkInUse'],
    ['admin', 'POST /networking/v2.0/subnets', { subnet: {} }, 400, 'neutron_lib/api/attributes.py'],
    [
      'admin',
      'POST /networking/v2.0/subnets',
      { subnet: { network_id: unknown, ip_version: 4, cidr: '10.9.0.0/24' } },
      404,
      'neutron_lib/exceptions: NetworkNotFound',
    ],
    [
      'admin',
      'POST /networking/v2.0/subnets',
      { subnet: { network_id: '{network}', ip_version: 4, cidr: '10.0.0.0/25' } },
      400,
      'db/ipam_backend_mixin.py: InvalidInput',
    ],
    ['admin', 'DELETE /networking/v2.0/subnets/{subnet}', undefined, 409, 'neutron_lib/exceptions: SubnetInUse'],
    ['admin', 'POST /networking/v2.0/ports', { port: {} }, 400, 'neutron_lib/api/attributes.py'],
    [
      'admin',
      'POST /networking/v2.0/ports',
      { port: { network_id: unknown } },
      404,
      'neutron_lib/exceptions: NetworkNotFound',
    ],
    [
      'admin',
      'POST /networking/v2.0/ports',
      { port: { network_id: '{network}', fixed_ips: [{ ip_address: '10.0.0.50' }] } },
      409,
      'ipam/exceptions.py: IpAddressAlreadyAllocated',
    ],
    ['member', 'GET /networking/v2.0/ports/{port}', undefined, 404, 'pecan_wsgi/hooks/policy_enforcement.py'],
    ['admin', `DELETE /networking/v2.0/ports/${unknown}`, undefined, 404, 'neutron_lib/exceptions: PortNotFound'],
    ['admin', 'DELETE /networking/v2.0/routers/{router}', undefined, 409, 'neutron_lib/exceptions/l3.py: RouterInUse'],
    ['admin', 'PUT /networking/v2.0/routers/{router}/add_router_interface', {}, 400, 'db/l3_db.py: BadRequest'],
    ['admin', 'POST /networking/v2.0/floatingips', { floatingip: {} }, 400, 'neutron_lib/api/attributes.py'],
    [
      'admin',
      'POST /networking/v2.0/floatingips',
      { floatingip: { floating_network_id: '{network}' } },
      400,
      'db/l3_db.py: BadRequest',
    ],
    [
      'admin',
      'DELETE /networking/v2.0/security-groups/{group}',
      undefined,
      409,
      'extensions/securitygroup.py: SecurityGroupInUse',
    ],
    [
      'admin',
      'POST /networking/v2.0/security-group-rules',
      { security_group_rule: {} },
      400,
      'neutron_lib/api/attributes.py',
    ],
    [
      'admin',
      'POST /networking/v2.0/security-group-rules',
      { security_group_rule: { security_group_id: '{group}', direction: 'egress', ethertype: 'IPv4' } },
      409,
      'extensions/securitygroup.py: SecurityGroupRuleExists',
    ],
  ],
};

/** Makes what the rows name, and leaves the member's project no room. */
async function prepare(cloud: Cloud): Promise<Readonly<Record<string, string>>> {
  await liftQuotas(cloud);
  const { gateway, memberProjectId: memberProject } = cloud;
  const make = async (path: string, body: object, method = 'POST') => {
    const answer = await gateway.call(method, path, { body });
    t.ok(answer.statusCode < 300, `${path}: ${answer.body.slice(0, 300)}`);
    return answer.json();
  };
  const image = async (body: object): Promise<string> => (await make('/image/v2/images', body)).id;
  const quota_set = { instances: 0, key_pairs: 0, server_groups: 0 };
  await make(`/compute/v2.1/os-quota-sets/${memberProject}`, { quota_set }, 'PUT');
  await make(`/networking/v2.0/quotas/${memberProject}`, { quota: { network: 0 } }, 'PUT');
  await make(`/image/v2/info/usage/${memberProject}`, { limits: { image_count_total: 0 } }, 'PUT');
  await make('/compute/v2.1/os-keypairs', { keypair: { name: 'k', public_key: publicKey } });
  await make('/identity/v3/projects', { project: { name: 'mine' } });
  const network = (await make('/networking/v2.0/networks', { network: {} })).network.id;
  const ofNetwork = { network_id: network };
  const subnetBody = { subnet: { ...ofNetwork, ip_version: 4, cidr: '10.0.0.0/24' } };
  const subnet = (await make('/networking/v2.0/subnets', subnetBody)).subnet.id;
  const group = (await make('/networking/v2.0/security-groups', { security_group: { name: 'a' } })).security_group.id;
  const port = { ...ofNetwork, fixed_ips: [{ ip_address: '10.0.0.50' }], security_groups: [group] };
  const router = (await make('/networking/v2.0/routers', { router: {} })).router.id;
  await make(`/networking/v2.0/routers/${router}/add_router_interface`, { subnet_id: subnet }, 'PUT');
  const shared = await image({ name: 'shared', visibility: 'shared' });
  await make(`/image/v2/images/${shared}/members`, { member: memberProject });
  return {
    memberProject,
    network,
    subnet,
    group,
    router,
    shared,
    port: (await make('/networking/v2.0/ports', { port })).port.id,
    server: (await make('/compute/v2.1/servers', server({ networks: undefined }))).server.id,
    image: await image({ name: 'private', visibility: 'private' }),
    public: await image({ name: 'public', visibility: 'public' }),
    protected: await image({ name: 'protected', protected: true }),
    project: gateway.adminProjectId,
    user: gateway.adminUserId,
  };
}

void t.test('what is refused is refused with the real status', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const ids = new Map(Object.entries(await prepare(cloud)));
  const named = (text: string): string => text.replaceAll(/\{([a-zA-Z]+)\}/g, (whole, name) => ids.get(name) ?? whole);
  for (const [service, rows] of Object.entries(refusals)) {
    await t.test(service, async (t) => {
      for (const [asker, operation, body, status, source] of rows) {
        const [method = '', path = ''] = named(operation).split(' ');
        const answer = await cloud.gateway.call(method, path, {
          ...(body === undefined ? {} : { body: JSON.parse(named(JSON.stringify(body))) }),
          ...(asker === 'member' ? { token: cloud.memberToken } : {}),
          headers: {
            'openstack-api-version': 'compute 2.37',
            ...(operation.startsWith('PATCH /image/') ? { 'content-type': patchType } : {}),
          },
        });
        const said = `${asker}: ${operation} ${JSON.stringify(body) ?? ''}: ${answer.body.slice(0, 200)} (${source})`;
        t.equal(answer.statusCode, status, said);
        // Clients of Neutron go by the name of its exception.
        const exception = service === 'network' ? /: ([A-Z]\w+)$/.exec(source)?.[1] : undefined;
        if (exception !== undefined) t.equal(answer.json().NeutronError.type, exception, said);
      }
    });
  }
});
