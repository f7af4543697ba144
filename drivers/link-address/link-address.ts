/**
 * One address that a host has for a while, on one of its interfaces. The kernel takes it away by itself when its time is over and
 * nobody has said otherwise: an agent that was killed, or does not get a CPU, holds no address beyond its time.
 */
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../node/base/errors.ts';
import { ipVersion } from '../../node/base/ip-version.ts';
import type { CommandRunner } from '../command.ts';

/** Times that the link is told, and how long telling may take, ms. */
const announceCount = 3;
const announceMsMax = 10_000;
/** `ip` answers within milliseconds; a machine that gives it no CPU for longer has lost the address anyway. */
const commandMsMax = 2_000;

/** See above. Each call is safe to do again. */
export interface LinkAddress {
  /** The host has the address for so many whole seconds from now on, whatever was said before. */
  hold(seconds: number, signal: AbortSignal): Promise<void>;
  /** Tells the link that the address is here: gratuitous ARP (RFC 5227), or unsolicited neighbour advertisements (RFC 4861, 7.2.6). */
  announce(signal: AbortSignal): Promise<void>;
  /** The host has it no more. Absent is success. */
  release(signal: AbortSignal): Promise<void>;
}

/** The kernel's, by iproute2 and arping (iputils). */
export class KernelLinkAddress implements LinkAddress {
  readonly #run: CommandRunner;
  readonly #prefix: readonly string[];
  /** With its prefix length: `10.0.0.9/24`. */
  readonly #cidr: string;
  readonly #interface: string;

  /** @param options.prefix stands before each command: tests run them in a network namespace. */
  constructor(
    run: CommandRunner,
    options: { readonly cidr: string; readonly interface: string; readonly prefix?: readonly string[] },
  ) {
    this.#run = run;
    this.#cidr = options.cidr;
    this.#interface = options.interface;
    this.#prefix = options.prefix ?? [];
  }

  async hold(seconds: number, signal: AbortSignal): Promise<void> {
    // Not preferred: the host's own connections keep their own address. Who holds it is decided, so nobody is asked (DAD).
    const lifetimes = ['valid_lft', String(seconds), 'preferred_lft', '0'];
    await this.#ip(['addr', 'replace', this.#cidr, 'dev', this.#interface, ...this.#nodad, ...lifetimes], signal);
  }

  async announce(signal: AbortSignal): Promise<void> {
    const [address = ''] = this.#cidr.split('/');
    const options = { timeoutMs: announceMsMax, signal };
    if (this.#isIpv6) {
      const shown = await this.#run([...this.#prefix, 'ip', '-o', 'link', 'show', 'dev', this.#interface], options);
      const [, index, mac] = /^(\d+):.*link\/ether ([0-9a-f:]{17})/.exec(shown.stdout) ?? [];
      if (index === undefined || mac === undefined) {
        throw new ShoalError('DRIVER_FAILED', `The interface ${this.#interface} is no Ethernet interface.`);
      }
      const script = fileURLToPath(new URL('./announce-ipv6.pl', import.meta.url));
      await this.#run([...this.#prefix, 'perl', '-T', script, index, address, mac, String(announceCount)], options);
      return;
    }
    const words = ['-q', '-U', '-c', String(announceCount), '-I', this.#interface, address];
    await this.#run([...this.#prefix, 'arping', ...words], options);
  }

  async release(signal: AbortSignal): Promise<void> {
    try {
      await this.#ip(['addr', 'del', this.#cidr, 'dev', this.#interface], signal);
    } catch (caught) {
      // "Cannot assign requested address": it is not there.
      const isAbsent =
        ShoalError.is(caught, 'COMMAND_FAILED') &&
        /Cannot assign requested address|not found/.test(JSON.stringify(caught.facts));
      if (!isAbsent) throw caught;
    }
  }

  get #isIpv6(): boolean {
    return ipVersion(this.#cidr.split('/')[0] ?? '') === 6;
  }

  get #nodad(): readonly string[] {
    return this.#isIpv6 ? ['nodad'] : [];
  }

  async #ip(words: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#run([...this.#prefix, 'ip', ...words], { timeoutMs: commandMsMax, signal });
  }
}
