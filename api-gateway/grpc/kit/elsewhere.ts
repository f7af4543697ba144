/** Has a replica answer a gRPC call, where this agent is none. */
import { ShoalError } from '../../../node/base/errors.ts';
import { isUnreached } from '../../../node/mesh/relay/relay-client.ts';
import type { GrpcAnswerPart, HeaderList } from '../../../node/rpc/answer-part.ts';
import type { GrpcCall } from '../../../node/rpc/server.ts';
import type { MethodSpec } from '../../../node/rpc/service.ts';
import { type ApiRelay, PartialAnswer } from '../../kit/api-relay.ts';
import type { Caller, Callers } from './caller.ts';
import { isRead } from './reads.ts';

/** A call as it came. */
export interface RelayedContent {
  readonly metadata: HeaderList;
  requests(): AsyncIterable<Uint8Array>;
}

/**
 * Resolves with the answer of a replica, or with undefined where the call is to be answered here: from the whole state, or from
 * the slice, of which `callers` is told. Calls at the operator's door are never relayed: they have no token, and a replica goes by
 * nothing else. Throws `NOT_IN_SLICE` for streams that no slice can answer, and what `RelayClient.grpc` throws.
 */
export async function answerElsewhere(
  relay: ApiRelay,
  callers: Callers,
  call: GrpcCall<Caller>,
  method: MethodSpec,
  content: RelayedContent,
): Promise<AsyncIterable<GrpcAnswerPart> | undefined> {
  const route = relay.route();
  if (route.kind === 'here') return undefined;
  const { caller, signal } = call;
  if (route.kind === 'elsewhere' && caller.kind !== 'operator') {
    const isUnary = !method.requestStream && !method.responseStream;
    try {
      return await relay.client.grpc(
        route.replicas,
        { path: method.path, metadata: content.metadata },
        { clientAddress: caller.address, baseUrl: '' },
        () => content.requests(),
        { isUnary, mayRepeat: isUnary && isRead(method.name), signal },
      );
    } catch (caught) {
      signal.throwIfAborted();
      if (!isUnreached(caught)) throw caught;
    }
  }
  if (method.responseStream) {
    throw new ShoalError('NOT_IN_SLICE', 'A stream of changes or of content needs all of the records.');
  }
  // At the operator's door a slice that is fed is read as it is: what it lacks is an error, and is in it a moment later.
  if (route.kind === 'elsewhere' && caller.kind === 'operator') return undefined;
  callers.answerFrom(call, new PartialAnswer(route.slice));
  return undefined;
}
