/** Interim. */
import { adverseIn, HostColumns } from '../placement/index.ts';
import { shoal } from '../proto/messages.ts';
import { placementAdvert } from './advert-mapping.ts';
import type { Clock, Timer } from './base/clock.ts';
import type { HostId } from './base/ids.ts';
import type { Service } from './base/lifecycle.ts';
import type { Logger } from './base/logger.ts';
import type { Prng } from './base/prng.ts';
import type { Config } from './config/options.ts';
import { gossipAddressOf } from './found-mesh.ts';
import type { HostDirectory } from './host-directory.ts';
import type { KnownHost } from './membership.ts';
import { type Gossip, gossipTopic } from './mesh/gossip.ts';
import type { HostIdentity } from './mesh/identity.ts';
import { Libp2pGossip } from './mesh/libp2p-gossip.ts';
import type { PeerClients } from './mesh/peer-client.ts';
import type { PeerHandlers } from './mesh/peer-server.ts';
import { hostIdOf, verifySignature } from './mesh/signature.ts';
import type { HostViews } from './services/dependencies.ts';
import type { StateClient } from './state/types.ts';

const purpose = 'advert/v1';

export class MeshView implements Service, HostViews {
  readonly columns = new HostColumns({ seed: 1 });
  readonly handlers: Pick<PeerHandlers, 'pullView' | 'probe' | 'watchState'>;
  readonly #deps: { clock: Clock; logger: Logger; identity: HostIdentity; peers: PeerClients; state: StateClient };
  readonly #gossip: Gossip;
  readonly #topic: string;
  readonly #known = new Map<string, { advert: shoal.v1.Advert; signed: shoal.v1.SignedAdvert; atMs: number }>();
  readonly #epoch: number;
  #sequence = 0;
  #own: (() => shoal.v1.Advert) | undefined;
  #timer: Timer | undefined;
  #soon: Timer | undefined;

  constructor(
    deps: {
      clock: Clock;
      logger: Logger;
      random: Prng;
      identity: HostIdentity;
      peers: PeerClients;
      directory: HostDirectory;
      state: StateClient;
    },
    options: { config: Config; meshId: string },
  ) {
    this.#deps = deps;
    this.#epoch = deps.clock.nowMs();
    this.#topic = gossipTopic('adverts', { meshId: options.meshId, cell: 'cell0' });
    const listen = options.config.gossip.listen;
    this.#gossip = new Libp2pGossip(deps, {
      listen: `/ip4/${listen.slice(0, listen.lastIndexOf(':'))}/tcp/${listen.slice(listen.lastIndexOf(':') + 1)}`,
      topics: [this.#topic],
      admits: (id) => deps.directory.find(id) !== undefined,
    });
    void gossipAddressOf;
    this.handlers = {
      pullView: async () => ({ adverts: [...this.#known.values()].map((entry) => entry.signed) }),
      probe: async () => ({ reached: true }),
      async *watchState() {},
    };
  }

  setOwnAdvert(own: () => shoal.v1.Advert): void {
    this.#own = own;
  }

  async start(): Promise<void> {
    this.#gossip.subscribe(this.#topic, {
      validate: (data) => (this.#read(shoal.v1.SignedAdvert.decode(data)) === undefined ? 'ignore' : 'accept'),
      handle: (data) => void this.accept(shoal.v1.SignedAdvert.decode(data)),
    });
    await this.#gossip.start();
    this.#timer = this.#deps.clock.setInterval(() => this.publishSoon(), 2000);
    this.publishSoon();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#soon?.cancel();
    await this.#gossip.stop();
  }

  setPeers(hosts: readonly KnownHost[]): void {
    this.#gossip.setPeers(
      hosts
        .filter((host) => host.hostId !== this.#deps.identity.hostId)
        .map((host) => ({
          hostId: host.hostId as HostId,
          publicKey: Buffer.from(host.publicKey, 'base64'),
          address: host.gossipAddress,
        })),
    );
  }

  publishSoon(): void {
    this.#soon ??= this.#deps.clock.setTimeout(() => {
      this.#soon = undefined;
      if (this.#own === undefined) return;
      const signed = this.signedOwnAdvert();
      this.accept(signed);
      this.#gossip.publish(this.#topic, shoal.v1.SignedAdvert.encode(signed).finish()).catch((err: unknown) => {
        this.#deps.logger.info({ err }, 'an advert was not published');
      });
    }, 50);
  }

  signedOwnAdvert(): shoal.v1.SignedAdvert {
    const advert = this.#own?.() ?? new shoal.v1.Advert();
    advert.epoch = this.#epoch;
    advert.sequence = ++this.#sequence;
    advert.publishedMs = this.#deps.clock.nowMs();
    const bytes = shoal.v1.Advert.encode(advert).finish();
    return new shoal.v1.SignedAdvert({
      advert: bytes,
      signature: this.#deps.identity.sign(purpose, bytes),
      publicKey: this.#deps.identity.publicKey,
    });
  }

  accept(signed: shoal.v1.SignedAdvert): boolean {
    const advert = this.#read(signed);
    if (advert === undefined) return false;
    const mapped = placementAdvert(advert);
    if (adverseIn(mapped) !== undefined || this.columns.upsert(mapped) !== 'applied') return false;
    this.#known.set(advert.hostId, { advert, signed, atMs: this.#deps.clock.monotonicMs() });
    return true;
  }

  adverts(): readonly shoal.v1.Advert[] {
    return [...this.#known.values()].map((entry) => entry.advert);
  }

  condition(hostId: string): 'alive' | 'suspect' | 'dead' | 'unknown' {
    if (hostId === this.#deps.identity.hostId) return 'alive';
    const entry = this.#known.get(hostId);
    if (entry === undefined) return 'unknown';
    const age = this.#deps.clock.monotonicMs() - entry.atMs;
    return age < 6000 ? 'alive' : age < 12_000 ? 'suspect' : 'dead';
  }

  #read(signed: shoal.v1.SignedAdvert): shoal.v1.Advert | undefined {
    if (!verifySignature(signed.publicKey, purpose, signed.advert, signed.signature)) return undefined;
    const advert = shoal.v1.Advert.decode(signed.advert);
    return advert.hostId === hostIdOf(signed.publicKey) ? advert : undefined;
  }
}
