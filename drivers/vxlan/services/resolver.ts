/**
 * The host's resolver: one dnsmasq in the host's own network, for names of the outside world. It listens on the metadata
 * bridge alone, where only service namespaces are; guests ask the dnsmasq of their network, and that one asks here. So no
 * guest reaches it, and no other machine does. It outlives the agent.
 */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../node/base/system-error.ts';
import type { Host } from '../host/host.ts';
import type { DnsForwarders } from '../model/dns-forwarders.ts';
import { metadataServerIp, resolverPort } from '../model/metadata.ts';
import { metadataBridge } from '../model/names.ts';
import { DetachedProcess } from './detached.ts';
import { guestDomain } from './dns.ts';
import { dnsmasqUser } from './dnsmasq-user.ts';

/** Where the dnsmasq of a network finds it, as dnsmasq writes a server. */
export const resolverAddress = `${metadataServerIp}#${resolverPort}`;

/** Questions under way at once, of all networks of the host; each network's own dnsmasq has `networkQueriesMax`. */
const hostQueriesMax = 1000;

/**
 * Addresses that no name of the outside world has: the host's own loopback, link-local ones with the metadata service among
 * them, and the identities. An answer that holds one becomes NXDOMAIN, so that no name leads a guest's client there (DNS
 * rebinding). Private addresses pass: names of an intranet have them.
 */
const refusedAnswers = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/16'] as const;

/** Whether guests get names of the outside world. */
export function forwardsNames({ options }: Host): boolean {
  return options.dnsForwarders === 'host' || (options.dnsForwarders ?? []).length > 0;
}

/**
 * The command line, beginning with `dnsmasq`. It keeps nothing: what one tenant asked for is not to be told from how fast
 * another is answered. Names of guests never go out.
 */
function resolverArguments(forwarders: DnsForwarders, pidFile: string, user: string): string[] {
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-hosts',
    `--port=${resolverPort}`,
    `--interface=${metadataBridge}`,
    '--except-interface=lo',
    // Unlike bind-interfaces it looks at where a question came in, not only at the address that it was sent to.
    '--bind-dynamic',
    '--cache-size=0',
    '--domain-needed',
    '--bogus-priv',
    `--local=/${guestDomain}/`,
    `--dns-forward-max=${hostQueriesMax}`,
    ...refusedAnswers.map((cidr) => `--bogus-nxdomain=${cidr}`),
    // dnsmasq follows the file when it changes.
    ...(forwarders === 'host'
      ? ['--resolv-file=/etc/resolv.conf']
      : ['--no-resolv', ...forwarders.map((server) => `--server=${server}`)]),
    `--user=${user}`,
    `--pid-file=${pidFile}`,
    '--log-facility=-',
  ];
}

/** See above. */
export class Resolver {
  readonly #host: Host;
  readonly #folder: string;
  readonly #pidFile: string;
  readonly #process: DetachedProcess;
  /** Whom it runs as; known after the first call. */
  #user: string | undefined;
  #isStopped = false;

  constructor(host: Host) {
    this.#host = host;
    this.#folder = join(host.options.stateDir, 'resolver');
    this.#pidFile = join(this.#folder, 'pid');
    this.#process = new DetachedProcess({
      recordPath: join(this.#folder, 'process.json'),
      logPath: join(this.#folder, 'log'),
      marker: `--pid-file=${this.#pidFile}`,
    });
  }

  /** Runs it with the host's settings, or not at all; one that runs so is not touched. Cheap when all is right. */
  async ensure(signal: AbortSignal): Promise<void> {
    const { dnsForwarders = [] } = this.#host.options;
    if (!forwardsNames(this.#host)) {
      // Once is enough: nobody else starts it.
      if (!this.#isStopped) await this.#process.stop();
      this.#isStopped = true;
      return;
    }
    if (this.#user === undefined) {
      await mkdir(this.#folder, { recursive: true });
      this.#user = await dnsmasqUser(this.#host, [this.#folder]);
    }
    const argv = resolverArguments(dnsForwarders, this.#pidFile, this.#user);
    const running = await this.#process.running();
    if (running !== undefined) {
      if (running.argv.join('\0') === argv.join('\0')) return;
      await this.#process.stop();
    }
    await rm(this.#pidFile, { force: true });
    await this.#process.start(this.#host.netns.prefix, argv, () => this.#isReady(), signal);
  }

  /** Ends it and removes its files. */
  async remove(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
    this.#user = undefined;
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
