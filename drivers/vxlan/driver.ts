/**
 * The network driver of a real host. Each call reads what the kernel has, compares it with what the record wants, and
 * writes the difference alone: none, on a host that is right already, so that taking over from an earlier agent loses no
 * packet. README.md draws a packet's way through what is made here.
 */
import { chmod, chown, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../node/base/errors.ts';
import type { NetworkId, PortId, RouterId } from '../../node/base/ids.ts';
import { isMissing } from '../../node/base/system-error.ts';
import { RepeatedLog } from '../../node/base/telemetry/repeated-log.ts';
import type { ForwardingSpec, LocalPortSpec, NetworkDriver, NetworkFound, NetworkSpec, RouterSpec } from '../types.ts';
import { Undo } from '../undo.ts';
import { Host, type VxlanDeps, type VxlanOptions } from './host/host.ts';
import { addressLines } from './links/address.ts';
import { bridge, interfaceWith, type Links, type LinkWanted } from './links/link.ts';
import type { Netns } from './links/netns.ts';
import { identityIp, metadataServerCidr, metadataServerIp, metadataServerPort } from './model/metadata.ts';
import {
  bridgeName,
  externalBridge,
  interfaceNameMax,
  metadataBridge,
  metadataHostMac,
  readAlias,
  routerNamespace,
  routerOfNamespace,
  tapName,
} from './model/names.ts';
import { reachableForwarding, reachableRouter, underlayAddress } from './model/underlay.ts';
import { address, checkForwarding, checkNetwork, checkPort, checkPrefix, checkRouter } from './model/validate.ts';
import { checkMountNamespace } from './mount-namespace.ts';
import { ensureNetwork, removeNetwork, vniOfBridge } from './networks/networks.ts';
import { ensurePort, removePort, syncDhcp } from './networks/ports.ts';
import { ensureRouter, removeRouter } from './routing/routers.ts';
import { filterTable, guardTable } from './security/security.ts';
import { DetachedProcess } from './services/detached.ts';
import { postedPasswords, preparePosted } from './services/posted-passwords.ts';
import { Resolver } from './services/resolver.ts';

/** Gratuitous ARPs sent for an address that is new here: more than one, for they are not acknowledged. */
const announceCount = 2;
const announceTimeoutMs = 5_000;

/** Bridges, VXLAN, nftables, dnsmasq and namespaces of this host. */
export class VxlanDriver implements NetworkDriver {
  readonly name = 'vxlan';
  changes = 0;
  readonly #host: Host;
  readonly #metadataServer: DetachedProcess;
  readonly #resolver: Resolver;
  readonly #repeated: RepeatedLog;
  /** The call at work: they run one after another, for they change the same things. */
  #last: Promise<unknown> = Promise.resolve();
  #started = false;
  readonly #announcements = new Set<Promise<void>>();

  /** Throws `INVALID_ARGUMENT` for options that cannot be. */
  constructor(deps: VxlanDeps, options: VxlanOptions) {
    checkPrefix(options.namespacePrefix);
    underlayAddress(options.vtepIp, 'vtepIp');
    const { externalInterface, stateDir, dnsForwarders = [] } = options;
    if (dnsForwarders !== 'host') for (const server of dnsForwarders) address(server, 'dnsForwarders');
    if (
      externalInterface !== undefined &&
      !/^[A-Za-z0-9_.-]+$/.test(externalInterface.slice(0, interfaceNameMax + 1))
    ) {
      throw new ShoalError('INVALID_ARGUMENT', `externalInterface ${JSON.stringify(externalInterface)} is malformed`);
    }
    // dnsmasq reads commas in option values as separators; spaces would end words of its configuration.
    if (!/^\/[^\s,]+$/.test(stateDir)) {
      throw new ShoalError('INVALID_ARGUMENT', 'stateDir is an absolute path without spaces and commas', {
        facts: { stateDir },
      });
    }
    this.#host = new Host(deps, options);
    this.#repeated = new RepeatedLog(deps);
    this.#resolver = new Resolver(this.#host);
    this.#metadataServer = new DetachedProcess({
      recordPath: join(stateDir, 'metadata-server.json'),
      logPath: join(stateDir, 'metadata-server.log'),
      marker: join(stateDir, 'metadata'),
    });
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#exclusive(signal, async () => {
      const { options, book, deps, netns } = this.#host;
      await checkMountNamespace(options.namespacePrefix, deps.logger);
      const metadataDir = join(options.stateDir, 'metadata');
      await mkdir(metadataDir, { recursive: true });
      if (options.metadataUid !== undefined) {
        // The metadata server passes through it, and lists nothing.
        await chown(metadataDir, process.getuid?.() ?? 0, options.metadataUid);
        await chmod(metadataDir, 0o710);
      }
      await preparePosted(options.stateDir, options.metadataUid);
      // dnsmasq passes through it, whatever the agent's umask made of it.
      await chmod(options.stateDir, 0o711);
      this.#host.ipv6 = await exists('/proc/sys/net/ipv6');
      const links = await netns.links(signal);
      this.#checkUnderlay(links);
      await this.#ensureBridgeFilter(signal);
      await Undo.run(async (undo) => {
        await this.#host.ensureLinks(links, this.#hostLinks(links), undo, signal);
        const md = addressLines(links, [metadataBridge], [{ dev: metadataBridge, address: metadataServerCidr }]);
        await netns.ipBatch(md, signal);
        await this.#host.ensureTables(signal);
      });
      await book.load(deps.logger);
      await this.#forgetWhatIsGone(links, signal);
      await this.#host.syncWholeFilter(signal);
      await this.#ensureMetadataServer(signal);
      await this.#resolver.ensure(signal);
      this.#started = true;
      deps.logger.info(
        { vtepIp: options.vtepIp, networks: book.networks.values().length, ports: book.ports.values().length },
        'network driver started',
      );
    });
  }

  async stop(): Promise<void> {
    await this.#last.catch(() => {});
    await Promise.all(this.#announcements);
    this.#started = false;
  }

  found(signal: AbortSignal): Promise<NetworkFound> {
    return this.#call(signal, async () => {
      const links = await this.#host.netns.links(signal);
      const networks: NetworkFound['networks'][number][] = [];
      const ports: NetworkFound['ports'][number][] = [];
      const posted = await postedPasswords(this.#host.options.stateDir);
      for (const link of links.values()) {
        const meaning = readAlias(link.alias);
        const vni = vniOfBridge(link.name);
        if (meaning?.kind === 'network' && vni !== undefined) networks.push({ networkId: meaning.networkId, vni });
        if (meaning?.kind === 'port' && link.name === tapName(meaning.portId)) {
          const { portId, networkId } = meaning;
          const entry = this.#host.book.ports.get(portId);
          const password = entry === undefined ? undefined : posted.get(identityIp(entry.identityIndex));
          const plain = { portId, networkId, tapName: link.name };
          ports.push(password === undefined ? plain : { ...plain, postedPassword: password });
        }
      }
      const routers: NetworkFound['routers'][number][] = [];
      for (const name of await this.#host.namespaces(signal)) {
        const routerId = routerOfNamespace(this.#host.options.namespacePrefix, name);
        if (routerId === undefined) continue;
        const tables = await this.#host.namespace(name).tables(signal);
        const floating = tables.get('ip shoal_nat')?.sets.get('fdnat');
        routers.push({ routerId, floatingIps: [...(floating?.keys() ?? [])].sort() });
      }
      return { networks, ports, routers };
    });
  }

  ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<void> {
    return this.#change('network', { networkId: spec.networkId }, signal, () => {
      checkNetwork(spec);
      return ensureNetwork(this.#host, spec, signal);
    });
  }

  removeNetwork(networkId: NetworkId, signal: AbortSignal): Promise<void> {
    return this.#change('network removed', { networkId }, signal, async () => {
      await removeNetwork(this.#host, networkId, signal);
      return true;
    });
  }

  async ensurePort(spec: LocalPortSpec, signal: AbortSignal): Promise<{ readonly tapName: string }> {
    await this.#change('port', { portId: spec.portId }, signal, async () => {
      checkPort(spec);
      await this.#ensureMetadataServer(signal);
      await this.#resolver.ensure(signal);
      return ensurePort(this.#host, spec, signal);
    });
    return { tapName: tapName(spec.portId) };
  }

  removePort(portId: PortId, signal: AbortSignal): Promise<void> {
    return this.#change('port removed', { portId }, signal, async () => {
      await removePort(this.#host, portId, signal);
      return true;
    });
  }

  setForwarding(spec: ForwardingSpec, signal: AbortSignal): Promise<void> {
    return this.#change('forwarding', { networkId: spec.networkId }, signal, async () => {
      checkForwarding(spec);
      const { vni } = this.#host.network(spec.networkId).spec;
      const reachable = reachableForwarding(spec, this.#host.options.vtepIp);
      if (reachable !== spec) this.#tellUnreachable({ networkId: spec.networkId });
      await this.#host.book.forwarding.put(spec.networkId, { spec: reachable });
      const filter = await this.#host.syncFilter([vni], [], signal);
      const forwarding = await this.#host.syncForwarding(spec.networkId, signal);
      // The names of the others' guests come with where they are.
      return (await syncDhcp(this.#host, spec.networkId, signal)) || forwarding || filter;
    });
  }

  ensureRouter(spec: RouterSpec, signal: AbortSignal): Promise<void> {
    return this.#change('router', { routerId: spec.routerId }, signal, () => {
      checkRouter(spec);
      const reachable = reachableRouter(spec, this.#host.options.vtepIp);
      if (reachable !== spec) this.#tellUnreachable({ routerId: spec.routerId });
      return ensureRouter(this.#host, reachable, (netns, ip) => this.#announce(netns, ip), signal);
    });
  }

  removeRouter(routerId: RouterId, signal: AbortSignal): Promise<void> {
    return this.#change('router removed', { routerId }, signal, async () => {
      await removeRouter(this.#host, routerId, signal);
      return true;
    });
  }

  /**
   * Takes back what `start` made, for a host that leaves the mesh, and for tests: metadata server, tables, bridges.
   * `CONFLICT` while a network or a router is here.
   */
  async teardown(signal: AbortSignal): Promise<void> {
    const found = await this.found(signal);
    if (found.networks.length + found.ports.length + found.routers.length > 0) {
      throw new ShoalError('CONFLICT', 'networks, ports or routers are on this host', { facts: { found } });
    }
    await this.#call(signal, async () => {
      const { netns, options } = this.#host;
      await this.#metadataServer.stop();
      await this.#resolver.remove();
      const tables = await netns.tables(signal);
      const ours = [filterTable, guardTable].map((table) => `${table.family} ${table.name}`);
      const text = ours.filter((place) => tables.has(place)).map((place) => `delete table ${place}\n`);
      await netns.nft(text.join(''), signal);
      const links = await netns.links(signal);
      const external = options.externalInterface;
      if (external !== undefined && links.get(external)?.master === externalBridge) {
        await netns.ipBatch([`link set ${external} nomaster`], signal);
      }
      await this.#host.deleteLinks([metadataBridge, externalBridge], signal);
      await rm(join(options.stateDir, 'metadata'), { recursive: true, force: true });
      await rm(join(options.stateDir, 'dhcp'), { recursive: true, force: true });
      await rm(join(options.stateDir, 'ra'), { recursive: true, force: true });
      await rm(join(options.stateDir, 'book'), { recursive: true, force: true });
    });
    this.#started = false;
  }

  /** Runs `work` after every call before it; a failure of those is theirs alone. */
  #exclusive<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work_, work_);
    this.#last = run;
    return run;
    function work_(): Promise<T> {
      if (signal.aborted) return Promise.reject(new ShoalError('CANCELLED', 'cancelled before it began'));
      return work();
    }
  }

  #call<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#exclusive(signal, () => {
      if (!this.#started) return Promise.reject(new ShoalError('UNAVAILABLE', 'the network driver is not started'));
      return work();
    });
  }

  async #change(what: string, facts: object, signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
    const { clock, logger } = this.#host.deps;
    await this.#call(signal, async () => {
      const begin = clock.monotonicMs();
      const changed = await work();
      if (changed) this.changes += 1;
      const durationMs = Math.round(clock.monotonicMs() - begin);
      logger[changed ? 'info' : 'debug'](
        { ...facts, durationMs },
        changed ? `${what}: done` : `${what}: right already`,
      );
    });
  }

  /** Bridges that every host has. */
  #hostLinks(links: Links): LinkWanted[] {
    const wanted = [bridge(metadataBridge, { filtered: false, mac: metadataHostMac })];
    const external = this.#host.options.externalInterface;
    if (external === undefined) return wanted;
    const link = links.get(external);
    if (link === undefined) throw new ShoalError('DRIVER_FAILED', `there is no external interface ${external}`);
    if (link.addresses.length > 0) {
      throw new ShoalError('DRIVER_FAILED', `${external} has addresses; give an interface that has none`, {
        facts: { externalInterface: external, addresses: link.addresses.map((a) => a.local) },
      });
    }
    if (link.master !== undefined && link.master !== externalBridge) {
      throw new ShoalError('DRIVER_FAILED', `${external} belongs to ${link.master} already`);
    }
    return [...wanted, bridge(externalBridge, { filtered: false }), { name: external, master: externalBridge }];
  }

  #tellUnreachable(of: { readonly networkId?: string; readonly routerId?: string }): void {
    const text =
      'hosts with an underlay address of the other family (IPv4, IPv6) cannot be reached from here: give all hosts one family (network.vtepIp)';
    this.#repeated.warn('underlay family', { ...of, vtepIp: this.#host.options.vtepIp }, text);
  }

  #checkUnderlay(links: Links): void {
    const { vtepIp } = this.#host.options;
    if (interfaceWith(links, vtepIp) === undefined)
      throw new ShoalError('DRIVER_FAILED', `no interface of this host has the underlay address ${vtepIp}`);
  }

  /** Bridged frames go to the packet filter on tenant bridges alone, which say so themselves. */
  async #ensureBridgeFilter(signal: AbortSignal): Promise<void> {
    const { netns, deps } = this.#host;
    if (!(await exists('/proc/sys/net/bridge'))) {
      // Built in on some kernels, a module on others; what counts is whether it is there afterwards.
      await deps.runCommand(['modprobe', 'br_netfilter'], { signal }).catch(() => undefined);
      if (!(await exists('/proc/sys/net/bridge'))) {
        throw new ShoalError('DRIVER_FAILED', 'the kernel has no br_netfilter; load it with: modprobe br_netfilter');
      }
    }
    const off = { 'net.bridge.bridge-nf-call-iptables': '0', 'net.bridge.bridge-nf-call-arptables': '0' };
    const off6 = { 'net.bridge.bridge-nf-call-ip6tables': '0' };
    await netns.ensureSysctls({ ...off, ...(this.#host.ipv6 ? off6 : {}) }, signal);
  }

  /**
   * Clears away the rest of what the kernel, asked, does not have: a reboot or a crash half-way took the thing itself,
   * and the host ensures again what it still wants.
   */
  async #forgetWhatIsGone(links: Links, signal: AbortSignal): Promise<void> {
    const { book, options } = this.#host;
    for (const { spec } of book.ports.values()) {
      if (!links.has(tapName(spec.portId))) await removePort(this.#host, spec.portId, signal);
    }
    const namespaces = await this.#host.namespaces(signal);
    for (const { spec } of book.routers.values()) {
      const name = routerNamespace(options.namespacePrefix, spec.routerId);
      if (!namespaces.has(name)) await removeRouter(this.#host, spec.routerId, signal);
    }
    for (const { spec } of book.networks.values()) {
      if (!links.has(bridgeName(spec.vni))) await removeNetwork(this.#host, spec.networkId, signal);
    }
  }

  /** Starts the host's metadata server unless it runs; one that another version of the agent has left is replaced. */
  async #ensureMetadataServer(signal: AbortSignal): Promise<void> {
    const { options, netns } = this.#host;
    const argv = [
      'perl',
      '-T',
      fileURLToPath(new URL('./services/metadata-server.pl', import.meta.url)),
      metadataServerIp,
      String(metadataServerPort),
      join(options.stateDir, 'metadata'),
      ...(options.metadataUid === undefined ? [] : [String(options.metadataUid)]),
    ];
    const running = await this.#metadataServer.running();
    if (running !== undefined) {
      // Only the end is compared: what has become it may stand before it still.
      if (running.argv.slice(-argv.length).join('\0') === argv.join('\0')) return;
      await this.#metadataServer.stop();
    }
    const logPath = join(options.stateDir, 'metadata-server.log');
    // To become another user, and for nothing else: they are gone with the agent's user.
    const keptCapabilities = options.metadataUid === undefined ? '-all' : '-all,+setuid,+setgid';
    await rm(logPath, { force: true });
    await this.#metadataServer.start(
      [
        ...netns.prefix,
        'setpriv',
        ...['--no-new-privs', '--clear-groups', `--bounding-set=${keptCapabilities}`, '--inh-caps=-all'],
      ],
      argv,
      async () => (await readLog(logPath)).includes('listening on'),
      signal,
    );
  }

  /** Tells the external network, in the background, that an address lives here now. */
  #announce(netns: Netns, ip: string): void {
    const argv = ['arping', '-q', '-U', '-c', String(announceCount), '-I', 'qg', ip];
    const running = netns
      .exec(argv, { timeoutMs: announceTimeoutMs })
      .then(
        () => undefined,
        (error: unknown) => this.#host.deps.logger.warn({ ip, error: String(error) }, 'announcing an address failed'),
      )
      .finally(() => this.#announcements.delete(running));
    this.#announcements.add(running);
  }
}

async function readLog(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return '';
    throw ShoalError.from(caught, 'DRIVER_FAILED', path);
  }
}

/** Whether a path is there. `CANNOT_TELL` when it could not be looked at. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', path);
  }
}
