/** Joining: from a ticket to a membership on disk. Done already, it changes nothing. */

import { type Address, parseAddress } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { agentVersion, featureLevel } from '../base/version.ts';
import { vtepIpOf } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { loadOrCreateKeys } from '../mesh/identity/identity.ts';
import { membersByDns } from '../mesh/join/dns-discovery.ts';
import { joinMesh } from '../mesh/join/join.ts';
import { membersByMulticast } from '../mesh/join/multicast-discovery.ts';
import { MulticastResponder } from '../mesh/join/multicast-responder.ts';
import { JoinTicket } from '../mesh/join/tickets.ts';
import { endpointOf, gossipAddressOf, makeDataDir } from './found-mesh.ts';
import { knownHost, type Membership, readMembership, writeAuthorityFile, writeMembership } from './membership.ts';

/** How long agents that do not answer, or have no quorum yet, are asked again: a rack that joins at once loads them. */
const patienceMs = 120_000;
/** The word for multicast DNS in the configuration's `discovery`. */
const multicastDiscovery = 'mdns';

/**
 * Makes this host a member. Throws `TICKET_INVALID`, `TICKET_USED`, `TICKET_EXPIRED`, `CONFLICT` (the folder belongs to
 * another mesh, or the name is taken), `UNAVAILABLE`; nothing of a membership is kept then.
 */
export async function becomeMember(
  deps: { readonly clock: Clock; readonly logger: Logger },
  config: Config,
  ticketText: string,
  signal: AbortSignal,
): Promise<Membership> {
  const ticket = JoinTicket.decode(ticketText);
  const existing = readMembership(config.dataDir);
  if (existing !== undefined) {
    if (existing.meshId === ticket.meshId) return existing;
    throw new ShoalError(
      'CONFLICT',
      `${config.dataDir} belongs to mesh ${existing.meshId}, the ticket to ${ticket.meshId}`,
    );
  }
  makeDataDir(config.dataDir);
  const { identity, tlsKey } = await loadOrCreateKeys(config.dataDir);
  const joined = await joinMesh(deps, {
    ticket,
    identity,
    tlsKey,
    host: hostFields(config),
    patienceMs,
    signal,
    discover: () => discovered(deps, config, ticket.meshId, signal),
  });
  await joined.meshKey.save(config.dataDir);
  const membership: Membership = {
    version: 1,
    meshId: joined.meshId,
    hostId: identity.hostId,
    raftId: joined.host.raftId,
    transitIndex: joined.host.transitIndex,
    certificatePem: joined.certificatePem,
    authorityCertificatePem: joined.authorityPem,
    hosts: joined.hosts.map(knownHost),
  };
  // Last: with this file the folder is a member's.
  await writeMembership(config.dataDir, membership);
  await writeAuthorityFile(config.dataDir, joined.authorityPem);
  return membership;
}

/** Members by what the configuration names. Throws `UNAVAILABLE` when none of it has anything to say. */
async function discovered(
  deps: { readonly clock: Clock },
  config: Config,
  meshId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const address = peerEndpoint(config).host;
  const ways = config.discovery.split(',').filter((way) => way !== '');
  const found = await Promise.allSettled(
    ways.map((way) =>
      way === multicastDiscovery
        ? membersByMulticast(deps, { meshId, address, signal })
        : membersByDns(way.slice('dns:'.length)),
    ),
  );
  const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const [failure] = found.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  if (addresses.length === 0 && failure !== undefined) throw ShoalError.from(failure, 'UNAVAILABLE');
  return addresses;
}

/** What answers on this host's link where it is, for those who ask by multicast DNS; undefined: the configuration does not say so. */
export function multicastResponder(
  deps: { readonly clock: Clock; readonly logger: Logger },
  config: Config,
  member: { readonly meshId: string; readonly hostId: string },
): MulticastResponder | undefined {
  if (!config.discovery.split(',').includes(multicastDiscovery)) return undefined;
  return new MulticastResponder(deps, { ...member, at: peerEndpoint(config) });
}

function peerEndpoint(config: Config): Address {
  return parseAddress(endpointOf(config, config.peer.listen));
}

/** Base URL of a host's REST API, as others may use it. */
export function apiUrlOf(config: Config): string {
  if (config.api.publicUrl !== '') return config.api.publicUrl;
  return `${config.api.tls === 'on' ? 'https' : 'http'}://${endpointOf(config, config.api.listen)}`;
}

/** What a host says of itself in its record, by its configuration. */
export function hostFields(config: Config): {
  readonly name: string;
  readonly peerAddress: string;
  readonly grpcAddress: string;
  readonly apiUrl: string;
  readonly gossipAddress: string;
  readonly vtepIp: string;
  readonly zone: string;
  readonly failureDomain: string;
  readonly version: string;
  readonly holdsSlices: boolean;
  readonly featureLevel: number;
} {
  return {
    name: config.name,
    peerAddress: endpointOf(config, config.peer.listen),
    grpcAddress: endpointOf(config, config.api.grpcListen),
    apiUrl: apiUrlOf(config),
    gossipAddress: gossipAddressOf(config),
    vtepIp: vtepIpOf(config),
    zone: config.zone,
    failureDomain: config.failureDomain,
    version: agentVersion,
    holdsSlices: true,
    featureLevel,
  };
}
