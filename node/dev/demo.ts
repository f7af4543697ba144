/** What `npm start` sets up in a new cloud, through the REST API like any user: image, key, networks, a router, one guest. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { CloudLayout } from './layout.ts';
import type { RestClient } from './rest-client.ts';

/** Ids of what was made. */
export interface Demo {
  readonly imageId: string;
  readonly externalNetworkId: string;
  readonly networkId: string;
  readonly subnetId: string;
  readonly routerId: string;
}

/** A booted guest. */
export interface DemoGuest {
  readonly serverId: string;
  readonly fixedIp: string;
  readonly portId: string;
}

/** Name of the key pair that logs in to the demo guests. */
export const demoKeyName = 'demo';
/** Size of the demo guest: the smallest flavor that a new mesh has. */
const demoFlavorId = '42';
/** Longest wait for a guest's own word that it is up: a boot takes 3 to 6 s under emulation, 16 s when all is busy. */
const guestReadyMsMax = 60_000;

type Rule = {
  readonly protocol: string | null;
  readonly port_range_min?: number | null;
  readonly port_range_max?: number | null;
};
type Named = { readonly id: string; readonly name: string };

/** Makes image, key pair, external network, tenant network, router; each only if there is none of its name. */
export async function makeDemo(client: RestClient, layout: CloudLayout, imagePath: string): Promise<Demo> {
  const find = async (path: string, kind: string, name: string): Promise<string | undefined> => {
    const body = await client.json(`${path}?name=${encodeURIComponent(name)}`);
    return (body[kind] as Named[]).find((item) => item.name === name)?.id;
  };
  const net = '/networking/v2.0';
  const imageId =
    (await find('/image/v2/images', 'images', 'shoal-guest')) ?? (await client.uploadImage('shoal-guest', imagePath));
  const externalNetworkId =
    (await find(`${net}/networks`, 'networks', 'external')) ??
    (await client.create(`${net}/networks`, 'network', { name: 'external', 'router:external': true })).id;
  if ((await find(`${net}/subnets`, 'subnets', 'external')) === undefined) {
    const base = layout.externalCidr.replace(/\.0\/24$/, '');
    await client.create(`${net}/subnets`, 'subnet', {
      name: 'external',
      network_id: externalNetworkId,
      ip_version: 4,
      cidr: layout.externalCidr,
      gateway_ip: layout.externalGateway,
      enable_dhcp: false,
      allocation_pools: [{ start: `${base}.10`, end: `${base}.250` }],
    });
  }
  const networkId =
    (await find(`${net}/networks`, 'networks', 'private')) ??
    (await client.create(`${net}/networks`, 'network', { name: 'private' })).id;
  const subnetId =
    (await find(`${net}/subnets`, 'subnets', 'private')) ??
    (
      await client.create(`${net}/subnets`, 'subnet', {
        name: 'private',
        network_id: networkId,
        ip_version: 4,
        cidr: '192.168.77.0/24',
        dns_nameservers: ['192.0.2.53'],
      })
    ).id;
  let routerId = await find(`${net}/routers`, 'routers', 'router');
  if (routerId === undefined) {
    const router = await client.create(`${net}/routers`, 'router', {
      name: 'router',
      external_gateway_info: { network_id: externalNetworkId },
    });
    routerId = router.id;
    await client.json(`${net}/routers/${routerId}/add_router_interface`, {
      method: 'PUT',
      body: { subnet_id: subnetId },
    });
  }
  await makeDemoKey(client, layout.demoKeyPath);
  await allowDemoTraffic(client);
  return { imageId, externalNetworkId, networkId, subnetId, routerId };
}

/** Makes the ordinary user and project `demo`: a member of one project, as most who use a cloud are. */
export async function makeDemoAccount(client: RestClient, password: string): Promise<void> {
  const find = async (kind: string): Promise<string | undefined> => {
    const body = await client.json(`/identity/v3/${kind}?name=demo`);
    return (body[kind] as Named[]).find((item) => item.name === 'demo')?.id;
  };
  const roles = (await client.json('/identity/v3/roles'))['roles'] as Named[];
  const projectId =
    (await find('projects')) ??
    (await client.create('/identity/v3/projects', 'project', { name: 'demo', domain_id: 'default' })).id;
  const userId =
    (await find('users')) ??
    (
      await client.create('/identity/v3/users', 'user', {
        name: 'demo',
        domain_id: 'default',
        password,
        default_project_id: projectId,
      })
    ).id;
  for (const role of roles) {
    if (role.name !== 'member' && role.name !== 'reader') continue;
    await client.json(`/identity/v3/projects/${projectId}/users/${userId}/roles/${role.id}`, { method: 'PUT' });
  }
}

/** Makes the key pair, its private half in a file for its owner alone; again when either half is gone. */
async function makeDemoKey(client: RestClient, path: string): Promise<void> {
  const route = '/compute/v2.1/os-keypairs';
  const { status } = await client.raw(`${route}/${demoKeyName}`);
  if (status === 200 && existsSync(path)) return;
  if (status === 200) await client.json(`${route}/${demoKeyName}`, { method: 'DELETE' });
  const body = await client.json(route, { method: 'POST', body: { keypair: { name: demoKeyName } } });
  writeFileSync(path, (body['keypair'] as { private_key: string }).private_key, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** Boots a guest and returns once it is ACTIVE; it may still be booting then. */
export async function bootGuest(
  client: RestClient,
  demo: Demo,
  name: string,
  schedulerHints: Readonly<Record<string, unknown>> = {},
): Promise<DemoGuest> {
  const server = await client.create(
    '/compute/v2.1/servers',
    'server',
    {
      name,
      flavorRef: demoFlavorId,
      imageRef: demo.imageId,
      key_name: demoKeyName,
      networks: [{ uuid: demo.networkId }],
    },
    { 'OS-SCH-HNT:scheduler_hints': schedulerHints },
  );
  await client.waitForServer(server.id, 'ACTIVE', guestReadyMsMax);
  const ports = (await client.json(`/networking/v2.0/ports?device_id=${server.id}`))['ports'] as {
    id: string;
    fixed_ips: { ip_address: string }[];
  }[];
  const port = ports[0];
  const fixedIp = port?.fixed_ips[0]?.ip_address;
  if (port === undefined || fixedIp === undefined) throw new Error(`server ${server.id} has no address`);
  return { serverId: server.id, fixedIp, portId: port.id };
}

/** Gives a guest a floating IP and returns it. */
export async function addFloatingIp(client: RestClient, demo: Demo, guest: DemoGuest): Promise<string> {
  const made = await client.create('/networking/v2.0/floatingips', 'floatingip', {
    floating_network_id: demo.externalNetworkId,
    port_id: guest.portId,
  });
  return String(made['floating_ip_address']);
}

/** Waits for the guest's own word on its console that it is up. */
export async function waitUntilReady(client: RestClient, serverId: string, boots = 1): Promise<void> {
  const deadline = Date.now() + guestReadyMsMax;
  let log = '';
  while (Date.now() < deadline) {
    log = await client.consoleLog(serverId, 500);
    if (log.split('@@ ready').length > boots) return;
    await delay(200);
  }
  throw new Error(`the guest does not say that it is ready; the end of its console:\n${log.slice(-1500)}`);
}

/** Waits until the guest's web server answers at `address`, as seen from this machine. */
export async function waitUntilAnswers(address: string, timeoutMs = guestReadyMsMax): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const response = await fetch(`http://${address}/cgi-bin/whoami`, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return (await response.text()).trim();
    } catch (caught) {
      if (Date.now() > deadline) throw new Error(`nothing answers at http://${address}/`, { cause: caught });
    }
    await delay(100);
  }
}

/** Opens ping, SSH and port 80 in the project's default security group, which lets nothing in otherwise. */
async function allowDemoTraffic(client: RestClient): Promise<void> {
  const token = await client.json('/identity/v3/auth/tokens', { headers: { 'x-subject-token': await client.token() } });
  const projectId = (token['token'] as { project: { id: string } }).project.id;
  const body = await client.json(`/networking/v2.0/security-groups?name=default&project_id=${projectId}`);
  const group = (body['security_groups'] as (Named & { security_group_rules: Rule[] })[])[0];
  if (group === undefined) throw new Error('the project has no default security group');
  const port = (number: number): Rule => ({ protocol: 'tcp', port_range_min: number, port_range_max: number });
  const rules: readonly Rule[] = [{ protocol: 'icmp' }, port(22), port(80)];
  for (const rule of rules) {
    const isSame = (existing: Rule): boolean =>
      existing.protocol === rule.protocol && (existing.port_range_min ?? undefined) === rule.port_range_min;
    if (group.security_group_rules.some(isSame)) continue;
    await client.create('/networking/v2.0/security-group-rules', 'security_group_rule', {
      security_group_id: group.id,
      direction: 'ingress',
      ethertype: 'IPv4',
      remote_ip_prefix: '0.0.0.0/0',
      ...rule,
    });
  }
}
