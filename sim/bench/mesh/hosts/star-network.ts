/**
 * The network of the bench: a namespace a host, each on a cable of its own to a hub that routes, as racks do. A bridge would
 * make each host a neighbour of each other, and the kernel's table of neighbours, which all namespaces share, holds 1,024.
 * The hub's end of a cable counts what its host sends and receives, headers of Ethernet, IP and TCP included. Needs root.
 *
 *     bench (root namespace) ── NAME-b ══ bench ── NAME-hub ── u1 ══ ul0 ── NAME-1
 *                                                       └─ u2 ══ ul0 ── NAME-2 ...
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What went over a cable since it was laid, from the host's view. */
export interface LinkCounts {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Segments that the kernel had not cut up yet count once. */
  readonly sentPackets: number;
  readonly receivedPackets: number;
}

interface Counted {
  readonly bytes: number;
  readonly packets: number;
}

/** The cables of one run. */
export class StarNetwork {
  readonly #name: string;
  readonly #hosts: number;
  readonly #octet: number;

  /**
   * @param name begins the name of everything: letters and digits, so few that interfaces can be called by it.
   * @param octet the hosts are 10.octet.0.1 and so on; the bench's own end is 10.octet.255.1.
   */
  constructor(name: string, hosts: number, octet: number) {
    if (!/^[a-z][a-z0-9]{0,9}$/.test(name)) throw new Error(`${name} is no name of a network`);
    if (hosts < 1 || hosts > 1000) throw new Error(`${hosts} hosts are more than one hub has`);
    this.#name = name;
    this.#hosts = hosts;
    this.#octet = octet;
  }

  /** Of host `number`, which begins at 1. */
  addressOf(number: number): string {
    return `10.${this.#octet}.${Math.floor(number / 250)}.${(number % 250) + 1}`;
  }

  /** Where the bench's own requests come from. */
  get benchAddress(): string {
    return `10.${this.#octet}.255.1`;
  }

  namespaceOf(number: number): string {
    return `${this.#name}-${number}`;
  }

  /** Lays all cables. */
  make(): void {
    const hub = `${this.#name}-hub`;
    const hubAddress = `10.${this.#octet}.255.254`;
    const numbers = Array.from({ length: this.#hosts }, (_, at) => at + 1);
    const namespaces = [hub, ...numbers.map((number) => this.namespaceOf(number))];
    batch(
      [],
      namespaces.map((namespace) => `netns add ${namespace}`),
    );
    for (const namespace of namespaces) withoutIpv6(namespace);
    batch(
      ['-n', hub],
      [
        'link set dev lo up',
        `address add ${hubAddress}/32 dev lo`,
        ...numbers.flatMap((number) => [
          `link add u${number} type veth peer name ul0 netns ${this.namespaceOf(number)}`,
          `link set dev u${number} up`,
          `route add ${this.addressOf(number)}/32 dev u${number}`,
        ]),
      ],
    );
    for (const number of numbers) {
      batch(
        ['-n', this.namespaceOf(number)],
        [
          'link set dev lo up',
          'link set dev ul0 up',
          `address add ${this.addressOf(number)}/32 dev ul0`,
          `route add ${hubAddress}/32 dev ul0`,
          `route add default via ${hubAddress} dev ul0`,
        ],
      );
    }
    const own = `${this.#name}-b`;
    batch(
      [],
      [
        `link add ${own} type veth peer name bench netns ${hub}`,
        `link set dev ${own} up`,
        `address add ${this.benchAddress}/32 dev ${own}`,
        `route add ${hubAddress}/32 dev ${own}`,
        `route add 10.${this.#octet}.0.0/16 via ${hubAddress} dev ${own} src ${this.benchAddress}`,
      ],
    );
    batch(['-n', hub], ['link set dev bench up', `route add ${this.benchAddress}/32 dev bench`]);
    run('ip', ['netns', 'exec', hub, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  }

  /** What each host has sent and received, by its number. */
  counts(): ReadonlyMap<number, LinkCounts> {
    const text = run('ip', ['-n', `${this.#name}-hub`, '-s', '-json', 'link', 'show']);
    const links = JSON.parse(text) as {
      readonly ifname: string;
      readonly stats64: { readonly rx: Counted; readonly tx: Counted };
    }[];
    const found = new Map<number, LinkCounts>();
    for (const { ifname, stats64 } of links) {
      // What the hub receives there, the host has sent.
      if (!/^u\d+$/.test(ifname)) continue;
      found.set(Number(ifname.slice(1)), {
        sentBytes: stats64.rx.bytes,
        receivedBytes: stats64.tx.bytes,
        sentPackets: stats64.rx.packets,
        receivedPackets: stats64.tx.packets,
      });
    }
    return found;
  }

  /** Takes everything away that is there. Nothing may run in it any more. */
  remove(): void {
    const names = run('ip', ['netns', 'list'])
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
      .filter((name) => name.startsWith(`${this.#name}-`));
    // With the namespaces go the cables, and with those the bench's own end.
    batch(
      [],
      names.map((name) => `netns del ${name}`),
    );
  }
}

/** Neighbour discovery is not to be counted. */
function withoutIpv6(namespace: string): void {
  if (!existsSync('/proc/sys/net/ipv6/conf/default/disable_ipv6')) return;
  const command = 'for which in all default; do echo 1 > /proc/sys/net/ipv6/conf/$which/disable_ipv6; done';
  run('ip', ['netns', 'exec', namespace, 'sh', '-c', command]);
}

function batch(options: readonly string[], lines: readonly string[]): void {
  if (lines.length > 0) run('ip', [...options, '-batch', '-'], `${lines.join('\n')}\n`);
}

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', input, timeout: 60_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.slice(0, 1000)}`);
  return stdout;
}
