/** Every gRPC method of `shoal.v1`, those between agents too, and a client that calls any of them with an empty message. */
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { methodsOf, type ServiceClass } from '../../../node/rpc/service.ts';
import { shoal } from '../../../proto/messages.ts';

/** Paths as on the wire: `/shoal.v1.ComputeService/GetServer`. */
export function nativeMethods(): readonly string[] {
  return Object.entries(shoal.v1)
    .filter(([name]) => name.endsWith('Service'))
    .flatMap(([, value]: [string, unknown]) => (isServiceClass(value) ? methodsOf(value) : []))
    .map(({ path }) => path);
}

function isServiceClass(value: unknown): value is ServiceClass<object> {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

const deadlineMs = 10_000;
/** A watch that is let in says nothing for a while. */
const watchMs = 150;

/** Calls methods by their paths. */
export class GrpcKnocker {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  /** The name of the status that the call ends with. A stream that has been let in is ended from here: `CANCELLED`. */
  async knock(path: string, token: string | null): Promise<string> {
    return (await this.ask(path, token, new Uint8Array())).code;
  }

  /** As `knock`, with a message, and with what the refusal says. */
  ask(
    path: string,
    token: string | null,
    message: Uint8Array,
  ): Promise<{ readonly code: string; readonly details: string }> {
    const metadata = new Metadata();
    if (token !== null) metadata.set('x-auth-token', token);
    const bytes = Buffer.from(message);
    return new Promise((resolve) => {
      const call = this.#client.makeServerStreamRequest(
        path,
        () => bytes,
        (answer: Buffer) => answer,
        null,
        metadata,
        { deadline: Date.now() + deadlineMs },
      );
      const timer = path.includes('/Watch') ? setTimeout(() => call.cancel(), watchMs) : undefined;
      call.on('data', () => {});
      call.on('error', () => {});
      call.on('status', ({ code, details }) => {
        clearTimeout(timer);
        resolve({ code: status[code], details });
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
