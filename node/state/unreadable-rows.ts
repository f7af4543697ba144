/**
 * Rows whose bytes are no record of their table. Nothing here writes one; an older version did, or a disk that was trusted
 * too long. Lists leave such a row out and note it here, so that one of them takes nothing else away and an operator hears
 * of it: in the log, in `/healthz`, in a metric, and from `shoal record list`, which also says how to remove it.
 */
import type { StateReader } from './types.ts';

/** Rows remembered; the first ones found. More would say nothing more. */
const rowsMax = 1000;

/** One such row. */
export interface UnreadableRow {
  readonly table: string;
  readonly id: string;
  /** Its key in the state. */
  readonly key: string;
  /** Revision that last wrote it. */
  readonly revision: number;
  /** What reading it ran into. */
  readonly why: string;
}

/** What has been found so far. */
class UnreadableRows {
  readonly #byKey = new Map<string, UnreadableRow>();
  readonly #listeners = new Set<(row: UnreadableRow) => void>();

  /** Tells `listener` of each row once, when it is first met. */
  onFound(listener: (row: UnreadableRow) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  note(row: UnreadableRow): void {
    const known = this.#byKey.get(row.key);
    if (known?.revision === row.revision || (known === undefined && this.#byKey.size >= rowsMax)) return;
    this.#byKey.set(row.key, row);
    for (const listener of this.#listeners) listener(row);
  }

  /** Those that are in the state still; others are forgotten. */
  in(reader: StateReader): readonly UnreadableRow[] {
    for (const { key, revision } of this.#byKey.values()) {
      if (reader.get(key)?.revision !== revision) this.#byKey.delete(key);
    }
    return [...this.#byKey.values()];
  }
}

/** Those of this process, whichever state they are in: `in` tells which are in one. */
export const unreadableRows = new UnreadableRows();
