/** What the detector holds of the other members: of those alone of whom anything has been heard. */
import type { HostId } from '../../base/ids.ts';
import { type Condition, compareIncarnation, type DetectorUpdate, type Incarnation } from './health-update.ts';
import { ObserverRings } from './observer-rings.ts';
import type { Jury, Suspicion } from './suspicion.ts';

export interface Member {
  readonly hostId: HostId;
  condition: Condition;
  /** The newest that the host has said of itself. */
  known: Incarnation;
  suspicion: Suspicion | undefined;
  /** When the suspicion ends unless it is refuted, by the picture of `judgedMs`; Infinity: accusers are too few. */
  endsMs: number;
  judgedMs: number;
  /** When this host last probed it because it is suspected. */
  lookedMs: number;
  /** Whether the last probe was the first one that its kernel did not answer after it had. */
  isLookedAtTwice: boolean;
  /** Whether this host has told the mesh of its own accusation. */
  isTold: boolean;
  /** Its own word that refuted a suspicion: kept for those who missed it. */
  refutation: DetectorUpdate | undefined;
}

/**
 * Hosts of whom one answer to a probe tells: of a dead one by about six words of 230 bytes, of another by one. A host that
 * gossip does not reach while half of a thousand are gone knows of all after some twenty answers.
 */
const toldAtOnce = { dead: 24, refuted: 4 };
/** Hosts held for dead that one request names: 16 KiB of marks, and a mesh that has lost so many at once has other cares. */
const marksMax = 4_096;
/** Words of one dead host: enough to convince. */
const wordsMax = 9;

export class MemberTable {
  readonly #self: HostId;
  readonly #members = new Map<HostId, Member>();
  #rings = new ObserverRings([]);
  #digest: number | undefined = 0;
  #cursor = 0;

  constructor(self: HostId) {
    this.#self = self;
  }

  get rings(): ObserverRings {
    return this.#rings;
  }

  /** Members of whom anything has been heard. */
  all(): IterableIterator<Member> {
    return this.#members.values();
  }

  /** Whether these are other members than before; those who left are forgotten. */
  setRings(rings: ObserverRings): void {
    this.#rings = rings;
    for (const [hostId, member] of this.#members) {
      if (rings.has(hostId)) member.suspicion?.retain((by) => by === this.#self || rings.has(by));
      else this.#members.delete(hostId);
    }
    this.#digest = undefined;
  }

  /** A member, with nothing known of it at first; undefined for a host that is none, and for this host. */
  get(hostId: HostId): Member | undefined {
    const member = this.#members.get(hostId);
    if (member !== undefined || hostId === this.#self || !this.#rings.has(hostId)) return member;
    const made: Member = {
      hostId,
      condition: 'unknown',
      known: { epoch: 0, incarnation: 0 },
      suspicion: undefined,
      endsMs: Number.POSITIVE_INFINITY,
      judgedMs: 0,
      lookedMs: 0,
      isLookedAtTwice: false,
      isTold: false,
      refutation: undefined,
    };
    this.#members.set(hostId, made);
    return made;
  }

  /** A member of whom something has been heard. */
  find(hostId: HostId): Member | undefined {
    return this.#members.get(hostId);
  }

  conditionOf(hostId: HostId): Condition {
    return hostId === this.#self ? 'alive' : (this.#members.get(hostId)?.condition ?? 'unknown');
  }

  /** Whether a host can be asked and watch others. On one accuser's word alone nobody is passed over. */
  isUsable(hostId: HostId): boolean {
    const member = this.#members.get(hostId);
    if (member === undefined || member.suspicion === undefined) return member?.condition !== 'dead';
    return member.condition !== 'dead' && member.suspicion.size < 2 && !member.suspicion.evidenceOf(this.#self);
  }

  /** Who could accuse a host, by the picture from here. */
  juryOf(target: HostId, accusersMin: number): Jury {
    const isUsable = (hostId: HostId): boolean => this.isUsable(hostId);
    const observers = this.#rings.observersOf(target, isUsable);
    const hasUninvolved = this.#rings.uninvolvedIn(target, isUsable, 1, observers).length > 0;
    return { observers, involved: this.#rings.observersOf(target, () => true), hasUninvolved, accusersMin };
  }

  /** A member has died, has come back or has refuted: the newest change is told first. */
  changed(member: Member): void {
    this.#digest = undefined;
    if (this.#members.delete(member.hostId)) this.#members.set(member.hostId, member);
  }

  /**
   * Of whom is held for dead (upper 16 bits) and who has refuted (lower 16 bits): the same on hosts that hold the same.
   * In [0, 2^32).
   */
  digest(): number {
    if (this.#digest !== undefined) return this.#digest;
    let dead = 0;
    let refuted = 0;
    for (const member of this.#members.values()) {
      if (member.condition === 'dead') dead ^= digestOf(member);
      else if (member.known.incarnation > 0) refuted ^= digestOf(member);
    }
    this.#digest = ((dead & 0xffff0000) | (refuted & 0xffff)) >>> 0;
    return this.#digest;
  }

  /** Marks of the hosts held for dead (`markOf`), `marksMax` at most. */
  deadMarks(): readonly number[] {
    return this.#dead()
      .map(({ hostId }) => markOf(hostId))
      .slice(-marksMax);
  }

  /**
   * What another host with that digest may have missed, signed by those who said it; the rest with the next answers.
   * @param marks of those that it holds for dead; none: it did not say.
   */
  updatesFor(digest: number, marks: readonly number[]): readonly DetectorUpdate[] {
    const differs = (digest ^ this.digest()) >>> 0;
    const updates: DetectorUpdate[] = [];
    if (differs >>> 16 !== 0) {
      const held = new Set(marks.slice(0, marksMax));
      const dead = this.#dead().filter(({ hostId }) => !held.has(markOf(hostId)));
      for (const { refutation, suspicion } of this.#someOf(dead, toldAtOnce.dead)) {
        // First what it was accused of knowing: an accusation of an incarnation that nobody has heard of is not heard.
        for (const update of [refutation, ...(suspicion?.accusations ?? []).slice(0, wordsMax)]) {
          if (update?.signed !== undefined) updates.push(update);
        }
      }
    }
    if ((differs & 0xffff) !== 0) {
      const refuted = [...this.#members.values()].filter(({ refutation }) => refutation !== undefined);
      for (const { refutation } of this.#someOf(refuted, toldAtOnce.refuted)) {
        if (refutation?.signed !== undefined) updates.push(refutation);
      }
    }
    return updates;
  }

  #dead(): readonly Member[] {
    return [...this.#members.values()].filter(({ condition }) => condition === 'dead');
  }

  /** A quarter of the newest, the rest of the others in turn. */
  #someOf(members: readonly Member[], count: number): readonly Member[] {
    const newest = members.slice(-count / 4);
    const others = members.slice(0, -count / 4);
    for (let n = 0; n < (count * 3) / 4 && n < others.length; n++) {
      const member = others[this.#cursor++ % others.length];
      if (member !== undefined) newest.push(member);
    }
    return newest;
  }

  /** Whether an update is worth checking its signature: it would change something here. It is not believed yet. */
  isNews(update: DetectorUpdate): boolean {
    if (update.about === this.#self) return true;
    const member = this.#members.get(update.about);
    if (member === undefined) return this.#rings.has(update.about);
    const order = compareIncarnation(update, member.known);
    if (update.kind === 'alive') return order > 0 || (order === 0 && member.condition === 'unknown');
    return order === 0 && member.condition !== 'dead' && member.suspicion?.holds(update) !== true;
  }
}

/** What stands for a host among the dead. Two may have the same, which costs the asker one host that it is not told of. */
function markOf(hostId: HostId): number {
  return Number.parseInt(hostId.slice(0, 8), 16);
}

function digestOf({ hostId, condition, known }: Member): number {
  let digest = condition === 'dead' ? 0x9e3779b9 : 0x7feb352d;
  const words = [
    Number.parseInt(hostId.slice(0, 8), 16),
    known.epoch,
    Math.floor(known.epoch / 2 ** 32),
    known.incarnation,
  ];
  for (const word of words) {
    digest = Math.imul(digest ^ (word >>> 0), 0xcc9e2d51);
    digest = Math.imul(digest ^ (digest >>> 15), 0x1b873593);
    digest ^= digest >>> 13;
  }
  return digest >>> 0;
}
