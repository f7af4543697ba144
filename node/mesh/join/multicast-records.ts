/** The records by which members tell of themselves in multicast DNS (RFC 6763). Pure; what comes from outside is checked here. */

import { isIPv4, isIPv6 } from 'node:net';
import type { Answer, StringAnswer } from 'dns-packet';
import type { Address } from '../../base/address.ts';
import { peerService } from './multicast-link.ts';

/** How long others may remember a record. Unit: seconds. */
const ttlSeconds = 120;
/** Records looked at of one answer. */
const recordsMax = 64;

/** What is read of an answer. */
export interface MulticastAnswer {
  readonly answers?: readonly Answer[] | undefined;
  readonly additionals?: readonly Answer[] | undefined;
}

/** A member as it tells of itself. */
export interface ToldMember {
  readonly meshId: string;
  readonly hostId: string;
  /** Its peer RPC; the host is an IPv4 or IPv6 address. */
  readonly at: Address;
}

/** What a member answers: where it is, and of which mesh. */
export function recordsOf({ meshId, hostId, at }: ToldMember): {
  readonly answers: Answer[];
  readonly additionals: Answer[];
} {
  const instance = `${hostId}.${peerService}`;
  const target = `${hostId}.local`;
  const address: StringAnswer = { name: target, type: isIPv6(at.host) ? 'AAAA' : 'A', ttl: ttlSeconds, data: at.host };
  return {
    answers: [{ name: peerService, type: 'PTR', ttl: ttlSeconds, data: instance }],
    additionals: [
      { name: instance, type: 'SRV', ttl: ttlSeconds, data: { port: at.port, target, priority: 0, weight: 0 } },
      { name: instance, type: 'TXT', ttl: ttlSeconds, data: [`mesh=${meshId}`] },
      address,
    ],
  };
}

/** The members of mesh `meshId` that an answer tells of, whose addresses are of `family`. Whatever else is in it is left out. */
export function membersIn(answer: MulticastAnswer, meshId: string, family: 'IPv4' | 'IPv6'): readonly Address[] {
  const records = [...(answer.answers ?? []), ...(answer.additionals ?? [])].slice(0, recordsMax);
  const isOfMesh = new Set(
    records.flatMap((record) =>
      record.type === 'TXT' && textsOf(record.data).includes(`mesh=${meshId}`) ? [record.name.toLowerCase()] : [],
    ),
  );
  return records.flatMap((record) => {
    if (record.type !== 'SRV' || !isOfMesh.has(record.name.toLowerCase())) return [];
    const { target, port } = record.data;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return [];
    return records.flatMap((other) => {
      if ((other.type !== 'A' && other.type !== 'AAAA') || other.name.toLowerCase() !== target.toLowerCase()) return [];
      const host = other.data;
      return (family === 'IPv6' ? isIPv6(host) : isIPv4(host)) ? [{ host, port }] : [];
    });
  });
}

function textsOf(data: string | Buffer | readonly (string | Buffer)[]): readonly string[] {
  const parts = typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data;
  return parts.map((part) => part.toString());
}
