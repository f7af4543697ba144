/** Pairs that differ in as much as they can, and every key of the lists' queries that must tell them apart. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as filters from '../../../../api-gateway/rest/network/filters.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';

interface Pair {
  readonly a: Answer;
  readonly b: Answer;
}

/** One collection: its path, its key in an answer, and a pair of it. */
interface List {
  readonly path: string;
  readonly key: string;
  readonly known: filters.ListKeys;
  /** Pages are of what has an id. */
  readonly hasPages: boolean;
  readonly pair: (cloud: EffectCloud) => Promise<Pair>;
}

const post = async (cloud: EffectCloud, path: string, key: string, body: object): Promise<Answer> =>
  (await cloud.ask('POST', `/networking/v2.0/${path}`, { body: { [key]: body }, status: 201 }))[key];
const put = (cloud: EffectCloud, path: string, body: object) =>
  cloud.ask('PUT', `/networking/v2.0/${path}`, { body, status: 200 });
/** Ids of what some lists are of, by the clouds that they are in. */
const parents = new WeakMap<object, string>();
const pathOf = (cloud: EffectCloud, path: string): string => path.replace(':id', parents.get(cloud.world) ?? ':id');
const list = async (cloud: EffectCloud, { path, key }: List, query = ''): Promise<readonly Answer[]> =>
  (await cloud.ask('GET', `/networking/v2.0/${pathOf(cloud, path)}?${query}`, { status: 200 }))[key];
const identityOf = (view: Answer): string =>
  view.id ?? view.network_id ?? view.alias ?? `${view.name} ${view.resource}`;

/** `b` belongs to the member's project, was made a second later, and has other tags. */
async function tagged(cloud: EffectCloud, path: string, make: (b: boolean, project: string) => Promise<Answer>) {
  const a = await make(false, cloud.gateway.adminProjectId);
  await sleep(1_100);
  const b = await make(true, cloud.memberProjectId);
  await put(cloud, `${path}/${a.id}/tags`, { tags: ['x', 'both'] });
  await put(cloud, `${path}/${b.id}/tags`, { tags: ['y', 'both'] });
  const shown = async ({ id }: Answer): Promise<Answer> => {
    const answer = await cloud.ask('GET', `/networking/v2.0/${path}/${id}`);
    return answer[Object.keys(answer)[0] ?? ''];
  };
  return { a: await shown(a), b: await shown(b) };
}
/** In the other order than the times. */
const descriptionOf = (b: boolean) => (b ? 'the one' : 'the other');
const words = (b: boolean) => ({ name: `${b ? 'b' : 'a'}-${randomUUID()}`, description: descriptionOf(b) });

let subnets = 0;
const nextCidr = (): string => `10.${64 + Math.floor(subnets / 250)}.${subnets++ % 250}.0/24`;

async function makeNetwork(cloud: EffectCloud, project_id: string, attributes: object = {}): Promise<string> {
  return (await post(cloud, 'networks', 'network', { ...words(false), project_id, ...attributes })).id;
}
async function makeSubnet(cloud: EffectCloud, network_id: string, project_id: string, attributes: object = {}) {
  const subnet = { network_id, cidr: nextCidr(), ip_version: 4, project_id, ...attributes };
  return post(cloud, 'subnets', 'subnet', subnet);
}

const networks: List['pair'] = (cloud) =>
  tagged(cloud, 'networks', async (b, project_id) => {
    const made = await post(cloud, 'networks', 'network', {
      ...words(b),
      project_id,
      admin_state_up: !b,
      shared: b,
      mtu: b ? 1300 : 1400,
      port_security_enabled: !b,
      ...(b ? {} : { 'router:external': true }),
    });
    await makeSubnet(cloud, made.id, project_id);
    return made;
  });
const subnetPair: List['pair'] = (cloud) =>
  tagged(cloud, 'subnets', async (b, project_id) => {
    const network = await makeNetwork(cloud, project_id);
    const attributes = { dns_nameservers: [b ? '192.0.2.2' : '192.0.2.1'], enable_dhcp: !b };
    return makeSubnet(cloud, network, project_id, { ...words(b), ...attributes, ...(b ? { gateway_ip: null } : {}) });
  });
const subnetPools: List['pair'] = (cloud) =>
  tagged(cloud, 'subnetpools', (b, project_id) =>
    post(cloud, 'subnetpools', 'subnetpool', {
      ...words(b),
      project_id,
      prefixes: [nextCidr()],
      ...(b
        ? {
            min_prefixlen: 26,
            max_prefixlen: 28,
            default_prefixlen: 27,
            default_quota: 128,
            shared: true,
            is_default: true,
          }
        : {}),
    }),
  );
const ports: List['pair'] = (cloud) =>
  tagged(cloud, 'ports', async (b, project_id) => {
    const network_id = await makeNetwork(cloud, project_id);
    await makeSubnet(cloud, network_id, project_id);
    const group = await post(cloud, 'security-groups', 'security_group', { ...words(b), project_id });
    return post(cloud, 'ports', 'port', {
      ...words(b),
      ...{ network_id, project_id, admin_state_up: !b },
      device_id: b ? '' : `device-${randomUUID()}`,
      device_owner: b ? '' : 'network:own',
      ...(b ? { port_security_enabled: false } : { security_groups: [group.id] }),
    });
  });
const routers: List['pair'] = (cloud) =>
  tagged(cloud, 'routers', (b, project_id) =>
    post(cloud, 'routers', 'router', { ...words(b), project_id, admin_state_up: !b }),
  );
const floatingIps: List['pair'] = (cloud) =>
  tagged(cloud, 'floatingips', async (b, project_id) => {
    const outside = await makeNetwork(cloud, project_id, { 'router:external': true });
    await makeSubnet(cloud, outside, project_id);
    const inside = await makeNetwork(cloud, project_id);
    const subnet = await makeSubnet(cloud, inside, project_id);
    const gateway = { external_gateway_info: { network_id: outside } };
    const router = await post(cloud, 'routers', 'router', { ...words(b), project_id, ...gateway });
    await put(cloud, `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const port = await post(cloud, 'ports', 'port', { ...words(b), network_id: inside, project_id });
    return post(cloud, 'floatingips', 'floatingip', {
      ...{ description: descriptionOf(b), project_id, floating_network_id: outside },
      ...(b ? {} : { port_id: port.id }),
    });
  });
const forwardings: List['pair'] = async (cloud) => {
  const project_id = cloud.gateway.adminProjectId;
  const outside = await makeNetwork(cloud, project_id, { 'router:external': true });
  await makeSubnet(cloud, outside, project_id);
  const inside = await makeNetwork(cloud, project_id);
  const subnet = await makeSubnet(cloud, inside, project_id);
  const gateway = { external_gateway_info: { network_id: outside } };
  const router = await post(cloud, 'routers', 'router', { ...words(false), ...gateway });
  await put(cloud, `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const floating = await post(cloud, 'floatingips', 'floatingip', { floating_network_id: outside });
  parents.set(cloud.world, floating.id);
  const make = async (b: boolean): Promise<Answer> => {
    const port = await post(cloud, 'ports', 'port', { network_id: inside });
    return post(cloud, `floatingips/${floating.id}/port_forwardings`, 'port_forwarding', {
      protocol: b ? 'udp' : 'tcp',
      external_port: b ? 5353 : 8080,
      internal_port: b ? 53 : 80,
      internal_port_id: port.id,
      description: descriptionOf(b),
    });
  };
  return { a: await make(false), b: await make(true) };
};
const groups: List['pair'] = (cloud) =>
  tagged(cloud, 'security-groups', (b, project_id) =>
    post(cloud, 'security-groups', 'security_group', { ...words(b), project_id, stateful: !b }),
  );
const rules: List['pair'] = async (cloud) => {
  const pair = await groups(cloud);
  const make = async (b: boolean): Promise<Answer> =>
    post(cloud, 'security-group-rules', 'security_group_rule', {
      security_group_id: b ? pair.b.id : pair.a.id,
      direction: b ? 'egress' : 'ingress',
      ethertype: b ? 'IPv6' : 'IPv4',
      protocol: b ? 'udp' : 'tcp',
      port_range_min: b ? 53 : 80,
      port_range_max: b ? 54 : 81,
      description: descriptionOf(b),
      ...(b ? { remote_group_id: pair.b.id } : { remote_ip_prefix: '192.0.2.7/24' }),
    });
  const a = await make(false);
  await sleep(1_100);
  return { a, b: await make(true) };
};
const addressGroups: List['pair'] = async (cloud) => {
  const make = (b: boolean, project_id: string): Promise<Answer> =>
    post(cloud, 'address-groups', 'address_group', { ...words(b), project_id, addresses: [nextCidr()] });
  const a = await make(false, cloud.gateway.adminProjectId);
  await sleep(1_100);
  return { a, b: await make(true, cloud.memberProjectId) };
};
const templates: List['pair'] = async (cloud) => {
  const make = (b: boolean): Promise<Answer> =>
    post(cloud, 'default-security-group-rules', 'default_security_group_rule', {
      direction: b ? 'egress' : 'ingress',
      ethertype: b ? 'IPv6' : 'IPv4',
      protocol: b ? 'udp' : 'tcp',
      port_range_min: b ? 53 : 80,
      port_range_max: b ? 54 : 81,
      description: descriptionOf(b),
      used_in_default_sg: b,
      used_in_non_default_sg: !b,
      ...(b ? { remote_group_id: 'PARENT' } : { remote_ip_prefix: '192.0.2.7/24' }),
    });
  return { a: await make(false), b: await make(true) };
};
const policies: List['pair'] = async (cloud) => {
  const make = async (b: boolean): Promise<Answer> => {
    const object_type = b ? 'subnetpool' : 'network';
    const project_id = b ? cloud.memberProjectId : cloud.gateway.adminProjectId;
    const object_id = b
      ? (await post(cloud, 'subnetpools', 'subnetpool', { ...words(b), prefixes: [nextCidr()] })).id
      : await makeNetwork(cloud, cloud.gateway.adminProjectId, { 'router:external': true });
    const action = b ? 'access_as_shared' : 'access_as_external';
    const target_tenant = b ? 'one' : 'another';
    return post(cloud, 'rbac-policies', 'rbac_policy', { project_id, object_type, object_id, action, target_tenant });
  };
  return { a: await make(false), b: await make(true) };
};
const firstTwo = async (cloud: EffectCloud, path: string, key: string): Promise<Pair> => {
  const [a, ...others] = (await cloud.ask('GET', `/networking/v2.0/${path}`))[key];
  return { a, b: others.find((other: Answer) => identityOf(other) !== identityOf(a)) };
};
const quotas: List['pair'] = async (cloud) => {
  for (const project of [cloud.gateway.adminProjectId, cloud.memberProjectId]) {
    await put(cloud, `quotas/${project}`, { quota: { network: -1 } });
  }
  const all: Answer[] = (await cloud.ask('GET', '/networking/v2.0/quotas')).quotas;
  return {
    a: all.find(({ id }) => id === cloud.gateway.adminProjectId),
    b: all.find(({ id }) => id === cloud.memberProjectId),
  };
};
const availabilities: List['pair'] = async (cloud) => {
  const a = await makeNetwork(cloud, cloud.gateway.adminProjectId);
  const b = await makeNetwork(cloud, cloud.memberProjectId);
  const all: Answer[] = (await cloud.ask('GET', '/networking/v2.0/network-ip-availabilities'))[
    'network_ip_availabilities'
  ];
  return { a: all.find((each) => each.network_id === a), b: all.find((each) => each.network_id === b) };
};

const lists: readonly List[] = [
  { path: 'networks', key: 'networks', known: filters.networkKeys, hasPages: true, pair: networks },
  { path: 'subnets', key: 'subnets', known: filters.subnetKeys, hasPages: true, pair: subnetPair },
  { path: 'subnetpools', key: 'subnetpools', known: filters.subnetPoolKeys, hasPages: true, pair: subnetPools },
  { path: 'ports', key: 'ports', known: filters.portKeys, hasPages: true, pair: ports },
  { path: 'routers', key: 'routers', known: filters.routerKeys, hasPages: true, pair: routers },
  { path: 'floatingips', key: 'floatingips', known: filters.floatingIpKeys, hasPages: true, pair: floatingIps },
  {
    ...{ path: 'floatingips/:id/port_forwardings', key: 'port_forwardings', known: filters.portForwardingKeys },
    ...{ hasPages: true, pair: forwardings },
  },
  { path: 'security-groups', key: 'security_groups', known: filters.securityGroupKeys, hasPages: true, pair: groups },
  { path: 'security-group-rules', key: 'security_group_rules', known: filters.ruleKeys, hasPages: true, pair: rules },
  {
    path: 'address-groups',
    key: 'address_groups',
    known: filters.addressGroupKeys,
    hasPages: true,
    pair: addressGroups,
  },
  {
    ...{ path: 'default-security-group-rules', key: 'default_security_group_rules', hasPages: true },
    ...{ known: filters.defaultGroupRuleKeys, pair: templates },
  },
  { path: 'rbac-policies', key: 'rbac_policies', known: filters.rbacPolicyKeys, hasPages: true, pair: policies },
  {
    ...{ path: 'agents', key: 'agents', known: filters.agentKeys, hasPages: false },
    pair: (cloud) => firstTwo(cloud, 'agents', 'agents'),
  },
  {
    ...{ path: 'availability_zones', key: 'availability_zones', known: filters.zoneKeys, hasPages: false },
    pair: (cloud) => firstTwo(cloud, 'availability_zones', 'availability_zones'),
  },
  {
    ...{ path: 'network-ip-availabilities', key: 'network_ip_availabilities', known: filters.availabilityKeys },
    ...{ hasPages: false, pair: availabilities },
  },
  { path: 'quotas', key: 'quotas', known: filters.quotaKeys, hasPages: false, pair: quotas },
  {
    ...{ path: 'extensions', key: 'extensions', known: filters.extensionKeys, hasPages: false },
    pair: (cloud) => firstTwo(cloud, 'extensions', 'extensions'),
  },
];

const made = new WeakMap<object, Map<string, Promise<Pair>>>();
/** One pair of each list for a whole run. */
function pairOf(cloud: EffectCloud, of: List): Promise<Pair> {
  const pairs = made.get(cloud.world) ?? new Map<string, Promise<Pair>>();
  made.set(cloud.world, pairs);
  const pair = pairs.get(of.path) ?? of.pair(cloud);
  pairs.set(of.path, pair);
  return pair;
}

/** How a value is asked for, and what nothing has. */
const textOf = (value: unknown): string => String((Array.isArray(value) ? value[0] : value) ?? '');
function otherThan(value: unknown): string {
  if (typeof value === 'boolean') return String(!value);
  return typeof value === 'number' ? String(value + 1) : 'other';
}

/** Where the two differ, each value finds its own; where all are alike, their value finds both and another one neither. */
const byAttribute =
  (of: List, key: string): Effect =>
  async (t, cloud) => {
    const { a, b } = await pairOf(cloud, of);
    const finds = async (query: string): Promise<readonly boolean[]> => {
      const found = (await list(cloud, of, query)).map(identityOf);
      return [found.includes(identityOf(a)), found.includes(identityOf(b))];
    };
    t.strictSame(await finds(''), [true, true]);
    const asked = (text: string): string => `${encodeURIComponent(key)}=${encodeURIComponent(text)}`;
    if (textOf(a[key]) === textOf(b[key])) {
      t.strictSame(await finds(asked(textOf(a[key]))), [true, true]);
      t.strictSame(await finds(asked(otherThan(a[key]))), [false, false]);
    } else {
      t.strictSame(await finds(asked(textOf(a[key]))), [true, false]);
      t.strictSame(await finds(asked(textOf(b[key]))), [false, true]);
    }
  };

/** Finds `a` and not `b`; without it, both. */
const finds =
  (of: List, query: (pair: Pair) => string): Effect =>
  async (t, cloud) => {
    const pair = await pairOf(cloud, of);
    for (const [text, expected] of [
      ['', [true, true]],
      [query(pair), [true, false]],
    ] as const) {
      const found = (await list(cloud, of, text)).map(identityOf);
      t.strictSame([found.includes(identityOf(pair.a)), found.includes(identityOf(pair.b))], expected, text);
    }
  };

const special: Readonly<Record<string, (of: List) => Effect>> = {
  tags: (of) => finds(of, () => 'tags=x,both'),
  'tags-any': (of) => finds(of, () => 'tags-any=x,none'),
  'not-tags': (of) => finds(of, () => 'not-tags=y,both'),
  'not-tags-any': (of) => finds(of, () => 'not-tags-any=y,none'),
  fixed_ips: (of) => finds(of, ({ a }) => `fixed_ips=ip_address%3D${a.fixed_ips[0].ip_address}`),
  security_groups: (of) => finds(of, ({ a }) => `security_groups=${a.security_groups[0]}`),
  changed_since: (of) => async (t, cloud) => {
    const pair = await pairOf(cloud, of);
    const found = (await list(cloud, of, `changed_since=${pair.b.updated_at}`)).map(identityOf);
    t.ok(found.includes(identityOf(pair.b)));
    t.ok((await list(cloud, of)).map(identityOf).includes(identityOf(pair.b)));
    t.strictSame(await list(cloud, of, 'changed_since=2100-01-01T00:00:00Z'), []);
    await cloud.ask('GET', `/networking/v2.0/${of.path}?changed_since=soon`, { status: 400 });
  },
  ip_version: (of) =>
    of.path === 'subnets'
      ? byAttribute(of, 'ip_version')
      : async (t, cloud) => {
          await pairOf(cloud, of);
          t.ok((await list(cloud, of, 'ip_version=4')).length > 0);
          t.strictSame(await list(cloud, of, 'ip_version=6'), []);
        },
};

function pages(of: List): Effects {
  const ids = async (cloud: EffectCloud, query: string) => (await list(cloud, of, query)).map(identityOf);
  const route = `GET /v2.0/${of.path}`;
  const sorts: Effect = async (t, cloud) => {
    const { a, b } = await pairOf(cloud, of);
    for (const key of Object.keys(a).filter(
      (name) => /^(string|number)$/.test(typeof a[name]) && a[name] !== b[name],
    )) {
      const order = async (direction: string) => {
        const query = `sort_key=${encodeURIComponent(key)}&sort_dir=${direction}`;
        return (await ids(cloud, query)).filter((id) => id === a.id || id === b.id);
      };
      const upwards = typeof a[key] === 'number' ? a[key] < b[key] : String(a[key]) < String(b[key] ?? '');
      t.strictSame(await order('asc'), upwards ? [a.id, b.id] : [b.id, a.id], `${key} upwards`);
      t.strictSame(await order('desc'), upwards ? [b.id, a.id] : [a.id, b.id], `${key} downwards`);
    }
    await cloud.ask('GET', `/networking/v2.0/${pathOf(cloud, of.path)}?sort_key=none`, { status: 400 });
    await cloud.ask('GET', `/networking/v2.0/${pathOf(cloud, of.path)}?sort_key=id&sort_dir=up`, { status: 400 });
  };
  return {
    [`${route} ?limit`]: async (t, cloud) => {
      await pairOf(cloud, of);
      t.equal((await ids(cloud, 'limit=1')).length, 1);
      t.equal((await ids(cloud, 'limit=2')).length, 2);
    },
    [`${route} ?marker`]: async (t, cloud) => {
      await pairOf(cloud, of);
      const all = await ids(cloud, '');
      t.strictSame(await ids(cloud, `marker=${all[0]}`), all.slice(1));
    },
    [`${route} ?page_reverse`]: async (t, cloud) => {
      await pairOf(cloud, of);
      const all = await ids(cloud, '');
      t.strictSame(await ids(cloud, 'limit=1&page_reverse=true'), all.slice(-1));
      t.strictSame(await ids(cloud, 'limit=1&page_reverse=false'), all.slice(0, 1));
    },
    [`${route} ?fields`]: async (t, cloud) => {
      const { a } = await pairOf(cloud, of);
      const other = 'project_id' in a ? 'project_id' : 'protocol';
      for (const view of await list(cloud, of, `fields=id&fields=${other}`)) {
        t.strictSame(Object.keys(view).sort(), ['id', other]);
      }
      t.ok((await list(cloud, of)).some((view) => Object.keys(view).length > 2));
    },
    [`${route} ?sort_key`]: sorts,
    [`${route} ?sort_dir`]: sorts,
  };
}

/** Unknown to those who are not shown it. */
const forAdmins =
  (of: List, key: string): Effect =>
  async (t, cloud) => {
    await byAttribute(of, key)(t, cloud);
    const path = `/networking/v2.0/${of.path}?${encodeURIComponent(key)}=x`;
    t.match(await cloud.ask('GET', path, { token: cloud.memberToken, status: 400 }), {
      NeutronError: { message: key },
    });
  };

export const listEffects: Effects = Object.fromEntries(
  lists.flatMap((of) => {
    const { keys, guarded } = of.known;
    const hidden = guarded?.keys ?? [];
    const route = `GET /v2.0/${of.path}`;
    return [
      ...keys.map((key) => [`${route} ?${key}`, special[key]?.(of) ?? byAttribute(of, key)] as const),
      ...hidden.map((key) => [`${route} ?${key}`, forAdmins(of, key)] as const),
      ...(of.hasPages ? Object.entries(pages(of)) : []),
    ];
  }),
);
