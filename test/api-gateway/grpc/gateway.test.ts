import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { shoal } from '../../../proto/messages.ts';
import { hostsAct } from '../../node/services/compute-world.ts';
import { as, startGrpcGateway, type TestGrpcGateway } from '../../support/grpc-gateway.ts';
import { restOnlyNameIn, restOnlyNames } from '../../support/rest-names.ts';

async function started(t: { teardown(clean: () => Promise<void>): void }) {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  return {
    ...gateway,
    compute: gateway.client.calls(shoal.v1.ComputeService),
    cluster: gateway.client.calls(shoal.v1.ClusterService),
    placement: gateway.client.calls(shoal.v1.PlacementService),
  };
}

const wanted = (gateway: Pick<TestGrpcGateway, 'world'>, name: string) => ({
  name,
  flavorId: '1',
  imageId: 'image-1',
  networkIds: [],
  clientToken: `make-${name}`,
  metadata: { tier: String(gateway.world.placer.requests.length) },
});

void t.test('without a good token nothing is answered, and the code is in the trailer', async (t) => {
  const { compute, cluster } = await started(t);
  for (const options of [{ timeoutMs: 5000 }, as(''), as('mallory'), as('x'.repeat(5000))]) {
    await t.rejects(compute.listFlavors({}, options), { code: 'UNAUTHENTICATED' });
    await t.rejects(cluster.getStatus({}, options), { code: 'UNAUTHENTICATED' });
  }
});

void t.test('a server’s life: the same token makes it once, and it is seen by its project', async (t) => {
  const gateway = await started(t);
  const { compute, world } = gateway;
  t.match((await compute.listFlavors({}, as('alice'))).flavors, [{ id: '1', memoryMib: 128 }]);
  const made = await compute.createServer(wanted(gateway, 'one'), as('alice'));
  const again = await compute.createServer(wanted(gateway, 'one'), as('alice'));
  const id = made.server?.id ?? '';
  t.ok(id);
  t.equal(again.server?.id, id);
  await hostsAct(world);
  const { server, stale } = await compute.getServer({ serverId: id }, as('alice'));
  t.match(server, { name: 'one', status: shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE, hostId: '' });
  t.equal(stale, false);
  t.ok((await compute.getServer({ serverId: id }, as('root'))).server?.hostId, 'where it is, for administrators');
  await t.rejects(compute.getServer({ serverId: id }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(compute.deleteServer({ serverId: id }, as('bob')), { code: 'NOT_FOUND' });
  await t.rejects(compute.createServer({ ...wanted(gateway, 'x'), clientToken: 'a b' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
  });
  await t.rejects(compute.createServer({ ...wanted(gateway, 'x'), flavorId: 'big' }, as('alice')), {
    message: /Flavor big/,
  });
  t.match(await compute.getConsoleLog({ serverId: id, linesMax: 1 }, as('alice')), { output: /line three/ });
  await compute.stopServer({ serverId: id }, as('alice'));
  await hostsAct(world);
  await compute.startServer({ serverId: id }, as('alice'));
  await hostsAct(world);
  await compute.rebootServer({ serverId: id, hard: true }, as('alice'));
  await hostsAct(world);
  await compute.deleteServer({ serverId: id }, as('alice'));
  await hostsAct(world);
  await t.rejects(compute.getServer({ serverId: id }, as('alice')), { code: 'NOT_FOUND' });
});

void t.test('a refusal calls fields as this API does, where the other calls them something else', async (t) => {
  const { compute } = await started(t);
  const names = restOnlyNames();
  t.ok(['imageRef', 'min_disk', 'router:external', 'provider:segmentation_id'].every((name) => names.includes(name)));
  t.equal(restOnlyNameIn('This needs imageRef.', names), 'imageRef');
  t.equal(restOnlyNameIn('(rule:create_network:router:external) is disallowed by policy', names), undefined);
  await t.rejects(compute.createServer({ name: 'x', flavorId: '1' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
    message: 'image_id is needed, or a volume to boot from: the server would have nothing to boot.',
  });
});

void t.test('what broke inside the agent is not told to users', async (t) => {
  const gateway = await started(t);
  gateway.world.placer.beforeAnswer = async () => {
    throw new ShoalError('STORE_FAILED', 'no room left in /var/lib/shoal/log');
  };
  await t.rejects(gateway.compute.createServer(wanted(gateway, 'x'), as('alice')), {
    code: 'STORE_FAILED',
    message: 'Something inside this agent failed; its log has the details.',
  });
});

void t.test('keypairs are their user’s: imported, made, listed in pages and removed', async (t) => {
  const { compute } = await started(t);
  const made = await compute.createKeypair({ name: 'made' }, as('alice'));
  t.match(made.privateKey, /^-----BEGIN RSA PRIVATE KEY-----/);
  t.match(made.keypair, { name: 'made', type: 'ssh', userId: 'user-of-alice-project' });
  const publicKey = made.keypair?.publicKey ?? '';
  const imported = await compute.createKeypair({ name: 'imported', publicKey }, as('alice'));
  t.match(imported, { privateKey: '', keypair: { publicKey, fingerprint: made.keypair?.fingerprint } });
  await t.rejects(compute.createKeypair({ name: 'made', publicKey }, as('alice')), { code: 'CONFLICT' });
  await t.rejects(compute.createKeypair({ name: 'x', publicKey: 'ssh-rsa AAAA' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
  });
  await t.rejects(compute.createKeypair({ name: 'x', type: 'dsa' }, as('alice')), {
    code: 'INVALID_ARGUMENT',
    message: /^Invalid request: type /,
  });
  const first = await compute.listKeypairs({ pageSize: 1 }, as('alice'));
  t.match(first, { keypairs: [{ name: 'imported' }], nextPageToken: 'imported' });
  const second = await compute.listKeypairs({ pageSize: 1, pageToken: first.nextPageToken }, as('alice'));
  t.match(second, { keypairs: [{ name: 'made' }], nextPageToken: '' });
  t.strictSame((await compute.listKeypairs({}, as('bob'))).keypairs, []);
  await t.rejects(compute.getKeypair({ name: 'made' }, as('bob')), { code: 'NOT_FOUND' });
  const userId = 'user-of-alice-project';
  await t.rejects(compute.getKeypair({ name: 'made', userId }, as('bob')), { code: 'FORBIDDEN' });
  await t.rejects(compute.deleteKeypair({ name: 'made', userId }, as('bob')), { code: 'FORBIDDEN' });
  await t.rejects(compute.createKeypair({ name: 'planted', publicKey, userId }, as('bob')), { code: 'FORBIDDEN' });
  t.match(await compute.getKeypair({ name: 'made', userId }, as('root')), { keypair: { name: 'made' } });
  await compute.deleteKeypair({ name: 'made' }, as('alice'));
  await t.rejects(compute.getKeypair({ name: 'made' }, as('alice')), { code: 'NOT_FOUND' });
});

void t.test('a watch begins with what comes, and never with what is there', async (t) => {
  const gateway = await started(t);
  const { compute } = gateway;
  await compute.createServer(wanted(gateway, 'before'), as('alice'));
  const abort = new AbortController();
  const events = compute.watchServers({}, { signal: abort.signal, headers: { 'x-auth-token': 'alice' } });
  const first = events[Symbol.asyncIterator]().next();
  // Until it is open on the other side, nothing is missed that is told: it is told from then on.
  let names = 0;
  const timer = setInterval(() => {
    names += 1;
    void compute.createServer(wanted(gateway, `after-${names}`), as('alice')).catch(() => {});
  }, 50);
  const { value } = await first;
  clearInterval(timer);
  abort.abort();
  t.match(value?.server?.name, /^after-/);
});

void t.test('lists come in pages', async (t) => {
  const gateway = await started(t);
  const { compute } = gateway;
  for (const name of ['a', 'b', 'c']) await compute.createServer(wanted(gateway, name), as('alice'));
  await compute.createServer(wanted(gateway, 'other'), as('bob'));
  const names: string[] = [];
  let pageToken = '';
  do {
    const page = await compute.listServers({ pageSize: 2, pageToken }, as('alice'));
    t.ok(page.revision > 0);
    names.push(...page.servers.map((server) => server.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.strictSame(names.sort(), ['a', 'b', 'c']);
  t.equal((await compute.listServers({ allProjects: true }, as('root'))).servers.length, 4);
  await t.rejects(compute.listServers({ allProjects: true }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(compute.listServers({ pageSize: 1001 }, as('alice')), { code: 'INVALID_ARGUMENT' });
});

void t.test('a watch tells one project’s changes in order, from a revision on, and deletions', async (t) => {
  const gateway = await started(t);
  const { compute, world } = gateway;
  await compute.createServer(wanted(gateway, 'first'), as('alice'));
  const { revision } = await compute.listServers({}, as('alice'));
  await compute.createServer(wanted(gateway, 'hidden'), as('bob'));
  const { server } = await compute.createServer(wanted(gateway, 'second'), as('alice'));
  const serverId = server?.id ?? '';
  const abort = new AbortController();
  const seen: shoal.v1.WatchServersResponse[] = [];
  const watching = (async () => {
    const options = { signal: abort.signal, headers: { 'x-auth-token': 'alice' } };
    for await (const event of compute.watchServers({ fromRevision: revision }, options)) {
      seen.push(event);
      if (seen.length === 1) {
        await compute.deleteServer({ serverId }, as('alice'));
        await hostsAct(world);
      }
      if (event.serverId === serverId && event.server === null) break;
    }
  })();
  await watching;
  abort.abort();
  t.ok(seen.every((event) => event.server === null || event.server.projectId === 'alice-project'));
  t.equal(seen[0]?.server?.name, 'second');
  const revisions = seen.map((event) => event.revision);
  t.strictSame(
    revisions,
    [...revisions].sort((a, b) => a - b),
  );
});

void t.test('the mesh is shown to everybody and steered by administrators', async (t) => {
  const { cluster, operator, world } = await started(t);
  t.match(await cluster.getStatus({}, as('alice')), { hasQuorum: true, version: '0.1.0' });
  await t.rejects(cluster.listHosts({}, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(cluster.setHostEnabled({ hostId: '1' }, as('alice')), { code: 'FORBIDDEN' });
  await t.rejects(cluster.createTicket({}, as('alice')), { code: 'FORBIDDEN' });
  const [host] = (await cluster.listHosts({}, as('root'))).hosts;
  t.match(host, { host: { name: 'host-1' }, advert: { vcpus: 8 }, condition: 'alive' });
  const door = operator.calls(shoal.v1.ClusterService);
  const hostId = host?.host?.id ?? '';
  await door.setHostEnabled({ hostId, enabled: false, reason: 'maintenance' }, { timeoutMs: 5000 });
  t.match((await door.listHosts({}, { timeoutMs: 5000 })).hosts[0]?.host, {
    disabled: true,
    disabledReason: 'maintenance',
  });
  await t.rejects(cluster.removeHost({ hostId: 'host-2' }, as('alice')), { code: 'FORBIDDEN' });
  world.state.voters = [1, 2];
  await t.rejects(
    cluster.removeHost({ hostId: 'host-2' }, as('root')),
    { code: 'CONFLICT' },
    'it would leave one of two',
  );
  world.state.voters = [1];
  t.match(await door.removeHost({ hostId: 'host-2' }, { timeoutMs: 5000 }), {
    forgottenServerIds: [],
    lostImageIds: [],
    lostVolumeIds: [],
  });
  t.equal((await door.listHosts({}, { timeoutMs: 5000 })).hosts.length, 1);
  await t.rejects(cluster.removeHost({ hostId: 'host-2' }, as('root')), { code: 'NOT_FOUND' });
  world.state.available = false;
  const status = await door.getStatus({}, { timeoutMs: 5000 });
  t.equal(status.hasQuorum, false, 'and without quorum, too');
  t.equal((await door.listHosts({}, { timeoutMs: 5000 })).stale, true);
});

void t.test('without quorum reads are marked stale and writes name who is missing', async (t) => {
  const gateway = await started(t);
  const { compute, world } = gateway;
  const { server } = await compute.createServer(wanted(gateway, 'one'), as('alice'));
  world.state.available = false;
  t.equal((await compute.getServer({ serverId: server?.id ?? '' }, as('alice'))).stale, true);
  t.equal((await compute.listServers({}, as('alice'))).stale, true);
  const startedMs = performance.now();
  await t.rejects(compute.createServer(wanted(gateway, 'two'), as('alice')), { code: 'NO_QUORUM', message: /host-1/ });
  t.ok(performance.now() - startedMs < 1000);
});

void t.test('several servers of one call are one batch, and ids are enough where they are asked for', async (t) => {
  const { compute, world } = await started(t);
  const draft = { name: 'web', flavorId: '1', imageId: 'image-1' };
  const many = await compute.createServer({ ...draft, minCount: 2, maxCount: 3 }, as('alice'));
  t.same(
    many.servers.map((server) => server.name),
    ['web-1', 'web-2', 'web-3'],
  );
  t.same(
    many.serverIds,
    many.servers.map((server) => server.id),
  );
  t.match(many.reservationId, /^r-/);
  t.equal(many.server?.id, many.serverIds[0]);
  const ids = await compute.createServer({ ...draft, minCount: 2, idsOnly: true }, as('alice'));
  t.match(ids, { server: null, servers: [] });
  t.equal(ids.serverIds.length, 2);
  world.placer.room = 1;
  await t.rejects(compute.createServer({ ...draft, minCount: 2 }, as('alice')), { code: 'NO_VALID_HOST' });
  await t.rejects(compute.createServer({ ...draft, minCount: 101 }, as('alice')), { code: 'INVALID_ARGUMENT' });
  const { servers } = await compute.listServers({}, as('alice'));
  t.equal(servers.length, 5);
});

void t.test('placement is asked without placing; reasons per host are for administrators', async (t) => {
  const { placement, inquiries } = await started(t);
  const spec = { flavorId: '1', imageId: 'image-1', zone: 'nova', schedulerHints: { build_near_host_ip: '192.0.2.1' } };
  const mine = await placement.explain(spec, as('alice'));
  t.match(mine.filters, [{ filter: 'ComputeFilter', removed: 1, left: 1, reason: 'it is down' }]);
  t.strictSame(mine.hosts, []);
  t.match(inquiries[0], {
    projectId: 'alice-project',
    zone: 'nova',
    storage: 'local',
    schedulerHints: { build_near_host_ip: '192.0.2.1' },
  });
  t.match((await placement.explain(spec, as('root'))).hosts, [
    { hostName: 'host-1', filter: '', weight: 1.5 },
    { hostName: 'host-2', filter: 'ComputeFilter', reason: 'it is down' },
  ]);
  t.equal((await placement.whatIf({ flavorId: '1', countMax: 3 }, as('alice'))).count, 3);
  await t.rejects(placement.whatIf({ flavorId: '1' }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(placement.whatIf({ flavorId: 'big', countMax: 3 }, as('alice')), { code: 'INVALID_ARGUMENT' });
  await t.rejects(placement.explain({ flavorId: '1', imageId: 'none' }, as('alice')), { code: 'INVALID_ARGUMENT' });
});

void t.test('one address cannot take it all', async (t) => {
  const gateway = await startGrpcGateway({ requestsPerSecond: 1, requestsBurst: 2 });
  t.teardown(() => gateway.stop());
  const { getStatus } = gateway.client.calls(shoal.v1.ClusterService);
  const codes = [];
  for (let i = 0; i < 3; i++)
    codes.push(
      await getStatus({}, as('alice')).then(
        () => '',
        (error) => error.code,
      ),
    );
  t.strictSame(codes, ['', '', 'RATE_LIMITED']);
  await gateway.operator.calls(shoal.v1.ClusterService).getStatus({}, { timeoutMs: 5000 });
});
