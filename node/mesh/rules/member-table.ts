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
  /** Whether this host has told the mesh of its own accusation. */
  isTold: boolean;
  /** Its own word that refuted a suspicion: kept for those who missed it. */
  refutation: DetectorUpdate | undefined;
}

/** Health updates that one answer to a probe carries: 64 of about 230 bytes. */
const updatesPerAnswerMax = 64;

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
    return {
      observers: this.#rings.observersOf(target, isUsable),
      hasUninvolved: this.#rings.uninvolvedIn(target, isUsable, 1).length > 0,
      accusersMin,
    };
  }

  /** The digest has to be made again. */
  changed(): void {
    this.#digest = undefined;
  }

  /** Of whom is held for dead and who has refuted: the same on hosts that hold the same. In [0, 2^32). */
  digest(): number {
    if (this.#digest !== undefined) return this.#digest;
    let digest = 0;
    for (const member of this.#members.values()) if (isTold(member)) digest ^= digestOf(member);
    this.#digest = digest >>> 0;
    return this.#digest;
  }

  /** What another host with that digest may have missed: signed by those who said it. Others the next time. */
  updatesFor(digest: number): readonly DetectorUpdate[] {
    if (digest === this.digest()) return [];
    const told = [...this.#members.values()].filter(isTold);
    const updates: DetectorUpdate[] = [];
    for (let n = 0; n < told.length; n++) {
      const member = told[(this.#cursor + n) % told.length];
      const words = [
        ...(member?.refutation === undefined ? [] : [member.refutation]),
        ...(member?.condition === 'dead' ? (member.suspicion?.accusations ?? []) : []),
      ].filter(({ signed }) => signed !== undefined);
      if (updates.length + words.length > updatesPerAnswerMax) {
        this.#cursor += n;
        break;
      }
      updates.push(...words);
    }
    return updates;
  }

  /** Whether an update is worth checking its signature: it would change something here. It is not believed yet. */
  isNews(update: DetectorUpdate): boolean {
    if (update.about === this.#self) return true;
    const member = this.#members.get(update.about);
    if (member === undefined) return this.#rings.has(update.about);
    const order = compareIncarnation(update, member.known);
    if (update.kind === 'alive') return order > 0 || (order === 0 && member.condition === 'unknown');
    return order === 0 && member.condition !== 'dead';
  }
}

function isTold({ condition, known }: Member): boolean {
  return condition === 'dead' || known.incarnation > 0;
}

function digestOf({ hostId, condition, known }: Member): number {
  let digest = condition === 'dead' ? 0x9e3779b9 : 0x85ebca6b;
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
