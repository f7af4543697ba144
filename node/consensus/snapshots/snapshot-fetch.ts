/** Fetches a snapshot from the leader: chunks checked, rows written beside the state as they come, resumed after a break. */

import { buggify, coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { crc32c } from '../../base/crc32c.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { type DigestValue, isSameDigest } from '../../state/digest.ts';
import type { StoredRow } from '../../state/rows.ts';
import { SnapshotDecoder } from '../../state/snapshot.ts';
import { StateMachine } from '../../state/state-machine.ts';
import type { LogStore, SnapshotInstall, SnapshotPlace } from '../../store/index.ts';
import type { RaftTransport, SnapshotPart } from '../transport/transport.ts';

const markSnapshotFetchGivenUp = coverageMark('snapshot-fetch-given-up', 'a fetch of a snapshot is given up');
const markSnapshotFetchBrokenOff = coverageMark('snapshot-fetch-broken-off', 'a fetch of a snapshot broke off');
const markSnapshotFetchResumed = coverageMark(
  'snapshot-fetch-resumed',
  'a fetch of a snapshot goes on where it broke off',
);
const buggifyBreakOff = buggify('snapshot-fetch.break-off', 'a fetch breaks off behind a piece');
const failpointSnapshotFetchBeforeRows = failpoint(
  'snapshot-fetch.before-rows',
  'rows of a snapshot have come and are not on disk',
);
const markSnapshotWithoutItsDigest = coverageMark(
  'snapshot-without-its-digest',
  'a snapshot holds other rows than its sender has applied',
);

/** Tries in a row that bring nothing new before it is given up; the leader offers a snapshot again. */
const barrenTriesMax = 5;
/** Pause before trying again, times the number of tries. Unit: milliseconds. */
const pauseMs = 200;
/** A peer that sends nothing for so long is given up. Unit: milliseconds. */
const silenceMsMax = 10_000;
/** Rows are written in batches of about so much. Unit: bytes. */
const batchBytes = 1024 * 1024;

/** A whole snapshot, on disk beside the state and in memory. */
export interface FetchedSnapshot {
  readonly place: SnapshotPlace;
  readonly machine: StateMachine;
  readonly install: SnapshotInstall;
}

/** What has come so far. */
interface Partial {
  readonly place: SnapshotPlace;
  readonly machine: StateMachine;
  readonly install: SnapshotInstall;
  readonly decoder: SnapshotDecoder;
  offsetBytes: number;
  rows: StoredRow[];
  rowBytes: number;
}

/** One fetch, from one peer, of a snapshot at `indexMin` or after; good for one `run`. */
export class SnapshotFetch {
  readonly #deps: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly transport: Pick<RaftTransport, 'fetchSnapshot'>;
    readonly store: LogStore;
  };
  readonly #from: RaftId;
  readonly #indexMin: number;
  #partial: Partial | undefined;

  constructor(
    deps: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly transport: Pick<RaftTransport, 'fetchSnapshot'>;
      readonly store: LogStore;
    },
    from: RaftId,
    indexMin: number,
  ) {
    this.#deps = deps;
    this.#from = from;
    this.#indexMin = indexMin;
  }

  /**
   * Throws what the last try threw, `STORE_FAILED`, or `CANCELLED` once the signal is aborted, wherever that finds it. What
   * was written is given up then.
   */
  async run(signal: AbortSignal): Promise<FetchedSnapshot> {
    try {
      const fetched = await this.#untilHere(signal);
      mustGoOn(signal);
      return fetched;
    } catch (error) {
      markSnapshotFetchGivenUp();
      await this.#abandon();
      // A disk that failed is told, also when its caller gives up meanwhile.
      if (!ShoalError.is(error, 'STORE_FAILED')) mustGoOn(signal);
      throw ShoalError.from(error, 'UNAVAILABLE', 'Fetching a snapshot');
    }
  }

  async #untilHere(signal: AbortSignal): Promise<FetchedSnapshot> {
    let barrenTries = 0;
    for (;;) {
      const before = this.#partial?.offsetBytes ?? 0;
      try {
        return await this.#try(signal);
      } catch (error) {
        const isOver = signal.aborted || ShoalError.is(error, 'STORE_FAILED');
        barrenTries = (this.#partial?.offsetBytes ?? 0) > before ? 0 : barrenTries + 1;
        if (isOver || barrenTries >= barrenTriesMax) throw error;
        markSnapshotFetchBrokenOff();
        this.#deps.logger.warn(
          { error, from: this.#from, bytes: before },
          'fetching a snapshot broke off; trying again',
        );
        await sleep(this.#deps.clock, pauseMs * (barrenTries + 1), signal);
      }
    }
  }

  async #try(signal: AbortSignal): Promise<FetchedSnapshot> {
    const silence = new AbortController();
    const quiet = (): void => silence.abort(new ShoalError('DEADLINE_EXCEEDED', 'The peer sends nothing any more.'));
    let timer = this.#deps.clock.setTimeout(quiet, silenceMsMax);
    try {
      const partial = this.#partial;
      if (partial !== undefined) markSnapshotFetchResumed();
      const request =
        partial === undefined
          ? { indexMin: this.#indexMin }
          : { indexMin: this.#indexMin, resume: { index: partial.place.index, offsetBytes: partial.offsetBytes } };
      const parts = this.#deps.transport.fetchSnapshot(this.#from, request, AbortSignal.any([signal, silence.signal]));
      for await (const part of parts) {
        timer.cancel();
        timer = this.#deps.clock.setTimeout(quiet, silenceMsMax);
        const taken = await this.#take(part);
        if (part.isLast) return await this.#finish(taken, part.digest);
        if (buggifyBreakOff()) break;
      }
      throw new ShoalError('UNAVAILABLE', 'The snapshot ended too early.');
    } finally {
      timer.cancel();
    }
  }

  async #take(part: SnapshotPart): Promise<Partial> {
    if (crc32c(part.data) !== part.crc32c)
      throw new ShoalError('LOG_CORRUPT', 'A piece of a snapshot fails its checksum.');
    let partial = this.#partial;
    if (partial === undefined || partial.place.index !== part.place.index) {
      if (part.offsetBytes !== 0 || part.place.index < this.#indexMin) {
        throw new ShoalError('INVALID_ARGUMENT', 'The peer sends another snapshot than was asked for.');
      }
      await this.#abandon();
      partial = {
        place: part.place,
        machine: new StateMachine(),
        install: this.#deps.store.install(),
        decoder: new SnapshotDecoder(),
        offsetBytes: 0,
        rows: [],
        rowBytes: 0,
      };
      this.#partial = partial;
    }
    if (part.offsetBytes !== partial.offsetBytes) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `A piece of a snapshot lies at ${part.offsetBytes}, not ${partial.offsetBytes}.`,
      );
    }
    try {
      for (const row of partial.decoder.push(part.data)) {
        partial.machine.load(row);
        partial.rows.push(row);
        partial.rowBytes += row.key.length + row.value.length;
      }
    } catch (error) {
      // The pieces were as sent, so the sender's content is bad or another version's: going on from here is no use.
      await this.#abandon();
      throw error;
    }
    partial.offsetBytes += part.data.length;
    if (partial.rowBytes >= batchBytes || part.isLast) {
      const { rows } = partial;
      partial.rows = [];
      partial.rowBytes = 0;
      failpointSnapshotFetchBeforeRows();
      await partial.install.write(rows);
    }
    return partial;
  }

  /** @param digest that the sender kept of its state; undefined: an older agent's. */
  async #finish(partial: Partial, digest: DigestValue | undefined): Promise<FetchedSnapshot> {
    const { place, machine, install, decoder } = partial;
    const index = decoder.finish();
    if (index !== place.index) {
      await this.#abandon();
      throw new ShoalError('LOG_CORRUPT', `A snapshot said to be of ${place.index} is of ${index}.`);
    }
    if (digest !== undefined && !isSameDigest(digest, machine.digest)) {
      markSnapshotWithoutItsDigest();
      await this.#abandon();
      throw new ShoalError(
        'LOG_CORRUPT',
        `The rows of a snapshot of ${index} are not those that its sender has applied.`,
      );
    }
    machine.loaded(index);
    return { place, machine, install };
  }

  async #abandon(): Promise<void> {
    const partial = this.#partial;
    this.#partial = undefined;
    await partial?.install.abandon();
  }
}

function mustGoOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new ShoalError('CANCELLED', 'The fetch of a snapshot was given up.', { cause: signal.reason });
}
