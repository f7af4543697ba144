import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Clock, systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { certificateFingerprint, MeshAuthority, verifyHost } from '../../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity, type TlsKey } from '../../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../../../node/mesh/identity/mesh-key-ring.ts';
import { type Joined, joinMesh } from '../../../../node/mesh/join/join.ts';
import { JoinHandler } from '../../../../node/mesh/join/join-handler.ts';
import { joinContent, joinPurpose } from '../../../../node/mesh/join/join-proof.ts';
import { JoinRelay } from '../../../../node/mesh/join/join-relay.ts';
import { issueTicket } from '../../../../node/mesh/join/ticket-issuer.ts';
import { JoinTicket } from '../../../../node/mesh/join/tickets.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { hostTable, meshTable, removedHostTable, ticketTable } from '../../../../node/state/tables/index.ts';
import type { StateClient } from '../../../../node/state/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { clientsOf, hostOf, refusingJoin, serve, type TestHost } from '../peer-fixtures.ts';

interface TestMesh {
  readonly authority: MeshAuthority;
  readonly meshKey: MeshKey;
  readonly state: MemoryStateClient;
  readonly founder: TestHost;
  readonly handler: JoinHandler;
  readonly address: string;
  wallMs: number;
  isUp(hostId: string): boolean;
  ticket(): Promise<JoinTicket>;
}

/** A mesh of one host that serves joins on loopback. */
async function meshOf(test: { teardown(run: () => Promise<void>): void }, meshId = 'm-1'): Promise<TestMesh> {
  const authority = MeshAuthority.create(meshId);
  const meshKey = MeshKey.create();
  const state = new MemoryStateClient();
  const founder = hostOf(authority);
  const builder = new TransactionBuilder();
  meshTable.insert(
    builder,
    shoal.v1.Mesh.create({
      id: 'mesh',
      meshId,
      authorityCertificatePem: authority.certificatePem,
      sealedAuthorityKey: authority.sealKey(meshKey),
    }),
  );
  hostTable.insert(
    builder,
    shoal.v1.Host.create({
      id: founder.hostId,
      name: 'founder',
      publicKey: founder.identity.publicKey,
      raftId: 1,
      transitIndex: 1,
      peerAddress: '127.0.0.1:1',
    }),
  );
  await state.commit(builder.build());
  const times = { wallMs: 1_000_000, isUp: (_hostId: string): boolean => true };
  const clock: Clock = { ...systemClock, nowMs: () => times.wallMs };
  const handler = new JoinHandler({
    state,
    keys: new MeshKeyRing(founder.identity, meshKey),
    identity: founder.identity,
    clock,
    logger: silentLogger,
    isUp: (hostId) => times.isUp(hostId),
  });
  const address = await serve(test, founder, { join: handler });
  return Object.assign(times, {
    authority,
    meshKey,
    state,
    founder,
    handler,
    address,
    ticket: async () => (await issueTicket({ state, clock }, { lifeMs: 3_600_000, ownPeerAddress: address })).ticket,
  });
}

interface Newcomer {
  readonly identity: HostIdentity;
  readonly tlsKey: TlsKey;
  readonly host: shoal.v1.IHost;
}

let names = 0;
const newcomer = (host: shoal.v1.IHost = {}): Newcomer => ({
  identity: HostIdentity.create(),
  tlsKey: createTlsKey(),
  host: {
    name: `host-${++names}`,
    peerAddress: '127.0.0.1:7401',
    gossipAddress: '/ip4/127.0.0.1/tcp/7402',
    vtepIp: '10.0.0.9',
    zone: 'z1',
    ...host,
  },
});

const join = (ticket: JoinTicket, who: Newcomer, patienceMs = 0): Promise<Joined> =>
  joinMesh(
    { clock: systemClock, logger: silentLogger },
    { ticket, ...who, patienceMs, signal: AbortSignal.timeout(10_000) },
  );

t.test('a ticket lets one host in, with everything that it needs', async (t) => {
  const mesh = await meshOf(t);
  const ticket = JoinTicket.decode((await mesh.ticket()).encode());
  const who = newcomer();
  const joined = await join(ticket, who);
  t.equal(verifyHost(joined.certificatePem, mesh.authority.certificatePem, 'm-1'), who.identity.hostId);
  t.same(joined.meshKey.reveal(), mesh.meshKey.reveal());
  t.equal(joined.host.raftId, 2);
  t.equal(joined.host.transitIndex, 2);
  t.equal(joined.host.joinedMs, mesh.wallMs);
  t.same(joined.hosts.map((host) => host.id).sort(), [mesh.founder.hostId, who.identity.hostId].sort());
  const recorded = hostTable.must(mesh.state.local, who.identity.hostId).record;
  t.same([recorded.name, recorded.zone, recorded.vtepIp, recorded.raftId], [who.host.name, 'z1', '10.0.0.9', 2]);
  const spent = ticketTable.must(mesh.state.local, ticket.ticketId).record;
  t.equal(spent.usedBy, who.identity.hostId);
  t.notOk(Buffer.from(spent.secretHash).equals(Buffer.from(ticket.secret.reveal())), 'the secret is not in the state');
});

t.test('a host of a release that cannot do what is in force is not let in', async (t) => {
  const mesh = await meshOf(t);
  const row = meshTable.must(mesh.state.local, 'mesh');
  const builder = new TransactionBuilder();
  meshTable.update(builder, row, shoal.v1.Mesh.create({ ...row.record, featureLevel: 2 }));
  await mesh.state.commit(builder.build());
  const ticket = await mesh.ticket();
  const { revision } = mesh.state.local;
  const who = newcomer();
  await t.rejects(join(ticket, { ...who, host: { ...who.host, featureLevel: 0 } }), {
    message: /finalised for feature level 2, which release/,
  });
  t.equal(mesh.state.local.revision, revision, 'the ticket is not spent');
  t.ok(await join(ticket, { ...who, host: { ...who.host, featureLevel: 2 } }));
});

t.test('a wrong, used, expired or foreign ticket changes nothing', async (t) => {
  const mesh = await meshOf(t);
  const good = await mesh.ticket();
  const other = await meshOf(t, 'm-2');
  const used = await mesh.ticket();
  await join(used, newcomer());
  const content = {
    meshId: good.meshId,
    fingerprint: good.fingerprint,
    addresses: good.addresses,
    ticketId: good.ticketId,
    secret: good.secret.reveal(),
  };
  const before = mesh.state.local.revision;
  const cases: readonly [string, JoinTicket, string][] = [
    ['a wrong secret', new JoinTicket({ ...content, secret: new Uint8Array(32) }), 'TICKET_INVALID'],
    ['an unknown id', new JoinTicket({ ...content, ticketId: 'unknown' }), 'TICKET_INVALID'],
    ['used by another', used, 'TICKET_USED'],
    ['a server of another mesh', new JoinTicket({ ...content, addresses: [other.address] }), 'IDENTITY_MISMATCH'],
    [
      'a server of another authority that claims the mesh',
      new JoinTicket({
        ...content,
        addresses: [await serve(t, hostOf(MeshAuthority.create('m-1')), { join: refusingJoin })],
      }),
      'IDENTITY_MISMATCH',
    ],
    ['nobody there', new JoinTicket({ ...content, addresses: ['127.0.0.1:1'] }), 'UNAVAILABLE'],
  ];
  for (const [what, ticket, code] of cases) await t.rejects(join(ticket, newcomer()), { code }, what);
  mesh.wallMs += 3_600_000;
  await t.rejects(join(good, newcomer()), { code: 'TICKET_EXPIRED' });
  t.equal(mesh.state.local.revision, before, 'nothing was written');
  t.equal(hostTable.list(mesh.state.local).length, 2);
});

t.test('the host that spent a ticket gets the same answer again, even later', async (t) => {
  const mesh = await meshOf(t);
  const ticket = await mesh.ticket();
  const who = newcomer();
  const first = await join(ticket, who);
  const revision = mesh.state.local.revision;
  mesh.wallMs += 7_200_000;
  const again = await join(ticket, who);
  t.equal(again.host.raftId, first.host.raftId);
  t.equal(mesh.state.local.revision, revision);
  await t.rejects(join(ticket, { ...newcomer(), host: who.host }), { code: 'TICKET_USED' });
});

t.test('the key of a host that was removed joins no more, and its ticket is not spent', async (t) => {
  const mesh = await meshOf(t);
  const who = newcomer();
  const { host } = await join(await mesh.ticket(), who);
  const builder = new TransactionBuilder();
  hostTable.remove(builder, hostTable.must(mesh.state.local, host.id));
  removedHostTable.insert(builder, shoal.v1.RemovedHost.create({ id: host.id, raftId: host.raftId }));
  await mesh.state.commit(builder.build());
  const ticket = await mesh.ticket();
  await t.rejects(join(ticket, who), { code: 'IDENTITY_MISMATCH', message: /removed/ });
  const fresh = await join(ticket, newcomer());
  t.equal(fresh.host.raftId, host.raftId + 1, 'a member number is never given twice');
});

t.test('a member that comes with a new ticket keeps its numbers and may have moved', async (t) => {
  const mesh = await meshOf(t);
  const who = newcomer();
  const first = await join(await mesh.ticket(), who);
  const second = await mesh.ticket();
  const again = await join(second, { ...who, host: { ...who.host, peerAddress: '127.0.0.9:7401' } });
  t.same([again.host.raftId, again.host.transitIndex], [first.host.raftId, first.host.transitIndex]);
  t.equal(hostTable.must(mesh.state.local, who.identity.hostId).record.peerAddress, '127.0.0.9:7401');
  t.equal(ticketTable.must(mesh.state.local, second.ticketId).record.usedBy, who.identity.hostId);
});

t.test('a lost answer to the commit is healed by asking again', async (t) => {
  const mesh = await meshOf(t);
  const ticket = await mesh.ticket();
  const who = newcomer();
  mesh.state.loseNextOutcome = true;
  const joined = await join(ticket, who, 5000);
  t.equal(joined.host.raftId, 2);
  t.equal(hostTable.list(mesh.state.local).length, 2);
});

t.test('without quorum the ticket is not spent, and joining goes on when there is one', async (t) => {
  const mesh = await meshOf(t);
  const ticket = await mesh.ticket();
  mesh.state.available = false;
  await t.rejects(join(ticket, newcomer()), { code: 'NO_QUORUM' });
  const joining = join(ticket, newcomer(), 5000);
  await sleep(200);
  mesh.state.available = true;
  t.equal((await joining).host.raftId, 2);
});

t.test(
  "many hosts that join at once get different numbers, and a removed one's Raft id is not used again",
  async (t) => {
    const mesh = await meshOf(t);
    const tickets = await Promise.all(Array.from({ length: 12 }, () => mesh.ticket()));
    const joined = await Promise.all(tickets.map((ticket) => join(ticket, newcomer())));
    t.equal(new Set(joined.map((one) => one.host.raftId)).size, 12);
    t.equal(new Set(joined.map((one) => one.host.transitIndex)).size, 12);
    const highest = Math.max(...joined.map((one) => one.host.raftId));
    const gone = joined.find((one) => one.host.raftId === highest);
    const builder = new TransactionBuilder();
    hostTable.remove(builder, hostTable.must(mesh.state.local, gone?.host.id ?? ''));
    await mesh.state.commit(builder.build());
    const next = await join(await mesh.ticket(), newcomer());
    t.equal(next.host.raftId, highest + 1);
    t.equal(next.host.transitIndex, gone?.host.transitIndex, 'a transit index may be used again');
  },
);

t.test("a joiner cannot take another's name or identity, or write rubbish into the records", async (t) => {
  const mesh = await meshOf(t);
  const ticket = await mesh.ticket();
  await t.rejects(join(ticket, newcomer({ name: 'founder' })), { code: 'CONFLICT' });
  const bad: readonly [string, shoal.v1.IHost][] = [
    ['name', { name: '../etc' }],
    ['peer_address', { peerAddress: 'nonsense' }],
    ['gossip_address', { gossipAddress: 'http://x' }],
    ['vtep_ip', { vtepIp: '300.1.1.1' }],
    ['api_url', { apiUrl: 'javascript:1' }],
    ['zone', { zone: 'z'.repeat(65) }],
    ['failure_domain', { failureDomain: 'a\nb' }],
  ];
  for (const [field, host] of bad) {
    await t.rejects(join(ticket, newcomer(host)), { code: 'INVALID_ARGUMENT', facts: { field } }, field);
  }
  const [who, victim] = [newcomer(), HostIdentity.create()];
  const content = { meshId: 'm-1', ticketId: ticket.ticketId, tlsPublicKey: who.tlsKey.publicKeySpki };
  const request = shoal.v1.JoinRequest.create({
    ...content,
    secret: ticket.secret.reveal(),
    host: shoal.v1.Host.create({ ...who.host, id: victim.hostId, publicKey: victim.publicKey }),
    proof: who.identity.sign(joinPurpose, joinContent(content)),
  });
  const signal = new AbortController().signal;
  await t.rejects(mesh.handler.join(request, '10.0.0.1:1', signal), { code: 'IDENTITY_MISMATCH' });
  t.equal(hostTable.list(mesh.state.local).length, 1);
  t.equal(ticketTable.must(mesh.state.local, ticket.ticketId).record.usedBy, '');
});

t.test('a caller who guesses is slowed down, others are not', async (t) => {
  const mesh = await meshOf(t);
  const request = shoal.v1.JoinRequest.create({ meshId: 'm-1', ticketId: 'x', secret: new Uint8Array(32) });
  const signal = new AbortController().signal;
  for (let i = 0; i < 10; i++) {
    mesh.handler.admit(`10.0.0.1:${i}`);
    await t.rejects(mesh.handler.join(request, `10.0.0.1:${i}`, signal), ShoalError);
  }
  t.throws(() => mesh.handler.admit('10.0.0.1:99'), { code: 'RATE_LIMITED' });
  t.doesNotThrow(() => mesh.handler.admit('10.0.0.2:99'));
});

t.test('tickets have a bounded life and name this agent first', async (t) => {
  const mesh = await meshOf(t);
  const deps = { state: mesh.state, clock: systemClock };
  for (const lifeMs of [0, 59_999, 8 * 24 * 3_600_000, Number.NaN]) {
    await t.rejects(issueTicket(deps, { lifeMs, ownPeerAddress: mesh.address }), { code: 'INVALID_ARGUMENT' });
  }
  const { ticket } = await issueTicket(deps, { lifeMs: 60_000, ownPeerAddress: mesh.address });
  t.same(ticket.addresses, [mesh.address, '127.0.0.1:1']);
  t.same(ticket.fingerprint, certificateFingerprint(mesh.authority.certificatePem));
});

t.test('a ticket names hosts that hold the whole state before others: only they can admit', async (t) => {
  const { state } = await meshOf(t);
  const builder = new TransactionBuilder();
  for (let raftId = 11; raftId <= 19; raftId += 1) {
    const record = { id: `host-${raftId}`, name: `h${raftId}`, raftId, transitIndex: raftId };
    hostTable.insert(builder, shoal.v1.Host.create({ ...record, peerAddress: `10.0.0.${raftId}:7401` }));
  }
  await state.commit(builder.build());
  const sliced: StateClient = {
    local: state.local,
    status: () => ({ ...state.status(), voters: [18], learners: [19] }),
    fresh: (signal) => state.fresh(signal),
    commit: (transaction, options) => state.commit(transaction, options),
    watch: (options, listener) => state.watch(options, listener),
  };
  const { ticket } = await issueTicket(
    { state: sliced, clock: systemClock },
    { lifeMs: 60_000, ownPeerAddress: '10.0.0.12:7401' },
  );
  t.same(ticket.addresses.slice(0, 3), ['10.0.0.12:7401', '10.0.0.18:7401', '10.0.0.19:7401']);
});

t.test('all addresses are tried in turn, and one error tells of each', async (t) => {
  const mesh = await meshOf(t);
  const real = await mesh.ticket();
  const content = (addresses: readonly string[]): JoinTicket =>
    new JoinTicket({
      meshId: real.meshId,
      fingerprint: real.fingerprint,
      ticketId: real.ticketId,
      secret: real.secret.reveal(),
      addresses,
    });
  const stranger = await serve(t, hostOf(MeshAuthority.create('m-9')));
  const error = await join(content(['127.0.0.1:1', stranger]), newcomer(), 0).catch((caught: unknown) => caught);
  t.match(error, { code: 'IDENTITY_MISMATCH', message: /Nobody let this host in\. 127\.0\.0\.1:1: .*does not belong/ });
  t.ok(await join(content(['127.0.0.1:1', stranger, mesh.address]), newcomer()), 'the third lets it in');

  const found = await mesh.ticket();
  const lost = new JoinTicket({ ...found, secret: found.secret.reveal(), addresses: ['127.0.0.1:1'] });
  const options = { ticket: lost, ...newcomer(), patienceMs: 0, signal: AbortSignal.timeout(10_000) };
  const deps = { clock: systemClock, logger: silentLogger };
  const failing = { ...options, discover: () => Promise.reject(new Error('no such name')) };
  await t.rejects(joinMesh(deps, failing), { code: 'UNAVAILABLE', message: /discovery: .*no such name/ });
  t.ok(
    await joinMesh(deps, { ...options, discover: async () => [mesh.address] }),
    'a member that was found lets it in',
  );
});

/** A member that holds a slice, and passes newcomers on to `replicas`. */
async function subscriberOf(
  test: { teardown(run: () => void | Promise<void>): void },
  mesh: TestMesh,
  replicas: ReadonlyMap<HostId, string>,
): Promise<string> {
  const host = hostOf(mesh.authority);
  const relay = new JoinRelay({ peers: clientsOf(test, host, replicas), replicas: () => [...replicas.keys()] });
  const lacking = (): never => {
    throw new ShoalError('NOT_IN_SLICE', 'This host holds a part of the records only.');
  };
  const state: StateClient = {
    local: mesh.state.local,
    status: () => mesh.state.status(),
    fresh: async () => lacking(),
    commit: async () => lacking(),
    watch: () => ({ close: () => {} }),
  };
  const handler = new JoinHandler({
    state,
    keys: new MeshKeyRing(host.identity, mesh.meshKey),
    identity: host.identity,
    clock: systemClock,
    logger: silentLogger,
    relay,
    isUp: () => true,
  });
  return serve(test, host, { join: handler, handlers: { relayJoin: relay.handler(handler) } });
}

/** A replica that admits for others. */
async function replicaOf(
  test: { teardown(run: () => void | Promise<void>): void },
  mesh: TestMesh,
): Promise<readonly [HostId, string]> {
  const host = hostOf(mesh.authority);
  const relay = new JoinRelay({ peers: clientsOf(test, host, new Map()), replicas: () => undefined });
  return [host.hostId, await serve(test, host, { handlers: { relayJoin: relay.handler(mesh.handler) } })];
}

t.test('a host joins by way of a member that holds a slice, and is told what a replica says', async (t) => {
  const mesh = await meshOf(t);
  // The first is gone, the second a version that knows nothing of it, the third holds a slice itself.
  const gone = hostOf(mesh.authority).hostId;
  const slice = hostOf(mesh.authority);
  const sliced = new JoinRelay({ peers: clientsOf(t, slice, new Map()), replicas: () => [] });
  const refusing = await serve(t, slice, { handlers: { relayJoin: sliced.handler(mesh.handler) } });
  const replica = await replicaOf(t, mesh);
  const address = await subscriberOf(t, mesh, new Map([[gone, '127.0.0.1:1'], [slice.hostId, refusing], replica]));
  const ticket = async () => {
    const { meshId, fingerprint, ticketId, secret } = await mesh.ticket();
    return new JoinTicket({ meshId, fingerprint, ticketId, secret: secret.reveal(), addresses: [address] });
  };
  const first = await ticket();
  const who = newcomer();
  const joined = await join(first, who);
  t.same(joined.meshKey.reveal(), mesh.meshKey.reveal());
  t.equal(hostTable.must(mesh.state.local, who.identity.hostId).record.raftId, joined.host.raftId);
  t.equal((await join(first, who)).host.raftId, joined.host.raftId, 'asking again gets the same answer');
  await t.rejects(join(first, newcomer()), { code: 'TICKET_USED' });
  await t.rejects(join(await ticket(), newcomer({ name: String(who.host.name) })), { code: 'CONFLICT' });
});

t.test('with no replica to be reached a newcomer is told to ask another host', async (t) => {
  const mesh = await meshOf(t);
  const gone = hostOf(mesh.authority).hostId;
  const address = await subscriberOf(t, mesh, new Map([[gone, '127.0.0.1:1']]));
  const { meshId, fingerprint, ticketId, secret } = await mesh.ticket();
  const ticket = new JoinTicket({ meshId, fingerprint, ticketId, secret: secret.reveal(), addresses: [address] });
  await t.rejects(join(ticket, newcomer()), { code: 'UNAVAILABLE', message: /no replica of them can be reached/ });
});

t.test('of many that come at once four come in, the next when those are up; no ticket is refused', async (t) => {
  const mesh = await meshOf(t);
  mesh.wallMs = Date.now();
  const up = new Set<string>();
  mesh.isUp = (hostId) => up.has(hostId);
  const joined: string[] = [];
  const newcomers = await Promise.all(
    Array.from({ length: 10 }, async () => ({ ticket: await mesh.ticket(), who: newcomer() })),
  );
  const joining = newcomers.map(async ({ ticket, who }) => {
    // Less patience than it takes: those who are told to wait do not use it up.
    const { host } = await joinMesh(
      { clock: systemClock, logger: silentLogger },
      { ticket, ...who, patienceMs: 2_000, signal: AbortSignal.timeout(25_000) },
    );
    joined.push(host.id);
  });
  const atOnce: number[] = [];
  for (let round = 0; round < 60 && joined.length < newcomers.length; round += 1) {
    await sleep(400);
    const inside = joined.filter((hostId) => !up.has(hostId));
    atOnce.push(inside.length);
    // Slow ones: all that are inside come up at once, when the others have been waiting for longer than their patience.
    if (round % 10 === 9) for (const hostId of inside) up.add(hostId);
  }
  await Promise.all(joining);
  t.equal(joined.length, 10);
  t.equal(Math.max(...atOnce), 4);
  const tickets = ticketTable.list(mesh.state.local).map((row) => row.record.usedBy);
  t.same(tickets.sort(), joined.sort(), 'each has used its own');
});

t.test('newcomers that never come up keep nobody out for long, and who asks again does not wait', async (t) => {
  const mesh = await meshOf(t);
  mesh.wallMs = Date.now();
  mesh.isUp = () => false;
  const first = { ticket: await mesh.ticket(), who: newcomer() };
  await join(first.ticket, first.who);
  for (let n = 0; n < 3; n += 1) await join(await mesh.ticket(), newcomer());
  await join(first.ticket, first.who);
  const late = { ticket: await mesh.ticket(), who: newcomer() };
  await t.rejects(join(late.ticket, late.who), { code: 'RATE_LIMITED' });
  t.equal(ticketTable.must(mesh.state.local, late.ticket.ticketId).record.usedBy, '', 'its ticket is not spent');
  mesh.wallMs += 15_000;
  await join(late.ticket, late.who);
});
