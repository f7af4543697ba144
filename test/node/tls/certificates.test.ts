/** Certificates of the API and between agents: issued, renewed before they end, taken from files that change. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { configDefaults } from '../../../node/config/options.ts';
import { MeshAuthority, verifyHost } from '../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../../node/mesh/identity/mesh-key-ring.ts';
import { StatePeerTrust } from '../../../node/mesh/identity/peer-trust.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { hostTable, meshTable } from '../../../node/state/tables/index.ts';
import { apiNames } from '../../../node/tls/api-names.ts';
import { CertificateFiles } from '../../../node/tls/certificate-files.ts';
import { IssuedCertificate } from '../../../node/tls/issued-certificate.ts';
import { meshAuthority } from '../../../node/tls/mesh-authority.ts';
import { PeerCertificate } from '../../../node/tls/peer-certificate.ts';
import { shoal } from '../../../proto/messages.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);
const signal = new AbortController().signal;

/** A clock that only moves when it is set. */
function fixedClock() {
  let nowMs = startMs;
  return {
    ...systemClock,
    nowMs: () => nowMs,
    put: (ms: number) => {
      nowMs = ms;
    },
  };
}

function folderOf(test: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-tls-'));
  test.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

function shown(pem: unknown): X509Certificate {
  return new X509Certificate(String(pem));
}

t.test(
  'the certificate of an API names its host, is no peer certificate, and is renewed with a third of its life left',
  async (t) => {
    const dataDir = folderOf(t);
    const clock = fixedClock();
    let authority: MeshAuthority | undefined;
    const names = { dnsNames: ['h1', 'cloud.example'], addresses: ['192.0.2.1', '2001:db8::1'] };
    const deps = { clock, logger: silentLogger, authority: () => authority };
    const tls = await IssuedCertificate.open(deps, { dataDir, name: 'h1', names });
    t.equal(tls.current(), undefined, 'nothing to show while the records are not there');
    let changes = 0;
    tls.subscribe(() => {
      changes += 1;
    });
    authority = MeshAuthority.create('m-1', startMs);
    await tls.check();
    const first = shown(tls.current()?.cert);
    t.equal(changes, 1);
    t.ok(first.checkHost('cloud.example') && first.checkIP('192.0.2.1') && first.checkIP('2001:db8::1'));
    t.notOk(first.checkHost('other.example'));
    t.ok(first.verify(shown(authority.certificatePem).publicKey));
    t.throws(() => verifyHost(first.toString(), String(authority?.certificatePem), 'm-1'), {
      code: 'IDENTITY_MISMATCH',
    });
    t.same(first.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'good for servers only');
    t.equal(first.validToDate.getTime(), startMs + 90 * dayMs);
    t.equal(statSync(join(dataDir, 'api-tls.key')).mode & 0o777, 0o600);

    clock.put(startMs + 59 * dayMs);
    await tls.check();
    t.equal(changes, 1, 'not yet');
    const again = await IssuedCertificate.open(deps, { dataDir, name: 'h1', names });
    t.equal(shown(again.current()?.cert).serialNumber, first.serialNumber, 'a restart keeps it');
    clock.put(startMs + 61 * dayMs);
    await tls.check();
    t.equal(changes, 2, 'renewed in time');
    t.equal(shown(tls.current()?.cert).validToDate.getTime(), startMs + 151 * dayMs);

    clock.put(Date.UTC(2021, 0, 1));
    await tls.check();
    t.equal(shown(tls.current()?.cert).validFromDate.getTime(), Date.UTC(2020, 11, 31), 'a clock that was set back');
    const more = { dnsNames: [...names.dnsNames, 'new.example'], addresses: names.addresses };
    const renamed = await IssuedCertificate.open(deps, { dataDir, name: 'h1', names: more });
    t.ok(shown(renamed.current()?.cert).checkHost('new.example'), 'a name more');
    writeFileSync(join(dataDir, 'api-tls.pem'), 'rubbish');
    t.ok((await IssuedCertificate.open(deps, { dataDir, name: 'h1', names })).current(), 'a damaged file is replaced');
  },
);

t.test('the names of an API follow from the configuration', (t) => {
  const defaults = configDefaults();
  const api = { ...defaults.api, listen: '192.0.2.7:5000', grpcListen: '[2001:db8::2]:7400' };
  const config = {
    ...defaults,
    name: 'h1',
    advertiseAddress: '192.0.2.1',
    api: { ...api, names: 'cloud.example, 192.0.2.99', publicUrl: 'https://public.example:8443/x' },
  };
  t.same(apiNames(config), {
    dnsNames: ['localhost', 'h1', 'public.example', 'cloud.example'],
    addresses: ['127.0.0.1', '::1', '192.0.2.1', '192.0.2.7', '2001:db8::2', '192.0.2.99'],
  });
  t.end();
});

t.test(
  'own files: taken up when they change, kept when the new ones cannot be used, refused at the start',
  async (t) => {
    const folder = folderOf(t);
    const certificatePath = join(folder, 'tls.pem');
    const privateKeyPath = join(folder, 'tls.key');
    const authority = MeshAuthority.create('m-1');
    const names = { dnsNames: ['x.example'], addresses: [] };
    const write = (): string => {
      const key = createTlsKey();
      const pem = authority.issueApi('x', key.publicKeySpki, names, Date.now());
      writeFileSync(certificatePath, pem);
      writeFileSync(privateKeyPath, key.privateKeyPem);
      return shown(pem).serialNumber;
    };
    const options = { certificatePath, privateKeyPath };
    t.throws(() => new CertificateFiles(silentLogger, options), {
      code: 'CONFIG_INVALID',
      message: /certificatePath|tls\.pem/,
    });
    const first = write();
    const files = new CertificateFiles(silentLogger, options);
    const serial = (): string => shown(files.current().cert).serialNumber;
    t.equal(serial(), first);
    let changes = 0;
    files.subscribe(() => {
      changes += 1;
    });
    await files.check();
    t.equal(changes, 0);
    writeFileSync(privateKeyPath, createTlsKey().privateKeyPem);
    await files.check();
    t.equal(serial(), first, 'half of a pair changes nothing');
    t.throws(() => new CertificateFiles(silentLogger, options), {
      code: 'CONFIG_INVALID',
      message: /not that of the certificate/,
    });
    writeFileSync(privateKeyPath, 'rubbish, longer than what was there before it');
    await files.check();
    t.equal(changes, 0);
    const second = write();
    await files.check();
    t.equal(serial(), second);
    t.equal(changes, 1);
  },
);

t.test(
  'between agents: a host’s certificate is renewed with three to four days left, the authority’s after ten years',
  async (t) => {
    const clock = fixedClock();
    const meshKey = MeshKey.create();
    const authority = MeshAuthority.create('m-1', startMs);
    const state = new MemoryStateClient();
    const builder = new TransactionBuilder();
    meshTable.insert(
      builder,
      new shoal.v1.Mesh({
        id: 'mesh',
        meshId: 'm-1',
        authorityCertificatePem: authority.certificatePem,
        sealedAuthorityKey: authority.sealKey(meshKey),
      }),
    );
    const own = HostIdentity.create();
    hostTable.insert(builder, new shoal.v1.Host({ id: own.hostId, name: 'a', raftId: 1, transitIndex: 1 }));
    await state.commit(builder.build(), {});
    const keys = new MeshKeyRing(own, meshKey);
    const services = { state, clock, logger: silentLogger, newId: () => 'id' };
    const member = () => {
      const { hostId } = HostIdentity.create();
      const tlsKey = createTlsKey();
      const saved: { certificatePem: string; authorityPem: string }[] = [];
      const certificate = new PeerCertificate({
        meshId: 'm-1',
        hostId,
        tlsKey,
        certificatePem: authority.issueHost(hostId, tlsKey.publicKeySpki, startMs),
        authorityPem: authority.certificatePem,
        trust: new StatePeerTrust(() => state.local, authority.certificatePem),
        save: async (renewed) => {
          saved.push(renewed);
        },
      });
      const check = async (): Promise<void> => {
        const recorded = meshAuthority(state.local, keys);
        if (recorded === undefined) throw new Error('the mesh has a record');
        await certificate.check(services, recorded, signal);
      };
      return { hostId, certificate, saved, check };
    };
    const [a, b] = [member(), member()];
    clock.put(startMs + 3 * dayMs - 1);
    await a.check();
    t.equal(a.saved.length, 0, 'not yet');
    clock.put(startMs + 4 * dayMs + 1);
    await a.check();
    t.equal(a.saved.length, 1);
    const renewed = a.certificate.current();
    t.equal(shown(renewed.certificatePem).validToDate.getTime(), startMs + 11 * dayMs);
    t.equal(verifyHost(renewed.certificatePem, authority.certificatePem, 'm-1'), a.hostId);

    clock.put(startMs + 10 * 365 * dayMs + dayMs);
    await a.check();
    const recorded = meshAuthority(state.local, keys);
    t.not(recorded?.certificatePem, authority.certificatePem, 'the authority is renewed in the records');
    t.equal(a.certificate.current().authorityPem, recorded?.certificatePem);
    await b.check();
    t.equal(b.certificate.current().authorityPem, recorded?.certificatePem, 'and taken up by the others');
    t.equal(meshAuthority(state.local, keys)?.certificatePem, recorded?.certificatePem, 'once');
    for (const trusted of [authority.certificatePem, String(recorded?.certificatePem)]) {
      t.equal(
        verifyHost(b.certificate.current().certificatePem, trusted, 'm-1'),
        b.hostId,
        'old and new verify each other',
      );
    }

    state.available = false;
    clock.put(startMs + 45 * 365 * dayMs);
    await a.check();
    await b.check();
    t.ok(
      shown(a.certificate.current().authorityPem).validToDate.getTime() > clock.nowMs(),
      'after 45 years, no quorum',
    );
    t.equal(
      verifyHost(a.certificate.current().certificatePem, b.certificate.current().authorityPem, 'm-1'),
      a.hostId,
      'each renewed it for itself, and they trust each other',
    );
  },
);
