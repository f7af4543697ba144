import { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { steadied, urgencyOf } from '../rules/advert-changes.ts';
import { sameProfile, usageOf, withUsage } from '../rules/advert-usage.ts';
import { signAdvert, signAdvertUpdate } from './advert-check.ts';
import type { Gossip } from './gossip.ts';

/** How often it is looked what has changed, ms: a burst of claims is looked at once. */
const lookMs = 25;
/** Time over which ordinary changes are gathered into one advert, ms. */
const coalesceMs = 250;
/** Least time between two adverts of ordinary changes, ms: at most one a second goes to everybody. */
const betweenMs = 1_000;
/** Least time between two adverts in any case, ms: a host that flickers must not flood the mesh. */
const betweenImportantMs = 250;
/** The wall clock has been set when it moves against the monotonic one by more than this between two looks, ms. */
const clockStepMs = 5_000;

/** What publishing takes. */
interface AdvertPublisherDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gossip: Pick<Gossip, 'publish'>;
  readonly identity: Pick<HostIdentity, 'hostId' | 'publicKey' | 'sign'>;
}

interface AdvertPublisherOptions {
  readonly topic: string;
  /** This start of the agent (../identity/epoch-file.ts). */
  readonly epoch: number;
  /** The advert as of now; epoch, sequence and time are filled in here. */
  compose(): shoal.v1.IAdvert;
  /** Hears each advert that this host makes: its own view takes it in. */
  onAdvert(signed: shoal.v1.SignedAdvert): void;
  /** Usage that changes is told by itself, while all who listen understand that. Absent: always whole adverts. */
  readonly updates?: {
    readonly topic: string;
    readonly meshId: string;
    areUnderstood(): boolean;
  };
}

/** An advert that was made. */
interface Made {
  readonly signed: shoal.v1.SignedAdvert;
  readonly content: shoal.v1.IAdvert;
  readonly sequence: number;
  readonly publishedMs: number;
}

/**
 * Tells the mesh what this host has: at its start, and then after a change that matters (../rules/advert-changes.ts), never
 * because time has passed. Who missed an advert finds out when it compares its view with a peer's (view-exchange.ts), and
 * whether a host is there is the failure detector's to say.
 */
export class AdvertPublisher implements Service {
  readonly #deps: AdvertPublisherDeps;
  readonly #repeated: RepeatedLog;
  readonly #options: AdvertPublisherOptions;
  #sequence = 0;
  /** The advert that was made last. */
  #last: Made | undefined;
  /** Sequence of the first advert with this profile (../rules/advert-usage.ts), and the one that all have been told whole. */
  #profile = 0;
  #toldProfile = 0;
  /** What all have been told, and when; monotonic ms. */
  #told: { readonly content: shoal.v1.IAdvert; readonly atMs: number } | undefined;
  /** When the oldest ordinary change that is not told yet was seen; monotonic ms. */
  #waitingSinceMs: number | undefined;
  #wallOffsetMs: number;
  #look: Timer | undefined;
  #running = false;

  constructor(deps: AdvertPublisherDeps, options: AdvertPublisherOptions) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
    this.#wallOffsetMs = this.#wallOffset();
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
    this.#look?.cancel();
    this.#look = undefined;
  }

  /** Something that the advert tells may have changed. Cheap; call it as often as it does. */
  changed(): void {
    if (this.#running && this.#look === undefined) this.#lookAfter(lookMs);
  }

  /**
   * Tells everything once more, as a new advert: this host was linked with nobody, and what it told meanwhile is lost.
   */
  again(): void {
    if (!this.#running) return;
    if (this.#last !== undefined) this.#make(steadied(this.#last.content, this.#options.compose()));
    this.#toldProfile = 0;
    this.#publishSoon();
  }

  /** This host's advert as of now, signed: for the answer to a claim. Not published; the next one will be newer. */
  fresh(): shoal.v1.SignedAdvert {
    const content = steadied(this.#last?.content, this.#options.compose());
    if (this.#last !== undefined && urgencyOf(this.#last.content, content) === 'none') return this.#last.signed;
    return this.#make(content).signed;
  }

  /** The least (epoch, sequence) that an advert made from now on can have: it counts whatever has been admitted by now. */
  get next(): { readonly epoch: number; readonly sequence: number } {
    return { epoch: this.#options.epoch, sequence: this.#sequence + 1 };
  }

  #make(composed: shoal.v1.IAdvert): Made {
    this.#sequence++;
    // Rounded as an update rounds, so that one sequence says one thing whatever way it is told.
    const content = withUsage(composed, usageOf(composed));
    if (this.#last === undefined || !sameProfile(this.#last.content, content)) this.#profile = this.#sequence;
    const publishedMs = Math.floor(this.#deps.clock.nowMs());
    const signed = signAdvert(
      this.#deps.identity,
      shoal.v1.Advert.create({
        ...content,
        hostId: this.#deps.identity.hostId,
        epoch: this.#options.epoch,
        sequence: this.#sequence,
        profile: this.#profile,
        publishedMs,
      }),
    );
    const made = { signed, content, sequence: this.#sequence, publishedMs };
    this.#last = made;
    this.#options.onAdvert(signed);
    return made;
  }

  #lookAfter(delayMs: number): void {
    this.#look = this.#deps.clock.setTimeout(() => {
      this.#look = undefined;
      this.#lookNow();
    }, delayMs);
  }

  /** Publishes, comes back when it is time, or finds that nothing is to be told. */
  #lookNow(): void {
    if (!this.#running) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const told = this.#told;
    const urgency = this.#clockWasSet()
      ? 'important'
      : urgencyOf(told?.content, steadied(told?.content, this.#options.compose()));
    if (urgency === 'none') {
      this.#waitingSinceMs = undefined;
      return;
    }
    this.#waitingSinceMs ??= nowMs;
    const toldMs = told?.atMs ?? Number.NEGATIVE_INFINITY;
    const dueMs =
      urgency === 'important'
        ? toldMs + betweenImportantMs
        : Math.max(toldMs + betweenMs, this.#waitingSinceMs + coalesceMs - lookMs);
    // Until then an ordinary change may become an important one.
    if (dueMs > nowMs) this.#lookAfter(Math.min(dueMs - nowMs, coalesceMs));
    else this.#publishSoon();
  }

  /** Publishes what is so now: what an answer to a claim carried already, if nothing has changed since. */
  async #publish(): Promise<void> {
    this.#waitingSinceMs = undefined;
    const wasSet = this.#clockWasSet();
    this.#wallOffsetMs = this.#wallOffset();
    if (wasSet && this.#last !== undefined) this.#make(this.#last.content);
    else this.fresh();
    const made = this.#last;
    if (made === undefined) return;
    this.#told = { content: made.content, atMs: this.#deps.clock.monotonicMs() };
    const { updates } = this.#options;
    if (updates !== undefined && this.#toldProfile === this.#profile && updates.areUnderstood()) {
      await this.#deps.gossip.publish(updates.topic, this.#updateOf(made, updates.meshId));
      return;
    }
    this.#toldProfile = this.#profile;
    const { advert, signature, publicKey } = made.signed;
    const bytes = shoal.v1.SignedAdvert.encode({ advert, signature, publicKey }).finish();
    await this.#deps.gossip.publish(this.#options.topic, bytes);
  }

  #updateOf({ content, sequence, publishedMs }: Made, meshId: string): Uint8Array {
    const { identity } = this.#deps;
    const signed = signAdvertUpdate(
      identity,
      {
        ...usageOf(content),
        hostId: Buffer.from(identity.hostId, 'hex'),
        epoch: this.#options.epoch,
        sequence,
        profile: this.#profile,
        publishedMs,
      },
      meshId,
    );
    return shoal.v1.SignedAdvertUpdate.encode(signed).finish();
  }

  #publishSoon(): void {
    this.#publish().catch((error: unknown) => {
      // At the next change it is tried again, as a whole.
      this.#told = undefined;
      this.#toldProfile = 0;
      if (this.#running) this.#repeated.warn('publish', { error }, 'an advert could not be published');
    });
  }

  /** Adverts show how far the clocks are apart (../clock-offsets.ts): one that was set is news. */
  #clockWasSet(): boolean {
    return Math.abs(this.#wallOffset() - this.#wallOffsetMs) > clockStepMs;
  }

  #wallOffset(): number {
    return this.#deps.clock.nowMs() - this.#deps.clock.monotonicMs();
  }
}
