/** Ethernet frames by hand, and a way to send them: what a guest's or a stranger's network card can, and sockets cannot. */
import { runCommand } from '../../../drivers/command.ts';
import { vxlanPort } from '../../../drivers/vxlan/links/vni.ts';

/** What a frame says of itself; none of it need be true. */
export interface FrameClaims {
  readonly fromMac: string;
  readonly toMac: string;
  readonly fromIp: string;
  readonly toIp: string;
}

/** An ICMP echo request in its Ethernet frame. */
export function echoRequest(claims: FrameClaims): Buffer {
  const icmp = Buffer.from([8, 0, 0, 0, 0x5e, 0xc0, 0, 1, ...Buffer.from('an attack')]);
  icmp.writeUInt16BE(checksum(icmp), 2);
  return inIp(claims, 1, icmp);
}

/** A UDP datagram to port 9 in its Ethernet frame, without a checksum, so that its ports can be changed. */
export function udpDatagram(claims: FrameClaims): Buffer {
  return inIp(claims, 17, Buffer.from([0x40, 0, 0, 9, 0, 16, 0, 0, ...Buffer.from('attacked')]));
}

function inIp({ fromMac, toMac, fromIp, toIp }: FrameClaims, protocol: number, content: Buffer): Buffer {
  const ends = [...addressBytes(fromIp), ...addressBytes(toIp)];
  const ip = Buffer.from([0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, ...ends]);
  ip.writeUInt16BE(ip.length + content.length, 2);
  ip.writeUInt16BE(checksum(ip), 10);
  return Buffer.concat([macBytes(toMac), macBytes(fromMac), Buffer.from([0x08, 0x00]), ip, content]);
}

/** The frame as VXLAN carries it (RFC 7348): the payload of a UDP datagram. */
export function inVxlan(vni: number, frame: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x08, 0);
  header.writeUInt32BE(vni * 256, 4);
  return Buffer.concat([header, frame]);
}

/** Sends a payload to the VXLAN port of an address, `count` times, from a network namespace. */
export async function sendToVxlanPort(namespace: string, ip: string, payload: Buffer, count = 1): Promise<void> {
  const script = `
    const socket = require('node:dgram').createSocket('udp4');
    const [ip, payload, count] = process.argv.slice(1);
    let left = Number(count);
    const next = () => socket.send(Buffer.from(payload, 'hex'), ${vxlanPort}, ip, (error) => {
      left -= 1;
      if (error !== null && error !== undefined) console.error(error.code);
      if (left > 0 && !error) setTimeout(next, 20); else socket.close();
    });
    next();`;
  await runCommand(
    ['ip', 'netns', 'exec', namespace, process.execPath, '-e', script, ip, payload.toString('hex'), String(count)],
    { timeoutMs: 10_000 },
  );
}

/**
 * Joins a guest's card and a VXLAN device of its own by a bridge: what a script sends to that device's port leaves by the
 * card as it is, with any MAC, at a rate that no tool for single frames has. The guest itself is deaf from then on.
 */
export async function layHose(namespace: string): Promise<void> {
  const lines = [
    `link add hose type vxlan id ${hoseVni} dstport ${vxlanPort} local 127.0.0.1 nolearning`,
    'link add hose-br type bridge forward_delay 0 mcast_snooping 0',
    'link set hose master hose-br',
    'link set eth0 master hose-br',
    'link set hose up',
    'link set hose-br up',
  ];
  await runCommand(['ip', '-n', namespace, '-batch', '-'], { stdin: `${lines.join('\n')}\n` });
}

/** Two bytes of a frame: the last ones of its sender's MAC, and its UDP source port. */
export const frameFields = { senderMac: 10, sourcePort: 34 };

/** Sends `count` copies of a frame as fast as it can; each has another of `values` values in two bytes of it. */
export async function sendByHose(
  namespace: string,
  frame: Buffer,
  count: number,
  vary: { readonly at: number; readonly values: number } = { at: frameFields.senderMac, values: 1 },
): Promise<void> {
  const script = `
    const socket = require('node:dgram').createSocket('udp4');
    const [hex, count, at, values] = process.argv.slice(1);
    const first = Buffer.from(hex, 'hex').readUInt16BE(Number(at));
    let sent = 0;
    let lanes = 32;
    const lane = () => {
      if (sent >= Number(count)) { lanes -= 1; if (lanes === 0) socket.close(); return; }
      const datagram = Buffer.from(hex, 'hex');
      datagram.writeUInt16BE((first + (sent % Number(values))) & 0xffff, Number(at));
      sent += 1;
      socket.send(datagram, ${vxlanPort}, '127.0.0.1', lane);
    };
    for (let at = lanes; at > 0; at -= 1) lane();`;
  const payload = inVxlan(hoseVni, frame);
  const at = payload.length - frame.length + vary.at;
  await runCommand(
    [
      ...['ip', 'netns', 'exec', namespace, process.execPath, '-e', script],
      ...[payload.toString('hex'), String(count), String(at), String(vary.values)],
    ],
    { timeoutMs: 40_000 },
  );
}

/** VNI of the device that feeds a hose. */
const hoseVni = 99;

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt8(at) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function addressBytes(ip: string): number[] {
  return ip.split('.').map(Number);
}
