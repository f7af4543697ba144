/** Operators ask where a packet would go: the question, with the records that it names. */
import type { shoal } from '../../../../proto/messages.ts';
import { serverTable, subnetTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { badRequest, notFound, refuse } from '../../kit/network-refusals.ts';
import { portsOfServer } from '../../kit/ownership.ts';
import { contains, formatIp, type IpAddress, parseIp, parsePrefix } from '../kit/address.ts';
import type { Packet } from './packet.ts';
import { type Trace, walkPacket } from './packet-walk.ts';

/** What is asked. Servers are named by id, or by a name that only one server of the mesh has. */
interface TraceQuestion {
  readonly source: string;
  /** Empty: the server's port on the destination's subnet, else its first one. */
  readonly sourcePortId: string;
  /** An address or a server: its first address then. */
  readonly destination: string;
  /** Empty: `icmp`. */
  readonly protocol: string;
  /** Of TCP and UDP, 1 to 65535. */
  readonly destinationPort: number;
}

const protocols: ReadonlySet<string> = new Set(['icmp', 'tcp', 'udp']);

/**
 * Walks the packet that `question` means. Throws 404 for a server or port that is not there, 409 where several servers have
 * the name, 400 for what is no packet: no address, another family, a protocol or port that there is not.
 */
export function tracePacket(reader: StateReader, question: TraceQuestion): Trace {
  const protocol = protocolOf(question);
  const source = serverNamed(reader, question.source);
  const ports = portsWithAddress(reader, source);
  const destination = parseIp(question.destination) ?? firstAddress(reader, serverNamed(reader, question.destination));
  const port = sourcePort(reader, ports, question, destination);
  const from = port.fixedIps.map(({ ip }) => parseIp(ip)).find((ip) => ip?.family === destination.family);
  if (from === undefined) {
    throw badRequest(
      `Port ${port.id} has no IPv${destination.family} address to speak to ${formatIp(destination)} from.`,
    );
  }
  return walkPacket(reader, port, { source: from, destination, protocol, destinationPort: question.destinationPort });
}

function protocolOf({ protocol, destinationPort }: TraceQuestion): Packet['protocol'] {
  const name = protocol === '' ? 'icmp' : protocol;
  if (!protocols.has(name)) throw badRequest(`Protocol ${name} cannot be traced: icmp, tcp and udp can.`);
  if (name !== 'icmp' && (destinationPort < 1 || destinationPort > 65_535)) {
    throw badRequest(`A ${name} packet goes to a port from 1 to 65535, not to ${destinationPort}.`);
  }
  return name as Packet['protocol'];
}

function serverNamed(reader: StateReader, text: string): shoal.v1.Server {
  const byId = serverTable.get(reader, text)?.record;
  if (byId !== undefined) return byId;
  const named = serverTable.list(reader).filter(({ record }) => record.name === text && !record.deleting);
  const [only, other] = named;
  if (only === undefined) throw refuse('NOT_FOUND', 'NotFound', `There is neither an address nor a server ${text}.`);
  if (other !== undefined)
    throw refuse('CONFLICT', 'Conflict', `${named.length} servers are called ${text}: give an id.`);
  return only.record;
}

function portsWithAddress(reader: StateReader, server: shoal.v1.Server): readonly shoal.v1.Port[] {
  const order = new Map(server.portIds.map((id, at) => [id, at]));
  return portsOfServer(reader, server)
    .map(({ record }) => record)
    .filter((port) => port.fixedIps.length > 0)
    .sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
}

function firstAddress(reader: StateReader, server: shoal.v1.Server): IpAddress {
  const address = parseIp(portsWithAddress(reader, server)[0]?.fixedIps[0]?.ip ?? '');
  if (address === undefined) throw badRequest(`Server ${server.name} (${server.id}) has no address.`);
  return address;
}

function sourcePort(
  reader: StateReader,
  ports: readonly shoal.v1.Port[],
  question: TraceQuestion,
  destination: IpAddress,
): shoal.v1.Port {
  if (question.sourcePortId !== '') {
    const named = ports.find(({ id }) => id === question.sourcePortId);
    if (named === undefined) throw notFound('port', question.sourcePortId);
    return named;
  }
  const near = ports.find((port) =>
    port.fixedIps.some(({ subnetId }) => {
      const prefix = parsePrefix(subnetTable.find(reader, subnetId)?.record.cidr ?? '');
      return prefix !== undefined && contains(prefix, destination);
    }),
  );
  const chosen = near ?? ports[0];
  if (chosen === undefined) throw badRequest(`Server ${question.source} has no port with an address.`);
  return chosen;
}
