/** Has a replica answer a gRPC call, where this agent is none. */
import { ShoalError } from '../../../node/base/errors.ts';
import { operatorProofKey } from '../../../node/mesh/relay/operator-proof.ts';
import { isUnreached } from '../../../node/mesh/relay/relay-client.ts';
import type { GrpcAnswerPart, HeaderList } from '../../../node/rpc/answer-part.ts';
import type { GrpcCall } from '../../../node/rpc/server.ts';
import type { MethodSpec } from '../../../node/rpc/service.ts';
import { type ApiRelay, PartialAnswer } from '../../kit/api-relay.ts';
import type { Caller, Callers } from './caller.ts';
import { isRead } from './reads.ts';
import { isOfAgentItself } from './served.ts';

/** Where calls at the agent's own socket come from: this machine. */
const socketAddress = '127.0.0.1';

/** A call as it came. */
export interface RelayedContent {
  readonly metadata: HeaderList;
  requests(): AsyncIterable<Uint8Array>;
}

/**
 * Resolves with the answer of a replica, or with undefined where the call is to be answered here: from the whole state, or from
 * the slice, of which `callers` is told. Calls at the operator's door go with a proof in the place of a token, but for those about
 * this agent. Throws `NOT_IN_SLICE` for streams that no slice can answer, and what `RelayClient.grpc` throws.
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
  const isOperator = caller.kind === 'operator';
  const isOwn = isOperator && isOfAgentItself(method.path);
  if (route.kind === 'elsewhere' && !isOwn) {
    const isUnary = !method.requestStream && !method.responseStream;
    try {
      return await relay.client.grpc(
        route.replicas,
        { path: method.path, metadata: metadataOf(relay, method, content, isOperator) },
        { clientAddress: isOperator ? socketAddress : caller.address, baseUrl: '' },
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
  // A slice that is fed is read as it is: what it lacks is an error, and is in it a moment later.
  if (route.kind === 'elsewhere' && isOwn) return undefined;
  callers.answerFrom(call, new PartialAnswer(route.slice));
  return undefined;
}

/** What goes with the call: a client's own words, and a proof that only this agent adds. */
function metadataOf(
  { operators }: ApiRelay,
  { path }: MethodSpec,
  { metadata }: RelayedContent,
  isOperator: boolean,
): HeaderList {
  const others = metadata.filter(([name]) => name !== operatorProofKey);
  return isOperator ? [...others, [operatorProofKey, operators.prove(path)]] : others;
}
