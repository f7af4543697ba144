/** The part of `ws` (which brings no types of its own) that consoles and their tests use. */
declare module 'ws' {
  import { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex, DuplexOptions } from 'node:stream';

  interface Events {
    open: [];
    close: [code: number, reason: Buffer];
    error: [error: Error];
    pong: [data: Buffer];
    message: [data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean];
    'unexpected-response': [request: unknown, response: IncomingMessage];
  }

  export class WebSocket extends EventEmitter<Events> {
    constructor(
      address: string,
      protocols?: readonly string[],
      options?: { readonly headers?: Readonly<Record<string, string>>; readonly ca?: string },
    );
    /** The subprotocol chosen; empty: none. */
    readonly protocol: string;
    send(data: string | Uint8Array): void;
    ping(): void;
    /** Says goodbye first. */
    close(code?: number, reason?: string): void;
    /** Cuts the connection. */
    terminate(): void;
  }

  export class WebSocketServer {
    constructor(options: {
      readonly noServer: true;
      readonly clientTracking: boolean;
      /** Largest message, bytes. */
      readonly maxPayload: number;
      readonly perMessageDeflate: boolean;
      readonly handleProtocols: (offered: ReadonlySet<string>) => string | false;
    });
    /** Answers the handshake; what is wrong with it is answered with 4xx, and `opened` is not called. */
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (socket: WebSocket) => void): void;
  }

  /** Both directions of an open connection, with back-pressure. */
  export function createWebSocketStream(socket: WebSocket, options?: DuplexOptions): Duplex;
}
