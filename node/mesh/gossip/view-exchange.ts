/**
 * Keeps this host's view of the adverts the same as its peers', without anybody repeating an advert to all: digests are
 * compared over a gossip link, and what differs goes both ways; a newcomer pulls a whole view. When and with whom is
 * ../rules/view-sync.ts, what differs ../rules/view-comparison.ts; here it is sent, bounded and checked.
 *
 * A peer is believed nothing: each advert is checked as if it had come by gossip (advert-exchange.ts), and a peer that
 * leaves out what it has is found out by the next comparison, which is with another one.
 */
import { setImmediate } from 'node:timers/promises';
import { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { hostIdOf, isHostId } from '../identity/signature.ts';
import { LinkBudget, type LinkBudgetLimits } from '../link-budget.ts';
import type { HeldAdvert } from '../rules/adverts.ts';
import { advertsAfter, compareRows, differingRows, type ViewRow } from '../rules/view-comparison.ts';
import { digestBytes } from '../rules/view-digest.ts';
import { ViewSync } from '../rules/view-sync.ts';
import type { AdvertExchange, Offered } from './advert-exchange.ts';
import type { Gossip } from './gossip.ts';

/** How often it is looked whether anything is to be asked, ms. */
const lookMs = 250;
/** Time for one exchange, ms: a whole view of ten thousand hosts on a slow link. */
const exchangeMsMax = 30_000;
/** Bytes of adverts or rows in one message: below what gossip carries. */
const messageBytesMax = 48 * 1024;
/** Bytes of a row on the wire, at most. */
const rowBytes = 48;
/** Rows of a peer that are looked at: a mesh is not larger. */
const rowsMax = 100_000;
/** Adverts that are taken in before others have their turn: each costs a signature. */
const takenAtOnce = 32;
/** The age of an update that a peer hands on, as long as it is not told: at least this much, ms. */
const handedOnMs = 1_000;
/** Whole views that one peer is given: it needs one when it starts. */
const pullLimits: LinkBudgetLimits = { bytesPerSecond: 1, bytesAtOnce: 1, framesPerSecond: 0.1, framesAtOnce: 3 };

interface ViewExchangeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly gossip: Pick<Gossip, 'ask' | 'answer' | 'onLink' | 'connected' | 'cutOff'>;
  readonly adverts: Pick<AdvertExchange, 'view' | 'offer' | 'offerUpdate'>;
}

interface ViewExchangeOptions {
  /** Members of the mesh now, this host included. */
  memberCount(): number;
  /** Takes over a whole view as earlier versions hand it over. Returns whether that worked. */
  pullAsBefore(hostId: HostId, signal: AbortSignal): Promise<boolean>;
}

/** What has been exchanged since the start. */
interface ViewExchangeCounts {
  readonly comparisons: number;
  /** Comparisons that found no difference. */
  readonly same: number;
  readonly pulls: number;
  readonly failed: number;
  /** Adverts that were news here. */
  readonly taken: number;
  /** Adverts that a peer was given, asked or unasked. */
  readonly given: number;
}

export class ViewExchange implements Service {
  readonly #deps: ViewExchangeDeps;
  readonly #options: ViewExchangeOptions;
  readonly #repeated: RepeatedLog;
  readonly #sync: ViewSync;
  readonly #pulled = new Map<HostId, LinkBudget>();
  readonly #stopping = new AbortController();
  readonly #counts = { comparisons: 0, same: 0, pulls: 0, failed: 0, taken: 0, given: 0 };
  #timer: Timer | undefined;
  #leave: readonly (() => void)[] = [];
  /** Where a pull that broke off goes on. */
  #pulledTo = '';

  constructor(deps: ViewExchangeDeps, options: ViewExchangeOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#repeated = new RepeatedLog(deps);
    this.#sync = new ViewSync(deps.random, deps.clock.monotonicMs());
  }

  get counts(): ViewExchangeCounts {
    return { ...this.#counts };
  }

  async start(): Promise<void> {
    const { clock, gossip } = this.#deps;
    if (this.#timer !== undefined) return;
    this.#leave = [
      gossip.answer((from, question) => this.#answers(from, question)),
      gossip.onLink(() => {
        this.missed();
        this.#look();
      }),
    ];
    this.#timer = clock.setInterval(() => this.#look(), lookMs);
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  /** Something has been missed: the views are compared soon. */
  missed(): void {
    this.#sync.missed(this.#deps.clock.monotonicMs());
  }

  #look(): void {
    const { clock, gossip, adverts, logger } = this.#deps;
    if (this.#stopping.signal.aborted) return;
    const counts = { held: adverts.view.size, members: this.#options.memberCount() };
    const action = this.#sync.next(clock.monotonicMs(), gossip.connected, counts);
    if (action === undefined) return;
    const { kind, with: hostId } = action;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(exchangeMsMax)]);
    const before = this.#counts.taken;
    const work = kind === 'pull' ? this.#pullOf(hostId, signal) : this.#compare(hostId, signal);
    work
      .then(
        () => true,
        (error: unknown) => {
          this.#counts.failed += 1;
          logger.debug({ error, hostId, kind }, 'views were not exchanged with this peer');
          return false;
        },
      )
      .then((isComplete) => {
        this.#sync.ended(clock.monotonicMs(), { isComplete, newAdverts: this.#counts.taken - before });
        if (!isComplete) this.#look();
      })
      .catch((error: unknown) => this.#repeated.warn('exchange', { error }, 'the exchange of views failed'));
  }

  /** Pulls by a question, or, of a peer that answers none, as before. */
  async #pullOf(hostId: HostId, signal: AbortSignal): Promise<void> {
    try {
      await this.#pull(hostId, signal);
    } catch (caught) {
      if (!ShoalError.is(caught, 'UNAVAILABLE') || !(await this.#options.pullAsBefore(hostId, signal))) throw caught;
    }
  }

  async #pull(hostId: HostId, signal: AbortSignal): Promise<void> {
    const question = shoal.v1.ViewQuestion.encode({ pullAfterHostId: this.#pulledTo }).finish();
    for await (const answer of this.#ask(hostId, question, signal)) {
      await this.#take(hostId, answer);
      const last = answer.adverts.at(-1);
      // Only where a pull goes on at another peer: a wrong word costs a comparison.
      if (last !== undefined) this.#pulledTo = hostIdOf(last.publicKey);
    }
    this.#pulledTo = '';
    this.#counts.pulls += 1;
  }

  async #compare(hostId: HostId, signal: AbortSignal): Promise<void> {
    const { view } = this.#deps.adverts;
    const rows: ViewRow[] = [];
    let theirs: Uint8Array | undefined;
    const question = shoal.v1.ViewQuestion.encode({ digest: view.digest }).finish();
    for await (const answer of this.#ask(hostId, question, signal)) {
      if (answer.digest.length === digestBytes) theirs ??= answer.digest;
      for (const row of answer.rows) rows.push(rowOf(row));
      if (rows.length > rowsMax) throw new ShoalError('TOO_LARGE', 'A peer knows more hosts than a mesh has.');
    }
    this.#counts.comparisons += 1;
    if (theirs === undefined) {
      this.#counts.same += 1;
      return;
    }
    const { wants, gives } = compareRows(view, theirs, rows);
    for (const swap of this.#swaps(wants, gives)) {
      const asked = shoal.v1.ViewQuestion.encode({ swap }).finish();
      for await (const answer of this.#ask(hostId, asked, signal)) await this.#take(hostId, answer);
    }
  }

  /** What is wanted and given, in questions that gossip carries. */
  *#swaps(wants: readonly HostId[], gives: readonly HeldAdvert[]): Generator<shoal.v1.IViewSwap> {
    const wanted = [...pagesOf(wants, () => 18)];
    const given = [...pagesOf(gives, sizeOf)];
    for (let at = 0; at < Math.max(wanted.length, given.length); at += 1) {
      const page = given[at] ?? [];
      this.#counts.given += page.length;
      if (page.length > 0) {
        const { adverts, agesMs, updates } = this.#told(page);
        yield { gives: adverts, givesAgesMs: agesMs, givesUpdates: updates, wants: [] };
      }
      const asked = wanted[at] ?? [];
      if (asked.length > 0) yield { gives: [], wants: asked.map((hostId) => Buffer.from(hostId, 'hex')) };
    }
  }

  async *#ask(hostId: HostId, question: Uint8Array, signal: AbortSignal): AsyncGenerator<shoal.v1.ViewAnswer> {
    for await (const bytes of this.#deps.gossip.ask(hostId, question, signal)) {
      yield decoded(() => shoal.v1.ViewAnswer.decode(bytes));
    }
  }

  /** Takes in what a peer tells: adverts, and the updates of some of them. */
  async #take(from: HostId, { adverts, agesMs, updates }: shoal.v1.IViewAnswer): Promise<void> {
    for (const [at, advert] of (adverts ?? []).entries()) {
      this.#count(this.#deps.adverts.offer(advert, agesMs?.[at] ?? 0), from);
      // Ten thousand signatures take more than a second: consensus must have its turns meanwhile.
      if (at % takenAtOnce === takenAtOnce - 1) await setImmediate();
    }
    for (const [at, update] of (updates ?? []).entries()) {
      this.#count(this.#deps.adverts.offerUpdate(update, handedOnMs), from);
      if (at % takenAtOnce === takenAtOnce - 1) await setImmediate();
    }
  }

  /** A peer that hands on what no host has signed has made it up: it checks what it takes in, as all do. */
  #count(offered: Offered, from: HostId): void {
    if (offered === 'taken') this.#counts.taken += 1;
    if (offered !== 'refused') return;
    this.#deps.gossip.cutOff(from);
    throw new ShoalError('IDENTITY_MISMATCH', 'A peer handed on an advert that its host never signed.', {
      facts: { hostId: from },
    });
  }

  #answers(from: HostId, bytes: Uint8Array): Iterable<Uint8Array> {
    const question = decoded(() => shoal.v1.ViewQuestion.decode(bytes));
    switch (question.body) {
      case 'digest':
        return this.#answerDigest(question.digest ?? new Uint8Array(0));
      case 'swap':
        return this.#answerSwap(from, question.swap ?? {});
      case 'pullAfterHostId':
        return this.#answerPull(from, question.pullAfterHostId ?? '');
      default:
        throw new ShoalError('NOT_IMPLEMENTED', 'This version knows no such question about its view.');
    }
  }

  *#answerDigest(theirs: Uint8Array): Generator<Uint8Array> {
    if (theirs.length !== digestBytes) throw new ShoalError('INVALID_ARGUMENT', `A digest has ${digestBytes} bytes.`);
    const { view } = this.#deps.adverts;
    const ours = view.digest;
    if (Buffer.compare(ours, theirs) === 0) return;
    yield shoal.v1.ViewAnswer.encode({ digest: ours }).finish();
    for (const page of pagesOf(differingRows(view, theirs), () => rowBytes)) {
      const rows = page.map(({ hostId, epoch, sequence }) => ({ hostId: Buffer.from(hostId, 'hex'), epoch, sequence }));
      yield shoal.v1.ViewAnswer.encode({ rows }).finish();
    }
  }

  *#answerSwap(from: HostId, { gives, givesAgesMs, givesUpdates, wants }: shoal.v1.IViewSwap): Generator<Uint8Array> {
    const { adverts } = this.#deps;
    for (const [at, advert] of (gives ?? []).entries()) {
      this.#count(adverts.offer(advert, givesAgesMs?.[at] ?? 0), from);
    }
    for (const update of givesUpdates ?? []) this.#count(adverts.offerUpdate(update, handedOnMs), from);
    const wanted = new Set((wants ?? []).map((hostId) => Buffer.from(hostId).toString('hex')));
    yield* this.#pages(adverts.view.all().filter(({ hostId }) => wanted.has(hostId)));
  }

  *#answerPull(from: HostId, after: string): Generator<Uint8Array> {
    const nowMs = this.#deps.clock.monotonicMs();
    const budget = this.#pulled.get(from) ?? new LinkBudget(pullLimits, nowMs);
    this.#pulled.set(from, budget);
    if (!budget.take(0, 1, nowMs)) throw new ShoalError('RATE_LIMITED', 'A peer pulls the whole view too often.');
    yield* this.#pages(advertsAfter(this.#deps.adverts.view, after));
  }

  *#pages(adverts: readonly HeldAdvert[]): Generator<Uint8Array> {
    for (const page of pagesOf(adverts, sizeOf)) {
      this.#counts.given += page.length;
      yield shoal.v1.ViewAnswer.encode(this.#told(page)).finish();
    }
  }

  #told(page: readonly HeldAdvert[]): {
    readonly adverts: shoal.v1.SignedAdvert[];
    readonly agesMs: number[];
    readonly updates: shoal.v1.SignedAdvertUpdate[];
  } {
    const nowMs = this.#deps.clock.monotonicMs();
    return {
      adverts: page.map(({ signed }) => signed),
      agesMs: page.map(({ takenMs }) => Math.max(0, Math.floor(nowMs - takenMs))),
      updates: page.flatMap(({ update }) => update ?? []),
    };
  }
}

function rowOf({ hostId, epoch, sequence }: shoal.v1.IViewRow): ViewRow {
  const id = Buffer.from(hostId ?? new Uint8Array(0)).toString('hex');
  if (!isHostId(id)) throw new ShoalError('INVALID_ARGUMENT', 'A row of a view names no host.');
  return { hostId: id, epoch: epoch ?? 0, sequence: sequence ?? 0 };
}

/** Bytes of an advert in a message, at most. */
function sizeOf({ signed, update }: HeldAdvert): number {
  return signed.advert.length + 128 + (update === undefined ? 0 : update.update.length + 80);
}

/** Items in pages that fit into a message; one that is too large by itself has a page of its own. */
function* pagesOf<T>(items: readonly T[], sizeOfOne: (item: T) => number): Generator<readonly T[]> {
  let page: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOfOne(item);
    if (page.length > 0 && bytes + size > messageBytesMax) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(item);
    bytes += size;
  }
  if (page.length > 0) yield page;
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A message about views cannot be decoded.', { cause: caught });
  }
}
