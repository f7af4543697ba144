/**
 * One run as an operator would tell it, gathered while it goes on: who led, which agents were up, which guests ran, what
 * clients were told, which faults struck. Kept as spans, so that hours take no more than what happened in them.
 */
import type { Phase, Picture, Placements, WatchedOperation, Watcher } from '../trace/watcher.ts';

/** Something that lasted. Unit: ms of simulated time. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FaultSpan extends Span {
  readonly name: string;
  readonly detail: string;
  /** Members that it struck; empty: all of them. */
  readonly members: readonly number[];
}

export interface LeaderSpan extends Span {
  /** Undefined: nobody led with a quorum. */
  readonly member: number | undefined;
  readonly term: number;
}

/** A time without an agent, and how long the others took to notice; undefined: it was back before anybody did. */
interface AgentOutage extends Span {
  readonly member: number;
  readonly detectedMs: number | undefined;
}

interface GuestOutage extends Span {
  readonly server: string;
  readonly host: number;
}

/** How many guests were to run and did, from a moment on. */
interface GuestCount {
  readonly atMs: number;
  readonly wanted: number;
  readonly running: number;
}

/** Operations kept, at most; of more only the first are in the report, and it says so. */
const operationsMax = 500_000;

export class Chronicle implements Watcher {
  readonly faults: FaultSpan[] = [];
  readonly leaders: LeaderSpan[] = [];
  readonly agentOutages: AgentOutage[] = [];
  readonly guestOutages: GuestOutage[] = [];
  readonly guestCounts: GuestCount[] = [];
  readonly operations: WatchedOperation[] = [];
  operationsLeftOut = 0;
  hosts = 0;
  endMs = 0;
  /** When the mesh was complete and the faults began, and when everything was healed. */
  chaosFromMs: number | undefined;
  healedMs: number | undefined;
  placed: Placements | undefined;
  readonly #openFaults: FaultSpan[] = [];
  readonly #down = new Map<number, { fromMs: number; term: number; detectedMs: number | undefined }>();
  readonly #guestsDown = new Map<string, { readonly fromMs: number; readonly host: number }>();
  /** Servers that have run: only those can be missed. */
  readonly #ran = new Set<string>();
  #leader: LeaderSpan | undefined;

  // --- Watcher -------------------------------------------------------------------------------------------------------

  phase(phase: Phase, atMs: number): void {
    if (phase === 'chaos') this.chaosFromMs = atMs;
    else this.healedMs = atMs;
  }

  looked(picture: Picture): void {
    const { atMs } = picture;
    this.endMs = atMs;
    this.hosts = picture.isUp.length;
    this.#noteLeader(picture);
    this.#noteAgents(picture);
    this.#noteGuests(picture);
  }

  operation(operation: WatchedOperation): void {
    if (this.operations.length < operationsMax) this.operations.push(operation);
    else this.operationsLeftOut += 1;
  }

  /** The run is over: what still lasts ends here. */
  placements(placements: Placements): void {
    this.placed = placements;
    const toMs = this.endMs;
    if (this.#leader !== undefined) this.leaders.push({ ...this.#leader, toMs });
    for (const fault of this.#openFaults) this.faults.push({ ...fault, toMs });
    for (const [member, { fromMs, detectedMs }] of this.#down)
      this.agentOutages.push({ member, fromMs, toMs, detectedMs });
    for (const [server, { fromMs, host }] of this.#guestsDown) this.guestOutages.push({ server, host, fromMs, toMs });
    this.faults.sort((a, b) => a.fromMs - b.fromMs);
  }

  /** A line of the trace: faults are told there. */
  line(text: string): void {
    const match = /^\s*([\d.]+) fault\s+(.*)$/.exec(text.trimEnd());
    if (match === null) return;
    const atMs = Number(match[1]);
    const what = match[2] ?? '';
    const [name = '', ...rest] = what.split(' ');
    const detail = rest.join(' ');
    if (detail === 'ends') {
      const at = this.#openFaults.findIndex((fault) => fault.name === name);
      if (at === -1) return;
      const [fault] = this.#openFaults.splice(at, 1);
      if (fault !== undefined) this.faults.push({ ...fault, toMs: atMs });
      return;
    }
    const forMs = Number(/(\d+) ms\b/.exec(detail)?.[1] ?? 0);
    const fault: FaultSpan = { name, detail, members: membersIn(name, detail), fromMs: atMs, toMs: atMs + forMs };
    // What tells its length, or strikes and is over, is told once.
    if (forMs > 0 || momentary.has(name)) this.faults.push(fault);
    else this.#openFaults.push(fault);
  }

  // --- Details -------------------------------------------------------------------------------------------------------

  #noteLeader({ atMs, leader }: Picture): void {
    const last = this.#leader;
    if (last !== undefined && last.member === leader?.member && (leader === undefined || last.term === leader.term))
      return;
    if (last !== undefined) this.leaders.push({ ...last, toMs: atMs });
    this.#leader = { fromMs: atMs, toMs: atMs, member: leader?.member, term: leader?.term ?? last?.term ?? 0 };
  }

  #noteAgents({ atMs, isUp, silent, leader }: Picture): void {
    isUp.forEach((up, at) => {
      const member = at + 1;
      const down = this.#down.get(member);
      if (up && down !== undefined) {
        this.#down.delete(member);
        this.agentOutages.push({ member, fromMs: down.fromMs, toMs: atMs, detectedMs: down.detectedMs });
      } else if (!up && down === undefined) {
        this.#down.set(member, { fromMs: atMs, term: this.#leader?.term ?? 0, detectedMs: undefined });
      } else if (!up && down !== undefined && down.detectedMs === undefined) {
        // The leader misses it, or others have elected another one since.
        const isMissed = silent.includes(member) || (leader !== undefined && leader.term > down.term);
        if (isMissed) down.detectedMs = atMs - down.fromMs;
      }
    });
  }

  #noteGuests({ atMs, servers }: Picture): void {
    let wanted = 0;
    let running = 0;
    const seen = new Set<string>();
    for (const { id, host, isWanted, isRunning } of servers) {
      if (isWanted) wanted += 1;
      if (isRunning) {
        running += 1;
        this.#ran.add(id);
      }
      const down = this.#guestsDown.get(id);
      const isMissed = isWanted && !isRunning && this.#ran.has(id);
      if (isMissed) seen.add(id);
      if (isMissed && down === undefined) this.#guestsDown.set(id, { fromMs: atMs, host });
    }
    for (const [server, { fromMs, host }] of this.#guestsDown) {
      if (seen.has(server)) continue;
      this.#guestsDown.delete(server);
      this.guestOutages.push({ server, host, fromMs, toMs: atMs });
    }
    const last = this.guestCounts.at(-1);
    if (last === undefined || last.wanted !== wanted || last.running !== running)
      this.guestCounts.push({ atMs, wanted, running });
  }
}

/** Faults that have no end of their own. */
const momentary = new Set([
  'agent-crash',
  'guest-crash',
  'guest-powers-off',
  'disk-rot',
  'disk-wipe',
  'disk-sync-fails',
  'clock-step',
  'agents-all-down',
  'agent-crash-loop',
  'net-swizzle',
  'power-everywhere',
]);

function membersIn(name: string, detail: string): readonly number[] {
  const members = new Set<number>();
  for (const [, number] of detail.matchAll(/\b[nh](\d+)\b/g)) members.add(Number(number));
  if (name.startsWith('net-')) {
    const bare = detail.replace(/ for \d+ ms|\d+ %/g, '');
    for (const [, number] of bare.matchAll(/\b(\d+)\b/g)) members.add(Number(number));
  }
  return [...members].sort((a, b) => a - b);
}

// --- Figures ---------------------------------------------------------------------------------------------------------

/** A distribution in four numbers. Unit: ms. */
export interface Times {
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export function timesOf(lengthsMs: readonly number[]): Times {
  const sorted = [...lengthsMs].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { count: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? 0 };
}

/** Operations of one kind, by answer. */
export interface OperationTally {
  readonly kind: WatchedOperation['kind'];
  readonly attempts: number;
  readonly done: number;
  readonly refused: number;
  readonly unknown: number;
  readonly times: Times;
  /** Codes of what was not done, the most frequent first. */
  readonly codes: readonly (readonly [string, number])[];
}

const kinds: readonly WatchedOperation['kind'][] = [
  'create',
  'start',
  'stop',
  'reboot',
  'delete',
  'write',
  'read',
  'stale read',
];

/** By kind; those that were never asked for are left out. */
export function tallies(operations: readonly WatchedOperation[]): readonly OperationTally[] {
  return kinds.flatMap((kind) => {
    const own = operations.filter((operation) => operation.kind === kind);
    if (own.length === 0) return [];
    const count = (answer: WatchedOperation['answer']): number => own.filter((each) => each.answer === answer).length;
    const codes = new Map<string, number>();
    for (const { code } of own) if (code !== '') codes.set(code, (codes.get(code) ?? 0) + 1);
    return {
      kind,
      attempts: own.length,
      done: count('done'),
      refused: count('refused'),
      unknown: count('unknown'),
      times: timesOf(
        own.filter(({ answer }) => answer === 'done').map(({ startedMs, endedMs }) => endedMs - startedMs),
      ),
      codes: [...codes].sort(([, a], [, b]) => b - a),
    };
  });
}
