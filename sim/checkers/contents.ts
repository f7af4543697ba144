/** What volumes hold, followed from what was written to them: on words that stand for contents, so that hand-made ones prove the checks. */
import type { Report } from './invariants.ts';

/** A snapshot of a volume in a snapshot of its group. */
interface MemberSnapshot {
  readonly volumeId: string;
  /** What it holds. */
  readonly content: string;
}

/** From which change to which a volume held a content; changes of all volumes are counted together. */
interface Span {
  readonly from: number;
  until: number;
}

/** Spans that are remembered of one volume: snapshots of groups are judged soon after they were made. */
const spansMax = 1_000;

/** Follows what each volume is to hold, wherever it is. */
export class ContentChecker {
  readonly #report: Report;
  /** What each may hold; absent: nobody was promised anything. */
  readonly #may = new Map<string, ReadonlySet<string>>();
  /** By volume and content, in order; a content that came twice has the later one. */
  readonly #spans = new Map<string, Map<string, Span>>();
  readonly #now = new Map<string, Span>();
  #changes = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** A write of its guest was taken. */
  writes(volumeId: string, content: string): void {
    this.becomes(volumeId, [content]);
  }

  /** From now on it holds one of these: it was made of them, put back to them, or filled with them. */
  becomes(volumeId: string, contents: Iterable<string>): void {
    const may = new Set(contents);
    this.#may.set(volumeId, may);
    this.#changes += 1;
    const before = this.#now.get(volumeId);
    if (before !== undefined) before.until = this.#changes;
    const span = { from: this.#changes, until: Number.POSITIVE_INFINITY };
    this.#now.set(volumeId, span);
    const spans = this.#spans.get(volumeId) ?? new Map<string, Span>();
    for (const content of may) spans.set(content, span);
    const [oldest] = spans.keys();
    if (spans.size > spansMax && oldest !== undefined) spans.delete(oldest);
    this.#spans.set(volumeId, spans);
  }

  /** What it holds is nobody's promise, until it is written to. */
  forget(volumeId: string): void {
    this.#may.delete(volumeId);
    this.#spans.delete(volumeId);
    this.#now.delete(volumeId);
  }

  /** What it may hold; undefined: anything. */
  contentsOf(volumeId: string): ReadonlySet<string> | undefined {
    return this.#may.get(volumeId);
  }

  /** @param content what it holds at the place that its record names; undefined: there is no disk. */
  holds(volumeId: string, place: string, content: string | undefined): void {
    const may = this.#may.get(volumeId);
    if (may === undefined || (content !== undefined && may.has(content))) return;
    const holds = content === undefined ? 'is not there' : `holds "${content}"`;
    this.#report(
      'volume-keeps-its-content',
      `volume ${volumeId} in ${place} ${holds}, and not "${[...may].join('" or "')}"`,
    );
  }

  /** A snapshot of a group is there. @param members those of one host. */
  groupKept(groupSnapshotId: string, members: readonly MemberSnapshot[]): void {
    let [from, until] = [0, Number.POSITIVE_INFINITY];
    for (const { volumeId, content } of members) {
      // Of one that is not remembered nothing is judged.
      const span = this.#spans.get(volumeId)?.get(content);
      from = Math.max(from, span?.from ?? 0);
      until = Math.min(until, span?.until ?? Number.POSITIVE_INFINITY);
    }
    if (from < until) return;
    const held = members.map(({ volumeId, content }) => `${volumeId} "${content}"`).join(', ');
    this.#report(
      'group-kept-at-one-instant',
      `group snapshot ${groupSnapshotId} has ${held}, which were never there at once`,
    );
  }
}
