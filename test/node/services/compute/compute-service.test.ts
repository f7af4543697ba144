import t from 'tap';
import { must } from '../../../../node/base/assert.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { hostnameOf } from '../../../../node/services/compute/server-create.ts';
import { bootableFormats, diskFormats } from '../../../../node/services/image/draft.ts';
import { QuotaService, quotaUsage } from '../../../../node/services/kit/quota.ts';
import {
  hostTable,
  portTable,
  quotaTable,
  serverGroupTable,
  serverTable,
} from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { addImage, type ComputeWorld, hostsAct, makeComputeWorld } from '../compute-world.ts';
import { addExternal, addNetwork } from '../world.ts';

const { ServerStatus } = shoal.v1;
const base = { name: 'Web One', flavorId: '1', imageId: 'image-1' };
const blob = `ssh-ed25519 ${Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 7),
]).toString('base64')} me@laptop`;

/** The error's code and message. */
async function errorOf(work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await work;
  } catch (caught) {
    if (caught instanceof ShoalError) return { code: caught.code, message: caught.message };
    throw caught;
  }
  return { code: 'none', message: '' };
}

async function one(world: ComputeWorld, draft: object = {}): Promise<shoal.v1.Server> {
  const { servers } = await world.compute.servers.create(world.alice, { ...base, ...draft });
  const [server] = servers;
  if (server === undefined) throw new Error('no server was made');
  return server;
}

const read = (world: ComputeWorld, id: string) => serverTable.get(world.state.local, id)?.record;

void t.test('a server is made in one transaction with its port, address and quota', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const before = world.state.local.revision;
  const server = await one(world, { networks: [{ networkId: network.id }] });
  t.equal(world.state.local.revision, before + 1);
  t.equal(server.status, ServerStatus.SERVER_STATUS_BUILD);
  t.equal(server.hostname, 'web-one');
  t.equal(server.generation, 1);
  const port = portTable.must(world.state.local, server.portIds[0] ?? '').record;
  t.match(port, { deviceId: server.id, deviceOwner: 'compute:nova', hostId: server.hostId, madeForServer: true });
  t.equal(port.securityGroupIds.length, 1, 'the default group, made for it');
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 1);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'ram'), 128);
  await hostsAct(world);
  t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_ACTIVE);
  t.equal(read(world, server.id)?.taskState, '');
  await world.compute.servers.delete(world.alice, server.id);
  t.equal(read(world, server.id)?.taskState, 'deleting');
  await hostsAct(world);
  t.equal(read(world, server.id), undefined);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 0);
  t.equal(portTable.get(world.state.local, port.id), undefined);
});

void t.test('what cannot be made is refused before a host is asked', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const external = await addExternal(world);
  const [empty] = await world.network.networks.create(world.alice, [{}]);
  const cases: readonly [object, string, RegExp][] = [
    [{ flavorId: 'big' }, 'INVALID_ARGUMENT', /Flavor big could not be found/],
    [{ imageId: 'none' }, 'INVALID_ARGUMENT', /Image none could not be found/],
    [{ networks: [{ networkId: 'nowhere' }] }, 'INVALID_ARGUMENT', /Network nowhere could not be found/],
    [{ networks: [{ networkId: external.network.id }] }, 'FORBIDDEN', /external network/],
    [{ networks: [{ networkId: empty?.id }] }, 'INVALID_ARGUMENT', /requires a subnet/],
    [{ networks: [{ portId: 'nothing' }] }, 'INVALID_ARGUMENT', /Port nothing could not be found/],
    [{ networks: [{ networkId: network.id, fixedIp: '10.0.0.2' }] }, 'INVALID_ARGUMENT', /already in use/],
    [{ networks: [{ networkId: network.id, fixedIp: '10.9.9.9' }] }, 'INVALID_ARGUMENT', /not a valid IP/],
    [{}, 'CONFLICT', /Multiple possible networks/],
    [{ keyName: 'mine' }, 'INVALID_ARGUMENT', /Invalid key_name/],
    [{ userData: '%%%' }, 'INVALID_ARGUMENT', /base 64/],
    [{ userData: 'A'.repeat(70_000) }, 'INVALID_ARGUMENT', /too large/],
    [{ zone: 'mars' }, 'INVALID_ARGUMENT', /availability zone is not available/],
    [{ zone: 'nova:host-2' }, 'FORBIDDEN', /forced_host/],
    [{ securityGroups: ['web'] }, 'INVALID_ARGUMENT', /Security group web not found/],
    [{ name: ' ' }, 'INVALID_ARGUMENT', /name/],
    [{ metadata: { k: 'v'.repeat(300) } }, 'INVALID_ARGUMENT', /metadata/],
    [{ schedulerHints: { group: 'nothing' } }, 'INVALID_ARGUMENT', /Instance group nothing/],
    [{ minCount: 3, maxCount: 2 }, 'INVALID_ARGUMENT', /min_count/],
  ];
  for (const [draft, code, message] of cases) {
    const networks = code === 'CONFLICT' ? {} : { networks: 'none' };
    const error = await errorOf(one(world, { ...networks, ...draft }));
    t.match(error, { code, message }, JSON.stringify(draft).slice(0, 80));
  }
  t.equal(world.placer.requests.length, 0);
  t.equal(serverTable.list(world.state.local).length, 0);
});

void t.test('no host: the server is there in ERROR, says so, and goes at once', async (t) => {
  const world = await makeComputeWorld();
  world.placer.isFull = true;
  const server = await one(world, { networks: 'none' });
  t.equal(server.status, ServerStatus.SERVER_STATUS_ERROR);
  t.match(server.fault?.message, /^No valid host was found\./);
  t.match(server.fault?.details, /ComputeFilter/);
  await world.compute.servers.delete(world.alice, server.id);
  t.equal(read(world, server.id), undefined);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 0);
});

void t.test('when the bind is refused the claim is given back and nothing is left', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  world.placer.beforeAnswer = async () => {
    world.placer.beforeAnswer = undefined;
    await world.network.networks.delete(world.alice, network.id);
  };
  t.match(await errorOf(one(world, { networks: [{ networkId: network.id }] })), { code: 'NOT_FOUND' });
  t.equal(world.placer.released.length, 1);
  t.equal(serverTable.list(world.state.local).length, 0);
  t.equal(portTable.list(world.state.local).length, 0);
});

void t.test('when nobody knows whether the bind happened the claim is kept', async (t) => {
  const world = await makeComputeWorld();
  world.placer.beforeAnswer = async () => {
    world.state.loseNextOutcome = true;
  };
  const server = await one(world, { networks: 'none' });
  t.equal(world.placer.released.length, 0);
  t.equal(serverTable.list(world.state.local).length, 1);
  t.ok(read(world, server.id), 'the repeat under the same token found it bound');
});

void t.test('the same client token gives the same server, also at once', async (t) => {
  const world = await makeComputeWorld();
  const draft = { networks: 'none', clientToken: 'order-66' };
  const [a, b] = await Promise.all([one(world, draft), one(world, draft)]);
  const c = await one(world, draft);
  t.equal(a.id, b.id);
  t.equal(a.id, c.id);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 1);
  t.not((await one(world, { ...draft, clientToken: 'order-67' })).id, a.id);
});

void t.test(
  'a creation that stood still too long is placed again, unless its caller may have repeated it',
  async (t) => {
    const world = await makeComputeWorld();
    world.placer.tooOld.push(true);
    const server = await one(world, { networks: 'none' });
    t.equal(world.placer.requests.length, 2, 'placed again');
    t.ok(read(world, server.id));
    const released = world.placer.released.length;
    world.placer.tooOld.push(true);
    t.match(await errorOf(one(world, { networks: 'none', clientToken: 'order-68' })), { code: 'DEADLINE_EXCEEDED' });
    t.equal(world.placer.requests.length, 3, 'once');
    t.equal(world.placer.released.length, released + 1, 'its room is given back');
    t.equal(serverTable.list(world.state.local).length, 1, 'nothing is left behind');
  },
);

void t.test('several servers of one request share what the quota leaves', async (t) => {
  const world = await makeComputeWorld();
  const many = await world.compute.servers.create(world.alice, {
    ...base,
    networks: 'none',
    minCount: 2,
    maxCount: 20,
  });
  t.equal(many.servers.length, 10, 'as many as ten instances allow');
  t.equal(new Set(many.servers.map((server) => server.name)).size, 10);
  t.match(await errorOf(one(world, { networks: 'none' })), { code: 'QUOTA_EXCEEDED', message: /^Quota exceeded/ });
});

void t.test('several servers of one request are placed as one batch and bound by one transaction', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const before = world.state.local.revision;
  const { servers, reservationId } = await world.compute.servers.create(world.alice, {
    ...base,
    networks: [{ networkId: network.id }],
    minCount: 6,
  });
  t.equal(world.state.local.revision, before + 1);
  t.same(
    servers.map((server) => server.name),
    [1, 2, 3, 4, 5, 6].map((n) => `${base.name}-${n}`),
  );
  t.ok(servers.every((server) => server.reservationId === reservationId && server.hostId !== ''));
  const ids = servers.map((server) => server.id);
  t.same([...ids].sort(), ids, 'ids sort as they were made: the rows lie side by side');
  const ports = servers.map((server) => portTable.must(world.state.local, server.portIds[0] ?? '').record);
  t.equal(new Set(ports.map((port) => port.fixedIps[0]?.ip)).size, 6, 'addresses of one transaction differ');
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 6);
});

void t.test('of several, those that fit are made; fewer than the least number leave nothing', async (t) => {
  const world = await makeComputeWorld();
  const make = (minCount: number) =>
    world.compute.servers.create(world.alice, { ...base, networks: 'none', minCount, maxCount: 5 });
  world.placer.room = 3;
  t.match(await errorOf(make(4)), { code: 'NO_VALID_HOST' });
  t.equal(serverTable.list(world.state.local).length, 0);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 0);
  t.equal(world.placer.released.length, 3, 'what was admitted is given back');
  t.equal((await make(3)).servers.length, 3);
});

void t.test('a batch whose records do not fit into one transaction is all made, or none of it', async (t) => {
  const world = await makeComputeWorld();
  await new QuotaService(world.deps).set(world.admin, 'alice-project', { instances: 200, cores: 200, ram: -1 });
  const large = { ...base, networks: 'none' as const, userData: Buffer.alloc(48_000, 'u').toString('base64') };
  const before = world.state.local.revision;
  const { servers } = await world.compute.servers.create(world.alice, { ...large, minCount: 100 });
  t.equal(servers.length, 100);
  const transactions = world.state.local.revision - before;
  t.ok(transactions > 1 && transactions < 10, `${transactions} transactions`);
  t.equal(new Set(servers.map((server) => server.name)).size, 100);
  // The first transaction is committed when the placer finds no more.
  world.placer.beforeAnswer = async () => {
    if (world.placer.requests.length > 160) world.placer.isFull = true;
  };
  t.match(await errorOf(world.compute.servers.create(world.alice, { ...large, minCount: 100 })), {
    code: 'NO_VALID_HOST',
  });
  await hostsAct(world);
  t.equal(serverTable.list(world.state.local).length, 100, 'those of the first transaction are gone again');
});

void t.test('a quota that shrinks between placement and commit leaves as many as it has room for', async (t) => {
  const world = await makeComputeWorld();
  world.placer.beforeAnswer = async () => {
    world.placer.beforeAnswer = undefined;
    await one(world, { networks: 'none', name: 'in-between' });
  };
  const { servers } = await world.compute.servers.create(world.alice, {
    ...base,
    networks: 'none',
    minCount: 2,
    maxCount: 10,
  });
  t.equal(servers.length, 9);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 10);
  t.equal(world.placer.released.length, 10, 'the first batch was given back whole');
});

void t.test('a caller who goes away in the middle of a large request leaves no servers behind', async (t) => {
  const world = await makeComputeWorld();
  await new QuotaService(world.deps).set(world.admin, 'alice-project', { instances: 200, cores: 200, ram: -1 });
  const caller = new AbortController();
  const draft = { ...base, networks: 'none' as const, minCount: 90, maxCount: 90, userData: 'A'.repeat(60_000) };
  const transactions: number[] = [];
  const commit = world.state.commit.bind(world.state);
  world.state.commit = async (transaction, options) => {
    const outcome = await commit(transaction, options);
    transactions.push(serverTable.list(world.state.local).length);
    // He hears nothing of the second part.
    if (transactions.length === 1) caller.abort();
    return outcome;
  };
  await t.rejects(world.compute.servers.create({ ...world.alice, signal: caller.signal }, draft));
  t.ok((transactions[0] ?? 0) > 0 && (transactions[0] ?? 90) < 90, 'the first part was made');
  const left = serverTable.list(world.state.local).filter(({ record }) => !record.deleting);
  t.equal(left.length, 0);
});

void t.test('a group is filled by one request and never beyond its limit', async (t) => {
  const world = await makeComputeWorld();
  const group = await world.compute.serverGroups.create(world.alice, { name: 'g', policy: 'soft-affinity' });
  await new QuotaService(world.deps).set(world.admin, 'alice-project', { server_group_members: 4 });
  const draft = { ...base, networks: 'none' as const, schedulerHints: { group: group.id } };
  const { servers } = await world.compute.servers.create(world.alice, { ...draft, minCount: 1, maxCount: 6 });
  t.equal(servers.length, 4);
  t.same(
    serverGroupTable.must(world.state.local, group.id).record.memberIds,
    servers.map((server) => server.id),
  );
  t.match(await errorOf(world.compute.servers.create(world.alice, { ...draft, minCount: 2 })), {
    code: 'QUOTA_EXCEEDED',
    message: /too many servers in group/,
  });
});

void t.test('ten at once against a quota of ten and five there: five get through', async (t) => {
  const world = await makeComputeWorld();
  await world.compute.servers.create(world.alice, { ...base, networks: 'none', minCount: 5 });
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => errorOf(one(world, { networks: 'none' }))));
  t.equal(outcomes.filter((outcome) => outcome.code === 'none').length, 5);
  t.equal(serverTable.list(world.state.local).length, 10);
  t.equal(quotaUsage(world.state.local, 'alice-project', 'cores'), 10);
});

void t.test('stop, start and reboot ask the host and are refused out of turn', async (t) => {
  const world = await makeComputeWorld();
  const { servers } = world.compute;
  const server = await one(world, { networks: 'none' });
  t.match(await errorOf(servers.stop(world.alice, server.id)), { code: 'CONFLICT', message: /vm_state building/ });
  await hostsAct(world);
  t.match(await errorOf(servers.start(world.alice, server.id)), { code: 'CONFLICT', message: /vm_state active/ });
  await servers.stop(world.alice, server.id);
  t.equal(read(world, server.id)?.taskState, 'powering-off');
  t.match(await errorOf(servers.stop(world.alice, server.id)), { message: /task_state powering-off/ });
  await hostsAct(world);
  t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_SHUTOFF);
  await servers.start(world.alice, server.id);
  await hostsAct(world);
  await servers.reboot(world.alice, server.id, false);
  t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_REBOOT);
  await hostsAct(world);
  t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_ACTIVE, rebootsDone: 1, taskState: '' });
  t.match(await errorOf(servers.stop(world.bob, server.id)), { code: 'NOT_FOUND' });
  await servers.lock(world.alice, server.id);
  t.match(await errorOf(servers.stop(world.alice, server.id)), { code: 'CONFLICT', message: /locked/ });
  await servers.stop(world.admin, server.id);
});

void t.test('suspend and resume, an operator’s word on the state, and what guests are asked at once', async (t) => {
  const world = await makeComputeWorld();
  const { servers } = world.compute;
  const server = await one(world, { networks: 'none' });
  t.match(await errorOf(servers.triggerCrashDump(world.alice, server.id)), { message: /vm_state building/ });
  await hostsAct(world);
  await servers.suspend(world.alice, server.id);
  t.equal(read(world, server.id)?.taskState, 'suspending');
  await hostsAct(world);
  t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_SUSPENDED, powerState: 4, taskState: '' });
  for (const [work, message] of [
    [servers.stop(world.alice, server.id), /Cannot 'stop' instance .* while it is in vm_state suspended/],
    [servers.setPassword(world.alice, server.id, 'x'), /vm_state suspended/],
  ] as const)
    t.match(await errorOf(work), { code: 'CONFLICT', message });
  await servers.resume(world.alice, server.id);
  await hostsAct(world);
  t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '' });

  await servers.resetState(world.admin, server.id, 'error');
  await hostsAct(world);
  t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_ERROR, 'no report changes it');
  await servers.reboot(world.alice, server.id, true);
  await hostsAct(world);
  t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_ACTIVE, heldInError: false }, 'a request does');

  await servers.triggerCrashDump(world.alice, server.id);
  await servers.setPassword(world.alice, server.id, 'secret');
  t.strictSame(
    world.hostControl.questions.map(({ question }) => question),
    [{ kind: 'crash-dump' }, { kind: 'password', user: 'root', password: 'secret' }],
  );
  const actions = read(world, server.id)?.actions ?? [];
  t.strictSame(
    actions.slice(-3).map(({ action }) => action),
    ['reboot', 'trigger_crash_dump', 'changePassword'],
  );
  t.notMatch(JSON.stringify(read(world, server.id)), 'secret', 'the password is nowhere');
  for (const [failure, code] of [
    [new ShoalError('NOT_FOUND', 'no such guest'), 'CONFLICT'],
    [new ShoalError('DRIVER_FAILED', 'no such user'), 'CONFLICT'],
    [new ShoalError('UNAVAILABLE', 'no agent'), 'CONFLICT'],
    [new ShoalError('DEADLINE_EXCEEDED', 'too late'), 'DEADLINE_EXCEEDED'],
  ] as const) {
    world.hostControl.questionFailure = failure;
    t.equal((await errorOf(servers.setPassword(world.alice, server.id, 'x'))).code, code, failure.code);
  }
  world.hostControl.questionFailure = new ShoalError('UNAVAILABLE', 'no host');
  world.hostProbe.silent.add(server.hostId);
  t.equal((await errorOf(servers.setPassword(world.alice, server.id, 'x'))).code, 'UNAVAILABLE', 'the host is away');
});

void t.test('without a quorum its own host takes the request, other hosts name it', async (t) => {
  const world = await makeComputeWorld();
  const { servers } = world.compute;
  const server = await one(world, { networks: 'none' });
  await hostsAct(world);
  world.state.available = false;
  world.hostControl.hostId = server.hostId as typeof world.hostControl.hostId;
  await servers.stop(world.alice, server.id);
  await servers.reboot(world.alice, server.id, true);
  t.same(
    world.hostControl.intents.map((intent) => intent.change),
    [{ kind: 'stop' }, { kind: 'reboot', hard: true }],
  );
  world.hostControl.hostId = '9'.repeat(32) as typeof world.hostControl.hostId;
  t.match(await errorOf(servers.stop(world.alice, server.id)), {
    code: 'NO_QUORUM',
    message: /host-[12], can stop it/,
  });
  t.match(await errorOf(servers.delete(world.alice, server.id)), { code: 'NO_QUORUM' });
});

void t.test('anti-affinity holds for servers made at once', async (t) => {
  const world = await makeComputeWorld();
  const group = await world.compute.serverGroups.create(world.alice, { name: 'apart', policy: 'anti-affinity' });
  const make = () => one(world, { networks: 'none', schedulerHints: { group: group.id } });
  const made = await Promise.all([make(), make(), make()]);
  const placed = made.filter((server) => server.hostId !== '');
  t.equal(placed.length, 2);
  t.equal(new Set(placed.map((server) => server.hostId)).size, 2);
  const members = serverGroupTable.must(world.state.local, group.id).record.memberIds;
  t.same([...members].sort(), placed.map((server) => server.id).sort());
});

void t.test('a stopped server on shared storage moves: generation, ports, and a release owed', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const { servers } = world.compute;
  const local = await one(world, { networks: 'none' });
  await hostsAct(world);
  await servers.stop(world.alice, local.id);
  await hostsAct(world);
  t.match(await errorOf(world.compute.moves.migrate(world.admin, local.id)), {
    code: 'CONFLICT',
    message: /shared storage/,
  });

  const shared = await sharedServer(world, network.id);
  await world.compute.moves.migrate(world.admin, shared.id);
  const moving = read(world, shared.id);
  t.match(moving, { generation: 2, previousHostId: shared.hostId, status: ServerStatus.SERVER_STATUS_SHUTOFF });
  t.match(moving?.move, { kind: 'migration', phase: 'migrating' });
  t.not(moving?.hostId, shared.hostId);
  t.equal(portTable.must(world.state.local, shared.portIds[0] ?? '').record.hostId, moving?.hostId);
  await servers.delete(world.alice, shared.id);
  const row = read(world, shared.id);
  if (row === undefined) throw new Error('the server is gone');
  await t.rejects(world.reports(row.hostId).deleted(row), { code: 'UNAVAILABLE' }, 'its former host has not let go');
  await world.reports(row.previousHostId).released(row);
  await t.rejects(world.reports(row.hostId).deleted(row), { code: 'UNAVAILABLE' }, 'nor removed what it keeps');
  await world.reports(row.previousHostId).cleaned(row);
  await world.reports(row.hostId).deleted(row);
  t.equal(read(world, shared.id), undefined);
});

void t.test(
  'a named destination passes the filters, and is neither the own host nor one that the group forbids',
  async (t) => {
    const world = await makeComputeWorld();
    const { network } = await addNetwork(world);
    const shared = await sharedServer(world, network.id);
    const nameOf = (id: string) => hostTable.must(world.state.local, id).record.name;
    const own = nameOf(shared.hostId);
    const other =
      hostTable.list(world.state.local).find(({ record }) => record.id !== shared.hostId)?.record.name ?? '';
    const before = read(world, shared.id);
    t.match(await errorOf(world.compute.moves.migrate(world.admin, shared.id, own)), {
      code: 'INVALID_ARGUMENT',
      message: /host where the server exists/,
    });
    t.equal(world.placer.requests.length, 1, 'no host was asked for room');

    await world.compute.hosts.update(world.admin, other, { enabled: false });
    t.match(await errorOf(world.compute.moves.migrate(world.admin, shared.id, other)), { code: 'NO_VALID_HOST' });
    t.same(read(world, shared.id), before);
    await world.compute.hosts.update(world.admin, other, { enabled: true });
    await world.compute.moves.migrate(world.admin, shared.id, other);
    t.equal(nameOf(read(world, shared.id)?.hostId ?? ''), other);

    const group = await world.compute.serverGroups.create(world.alice, { name: 'apart', policy: 'anti-affinity' });
    const hints = { schedulerHints: { group: group.id } };
    const mover = await sharedServer(world, network.id, hints);
    const stays = await one(world, { networks: 'none', ...hints });
    t.match(await errorOf(world.compute.moves.migrate(world.admin, mover.id, nameOf(stays.hostId))), {
      code: 'CONFLICT',
      message: /anti-affinity policy of its server group .* does not allow that host/,
    });
  },
);

void t.test('a server whose host does not answer is not moved; a move that waits for one is taken back', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const shared = await sharedServer(world, network.id);
  const home = shared.hostId as HostId;
  world.hostProbe.silent.add(home);
  t.match(await errorOf(world.compute.moves.migrate(world.admin, shared.id)), {
    code: 'CONFLICT',
    message: /does not answer.*remove the host/,
  });
  t.match(read(world, shared.id), { hostId: home, generation: 1, previousHostId: '' });
  t.same(world.placer.requests.length, 1, 'no other host was asked for room');
  t.match(await errorOf(world.compute.moves.cancel(world.admin, shared.id)), { code: 'CONFLICT', message: /no move/ });

  world.hostProbe.silent.delete(home);
  await world.compute.moves.migrate(world.admin, shared.id);
  world.hostProbe.silent.add(home);
  const between = must(read(world, shared.id), 'the server');
  t.match(await errorOf(world.compute.servers.start(world.alice, shared.id)), { code: 'CONFLICT' });
  await world.compute.moves.cancel(world.alice, shared.id);
  const back = must(read(world, shared.id), 'the server');
  t.match(back, { hostId: home, previousHostId: '', generation: 3, status: ServerStatus.SERVER_STATUS_SHUTOFF });
  t.equal(portTable.must(world.state.local, shared.portIds[0] ?? '').record.hostId, home);
  // The host between them speaks of a move that is over.
  await world.reports(between.hostId).power(between, 'running', 0);
  await world.reports(home).released(between);
  t.same(read(world, shared.id), back);
  await hostsAct(world);
  await world.compute.servers.start(world.alice, shared.id);
  await hostsAct(world);
  t.match(read(world, shared.id), { status: ServerStatus.SERVER_STATUS_ACTIVE, hostId: home });
});

async function sharedServer(world: ComputeWorld, networkId: string, draft: object = {}): Promise<shoal.v1.Server> {
  const server = await one(world, { networks: [{ networkId }], ...draft });
  await hostsAct(world);
  await world.compute.servers.stop(world.alice, server.id);
  await hostsAct(world);
  const row = serverTable.must(world.state.local, server.id);
  const record = new shoal.v1.Server({ ...row.record, storage: 'rbd' });
  await world.state.commit({
    compares: [],
    thenOps: [{ kind: 'put', key: serverTable.key(server.id), value: shoal.v1.Server.encode(record).finish() }],
    elseOps: [],
  });
  return record;
}

void t.test(
  'a host’s late or foreign word changes nothing, and the same word twice changes nothing twice',
  async (t) => {
    const world = await makeComputeWorld();
    const server = await one(world, { networks: 'none' });
    const other = server.hostId.startsWith('1') ? '2'.repeat(32) : '1'.repeat(32);
    await world.reports(other).power(server, 'running', 0);
    t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_BUILD);
    await world.reports(other).deleted(server);
    const reports = world.reports(server.hostId);
    await reports.power(new shoal.v1.Server({ ...server, generation: 7 }), 'running', 0);
    t.equal(read(world, server.id)?.status, ServerStatus.SERVER_STATUS_BUILD);
    await reports.deleted(server);
    t.ok(read(world, server.id), 'nobody asked for its deletion');
    await reports.power(server, 'running', 0);
    const { revision } = world.state.local;
    await reports.power(server, 'running', 0);
    t.equal(world.state.local.revision, revision);
    await reports.fault(server, 'it broke', 'badly');
    t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_ERROR, fault: { message: 'it broke' } });
  },
);

void t.test('a guest that powers itself off is recorded as stopped, unless its owner asked for more', async (t) => {
  const world = await makeComputeWorld();
  const server = await one(world, { networks: 'none' });
  await hostsAct(world);
  const seen = read(world, server.id);
  if (seen === undefined) throw new Error('the server is gone');
  await world.compute.servers.reboot(world.alice, server.id, true);
  await world.reports(server.hostId).shutdown(seen);
  t.equal(read(world, server.id)?.powerWanted, shoal.v1.PowerWanted.POWER_WANTED_RUNNING, 'the reboot stands');
  const now = read(world, server.id);
  if (now === undefined) throw new Error('the server is gone');
  await world.reports(server.hostId).shutdown(now);
  t.match(read(world, server.id), {
    status: ServerStatus.SERVER_STATUS_SHUTOFF,
    powerWanted: shoal.v1.PowerWanted.POWER_WANTED_STOPPED,
  });
});

void t.test('a port given to a server comes back when the server goes', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const [port] = await world.network.ports.create(world.alice, [{ networkId: network.id }]);
  const portId = port?.id ?? '';
  const server = await one(world, { networks: [{ portId }] });
  t.match(await errorOf(one(world, { networks: [{ portId }] })), { code: 'CONFLICT', message: /still in use/ });
  await world.compute.servers.delete(world.alice, server.id);
  await hostsAct(world);
  t.match(portTable.must(world.state.local, portId).record, { deviceId: '', hostId: '', deviceOwner: '' });
});

void t.test('keys are fingerprinted, counted and their owner’s alone', async (t) => {
  const world = await makeComputeWorld();
  const { keypairs } = world.compute;
  const { keypair } = await keypairs.create(world.alice, { name: 'laptop', publicKey: blob });
  t.match(keypair.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  t.match(await errorOf(keypairs.create(world.alice, { name: 'laptop', publicKey: blob })), { code: 'CONFLICT' });
  t.match(await errorOf(keypairs.create(world.alice, { name: 'x', publicKey: 'ssh-rsa AAAA' })), {
    code: 'INVALID_ARGUMENT',
  });
  t.match(await errorOf(keypairs.create(world.alice, { name: 'a/b', publicKey: blob })), { code: 'INVALID_ARGUMENT' });
  const made = await keypairs.create(world.alice, { name: 'made' });
  t.match(made.privateKey, /^-----BEGIN RSA PRIVATE KEY-----/);
  t.same(
    keypairs.list(world.alice, world.state.local).map((key) => key.name),
    ['laptop', 'made'],
  );
  t.same(keypairs.list(world.bob, world.state.local), []);
  const server = await one(world, { networks: 'none', keyName: 'laptop' });
  t.equal(server.publicKey, blob);
  await keypairs.delete(world.alice, 'laptop');
  t.equal(quotaUsage(world.state.local, 'user-of-alice-project', 'key_pairs'), 1);
});

void t.test('private flavors are for those let in', async (t) => {
  const world = await makeComputeWorld();
  const { flavors } = world.compute;
  const draft = { id: 'p', name: 'private', vcpus: 1, memoryMib: 64, diskGib: 1, isPublic: false };
  await flavors.create(world.admin, draft);
  t.match(await errorOf(flavors.create(world.admin, { ...draft, id: 'q' })), { code: 'CONFLICT' });
  t.match(await errorOf(one(world, { flavorId: 'p', networks: 'none' })), { code: 'INVALID_ARGUMENT' });
  await flavors.setAccess(world.admin, 'p', 'alice-project', true);
  await one(world, { flavorId: 'p', networks: 'none' });
  await flavors.delete(world.admin, 'p');
  t.same(
    flavors.list(world.alice, world.state.local).map((flavor) => flavor.id),
    ['1'],
  );
});

void t.test('the console gives as many lines as asked for', async (t) => {
  const world = await makeComputeWorld();
  const server = await one(world, { networks: 'none' });
  const output = (lines?: number) =>
    world.compute.servers.consoleOutput(world.alice, world.state.local, server.id, lines);
  t.equal(await output(), 'line one\nline two\nline three\n');
  t.equal(await output(1), 'line three\n');
  t.equal(await output(99), 'line one\nline two\nline three\n');
  // While it is built, its host has no guest to ask.
  world.hostControl.consoleFailure = new ShoalError('NOT_FOUND', `no guest ${server.id} on this host`);
  await t.rejects(output(), { code: 'CONFLICT', message: `Instance ${server.id} is not ready` });
  world.hostControl.consoleFailure = new ShoalError('UNAVAILABLE', 'its host does not answer');
  await t.rejects(output(), { code: 'UNAVAILABLE' }, 'what could not be asked is said as it is');
});

void t.test('a limit is raised, lowered to what is used at least, and reset', async (t) => {
  const world = await makeComputeWorld();
  const { QuotaService } = await import('../../../../node/services/kit/quota.ts');
  const quotas = new QuotaService(world.deps);
  await one(world, { networks: 'none' });
  t.match(await errorOf(quotas.set(world.admin, 'alice-project', { instances: 0 })), { code: 'INVALID_ARGUMENT' });
  await quotas.set(world.admin, 'alice-project', { instances: 1 });
  t.match(await errorOf(one(world, { networks: 'none' })), { code: 'QUOTA_EXCEEDED' });
  t.equal(quotas.show(world.alice, world.state.local, 'alice-project').limits.instances, 1);
  await quotas.reset(world.admin, 'alice-project');
  t.equal(quotaTable.get(world.state.local, 'alice-project'), undefined);
  await one(world, { networks: 'none' });
});

void t.test('a name becomes a hostname that guests accept', (t) => {
  t.equal(hostnameOf('Web One', 'x'), 'web-one');
  t.equal(hostnameOf('a_b.c', 'x'), 'a-b-c');
  t.equal(hostnameOf('-über-', 'x'), 'ber');
  t.equal(hostnameOf('日本', 'x'), 'server-x');
  t.equal(hostnameOf('a'.repeat(80), 'x').length, 63);
  t.end();
});

void t.test('B29: a server is refused from an image that no host boots, and nothing is made', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const networks = [{ networkId: network.id }];
  for (const format of diskFormats) {
    const { id } = await addImage(world, `image-${format}`, format);
    const error = await errorOf(one(world, { imageId: id, networks }));
    if (bootableFormats.includes(format)) {
      t.equal(error.code, 'none', format);
      continue;
    }
    t.equal(error.code, 'INVALID_ARGUMENT', format);
    t.match(error.message, new RegExp(`disk format ${format}.*qcow2, raw, iso.*qemu-img convert`));
  }
  t.equal(serverTable.list(world.state.local).length, bootableFormats.length);
});

/** A flavor whose record is so large that far fewer than a transaction's items of its servers fit into one command. */
async function addLargeFlavor(world: ComputeWorld): Promise<void> {
  await world.compute.flavors.create(world.admin, { id: 'large', name: 'large', vcpus: 1, memoryMib: 1, diskGib: 1 });
  const specs = Object.fromEntries(
    Array.from({ length: 250 }, (_, n) => [`capabilities:${`${n}`.padStart(200, 'k')}`, 'v'.repeat(255)]),
  );
  await world.compute.flavors.setExtraSpecs(world.admin, 'large', specs);
  await new QuotaService(world.deps).set(world.admin, 'alice-project', { instances: 200, cores: 200, ram: -1 });
}

void t.test(
  'servers of a flavor with very many extra specs are bound by as many transactions as they need',
  async (t) => {
    const world = await makeComputeWorld();
    await addLargeFlavor(world);
    const before = world.state.local.revision;
    const draft = { ...base, flavorId: 'large', networks: 'none' as const, minCount: 60 };
    const { servers } = await world.compute.servers.create(world.alice, draft);
    t.equal(servers.length, 60);
    const transactions = world.state.local.revision - before;
    t.ok(transactions > 1 && transactions < 10, `${transactions} transactions`);
  },
);

void t.test('servers of a refused request that cannot be deleted again are named', async (t) => {
  const world = await makeComputeWorld();
  await addLargeFlavor(world);
  let placements = 0;
  world.placer.beforeAnswer = async () => {
    if (
      ++placements <= serverTable.list(world.state.local).length ||
      serverTable.list(world.state.local).length === 0
    ) {
      return;
    }
    world.state.available = false;
    throw new ShoalError('NO_VALID_HOST', 'No valid host was found.');
  };
  const draft = { ...base, flavorId: 'large', networks: 'none' as const, minCount: 60 };
  const refusal = await world.compute.servers.create(world.alice, draft).catch((caught: unknown) => caught);
  const left = serverTable.list(world.state.local).map(({ record }) => record.id);
  t.ok(left.length > 0 && left.length < 60, `${left.length} of the first transaction`);
  t.match(refusal, { code: 'NO_VALID_HOST', message: /No valid host was found\. These servers of the request/ });
  t.same(refusal instanceof ShoalError ? refusal.facts['leftServerIds'] : [], left);
  for (const id of left) t.ok(refusal instanceof ShoalError && refusal.message.includes(id));
});

void t.test(
  'a port says by what name its guest is found, whether it was made for it or taken, and for no longer',
  async (t) => {
    const world = await makeComputeWorld();
    const { network } = await addNetwork(world);
    const [own] = await world.network.ports.create(world.alice, [{ networkId: network.id }]);
    const ownId = own?.id ?? '';
    const server = await one(world, { networks: [{ networkId: network.id }, { portId: ownId }] });
    const names = () =>
      [server.portIds[0] ?? '', ownId].map((id) => portTable.get(world.state.local, id)?.record.dnsName);
    t.same(names(), ['web-one', 'web-one']);
    await world.compute.servers.update(world.alice, server.id, { hostname: 'web-2' });
    t.same(names(), ['web-2', 'web-2']);
    await hostsAct(world);
    await world.compute.servers.delete(world.alice, server.id);
    await hostsAct(world);
    t.same(names(), [undefined, '']);
  },
);

void t.test(
  'a private flavor is given to 1000 projects at most, and a hostname is checked when it changes, too',
  async (t) => {
    const world = await makeComputeWorld();
    const { flavors, servers } = world.compute;
    const draft = { id: 'p', name: 'p', vcpus: 1, memoryMib: 1, diskGib: 1, isPublic: false };
    await flavors.create(world.admin, draft);
    for (let n = 0; n < 1000; n++) await flavors.setAccess(world.admin, 'p', `project-${n}`, true);
    t.match(await errorOf(flavors.setAccess(world.admin, 'p', 'one-more', true)), {
      code: 'CONFLICT',
      message: /1000 projects, which is the most/,
    });
    t.match(await errorOf(flavors.setAccess(world.admin, 'p', 'x'.repeat(256), true)), { code: 'INVALID_ARGUMENT' });
    await flavors.setAccess(world.admin, 'p', 'project-0', false);
    await flavors.setAccess(world.admin, 'p', 'one-more', true);

    const server = await one(world, { networks: 'none' });
    for (const hostname of ['', 'a b', '-a', 'x'.repeat(64), 'a\nb']) {
      t.match(await errorOf(servers.update(world.alice, server.id, { hostname })), { code: 'INVALID_ARGUMENT' });
    }
    t.equal((await servers.update(world.alice, server.id, { hostname: 'web-2' })).hostname, 'web-2');
  },
);
