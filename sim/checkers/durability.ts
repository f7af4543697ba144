/**
 * What is on each member's disk, by the batches that became durable, against what the member says and what is applied.
 * Reads the stored records with the production codec; it knows no more than a power cut would leave.
 */

import type { DiskOp } from '../../node/store/log/disk.ts';
import { entryPlace } from '../../node/store/log/entry-record.ts';
import { headKey } from '../../node/store/log/keys.ts';
import { decodeHead, type Head } from '../../node/store/log/records.ts';
import type { Report } from './invariants.ts';

export class DurabilityChecker {
  readonly #report: Report;
  readonly #heads = new Map<number, Head>();
  /** Who ever had `index/term` on disk. */
  readonly #holders = new Map<string, Set<number>>();
  /** `term/voter`: for whom. */
  readonly #votes = new Map<string, number>();
  /** The last entries that a member's snapshots covered. */
  readonly #covered = new Map<number, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** The head on a member's disk. */
  headOf(node: number): Head | undefined {
    return this.#heads.get(node);
  }

  durable(node: number, ops: readonly DiskOp[]): void {
    for (const { key, value } of ops) {
      if (value === undefined) continue;
      if (key.startsWith('l/')) {
        const entry = entryPlace(key, value);
        if (entry !== undefined) this.holds(node, entry.index, entry.term);
      } else if (key === headKey) {
        const head = decodeHead(key, value);
        if (head === undefined) continue;
        this.#heads.set(node, head);
        this.#covered.set(node, Math.max(this.#covered.get(node) ?? 0, head.startIndex));
      }
    }
  }

  /** For tests: as `durable`, already decoded. */
  holds(node: number, index: number, term: number): void {
    const key = `${index}/${term}`;
    const holders = this.#holders.get(key);
    if (holders === undefined) this.#holders.set(key, new Set([node]));
    else holders.add(node);
  }

  /** For tests: as `durable`, already decoded. */
  hasHead(node: number, head: Head): void {
    this.#heads.set(node, head);
  }

  /** An older copy of the disk was put back: what it holds is there again, nothing else. */
  rolledBack(node: number, rows: readonly DiskOp[]): void {
    this.durable(node, rows);
  }

  wiped(node: number): void {
    this.#heads.delete(node);
  }

  /** A member sends its vote for `candidate`. */
  votes(node: number, term: number, candidate: number): void {
    const head = this.#heads.get(node);
    if (head === undefined || head.term < term || (head.term === term && head.vote !== candidate)) {
      const found = head === undefined ? 'nothing' : `term ${head.term}, vote for ${head.vote}`;
      this.#report(
        'sync-before-send',
        `member ${node} votes for ${candidate} in term ${term}; on its disk is ${found}`,
      );
    }
    const key = `${term}/${node}`;
    const known = this.#votes.get(key);
    if (known !== undefined && known !== candidate) {
      this.#report('one-vote-a-term', `member ${node} voted for ${known} and for ${candidate} in term ${term}`);
    }
    this.#votes.set(key, candidate);
  }

  /** A member acknowledges everything up to `index` to the leader of `term`. */
  acknowledges(node: number, term: number, index: number): void {
    const head = this.#heads.get(node);
    if (head !== undefined && head.term >= term && head.lastIndex >= index) return;
    // An old acknowledgement that is sent again speaks of a log that has since been replaced.
    if (head !== undefined && head.term > term) return;
    const found = head === undefined ? 'nothing' : `term ${head.term}, the log up to ${head.lastIndex}`;
    this.#report('sync-before-send', `member ${node} acknowledges ${index} in term ${term}; on its disk is ${found}`);
  }

  /** An entry is applied for the first time; `memberships`: those that may have decided it. */
  applied(
    index: number,
    term: number,
    memberships: readonly { readonly voters: readonly number[]; readonly votersOutgoing: readonly number[] }[],
  ): void {
    const holders = this.#holders.get(`${index}/${term}`) ?? new Set<number>();
    const has = (id: number): boolean => holders.has(id) || (this.#covered.get(id) ?? 0) >= index;
    const isMajority = (ids: readonly number[]): boolean => ids.filter(has).length * 2 > ids.length;
    const decided = memberships.some(
      ({ voters, votersOutgoing }) => isMajority(voters) && (votersOutgoing.length === 0 || isMajority(votersOutgoing)),
    );
    if (decided || memberships.length === 0) return;
    this.#report(
      'acknowledged-by-quorum',
      `entry ${index}/${term} is applied; of ${memberships.map(({ voters }) => voters.join()).join(' or ')} it is on the disks of ${[...holders].sort().join() || 'nobody'}`,
    );
  }
}
