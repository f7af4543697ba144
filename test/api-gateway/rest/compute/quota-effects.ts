/** Every limit of a quota set: kept, shown, and holding. */
import { randomUUID } from 'node:crypto';
import { addMember } from '../cloud.ts';
import type { Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { publicKey } from './kit/public-key.ts';
import { at } from './server-effects.ts';

/** Sends as a member of the project whose quota it is, and returns the status. */
type Use = (path: string, body: object, minor?: number) => Promise<number>;

const server = (extra: object = {}) => ({
  server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', ...extra },
});

interface Holding {
  /** Too small for `use`. */
  readonly low: number;
  readonly high: number;
  /** What the refusal answers. Neutron's own is 409. */
  readonly status?: number;
  readonly use: (use: Use) => Promise<number>;
}

/** With the low limit `use` is refused, with the high one it is not; both are shown. */
const holds =
  (name: string, { low, high, status = 403, use }: Holding): Effect =>
  async (t, cloud) => {
    const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
    const ask: Use = async (path, body, minor = 52) =>
      (await cloud.gateway.call('POST', path, { body, token, headers: at(minor) })).statusCode;
    for (const [limit, expected] of [
      [low, status],
      [high, undefined],
    ] as const) {
      const set = await put(cloud, project, { [name]: limit });
      t.equal(set.quota_set[name], limit);
      t.equal((await cloud.ask('GET', `/compute/v2.1/os-quota-sets/${project}`)).quota_set[name], limit);
      const answered = await use(ask);
      if (expected === undefined) t.ok(answered >= 200 && answered < 300, `${limit}: ${answered}`);
      else t.equal(answered, expected, `${limit}`);
    }
    await put(cloud, project, { [name]: -2 }, 400);
  };

const put = (cloud: EffectCloud, project: string, quota_set: object, status = 200) =>
  cloud.ask('PUT', `/compute/v2.1/os-quota-sets/${project}`, { body: { quota_set }, status });

const servers = '/compute/v2.1/servers';
const file = (path: string, text: string) => ({ path, contents: Buffer.from(text).toString('base64') });

const limits: Readonly<Record<string, Holding>> = {
  instances: { low: 0, high: 1, use: (use) => use(servers, server()) },
  cores: { low: 0, high: 1, use: (use) => use(servers, server()) },
  ram: { low: 1, high: 8192, use: (use) => use(servers, server()) },
  metadata_items: { low: 1, high: 2, use: (use) => use(servers, server({ metadata: { a: '1', b: '2' } })) },
  key_pairs: {
    low: 0,
    high: 1,
    use: (use) => use('/compute/v2.1/os-keypairs', { keypair: { name: randomUUID(), public_key: publicKey } }),
  },
  server_groups: {
    low: 0,
    high: 1,
    use: (use) => use('/compute/v2.1/os-server-groups', { server_group: { name: 'g', policies: ['affinity'] } }),
  },
  injected_files: { low: 0, high: 1, use: (use) => use(servers, server({ personality: [file('/a', 'x')] })) },
  injected_file_content_bytes: {
    low: 2,
    high: 3,
    use: (use) => use(servers, server({ personality: [file('/a', 'xyz')] })),
  },
  injected_file_path_bytes: {
    low: 2,
    high: 3,
    use: (use) => use(servers, server({ personality: [file('/ab', 'x')] })),
  },
  security_groups: {
    low: 1,
    high: 2,
    status: 409,
    use: (use) => use('/networking/v2.0/security-groups', { security_group: { name: 'g' } }),
  },
};

export const quotaEffects: Effects = {
  ...Object.fromEntries(
    Object.entries(limits).map(([name, holding]) => [`quotaSetBody: quota_set.${name}`, holds(name, holding)]),
  ),
  'quotaSetBody: quota_set.server_group_members': async (t, cloud) => {
    const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
    const body = { server_group: { name: 'g', policies: ['affinity'] } };
    const { server_group } = await cloud.ask('POST', '/compute/v2.1/os-server-groups', { body, token });
    const join = async () =>
      (
        await cloud.gateway.call('POST', servers, {
          body: { ...server(), 'os:scheduler_hints': { group: server_group.id } },
          token,
          headers: at(52),
        })
      ).statusCode;
    for (const [limit, status] of [
      [0, 403],
      [1, 202],
    ] as const) {
      t.equal((await put(cloud, project, { server_group_members: limit })).quota_set.server_group_members, limit);
      t.equal(await join(), status);
    }
  },
  'quotaSetBody: quota_set.security_group_rules': async (t, cloud) => {
    const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
    const { security_groups } = await cloud.ask('GET', '/networking/v2.0/security-groups', { token });
    const { security_group_rules: rules } = await cloud.ask('GET', '/networking/v2.0/security-group-rules', { token });
    const body = { security_group_rule: { security_group_id: security_groups[0].id, direction: 'ingress' } };
    for (const [limit, status] of [
      [rules.length, 409],
      [rules.length + 1, 201],
    ] as const) {
      await put(cloud, project, { security_group_rules: limit });
      const made = await cloud.gateway.call('POST', '/networking/v2.0/security-group-rules', { body, token });
      t.equal(made.statusCode, status, made.body);
    }
  },
  'quotaSetBody: quota_set.floating_ips': async (t, cloud) => {
    const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
    const network = { name: 'outside', 'router:external': true };
    const made = await cloud.ask('POST', '/networking/v2.0/networks', { body: { network } });
    const subnet = { network_id: made.network.id, cidr: '203.0.113.0/24', ip_version: 4 };
    await cloud.ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
    const body = { floatingip: { floating_network_id: made.network.id } };
    for (const [limit, status] of [
      [0, 409],
      [1, 201],
    ] as const) {
      await put(cloud, project, { floating_ips: limit });
      const answer = await cloud.gateway.call('POST', '/networking/v2.0/floatingips', { body, token });
      t.equal(answer.statusCode, status, answer.body);
    }
  },
  'quotaSetBody: quota_set.fixed_ips': async (t, cloud) => {
    const { memberProjectId: project } = await addMember(cloud.gateway);
    for (const fixed_ips of [7, -1]) {
      await put(cloud, project, { fixed_ips });
      t.equal((await cloud.ask('GET', `/compute/v2.1/os-quota-sets/${project}`)).quota_set.fixed_ips, fixed_ips);
    }
  },
  'quotaSetBody: quota_set.force': async (t, cloud) => {
    const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
    await cloud.ask('POST', servers, { body: server(), token, headers: at(52) });
    t.match(await put(cloud, project, { instances: 0 }, 400), { badRequest: {} });
    await put(cloud, project, { instances: 0, force: false }, 400);
    t.equal((await put(cloud, project, { instances: 0, force: true })).quota_set.instances, 0);
    t.equal((await put(cloud, project, { instances: 1, force: 'no' })).quota_set.instances, 1);
  },
};
