/** Frames of IPv6 made by hand, sent and heard in a guest's namespace; and a client of DHCPv6. Perl has raw sockets, Node has none. */
import { ipNumber } from '../../../drivers/vxlan/model/cidr.ts';
import type { Lab } from './bench-host.ts';

/** Ends of a packet. */
interface Ends {
  /** MAC and address that it says it comes from. */
  readonly mac: string;
  readonly from: string;
  readonly toMac: string;
  readonly to: string;
}

const allNodes = { toMac: '33:33:00:00:00:01', to: 'ff02::1' };

/** A neighbour solicitation for `target`. */
export function solicitation(ends: Pick<Ends, 'mac' | 'from'>, target: string): string {
  const option = ends.from === '::' ? '' : `0101${macHex(ends.mac)}`;
  return icmpFrame({ ...ends, ...allNodes }, `8700000000000000${ipHex(target)}${option}`);
}

/** A neighbour advertisement that `target` is at `mac`, unasked. */
export function advertisement(ends: Pick<Ends, 'mac' | 'from'>, target: string): string {
  return icmpFrame({ ...ends, ...allNodes }, `8800000020000000${ipHex(target)}0201${macHex(ends.mac)}`);
}

/** A router solicitation: what a guest says first. */
export function routerSolicitation(ends: Pick<Ends, 'mac' | 'from'>): string {
  return icmpFrame({ ...ends, toMac: '33:33:00:00:00:02', to: 'ff02::2' }, `85000000000000000101${macHex(ends.mac)}`);
}

/** A router advertisement with a prefix of 64 bits. */
export function routerAdvertisement(ends: Pick<Ends, 'mac' | 'from'>, prefix: string): string {
  const information = `030440c0000151800001518000000000${ipHex(prefix)}`;
  return icmpFrame({ ...ends, ...allNodes }, `8600000040000708${'00'.repeat(8)}${information}0101${macHex(ends.mac)}`);
}

/** The same in one fragment, behind a header of options. */
export function hiddenAdvertisement(ends: Pick<Ends, 'mac' | 'from'>, prefix: string): string {
  const whole = routerAdvertisement(ends, prefix);
  const body = whole.slice(28 + 80);
  // Fragment header (first and only piece, more to come), then destination options that pad.
  const headers = `3c00000100000001${'3a00010400000000'}`;
  return frame({ ...ends, ...allNodes }, 44, headers + body);
}

/** A redirect: `target` is the better way to `destination`. */
export function redirect(ends: Ends, target: string, destination: string): string {
  return icmpFrame(ends, `8900000000000000${ipHex(target)}${ipHex(destination)}`);
}

/** What a DHCPv6 server would send. */
export function dhcpAnswer(ends: Ends): string {
  return udpFrame(ends, 547, 546, '02000001');
}

/** An empty UDP packet. */
export function plain(ends: Ends): string {
  return udpFrame(ends, 4000, 4000, '00');
}

/** Sends frames from a guest's wire. */
export async function send(lab: Lab, namespace: string, ...frames: readonly string[]): Promise<void> {
  const { ok, out } = await lab.run(namespace, ['perl', '-e', senderScript, ...frames]);
  if (!ok) throw new Error(out);
}

/** The frames of IPv6 that a guest hears while something is done, as hex. */
export async function heardDuring(
  lab: Lab,
  namespace: string,
  work: () => Promise<void>,
  seconds = 3,
): Promise<readonly string[]> {
  const hearing = lab.run(namespace, ['perl', '-e', hearerScript, String(seconds)], (seconds + 10) * 1000);
  // It has to be up before the first frame.
  await new Promise((resolve) => setTimeout(resolve, 700));
  await work();
  return (await hearing).out.split('\n').filter((line) => /^[0-9a-f]+$/.test(line));
}

/** Whether a frame is ICMPv6 of a type, as it stands without other headers. */
export function isIcmp(heard: string, type: number): boolean {
  return heard.slice(40, 42) === '3a' && Number.parseInt(heard.slice(108, 110), 16) === type;
}

/** Asks for a lease as DHCPv6 clients do, or with `information` for options alone. What it was given, or `none`. */
export async function dhcp6(lab: Lab, namespace: string, kind: 'lease' | 'information' = 'lease'): Promise<string> {
  const { out } = await lab.run(namespace, [process.execPath, '-e', clientScript, kind], 20_000);
  return out.trim();
}

function macHex(mac: string): string {
  return mac.replaceAll(':', '');
}

function ipHex(ip: string): string {
  return ipNumber(ip).toString(16).padStart(32, '0');
}

function frame(ends: Ends, nextHeader: number, payload: string): string {
  const length = (payload.length / 2).toString(16).padStart(4, '0');
  const header = `60000000${length}${nextHeader.toString(16).padStart(2, '0')}ff${ipHex(ends.from)}${ipHex(ends.to)}`;
  return `${macHex(ends.toMac)}${macHex(ends.mac)}86dd${header}${payload}`;
}

function icmpFrame(ends: Ends, body: string): string {
  return frame(ends, 58, withChecksum(ends, 58, body, 4));
}

function udpFrame(ends: Ends, from: number, to: number, payload: string): string {
  const words = [from, to, 8 + payload.length / 2, 0].map((word) => word.toString(16).padStart(4, '0')).join('');
  return frame(ends, 17, withChecksum(ends, 17, words + payload, 12));
}

/** RFC 8200, 8.1. @param at Where the checksum is, in digits; zero there. */
function withChecksum(ends: Ends, nextHeader: number, body: string, at: number): string {
  const length = (body.length / 2).toString(16).padStart(8, '0');
  const all = ipHex(ends.from) + ipHex(ends.to) + length + nextHeader.toString(16).padStart(8, '0') + body;
  let sum = 0;
  for (let digit = 0; digit < all.length; digit += 4) {
    sum += Number.parseInt(all.slice(digit, digit + 4).padEnd(4, '0'), 16);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return body.slice(0, at) + (~sum & 0xffff).toString(16).padStart(4, '0') + body.slice(at + 4);
}

/** AF_PACKET is 17, and the address of an interface (struct sockaddr_ll) begins with family, protocol and its number. */
const senderScript = `
  use Socket;
  open(my $file, '<', '/sys/class/net/eth0/ifindex') or die; my $index = <$file>; chomp $index;
  socket(my $s, 17, SOCK_RAW, 0) or die "socket: $!";
  for my $frame (@ARGV) {
    send($s, pack('H*', $frame), 0, pack('S n i S C C a8', 17, 0x86dd, $index, 0, 0, 6, '')) or die "send: $!";
  }`;

const hearerScript = `
  use Socket; $| = 1;
  open(my $file, '<', '/sys/class/net/eth0/ifindex') or die; my $index = <$file>; chomp $index;
  socket(my $s, 17, SOCK_RAW, unpack('S', pack('n', 0x86dd))) or die "socket: $!";
  bind($s, pack('S n i S C C a8', 17, 0x86dd, $index, 0, 0, 6, '')) or die "bind: $!";
  my $end = time + $ARGV[0];
  while (time < $end) {
    my $ready = ''; vec($ready, fileno($s), 1) = 1;
    next unless select($ready, undef, undef, 0.2);
    my $from = recv($s, my $frame, 2000, 0);
    # What the guest sends itself is heard too: packet type 4.
    print unpack('H*', $frame), "\\n" if unpack('x10 C', $from) != 4;
  }`;

/** RFC 8415: Solicit, Advertise, Request, Reply with an IA_NA; or Information-request and Reply. */
const clientScript = `
  const { readFileSync } = require('node:fs');
  const kind = process.argv[1];
  const mac = readFileSync('/sys/class/net/eth0/address', 'utf8').trim().replaceAll(':', '');
  const option = (code, hex) => code.toString(16).padStart(4, '0') + (hex.length / 2).toString(16).padStart(4, '0') + hex;
  const clientId = option(1, '00030001' + mac);
  const asked = option(6, '00170018');
  const socket = require('node:dgram').createSocket('udp6');
  const say = (type, options) => {
    const message = Buffer.from(type + '000042' + options.join(''), 'hex');
    socket.send(message, 547, 'ff02::1:2%eth0');
  };
  const text = (hex) => new URL('http://[' + (hex.match(/.{4}/g) ?? []).join(':') + ']/').hostname.slice(1, -1);
  const read = (hex) => {
    const found = new Map();
    for (let at = 0; at + 8 <= hex.length; ) {
      const length = parseInt(hex.slice(at + 4, at + 8), 16) * 2;
      const code = parseInt(hex.slice(at, at + 4), 16);
      found.set(code, [...(found.get(code) ?? []), hex.slice(at + 8, at + 8 + length)]);
      at += 8 + length;
    }
    return found;
  };
  const done = (line) => { console.log(line); process.exit(0); };
  setTimeout(() => done('none'), 9000);
  const first = kind === 'information' ? ['0b', [clientId, asked, option(8, '0000')]] : ['01', [clientId, asked, option(8, '0000'), option(3, '00000001' + '0'.repeat(16))]];
  socket.on('message', (data) => {
    const hex = data.toString('hex');
    const options = read(hex.slice(8));
    const lease = (options.get(3) ?? []).flatMap((ia) => read(ia.slice(24)).get(5) ?? []).map((address) => text(address.slice(0, 32)));
    const servers = (options.get(23) ?? []).flatMap((list) => list.match(/.{32}/g) ?? []).map(text);
    const line = [...lease.sort(), 'dns', ...servers].join(' ');
    if (hex.startsWith('02') && lease.length === 0) return;
    if (hex.startsWith('02')) say('03', [clientId, asked, option(2, options.get(2)[0]), option(8, '0000'), option(3, '00000001' + '0'.repeat(16))]);
    else if (hex.startsWith('07')) done(line);
  });
  socket.bind(546, '::', () => { say(...first); setInterval(() => say(...first), 1500); });`;
