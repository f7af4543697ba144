import { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { signAdvert } from './advert-check.ts';
import type { Gossip } from './gossip.ts';

/** Least time over which changes are gathered into one advert, ms: a burst of claims is one message. */
const coalesceMsMin = 50;
/** Least silence after which a host says that it is still here, ms. */
const heartbeatMsMin = 5_000;
/** Part of a heartbeat that chance may take off or add: hosts that started together must not speak together for ever. */
const heartbeatJitter = 0.2;
/**
 * Adverts a second that all hosts together may send, by change and by heartbeat. One delivery costs about 0.2 ms of CPU,
 * so these are 20 % and 2 % of a core at worst; beyond 50 (500) hosts each speaks less often for it.
 */
const changesPerSecondMax = 1_000;
const heartbeatsPerSecondMax = 100;
/** Oldest that a signed advert may be when it is handed out again, ms, if nothing has changed. */
const reuseMsMax = 1_000;

/** What publishing takes. */
interface AdvertPublisherDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Pick<Gossip, 'publish'>;
  readonly identity: Pick<HostIdentity, 'hostId' | 'publicKey' | 'sign'>;
}

interface AdvertPublisherOptions {
  readonly topic: string;
  /** This start of the agent (../identity/epoch-file.ts). */
  readonly epoch: number;
  /** The advert as of now; epoch, sequence and time are filled in here. */
  compose(): shoal.v1.IAdvert;
  /** Hosts in the mesh, from which the pace follows. */
  hostCount(): number;
  /** Hears each advert that this host makes: its own view takes it in. */
  onAdvert(signed: shoal.v1.SignedAdvert): void;
}

/** Tells the mesh what this host has: soon after a change, and now and then in any case. */
export class AdvertPublisher implements Service {
  readonly #deps: AdvertPublisherDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: AdvertPublisherOptions;
  #sequence = 0;
  #last: { readonly signed: shoal.v1.SignedAdvert; readonly madeMs: number } | undefined;
  /** Something has changed since `#last` was made. */
  #changed = true;
  /** `#last` has been published. */
  #isTold = false;
  #pending: Timer | undefined;
  #heartbeat: Timer | undefined;
  #running = false;

  constructor(deps: AdvertPublisherDeps, options: AdvertPublisherOptions) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
  }

  /** Publishes at once, and from then on. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#publish();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#pending?.cancel();
    this.#heartbeat?.cancel();
  }

  /** Something that the advert tells has changed. Cheap; call it as often as it does. */
  changed(): void {
    this.#changed = true;
    if (!this.#running || this.#pending !== undefined) return;
    const delayMs = Math.max(coalesceMsMin, (this.#options.hostCount() / changesPerSecondMax) * 1000);
    this.#pending = this.#deps.clock.setTimeout(() => {
      this.#pending = undefined;
      // A heartbeat may have told it meanwhile.
      if (this.#changed || !this.#isTold) this.#publishSoon();
    }, delayMs);
  }

  /** This host's advert as of now, signed: for the answer to a claim. Not published; the next one will be newer. */
  fresh(): shoal.v1.SignedAdvert {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#last !== undefined && !this.#changed && nowMs - this.#last.madeMs < reuseMsMax) return this.#last.signed;
    this.#sequence++;
    const signed = signAdvert(
      this.#deps.identity,
      shoal.v1.Advert.create({
        ...this.#options.compose(),
        hostId: this.#deps.identity.hostId,
        epoch: this.#options.epoch,
        sequence: this.#sequence,
        publishedMs: Math.floor(this.#deps.clock.nowMs()),
      }),
    );
    this.#changed = false;
    this.#isTold = false;
    this.#last = { signed, madeMs: nowMs };
    this.#options.onAdvert(signed);
    return signed;
  }

  /** The least (epoch, sequence) that an advert made from now on can have: it counts whatever has been admitted by now. */
  get next(): { readonly epoch: number; readonly sequence: number } {
    return { epoch: this.#options.epoch, sequence: this.#sequence + 1 };
  }

  /** Publishes what is so now: what an answer to a claim carried already, if nothing has changed since. */
  async #publish(): Promise<void> {
    const { advert, signature, publicKey } = this.fresh();
    this.#isTold = true;
    // Whatever is told says that this host is here.
    this.#armHeartbeat();
    const bytes = shoal.v1.SignedAdvert.encode({ advert, signature, publicKey }).finish();
    await this.#deps.gossip.publish(this.#options.topic, bytes);
  }

  #publishSoon(): void {
    if (!this.#running) return;
    this.#publish().catch((error: unknown) => {
      if (this.#running) this.#repeated.warn('publish', { error }, 'an advert could not be published');
    });
  }

  #armHeartbeat(): void {
    this.#heartbeat?.cancel();
    if (!this.#running) return;
    const everyMs = Math.max(heartbeatMsMin, (this.#options.hostCount() / heartbeatsPerSecondMax) * 1000);
    const delayMs = everyMs * (1 + heartbeatJitter * (2 * this.#deps.random.float() - 1));
    this.#heartbeat = this.#deps.clock.setTimeout(() => {
      // It says "I am here now", so it is made again each time.
      this.#changed = true;
      this.#publishSoon();
    }, delayMs);
  }
}
