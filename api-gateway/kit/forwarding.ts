/**
 * Who asks, and under which address they know this gateway, when proxies stand in between. What a proxy says is believed
 * of the configured addresses only (`api.trustedProxies`): anybody can write these headers.
 *
 * Read are `Forwarded` (RFC 7239) and, without it, `X-Forwarded-For`, `-Proto` and `-Host`. Each proxy appends what it
 * saw, so the lists are read from the end, for as long as the one who appended is trusted.
 */
import ipaddr from 'ipaddr.js';
import { isIn, type Network, parseNetworks } from '../../node/config/networks.ts';

/** Hops looked at; longer chains are cut there. */
const hopsMax = 16;
/** Longest header looked at, characters. */
const headerCharactersMax = 4096;
const hostForm = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** Where a request comes from. */
export interface Origin {
  /** Of the client: the nearest one that is no trusted proxy. IPv4 in its own form, never as `::ffff:a.b.c.d`. */
  readonly address: string;
  /** What the client spoke to the outermost trusted proxy; undefined: no proxy said. */
  readonly scheme: 'http' | 'https' | undefined;
  /** Host and port that the client asked for; undefined: no proxy said. */
  readonly host: string | undefined;
}

/** What one proxy appended. */
interface Hop {
  readonly address: string | undefined;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
}

/** The proxies that are believed. */
export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** @param list Addresses and networks (CIDR), comma-separated; empty: none. Throws `CONFIG_INVALID`. */
  constructor(list: string) {
    this.#networks = parseNetworks(list);
  }

  /** Whether a connection from `address` is a trusted proxy's. */
  trusts(address: string): boolean {
    return isIn(this.#networks, address);
  }

  /** @param header The first value of a header by its lower-case name, several joined by commas. */
  originOf(peerAddress: string, header: (name: string) => string | undefined): Origin {
    let address = plain(peerAddress);
    if (!this.trusts(address)) return { address, scheme: undefined, host: undefined };
    const hops = hopsOf(header);
    let scheme: Origin['scheme'];
    let host: string | undefined;
    for (const hop of hops.reverse().slice(0, hopsMax)) {
      if (hop.scheme === 'http' || hop.scheme === 'https') scheme = hop.scheme;
      if (hop.host !== undefined && hostForm.test(hop.host)) host = hop.host;
      // A proxy that hides whom it speaks for (`unknown`, `_name`) is the last that is known.
      if (hop.address === undefined) break;
      address = hop.address;
      if (!this.trusts(address)) break;
    }
    return { address, scheme, host };
  }
}

/** Whether `text` is a name or an address, with or without a port, and nothing else. */
export function isHostAndPort(text: string): boolean {
  return hostForm.test(text);
}

function hopsOf(header: (name: string) => string | undefined): Hop[] {
  const forwarded = header('forwarded')?.slice(-headerCharactersMax);
  if (forwarded !== undefined && forwarded !== '') return forwarded.split(',').map(forwardedHop);
  const list = (name: string): string[] =>
    (header(name) ?? '')
      .slice(-headerCharactersMax)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const addresses = list('x-forwarded-for');
  const schemes = list('x-forwarded-proto');
  const hosts = list('x-forwarded-host');
  // Some proxies append to one header and replace another, so the lists are aligned at their ends.
  const count = Math.max(addresses.length, schemes.length, hosts.length);
  return Array.from({ length: count }, (_, at) => {
    const fromEnd = (items: readonly string[]): string | undefined => items[items.length - count + at];
    return { address: nodeAddress(fromEnd(addresses)), scheme: fromEnd(schemes)?.toLowerCase(), host: fromEnd(hosts) };
  });
}

/** One element of `Forwarded`: `for=192.0.2.1;proto=https;host="cloud.example"`. */
function forwardedHop(element: string): Hop {
  const parameters = new Map<string, string>();
  for (const pair of element.split(';')) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const value = pair.slice(at + 1).trim();
    parameters.set(pair.slice(0, at).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  return {
    address: nodeAddress(parameters.get('for')),
    scheme: parameters.get('proto')?.toLowerCase(),
    host: parameters.get('host'),
  };
}

/** The address of `a.b.c.d`, `a.b.c.d:port`, `[v6]`, `[v6]:port` or `v6`; undefined for everything else. */
function nodeAddress(node: string | undefined): string | undefined {
  if (node === undefined) return undefined;
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(node)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(node)?.[1] ?? node;
  // Only the usual four-part form: ipaddr.js takes `127.1`, octal and the like for addresses, too.
  return ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare) ? plain(bare) : undefined;
}

function plain(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
