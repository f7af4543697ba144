/** The eye on slices: what subscribers and replicas say to one another, and what is read of a slice. */

import type { SliceReply, SliceRequest } from '../../node/slices/slice-channel.ts';
import type { PartOfState } from '../../node/state/slices/partial-reader.ts';
import { PartialReader } from '../../node/state/slices/partial-reader.ts';
import type { SliceTerm } from '../../node/state/slices/slice-terms.ts';
import { prefixEnd } from '../../node/state/table.ts';
import { hostTable, imageTable, networkTable, portTable, serverTable } from '../../node/state/tables/index.ts';
import type { SliceChecker } from '../checkers/slices.ts';

/** What an API lists: of some a host holds all rows, of others its own. */
const listed = [serverTable, portTable, networkTable, hostTable, imageTable] as const;

/** One subscription, as the wire carries it. */
export class SubscriptionEye {
  readonly #checker: SliceChecker;
  readonly #name: string;
  /** The terms of the slice that it begins with; undefined: that is not judged, or not any more. */
  #terms: Set<SliceTerm> | undefined;
  #fromRevision = 0;
  readonly #told = new Set<string>();

  /** @param name who subscribes to whom. */
  constructor(checker: SliceChecker, name: string) {
    this.#checker = checker;
    this.#name = name;
  }

  /** The subscriber says something. */
  says(request: SliceRequest): void {
    if (request.kind === 'subscribe' && request.revision > 0) {
      this.#terms = new Set(request.held);
      this.#fromRevision = request.revision;
    }
    if (request.kind === 'change') for (const term of request.remove) this.#terms?.delete(term);
  }

  /** It hears something. */
  hears(reply: SliceReply): void {
    const terms = this.#terms;
    if (terms === undefined || reply.kind === 'status') return;
    // What a repair comes to is judged by the slice that it makes.
    if (reply.kind === 'ask-digests') this.#terms = undefined;
    if (reply.kind !== 'piece') return;
    const { puts, deletes, revision, isWhole } = reply.delta;
    for (const { key } of puts) this.#told.add(key);
    for (const key of deletes) this.#told.add(key);
    if (!isWhole) return;
    this.#terms = undefined;
    this.#checker.resumed({
      name: this.#name,
      fromRevision: this.#fromRevision,
      toRevision: revision,
      terms: [...terms],
      told: this.#told,
    });
  }
}

/** Reads of a slice what an API lists, as one does that no replica answers. */
export function readPart(checker: SliceChecker, life: string, part: PartOfState): void {
  for (const { prefix: start } of listed) {
    const reader = new PartialReader(part);
    const end = prefixEnd(start);
    const rows = reader.range(start, end);
    checker.answered({ life, revision: part.revision, start, end, rows, isMarked: reader.hasMissed });
  }
}
