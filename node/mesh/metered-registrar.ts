/**
 * libp2p's list of protocols, with an eye on every stream that peers open. libp2p has `use` for that, but 3.3.11 adds a
 * protocol's handler to the middleware of that protocol again for each stream, and so calls it ever more often.
 */
import type { GossipSubComponents } from '@libp2p/gossipsub';
import type { Connection, Stream } from '@libp2p/interface';

type Registrar = GossipSubComponents['registrar'];

/** A registrar whose handlers' streams are shown to `watch`, once the handler reads them. */
export class MeteredRegistrar implements Registrar {
  readonly #inner: Registrar;
  readonly #watch: (stream: Stream, connection: Connection) => void;

  constructor(inner: Registrar, watch: (stream: Stream, connection: Connection) => void) {
    this.#inner = inner;
    this.#watch = watch;
  }

  handle(...[protocol, handler, options]: Parameters<Registrar['handle']>): Promise<void> {
    return this.#inner.handle(
      protocol,
      async (stream, connection) => {
        await handler(stream, connection);
        // Bytes go to the readers that listen when they come: the handler's reader has to be there first.
        setImmediate(() => this.#watch(stream, connection));
      },
      options,
    );
  }

  unhandle(...args: Parameters<Registrar['unhandle']>): Promise<void> {
    return this.#inner.unhandle(...args);
  }

  register(...args: Parameters<Registrar['register']>): Promise<string> {
    return this.#inner.register(...args);
  }

  unregister(id: string): void {
    this.#inner.unregister(id);
  }

  use(...args: Parameters<Registrar['use']>): void {
    this.#inner.use(...args);
  }

  unuse(protocol: string): void {
    this.#inner.unuse(protocol);
  }

  getProtocols(): string[] {
    return this.#inner.getProtocols();
  }

  getHandler(protocol: string): ReturnType<Registrar['getHandler']> {
    return this.#inner.getHandler(protocol);
  }

  getMiddleware(protocol: string): ReturnType<Registrar['getMiddleware']> {
    return this.#inner.getMiddleware(protocol);
  }

  getTopologies(protocol: string): ReturnType<Registrar['getTopologies']> {
    return this.#inner.getTopologies(protocol);
  }
}
