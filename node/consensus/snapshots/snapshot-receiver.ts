/**
 * A snapshot on its way into this node. The leader's offer is kept back from the core until the content is here, for the
 * core takes an offer as done; what the core then wants stored behind it waits until it is installed. This class knows how
 * far that has come; the loop says when each step is taken.
 */
import { assert, must } from '../../base/assert.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { type Message, noBytes, type Snapshot } from '../../raft/index.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftTransport } from '../transport/transport.ts';
import { type FetchedSnapshot, SnapshotFetch } from './snapshot-fetch.ts';

const markNewerSnapshotOfferedMeanwhile = coverageMark(
  'newer-snapshot-offered-meanwhile',
  'a newer snapshot is offered while one is being fetched',
);
const markSnapshotOfferedOfThePast = coverageMark(
  'snapshot-offered-of-the-past',
  'a snapshot is offered of what is applied',
);
const markSnapshotFetchedInVain = coverageMark(
  'snapshot-fetched-in-vain',
  'the core does not take a snapshot that was fetched',
);
const markAppendBehindAnInstall = coverageMark(
  'append-behind-an-install',
  'entries come while a snapshot is being installed',
);

interface SnapshotReceiverDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: Pick<RaftTransport, 'fetchSnapshot'>;
  readonly store: LogStore;
  /** The content of a snapshot has come: there may be an offer to take. */
  readonly arrived: () => void;
  /** The disk has failed. */
  readonly failed: (error: unknown) => void;
}

/**
 * What is to be done about an offer: `fetching` nothing yet, `here` the offer can be taken, `past` the core can hear of it
 * as of any message, for there is nothing to fetch.
 */
type OfferState = 'fetching' | 'here' | 'past';

/** The receiving side of snapshots: one fetch and one install at a time, and the newest offer behind them. */
export class SnapshotReceiver {
  readonly #deps: SnapshotReceiverDeps;
  /** The newest offer that the core has not heard of. */
  #offer: Message | undefined;
  #fetch: { readonly indexMin: number; readonly stop: AbortController } | undefined;
  /** Content that the core has not heard of. */
  #fetched: FetchedSnapshot | undefined;
  /** Storage work behind a snapshot that is being installed. */
  #behind: Message[] | undefined;

  constructor(deps: SnapshotReceiverDeps) {
    this.#deps = deps;
  }

  get isInstalling(): boolean {
    return this.#behind !== undefined;
  }

  /** The leader offers a snapshot: its content is fetched, unless it is here or holds nothing new. */
  offered(message: Message, appliedIndex: number): OfferState {
    const index = message.snapshot?.index ?? 0;
    this.#offer = message;
    // Looked at when the one at hand is done: it may be what this one offers.
    if (this.isInstalling) return 'fetching';
    if (this.#fetched !== undefined && this.#fetched.place.index >= index) return 'here';
    if (this.#fetch !== undefined) {
      if (this.#fetch.indexMin >= index) return 'fetching';
      markNewerSnapshotOfferedMeanwhile();
      this.#fetch.stop.abort(new ShoalError('CANCELLED', 'A newer snapshot is offered.'));
      this.#fetch = undefined;
    }
    if (index <= appliedIndex) {
      markSnapshotOfferedOfThePast();
      // The core hears of it now; it is not to hear of it again when an install has ended.
      this.#offer = undefined;
      return 'past';
    }
    this.#beginFetch(message, index);
    return 'fetching';
  }

  /** The offer for the core, naming what was fetched; undefined unless both are here. Each is handed out once. */
  takeOffer(): Message | undefined {
    const fetched = this.#fetched;
    const offer = this.#offer;
    if (fetched === undefined || offer === undefined) return undefined;
    this.#offer = undefined;
    return { ...offer, snapshot: { ...fetched.place, data: noBytes } };
  }

  /** What was fetched when the core, having heard of it, wants nothing installed: it is to be abandoned. */
  takeUnwanted(): FetchedSnapshot | undefined {
    const fetched = this.#fetched;
    if (fetched === undefined) return undefined;
    markSnapshotFetchedInVain();
    this.#fetched = undefined;
    return fetched;
  }

  /** The core wants `snapshot` installed: what comes behind it waits from now on. Returns its content. */
  begin(snapshot: Snapshot): FetchedSnapshot {
    const fetched = must(this.#fetched, 'the content of a snapshot');
    assert(fetched.place.index === snapshot.index, 'the snapshot is the one that was fetched');
    this.#fetched = undefined;
    this.#behind = [];
    return fetched;
  }

  /** Takes storage work that has to wait for a snapshot; false: there is none to wait for. */
  hold(message: Message): boolean {
    if (this.#behind === undefined) return false;
    markAppendBehindAnInstall();
    this.#behind.push(message);
    return true;
  }

  /** The snapshot is installed. Returns the storage work that has waited behind it, in order, and the newest offer since. */
  end(): { readonly behind: readonly Message[]; readonly offer: Message | undefined } {
    const behind = this.#behind ?? [];
    this.#behind = undefined;
    return { behind, offer: this.#offer };
  }

  /** Fetches nothing more, and gives up what was fetched. What the disk cannot forget any more, the next start clears. */
  stop(reason: ShoalError): void {
    this.#fetch?.stop.abort(reason);
    this.#fetch = undefined;
    this.#offer = undefined;
    this.#giveUp(this.#fetched);
    this.#fetched = undefined;
  }

  #giveUp(fetched: FetchedSnapshot | undefined): void {
    fetched?.install.abandon().catch(this.#deps.failed);
  }

  #beginFetch(message: Message, index: number): void {
    const stop = new AbortController();
    const fetch = { indexMin: index, stop };
    this.#fetch = fetch;
    const { logger, arrived, failed } = this.#deps;
    new SnapshotFetch(this.#deps, message.from, index).run(stop.signal).then(
      (fetched) => {
        if (this.#fetch === fetch) this.#fetch = undefined;
        // It had come when it was given up.
        if (stop.signal.aborted) {
          this.#giveUp(fetched);
          return;
        }
        this.#giveUp(this.#fetched);
        this.#fetched = fetched;
        arrived();
      },
      (error: unknown) => {
        if (this.#fetch === fetch) this.#fetch = undefined;
        if (ShoalError.is(error, 'STORE_FAILED')) failed(error);
        else if (!stop.signal.aborted)
          logger.warn({ error }, 'a snapshot could not be fetched; the leader will offer one again');
      },
    );
  }
}
