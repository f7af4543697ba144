/** What the HTTP layer below the routes refuses by itself. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ShoalError } from '../../../node/base/errors.ts';
import type { GatewayLimits } from '../../kit/limits.ts';
import { phrase } from '../kit/faults.ts';

function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The body is of a content type that the route does not take. */
export function unsupportedMediaType(error: unknown): boolean {
  return errorCodeOf(error) === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}

/** What the HTTP layer refused, in our codes; undefined for everything else. */
export function httpRefusal(error: unknown, limits: GatewayLimits): ShoalError | undefined {
  if (error instanceof ShoalError || !(error instanceof Error)) return undefined;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  switch (errorCodeOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ShoalError('TOO_LARGE', `The request body is larger than ${limits.jsonBodyBytesMax} bytes.`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ShoalError('INVALID_ARGUMENT', error.message);
    case 'FST_ERR_BAD_URL':
      return new ShoalError('INVALID_ARGUMENT', 'The path is not valid percent-encoding.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ShoalError('NOT_FOUND', 'The resource could not be found.');
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new ShoalError('CANCELLED', 'The caller has gone away.', { cause: error });
    default:
      break;
  }
  if (status >= 400 && status < 500) return new ShoalError('INVALID_ARGUMENT', error.message, { cause: error });
  return undefined;
}

/** Answers what is not HTTP at all, or too large in its headers, in the plainest form. */
export function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  socket.end(
    `HTTP/1.1 ${status} ${phrase(status)}\r\ncontent-type: text/plain\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
  );
}

/** Refuses to make a WebSocket of a connection, in plain HTTP, and ends it. One that is a WebSocket already is left to its owner. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  if (!socket.writable) return;
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${phrase(status)}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
