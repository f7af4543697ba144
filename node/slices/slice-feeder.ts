/**
 * A replica's side of the subscriptions to its state. Nothing is kept for a subscriber but the keys that it has yet to hear of
 * (state/slices/slice-feed.ts): a piece is made when the carrier takes one.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Service } from '../base/lifecycle.ts';
import { SliceFeed, type Subscriber } from '../state/slices/slice-feed.ts';
import { termsMax } from '../state/slices/slice-terms.ts';
import type { ClusterStatus, StateClient } from '../state/types.ts';
import type { SliceReply, SliceRequest } from './slice-channel.ts';

/** Longest silence towards a subscriber: then it is told the revision, so that it knows how current it is. Unit: ms. */
const progressMs = 5_000;
/** How often is looked for silence and for another status. Unit: ms. */
const lookMs = 250;
/** New subscriptions a second, and at once; those that come back all together are spread by their own jitter, too. */
const subscriptionsPerSecond = 200;
const subscriptionsAtOnce = 400;

interface FeederDeps {
  readonly clock: Clock;
  readonly state: StateClient;
  /** What has changed after this revision is known to watchers (`WatchHub.knownSince`). */
  readonly knownSince: () => number;
  /** Whether the state here is a whole replica's, as of now. */
  readonly isReplica: () => boolean;
}

/** One stream. */
interface Stream {
  readonly subscriber: Subscriber;
  status: string;
  sentMs: number;
  /** It waits for this revision; 0: for none. */
  reach: number;
  hasAskedDigests: boolean;
  wake: () => void;
}

/** Serves subscriptions while the state here is a replica's. */
export class SliceFeeder implements Service {
  readonly #deps: FeederDeps;
  readonly #feed: SliceFeed;
  readonly #streams = new Map<Subscriber, Stream>();
  /** Those that wait for a revision. */
  readonly #reaching = new Set<Stream>();
  /** Streams that changes have woken since the start: as many as had to hear of them. */
  #woken = 0;
  #watch: { close(): void } | undefined;
  #timer: Timer | undefined;
  #tokens = subscriptionsAtOnce;
  #tokensMs: number;

  constructor(deps: FeederDeps) {
    this.#deps = deps;
    this.#feed = new SliceFeed(deps.state.local);
    this.#tokensMs = deps.clock.monotonicMs();
  }

  get subscriberCount(): number {
    return this.#feed.subscriberCount;
  }

  /** Subscribers told of a change, added up over all changes. */
  get wakeUps(): number {
    return this.#woken;
  }

  /** Revisions that the slowest subscriber is behind; one that has all there is in its slice is not. */
  get lagRevisionsMax(): number {
    const { revision } = this.#deps.state.local;
    const lags = [...this.#streams.keys()].map(({ isLost, pending, told }) =>
      isLost || pending.size > 0 ? revision - told : 0,
    );
    return Math.max(0, ...lags);
  }

  async start(): Promise<void> {
    const { state, clock } = this.#deps;
    // Of a snapshot, too, all that it changes is told: as of the revision that the state has now.
    this.#watch = state.watch({ prefix: '' }, (events) => {
      const { revision } = state.local;
      for (const subscriber of this.#feed.applied(revision, events)) {
        this.#streams.get(subscriber)?.wake();
        this.#woken += 1;
      }
      for (const stream of this.#reaching) if (revision >= stream.reach) stream.wake();
    });
    this.#timer = clock.setInterval(() => this.#look(), lookMs);
  }

  async stop(): Promise<void> {
    this.#watch?.close();
    this.#timer?.cancel();
    for (const stream of this.#streams.values()) stream.wake();
    this.#watch = undefined;
  }

  /** Serves one subscriber, until its requests end or `signal` aborts. Throws as `SliceChannel.subscribe` says. */
  async *serve(
    requests: AsyncIterable<SliceRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<SliceReply, void, undefined> {
    const { state, isReplica } = this.#deps;
    const iterator = requests[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true || first.value.kind !== 'subscribe') {
      throw new ShoalError('INVALID_ARGUMENT', 'A subscription begins with its terms.');
    }
    const status = state.status();
    yield { kind: 'status', status };
    if (!isReplica() || this.#watch === undefined) {
      throw new ShoalError('UNAVAILABLE', 'This host holds no replica of the state.');
    }
    const { held, asked, revision, termsNumber } = first.value;
    mustBeBounded(held.length + asked.length);
    if (revision > state.local.revision) {
      throw new ShoalError('STALE', `This replica is at revision ${state.local.revision}, and behind ${revision}.`);
    }
    this.#admit();
    const stream: Stream = {
      subscriber: this.#feed.subscribe(held, asked, revision, termsNumber, this.#deps.knownSince()),
      status: statusText(status),
      sentMs: Number.NEGATIVE_INFINITY,
      reach: 0,
      hasAskedDigests: false,
      wake: () => {},
    };
    this.#streams.set(stream.subscriber, stream);
    const ended = new AbortController();
    const listening = this.#listen(iterator, stream, ended);
    const onAbort = (): void => stream.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted && !ended.signal.aborted && this.#watch !== undefined && isReplica()) {
        const reply = this.#next(stream);
        if (reply === undefined) await this.#wait(stream, signal, ended.signal);
        else yield reply;
      }
      if (ended.signal.reason instanceof ShoalError) throw ended.signal.reason;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#streams.delete(stream.subscriber);
      this.#reaching.delete(stream);
      this.#feed.unsubscribe(stream.subscriber);
      // Not awaited: whatever it still waits for does not come.
      iterator.return?.().catch(() => undefined);
      void listening;
    }
  }

  #next(stream: Stream): SliceReply | undefined {
    const { state, clock } = this.#deps;
    const status = state.status();
    const text = statusText(status);
    if (text !== stream.status) {
      stream.status = text;
      return { kind: 'status', status };
    }
    const { subscriber } = stream;
    if (subscriber.isLost) {
      if (stream.hasAskedDigests) return undefined;
      stream.hasAskedDigests = true;
      return { kind: 'ask-digests' };
    }
    const nowMs = clock.monotonicMs();
    const isReached = stream.reach > 0 && state.local.revision >= stream.reach;
    const delta = this.#feed.next(subscriber, isReached || nowMs - stream.sentMs >= progressMs);
    if (delta === undefined) return undefined;
    stream.sentMs = nowMs;
    if (delta.isWhole && isReached) {
      stream.reach = 0;
      this.#reaching.delete(stream);
    }
    return { kind: 'piece', delta };
  }

  /** Takes in what the subscriber says, until it says no more. Never rejects. */
  async #listen(iterator: AsyncIterator<SliceRequest>, stream: Stream, ended: AbortController): Promise<void> {
    let why: unknown;
    try {
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) break;
        this.#heard(stream, value);
        stream.wake();
      }
    } catch (caught) {
      why = caught;
    }
    ended.abort(why);
    stream.wake();
  }

  #heard(stream: Stream, request: SliceRequest): void {
    switch (request.kind) {
      case 'subscribe':
        throw new ShoalError('INVALID_ARGUMENT', 'A subscription begins once.');
      case 'change':
        mustBeBounded(stream.subscriber.terms.size + request.add.length);
        this.#feed.change(stream.subscriber, request.add, request.remove, request.termsNumber);
        // That it is whole in them is said, be there nothing under them.
        stream.sentMs = Number.NEGATIVE_INFINITY;
        return;
      case 'digests':
        if (!stream.hasAskedDigests) throw new ShoalError('INVALID_ARGUMENT', 'Nobody has asked for digests.');
        stream.hasAskedDigests = false;
        this.#feed.repair(stream.subscriber, request.digests);
        return;
      case 'reach':
        stream.reach = Math.max(stream.reach, request.revision);
        this.#reaching.add(stream);
    }
  }

  #wait(stream: Stream, signal: AbortSignal, ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      stream.wake = () => {
        stream.wake = () => {};
        resolve();
      };
      if (signal.aborted || ended.aborted) stream.wake();
    });
  }

  #look(): void {
    if (this.#streams.size === 0) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const text = statusText(this.#deps.state.status());
    const { revision } = this.#deps.state.local;
    for (const stream of this.#streams.values()) {
      const isReached = stream.reach > 0 && revision >= stream.reach;
      if (isReached || nowMs - stream.sentMs >= progressMs || stream.status !== text) stream.wake();
    }
  }

  #admit(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const earned = ((nowMs - this.#tokensMs) / 1000) * subscriptionsPerSecond;
    this.#tokens = Math.min(subscriptionsAtOnce, this.#tokens + earned);
    this.#tokensMs = nowMs;
    if (this.#tokens < 1) throw new ShoalError('RATE_LIMITED', 'Too many hosts subscribe at once; try again shortly.');
    this.#tokens -= 1;
  }
}

/** Throws `INVALID_ARGUMENT`: what a subscriber follows is kept in the memory of the replica that feeds it. */
function mustBeBounded(terms: number): void {
  if (terms > termsMax) throw new ShoalError('INVALID_ARGUMENT', `A slice has at most ${termsMax} terms.`);
}

/** What of a status is worth telling: what advances with every write is not. */
function statusText({ quorum, leaderRaftId, term, voters, learners, missingVoters, isJoint }: ClusterStatus): string {
  return [quorum, leaderRaftId, term, voters.join(), learners.join(), missingVoters.join(), isJoint].join('|');
}
