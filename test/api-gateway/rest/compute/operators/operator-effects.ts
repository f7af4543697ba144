/** Every attribute of quota classes, external events and hosts: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { hostsAct } from '../../../../node/services/compute-world.ts';
import { addMember } from '../../cloud.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../../effects/effects.ts';
import { at } from '../server-effects.ts';

/** Where the bodies go. */
export const operatorRoutes = {
  quotaClassSetBody: ['PUT /v2.1/os-quota-class-sets/:id'],
  externalEventsBody: ['POST /v2.1/os-server-external-events'],
  hostBody: ['PUT /v2.1/os-hosts/:id'],
} as const;

const classes = '/compute/v2.1/os-quota-class-sets';
const put = async (cloud: EffectCloud, quota_class_set: object, minor: number, status = 200): Promise<Answer> =>
  (await cloud.ask('PUT', `${classes}/default`, { body: { quota_class_set }, headers: at(minor), status }))
    .quota_class_set;

/** Of the microversion that has it: holds for projects without limits of their own, and for no other. */
const ofClass =
  (name: string, minor: number, without: number): Effect =>
  async (t, cloud) => {
    const { memberProjectId: project } = await addMember(cloud.gateway);
    const own = await addMember(cloud.gateway);
    const sets = '/compute/v2.1/os-quota-sets';
    await cloud.ask('PUT', `${sets}/${own.memberProjectId}`, { body: { quota_set: { [name]: 3 } } });
    for (const limit of [77, -1]) {
      t.equal((await put(cloud, { [name]: limit }, minor))[name], limit);
      const shown = (await cloud.ask('GET', `${classes}/default`, { headers: at(minor) })).quota_class_set;
      t.match(shown, { id: 'default', [name]: limit });
      for (const path of [`${sets}/${project}`, `${sets}/${project}/defaults`]) {
        t.equal((await cloud.ask('GET', path)).quota_set[name], limit, path);
      }
      t.equal((await cloud.ask('GET', `${sets}/${own.memberProjectId}`)).quota_set[name], 3);
    }
    await put(cloud, { [name]: -2 }, minor, 400);
    if (without > 0) {
      await put(cloud, { [name]: 5 }, without, 400);
      const other = (await cloud.ask('GET', `${classes}/default`, { headers: at(without) })).quota_class_set;
      t.notOk(name in other, `2.${without} has it not`);
    }
    const body = { quota_class_set: { [name]: 5 } };
    await cloud.ask('PUT', `${classes}/gold`, { body, headers: at(minor), status: 400 });
    await cloud.ask('PUT', `${classes}/default`, { body, headers: at(minor), status: 403, token: cloud.memberToken });
  };

const usual = ['instances', 'cores', 'ram', 'metadata_items', 'key_pairs'];
const groups = ['server_groups', 'server_group_members'];
const network = ['floating_ips', 'fixed_ips', 'security_groups', 'security_group_rules'];
const files = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes'];
const quotaClasses: Effects = Object.fromEntries(
  [
    ...usual.map((name) => [name, ofClass(name, 1, 0)] as const),
    ...groups.map((name) => [name, ofClass(name, 50, 49)] as const),
    ...network.map((name) => [name, ofClass(name, 49, 50)] as const),
    ...files.map((name) => [name, ofClass(name, 56, 57)] as const),
  ].map(([name, effect]) => [`quotaClassSetBody: quota_class_set.${name}`, effect]),
);

const boot = async (cloud: EffectCloud): Promise<string> => {
  const server = { name: 'told', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  return (await cloud.ask('POST', '/compute/v2.1/servers', { body: { server }, headers: at(52) })).server.id;
};
const tell = async (
  cloud: EffectCloud,
  event: object,
  options: { readonly minor?: number; readonly status?: number } = {},
) =>
  (
    await cloud.ask('POST', '/compute/v2.1/os-server-external-events', {
      body: { events: [event] },
      headers: at(options.minor ?? 76),
      status: options.status ?? 200,
    })
  ).events?.[0];

const events: Effects = {
  'externalEventsBody: events': async (t, cloud) => {
    const server_uuid = await boot(cloud);
    const event = { server_uuid, name: 'network-changed' };
    const path = '/compute/v2.1/os-server-external-events';
    for (const [count, status] of [
      [0, 400],
      [1, 200],
      [64, 200],
      [65, 400],
    ] as const) {
      const answer = await cloud.ask('POST', path, { body: { events: Array(count).fill(event) }, status });
      if (status === 200) t.equal(answer.events.length, count);
    }
    const body = { events: [event, { ...event, server_uuid: randomUUID() }] };
    const told = await cloud.ask('POST', path, { body, status: 207 });
    t.match(told.events, [{ code: 200 }, { code: 404 }], 'one that is refused keeps no other');
  },
  'externalEventsBody: events[].server_uuid': async (t, cloud) => {
    for (const server_uuid of [await boot(cloud), await boot(cloud)]) {
      const event = { server_uuid, name: 'network-changed' };
      t.same(await tell(cloud, event), { ...event, status: 'completed', code: 200 });
    }
    const unknown = { server_uuid: randomUUID(), name: 'network-changed' };
    t.match(await tell(cloud, unknown, { status: 207 }), { status: 'failed', code: 404 });
    const body = { events: [unknown] };
    const path = '/compute/v2.1/os-server-external-events';
    await cloud.ask('POST', path, { body, status: 403, token: cloud.memberToken });
    await cloud.ask('POST', path, { body: { events: [] }, status: 400 });
  },
  'externalEventsBody: events[].name': async (t, cloud) => {
    const server_uuid = await boot(cloud);
    for (const [name, from] of [
      ['network-vif-plugged', 1],
      ['volume-extended', 51],
      ['power-update', 76],
    ] as const) {
      const event = { server_uuid, name, tag: randomUUID() };
      t.match(await tell(cloud, event, { minor: from }), { name, code: 200 });
      if (from > 1) await tell(cloud, event, { minor: from - 1, status: 400 });
    }
    await tell(cloud, { server_uuid, name: 'toString' }, { status: 400 });
  },
  'externalEventsBody: events[].status': async (t, cloud) => {
    const event = { server_uuid: await boot(cloud), name: 'network-vif-plugged' };
    for (const status of ['completed', 'failed', 'in-progress']) {
      t.equal((await tell(cloud, { ...event, status })).status, 'completed', 'what became of it here');
    }
    await tell(cloud, { ...event, status: 'perhaps' }, { status: 400 });
  },
  'externalEventsBody: events[].tag': async (t, cloud) => {
    const event = { server_uuid: await boot(cloud), name: 'volume-extended' };
    for (const tag of ['a', 'b']) t.match(await tell(cloud, { ...event, tag }), { tag, code: 200 });
    t.match(await tell(cloud, event, { status: 207 }), { status: 'failed', code: 400 });
  },
};

const hosts: Effects = {
  'hostBody: status': async (t, cloud) => {
    const [{ host_name: name }] = (await cloud.ask('GET', '/compute/v2.1/os-hosts')).hosts;
    const set = (status: string, code = 200, minor = 42) =>
      cloud.ask('PUT', `/compute/v2.1/os-hosts/${name}`, { body: { status }, headers: at(minor), status: code });
    for (const [status, answered] of [
      ['disable', 'disabled'],
      ['Enable', 'enabled'],
    ] as const) {
      t.same(await set(status), { host: name, status: answered });
      const { services } = await cloud.ask('GET', `/compute/v2.1/os-services?host=${name}`);
      t.equal(services[0].status, answered);
    }
    await set('off', 400);
    await set('enable', 404, 43);
    const body = { status: 'enable' };
    await cloud.ask('PUT', '/compute/v2.1/os-hosts/nobody', { body, status: 404 });
    await cloud.ask('PUT', `/compute/v2.1/os-hosts/${name}`, { body, status: 403, token: cloud.memberToken });
    await cloud.ask('PUT', `/compute/v2.1/os-hosts/${name}`, { body: {}, status: 400 });
    for (const action of ['startup', 'shutdown', 'reboot']) {
      const path = `/compute/v2.1/os-hosts/${name}/${action}`;
      await cloud.ask('GET', path, { status: 501 });
      await cloud.ask('GET', path, { status: 403, token: cloud.memberToken });
      await cloud.ask('GET', path, { status: 404, headers: at(43) });
    }
  },
  'hostBody: maintenance_mode': async (_t, cloud) => {
    const [{ host_name: name }] = (await cloud.ask('GET', '/compute/v2.1/os-hosts')).hosts;
    for (const maintenance_mode of ['enable', 'disable']) {
      await cloud.ask('PUT', `/compute/v2.1/os-hosts/${name}`, { body: { maintenance_mode }, status: 501 });
    }
  },
};

/** Two servers of a project of its own, each an hour and more after 2020; and the times between which they have run. */
async function usedProject(
  cloud: EffectCloud,
): Promise<{ readonly project: string; readonly servers: readonly string[] }> {
  const { memberProjectId: project, memberToken: token } = await addMember(cloud.gateway);
  const servers: string[] = [];
  for (const name of ['one', 'two']) {
    const server = { name, flavorRef: '1', imageRef: 'cirros', networks: 'none' };
    const body = { server };
    servers.push((await cloud.ask('POST', '/compute/v2.1/servers', { body, headers: at(52), token })).server.id);
    await hostsAct(cloud.world);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { project, servers };
}

const usageEffects = (isOne: boolean): Effects => {
  const route = `GET /v2.1/os-simple-tenant-usage${isOne ? '/:project' : ''}`;
  const read = async (cloud: EffectCloud, project: string, query: string, minor = 40): Promise<Answer> => {
    const path = `/compute/v2.1/os-simple-tenant-usage${isOne ? `/${project}` : ''}?${query}`;
    const answer = await cloud.ask('GET', path, { headers: at(minor) });
    if (isOne) return answer.tenant_usage;
    return answer.tenant_usages.find((usage: Answer) => usage.tenant_id === project) ?? {};
  };
  const refused = (cloud: EffectCloud, project: string, query: string, minor = 40) =>
    cloud.ask('GET', `/compute/v2.1/os-simple-tenant-usage${isOne ? `/${project}` : ''}?${query}`, {
      headers: at(minor),
      status: 400,
    });
  return {
    [`${route} ?start`]: async (t, cloud) => {
      const { project } = await usedProject(cloud);
      const usage = await read(cloud, project, 'start=2020-01-01T00:00:00');
      t.match(usage, { tenant_id: project, start: '2020-01-01T00:00:00.000000' });
      t.ok(usage.total_hours >= 0 && usage.total_hours < 1, 'they have run for as long as they have been there');
      t.ok(Math.abs(usage.total_memory_mb_usage - usage.total_hours * 512) < 1e-6, 'two sums of the same hours');
      t.equal((await read(cloud, project, 'start=2021-01-01T00:00:00.5')).start, '2021-01-01T00:00:00.500000');
      for (const start of ['2020', '2020-01-01', 'x', '2020-01-01T00:00:00Z', '2999-01-01T00:00:00']) {
        await refused(cloud, project, `start=${start}`);
      }
    },
    [`${route} ?end`]: async (t, cloud) => {
      const { project } = await usedProject(cloud);
      const from = 'start=2020-01-01T00:00:00';
      t.same(await read(cloud, project, `${from}&end=2020-01-02T00:00:00`), {}, 'they were not there');
      t.equal((await read(cloud, project, `${from}&end=2999-01-01T00:00:00`)).tenant_id, project);
      await refused(cloud, project, `${from}&end=2019-01-01T00:00:00`);
    },
    ...(isOne
      ? {}
      : {
          [`${route} ?detailed`]: async (t, cloud) => {
            const { project, servers } = await usedProject(cloud);
            const from = 'start=2020-01-01T00:00:00';
            t.notOk('server_usages' in (await read(cloud, project, `${from}&detailed=0`)));
            const { server_usages: usages } = await read(cloud, project, `${from}&detailed=1`);
            t.same(
              usages.map((usage: Answer) => usage.instance_id),
              servers,
            );
            t.match(usages[0], {
              name: 'one',
              flavor: 'm1.tiny',
              memory_mb: 512,
              vcpus: 1,
              local_gb: 1,
              ended_at: null,
            });
            t.match(usages[0], { state: 'active', tenant_id: project });
            const path = '/compute/v2.1/os-simple-tenant-usage';
            await cloud.ask('GET', path, { status: 403, token: cloud.memberToken });
            await cloud.ask('GET', `${path}/${project}`, { status: 403, token: cloud.memberToken });
          },
        }),
    [`${route} ?limit`]: async (t, cloud) => {
      const { project } = await usedProject(cloud);
      const path = `/compute/v2.1/os-simple-tenant-usage${isOne ? `/${project}` : ''}`;
      const key = isOne ? 'tenant_usage_links' : 'tenant_usages_links';
      const from = 'start=2020-01-01T00:00:00';
      const one = await cloud.ask('GET', `${path}?${from}&limit=1`, { headers: at(40) });
      t.match(one[key], [{ rel: 'next', href: /marker=/ }]);
      const all = await cloud.ask('GET', `${path}?${from}&limit=1000`, { headers: at(40) });
      t.notOk(key in all);
    },
    [`${route} ?marker`]: async (t, cloud) => {
      const { project, servers } = await usedProject(cloud);
      const from = 'start=2020-01-01T00:00:00&detailed=1';
      const query = isOne ? 'start=2020-01-01T00:00:00' : from;
      const ids = async (more: string) =>
        ((await read(cloud, project, `${query}${more}`)).server_usages ?? []).map((usage: Answer) => usage.instance_id);
      t.same(await ids(`&marker=${servers[0]}`), servers.slice(1));
      t.same(await ids(''), servers);
      await refused(cloud, project, `${query}&marker=nobody`);
    },
  };
};

/** See above. */
export const operatorEffects: Effects = {
  ...quotaClasses,
  ...events,
  ...hosts,
  ...usageEffects(false),
  ...usageEffects(true),
};
