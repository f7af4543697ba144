/** A subscription within one process, which counts what it would take on the wire: protobuf of both sides, without TLS. */
import { ShoalError } from '../../../../node/base/errors.ts';
import type { RaftId } from '../../../../node/base/ids.ts';
import type { SliceChannel, SliceHandler, SliceReply, SliceRequest } from '../../../../node/slices/slice-channel.ts';
import { replyToWire, requestToWire } from '../../../../node/slices/slice-codec.ts';
import { shoal } from '../../../../proto/messages.ts';

/** See above. */
export class CountedChannel implements SliceChannel {
  requestBytes = 0;
  replyBytes = 0;
  /** Whether the replica can be reached. */
  isOpen = true;
  readonly #serve: SliceHandler;

  constructor(serve: SliceHandler) {
    this.#serve = serve;
  }

  async *subscribe(
    _to: RaftId,
    requests: AsyncIterable<SliceRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<SliceReply, void, undefined> {
    if (!this.isOpen) throw new ShoalError('UNAVAILABLE', 'No replica can be reached.');
    for await (const reply of this.#serve(this.#counted(requests), signal)) {
      this.replyBytes += shoal.v1.SliceReply.encode(replyToWire(reply, true)).finish().length;
      yield reply;
    }
  }

  async *#counted(requests: AsyncIterable<SliceRequest>): AsyncGenerator<SliceRequest, void, undefined> {
    for await (const request of requests) {
      this.requestBytes += shoal.v1.SliceRequest.encode(requestToWire(request)).finish().length;
      yield request;
    }
  }
}
