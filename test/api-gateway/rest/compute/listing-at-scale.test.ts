/** Ten thousand servers of one project, listed over HTTP a page of a thousand at a time. How long that takes is told. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { hostsAct } from '../../../node/services/compute-world.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const servers = 10_000;
const pageSize = 1_000;
const inOneTransaction = 50;
const runs = 5;

t.setTimeout(240_000);

/** Copies a server with its port, as the API made them, so often. */
async function fill({ gateway, world, memberToken: token }: Cloud): Promise<void> {
  const post = async (path: string, body: object) => (await gateway.call('POST', path, { token, body })).json();
  const { network } = await post('/networking/v2.0/networks', { network: { name: 'net' } });
  const subnet = { network_id: network.id, cidr: '10.0.0.0/16', ip_version: 4 };
  await post('/networking/v2.0/subnets', { subnet });
  const draft = { name: 's', flavorRef: '1', imageRef: 'cirros', networks: [{ uuid: network.id }] };
  const { server } = await post('/compute/v2.1/servers', { server: draft });
  await hostsAct(world);
  const model = serverTable.must(world.state.local, server.id).record;
  const port = portTable.must(world.state.local, model.portIds[0] ?? '').record;
  let change = new TransactionBuilder();
  for (let at = 1; at < servers; at += 1) {
    const [id, portId] = [randomUUID(), randomUUID()];
    const own = { id, name: `s${at}`, portIds: [portId], rootVolumeId: randomUUID(), createdMs: model.createdMs + at };
    serverTable.insert(change, new shoal.v1.Server({ ...model, ...own }));
    const [high, low] = [at >> 8, at & 255];
    const mac = `fa:16:3e:00:${high.toString(16).padStart(2, '0')}:${low.toString(16).padStart(2, '0')}`;
    const fixedIps = port.fixedIps.map((one) => new shoal.v1.FixedIp({ ...one, ip: `10.1.${high}.${low}` }));
    portTable.insert(change, new shoal.v1.Port({ ...port, id: portId, deviceId: id, mac, fixedIps }));
    if (at % inOneTransaction !== 0 && at < servers - 1) continue;
    const { succeeded } = await world.state.commit(change.build());
    if (!succeeded) throw new Error('the servers were not stored');
    change = new TransactionBuilder();
  }
}

await t.test(`${servers} servers, a page of ${pageSize} at a time`, async (t) => {
  const cloud = await startCloud({ listen: true });
  t.teardown(() => cloud.stop());
  await fill(cloud);
  const base = `http://127.0.0.1:${cloud.gateway.server.addresses[0]?.port ?? 0}/compute/v2.1/servers`;
  const headers = { 'x-auth-token': cloud.memberToken, 'openstack-api-version': 'compute 2.96' };
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`${base}${path}`, { headers });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
    return text;
  };
  /** Asks some times, tells how long that took, and returns how many servers are in the answer. */
  const listed = async (what: string, path: string): Promise<number> => {
    const ms: number[] = [];
    let text = '';
    for (let run = 0; run < runs; run += 1) {
      const begunMs = performance.now();
      text = await get(path);
      ms.push(performance.now() - begunMs);
    }
    ms.sort((a, b) => a - b);
    t.comment(`${what}: p50 ${Math.round(ms[runs >> 1] ?? 0)} ms, worst ${Math.round(ms.at(-1) ?? 0)} ms`);
    return (JSON.parse(text).servers ?? []).length;
  };
  const seen = new Set<string>();
  for (let marker = ''; ; ) {
    const page = JSON.parse(await get(`/detail?limit=${pageSize}${marker}`)).servers as { id: string }[];
    for (const { id } of page) seen.add(id);
    if (page.length < pageSize) break;
    marker = `&marker=${page.at(-1)?.id ?? ''}`;
  }
  t.equal(seen.size, servers, 'each is in one page');
  const last = [...seen].at(-pageSize - 1) ?? '';
  for (const [what, path, found] of [
    ['first page, with details', `/detail?limit=${pageSize}`, pageSize],
    ['last page, with details', `/detail?limit=${pageSize}&marker=${last}`, pageSize],
    ['first page, names', `?limit=${pageSize}`, pageSize],
    // s77, s770 to s779, s7700 to s7799.
    ['by name', `/detail?limit=${pageSize}&name=s77`, 111],
    ['by status', `/detail?limit=${pageSize}&status=ACTIVE`, pageSize],
    ['sorted by name', `/detail?limit=${pageSize}&sort_key=display_name`, pageSize],
  ] as const) {
    t.equal(await listed(what, path), found, what);
  }
});
