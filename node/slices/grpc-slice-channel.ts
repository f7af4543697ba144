/** Subscriptions over peer RPC: `PeerService.FollowSlice`, one stream each, over mutual TLS. */

import { ShoalError } from '../base/errors.ts';
import type { HostId, RaftId } from '../base/ids.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import type { PeerHandlers } from '../mesh/peers/peer-server.ts';
import type { SliceChannel, SliceHandler, SliceReply } from './slice-channel.ts';
import { acceptsPacked, replyFromWire, replyToWire, requestFromWire, requestToWire } from './slice-codec.ts';

/** Time to connect to a replica. Unit: ms. */
const connectMsMax = 1_000;

/** One that is used, one whose connection is dead and has yet to be noticed, one that asks who the members are; and room. */
const streamsPerHostMax = 8;

/** Asks the host of a member. */
export function grpcSliceChannel(peers: PeerClients, hostIdOf: (raftId: RaftId) => HostId | undefined): SliceChannel {
  return {
    async *subscribe(to, requests, signal): AsyncGenerator<SliceReply, void, undefined> {
      const hostId = hostIdOf(to);
      if (hostId === undefined) throw new ShoalError('UNAVAILABLE', `Where member ${to} is cannot be told.`);
      const peer = peers.to(hostId);
      await peer.connect(connectMsMax);
      const replies = peer.calls.followSlice(mapped(requests, requestToWire), { signal });
      for await (const wire of replies) {
        const reply = replyFromWire(wire);
        if (reply !== undefined) yield reply;
      }
    },
  };
}

/** Answers subscriptions with `serve`. More than `streamsPerHostMax` of one host at a time are refused: `RATE_LIMITED`. */
export function followSliceHandler(serve: SliceHandler): PeerHandlers['followSlice'] {
  const streams = new Map<HostId, number>();
  return async function* followSlice(requests, { caller, signal }) {
    const open = streams.get(caller) ?? 0;
    if (open >= streamsPerHostMax) {
      const text = `This host follows ${open} slices here already; close one, or ask another replica.`;
      throw new ShoalError('RATE_LIMITED', text, { facts: { open, streamsPerHostMax } });
    }
    streams.set(caller, open + 1);
    try {
      let packs = false;
      const heard = mapped(requests, (request) => {
        packs ||= acceptsPacked(request);
        return requestFromWire(request);
      });
      for await (const reply of serve(heard, signal)) yield replyToWire(reply, packs);
    } finally {
      const left = (streams.get(caller) ?? 1) - 1;
      if (left > 0) streams.set(caller, left);
      else streams.delete(caller);
    }
  };
}

async function* mapped<A, B>(items: AsyncIterable<A>, map: (item: A) => B): AsyncGenerator<B, void, undefined> {
  for await (const item of items) yield map(item);
}
