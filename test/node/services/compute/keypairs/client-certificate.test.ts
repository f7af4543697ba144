/** Key pairs of type x509: what OpenSSL makes of the certificate and of the bundle. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import t from 'tap';
import { makeClientCertificate } from '../../../../../node/services/compute/keypairs/client-certificate.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

void t.test('a certificate signs itself, is for clients, and names its user', async (t) => {
  const { certificate } = await makeClientCertificate('u-1', nowMs);
  const read = new X509Certificate(certificate);
  t.ok(read.verify(read.publicKey), 'it has signed itself');
  t.equal(read.subject, 'CN=u-1');
  t.same(read.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'TLS client');
  t.match(read.subjectAltName, /othername/i, 'the UPN');
  t.ok(read.raw.includes(Buffer.from('u-1@localhost')));
  t.equal(read.validFromDate.getTime(), nowMs);
  t.equal(read.validToDate.getTime() - nowMs, 3650 * 24 * 3_600_000);
  t.equal(read.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
});

void t.test('the bundle opens with an empty password, and its key is the certificate’s', async (t) => {
  const { certificate, bundle } = await makeClientCertificate('u-1', nowMs);
  const pfx = Buffer.from(bundle, 'base64');
  t.doesNotThrow(() => createSecureContext({ pfx, passphrase: '' }), 'OpenSSL reads it, and its sum is right');
  const middle = pfx.length >> 1;
  const broken = Buffer.from(pfx);
  broken[middle] = (pfx[middle] ?? 0) ^ 1;
  t.throws(() => createSecureContext({ pfx: broken, passphrase: '' }), 'with another byte it is not right');
  t.throws(() => createSecureContext({ pfx, passphrase: 'x' }), 'with another password neither');
  // A key in the clear begins with PKCS #8's version and RSA's name.
  const beginning = Buffer.from('020100300d06092a864886f70d0101010500', 'hex');
  const at = pfx.indexOf(beginning);
  t.ok(at > 4);
  const key = createPrivateKey({ key: pfx.subarray(at - 4), format: 'der', type: 'pkcs8' });
  t.ok(new X509Certificate(certificate).checkPrivateKey(key));
});
