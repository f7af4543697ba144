/**
 * The native API for those who speak no gRPC, browsers above all: each method that answers once is `POST /shoal/v1/SERVICE/METHOD`
 * with its request as JSON. It is one bridge for all of them: the request becomes the message, gRPC's own way admits, authorises,
 * checks and runs it, and its answer or its failure becomes JSON.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ShoalError } from '../../node/base/errors.ts';
import type { GrpcAnswerPart, GrpcStatus, HeaderList } from '../../node/rpc/answer-part.ts';
import { fromServiceError } from '../../node/rpc/status.ts';
import { metadataFrom } from '../../node/rpc/trailers.ts';
import type { StateClient } from '../../node/state/types.ts';
import { tokenKey } from '../grpc/kit/caller.ts';
import type { GrpcGateway } from '../grpc/server.ts';
import { nativeFaults } from '../rest/kit/faults.ts';
import type { Gateway, RestModule } from '../rest/kit/module.ts';
import { addEventRoute } from './changes/event-route.ts';
import { messageFrom } from './json-in.ts';
import { jsonOf } from './json-out.ts';
import { type NativeMethod, nativeMethods, nativeRoutePolicies } from './methods.ts';
import { loadNativeSchema, type NativeSchema } from './schema.ts';

/** Where the native API is over HTTP. */
const nativePrefix = '/shoal/v1';

/** Trailers that REST has as headers. */
const markTrailers: ReadonlySet<string> = new Set(['x-shoal-stale', 'x-shoal-partial']);

/**
 * `POST /shoal/v1/SERVICE/METHOD`, and `GET /shoal/v1/events`.
 * @param grpc runs the calls.
 * @param state whose changes are told.
 */
export function nativeModule(grpc: Pick<GrpcGateway, 'bridged'>, state: StateClient): RestModule {
  let schema: NativeSchema | undefined;
  return {
    name: 'native',
    prefixes: [nativePrefix],
    faults: nativeFaults,
    policies: nativeRoutePolicies,
    requestIdHeaders: ['x-openstack-request-id'],
    register(app, gateway) {
      addEventRoute(app, gateway, state);
      for (const method of nativeMethods()) {
        app.post(method.path, method.isPublic ? { config: { public: true } } : {}, async (request, reply) => {
          // Of 600 KiB: not before somebody asks.
          schema ??= loadNativeSchema();
          return answer({ grpc, gateway, schema }, method, request, reply);
        });
      }
    },
  };
}

interface Bridge {
  readonly grpc: Pick<GrpcGateway, 'bridged'>;
  readonly gateway: Gateway;
  readonly schema: NativeSchema;
}

async function answer(
  { grpc, gateway, schema }: Bridge,
  { spec, isStream, name }: NativeMethod,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<object> {
  if (isStream) {
    throw new ShoalError(
      'NOT_IMPLEMENTED',
      `${name} is a stream: ask for it by gRPC. Changes are told at /shoal/v1/events, and images go by /image/v2.`,
    );
  }
  const message = messageFrom(schema, spec.requestName, request.body ?? {});
  const token = request.headers[tokenKey];
  const parts = grpc.bridged(
    {
      path: spec.path,
      metadata: typeof token === 'string' ? [[tokenKey, token]] : [],
      remoteAddress: `${gateway.clientAddress(request)}:0`,
      requests: once(spec.requestSerialize(message)),
      signal: gateway.signal(request),
    },
    gateway.partial(request),
  );
  const { bytes, status } = await all(parts);
  for (const [header, value] of status.trailers) if (markTrailers.has(header)) reply.header(header, value);
  if (status.code !== 0) throw failure(status);
  return jsonOf(schema, spec.responseName, spec.responseDeserialize(Buffer.from(bytes)));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function all(parts: AsyncIterable<GrpcAnswerPart>): Promise<{ bytes: Uint8Array; status: GrpcStatus }> {
  let bytes: Uint8Array = new Uint8Array();
  for await (const part of parts) {
    if (part.kind === 'end') return { bytes, status: part.status };
    bytes = part.bytes;
  }
  throw new ShoalError('OUTCOME_UNKNOWN', 'The call broke off.');
}

/** The same failure as gRPC's callers are told, by its code. */
function failure({ code, details, trailers }: GrpcStatus): ShoalError {
  const metadata = metadataFrom(texts(trailers));
  return fromServiceError(Object.assign(new Error(details), { code, details, metadata }));
}

function texts(trailers: HeaderList): HeaderList {
  return trailers.filter(([name]) => !name.endsWith('-bin'));
}
