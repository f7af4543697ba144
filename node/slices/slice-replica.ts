/**
 * A host's slice of the state, kept current by a replica: the subscription, the host's own disk, and what is known of those who
 * decide. It stands where the Raft loop stands on a host that holds a replica (`StateSource`).
 *
 * What the slice covers is what the host reads. `roots` reads everything that the host needs to keep its guests; what is read
 * beside that is asked for when it is missed and given up when nobody has read it for a while.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { RaftId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Prng } from '../base/prng.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { StateSource } from '../consensus/client/state-source.ts';
import { AppliedWaiters, ChangeWaiters } from '../consensus/loop/waiters.ts';
import type { Route } from '../consensus/quorum/quorum.ts';
import { checkRaftLoopOptions } from '../consensus/replica/options.ts';
import type { PartOfState } from '../state/slices/partial-reader.ts';
import { type SliceChange, SliceState } from '../state/slices/slice-state.ts';
import type { SliceTerm } from '../state/slices/slice-terms.ts';
import type { ClusterStatus, KeyValue, QuorumOutlook, StateReader, TransactionOutcome } from '../state/types.ts';
import { WatchHub } from '../state/watch.ts';
import { RequestQueue } from './request-queue.ts';
import type { SliceChannel, SliceReply, SliceRequest } from './slice-channel.ts';
import type { SliceRoots } from './slice-roots.ts';
import type { SliceStore } from './slice-store.ts';
import { SubscriptionLog, type SubscriptionResult } from './subscription-log.ts';

/** A replica that says nothing for so long is left for another: progress comes every five seconds. Unit: ms. */
const silenceMs = 12_000;
/** How long what a replica said of the quorum is good once it is gone. Unit: ms. */
const statusGoodMs = 3_000;
/** From one look at what is read to the next; a term that two looks find unread is given up. Unit: ms. */
const tidyMs = 60_000;
/** What is needed is looked at again after changes, for this share of the time at most: a look costs what the host carries. */
const lookShareMax = 0.1;
/** Pause before the next replica is asked: doubling from the first to the last, with jitter. Unit: ms. */
const pauseMsMin = 50;
const pauseMsMax = 2_000;

interface SliceReplicaDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly channel: SliceChannel;
  readonly store: SliceStore;
  readonly self: RaftId;
  /** Hosts that may be replicas, while none has said who they are. */
  readonly hosts: () => readonly RaftId[];
  /** What this host must have. */
  readonly roots: SliceRoots;
  readonly onFatal: (error: unknown) => void;
  /** Hears of each change, before it is on disk. */
  readonly onChanged?: (slice: SliceReplica) => void;
}

/** See above. */
export class SliceReplica implements StateSource, Service {
  readonly options = checkRaftLoopOptions({});
  readonly watches: WatchHub;
  readonly #deps: SliceReplicaDeps;
  readonly #slice: SliceState;
  readonly #changes: ChangeWaiters;
  readonly #applied: AppliedWaiters;
  readonly #stopping = new AbortController();
  /** Terms that were missed and are to be asked for with the next change. */
  readonly #missed = new Set<SliceTerm>();
  /** Terms read since the last tidying, and before it. */
  #used = new Set<SliceTerm>();
  #usedBefore = new Set<SliceTerm>();
  #isChangeDue = false;
  #requests: RequestQueue<SliceRequest> | undefined;
  #connected: RaftId | undefined;
  #heardMs = Number.NEGATIVE_INFINITY;
  #status: ClusterStatus = unknownStatus;
  /** As on disk. */
  #durable = 0;
  /** Pieces that came since the start. */
  #pieces = 0;
  #reach = 0;
  #tidy: Timer | undefined;
  /** The next look at what is needed; the one before it ended then, and took so long. */
  #look: Timer | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #lookTookMs = 0;
  #running: Promise<void> | undefined;
  #isRunning = false;
  #wasReady = false;
  #startedMs = Number.NEGATIVE_INFINITY;
  /** Of the rows; undefined: they have changed since it was counted. */
  #bytes: number | undefined;
  readonly #log = new SubscriptionLog();

  constructor(deps: SliceReplicaDeps) {
    this.#deps = deps;
    this.#slice = new SliceState({
      missed: (term) => this.#miss(term),
      used: (term) => this.#used.add(term),
    });
    this.#changes = new ChangeWaiters(deps.clock);
    this.#applied = new AppliedWaiters(deps.clock, () => (this.#wasReady ? this.#durable : 0));
    this.watches = new WatchHub(0, (error) => deps.logger.error({ error }, 'a watcher of the slice threw'));
  }

  /** Reads what the disk holds, and subscribes. */
  async start(): Promise<void> {
    const { store, clock, logger } = this.#deps;
    const stored = await store.load();
    this.#slice.restore(stored.rows, stored.terms, stored.revision);
    this.#durable = stored.revision;
    this.watches.publishSnapshot(stored.revision, []);
    this.#status = { ...unknownStatus, voters: stored.replicas };
    logger.info({ revision: stored.revision, rows: stored.rows.length }, 'the slice was read from disk');
    this.#isRunning = true;
    this.#startedMs = clock.monotonicMs();
    this.#wasReady = this.isReady;
    this.#tidy = clock.setInterval(() => this.#tidyUp(), tidyMs);
    this.#running = this.#run();
  }

  /** Ends it for good: this host holds a replica now, and a start must not take the slice for newer than a damaged one. */
  async retire(): Promise<void> {
    await this.#end();
    await this.#deps.store.forget();
    await this.#deps.store.close();
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    await this.#end();
    await this.#deps.store.close();
  }

  async #end(): Promise<void> {
    this.#isRunning = false;
    this.#tidy?.cancel();
    this.#look?.cancel();
    this.#stopping.abort(new ShoalError('CANCELLED', 'The agent is stopping.'));
    this.#requests?.close();
    this.#applied.close();
    this.#changes.tell();
    await this.#running;
  }

  /** Resolves true once there is a slice that has all that `roots` reads, false after `delayMs` or when it stops. */
  async ready(delayMs: number): Promise<boolean> {
    const endMs = this.#deps.clock.monotonicMs() + delayMs;
    while (this.#isRunning && !this.isReady) {
      const leftMs = endMs - this.#deps.clock.monotonicMs();
      if (leftMs <= 0) return false;
      await this.#changes.wait(Math.min(leftMs, 1_000));
    }
    return this.isReady;
  }

  /** Whether the slice has all that `roots` reads. */
  get isReady(): boolean {
    return this.#hasRoots() && this.#slice.revision > 0;
  }

  /** Whether all that this host must have is here; what is missing is asked for. */
  #hasRoots(): boolean {
    const { roots } = this.#deps;
    try {
      this.#slice.wholly((reader) => roots.read(reader));
      return true;
    } catch (error) {
      if (!ShoalError.is(error, 'NOT_IN_SLICE')) throw error;
      // What was read so far was not all there is.
      roots.forget();
      return false;
    }
  }

  /** Terms held, rows, and the bytes of their keys and values, for metrics and people. */
  get size(): { readonly terms: number; readonly rows: number; readonly bytes: number } {
    this.#bytes ??= [...this.#slice.rows()].reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    return { terms: this.#slice.held.length, rows: this.#slice.rowCount, bytes: this.#bytes };
  }

  /** Subscriptions begun since the start, by how they went. */
  get subscriptions(): Readonly<Record<SubscriptionResult, number>> {
    return this.#log.counts;
  }

  /** What is wrong with the subscription, for people, by part; empty when all is well. */
  troubles(): Readonly<Record<string, string>> {
    return this.#log.troubles(this.#deps.clock.monotonicMs(), this.#slice.revision);
  }

  /** Of the slice on disk. */
  get durableRevision(): number {
    return this.#durable;
  }

  /** The terms that the slice is whole in. */
  get terms(): readonly SliceTerm[] {
    return this.#slice.held;
  }

  /** The replica that feeds it; undefined: none does. */
  get feeder(): RaftId | undefined {
    return this.#connected;
  }

  // --- StateSource ---------------------------------------------------------------------------------------------------

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Until there is all that `roots` reads, an empty state, as that of a replica that has heard nothing yet. */
  get reader(): StateReader {
    return this.#wasReady ? this.#slice : emptyState;
  }

  /** All rows, in the order of keys. */
  rows(): Iterable<KeyValue> {
    return this.#slice.rows();
  }

  /** The rows as they are, whatever the terms cover. */
  get bare(): StateReader {
    return this.#slice.bare;
  }

  /** What it holds and what it is whole in: for answers that are marked partial. */
  get part(): PartOfState {
    return this.#slice;
  }

  /** Since a replica was last heard, ms; infinite: not since this agent has started. */
  get silentMs(): number {
    return this.#deps.clock.monotonicMs() - this.#heardMs;
  }

  get leader(): RaftId {
    return this.#status.leaderRaftId;
  }

  get outlook(): QuorumOutlook {
    if (this.#isHeard()) return this.#status.quorum;
    // One that begins has time to find somebody.
    const sinceMs = Math.max(this.#heardMs, this.#startedMs);
    return this.#deps.clock.monotonicMs() - sinceMs > silenceMs ? 'lost' : 'awaited';
  }

  get isLossKnown(): boolean {
    return this.outlook === 'lost';
  }

  status(): ClusterStatus {
    const { outlook } = this;
    const { revision } = this.#slice;
    return { ...this.#status, quorum: outlook, hasQuorum: outlook === 'answers', appliedIndex: revision };
  }

  route(): Route | undefined {
    const { leaderRaftId, quorum } = this.#status;
    if (leaderRaftId === 0 || quorum === 'lost' || !this.#isHeard()) return undefined;
    return { kind: 'leader', raftId: leaderRaftId };
  }

  isLost(): boolean {
    return false;
  }

  suspectQuorum(): void {
    // The replica that feeds this slice says how it is, as soon as it knows.
  }

  changed(delayMs: number): Promise<void> {
    return this.#changes.wait(delayMs);
  }

  waitApplied(index: number, delayMs: number): Promise<boolean> {
    if (this.#durable < index && index > this.#reach) {
      this.#reach = index;
      this.#requests?.push({ kind: 'reach', revision: index });
    }
    return this.#applied.wait(index, delayMs);
  }

  noQuorum(): ShoalError {
    if (!this.#isRunning) return new ShoalError('CANCELLED', 'The agent is stopping.');
    const { missingVoters, leaderRaftId } = this.#status;
    const text = this.#isHeard()
      ? 'Too few voters answer to commit a write.'
      : 'No replica of the state can be reached from this host.';
    return new ShoalError('NO_QUORUM', text, { facts: { missingVoters, leaderRaftId } });
  }

  async proposeEncoded(): Promise<TransactionOutcome> {
    throw new ShoalError('NOT_LEADER', 'This host holds a slice of the state.');
  }

  async readIndex(): Promise<number> {
    throw new ShoalError('NOT_LEADER', 'This host holds a slice of the state.');
  }

  // --- The subscription ----------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    const { clock, logger, random } = this.#deps;
    const { signal } = this.#stopping;
    let pauseMs = pauseMsMin;
    let turn = 0;
    while (!signal.aborted) {
      const candidates = this.#candidates();
      const to = candidates[turn % Math.max(1, candidates.length)];
      turn += 1;
      const pieces = this.#pieces;
      try {
        if (to !== undefined) await this.#follow(to, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ShoalError) || error.code === 'STORE_FAILED') {
          this.#deps.onFatal(error);
          return;
        }
        this.#log.failed(error, clock.monotonicMs());
        logger.info({ replica: to, code: error.code, error: error.message }, 'a subscription ended');
      }
      // One that says its status and refuses has not fed: the next is asked.
      const hasWorked = this.#pieces > pieces;
      if (hasWorked) turn = 0;
      pauseMs = hasWorked ? pauseMsMin : Math.min(pauseMsMax, pauseMs * 2);
      await sleep(clock, pauseMs * (0.5 + random.float()), signal).catch(() => undefined);
    }
  }

  /** Whom to ask, first to last: the replicas, each host beginning with another, and the leader after them. */
  #candidates(): readonly RaftId[] {
    const { self, hosts } = this.#deps;
    const { voters, learners, leaderRaftId } = this.#status;
    const known = [...voters, ...learners].filter((id) => id !== self && id !== leaderRaftId).sort((a, b) => a - b);
    const from = known.length === 0 ? 0 : self % known.length;
    const spread = [...known.slice(from), ...known.slice(0, from)];
    const leader = leaderRaftId === 0 || leaderRaftId === self ? [] : [leaderRaftId];
    const replicas = [...spread, ...leader];
    return [...replicas, ...hosts().filter((id) => id !== self && !replicas.includes(id))];
  }

  async #follow(to: RaftId, stop: AbortSignal): Promise<void> {
    const { channel, clock } = this.#deps;
    const requests = new RequestQueue<SliceRequest>();
    const silent = new AbortController();
    const signal = AbortSignal.any([stop, silent.signal]);
    let timer = clock.setTimeout(() => silent.abort(silence(to)), silenceMs);
    this.#log.begins(this.#slice.revision > 0);
    const { held, asked, revision, termsNumber } = this.#slice;
    requests.push({ kind: 'subscribe', held, asked, revision, termsNumber });
    if (this.#reach > this.#durable) requests.push({ kind: 'reach', revision: this.#reach });
    this.#requests = requests;
    try {
      for await (const reply of channel.subscribe(to, requests, signal)) {
        timer.cancel();
        timer = clock.setTimeout(() => silent.abort(silence(to)), silenceMs);
        this.#heardMs = clock.monotonicMs();
        await this.#heard(to, reply, requests);
      }
    } finally {
      this.#log.ends();
      timer.cancel();
      requests.close();
      this.#requests = undefined;
      this.#connected = undefined;
      this.#slice.disconnected();
      this.#changes.tell();
    }
  }

  async #heard(from: RaftId, reply: SliceReply, requests: RequestQueue<SliceRequest>): Promise<void> {
    switch (reply.kind) {
      case 'status':
        this.#status = reply.status;
        this.#changes.tell();
        return;
      case 'ask-digests':
        this.#log.isAskedForDigests();
        requests.push({ kind: 'digests', digests: this.#slice.digests() });
        return;
      case 'piece': {
        this.#connected = from;
        this.#pieces += 1;
        const change = this.#slice.take(reply.delta);
        if (change !== undefined) await this.#changed(change);
        this.#log.isFed(change !== undefined);
      }
    }
  }

  /** The slice is another: it goes to the disk, then those who watch hear of it. */
  async #changed(change: SliceChange): Promise<void> {
    this.#bytes = undefined;
    const { roots, onChanged } = this.#deps;
    // What is covered no more is to be missed again, if it is needed.
    if (change.termsRemoved.length > 0) roots.forget();
    else roots.heard(change.events.map(({ key }) => key));
    onChanged?.(this);
    await this.#keep(change);
    this.#durable = Math.max(this.#durable, change.revision);
    if (!this.#wasReady) this.#becomeReady();
    else if (change.events.length > 0) {
      this.watches.publish(change.revision, change.events);
      this.#lookSoon();
    }
    this.#applied.tell();
    this.#changes.tell();
  }

  async #keep({ revision, events, termsAdded, termsRemoved }: SliceChange): Promise<void> {
    const puts = events.flatMap(({ key, value }) => (value === undefined ? [] : (this.#slice.bare.get(key) ?? [])));
    const deletes = events.flatMap(({ key, value }) => (value === undefined ? [key] : []));
    const { voters, learners } = this.#status;
    const replicas = [...voters, ...learners];
    await this.#deps.store.write({ revision, replicas, puts, deletes, termsAdded, termsRemoved });
  }

  // --- What is covered -----------------------------------------------------------------------------------------------

  /** The first time that all is there: those who watch hear of it at once. */
  #becomeReady(): void {
    this.#wasReady = this.isReady;
    if (!this.#wasReady) return;
    const { revision } = this.#slice;
    const events = [...this.#slice.rows()].map(({ key, value }) => ({ key, value, revision }));
    this.watches.publishSnapshot(revision, events);
  }

  /**
   * Looks at what is needed: at once, or in a while when that was done a moment ago. Who reads what is missing meanwhile
   * asks for it, too.
   */
  #lookSoon(): void {
    if (this.#look !== undefined) return;
    const { clock } = this.#deps;
    const dueMs = this.#lookedMs + this.#lookTookMs * (1 / lookShareMax - 1);
    const waitMs = dueMs - clock.monotonicMs();
    if (waitMs <= 0) {
      this.#lookAtRoots();
      return;
    }
    this.#look = clock.setTimeout(() => {
      this.#look = undefined;
      this.#lookAtRoots();
    }, waitMs);
  }

  #lookAtRoots(): void {
    const { clock } = this.#deps;
    const beganMs = clock.monotonicMs();
    this.#hasRoots();
    this.#lookedMs = clock.monotonicMs();
    this.#lookTookMs = this.#lookedMs - beganMs;
  }

  #miss(term: SliceTerm): void {
    this.#used.add(term);
    if (this.#slice.isAsked(term)) return;
    this.#missed.add(term);
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    // What one computation misses is asked for at once.
    this.#deps.clock.setTimeout(() => {
      this.#isChangeDue = false;
      const missed = [...this.#missed];
      this.#missed.clear();
      this.#change(missed, []);
    }, 0);
  }

  #tidyUp(): void {
    // So that every term that is needed counts as used.
    this.#deps.roots.forget();
    this.#lookAtRoots();
    const unused = this.#slice.held.filter((term) => !this.#used.has(term) && !this.#usedBefore.has(term));
    this.#usedBefore = this.#used;
    this.#used = new Set();
    if (unused.length > 0) this.#change([], unused);
  }

  #change(add: readonly SliceTerm[], remove: readonly SliceTerm[]): void {
    if (!this.#isRunning) return;
    const change = this.#slice.change(add, remove);
    this.#requests?.push({ kind: 'change', add, remove, termsNumber: this.#slice.termsNumber });
    if (change.events.length > 0 || change.termsRemoved.length > 0) {
      this.#changed(change).catch(this.#deps.onFatal);
    }
  }

  #isHeard(): boolean {
    return this.#connected !== undefined || this.#deps.clock.monotonicMs() - this.#heardMs < statusGoodMs;
  }
}

const emptyState: StateReader = { revision: 0, get: () => undefined, range: () => [], counter: () => 0 };

const unknownStatus: ClusterStatus = {
  hasQuorum: false,
  quorum: 'awaited',
  leaderRaftId: 0,
  term: 0,
  commitIndex: 0,
  appliedIndex: 0,
  voters: [],
  isJoint: false,
  learners: [],
  missingVoters: [],
};

function silence(replica: RaftId): ShoalError {
  return new ShoalError('UNAVAILABLE', `Member ${replica} has said nothing for ${silenceMs / 1000} s.`);
}
