import t from 'tap';
import { FakeNetworkDriver, FakeNetworkHost } from '../../../../../drivers/fake/network.ts';
import type { LocalPortSpec, NetworkSpec } from '../../../../../drivers/types.ts';
import { systemClock } from '../../../../../node/base/clock.ts';
import { ShoalError } from '../../../../../node/base/errors.ts';
import type { NetworkId, PortId, RouterId, SubnetId } from '../../../../../node/base/ids.ts';
import { silentLogger } from '../../../../../node/base/telemetry/logger.ts';
import { NetworkKinds } from '../../../../../node/host/kinds/network/network-kinds.ts';
import type { HostNetworkView } from '../../../../../node/services/kit/host-network-view.ts';
import { MemoryStateClient } from '../../../../../node/state/client/memory-state-client.ts';
import { memoryHostStore } from '../../../../../node/store/host/host-store.ts';

const signal = new AbortController().signal;
const networkId = 'n1' as NetworkId;
const portIds = Array.from({ length: 9 }, (_, at) => `p${at}` as PortId);

const network: NetworkSpec = {
  networkId,
  vni: 7,
  mtu: 1450,
  subnets: [
    {
      subnetId: 'sub1' as SubnetId,
      cidr: '10.0.0.0/24',
      serviceIp: '10.0.0.2',
      dhcp: true,
      dnsServers: [],
      hostRoutes: [],
    },
  ],
};

/** The same view in new objects each time, as one that was made again. */
function view(revision = 1): HostNetworkView {
  return {
    revision,
    networks: [structuredClone(network)],
    ports: portIds.map((portId, at) => port(portId, at)),
    forwarding: [{ networkId, peerVtepIps: [], remotePorts: [] }],
    routers: [
      {
        routerId: 'r1' as RouterId,
        interfaces: [{ networkId, subnetId: 'sub1' as SubnetId, ip: '10.0.0.1', prefixLength: 24, neighbours: [] }],
      },
    ],
    failures: [],
    kept: new Set(),
  };
}

function port(portId: PortId, at: number): LocalPortSpec {
  return {
    portId,
    networkId,
    mac: `02:00:00:00:00:0${at}`,
    ip: `10.0.0.1${at}`,
    hostname: 'guest',
    portSecurity: true,
    rules: [],
    metadata: {},
  };
}

/** A host whose driver's calls are counted. */
async function world(onPosted?: (portId: PortId, password: string) => Promise<void>) {
  const host = new FakeNetworkHost();
  const driver = new FakeNetworkDriver(host);
  await driver.start(signal);
  const calls: string[] = [];
  const counting = new Proxy(driver, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (key !== 'found') calls.push(String(key));
        return Reflect.apply(value, target, args);
      };
    },
  });
  const sync = new NetworkKinds({
    driver: counting,
    store: memoryHostStore(),
    clock: systemClock,
    logger: silentLogger,
    onPosted,
  });
  /** One pass; returns the calls that it made. */
  const pass = async (given = view()): Promise<readonly string[]> => {
    t.same(await sync.sync(given, new Set(), signal), []);
    return calls.splice(0);
  };
  return { host, sync, pass };
}

void t.test('an unchanged view costs no driver call, also in new objects', async (t) => {
  const { host, pass } = await world();
  t.equal((await pass()).length, 12);
  t.equal(host.ports.size, 9);
  t.same(await pass(), []);
  const changed = view();
  t.same(
    await pass({
      ...changed,
      ports: [{ ...port(portIds[0] as PortId, 0), hostname: 'other' }, ...changed.ports.slice(1)],
    }),
    ['ensurePort'],
  );
});

void t.test('a recheck looks at a sixth, and six of them at everything, in turns', async (t) => {
  const { sync, pass } = await world();
  await pass();
  const all: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    sync.recheck();
    const calls = await pass();
    t.equal(calls.length, 2, 'of twelve');
    all.push(...calls);
  }
  t.same(all.sort(), [
    ...Array(1).fill('ensureNetwork'),
    ...Array(9).fill('ensurePort'),
    'ensureRouter',
    'setForwarding',
  ]);
});

void t.test('a part that is missing on the host is made again in the next pass', async (t) => {
  const { host, pass } = await world();
  await pass();
  host.ports.delete(portIds[4] as PortId);
  t.same(await pass(), ['ensurePort']);
  host.routers.clear();
  t.same(await pass(), ['ensureRouter']);
  host.networks.clear();
  t.equal((await pass()).length, 12, 'with the network all that was plugged into it');
  t.equal(host.networks.size, 1);
});

void t.test('where a recheck finds something changed by others, the same pass looks at everything', async (t) => {
  const { host, sync, pass } = await world();
  await pass();
  for (const [id, spec] of host.ports) host.ports.set(id, { ...spec, portSecurity: false });
  t.same(await pass(), [], 'nothing tells of it');
  const looks: number[] = [];
  for (let round = 0; round < 6 && [...host.ports.values()].some((spec) => !spec.portSecurity); round += 1) {
    sync.recheck();
    looks.push((await pass()).length);
  }
  t.equal(looks.at(-1), 14, `${looks.join()}: its own part, then all`);
  t.ok([...host.ports.values()].every((spec) => spec.portSecurity));
  t.same(await pass(), []);
  // What the records change between two looks is no drift.
  sync.recheck();
  const { networks, ports, ...rest } = view();
  const renamed = ports.map((spec) => ({ ...spec, hostname: 'renamed' }));
  t.equal((await pass({ networks, ports: renamed, ...rest })).length, 10);
});

void t.test('in the host loop the network is looked at when it may be another, and left alone otherwise', async (t) => {
  const host = new FakeNetworkHost();
  const driver = new FakeNetworkDriver(host);
  await driver.start(signal);
  let looks = 0;
  const counting = new Proxy(driver, {
    get: (target, key) => {
      if (key === 'found') looks += 1;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const kinds = new NetworkKinds({
    driver: counting,
    store: memoryHostStore(),
    clock: systemClock,
    logger: silentLogger,
  });
  let parts = view();
  let inUse: ReadonlySet<PortId> = new Set();
  let needsTaps = false;
  let wakesLater = 0;
  const reader = new MemoryStateClient().local;
  const kind = kinds.kind({
    views: { of: () => ({ ...parts, revision: 5 }), heard: () => false },
    busyPorts: () => inUse,
    needsTaps: () => needsTaps,
    passes: { wake: () => {}, wakeLater: () => (wakesLater += 1) },
  });
  const looksOf = async (): Promise<number> => {
    looks = 0;
    await kind.act({ reader, revision: 5, signal });
    return looks;
  };
  t.equal(await looksOf(), 1, 'once at the start');
  t.equal(await looksOf(), 0, 'not for a pass that is for something else');
  parts = view();
  t.equal(await looksOf(), 0, 'nor when the same is wanted in new words');
  parts = { ...view(), forwarding: [] };
  t.equal(await looksOf(), 1, 'when the records want something else');
  inUse = new Set(portIds.slice(0, 1));
  t.equal(await looksOf(), 1, 'when other ports are in use');
  t.equal(await looksOf(), 0);
  needsTaps = true;
  t.equal(await looksOf(), 1, 'before a guest may be started');
  needsTaps = false;
  t.equal(await looksOf(), 0);
  kinds.recheck();
  host.ports.delete(portIds[0] as PortId);
  t.equal(await looksOf(), 1, 'each period');
  t.ok(host.ports.has(portIds[0] as PortId), 'and what has gone is made again');
  parts = { ...view(), failures: [{ what: 'port/x', error: new Error('it makes no sense') }] };
  t.equal(await looksOf(), 1);
  t.equal(await looksOf(), 1, 'and after a failure');
  t.equal(wakesLater, 2);
});

t.test('what a guest posts as its password is told until its metadata has it', async (t) => {
  const told: string[] = [];
  let refusal: ShoalError | undefined = new ShoalError('NO_QUORUM', 'not now');
  const { host, pass } = await world(async (portId, password) => {
    told.push(`${portId} ${password}`);
    if (refusal !== undefined) throw refusal;
  });
  const withPassword = (password: string): HostNetworkView => {
    const [first, ...others] = view().ports;
    if (first === undefined) throw new Error('there is no port');
    return { ...view(), ports: [{ ...first, metadata: { '/openstack/latest/password': password } }, ...others] };
  };
  const portId = withPassword('').ports[0]?.portId ?? ('' as PortId);
  await pass(withPassword(''));
  t.equal(host.postPassword(portId, 'secret'), 200);
  t.equal(host.postPassword(portId, 'another'), 409, 'once');
  await pass(withPassword(''));
  t.same(told, [`${portId} secret`], 'what cannot be recorded now is no failure');
  refusal = undefined;
  await pass(withPassword(''));
  t.same(told, [`${portId} secret`, `${portId} secret`]);
  await pass(withPassword('secret'));
  t.equal(host.postedPasswords.size, 0);
  await pass(withPassword('secret'));
  t.equal(told.length, 3, 'and is forgotten');
  t.equal(host.postPassword(portId, 'another'), 409, 'it has one');
});
