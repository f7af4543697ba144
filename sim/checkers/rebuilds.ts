/** What a host does on the word of records, in order: never by older ones than those that it has followed. */
import type { Report } from './invariants.ts';

export class RebuildChecker {
  readonly #report: Report;
  /** By host: servers that it has taken away because a committed record said so. */
  readonly #taken = new Map<string, Set<string>>();

  constructor(report: Report) {
    this.#report = report;
  }

  /**
   * A host removes a guest or its disk.
   * @param isAskedFor a committed record says that the server is to be deleted, or there is none any more.
   */
  removes(host: string, serverId: string, isAskedFor: boolean): void {
    if (!isAskedFor) return;
    const taken = this.#taken.get(host);
    if (taken === undefined) this.#taken.set(host, new Set([serverId]));
    else taken.add(serverId);
  }

  /** A host makes a disk of a server, or starts its guest. */
  builds(host: string, what: string, serverId: string): void {
    if (this.#taken.get(host)?.has(serverId) !== true) return;
    this.#report('stale-slice-never-acts', `${host} makes the ${what} of server ${serverId}, which it has taken away`);
  }
}
