/** What tenants were told of servers that they made and deleted, against what became of these. */
import { shoal } from '../../proto/messages.ts';
import { checkPromises } from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import type { Placements } from '../trace/watcher.ts';

const { ServerStatus } = shoal.v1;

export class Promises {
  readonly #report: Report;
  readonly #created = new Set<string>();
  /** Deletions that were asked for. */
  readonly #deleting = new Set<string>();
  /** Deletions that were acknowledged. */
  readonly #deleted = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** A creation was acknowledged. */
  created(serverId: string): void {
    this.#created.add(serverId);
  }

  /** A deletion is about to be asked for: from now on the server may go. */
  deleting(serverId: string): void {
    this.#deleting.add(serverId);
  }

  /** A deletion was acknowledged. */
  deleted(serverId: string): void {
    this.#deleted.add(serverId);
  }

  /** Whether what was told is so, once all is quiet and these servers are recorded. */
  check(recorded: ReadonlySet<string>): void {
    checkPromises({ created: this.#created, deleting: this.#deleting, deleted: this.#deleted }, recorded, this.#report);
  }

  /** What became of what tenants made, where these servers are recorded. */
  placements(servers: readonly shoal.v1.Server[]): Placements {
    const records = new Map(servers.map((record) => [record.id, record]));
    const counts = { created: this.#created.size, deleted: this.#deleted.size, kept: 0, inError: 0, lost: 0 };
    for (const id of this.#created) {
      const record = records.get(id);
      if (record === undefined) counts.lost += this.#deleting.has(id) ? 0 : 1;
      else if (record.status === ServerStatus.SERVER_STATUS_ERROR) counts.inError += 1;
      else counts.kept += 1;
    }
    return counts;
  }
}
