/** Networks, guests and a router over a lab's hosts: the records that an agent would have, turned into driver calls. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import type {
  AdvertisementSpec,
  ForwardingSpec,
  LocalPortSpec,
  NetworkSpec,
  PortForward,
  RemotePortSpec,
  RouterSpec,
  RouterWay,
  SecurityRuleSpec,
  SubnetSpec,
} from '../../../drivers/types.ts';
import type { VxlanDriver } from '../../../drivers/vxlan/driver.ts';
import { holds, readCidr } from '../../../drivers/vxlan/model/cidr.ts';
import { tapName } from '../../../drivers/vxlan/model/names.ts';
import type { NetworkId, PortId, RouterId, SubnetId } from '../../../node/base/ids.ts';
import { type Lab, labRouterId } from './bench-host.ts';

/** A guest: a namespace with a wire where the tap would be. */
export interface Guest {
  readonly name: string;
  readonly host: number;
  readonly namespace: string;
  port: LocalPortSpec;
}

/** All addresses of a guest's port. */
function addressesOf(guest: Guest): readonly string[] {
  return [guest.port.ip, ...(guest.port.moreIps ?? [])];
}

function advertisementOf(
  advertised: ReadonlyMap<SubnetId, AdvertisementSpec>,
  { subnetId }: SubnetSpec,
): { readonly advertisement?: AdvertisementSpec } {
  const advertisement = advertised.get(subnetId);
  return advertisement === undefined ? {} : { advertisement };
}

/** Lets in ping and HTTP, lets out all. */
export const openRules: readonly SecurityRuleSpec[] = [
  { direction: 'egress' },
  { direction: 'ingress', protocol: 'icmp' },
  { direction: 'ingress', protocol: 'tcp', portMin: 80, portMax: 80 },
];

/** A network with its first address as gateway and its second for services. */
export function networkOf(name: string, vni: number, prefix: string): NetworkSpec {
  return {
    networkId: `network-${name}` as NetworkId,
    vni,
    mtu: 1500,
    subnets: [
      {
        subnetId: `subnet-${name}` as SubnetId,
        cidr: `${prefix}.0/24`,
        gatewayIp: `${prefix}.1`,
        serviceIp: `${prefix}.2`,
        dhcp: true,
        dnsServers: [],
        hostRoutes: [],
      },
    ],
  };
}

/** What the records say, and the drivers that make it so. */
export class Cloud {
  readonly lab: Lab;
  readonly networks: NetworkSpec[] = [];
  readonly guests: Guest[] = [];
  /** Guest names to floating IPs. */
  readonly floating = new Map<string, string>();
  routed: NetworkSpec[] = [];
  snatHost = 0;
  /** Forwarded ports, of the router. */
  forwards: readonly PortForward[] = [];
  /** The router's static routes. */
  routes: { readonly destination: string; readonly nextHop: string }[] = [];
  /** What the router says on subnets of IPv6, by subnet. */
  readonly advertised = new Map<SubnetId, AdvertisementSpec>();
  /** The router's way out of IPv6. */
  external6: { readonly gatewayIp: string; readonly cidr: string; readonly ip: string } | undefined;
  #udhcpcScript = '';

  constructor(lab: Lab) {
    this.lab = lab;
  }

  get routerId(): RouterId {
    return labRouterId;
  }

  guest(name: string): Guest {
    const guest = this.guests.find((candidate) => candidate.name === name);
    if (guest === undefined) throw new Error(`there is no guest ${name}`);
    return guest;
  }

  /** Whether any guest of the network, or its router, is on the host. */
  carries(host: number, network: NetworkSpec): boolean {
    return (
      this.routed.includes(network) ||
      this.guests.some((g) => g.host === host && g.port.networkId === network.networkId)
    );
  }

  /** Plugs a wire where the guest's tap would be, before any driver knows of the port. */
  async plug(
    name: string,
    host: number,
    network: NetworkSpec,
    ip: string,
    mac: string,
    { ipv6 = false }: { readonly ipv6?: boolean } = {},
  ): Promise<Guest> {
    const portId = `port-${name}` as PortId;
    const guest: Guest = {
      name,
      host,
      namespace: `${this.lab.name}-g-${name}`,
      port: {
        portId,
        networkId: network.networkId,
        mac,
        ip,
        hostname: name,
        portSecurity: true,
        rules: openRules,
        metadata: { '/latest/meta-data/hostname': name, '/openstack/latest/meta_data.json': `{"uuid":"${portId}"}` },
      },
    };
    await runCommand(['ip', 'netns', 'add', guest.namespace]);
    await this.lab.run(guest.namespace, [
      'sysctl',
      '-qw',
      ...['all', 'default'].map((which) => `net.ipv6.conf.${which}.disable_ipv6=${ipv6 ? 0 : 1}`),
    ]);
    const hostNamespace = this.lab.hosts[host]?.namespace ?? '';
    const wire = `link add ${tapName(portId)} type veth peer name eth0 address ${mac} netns ${guest.namespace}`;
    await runCommand(['ip', '-n', hostNamespace, ...wire.split(' ')]);
    await runCommand(['ip', '-n', guest.namespace, '-batch', '-'], { stdin: 'link set lo up\nlink set eth0 up\n' });
    this.guests.push(guest);
    return guest;
  }

  /** Brings one host to what the records say, as a reconciler would. */
  async ensure(driver: VxlanDriver, host: number, signal: AbortSignal): Promise<void> {
    for (const network of this.networks) {
      if (!this.carries(host, network)) continue;
      await driver.ensureNetwork(network, signal);
      for (const guest of this.guests) {
        if (guest.host === host && guest.port.networkId === network.networkId)
          await driver.ensurePort(guest.port, signal);
      }
      await driver.setForwarding(this.forwarding(host, network), signal);
    }
    if (this.routed.length > 0) await driver.ensureRouter(this.router(host), signal);
  }

  forwarding(host: number, network: NetworkSpec): ForwardingSpec {
    const peers = this.lab.hosts.filter((_, index) => index !== host && this.carries(index, network));
    return {
      networkId: network.networkId,
      peerVtepIps: peers.map((peer) => peer.vtepIp),
      remotePorts: this.guests
        .filter((guest) => guest.host !== host && guest.port.networkId === network.networkId)
        .flatMap((guest): RemotePortSpec[] =>
          addressesOf(guest).map((ip) => ({
            mac: guest.port.mac,
            ip,
            vtepIp: this.lab.hosts[guest.host]?.vtepIp ?? '',
            hostname: guest.port.hostname,
          })),
        ),
    };
  }

  router(host: number): RouterSpec {
    const here = this.guests.filter((guest) => guest.host === host);
    return {
      routerId: this.routerId,
      interfaces: this.routed.flatMap((network) =>
        network.subnets.map((subnet) => ({
          networkId: network.networkId,
          subnetId: subnet.subnetId,
          ip: subnet.gatewayIp ?? '',
          prefixLength: readCidr(subnet.cidr).prefixLength,
          neighbours: this.guests
            .filter((guest) => guest.port.networkId === network.networkId)
            .flatMap((guest) => addressesOf(guest).map((ip) => ({ ip, mac: guest.port.mac })))
            .filter(({ ip }) => holds(readCidr(subnet.cidr), ip)),
          ...advertisementOf(this.advertised, subnet),
        })),
      ),
      routes: this.routes,
      ...(this.external6 === undefined ? {} : { external6: { ...this.external6, ...this.#way(host) } }),
      external: {
        gatewayIp: this.lab.externalGatewayIp,
        cidr: '10.97.0.0/24',
        floatingIps: here
          .filter((guest) => this.floating.has(guest.name))
          .map((guest) => ({
            floatingIp: this.floating.get(guest.name) ?? '',
            // To the last of its addresses.
            fixedIp: addressesOf(guest).at(-1) ?? '',
          })),
        ...(host === this.snatHost && this.forwards.length > 0 ? { forwards: this.forwards } : {}),
        snatIp: '10.97.0.100',
        ...this.#way(host),
      },
    };
  }

  #way(host: number): RouterWay {
    return {
      snatHere: host === this.snatHost,
      snatVtepIp: this.lab.hosts[this.snatHost]?.vtepIp ?? '',
      transitVni: 9001,
      transitPeerVtepIps: this.lab.hosts.filter((_, index) => index !== host).map((peer) => peer.vtepIp),
      transitIndex: host + 1,
      snatTransitIndex: this.snatHost + 1,
    };
  }

  /** Runs a command in a guest. */
  in(name: string, argv: readonly string[], timeoutMs?: number): Promise<{ ok: boolean; out: string }> {
    return this.lab.run(this.guest(name).namespace, argv, timeoutMs);
  }

  /** The guest asks for its address, as any guest does. */
  async dhcp(name: string, more: readonly string[] = []): Promise<string> {
    if (this.#udhcpcScript === '') {
      this.#udhcpcScript = join(this.lab.stateDir, 'udhcpc.sh');
      await writeFile(this.#udhcpcScript, udhcpcScript);
      await chmod(this.#udhcpcScript, 0o755);
    }
    const options = ['-q', '-n', '-f', '-t', '10', '-T', '1', '-A', '1', '-O', 'staticroutes', '-O', 'mtu'];
    const { out } = await this.in(
      name,
      ['busybox', 'udhcpc', '-i', 'eth0', '-s', this.#udhcpcScript, ...options, ...more],
      20_000,
    );
    return out;
  }

  /** A web server: `/` says who it is, `/cgi-bin/who` says who asks. */
  async serve(namespace: string, name: string): Promise<void> {
    const root = join(this.lab.stateDir, `www-${name}`);
    await mkdir(join(root, 'cgi-bin'), { recursive: true });
    await writeFile(join(root, 'index.html'), name);
    await writeFile(join(root, 'cgi-bin', 'who'), whoScript);
    await chmod(join(root, 'cgi-bin', 'who'), 0o755);
    await this.lab.run(namespace, ['sh', '-c', `busybox httpd -p 80 -h ${root} </dev/null >/dev/null 2>&1`]);
  }
}

/**
 * Asks over HTTP and gives the body of a 200; undefined otherwise, or when nothing came in time. By hand over bash's
 * `/dev/tcp`: Debian's static busybox has a `wget` that crashes where it cannot look up the name of a port.
 */
export async function get(lab: Lab, namespace: string, url: string, timeoutS = 5): Promise<string | undefined> {
  const [, ip = '', port = '80', path = '/'] = /^http:\/\/([\d.]+)(?::(\d+))?(\/.*)$/.exec(url) ?? [];
  const script = 'exec 3<>"/dev/tcp/$1/$2"; printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$3" "$1" >&3; cat <&3';
  const { out } = await lab.run(namespace, ['timeout', String(timeoutS), 'bash', '-c', script, 'bash', ip, port, path]);
  const end = out.indexOf('\r\n\r\n');
  return /^HTTP\/1\.\d 200 /.test(out) ? out.slice(end + 4) : undefined;
}

/** Asks a name server for a name's addresses (`A`) or an address's names (`PTR`): these, or the code of the refusal. */
export async function lookUp(
  lab: Lab,
  namespace: string,
  server: string,
  question: { readonly type: 'A' | 'AAAA' | 'PTR'; readonly name: string },
): Promise<string> {
  const script = `
    const [server, type, name] = process.argv.slice(1);
    const { Resolver } = require('node:dns').promises;
    const resolver = new Resolver({ timeout: 1000, tries: 3 });
    resolver.setServers([server]);
    (type === 'PTR' ? resolver.reverse(name) : resolver.resolve(name, type)).then(
      (answers) => console.log(answers.sort().join(' ')),
      (error) => console.log(error.code),
    );`;
  const { out } = await lab.run(namespace, [process.execPath, '-e', script, server, question.type, question.name]);
  return out.trim();
}

/** Whether nothing is to be had there within a second. */
export async function isClosed(lab: Lab, namespace: string, url: string): Promise<boolean> {
  return (await get(lab, namespace, url, 1)) === undefined;
}

/** Whether two pings are answered. */
export async function pings(lab: Lab, namespace: string, ip: string, more: readonly string[] = []): Promise<boolean> {
  return (await lab.run(namespace, ['ping', '-c', '2', '-i', '0.1', '-w', '1', '-q', ...more, ip])).ok;
}

/** A running ping; resolves to how many were sent and answered. */
export async function stream(
  lab: Lab,
  namespace: string,
  ip: string,
  count: number,
): Promise<{ readonly sent: number; readonly answered: number }> {
  const argv = ['ping', '-q', '-i', '0.05', '-W', '1', '-c', String(count), ip];
  const { out } = await lab.run(namespace, argv, 30_000);
  const match = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(out);
  return { sent: Number(match?.[1] ?? 0), answered: Number(match?.[2] ?? 0) };
}

/** Takes what the lease says and nothing else. Option 121 comes as pairs of prefix and gateway. */
const udhcpcScript = `#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip -4 addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
[ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
set -- $staticroutes
while [ $# -ge 2 ]; do
  ip route replace "$1" via "$2" dev "$interface"
  shift 2
done
`;

/** Says who asks. busybox shows an IPv4 peer as [::ffff:10.0.0.1]. */
const whoScript = `#!/bin/sh
peer="\${REMOTE_ADDR##*:}"
printf 'Content-Type: text/plain\\r\\n\\r\\n%s' "\${peer%]}"
`;
