/**
 * The bench's own door into a member: etcd's put and range on top of the `StateClient`, as a gateway would sit on it. So
 * one load generator drives both systems with the same bytes.
 */
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { ShoalError } from '../../base/errors.ts';
import type { StateClient } from '../../state/types.ts';
import {
  decodePut,
  decodeRange,
  encodeRangeResponse,
  kvPaths,
  noMessage,
  type PutRequest,
  type RangeRequest,
} from './kv-messages.ts';

/** Lives as long as its process. */
export class KvServer {
  readonly #server = new Server({ 'grpc.max_concurrent_streams': 1024, 'grpc.enable_channelz': 0 });

  constructor(state: StateClient) {
    this.#server.addService(
      {
        put: {
          path: kvPaths.put,
          requestStream: false,
          responseStream: false,
          requestDeserialize: decodePut,
          requestSerialize: () => noMessage,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
        range: {
          path: kvPaths.range,
          requestStream: false,
          responseStream: false,
          requestDeserialize: decodeRange,
          requestSerialize: () => noMessage,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        put: (call: { readonly request: PutRequest }, answer: Answer) => {
          putInto(state, call.request).then(() => answer(null, noMessage), refuseWith(answer));
        },
        range: (call: { readonly request: RangeRequest }, answer: Answer) => {
          const { key, serializable } = call.request;
          readFrom(state, key, serializable).then(
            (value) => answer(null, encodeRangeResponse(key, value)),
            refuseWith(answer),
          );
        },
      },
    );
  }

  /** Binds `host:port`. */
  listen(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
}

/** One put. */
export async function putInto(state: StateClient, { key, value }: PutRequest): Promise<void> {
  await state.commit({ compares: [], thenOps: [{ kind: 'put', key, value }], elseOps: [] });
}

/** One read. */
export async function readFrom(
  state: StateClient,
  key: string,
  serializable: boolean,
): Promise<Uint8Array | undefined> {
  const reader = serializable ? state.local : await state.fresh();
  return reader.get(key)?.value;
}

type Answer = (error: { readonly code: status; readonly details: string } | null, bytes?: Buffer) => void;

function refuseWith(answer: Answer): (caught: unknown) => void {
  return (caught) => {
    const error = ShoalError.from(caught, 'UNAVAILABLE');
    answer({ code: status.UNAVAILABLE, details: `${error.code}: ${error.message}` });
  };
}
