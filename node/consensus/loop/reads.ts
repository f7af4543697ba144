/** Linearizable reads that wait for their read point. All that come within one turn of the loop share one. */

import { coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RawNode } from '../../raft/index.ts';
import { notLeader } from './refusals.ts';

const markReadFailed = coverageMark('read-failed', 'a read under way is given up');

/** Reads that wait, at most; each is a caller's promise and nothing more. */
const readsMax = 16_384;

interface Read {
  readonly resolve: (index: number) => void;
  readonly reject: (error: ShoalError) => void;
}

/** At most 16,384 at a time. A promise settles by `answered` or `fail`, never by itself: the loop keeps the time. */
export class Reads {
  #queued: Read[] = [];
  /** By the name given to the core. */
  readonly #asked = new Map<number, { readonly reads: readonly Read[]; readonly startedMs: number }>();
  #nextName = 1;
  #count = 0;

  /** Without an answer, queued or asked. */
  get count(): number {
    return this.#count;
  }

  /** Resolves with the index up to which the state must be applied. */
  add(): Promise<number> {
    if (this.#count >= readsMax) {
      return Promise.reject(
        new ShoalError('RATE_LIMITED', 'Too many reads wait already.', { facts: { waiting: this.#count } }),
      );
    }
    this.#count += 1;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#queued.push({ resolve, reject });
    return promise;
  }

  /** Asks the core for the read point of what is queued. Rejects everything that waits when the core does not take it. */
  giveTo(core: RawNode, nowMs: number): void {
    if (this.#queued.length === 0) return;
    const context = this.#nameQueued(nowMs);
    const { raft } = core;
    const refusal = raft.role === 'leader' ? core.readIndex(context) : 'not-leader';
    if (refusal !== undefined) this.fail(notLeader(raft.leader), Number.POSITIVE_INFINITY, true);
  }

  /** The core has answered. Names of others are ignored. */
  answered(context: Uint8Array, index: number): void {
    if (context.length !== 8) return;
    const name = new DataView(context.buffer, context.byteOffset).getFloat64(0);
    const asked = this.#asked.get(name);
    if (asked === undefined) return;
    this.#asked.delete(name);
    this.#count -= asked.reads.length;
    for (const read of asked.reads) read.resolve(index);
  }

  /** Rejects all that were asked at or before `startedMs`, and the queue too when `alsoQueued`. */
  fail(error: ShoalError, startedMs: number, alsoQueued: boolean): void {
    const failed: Read[] = [];
    for (const [name, asked] of this.#asked) {
      if (asked.startedMs > startedMs) continue;
      this.#asked.delete(name);
      markReadFailed();
      failed.push(...asked.reads);
    }
    if (alsoQueued) {
      failed.push(...this.#queued);
      this.#queued = [];
    }
    this.#count -= failed.length;
    for (const read of failed) read.reject(error);
  }

  /** Names what is queued, for the core. */
  #nameQueued(nowMs: number): Uint8Array {
    const name = this.#nextName;
    this.#nextName += 1;
    this.#asked.set(name, { reads: this.#queued, startedMs: nowMs });
    this.#queued = [];
    const context = new Uint8Array(8);
    new DataView(context.buffer).setFloat64(0, name);
    return context;
  }
}
