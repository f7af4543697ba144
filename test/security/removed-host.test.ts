/**
 * F5, A9: a host joins with a ticket, keeps all that it was ever given (mesh key, replica, certificates) and is removed. It
 * can speak for nobody any more: not for an administrator, not for a member, not for a newcomer. Who was switched off at the
 * time is a member when it is back (A11). Real TLS on loopback; the members share one state in memory.
 */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Clock, systemClock } from '../../node/base/clock.ts';
import type { HostId } from '../../node/base/ids.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { MeshAuthority } from '../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity, type TlsKey } from '../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../node/mesh/identity/mesh-key-ring.ts';
import { StatePeerTrust, tlsKeySha256 } from '../../node/mesh/identity/peer-trust.ts';
import { joinMesh } from '../../node/mesh/join/join.ts';
import { JoinHandler } from '../../node/mesh/join/join-handler.ts';
import { issueTicket } from '../../node/mesh/join/ticket-issuer.ts';
import type { JoinTicket } from '../../node/mesh/join/tickets.ts';
import { bootstrap } from '../../node/services/cluster/bootstrap.ts';
import { meshRekey } from '../../node/services/cluster/mesh-rekey.ts';
import { removeHost } from '../../node/services/compute/host-removal.ts';
import { IdentityService } from '../../node/services/identity/identity.ts';
import { type TokenClaims, TokenCodec } from '../../node/services/identity/token.ts';
import { MeshTokenKeys } from '../../node/services/identity/token-keys.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../node/state/table.ts';
import { hostTable, meshKeyEpochTable, meshTable, removedHostTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { meshAuthority } from '../../node/tls/mesh-authority.ts';
import { PeerCertificate } from '../../node/tls/peer-certificate.ts';
import { shoal } from '../../proto/messages.ts';
import { clientsOf, serve, type TestHost } from '../node/mesh/peer-fixtures.ts';

const meshId = 'mesh-1';
const lifetimeMs = 3_600_000;
const soon = { timeoutMs: 5_000 };
const never = new AbortController().signal;
const adminPassword = 'correct horse battery staple';

/** The part of a test that fixtures need. */
interface Test {
  teardown(run: () => void | Promise<void>): void;
}

interface Member extends TestHost {
  readonly keys: MeshKeyRing;
  readonly tlsKey: TlsKey;
  readonly source: PeerCertificate;
}

/** What a host has of its own: keys, the certificate that it joined with, and trust by what it knows. */
function memberOf(
  parts: { readonly identity: HostIdentity; readonly tlsKey: TlsKey; readonly first: MeshKey },
  shown: { readonly certificatePem: string; readonly authorityPem: string },
  reader: () => StateReader,
): Member {
  const { identity, tlsKey } = parts;
  const keys = new MeshKeyRing(identity, parts.first);
  const source = new PeerCertificate({
    meshId,
    hostId: identity.hostId,
    tlsKey,
    ...shown,
    trust: new StatePeerTrust(reader, shown.authorityPem),
    save: async () => {},
  });
  return { identity, hostId: identity.hostId, keys, tlsKey, certificates: source.current(), source };
}

interface Mesh {
  readonly state: MemoryStateClient;
  readonly founder: Member;
  readonly address: string;
  readonly identity: IdentityService;
  wallMs: number;
  ticket(): Promise<JoinTicket>;
  join(ticket: JoinTicket, name: string): Promise<Member & { readonly meshKey: MeshKey }>;
  remove(host: string, trusted?: boolean): Promise<void>;
  login(): Promise<string>;
  /** Answers as a member would; where it listens. */
  serve(member: Member): Promise<string>;
}

async function foundMesh(test: Test): Promise<Mesh> {
  const state = new MemoryStateClient();
  const times = { wallMs: Date.now() };
  const clock: Clock = { ...systemClock, nowMs: () => times.wallMs };
  const deps = { state, clock, logger: silentLogger, newId: randomUUID };
  const first = MeshKey.create();
  const authority = MeshAuthority.create(meshId);
  const own = { identity: HostIdentity.create(), tlsKey: createTlsKey(), first };
  const certificatePem = authority.issueHost(own.identity.hostId, own.tlsKey.publicKeySpki);
  const founder = memberOf(own, { certificatePem, authorityPem: authority.certificatePem }, () => state.local);
  await bootstrap(deps, {
    adminPassword,
    signal: never,
    also: (builder) => {
      meshTable.insert(
        builder,
        new shoal.v1.Mesh({
          id: 'mesh',
          meshId,
          authorityCertificatePem: authority.certificatePem,
          sealedAuthorityKey: authority.sealKey(first),
        }),
      );
      hostTable.insert(
        builder,
        new shoal.v1.Host({
          id: founder.hostId,
          name: 'founder',
          publicKey: own.identity.publicKey,
          tlsKeySha256: tlsKeySha256(own.tlsKey.publicKeySpki),
          raftId: 1,
          transitIndex: 1,
        }),
      );
    },
  });
  const admits = (id: HostId): boolean => removedHostTable.get(state.local, id) === undefined;
  const handlers = { probe: async () => ({ reached: true }) };
  const serveMember = (member: Member): Promise<string> =>
    serve(test, member, {
      admits,
      handlers,
      join: new JoinHandler({
        state,
        keys: member.keys,
        identity: member.identity,
        clock,
        logger: silentLogger,
        isUp: () => true,
      }),
    });
  const address = await serveMember(founder);
  const rekey = meshRekey(founder.keys, clock, lifetimeMs);
  const identity = new IdentityService(deps, {
    tokenKeys: new MeshTokenKeys(founder.keys),
    tokenLifetimeMs: lifetimeMs,
  });
  return Object.assign(times, {
    state,
    founder,
    address,
    identity,
    ticket: async () => (await issueTicket(deps, { lifeMs: 3_600_000, ownPeerAddress: address })).ticket,
    async join(ticket: JoinTicket, name: string) {
      const keys = { identity: HostIdentity.create(), tlsKey: createTlsKey() };
      const joined = await joinMesh(
        { clock: systemClock, logger: silentLogger },
        {
          ticket,
          ...keys,
          host: { name, peerAddress: '127.0.0.1:7401', gossipAddress: '/ip4/127.0.0.1/tcp/7402', vtepIp: '10.0.0.9' },
          patienceMs: 0,
          signal: AbortSignal.timeout(10_000),
        },
      );
      const member = memberOf({ ...keys, first: joined.meshKey }, joined, () => state.local);
      return { ...member, meshKey: joined.meshKey };
    },
    async remove(host: string, trusted = false) {
      state.voters = [1];
      await removeHost(
        {
          ...deps,
          rekey,
          hostProbe: { answers: async () => true },
          hostViews: { adverts: () => [], condition: () => 'unknown' },
        },
        {
          host,
          force: true,
          trusted,
          signal: never,
        },
      );
      // As housekeeping does within a second.
      const authority = meshAuthority(state.local, founder.keys);
      if (authority !== undefined) await founder.source.check(deps, authority, never);
    },
    async login() {
      const user = { name: 'admin', domain: { id: 'default' } };
      const scope = { kind: 'project', project: user } as const;
      const asked = { password: { user, password: adminPassword }, scope };
      return (await identity.issue(state.local, asked, never)).token;
    },
    serve: serveMember,
  });
}

/** The claims of a token, without a look at its signature. */
function claimsOf(token: string): TokenClaims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as TokenClaims;
}

/** A replica as it was at this moment: what a host that is switched off, or was removed, goes on knowing. */
async function frozen(reader: StateReader): Promise<StateReader> {
  const copy = new MemoryStateClient();
  const builder = new TransactionBuilder();
  meshTable.insert(builder, meshTable.must(reader, 'mesh').record);
  for (const { record } of hostTable.list(reader)) hostTable.insert(builder, record);
  for (const { record } of meshKeyEpochTable.list(reader)) meshKeyEpochTable.insert(builder, record);
  await copy.commit(builder.build());
  return copy.local;
}

void t.test('F5 A9: a removed host forges no token, whenever it says it was issued', async (t) => {
  const mesh = await foundMesh(t);
  const thief = await mesh.join(await mesh.ticket(), 'thief');
  const before = await mesh.login();
  const known = claimsOf(before);
  const old = new TokenCodec(thief.meshKey.derive('token-signing').reveal());
  const forge = (codec: TokenCodec, issuedMs: number, lifeMs = lifetimeMs): string =>
    codec.sign({ ...known, a: [randomUUID()], i: issuedMs, e: issuedMs + lifeMs });
  await mesh.identity.authenticate(forge(old, mesh.wallMs), never);
  await t.rejects(
    mesh.identity.authenticate(forge(old, mesh.wallMs, 365 * 24 * lifetimeMs), never),
    { code: 'UNAUTHENTICATED' },
    'a life longer than any that is issued is refused while the key is still good',
  );

  await mesh.remove('thief');
  const stolenNumber = new TokenCodec(thief.meshKey.derive('token-signing').reveal(), 1);
  const nextNumber = new TokenCodec(thief.meshKey.derive('token-signing').reveal(), 2);
  const attempts: Readonly<Record<string, string>> = {
    'issued now': forge(old, mesh.wallMs),
    'issued before the removal': forge(old, mesh.wallMs - 60_000),
    'for a year': forge(old, mesh.wallMs, 365 * 24 * lifetimeMs),
    'under the number of the new key': forge(stolenNumber, mesh.wallMs),
    'under a number that is not there yet': forge(nextNumber, mesh.wallMs),
    'a token of before, which it may have seen': before,
  };
  for (const [what, token] of Object.entries(attempts)) {
    await t.rejects(mesh.identity.authenticate(token, never), { code: 'UNAUTHENTICATED' }, what);
  }
  t.throws(() => mesh.identity.checkSignature(forge(old, mesh.wallMs)), { code: 'UNAUTHENTICATED' });
  const fresh = await mesh.login();
  t.match(await mesh.identity.authenticate(fresh, never), { userName: 'admin' }, 'users log in again');
  t.doesNotThrow(() => mesh.identity.checkSignature(fresh));
});

void t.test('F5: a removed host opens neither the new mesh key nor the new authority', async (t) => {
  const mesh = await foundMesh(t);
  const thief = await mesh.join(await mesh.ticket(), 'thief');
  const heir = await mesh.join(await mesh.ticket(), 'heir');
  await mesh.remove('thief');
  // It may well see the state: a backup, a member's disk that was not wiped of replicas.
  const reader = mesh.state.local;
  t.throws(() => thief.keys.current(reader), { code: 'IDENTITY_MISMATCH' });
  const { record } = meshTable.must(reader, 'mesh');
  const sealed = { meshId, certificatePem: record.authorityCertificatePem, sealedKey: record.sealedAuthorityKey };
  t.throws(() => MeshAuthority.open(sealed, thief.meshKey), { code: 'IDENTITY_MISMATCH' });
  t.strictSame(heir.keys.current(reader).key.reveal(), mesh.founder.keys.current(reader).key.reveal(), 'who stays can');
  t.notSame(heir.keys.current(reader).key.reveal(), thief.meshKey.reveal());
});

void t.test('F5: certificates that a removed host signs with the former authority open nothing', async (t) => {
  const mesh = await foundMesh(t);
  const thief = await mesh.join(await mesh.ticket(), 'thief');
  const member = await mesh.join(await mesh.ticket(), 'member');
  const stolen = meshTable.must(mesh.state.local, 'mesh').record;
  const authority = MeshAuthority.open(
    { meshId, certificatePem: stolen.authorityCertificatePem, sealedKey: stolen.sealedAuthorityKey },
    thief.meshKey,
  );
  await mesh.remove('thief');
  const tlsKey = createTlsKey();
  const as = (hostId: HostId): TestHost => ({
    identity: thief.identity,
    hostId,
    certificates: {
      meshId,
      certificatePem: authority.issueHost(hostId, tlsKey.publicKeySpki),
      privateKeyPem: tlsKey.privateKeyPem,
      authorityPem: authority.certificatePem,
    },
  });
  const addresses = new Map([[mesh.founder.hostId, mesh.address]]);
  const probe = (host: TestHost) => clientsOf(t, host, addresses).to(mesh.founder.hostId).calls.probe({}, soon);
  await t.rejects(probe(thief), { code: 'IDENTITY_MISMATCH', message: /removed/ }, 'as itself');
  await t.rejects(probe(as(member.hostId)), { code: 'IDENTITY_MISMATCH' }, 'as a member');
  await t.rejects(probe(as(mesh.founder.hostId)), { code: 'IDENTITY_MISMATCH' }, 'as the founder');
  await t.rejects(probe(as(HostIdentity.create().hostId)), { code: 'IDENTITY_MISMATCH' }, 'as a host not known yet');

  // The other way: it answers where a member is looked for.
  const trap = await serve(t, as(member.hostId), { handlers: { probe: async () => ({ reached: true }) } });
  const dialled = clientsOf(t, mesh.founder, new Map([[member.hostId, trap]])).to(member.hostId);
  await t.rejects(
    dialled.call((calls) => calls.probe({}, soon)),
    { code: 'IDENTITY_MISMATCH' },
    'nobody talks to it in place of a member',
  );
  const honest = clientsOf(t, member, addresses).to(mesh.founder.hostId);
  t.match(await honest.calls.probe({}, soon), { reached: true }, 'the member itself still may, as it is');
});

void t.test('F5: tickets of before the removal are void, also with the secret', async (t) => {
  const mesh = await foundMesh(t);
  await mesh.join(await mesh.ticket(), 'thief');
  const ticket = await mesh.ticket();
  await mesh.remove('thief');
  await t.rejects(mesh.join(ticket, 'late'), { code: 'IDENTITY_MISMATCH' }, 'it pins the former authority');
  const present = await mesh.ticket();
  // What the thief can make of a ticket whose secret it was shown in the place of a member.
  const { JoinTicket: Ticket } = await import('../../node/mesh/join/tickets.ts');
  const stolen = new Ticket({
    meshId,
    fingerprint: present.fingerprint,
    addresses: present.addresses,
    ticketId: ticket.ticketId,
    secret: ticket.secret.reveal(),
  });
  await t.rejects(mesh.join(stolen, 'thief-2'), { code: 'TICKET_INVALID' });
  const late = await mesh.join(present, 'late');
  t.strictSame(
    late.keys.current(mesh.state.local).key.reveal(),
    mesh.founder.keys.current(mesh.state.local).key.reveal(),
    'who joins under the new authority has the new key',
  );
  const addresses = new Map([[mesh.founder.hostId, mesh.address]]);
  t.match(await clientsOf(t, late, addresses).to(mesh.founder.hostId).calls.probe({}, soon), { reached: true });
});

void t.test('F5 A11: a member that was switched off during a removal is one when it is back', async (t) => {
  const mesh = await foundMesh(t);
  await mesh.join(await mesh.ticket(), 'thief');
  const sleeper = await mesh.join(await mesh.ticket(), 'sleeper');
  const past = await frozen(mesh.state.local);
  await mesh.remove('thief');
  await mesh.join(await mesh.ticket(), 'newer');

  // It knows the former authority alone, and no newer record.
  const stale = memberOf(
    { identity: sleeper.identity, tlsKey: sleeper.tlsKey, first: sleeper.meshKey },
    { certificatePem: sleeper.certificates.certificatePem, authorityPem: sleeper.certificates.authorityPem },
    () => past,
  );
  const addresses = new Map([[mesh.founder.hostId, mesh.address]]);
  t.match(await clientsOf(t, stale, addresses).to(mesh.founder.hostId).calls.probe({}, soon), { reached: true });
  const itsAddress = await serve(t, stale, { handlers: { probe: async () => ({ reached: true }) } });
  const back = clientsOf(t, mesh.founder, new Map([[stale.hostId, itsAddress]])).to(stale.hostId);
  t.match(await back.calls.probe({}, soon), { reached: true }, 'and the others reach it');
  t.strictSame(
    stale.keys.current(mesh.state.local).key.reveal(),
    mesh.founder.keys.current(mesh.state.local).key.reveal(),
    'the new key lies in the state for it',
  );
});

void t.test('F5: after the removal of a trusted host users stay logged in, for one life of a token', async (t) => {
  const mesh = await foundMesh(t);
  await mesh.join(await mesh.ticket(), 'retired');
  const ticket = await mesh.ticket();
  const before = await mesh.login();
  mesh.wallMs += 1_000;
  await mesh.remove('retired', true);
  t.match(await mesh.identity.authenticate(before, never), { userName: 'admin' });
  await mesh.join(ticket, 'next');
  const after = await mesh.login();
  mesh.wallMs += lifetimeMs - 2_000;
  t.match(await mesh.identity.authenticate(after, never), { userName: 'admin' });
  t.match(await mesh.identity.authenticate(before, never), { userName: 'admin' });
  await mesh.remove('next', true);
  t.match(await mesh.identity.authenticate(after, never), { userName: 'admin' }, 'one key back is known');
  await t.rejects(mesh.identity.authenticate(before, never), { code: 'UNAUTHENTICATED' }, 'two are not');
});

void t.test('F5: a mesh is not re-keyed while that would exclude a member', async (t) => {
  const mesh = await foundMesh(t);
  await mesh.join(await mesh.ticket(), 'thief');
  const old = await mesh.join(await mesh.ticket(), 'old');
  const builder = new TransactionBuilder();
  const row = hostTable.must(mesh.state.local, old.hostId);
  hostTable.update(builder, row, new shoal.v1.Host({ ...row.record, tlsKeySha256: new Uint8Array(0) }));
  await mesh.state.commit(builder.build());
  await t.rejects(mesh.remove('thief'), { code: 'CONFLICT', message: /old ran an older version/ });
  t.not(hostTable.one(mesh.state.local, 'name', hostTable.must(mesh.state.local, old.hostId).record.name), undefined);
});
