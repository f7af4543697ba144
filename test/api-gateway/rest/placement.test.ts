/** Placement's questions by REST, on the production placer over a view of three hosts. */
import t from 'tap';
import { computeModule } from '../../../api-gateway/rest/compute/module.ts';
import { placementModule } from '../../../api-gateway/rest/placement/module.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { placementAdvert } from '../../../node/cluster/advert-mapping.ts';
import { GossipPlacer } from '../../../node/cluster/placer.ts';
import { ComputeService } from '../../../node/services/compute/index.ts';
import { PlacementPreview } from '../../../node/services/compute/placement-preview.ts';
import { QuotaService } from '../../../node/services/kit/quota.ts';
import { NetworkService } from '../../../node/services/network/index.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import { defaultConfiguration, HostColumns, type PlacementConfiguration } from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';
import {
  addImage,
  FakeConsoleDoor,
  FakeHostControl,
  FakeHostProbe,
  fakeHostViews,
} from '../../node/services/compute-world.ts';
import { testSealing } from '../../node/services/test-sealing.ts';
import { volumeServiceOf } from '../../node/services/volume/volume-world.ts';
import { addHost, testClock, worldOn } from '../../node/services/world.ts';
import { startGateway } from '../../support/gateway.ts';
import { foundTestMesh } from '../../support/mesh-secrets.ts';
import { addMember } from './cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });

/** Hosts of 4, 8 and 16 vCPUs that admit whatever fits. */
async function start(filters: PlacementConfiguration['enabledFilters'] = defaultConfiguration.enabledFilters) {
  const state = new MemoryStateClient();
  const world = worldOn(state);
  const columns = new HostColumns({ seed: 1 });
  const claims: shoal.v1.ClaimRequest[] = [];
  const placer = new GossipPlacer(
    {
      columns,
      transport: {
        claim: async (hostId, request) => {
          const slot = columns.slotOf(hostId) ?? -1;
          // The request's own hold is deducted already.
          const admitted = (columns.resources.vcpus.free[slot] ?? -1) >= 0;
          if (admitted) claims.push(request);
          return shoal.v1.ClaimResponse.create({ admitted, reason: 'full', countedEpoch: 9, countedSequence: 9 });
        },
        release: async () => {},
      },
      acceptAdvert: () => true,
      clock: systemClock,
      prng: new Prng(1),
      logger: silentLogger,
    },
    { ...defaultConfiguration, enabledFilters: filters },
  );
  const options = { storage: 'local', enabledFilters: filters };
  const compute = new ComputeService(
    {
      ...world.deps,
      placer,
      hostControl: new FakeHostControl(),
      consoleDoor: new FakeConsoleDoor(),
      hostViews: fakeHostViews(world),
      hostProbe: new FakeHostProbe(),
      sealing: testSealing,
      rekey: (await foundTestMesh(world.state, world.deps.clock)).rekey,
    },
    options,
  );
  const gateway = await startGateway({
    state,
    clock: testClock,
    modules: (_deps, images) => [
      computeModule({
        compute,
        quotas: new QuotaService(world.deps),
        network: new NetworkService(world.deps),
        images,
        volume: volumeServiceOf(world, 'local').volume,
      }),
      placementModule(new PlacementPreview(placer, options)),
    ],
  });
  for (const n of [1, 2, 3]) await addHost(world, n);
  for (const [index, { record: host }] of hostTable.list(state.local).entries()) {
    columns.upsert(
      placementAdvert(
        shoal.v1.Advert.create({
          hostId: host.id,
          hostName: host.name,
          epoch: 1,
          sequence: 1,
          vcpus: 4 * 2 ** index,
          memoryMib: 1 << 16,
          diskGib: 1000,
          vcpusRatio: 1,
          memoryRatio: 1,
          diskRatio: 1,
          zone: 'nova',
          hostIp: `192.0.2.${index + 1}`,
          storagePools: ['local'],
          enabled: true,
          hypervisorType: 'qemu',
          architecture: 'x86_64',
        }),
      ),
    );
  }
  for (const vcpus of [1, 8, 64]) {
    await compute.flavors.create(world.admin, {
      id: `f${vcpus}`,
      name: `f${vcpus}`,
      vcpus,
      memoryMib: 512,
      diskGib: 1,
    });
  }
  await addImage(world, 'cirros');
  const member = await addMember(gateway);
  const quotas = new QuotaService(world.deps);
  const admin = gateway.adminProjectId;
  for (const project of [admin, member.memberProjectId]) {
    await quotas.set(world.admin, project, { instances: -1, cores: -1, ram: -1 });
  }
  const ask = async (question: string, body: object, token?: string) => {
    const answer = await gateway.call('POST', `/placement/shoal/v1/${question}`, {
      body,
      ...(token === undefined ? {} : { token }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  const create = async (server: object, more: object = {}, token?: string) => {
    const answer = await gateway.call('POST', '/compute/v2.1/servers', {
      body: { server: { name: 'web', flavorRef: 'f1', imageRef: 'cirros', networks: 'none', ...server }, ...more },
      headers: at(79),
      ...(token === undefined ? {} : { token }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  const show = async (id: string, token?: string) =>
    (
      await gateway.call('GET', `/compute/v2.1/servers/${id}`, {
        headers: at(79),
        ...(token === undefined ? {} : { token }),
      })
    ).json().server;
  return { state, gateway, claims, ask, create, show, ...member };
}

void t.test('explain counts for everybody and names hosts to administrators alone', async (t) => {
  const cloud = await start();
  t.teardown(() => cloud.gateway.stop());
  const spec = { flavor_id: 'f8', image_id: 'cirros' };
  const told = await cloud.ask('explain', spec);
  t.match(told, {
    status: 200,
    body: { hosts: 3, passed: 2, summary: /^2 of 3 hosts pass; removed by CoreFilter 1 \(/ },
  });
  const core = told.body.filters.find((filter: { name: string }) => filter.name === 'CoreFilter');
  t.match(core, { considered: 3, removed: 1, removed_alone: 1, reasons: [{ hosts: 1 }] });
  t.same(
    told.body.per_host.map((host: { passes: boolean }) => host.passes),
    [false, true, true],
  );
  t.equal(told.body.per_host[0].refusals[0].filter, 'CoreFilter');
  t.type(told.body.per_host[1].score, 'number');
  const member = await cloud.ask('explain', spec, cloud.memberToken);
  t.equal(member.status, 200);
  t.notOk('per_host' in member.body);
  t.notOk(/host-[123]/.test(JSON.stringify(member.body)), 'no host is named');
});

void t.test('what-if counts, and requests are checked as creates are', async (t) => {
  const cloud = await start();
  t.teardown(() => cloud.gateway.stop());
  t.same((await cloud.ask('what-if', { flavor_id: 'f8' })).body, { count: 3, is_at_least: false });
  t.same((await cloud.ask('what-if', { flavor_id: 'f1', count_max: 5 })).body, { count: 5, is_at_least: true });
  t.same((await cloud.ask('what-if', { flavor_id: 'f1', host: 'host-1' })).body, { count: 4, is_at_least: false });
  const cases: readonly [object, number, string | undefined][] = [
    [{ flavor_id: 'none' }, 400, undefined],
    [{ flavor_id: 'f1', image_id: 'none' }, 400, undefined],
    [{ flavor_id: 'f1', availability_zone: 'none' }, 400, undefined],
    [{ flavor_id: 'f1', count_max: 0 }, 400, undefined],
    [{ flavor_id: 'f1', count_max: 1e9 }, 400, undefined],
    [{ flavor_id: 'f1', scheduler_hints: { different_host: 'none' } }, 400, undefined],
    [{ flavor_id: 'f1', host: 'host-1' }, 403, cloud.memberToken],
    [{ flavor_id: 'f1', availability_zone: 'nova:host-1' }, 403, cloud.memberToken],
    [{}, 400, undefined],
  ];
  for (const [body, status, token] of cases) {
    const answer = await cloud.ask('what-if', body, token);
    t.equal(answer.status, status, JSON.stringify(body));
    t.equal(answer.body.errors[0].status, status);
  }
});

void t.test(
  'the fault of a server that found no host says filter by filter why; hosts only to administrators',
  async (t) => {
    const cloud = await start();
    t.teardown(() => cloud.gateway.stop());
    const { status, body } = await cloud.create({ flavorRef: 'f64' }, {}, cloud.memberToken);
    t.equal(status, 202);
    const seen = await cloud.show(body.server.id, cloud.memberToken);
    t.equal(seen.status, 'ERROR');
    t.match(seen.fault.message, /^No valid host was found\. No valid host among 3; removed by CoreFilter 3 \(/);
    t.notOk('details' in seen.fault);
    t.notOk(/host-[123]/.test(JSON.stringify(seen.fault)));
    const operators = await cloud.show(body.server.id);
    const details = JSON.parse(operators.fault.details);
    t.equal(details.filters[0].name, 'CoreFilter');
    t.same(
      details.hosts.map((host: { hostName: string; filter: string }) => [host.hostName, host.filter]),
      [1, 2, 3].map((n) => [`host-${n}`, 'CoreFilter']),
    );
  },
);

void t.test('several at once: min_count or nothing, with a reservation', async (t) => {
  const cloud = await start();
  t.teardown(() => cloud.gateway.stop());
  const many = await cloud.create({ min_count: 2, max_count: 3, return_reservation_id: true });
  t.match(many, { status: 202, body: { reservation_id: /^r-[0-9a-z]{8}$/ } });
  const list = async () =>
    (
      await cloud.gateway.call('GET', `/compute/v2.1/servers/detail?reservation_id=${many.body.reservation_id}`, {
        headers: at(79),
      })
    ).json().servers;
  t.same((await list()).map((server: { name: string }) => server.name).sort(), ['web-1', 'web-2', 'web-3']);
  const before = cloud.claims.length;
  const refused = await cloud.create({ flavorRef: 'f8', min_count: 4, max_count: 5 });
  t.match(refused, { status: 400, body: { badRequest: { message: /^No valid host was found\. Only/ } } });
  t.equal(cloud.claims.length, before, 'no host was asked');
  t.equal((await cloud.gateway.call('GET', '/compute/v2.1/servers', { headers: at(79) })).json().servers.length, 3);
});

void t.test('hints and forced hosts reach the engine', async (t) => {
  const cloud = await start([...defaultConfiguration.enabledFilters, 'JsonFilter']);
  t.teardown(() => cloud.gateway.stop());
  const hostOf = async (answer: { body: { server: { id: string } } }): Promise<string> =>
    (await cloud.show(answer.body.server.id))['OS-EXT-SRV-ATTR:host'];
  const hints = (value: object) => ({ 'os:scheduler_hints': value });
  const first = await cloud.create({});
  const id = first.body.server.id;
  const home = await hostOf(first);
  t.equal(await hostOf(await cloud.create({}, hints({ same_host: id }))), home);
  t.not(await hostOf(await cloud.create({}, hints({ different_host: [id] }))), home);
  t.equal(await hostOf(await cloud.create({}, hints({ query: '["=","$host","host-2"]' }))), 'host-2');
  t.equal(await hostOf(await cloud.create({}, hints({ query: ['=', '$host', 'host-1'] }))), 'host-1');
  t.equal((await cloud.create({}, hints({ query: '["~"' }))).status, 400);
  t.equal(
    await hostOf(await cloud.create({}, hints({ build_near_host_ip: '192.0.2.2', cidr: '/31' }))).then((name) =>
      ['host-1', 'host-2', 'host-3'].includes(name),
    ),
    true,
  );
  t.equal(await hostOf(await cloud.create({}, hints({ build_near_host_ip: '192.0.2.3', cidr: '/32' }))), 'host-3');
  t.equal(await hostOf(await cloud.create({ availability_zone: 'nova:host-1' })), 'host-1');
  t.equal(await hostOf(await cloud.create({ host: 'host-2' })), 'host-2');
  const { server: tooLarge } = (await cloud.create({ flavorRef: 'f8', host: 'host-1' })).body;
  t.match((await cloud.show(tooLarge.id)).fault.message, /CoreFilter 1/, 'a wanted host must pass the filters');
  t.equal((await cloud.create({ host: 'host-2' }, {}, cloud.memberToken)).status, 403);
  t.equal((await cloud.create({ host: 'nobody' })).status, 400);
  const early = await cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: 'web', flavorRef: 'f1', imageRef: 'cirros', networks: 'none', host: 'host-2' } },
    headers: at(73),
  });
  t.equal(early.statusCode, 400, 'not before 2.74');
  const group = (
    await cloud.gateway.call('POST', '/compute/v2.1/os-server-groups', {
      body: { server_group: { name: 'apart', policy: 'anti-affinity', rules: { max_server_per_host: 2 } } },
      headers: at(64),
    })
  ).json().server_group;
  const grouped = await cloud.create({ min_count: 6 }, hints({ group: group.id }));
  t.equal(grouped.status, 202);
  t.match(await cloud.create({ min_count: 2 }, hints({ group: group.id })), { status: 400 });
});

void t.test('without the JsonFilter a query is refused, not ignored', async (t) => {
  const cloud = await start();
  t.teardown(() => cloud.gateway.stop());
  const answer = await cloud.create({}, { 'os:scheduler_hints': { query: '["=","$host","host-2"]' } });
  t.match(answer, { status: 400, body: { badRequest: { message: /JsonFilter/ } } });
});

void t.test('OpenStack’s Placement API is not advertised, and says so where it is looked for', async (t) => {
  const cloud = await start();
  t.teardown(() => cloud.gateway.stop());
  const root = await cloud.gateway.call('GET', '/placement');
  t.match(root.json(), { versions: [], shoal: { id: 'v1' } });
  for (const path of ['/placement/resource_providers', '/placement/allocations/x', '/placement/traits?name=in:X']) {
    const answer = await cloud.gateway.call('GET', path);
    t.equal(answer.statusCode, 501, path);
    t.match(answer.body, /hosts admit servers themselves/);
  }
});
