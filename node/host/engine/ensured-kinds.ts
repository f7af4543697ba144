/**
 * Kinds whose things are specs: ensured while they are wanted, removed when they are known to be ours and are gone from the
 * records. Every pass sees what has gone from the host and makes it again; what is there is looked at in full when its spec
 * has changed, and by turns when asked to `recheck`.
 *
 * "Known to be ours" is a note in the host store, made before a thing is first ensured, with the revision of the state
 * that asked for it. Only a state at least as new may have it removed; what carries no note was made by somebody else
 * and is left alone. So neither an empty state nor an old one can take anything from under a guest.
 */
import { isDeepStrictEqual } from 'node:util';
import { coverageMark } from '../../base/buggify/buggify.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { SyncFailure } from '../../services/kit/host-network-view.ts';
import type { HostStore } from '../../store/host/host-store.ts';

const markNetworkChangedByOthers = coverageMark(
  'network-changed-by-others',
  'somebody else had changed the network of a host, and the host has seen it',
);

/**
 * Calls of `recheck` until everything has been looked at again. One look at one port asks the kernel several times, by a
 * process each (20-60 ms of processor): a host with many guests would do little else if it looked at all of them each time.
 */
const rechecksForAll = 6;

/** What the records want of this host, at one revision. */
interface WantedView {
  readonly revision: number;
  /** What could not be worked out. */
  readonly failures: readonly SyncFailure[];
  /** Ids of what is in the records and not wanted above, since a record cannot be read: never removed. */
  readonly kept: ReadonlySet<string>;
}

/** One thing that is wanted. */
interface EnsuredThing {
  readonly id: string;
  /** What it is to be like: ensured again when this changes. The same object while nothing does. */
  readonly spec: object;
  /** Idempotent. */
  ensure(signal: AbortSignal): Promise<void>;
}

/** How things of a kind go. Absent from a kind: they go with something else. */
interface Removal<View, Found> {
  /** Ids on the host that nothing may use any more, as of what was found. */
  removable(found: Found, view: View, inUse: ReadonlySet<string>): readonly string[];
  remove(id: string, signal: AbortSignal): Promise<void>;
}

/** One kind. */
export interface EnsuredKind<View, Found> {
  /** "network". Names notes in the host store: forever. */
  readonly name: string;
  wanted(view: View): readonly EnsuredThing[];
  /** Which of what is wanted is not whole on the host. */
  missing(view: View, found: Found): readonly string[];
  readonly removal?: Removal<View, Found>;
}

/** What the host is asked. */
interface EnsuredDeps<Found> {
  /** Everything of these kinds that is on the host. */
  readonly found: (signal: AbortSignal) => Promise<Found>;
  /** How often `ensure` had to change something so far. */
  readonly changes: () => number;
  readonly store: HostStore;
  readonly logger: Logger;
}

/** Runs a part of a pass; its failure is noted, and the others go on. */
type Attempt = (what: string, run: () => Promise<void>) => Promise<void>;

/** Brings a host to a view. One pass at a time. */
export class EnsuredKinds<View extends WantedView, Found> {
  readonly #deps: EnsuredDeps<Found>;
  readonly #kinds: readonly EnsuredKind<View, Found>[];
  /** What was last ensured in this process, that of longest ago first: an unchanged spec costs nothing. */
  readonly #applied = new Map<string, object>();
  /** What was applied and is to be looked at again. */
  readonly #toRecheck = new Map<string, object>();
  readonly #orphansTold = new Set<string>();

  /** @param kinds in the order in which they are ensured; they are removed in the opposite one. */
  constructor(deps: EnsuredDeps<Found>, kinds: readonly EnsuredKind<View, Found>[]) {
    this.#deps = deps;
    this.#kinds = kinds;
  }

  /**
   * Has the next pass look again at what nobody has looked at for longest: one part in `rechecksForAll`. Should any of that
   * have been changed by somebody else (a firewall that was loaded again), that pass looks at everything.
   */
  recheck(): void {
    let left = Math.ceil(this.#applied.size / rechecksForAll);
    for (const [key, spec] of this.#applied) {
      if (left === 0) return;
      left -= 1;
      this.#applied.delete(key);
      this.#toRecheck.set(key, spec);
    }
  }

  /**
   * One pass. What is `inUse` (ids) is never removed. Failures of single things do not stop the others; they are returned.
   */
  async sync(view: View, inUse: ReadonlySet<string>, signal: AbortSignal): Promise<SyncFailure[]> {
    const failures: SyncFailure[] = [...view.failures];
    const attempt: Attempt = async (what, run) => {
      try {
        await run();
      } catch (error) {
        failures.push({ what, error });
      }
    };
    await this.#carry(view);
    let found: Found | undefined;
    await attempt('found', async () => {
      found = await this.#deps.found(signal);
    });
    if (found !== undefined) this.#forgetMissing(view, found);
    if (await this.#ensureAll(view, attempt, signal)) {
      markNetworkChangedByOthers();
      this.#deps.logger.warn(
        {},
        'the network was changed by something other than this agent; all of it is checked again',
      );
      this.#applied.clear();
      await this.#ensureAll(view, attempt, signal);
    }
    if (found !== undefined) await this.#remove({ view, found, inUse }, attempt, signal);
    return failures;
  }

  /** Ensures what the host has not been told yet. True: something that it had been told was not so any more. */
  async #ensureAll(view: View, attempt: Attempt, signal: AbortSignal): Promise<boolean> {
    let hasDrifted = false;
    for (const kind of this.#kinds) {
      for (const { id, spec, ensure } of kind.wanted(view)) {
        const key = `${kind.name}/${id}`;
        if (this.#isApplied(key, spec)) continue;
        await attempt(key, async () => {
          const changes = this.#deps.changes();
          await ensure(signal);
          const before = this.#toRecheck.get(key);
          if (before !== undefined && this.#deps.changes() !== changes && isDeepStrictEqual(before, spec))
            hasDrifted = true;
          this.#drop(key);
          this.#applied.set(key, spec);
        });
      }
    }
    return hasDrifted;
  }

  /** Whether the host has been told just this. Most of a view is as it was in the pass before. */
  #isApplied(key: string, spec: object): boolean {
    const applied = this.#applied.get(key);
    if (applied === undefined) return false;
    if (applied === spec) return true;
    if (!isDeepStrictEqual(applied, spec)) return false;
    // What makes views hands out the same object while nothing changes: the next comparison is quick.
    this.#applied.set(key, spec);
    return true;
  }

  /** What was made once and is not there any more is made again in this pass. */
  #forgetMissing(view: View, found: Found): void {
    for (const kind of this.#kinds)
      for (const id of kind.missing(view, found)) this.#applied.delete(`${kind.name}/${id}`);
  }

  /** Notes what is about to be carried, before any of it is made. */
  async #carry(view: View): Promise<void> {
    const keys = this.#kinds
      .filter(({ removal }) => removal !== undefined)
      .flatMap((kind) => kind.wanted(view).map(({ id }) => carriedKey(kind.name, id)))
      .filter((key) => this.#deps.store.get(key) === undefined);
    if (keys.length === 0) return;
    await this.#deps.store.write(keys.map((key) => ({ key, value: { revision: view.revision } })));
  }

  /** What was made last goes first: nothing goes while something is on it. */
  async #remove(
    seen: { readonly view: View; readonly found: Found; readonly inUse: ReadonlySet<string> },
    attempt: Attempt,
    signal: AbortSignal,
  ): Promise<void> {
    const { view, found, inUse } = seen;
    for (const { name, removal, wanted } of [...this.#kinds].reverse()) {
      if (removal === undefined) continue;
      const stays = new Set(wanted(view).map(({ id }) => id));
      for (const id of removal.removable(found, view, inUse)) {
        if (stays.has(id) || inUse.has(id) || !this.#mayRemove(name, id, view)) continue;
        await attempt(`${name}/${id}`, async () => {
          await removal.remove(id, signal);
          for (const kind of this.#kinds) if (kind.removal === undefined) this.#drop(`${kind.name}/${id}`);
          this.#drop(`${name}/${id}`);
          await this.#deps.store.write([{ key: carriedKey(name, id), value: undefined }]);
        });
      }
    }
  }

  #mayRemove(name: string, id: string, view: View): boolean {
    if (view.kept.has(id)) return false;
    const note = this.#deps.store.get(carriedKey(name, id)) as { readonly revision: number } | undefined;
    if (note !== undefined) return view.revision >= note.revision;
    const told = `${name}/${id}`;
    if (!this.#orphansTold.has(told)) {
      this.#orphansTold.add(told);
      this.#deps.logger.warn({ kind: name, id }, 'found on this host without a record of ours; left alone');
    }
    return false;
  }

  #drop(key: string): void {
    this.#applied.delete(key);
    this.#toRecheck.delete(key);
  }
}

function carriedKey(name: string, id: string): string {
  return `carried/${name}/${id}`;
}
