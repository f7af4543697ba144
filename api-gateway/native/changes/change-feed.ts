/** Changes of records as streams tell them: what each is, and whose. Each is read once, however many streams hear of it. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { StateClient, StateEvent } from '../../../node/state/types.ts';
import { type ChangedKind, changedKinds } from './kinds.ts';

/** Where all records are. */
const recordsPrefix = 't/';

/** One change. */
export interface Change {
  readonly kind: string;
  readonly id: string;
  readonly isDeleted: boolean;
  readonly isMesh: boolean;
  /** Undefined: it was deleted before anybody here knew whose it was. */
  readonly projectId: string | undefined;
}

/** See above. One for an agent. */
export class ChangeFeed {
  readonly #state: StateClient;
  readonly #kinds = new Map<string, ChangedKind>(changedKinds.map((kind) => [kind.prefix, kind]));
  /** Whose each thing is, by its key: a deletion does not say it any more. Empty while nobody listens. */
  readonly #owners = new Map<string, string>();
  /** All watchers are given the same events. */
  readonly #read = new WeakMap<StateEvent, Change | null>();
  #listeners = 0;

  constructor(state: StateClient) {
    this.#state = state;
  }

  /** The revision that this agent has come to. */
  get revision(): number {
    return this.#state.status().appliedIndex;
  }

  /**
   * Tells of each revision's changes, in order, none left out. Throws `STALE` when the history does not reach back that far.
   * @param afterRevision undefined: from now on.
   */
  listen(
    afterRevision: number | undefined,
    listener: (revision: number, changes: readonly Change[]) => void,
  ): { close(): void } {
    if (this.#listeners === 0) this.#learnOwners();
    this.#listeners += 1;
    const forget = (): void => {
      this.#listeners -= 1;
      if (this.#listeners === 0) this.#owners.clear();
    };
    try {
      const watch = this.#state.watch(
        { prefix: recordsPrefix, ...(afterRevision === undefined ? {} : { afterRevision }) },
        (events) => this.#tell(events, listener),
      );
      return {
        close: () => {
          watch.close();
          forget();
        },
      };
    } catch (caught) {
      forget();
      throw caught;
    }
  }

  #learnOwners(): void {
    for (const { prefix, owners } of changedKinds) {
      for (const [id, projectId] of owners(this.#state.local)) this.#owners.set(keyOf(prefix, id), projectId);
    }
  }

  #tell(events: readonly StateEvent[], listener: (revision: number, changes: readonly Change[]) => void): void {
    let revision: number | undefined;
    let changes: Change[] = [];
    for (const event of events) {
      // A snapshot tells of many revisions at once.
      if (revision !== undefined && event.revision !== revision && changes.length > 0) {
        listener(revision, changes);
        changes = [];
      }
      ({ revision } = event);
      const change = this.#changeOf(event);
      if (change !== null) changes.push(change);
    }
    if (revision !== undefined && changes.length > 0) listener(revision, changes);
  }

  #changeOf(event: StateEvent): Change | null {
    const known = this.#read.get(event);
    if (known !== undefined) return known;
    const read = this.#readEvent(event);
    this.#read.set(event, read);
    return read;
  }

  #readEvent({ key, value }: StateEvent): Change | null {
    const prefix = key.slice(0, key.indexOf('/', recordsPrefix.length) + 1);
    const kind = this.#kinds.get(prefix);
    if (kind === undefined) return null;
    const about = { kind: kind.name, id: decodeURIComponent(key.slice(prefix.length)), isMesh: kind.isMesh };
    if (value === undefined) {
      const projectId = this.#owners.get(key);
      this.#owners.delete(key);
      return { ...about, isDeleted: true, projectId };
    }
    try {
      const projectId = kind.projectOf(value);
      this.#owners.set(key, projectId);
      return { ...about, isDeleted: false, projectId };
    } catch (caught) {
      // Lists leave such a record out as well.
      if (ShoalError.is(caught, 'RECORD_UNREADABLE')) return null;
      throw caught;
    }
  }
}

/** Ids of these kinds are plain. */
function keyOf(prefix: string, id: string): string {
  return `${prefix}${id}`;
}
