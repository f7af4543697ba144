/** TLS of a real agent: what a new operator gets without a setting, own certificates, and plain text on request only. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import { MeshAuthority } from '../../../node/mesh/identity/authority.ts';
import { createTlsKey } from '../../../node/mesh/identity/identity.ts';
import { peerClientLimits } from '../../../node/mesh/peers/peer-limits.ts';
import { GrpcClient } from '../../../node/rpc/client.ts';
import { grpc, shoal as messages } from '../../../proto/messages.ts';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

interface Seen {
  readonly fingerprints: readonly string[];
  readonly protocol: string | null;
  readonly alpn: string | false | null;
  readonly authorized: boolean;
}

function lookAt(port: number, options: { ca?: string; ALPNProtocols?: string[] }): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      const own = socket.getPeerCertificate(true);
      const fingerprints = [own.fingerprint256, own.issuerCertificate?.fingerprint256 ?? ''];
      resolve({
        fingerprints,
        protocol: socket.getProtocol(),
        alpn: socket.alpnProtocol,
        authorized: socket.authorized,
      });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function plainStatus(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/healthz' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

t.test('B8: REST and gRPC speak TLS by default, under the authority whose fingerprint is printed', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const ca = (await shoal(['ca', '--data-dir', agent.dataDir])).out;
  t.match(ca, /^-----BEGIN CERTIFICATE-----/);
  const fingerprint = (await shoal(['ca', '--fingerprint', '--data-dir', agent.dataDir])).out.trim();
  t.match(fingerprint, /^SHA256:(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  t.ok(agent.log.includes(fingerprint), 'the agent prints it');
  for (const [port, alpn] of [
    [agent.apiPort, 'http/1.1'],
    [agent.grpcPort, 'h2'],
  ] as const) {
    const seen = await lookAt(port, { ca, ALPNProtocols: [alpn] });
    t.match(seen, { authorized: true, protocol: 'TLSv1.3', alpn });
    t.ok(seen.fingerprints.includes(fingerprint.replace('SHA256:', '')), 'the chain shows the authority');
    t.equal(await plainStatus(port), 400, 'plain text is refused with an answer');
  }
  const token = await agent.token();
  const answer = await fetch(`${agent.apiUrl}/v3/auth/catalog`, { headers: { 'x-auth-token': token } });
  const urls = (await answer.text()).match(/https?:\/\/[^"]+/g) ?? [];
  t.same(
    urls.filter((url) => !url.startsWith(`${agent.apiUrl}/`)),
    [],
    'every link is https',
  );
  const client = new GrpcClient(
    `dns:127.0.0.1:${agent.grpcPort}`,
    ChannelCredentials.createSsl(Buffer.from(ca)),
    peerClientLimits,
  );
  t.teardown(() => client.close());
  const { status } = await client.calls(grpc.health.v1.Health).check({}, { timeoutMs: 5000 });
  t.equal(status, grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING);
  const call = { timeoutMs: 5000, headers: { 'x-auth-token': token } };
  t.match(await client.calls(messages.v1.ClusterService).getStatus({}, call), { hasQuorum: true });
  t.match(await strictPython(agent.apiPort, agent.authorityPath), /^200/, 'Python with every check it knows');
});

t.test('own certificate and key: served, and taken up again after SIGHUP', async (t) => {
  const authority = MeshAuthority.create('other');
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const first = await LoneAgent.start({
    prepare: (folder) => {
      write(folder);
      return { 'api.certificatePath': join(folder, 'own.pem'), 'api.privateKeyPath': join(folder, 'own.key') };
    },
    trust: authority.certificatePem,
  });
  t.teardown(() => first.stop());
  const ca = authority.certificatePem;
  const before = await lookAt(first.apiPort, { ca });
  t.equal(before.authorized, true);
  t.equal((await fetch(`${first.apiUrl}/healthz`)).status, 200);
  write(first.folder);
  process.kill(first.pid, 'SIGHUP');
  let after = before;
  for (let n = 0; n < 100 && after.fingerprints[0] === before.fingerprints[0]; n++) {
    await delay(50);
    after = await lookAt(first.grpcPort, { ca, ALPNProtocols: ['h2'] });
  }
  t.not(after.fingerprints[0], before.fingerprints[0]);
  t.equal((await fetch(`${first.apiUrl}/healthz`)).status, 200);

  function write(folder: string): void {
    const key = createTlsKey();
    writeFileSync(join(folder, 'own.pem'), authority.issueApi('own', key.publicKeySpki, names, Date.now()));
    writeFileSync(join(folder, 'own.key'), key.privateKeyPem, { mode: 0o600 });
  }
});

t.test('plain text on request: on loopback, and elsewhere only when it is called insecure', async (t) => {
  const away = ['--set', 'advertiseAddress=192.0.2.1'];
  const off = await shoal(['init', ...away, '--set', 'api.tls=off', '--data-dir', '/nonexistent/x']);
  t.equal(off.status, 2);
  t.match(off.err, /api\.listen: api\.tls is "off", so it must be a loopback address \(or say api\.tls "insecure"\)/);
  const agent = await LoneAgent.start({ settings: { 'api.tls': 'off' } });
  t.teardown(() => agent.stop());
  t.equal(await plainStatus(agent.apiPort), 200);
});

/** The status of a GET by Python's own client, with X509_STRICT where it has it. */
function strictPython(port: number, caPath: string): Promise<string> {
  const script = [
    'import ssl, sys, urllib.request',
    'context = ssl.create_default_context(cafile=sys.argv[2])',
    'context.verify_flags |= ssl.VERIFY_X509_STRICT',
    'print(urllib.request.urlopen(f"https://127.0.0.1:{sys.argv[1]}/healthz", context=context).status)',
  ].join('\n');
  return new Promise((resolve) => {
    execFile('python3', ['-c', script, String(port), caPath], { timeout: 20_000 }, (error, out, err) =>
      resolve(error === null ? out : err),
    );
  });
}
