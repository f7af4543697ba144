/**
 * Asks the witnesses about hosts that seem to be down (../plan/host-gone-plan.ts judges). Nothing of it is recorded: an agent that
 * begins to lead asks all of them itself, and has to watch for as long.
 */
import type { StorageDriver, StorageWitness } from '../../../drivers/types.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { HostViews } from '../../services/kit/dependencies.ts';
import { type HostVerdict, judgeHost, type PoolWord } from '../plan/host-gone-plan.ts';

/** How long a host may say nothing to storage and still be there: it says something every 3 s. Unit: ms. */
const silenceMs = 8_000;
/** A sign of life that was read longer ago says nothing. Unit: ms. */
const readingMsMax = 5_000;
/** How long a kernel may take to answer. Unit: ms. */
const portTimeoutMs = 800;
/** How long one look at a pool may take. Unit: ms. */
const poolTimeoutMs = 5_000;

/** What the kernel at a host's address says of its agent's port. */
export type AskKernel = (hostId: HostId, timeoutMs: number) => Promise<'listening' | 'closed' | 'silent' | 'unknown'>;

interface HostWitnessesDeps {
  readonly hostViews: Pick<HostViews, 'condition'>;
  readonly askKernel: AskKernel;
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly clock: Clock;
}

/** What was read of one host at one pool. Times are monotonic, ms. */
interface Reading {
  readonly text: string | undefined;
  /** Since when it has been this text. */
  readonly sinceMs: number;
  readonly readMs: number;
  /** Whether it has changed since the host is watched. */
  readonly hasChanged: boolean;
  /** Why it could not be read last. */
  readonly failure: string | undefined;
}

interface Watched {
  readonly downSinceMs: number;
  port: Awaited<ReturnType<AskKernel>> | undefined;
  readonly readings: Map<string, Reading>;
}

/** See above. */
export class HostWitnesses {
  readonly #deps: HostWitnessesDeps;
  readonly #watched = new Map<string, Watched>();

  constructor(deps: HostWitnessesDeps) {
    this.#deps = deps;
  }

  /**
   * Asks kernel and storage about one host, unless it is alive: then what is known of it is forgotten. Never throws what a witness
   * does: who does not answer has not testified.
   */
  async look(hostId: HostId, signal: AbortSignal): Promise<void> {
    const { clock, hostViews, askKernel, storage } = this.#deps;
    if (hostViews.condition(hostId) === 'alive') {
      this.#watched.delete(hostId);
      return;
    }
    const watched: Watched = this.#watched.get(hostId) ?? {
      downSinceMs: clock.monotonicMs(),
      port: undefined,
      readings: new Map(),
    };
    this.#watched.set(hostId, watched);
    const pools = [...storage].flatMap(([pool, { witness }]) => (witness === undefined ? [] : [{ pool, witness }]));
    const [port] = await Promise.all([
      askKernel(hostId, portTimeoutMs),
      ...pools.map(({ pool, witness }) => this.#read(hostId, watched, pool, witness, signal)),
    ]);
    watched.port = port;
  }

  /** By what was asked last. @param forcedDown whether an operator says that the host is gone. */
  verdict(hostId: string, forcedDown: boolean): HostVerdict {
    const watched = this.#watched.get(hostId);
    const nowMs = this.#deps.clock.monotonicMs();
    return judgeHost({
      condition: this.#deps.hostViews.condition(hostId),
      forcedDown,
      port: watched?.port,
      pools: [...(watched?.readings ?? [])].map(([pool, reading]) => wordOf(pool, reading, nowMs)),
    });
  }

  /** How long a host has seemed to be down here, ms. 0: it does not. */
  downMs(hostId: string): number {
    const watched = this.#watched.get(hostId);
    return watched === undefined ? 0 : this.#deps.clock.monotonicMs() - watched.downSinceMs;
  }

  async #read(
    hostId: HostId,
    watched: Watched,
    pool: string,
    witness: StorageWitness,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps;
    const before = watched.readings.get(pool);
    const late = new AbortController();
    const timer = clock.setTimeout(() => {
      late.abort(new ShoalError('DEADLINE_EXCEEDED', `it did not answer within ${poolTimeoutMs / 1_000} s`));
    }, poolTimeoutMs);
    try {
      const text = await witness.lastBeat(hostId, AbortSignal.any([signal, late.signal]));
      const readMs = clock.monotonicMs();
      const isSame = before !== undefined && before.text === text;
      watched.readings.set(pool, {
        text,
        sinceMs: isSame ? before.sinceMs : readMs,
        readMs,
        hasChanged: before !== undefined && before.failure === undefined && (before.hasChanged || !isSame),
        failure: undefined,
      });
    } catch (caught) {
      const { message } = ShoalError.from(caught, 'UNAVAILABLE');
      // How long it has said nothing cannot be told across a gap.
      const nowMs = clock.monotonicMs();
      watched.readings.set(pool, {
        ...{ text: before?.text, sinceMs: nowMs, readMs: nowMs, hasChanged: false, failure: message },
      });
    } finally {
      timer.cancel();
    }
  }
}

function wordOf(pool: string, reading: Reading, nowMs: number): PoolWord {
  const { text, sinceMs, readMs, hasChanged, failure } = reading;
  if (failure !== undefined) return { pool, word: 'unknown', reason: failure };
  if (nowMs - readMs > readingMsMax) return { pool, word: 'unknown', reason: 'it was not asked lately' };
  if (text === undefined) return { pool, word: 'never' };
  const quietMs = readMs - sinceMs;
  if (quietMs >= silenceMs) return { pool, word: 'silent' };
  if (hasChanged) return { pool, word: 'says-so' };
  return { pool, word: 'unknown', reason: `it has not been watched for ${silenceMs / 1_000} s yet` };
}
