/**
 * Typed gRPC services without a schema at run time: the generated service classes carry each method's path, message
 * names and streaming, both as values and as types, and everything here follows from that.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { grpc, shoal } from '../../proto/messages.ts';
import { AssertionError, assert } from '../base/assert.ts';

/**
 * Where messages are looked up by their names. Reflection's two versions have the same messages under the same names, so
 * one of them does for both.
 */
const packages = [shoal.v1, grpc.health.v1, grpc.reflection.v1] as const;

type Messages = typeof shoal.v1 & typeof grpc.health.v1 & typeof grpc.reflection.v1;

/** A generated method, as far as it is looked at. */
interface Method {
  readonly path: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly requestStream: true | undefined;
  readonly responseStream: true | undefined;
}

/** What decoding a message of that name gives: every field is there. */
type Decoded<Name> = Name extends keyof Messages
  ? Messages[Name] extends { decode(bytes: Uint8Array): infer T }
    ? T
    : never
  : never;

/** What encoding a message of that name takes: fields may be left out. */
type Written<Name> = Name extends keyof Messages
  ? Messages[Name] extends { encode(message: infer T): unknown }
    ? T
    : never
  : never;

/** Names of a service's methods, in lower camel case. */
export type MethodNames<S> = { [K in keyof S]-?: S[K] extends Method ? K : never }[keyof S] & string;

/** A request as the server sees it. */
export type Request<M> = M extends Method ? Decoded<M['requestType']> : never;
/** A request as the client writes it. */
export type RequestFields<M> = M extends Method ? Written<M['requestType']> : never;
/** A response as the client sees it. */
export type Response<M> = M extends Method ? Decoded<M['responseType']> : never;
/** A response as the server writes it. */
export type ResponseFields<M> = M extends Method ? Written<M['responseType']> : never;

/** Chooses by the method's streaming: one to one, one to many, many to one, many to many. */
export type ByStreaming<M, Unary, ServerStream, ClientStream, Bidi> = M extends Method
  ? M['requestStream'] extends true
    ? M['responseStream'] extends true
      ? Bidi
      : ClientStream
    : M['responseStream'] extends true
      ? ServerStream
      : Unary
  : never;

/** One method at run time. */
export interface MethodSpec extends MethodDefinition<object, object> {
  /** As in `Handlers` and clients: lower camel case. */
  readonly name: string;
  /** Name of the request's message, without its package. */
  readonly requestName: string;
  /** And of the response's. */
  readonly responseName: string;
}

/** A generated service class. */
export interface ServiceClass<S> {
  readonly prototype: S;
}

/** All methods of a generated service. */
export function methodsOf<S extends object>(service: ServiceClass<S>): readonly MethodSpec[] {
  const specs: MethodSpec[] = [];
  for (const name of Object.getOwnPropertyNames(service.prototype)) {
    const method: unknown = Reflect.get(service.prototype, name);
    if (!isMethod(method)) continue;
    const request = codecOf(method.requestType);
    const response = codecOf(method.responseType);
    specs.push({
      name,
      originalName: name,
      requestName: method.requestType,
      responseName: method.responseType,
      path: method.path,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      requestSerialize: (message) => bytesOf(request, message),
      requestDeserialize: (bytes) => request.decode(bytes),
      responseSerialize: (message) => bytesOf(response, message),
      responseDeserialize: (bytes) => response.decode(bytes),
    });
  }
  assert(specs.length > 0, 'a generated service has methods');
  return specs;
}

interface Codec {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function' && 'path' in value && 'requestType' in value && 'responseType' in value;
}

function codecOf(messageName: string): Codec {
  for (const messages of packages) {
    const candidate: unknown = Reflect.get(messages, messageName);
    if (isCodec(candidate)) return candidate;
  }
  throw new AssertionError(`message ${messageName} has not been generated`);
}

function isCodec(value: unknown): value is Codec {
  return typeof value === 'function' && 'encode' in value && 'decode' in value;
}

/** A view of the encoder's bytes, without copying them. */
function bytesOf(codec: Codec, message: object): Buffer {
  const bytes = codec.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
