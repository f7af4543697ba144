/** How this agent's calls reach other hosts: gRPC over mutual TLS in production, the simulated network in the simulator. */
import type { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import type { Calls } from '../rpc/client.ts';

/** The methods of PeerService that ask another host about hosts and guests. */
export type HostCalls = Pick<
  Calls<shoal.v1.PeerService>,
  'claim' | 'claimBatch' | 'releaseClaim' | 'consoleLog' | 'askGuest' | 'probe' | 'fetchBlob'
>;

/** Calls to hosts other than this one. */
export interface PeerChannel {
  /**
   * Makes one call. Throws what the other host threw, `UNAVAILABLE` when it was not reached, `DEADLINE_EXCEEDED`,
   * `IDENTITY_MISMATCH` when another host answers at its address, `NOT_FOUND` for a host without a record.
   */
  call<A>(hostId: HostId, make: (calls: HostCalls) => Promise<A>): Promise<A>;
  /** As `call`, for a method that answers with a stream. */
  stream<A>(hostId: HostId, make: (calls: HostCalls) => AsyncIterable<A>): AsyncIterable<A>;
}

/** The channel over gRPC. */
export function grpcPeerChannel(clients: PeerClients): PeerChannel {
  return {
    call: async (hostId, make) => clients.to(hostId).call(make),
    stream: (hostId, make) => make(clients.to(hostId).calls),
  };
}

/**
 * An image's content from another host, in chunks; the caller checks it before it keeps it. Throws as
 * `PeerChannel.call`, and `NOT_FOUND` when the other host has not got it.
 */
export async function* fetchBlob(
  channel: PeerChannel,
  hostId: HostId,
  sha256: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  for await (const { data } of channel.stream(hostId, (calls) => calls.fetchBlob({ sha256 }, { signal }))) yield data;
}
