/**
 * Who sends a router's advertisements on a host (RFC 4861): a dnsmasq in the router's namespace that does nothing else. It outlives
 * the agent. Every host's says the same from the same address, each to its own guests.
 */
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RouterId, SubnetId } from '../../../node/base/ids.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { AdvertisementSpec } from '../../types.ts';
import type { Host } from '../host/host.ts';
import type { Netns } from '../links/netns.ts';
import { DetachedProcess } from './detached.ts';
import { guestDomain } from './dns.ts';
import { dnsmasqUser } from './dnsmasq-user.ts';

/** How long a guest believes in a prefix without hearing of it again, and in the router; how often it hears. Unit of the numbers: s. */
const prefixLifetime = '24h';
const routerLifetimeS = 1_800;
const intervalS = 200;

/** A prefix, and what is said of it. */
export interface AdvertisedPrefix extends AdvertisementSpec {
  /** Interface in the router's namespace. */
  readonly dev: string;
  readonly subnetId: SubnetId;
  /** `fd00::/64`. */
  readonly prefix: string;
}

/** What a mode is to dnsmasq: by `static` it tells of leases, which the network's own DHCP has. */
const modeWords = { slaac: 'ra-only', 'dhcpv6-stateless': 'ra-stateless', 'dhcpv6-stateful': 'static' } as const;

/** The command line, beginning with `dnsmasq`. Pure. */
export function advertiserArguments(
  prefixes: readonly AdvertisedPrefix[],
  paths: { readonly pidFile: string; readonly leaseFile: string },
  user: string,
): string[] {
  const devs = [...new Set(prefixes.map(({ dev }) => dev))];
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    '--quiet-dhcp6',
    '--quiet-ra',
    '--enable-ra',
    `--user=${user}`,
    `--pid-file=${paths.pidFile}`,
    `--dhcp-leasefile=${paths.leaseFile}`,
    '--log-facility=-',
    ...devs.flatMap((dev) => [`--interface=${dev}`, `--ra-param=${dev},${intervalS},${routerLifetimeS}`]),
    ...prefixes.flatMap(({ subnetId, prefix, mode, dnsServers }) => {
      const [first = '', length = ''] = prefix.split('/');
      const servers = dnsServers.map((server) => `[${server}]`);
      return [
        `--dhcp-range=set:${subnetId},${first},${modeWords[mode]},${length},${prefixLifetime}`,
        `--dhcp-option=tag:${subnetId},${['option6:dns-server', ...servers].join(',')}`,
        `--dhcp-option=tag:${subnetId},option6:domain-search,${guestDomain}`,
      ];
    }),
  ];
}

/** Advertisements of one router on this host. */
export class Advertiser {
  readonly #host: Host;
  readonly #folder: string;
  readonly #pidFile: string;
  readonly #process: DetachedProcess;

  constructor(host: Host, routerId: RouterId) {
    this.#host = host;
    this.#folder = join(host.options.stateDir, 'ra', routerId);
    this.#pidFile = join(this.#folder, 'pid');
    this.#process = new DetachedProcess({
      recordPath: join(this.#folder, 'process.json'),
      logPath: join(this.#folder, 'log'),
      marker: `--pid-file=${this.#pidFile}`,
    });
  }

  /** Says exactly this; nothing: it does not run. True when it was otherwise. The interfaces must have their addresses. */
  async ensure(netns: Netns, prefixes: readonly AdvertisedPrefix[], signal: AbortSignal): Promise<boolean> {
    const running = await this.#process.running();
    if (prefixes.length === 0) {
      await this.remove();
      return running !== undefined;
    }
    await mkdir(this.#folder, { recursive: true });
    const user = await dnsmasqUser(this.#host, [this.#folder, dirname(this.#folder)]);
    const paths = { pidFile: this.#pidFile, leaseFile: join(this.#folder, 'leases') };
    const argv = advertiserArguments(prefixes, paths, user);
    if (running?.argv.join('\0') === argv.join('\0')) return false;
    await this.#process.stop();
    await rm(this.#pidFile, { force: true });
    await this.#process.start(netns.prefix, argv, () => this.#isReady(), signal);
    return true;
  }

  /** Ends it and removes its files. */
  async remove(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await stat(this.#pidFile)).size > 0;
    } catch (caught) {
      if (isMissing(caught)) return false;
      throw caught;
    }
  }
}
