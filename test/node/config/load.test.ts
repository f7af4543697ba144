import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { defaultRoutes } from '../../../node/config/default-route.ts';
import { advertisedAddress, loadConfig, settings } from '../../../node/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-config-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const base = { advertiseAddress: '192.0.2.1' };

function mistakesOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (caught) {
    if (ShoalError.is(caught, 'CONFIG_INVALID')) return caught.facts['mistakes'] as string[];
    throw caught;
  }
  return [];
}

t.test('later sources win: file over defaults, environment over file, flags over all', (t) => {
  const filePath = join(folder, 'order.yaml');
  writeFileSync(filePath, 'name: from-file\nzone: from-file\nfailureDomain: from-file\npeer:\n  listen: 10.0.0.1:1\n');
  const config = loadConfig({
    filePath,
    environment: { SHOAL_ZONE: 'from-env', SHOAL_FAILURE_DOMAIN: 'from-env', PATH: '/bin' },
    settings: { failureDomain: 'from-flag' },
  });
  t.equal(config.name, 'from-file');
  t.equal(config.zone, 'from-env');
  t.equal(config.failureDomain, 'from-flag');
  t.equal(config.raft.tickMs, 100);
  t.end();
});

t.test('all mistakes are reported together, each with its path', (t) => {
  const filePath = join(folder, 'bad.yaml');
  writeFileSync(filePath, 'zone: "a b"\nraft:\n  tickMs: 1\n  tockMs: 5\nfoo: 1\n');
  const mistakes = mistakesOf(() =>
    loadConfig({
      filePath,
      environment: { SHOAL_BAR: '1', SHOAL_RAFT_HEARTBEAT_TICKS: 'two' },
      settings: { storage: 'tape' },
    }),
  );
  for (const expected of [
    'environment SHOAL_BAR: no such setting',
    'environment SHOAL_RAFT_HEARTBEAT_TICKS: "two" is not a number',
    'foo: no such setting',
    'raft.tockMs: no such setting',
    'raft.tickMs: must be >= 10',
    'storage: must be "local" or "rbd"',
  ]) {
    t.ok(mistakes.includes(expected), `${expected} is among ${JSON.stringify(mistakes)}`);
  }
  t.ok(mistakes.some((line) => line.startsWith('zone: ')));
  t.end();
});

const offMistake = (path: string): string =>
  `${path}: api.tls is "off", so it must be a loopback address (or say api.tls "insecure")`;

t.test('by default, others reach this host at the address of its default route', (t) => {
  const config = loadConfig({ settings: {}, ownAddress: () => '192.0.2.9' });
  t.equal(config.advertiseAddress, '192.0.2.9');
  t.equal(loadConfig({ settings: base, ownAddress: () => '192.0.2.9' }).advertiseAddress, '192.0.2.1');
  const bound = loadConfig({ settings: { 'peer.listen': '192.0.2.3:7401' }, ownAddress: () => '192.0.2.9' });
  t.equal(advertisedAddress(bound), '192.0.2.3', 'what is listened on names it');
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth1\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    '',
  ].join('\n');
  t.same(defaultRoutes(table), [
    { interfaceName: 'eth1', metric: 600 },
    { interfaceName: 'eth0', metric: 100 },
  ]);
  t.end();
});

t.test('relations between settings are checked', (t) => {
  const cases: [Record<string, string>, string][] = [
    [{ ...base, storage: 'rbd' }, 'ceph.confPath: needed when storage is "rbd"'],
    [
      { ...base, 'exports.ports': '10809-10808' },
      'exports.ports: 10809-10808 is no range of ports, such as 10809-11808',
    ],
    [{ ...base, 'exports.ports': '1-99999' }, 'exports.ports: 1-99999 is no range of ports, such as 10809-11808'],
    [{ ...base, 'raft.electionTicks': '4' }, 'raft.electionTicks: must be more than twice raft.heartbeatTicks'],
    [{}, 'advertiseAddress: needed, since peer.listen names no single address and this machine has no default route'],
    [{ ...base, 'api.tls': 'off' }, offMistake('api.listen')],
    [{ ...base, 'api.tls': 'off', 'api.listen': '[::1]:1' }, offMistake('api.grpcListen')],
    [{ ...base, 'api.certificatePath': '/x' }, 'api.certificatePath and api.privateKeyPath: either both or none'],
    [{ ...base, 'api.names': 'ok.example,no/name' }, 'api.names: "no/name" is neither a DNS name nor an address'],
    [
      { ...base, 'api.trustedProxies': '10.0.0.0/8,proxy.example' },
      'api.trustedProxies: "proxy.example" is no address and no network such as 10.0.0.0/8',
    ],
    [
      { ...base, 'api.metricsReaders': 'prometheus.example' },
      'api.metricsReaders: "prometheus.example" is no address and no network such as 10.0.0.0/8',
    ],
    [
      { advertiseAddress: 'host.example' },
      'network.vtepIp: "host.example" is neither an IPv4 address nor an IPv6 address in its shortest form, such as fd00::1',
    ],
    [{ ...base, 'api.listen': '0.0.0.0:99999' }, 'api.listen: the port is over 65535'],
  ];
  for (const [settingsGiven, expected] of cases) {
    t.same(
      mistakesOf(() => loadConfig({ settings: settingsGiven, ownAddress: () => undefined })).filter(
        (mistake) => expected !== offMistake('api.listen') || mistake === expected,
      ),
      [expected],
    );
  }
  t.end();
});

t.test('a file cannot reach the prototype, and the result is frozen', (t) => {
  const filePath = join(folder, 'proto.yaml');
  writeFileSync(filePath, '__proto__:\n  polluted: 1\n');
  t.not(mistakesOf(() => loadConfig({ filePath, settings: base })).length, 0);
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
  t.ok(Object.isFrozen(loadConfig({ settings: base }).raft));
  t.end();
});

t.test('a missing or broken file is a mistake, not a crash', (t) => {
  const filePath = join(folder, 'broken.yaml');
  writeFileSync(filePath, 'a: [1,');
  t.match(
    mistakesOf(() => loadConfig({ filePath, settings: base })),
    [/^file .*broken\.yaml: /],
  );
  t.match(
    mistakesOf(() => loadConfig({ filePath: join(folder, 'absent.yaml'), settings: base })),
    [/ENOENT/],
  );
  t.end();
});

t.test('each setting has its own environment name', (t) => {
  const names = settings().map((setting) => setting.environmentName);
  t.equal(new Set(names).size, names.length);
  t.ok(names.includes('SHOAL_API_BODY_BYTES_MAX'));
  t.end();
});

t.test('rules of the policy are set in the file, and a mistake in one is told with the others', (t) => {
  const filePath = join(folder, 'policy.yaml');
  writeFileSync(filePath, 'policy:\n  os_compute_api:servers:create: role:member\n  create_network: "!"\n');
  t.same(loadConfig({ filePath, settings: base }).policy, {
    'os_compute_api:servers:create': 'role:member',
    create_network: '!',
  });
  t.same(loadConfig({ settings: base }).policy, {}, 'by default none is');
  writeFileSync(filePath, 'policy:\n  create_networks: "@"\n  get_port: admin\nraft: {electionTicks: 3}\n');
  const mistakes = mistakesOf(() => loadConfig({ filePath, settings: base }));
  t.equal(mistakes.length, 3);
  t.match(mistakes[0], /^policy\.create_networks: there is no such rule; did you mean create_network\?/);
  t.match(mistakes[1], /^policy\.get_port: .*"admin" is not KIND:VALUE/);
  writeFileSync(filePath, 'policy:\n  get_port: [admin]\n');
  t.match(
    mistakesOf(() => loadConfig({ filePath, settings: base })),
    [/^policy\.get_port: must be string/],
  );
  t.end();
});
