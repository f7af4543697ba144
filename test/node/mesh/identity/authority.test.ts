import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import t from 'tap';
import {
  certificateFingerprint,
  certifiedHost,
  MeshAuthority,
  verifyHost,
} from '../../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../../node/mesh/identity/mesh-key.ts';

t.test('a host certificate names its host and verifies against its mesh', async (t) => {
  const authority = MeshAuthority.create('m-1');
  const { hostId } = HostIdentity.create();
  const pem = authority.issueHost(hostId, createTlsKey().publicKeySpki);
  t.equal(verifyHost(pem, authority.certificatePem, 'm-1'), hostId);
  const certificate = new X509Certificate(pem);
  t.equal(certificate.ca, false);
  t.equal(new X509Certificate(authority.certificatePem).ca, true);
  t.ok(new Date(certificate.validFrom).getTime() < Date.UTC(2021, 0, 1), 'valid for a host whose clock was reset');
  t.equal(certificateFingerprint(authority.certificatePem).length, 32);
});

t.test('a certificate of another authority, another mesh or no host is refused', async (t) => {
  const ours = MeshAuthority.create('m-1');
  const theirs = MeshAuthority.create('m-1');
  const { hostId } = HostIdentity.create();
  const tls = createTlsKey();
  const refused = { code: 'IDENTITY_MISMATCH' };
  t.throws(() => verifyHost(theirs.issueHost(hostId, tls.publicKeySpki), ours.certificatePem, 'm-1'), refused);
  t.throws(() => verifyHost(ours.issueHost(hostId, tls.publicKeySpki), ours.certificatePem, 'm-2'), refused);
  t.throws(() => verifyHost(ours.certificatePem, ours.certificatePem, 'm-1'), refused, 'the authority is no host');
  t.throws(() => verifyHost('rubbish', ours.certificatePem, 'm-1'), refused);
});

t.test('only a P-256 key gets a certificate', async (t) => {
  const authority = MeshAuthority.create('m-1');
  const { hostId } = HostIdentity.create();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'der', type: 'spki' });
  t.throws(() => authority.issueHost(hostId, rsa), { code: 'INVALID_ARGUMENT' });
  t.throws(() => authority.issueHost(hostId, Buffer.from('no key')), { code: 'INVALID_ARGUMENT' });
  t.throws(() => MeshAuthority.create('not a mesh id'), { code: 'INVALID_ARGUMENT' });
});

t.test('the authority opens again from its sealed key, with the mesh key only', async (t) => {
  const meshKey = MeshKey.create();
  const authority = MeshAuthority.create('m-1');
  const sealed = { meshId: 'm-1', certificatePem: authority.certificatePem, sealedKey: authority.sealKey(meshKey) };
  const { hostId } = HostIdentity.create();
  const pem = MeshAuthority.open(sealed, meshKey).issueHost(hostId, createTlsKey().publicKeySpki);
  t.equal(verifyHost(pem, authority.certificatePem, 'm-1'), hostId);
  t.throws(() => MeshAuthority.open(sealed, MeshKey.create()), { code: 'IDENTITY_MISMATCH' });
  const other = { ...sealed, certificatePem: MeshAuthority.create('m-1').certificatePem };
  t.throws(() => MeshAuthority.open(other, meshKey), { code: 'IDENTITY_MISMATCH' });
});

t.test('an alternative name that is not exactly one host of a mesh names nobody', async (t) => {
  const id = 'a'.repeat(32);
  t.same(certifiedHost(`URI:shoal://m/host/${id}`), { meshId: 'm', hostId: id });
  for (const text of [
    undefined,
    '',
    `URI:shoal://m/host/${id}, URI:shoal://m/host/${'b'.repeat(32)}`,
    `DNS:shoal://m/host/${id}`,
    `URI:shoal://m/host/${id.slice(1)}`,
    `URI:shoal://m/host/${id.toUpperCase()}`,
    `URI:shoal://m/authority`,
    `URI:"shoal://m/host/${id}"`,
  ]) {
    t.equal(certifiedHost(text), undefined, String(text));
  }
});
