/** The dnsmasq of a network, for DHCP and names: its files and its process, which outlives the agent. */
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileDurably } from '../../../node/base/durable-file.ts';
import type { NetworkId } from '../../../node/base/ids.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { NetworkSpec } from '../../types.ts';
import type { Host } from '../host/host.ts';
import type { Netns } from '../links/netns.ts';
import type { PortEntry } from '../model/book.ts';
import { isIp6 } from '../model/cidr.ts';
import { DetachedProcess } from './detached.ts';
import { type DhcpPaths, dhcpHostLine, dnsmasqArguments, leasedIps, readLeases } from './dhcp.ts';
import { hostsText } from './dns.ts';
import { dnsmasqUser } from './dnsmasq-user.ts';
import { forwardsNames, resolverAddress } from './resolver.ts';

/** What DHCP gives a port. */
interface LeasedPort {
  readonly portId: string;
  readonly mac: string;
  readonly ips: readonly string[];
  readonly hostname: string;
}

function leasedPorts(network: NetworkSpec, ports: readonly PortEntry[]): LeasedPort[] {
  return ports.flatMap(({ spec }) => {
    const ips = leasedIps(network, spec);
    return ips.length === 0 ? [] : [{ portId: spec.portId, mac: spec.mac, ips, hostname: spec.hostname }];
  });
}

/** DHCP and names of one network on this host. */
export class Dnsmasq {
  readonly #host: Host;
  readonly #networkId: NetworkId;
  readonly #folder: string;
  readonly #paths: DhcpPaths;
  readonly #process: DetachedProcess;
  /** Whom it runs as, and its hosts files belong to. */
  #uid = 0;

  constructor(host: Host, networkId: NetworkId) {
    this.#host = host;
    this.#networkId = networkId;
    this.#folder = join(host.options.stateDir, 'dhcp', networkId);
    this.#paths = {
      hostsDir: join(this.#folder, 'hosts'),
      leaseFile: join(this.#folder, 'leases'),
      namesFile: join(this.#folder, 'names'),
      pidFile: join(this.#folder, 'pid'),
    };
    this.#process = new DetachedProcess({
      recordPath: join(this.#folder, 'process.json'),
      logPath: join(this.#folder, 'log'),
      marker: `--pid-file=${this.#paths.pidFile}`,
    });
  }

  /** Runs it with these arguments, hosts and the names of the book; a running one that has them is not touched. */
  async ensure(netns: Netns, network: NetworkSpec, ports: readonly PortEntry[], signal: AbortSignal): Promise<boolean> {
    await mkdir(this.#folder, { recursive: true });
    const user = await dnsmasqUser(this.#host, [this.#folder, dirname(this.#folder)]);
    await this.#makeHostsDir(user);
    const argv = dnsmasqArguments(network, this.#paths, user, forwardsNames(this.#host) ? resolverAddress : undefined);
    const leased = leasedPorts(network, ports);
    let running = await this.#process.running();
    // Before the hosts are written: they are what tells whose a lease of IPv6 was.
    const stale = await this.#staleLeases(leased);
    if (running !== undefined && (stale.size > 0 || running.argv.join('\0') !== argv.join('\0'))) {
      await this.#process.stop();
      running = undefined;
    }
    if (stale.size > 0) await this.#dropLeases(stale);
    const hosts = await this.#writeHosts(leased);
    const changed = (await this.#writeNames()) ? 'changed' : hosts;
    if (running === undefined) {
      await rm(this.#paths.pidFile, { force: true });
      await this.#process.start(netns.prefix, argv, () => this.#isReady(), signal);
      return true;
    }
    // Files that appear are read by themselves; what changed or went is forgotten only on this signal.
    if (changed === 'changed') await this.#process.signal('SIGHUP');
    return changed !== 'same';
  }

  /** Ends it and removes its files. */
  async remove(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await stat(this.#paths.pidFile)).size > 0;
    } catch (caught) {
      if (isMissing(caught)) return false;
      throw caught;
    }
  }

  /** Makes the hosts folder exactly these. Drafts are written beside it, for dnsmasq reads every file in it. */
  async #writeHosts(ports: readonly LeasedPort[]): Promise<'same' | 'added' | 'changed'> {
    const wanted = new Map(ports.map((port) => [port.portId, dhcpHostLine(port)]));
    let result: 'same' | 'added' | 'changed' = 'same';
    const found = new Set(await readdir(this.#paths.hostsDir));
    for (const name of found) {
      if (wanted.has(name)) continue;
      await rm(join(this.#paths.hostsDir, name), { force: true });
      result = 'changed';
    }
    for (const [name, line] of wanted) {
      const path = join(this.#paths.hostsDir, name);
      if (found.has(name)) {
        if ((await readFile(path, 'utf8')) === line) continue;
        result = 'changed';
      } else if (result === 'same') {
        result = 'added';
      }
      const draft = join(this.#folder, `host-${name}`);
      await writeFileDurably(draft, line, { mode: 0o600 });
      await chown(draft, this.#uid, 0);
      await rename(draft, path);
    }
    return result;
  }

  /** Makes the file of names what the book says: local ports, then those of other hosts. True when it was another. */
  async #writeNames(): Promise<boolean> {
    const { book } = this.#host;
    const remote = book.forwarding.get(this.#networkId)?.spec.remotePorts ?? [];
    const text = hostsText([
      ...book.portsOf(this.#networkId).flatMap(({ spec: { ip, moreIps = [], hostname } }) =>
        // Of several addresses of IPv4 the first is named; of IPv6 a guest uses what it likes.
        [ip, ...moreIps].filter((each, at) => at === 0 || isIp6(each)).map((each) => ({ ip: each, hostname })),
      ),
      ...remote.flatMap(({ ip, hostname }) => (hostname === undefined ? [] : [{ ip, hostname }])),
    ]);
    const { namesFile } = this.#paths;
    if ((await readIfThere(namesFile)) === text) return false;
    const draft = `${namesFile}.draft`;
    await writeFileDurably(draft, text, { mode: 0o600 });
    await chown(draft, this.#uid, 0);
    await rename(draft, namesFile);
    return true;
  }

  async #leases(): Promise<ReturnType<typeof readLeases>> {
    return readLeases((await readIfThere(this.#paths.leaseFile)) ?? '');
  }

  /**
   * Addresses that are still leased to whom had them before: dnsmasq would refuse them to the new one. Of IPv4 the lease says to which
   * MAC. Of IPv6 it does not: there an address whose port's file is not as it will be may have been another's.
   */
  async #staleLeases(ports: readonly LeasedPort[]): Promise<ReadonlySet<string>> {
    const macs = new Map(ports.flatMap((port) => port.ips.map((ip) => [ip, port.mac] as const)));
    const stale = new Set<string>();
    const leases = await this.#leases();
    for (const { ip, mac } of leases) {
      if (ip !== undefined && mac !== undefined && (macs.get(ip) ?? mac) !== mac) stale.add(ip);
    }
    const leased6 = new Set(leases.flatMap(({ ip }) => (ip !== undefined && isIp6(ip) ? [ip] : [])));
    for (const port of ports) {
      const ips = port.ips.filter((ip) => leased6.has(ip));
      if (ips.length === 0) continue;
      const there = await readIfThere(join(this.#paths.hostsDir, port.portId));
      if (there !== dhcpHostLine(port)) for (const ip of ips) stale.add(ip);
    }
    return stale;
  }

  async #dropLeases(stale: ReadonlySet<string>): Promise<void> {
    const kept = (await this.#leases()).filter(({ ip }) => ip === undefined || !stale.has(ip));
    await writeFileDurably(this.#paths.leaseFile, kept.map((lease) => `${lease.line}\n`).join(''));
  }

  /** The hosts files are dnsmasq's, and nobody else's: it reads them again when it is no longer root. */
  async #makeHostsDir(user: string): Promise<void> {
    const { hostsDir } = this.#paths;
    this.#uid = user === 'root' ? 0 : Number((await this.#host.deps.runCommand(['id', '-u', user])).stdout);
    await mkdir(hostsDir, { recursive: true });
    await chmod(hostsDir, 0o700);
    await chown(hostsDir, this.#uid, 0);
    for (const name of await readdir(hostsDir)) {
      await chmod(join(hostsDir, name), 0o600);
      await chown(join(hostsDir, name), this.#uid, 0);
    }
  }
}

/** A file's text; undefined: it is not there. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw caught;
  }
}
