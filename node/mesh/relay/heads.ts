/**
 * Heads of relayed calls as they cross the wire, checked on both sides: a member that relays may be a thief, and so may the
 * one that answers. What is about a connection or the length of a body is never passed on; the receiver makes it itself,
 * from what it counts. So no header can say two things to two agents.
 */
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { ipVersion } from '../../base/ip-version.ts';
import type { GrpcStatus, HeaderList } from '../../rpc/answer-part.ts';
import { headerBytesMax, headersMax, targetCharactersMax } from './relay-limits.ts';
import type { GrpcHead, RelayOrigin, RestAnswer, RestHead } from './relayed.ts';

/** Methods of HTTP that are relayed; others no service has. */
const relayedMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/**
 * Headers of one connection (RFC 9110 section 7.6.1), of a body's length, and those by which proxies say for whom they
 * speak: the agent that the client asked has read them, and the origin says what came of it.
 */
const hopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'content-length',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
/** A token of RFC 9110 in lower case; so no pseudo-header either. */
const namePattern = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/;
/** No CR, LF, NUL or other control but the tab. */
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const targetPattern = /^\/[\x21-\x7e\x80-\xff]*$/;
const grpcPathPattern = /^\/[A-Za-z0-9_.]{1,200}\/[A-Za-z0-9_]{1,100}$/;
const baseUrlCharactersMax = 512;
const detailsCharactersMax = 4096;

/** A relayed call as its first piece says it. */
export type RelayedHead =
  | { readonly kind: 'rest'; readonly head: RestHead; readonly origin: RelayOrigin }
  | { readonly kind: 'grpc'; readonly head: GrpcHead; readonly origin: RelayOrigin };

/** Whether a request can be relayed at all. What cannot no service would take either. */
export function isRelayable(method: string, target: string): boolean {
  return relayedMethods.has(method) && target.length <= targetCharactersMax && targetPattern.test(target);
}

/** Headers that mean the same on the next connection: without those of this one, and those that `connection` names. */
export function endToEnd(headers: HeaderList): HeaderList {
  const named = new Set(
    headers
      .filter(([name]) => name === 'connection')
      .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase())),
  );
  return headers.filter(([name]) => !hopHeaders.has(name) && !named.has(name));
}

/** Node's flat list of raw headers, in pairs. */
export function headerList(raw: readonly string[]): HeaderList {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  return pairs;
}

/** The first piece of a REST request. */
export function restRequest(head: RestHead, origin: RelayOrigin): shoal.v1.IRelayRequest {
  const { method, target, headers, body } = head;
  return {
    rest: {
      method,
      target,
      headers: fields(headers),
      hasBody: body !== 'none',
      ...(typeof body === 'number' ? { bodyBytes: body } : {}),
    },
    ...withoutZones(origin),
  };
}

/** The first piece of a gRPC call. */
export function grpcRequest({ path, metadata }: GrpcHead, origin: RelayOrigin): shoal.v1.IRelayRequest {
  return { grpc: { path, metadata: fields(metadata) }, ...withoutZones(origin) };
}

/** What a first piece asks for. Throws `INVALID_ARGUMENT`. */
export function relayedHeadOf(request: shoal.v1.IRelayRequest | null | undefined): RelayedHead {
  if (request === null || request === undefined) throw malformed('it does not begin with a request');
  const origin = originOf(request);
  const { rest, grpc } = request;
  if (rest) {
    const method = rest.method ?? '';
    const target = rest.target ?? '';
    if (!isRelayable(method, target)) throw malformed('its method or its target is none');
    const headers = headersOf(rest.headers ?? []);
    if (headers.filter(([name]) => name === 'host').length !== 1) throw malformed('it has not exactly one Host');
    return { kind: 'rest', origin, head: { method, target, headers, body: bodyOf(rest) } };
  }
  if (grpc) {
    const path = grpc.path ?? '';
    if (!grpcPathPattern.test(path)) throw malformed('its path is none');
    return { kind: 'grpc', origin, head: { path, metadata: headersOf(grpc.metadata ?? []) } };
  }
  throw malformed('it asks for nothing');
}

/** Status and headers of an answer, as a replica has sent them. Throws `INVALID_ARGUMENT`. */
export function answerHeadOf(answer: shoal.v1.IRelayAnswer): Omit<RestAnswer, 'body'> {
  const status = answer.status ?? 0;
  if (status < 200 || status > 599) throw malformed('its status is none');
  const bodyBytes = answer.bodyBytes ?? undefined;
  if (bodyBytes !== undefined && !isLength(bodyBytes)) throw malformed('the length of its body is none');
  return { status, headers: headersOf(answer.headers ?? []), bodyBytes };
}

/** How a gRPC call ended, as a replica has sent it. Throws `INVALID_ARGUMENT`. */
export function grpcStatusOf(end: shoal.v1.IRelayEnd): GrpcStatus {
  const code = end.grpcStatus ?? 0;
  if (code > 16) throw malformed('its status is none');
  return {
    code,
    details: (end.grpcMessage ?? '').slice(0, detailsCharactersMax),
    trailers: headersOf(end.trailers ?? []),
  };
}

/** Headers for the wire. */
export function fields(headers: HeaderList): shoal.v1.IRelayHeader[] {
  return headers.map(([name, value]) => ({ name, value }));
}

/** Throws `INVALID_ARGUMENT` for headers that an honest member does not send. */
function headersOf(list: readonly shoal.v1.IRelayHeader[]): HeaderList {
  if (list.length > headersMax) throw malformed(`it has more than ${headersMax} headers`);
  let bytes = 0;
  return list.map(({ name, value }): [string, string] => {
    const key = name ?? '';
    const text = value ?? '';
    bytes += key.length + text.length;
    if (bytes > headerBytesMax) throw malformed(`its headers are larger than ${headerBytesMax} bytes`);
    if (!namePattern.test(key) || hopHeaders.has(key)) throw malformed('it has a header that is not passed on');
    if (!valuePattern.test(text)) throw malformed(`its header ${key} has characters that no header has`);
    return [key, text];
  });
}

function bodyOf({ hasBody, bodyBytes }: shoal.v1.IRelayRest): RestHead['body'] {
  if (hasBody !== true) return 'none';
  if (bodyBytes === undefined || bodyBytes === null) return 'unknown';
  if (!isLength(bodyBytes)) throw malformed('the length of its body is none');
  return bodyBytes;
}

function isLength(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

/** A zone (`fe80::1%eth0`) means something on one machine only. */
function withoutZones({ clientAddress, baseUrl }: RelayOrigin): RelayOrigin {
  return {
    clientAddress: clientAddress.replace(/%.*$/, ''),
    baseUrl: baseUrl.replace(/^(https?:\/\/\[[^\]%]*)%[^\]]*/, '$1'),
  };
}

function originOf(request: shoal.v1.IRelayRequest): RelayOrigin {
  const { clientAddress, baseUrl } = request;
  const address = clientAddress ?? '';
  const base = baseUrl ?? '';
  if (ipVersion(address) === 0) throw malformed('its client has no IP address');
  if (base === '' && request.grpc) return { clientAddress: address, baseUrl: base };
  const isUrl = base.length <= baseUrlCharactersMax && /^https?:\/\/[\x21-\x7e]+$/.test(base) && URL.canParse(base);
  if (!isUrl) throw malformed('its base URL is none');
  return { clientAddress: address, baseUrl: base };
}

function malformed(why: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `The relayed call is malformed: ${why}.`);
}
