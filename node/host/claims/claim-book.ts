/**
 * The claims of this host: placement's pure ledger with its durability. Whatever the ledger decides is synced to the host
 * store before it is answered; a restart restores it, and the records of the state bind, adopt and release.
 */

import {
  type Admission,
  type Claim,
  type ClaimKey,
  ClaimLedger,
  type ClaimRecord,
  claimKeyText,
  type HostCapacity,
  type LedgerChange,
  type LedgerUsage,
  type ResourceNeeds,
} from '../../../placement/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Clock } from '../../base/clock.ts';
import type { ServerId } from '../../base/ids.ts';
import { needsOf } from '../../cluster/resource-needs.ts';
import { formerFlavor, holdsFormerRoom, liveMove } from '../../services/kit/server-move.ts';
import { bootsFromVolume } from '../../services/volume/records/server-disks.ts';
import { notesLostKey } from '../../store/host/host-record.ts';
import type { HostStore } from '../../store/host/host-store.ts';
import { RevisionFence } from '../outage/revision-fence.ts';

const markUnboundClaimRestored = coverageMark('unbound-claim-restored', 'a start finds a claim that nobody has bound');
const failpointClaimsBeforeAdmission = failpoint('claims.before-admission', 'a host is about to decide about a claim');
const markClaimRefused = coverageMark('claim-refused', 'a host has no room');
const failpointClaimsAdmittedNotAnswered = failpoint(
  'claims.admitted-not-answered',
  'a claim is durable, and nobody was told',
);
const markClaimReleasedByRecord = coverageMark('claim-released-by-record', 'a claim ends with its record');
const markClaimAdopted = coverageMark(
  'claim-adopted',
  'a host finds itself responsible for a server of which it has no claim',
);
const markClaimLapsed = coverageMark(
  'claim-lapsed',
  'a server is bound after its claim has ended, and its room is taken',
);

/** What an unbound claim, or the memory of one that has ended, gets after a restart, ms: the longest that either lasts. */
const restoredTtlMs = 120_000;

/** The claims of a host, as those see them who ask for room and who keep the host. */
export type Claims = Pick<ClaimBook, 'usage' | 'admit' | 'withdraw' | 'release' | 'follow'>;

/** See above. All methods are safe to call again after a crash. */
export class ClaimBook {
  readonly #ledger: ClaimLedger;
  readonly #store: HostStore;
  readonly #revisionFence: RevisionFence;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #isApart: (name: string) => boolean | undefined;
  /** What the wall clock showed when the monotonic one stood at 0, as of this start. */
  readonly #startMs: number;
  /** Before, nothing is admitted: claims may have been forgotten that somebody counts on. */
  readonly #admitsFromMs: number;

  constructor(
    deps: {
      readonly store: HostStore;
      readonly clock: Clock;
      readonly onChange: () => void;
      /** Whether disks in the pool take nothing of the host's own disk; undefined: this host has none of that name. */
      readonly isApart: (name: string) => boolean | undefined;
    },
    capacity: HostCapacity,
  ) {
    this.#store = deps.store;
    this.#revisionFence = new RevisionFence(deps.store);
    this.#clock = deps.clock;
    this.#onChange = deps.onChange;
    this.#isApart = deps.isApart;
    const nowMs = deps.clock.nowMs();
    this.#startMs = nowMs - deps.clock.monotonicMs();
    const hasLost = deps.store.get(notesLostKey) !== undefined;
    this.#admitsFromMs = hasLost ? Math.floor(nowMs) + restoredTtlMs : 0;
    const stored = deps.store.entries('claim/').map(([, value]) => value as ClaimRecord);
    // How long the agent was away cannot be told: the wall clock may have been set meanwhile.
    const restored = stored.map((record) =>
      record.state === 'bound' ? record : { ...record, expiresAtMs: Math.floor(nowMs) + restoredTtlMs },
    );
    if (stored.some((record) => record.state === 'admitted')) markUnboundClaimRestored();
    this.#ledger = ClaimLedger.restore(capacity, restored);
  }

  usage(): LedgerUsage {
    return this.#ledger.usage();
  }

  /** Decides, and is durable before it answers. `ttlMs`: how long the claim waits to be bound. */
  async admit(claim: Omit<Claim, 'expiresAtMs'>, ttlMs: number): Promise<Admission> {
    const nowMs = this.#nowMs();
    await this.#persist(this.#ledger.expire(nowMs).changes);
    if (nowMs < this.#admitsFromMs) return lostNotes(Math.ceil((this.#admitsFromMs - nowMs) / 1000));
    if (this.#store.get(notesLostKey) !== undefined) await this.#store.write([{ key: notesLostKey, value: undefined }]);
    failpointClaimsBeforeAdmission();
    const admission = this.#ledger.admit({ ...claim, expiresAtMs: nowMs + ttlMs }, nowMs);
    if (admission.outcome === 'refused') markClaimRefused();
    await this.#persist(admission.changes);
    failpointClaimsAdmittedNotAnswered();
    return admission;
  }

  /** An asker gives its claim back. What is bound, or was admitted for another asker as well, stays. */
  async withdraw(serverId: ServerId, generation: number, asker: string): Promise<void> {
    const { changes } = this.#ledger.withdraw({ serverId, generation }, asker, this.#nowMs());
    await this.#persist(changes);
  }

  /** Ends a claim, bound or not. */
  async release(serverId: ServerId, generation: number): Promise<void> {
    await this.#persist(this.#ledger.release({ serverId, generation }, this.#nowMs()).changes);
  }

  /**
   * Brings the ledger in line with the records of this host: what is recorded here is bound (adopted when the ledger does
   * not know it), what was bound and is recorded here no more is released, what waited too long expires.
   *
   * A record may come after its claim has ended, when the agent that placed the server stood still in between. A server
   * whose guest is here is a fact and is adopted, come what may; any other only if there is room for it still.
   *
   * @param revision of the records. A replica older than the one that the ledger has followed (a wiped disk, a crash
   *   before the last rows were written) does not know what runs here: nothing is released on its word.
   * @param isHere whether this host has a guest of the server.
   * @param isUnreadable whether the server has a record that cannot be read: it may be of this host, so its claim stays.
   * @returns the servers that there is no room for any more, with the reason. They must not be started.
   */
  async follow(
    servers: readonly shoal.v1.Server[],
    selfId: string,
    revision: number,
    isHere: (serverId: string) => boolean,
    isUnreadable: (serverId: string) => boolean,
  ): Promise<ReadonlyMap<string, string>> {
    await this.#persist(this.#ledger.expire(this.#nowMs()).changes);
    const isOld = this.#revisionFence.isAheadOf(revision);
    // Whatever can throw comes before the ledger changes: a change that memory has and the disk has not gives room away twice.
    const here = this.#recordedHere(servers, selfId, isHere);
    const known = new Map(this.#ledger.records().map((record) => [claimKeyText(record), record]));
    const ended = [...known].filter(
      ([text, record]) => record.state === 'bound' && !here.has(text) && !isOld && !isUnreadable(record.serverId),
    );
    const lapsed = new Map<string, string>();
    const changes: LedgerChange[] = [];
    const bound: LedgerChange[] = [];
    for (const [, record] of ended) {
      markClaimReleasedByRecord();
      changes.push(...this.#ledger.release(record, this.#nowMs()).changes);
    }
    for (const [text, { key, needs, groupId, isGuestHere }] of here) {
      const record = known.get(text);
      if (record?.state === 'bound') continue;
      if (record?.state === 'admitted') {
        bound.push(...this.#ledger.bind(key).changes);
        continue;
      }
      markClaimAdopted();
      const adopted = isGuestHere
        ? this.#ledger.adopt(key, needs, groupId)
        : this.#ledger.adoptWithin(key, needs, groupId);
      if (adopted.outcome === 'refused') {
        markClaimLapsed();
        lapsed.set(key.serverId, adopted.text);
      } else changes.push(...adopted.changes);
    }
    await this.#persist(changes, { bound, ...(isOld ? {} : { revision }) });
    return lapsed;
  }

  /** The servers that hold room here by the records, by the key of their claim. */
  #recordedHere(
    servers: readonly shoal.v1.Server[],
    selfId: string,
    isHere: (serverId: string) => boolean,
  ): ReadonlyMap<string, RecordedHere> {
    const here = new Map<string, RecordedHere>();
    for (const server of servers) {
      const isFormer = server.previousHostId === selfId && holdsFormerRoom(server);
      const add = (generation: number, flavor: shoal.v1.Flavor | null, isGuestHere: boolean): void => {
        const key = { serverId: server.id as ServerId, generation };
        const { storage, serverGroupId: groupId } = server;
        const needs = needsOf({ flavor, storage, hasRootVolume: bootsFromVolume(server) }, this.#isApart);
        here.set(claimKeyText(key), { key, needs, groupId, isGuestHere });
      };
      // A server that is leaving holds its room until its host has let it go, and until it cannot come back any more.
      if (isFormer) add(server.generation - 1, formerFlavor(server), true);
      // Of a server that is on its way here while it runs, too.
      if (server.hostId !== selfId && liveMove(server)?.targetHostId === selfId) {
        add(server.generation + 1, server.flavor, false);
      }
      // What waited for it here has its memory until it is gone.
      if (server.discardHostId === selfId && server.hostId !== selfId) {
        add(server.discardGeneration, server.flavor, true);
      }
      if (server.hostId === selfId) add(server.generation, server.flavor, !isFormer && isHere(server.id));
    }
    return here;
  }

  /** Time for expiry: goes on with the monotonic clock, so that setting the wall clock ends no claim early or late. */
  #nowMs(): number {
    return Math.floor(this.#startMs + this.#clock.monotonicMs());
  }

  /** `bound`: claims that are bound now, which moves no room, so that the mesh need not hear of it. */
  async #persist(
    changes: readonly LedgerChange[],
    { bound = [], revision }: { readonly bound?: readonly LedgerChange[]; readonly revision?: number } = {},
  ): Promise<void> {
    if (changes.length === 0 && bound.length === 0) return;
    await this.#store.write([
      ...[...changes, ...bound].map((change) =>
        change.kind === 'put'
          ? { key: storeKey(change.record), value: change.record }
          : { key: storeKey(change.key), value: undefined },
      ),
      ...(revision === undefined ? [] : this.#revisionFence.writes(revision)),
    ]);
    if (changes.length > 0) this.#onChange();
  }
}

/** A server that holds room on this host by its record. */
interface RecordedHere {
  readonly key: ClaimKey;
  readonly needs: ResourceNeeds;
  readonly groupId: string;
  /** Its guest is on this host. */
  readonly isGuestHere: boolean;
}

/** A forgotten claim has ended after that, or its server is recorded here and adopted. */
function lostNotes(seconds: number): Admission {
  const text = `this host has lost notes of claims, and admits no new ones for ${seconds} s`;
  return { outcome: 'refused', why: 'overloaded', text, changes: [] };
}

function storeKey(key: { readonly serverId: ServerId; readonly generation: number }): string {
  return `claim/${key.serverId}/${key.generation}`;
}
