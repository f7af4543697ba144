/**
 * A member that was off for longer than its certificate lasts, while the mesh got another authority: neither side takes the
 * other's certificate. Real TLS and gRPC on loopback, a state in memory.
 */
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { hostLifeMs, MeshAuthority } from '../../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../../../node/mesh/identity/mesh-key-ring.ts';
import { StatePeerTrust, tlsKeySha256 } from '../../../../node/mesh/identity/peer-trust.ts';
import { JoinHandler } from '../../../../node/mesh/join/join-handler.ts';
import { renewByHostKey } from '../../../../node/mesh/join/renew.ts';
import { meshRekey } from '../../../../node/services/cluster/mesh-rekey.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { hostTable, meshTable, removedHostTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import { meshAuthority } from '../../../../node/tls/mesh-authority.ts';
import { PeerCertificate } from '../../../../node/tls/peer-certificate.ts';
import { shoal } from '../../../../proto/messages.ts';
import { clientsOf, serve } from '../peer-fixtures.ts';

const soon = { timeoutMs: 5_000 };
const meshId = 'm-1';
const { signal } = new AbortController();
const weekAgoMs = Date.now() - hostLifeMs - 1_000;

interface Test {
  teardown(run: () => void | Promise<void>): void;
}

async function world(test: Test) {
  const state = new MemoryStateClient();
  const meshKey = MeshKey.create();
  const first = MeshAuthority.create(meshId);
  const services = { state, clock: systemClock, logger: silentLogger, newId: () => 'id' };
  const hosts = ['a', 'b', 'c', 'late'].map((name) => ({
    name,
    identity: HostIdentity.create(),
    tlsKey: createTlsKey(),
  }));
  const [, , , late] = hosts;
  if (late === undefined) throw new Error('there are four');
  const builder = new TransactionBuilder();
  meshTable.insert(
    builder,
    new shoal.v1.Mesh({
      id: 'mesh',
      meshId,
      authorityCertificatePem: first.certificatePem,
      sealedAuthorityKey: first.sealKey(meshKey),
    }),
  );
  for (const [at, { name, identity, tlsKey }] of hosts.entries()) {
    hostTable.insert(
      builder,
      new shoal.v1.Host({
        id: identity.hostId,
        name,
        publicKey: identity.publicKey,
        tlsKeySha256: tlsKeySha256(tlsKey.publicKeySpki),
        raftId: at + 1,
        transitIndex: at + 1,
      }),
    );
  }
  await state.commit(builder.build());
  // What the host that is off goes on knowing.
  const past = new MemoryStateClient();
  const copy = new TransactionBuilder();
  meshTable.insert(copy, meshTable.must(state.local, 'mesh').record);
  for (const { record } of hostTable.list(state.local)) hostTable.insert(copy, record);
  await past.commit(copy.build());

  const certificateOf = (host: (typeof hosts)[number], issuedMs: number, reader: () => StateReader): PeerCertificate =>
    new PeerCertificate({
      meshId,
      hostId: host.identity.hostId,
      tlsKey: host.tlsKey,
      certificatePem: first.issueHost(host.identity.hostId, host.tlsKey.publicKeySpki, issuedMs),
      authorityPem: first.certificatePem,
      trust: new StatePeerTrust(reader, first.certificatePem),
      save: async () => {},
    });
  // Meanwhile the mesh was re-keyed, and the others have renewed.
  const change = new TransactionBuilder();
  const founderKeys = new MeshKeyRing(hosts[0]?.identity ?? late.identity, meshKey);
  meshRekey(founderKeys, systemClock, 1_000)({ reader: state.local, change }, { trusted: false });
  await state.commit(change.build());
  const members = [];
  for (const host of hosts.slice(0, 3)) {
    const keys = new MeshKeyRing(host.identity, meshKey);
    const certificates = certificateOf(host, weekAgoMs, () => state.local);
    const authority = meshAuthority(state.local, keys);
    if (authority === undefined) throw new Error('the mesh has an authority');
    await certificates.check(services, authority, signal);
    const { hostId } = host.identity;
    const served = { identity: host.identity, hostId, certificates: certificates.current(), source: certificates };
    const address = await serve(test, served, {
      join: new JoinHandler({ ...services, keys, identity: host.identity, isUp: () => true }),
      admits: (id) => removedHostTable.get(state.local, id) === undefined,
    });
    members.push({ hostId, peerAddress: address, publicKey: host.identity.publicKey, served });
  }
  const certificates = certificateOf(late, Date.now(), () => past.local);
  const addresses = new Map<HostId, string>(members.map(({ hostId, peerAddress }) => [hostId, peerAddress]));
  const { hostId } = late.identity;
  const peers = clientsOf(
    test,
    { identity: late.identity, hostId, certificates: certificates.current(), source: certificates },
    addresses,
  );
  const asked = { meshId, identity: late.identity, tlsKey: late.tlsKey, members, signal };
  const probe = (to: HostId) => peers.to(to).call((calls) => calls.probe({}, soon));
  return { state, past, services, late, members, certificates, asked, probe, meshKey, first };
}

t.test('it gets a certificate by its host key, and is a member as before', async (t) => {
  const { members, certificates, asked, probe, late, past, meshKey, services, state } = await world(t);
  const [a, b] = members;
  if (a === undefined || b === undefined) throw new Error('there are three');
  await t.rejects(probe(a.hostId), { code: 'UNAVAILABLE' }, 'neither takes the certificate of the other');
  const renewed = await renewByHostKey(silentLogger, asked);
  t.equal(renewed.authorityPem, meshTable.must(state.local, 'mesh').record.authorityCertificatePem);
  await certificates.adopt(renewed);
  for (const { hostId } of members) t.match(await probe(hostId), { reached: true });
  const own = {
    identity: late.identity,
    hostId: late.identity.hostId,
    certificates: certificates.current(),
    source: certificates,
  };
  const address = await serve(t, own);
  const back = clientsOf(t, a.served, new Map([[own.hostId, address]])).to(own.hostId);
  t.match(await back.calls.probe({}, soon), { reached: true }, 'and the others reach it');
  const stale = meshAuthority(past.local, new MeshKeyRing(late.identity, meshKey));
  if (stale === undefined) throw new Error('it has its own records');
  await certificates.check(services, stale, signal);
  t.match(await probe(b.hostId), { reached: true }, 'what its old records say of the authority does not count');
});

t.test('nobody else gets one', async (t) => {
  const { asked, members, state, late } = await world(t);
  const refused = { code: 'UNAVAILABLE' };
  await t.rejects(renewByHostKey(silentLogger, { ...asked, tlsKey: createTlsKey() }), refused, 'another TLS key');
  await t.rejects(renewByHostKey(silentLogger, { ...asked, identity: HostIdentity.create() }), refused, 'a stranger');
  await t.rejects(renewByHostKey(silentLogger, { ...asked, meshId: 'm-2' }), refused, 'another mesh');
  const thief = {
    ...asked,
    identity: Object.assign(HostIdentity.create(), { hostId: late.identity.hostId }),
  };
  await t.rejects(renewByHostKey(silentLogger, thief), refused, 'who has the id and not the key');
  t.ok(await renewByHostKey(silentLogger, asked));

  const builder = new TransactionBuilder();
  hostTable.remove(builder, hostTable.must(state.local, late.identity.hostId));
  removedHostTable.insert(builder, new shoal.v1.RemovedHost({ id: late.identity.hostId, name: 'late', raftId: 4 }));
  await state.commit(builder.build());
  await t.rejects(
    renewByHostKey(silentLogger, asked),
    { code: 'IDENTITY_MISMATCH', message: /removed/ },
    'a removed host',
  );
  t.equal(members.length, 3);
});

t.test(
  'who answers at the address of a member without its key is not believed, and one liar is outvoted',
  async (t) => {
    const { asked, members, late, state } = await world(t);
    const liar = HostIdentity.create();
    const own = MeshAuthority.create(meshId);
    const lie = (identity: HostIdentity) => async (request: shoal.v1.RenewRequest) => {
      const { renewedContent, renewedPurpose } = await import('../../../../node/mesh/join/renew-proof.ts');
      const answer = {
        certificatePem: own.issueHost(late.identity.hostId, request.tlsPublicKey),
        authorityCertificatePem: own.certificatePem,
        formerAuthorityCertificates: [],
      };
      return { ...answer, proof: identity.sign(renewedPurpose, renewedContent({ nonce: request.nonce, ...answer })) };
    };
    const [a, b, c] = members;
    if (a === undefined || b === undefined || c === undefined) throw new Error('there are three');
    const refuse = async (): Promise<never> => {
      throw new Error('not part of this test');
    };
    const serveLie = (identity: HostIdentity): Promise<string> =>
      serve(t, a.served, { join: { admit: () => {}, join: refuse, renew: lie(identity) } });
    const stranger = { ...a, peerAddress: await serveLie(liar) };
    await t.rejects(renewByHostKey(silentLogger, { ...asked, members: [stranger] }), { code: 'UNAVAILABLE' });
    const byzantine = { ...a, peerAddress: await serveLie(a.served.identity) };
    const renewed = await renewByHostKey(silentLogger, { ...asked, members: [byzantine, b, c] });
    t.equal(renewed.authorityPem, meshTable.must(state.local, 'mesh').record.authorityCertificatePem);
  },
);
