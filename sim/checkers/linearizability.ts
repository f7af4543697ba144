/**
 * Whether a history of concurrent operations is linearizable: whether each can be given one instant between its call and
 * its return so that, in this order, the model allows every answer.
 *
 * The method is Wing and Gong's search (JPDC 1993) with Lowe's memory of configurations ("Testing for linearizability",
 * 2016), as Porcupine does it. Calls and returns stand in one list by time. The first call in the list that the model
 * allows is taken out together with its return, and the search goes on from the front; on meeting a return whose call was
 * not taken, everything that could be next has been tried, and the last choice is taken back. A configuration (which
 * operations are taken, and the state) that was met before is not entered again: whatever order led there, what follows is
 * the same. An operation that only observes (a read, a compare-and-set that failed) is taken as soon as the model allows it,
 * and nothing else is tried in its place: from any order that takes it later it can be moved up to here, as it changes
 * nothing for those in between. (A write of what is held already does not qualify: later it would change something.) Operations on different keys commute, so each key's part is checked on its own (Herlihy and Wing: a history is
 * linearizable if and only if each object's is).
 */
import { assert, must } from '../../node/base/assert.ts';

/** What the objects under test ought to do. Pure. */
export interface Model<State, Input, Output> {
  initial(): State;
  /** The state after the operation, or undefined when it cannot have given this output. `output` undefined: not known. */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states only. */
  key(state: State): string | number;
  /** Whether the operation leaves every state as it is. Default: never. */
  observes?(input: Input, output: Output): boolean;
  /** Operations with different names do not affect one another. Default: all have one name. */
  partition?(input: Input): string;
}

/** One operation of a client. */
export interface Operation<Input, Output> {
  readonly input: Input;
  /** Undefined: the client never heard (timed out, crashed). It may have happened at any time since, or not at all. */
  readonly output: Output | undefined;
  /** Any scale, the same for all. */
  readonly calledAt: number;
  /** Infinity when the client never heard. */
  readonly returnedAt: number;
}

interface LinearizabilityOptions {
  /** Configurations entered before the search is given up. Default 3 million: a minute, and a gigabyte at worst. */
  readonly configurationsMax?: number;
}

type LinearizabilityVerdict<Input, Output> =
  | { readonly verdict: 'linearizable'; readonly configurations: number }
  | {
      readonly verdict: 'not-linearizable';
      readonly configurations: number;
      /** The part that cannot be ordered. */
      readonly partition: string;
      /** A longest order that the model allows, for people to find the fault behind it. */
      readonly longest: readonly Operation<Input, Output>[];
      /** The first operation by time that did not fit behind `longest`. */
      readonly blocked: Operation<Input, Output> | undefined;
    }
  | { readonly verdict: 'given-up'; readonly configurations: number; readonly partition: string };

/** Checks a history. The order of `operations` does not matter. */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  options: LinearizabilityOptions = {},
): LinearizabilityVerdict<Input, Output> {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of operations) {
    assert(operation.returnedAt >= operation.calledAt, 'an operation returns after its call');
    const name = model.partition?.(operation.input) ?? '';
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  let configurations = 0;
  for (const [partition, part] of parts) {
    const left = (options.configurationsMax ?? 3_000_000) - configurations;
    const search = new Search(model, part, left);
    const verdict = search.run();
    configurations += search.configurations;
    if (verdict === 'given-up') return { verdict, configurations, partition };
    if (verdict === 'not-linearizable') return { verdict, configurations, partition, ...search.evidence() };
  }
  return { verdict: 'linearizable', configurations };
}

/** A call or a return in the list. `match`: of a call, its return; of a return, undefined. */
interface Event {
  readonly operation: number;
  readonly match: Event | undefined;
  previous: Event | undefined;
  next: Event | undefined;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #configurationsMax: number;
  /** Not an event: stands before the first. */
  readonly #head: Event = { operation: -1, match: undefined, previous: undefined, next: undefined };
  readonly #taken: TakenSet;
  /** Calls taken, in order, each with the state before it. */
  readonly #choices: { readonly call: Event; readonly state: State; readonly isFree: boolean }[] = [];
  readonly #seen = new Set<string>();
  #longest: readonly number[] = [];
  configurations = 0;

  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    configurationsMax: number,
  ) {
    this.#model = model;
    this.#configurationsMax = configurationsMax;
    // By time of call, so that those taken form nearly a prefix and `TakenSet` stays short.
    this.#operations = [...operations].sort((a, b) => a.calledAt - b.calledAt);
    this.#taken = new TakenSet(operations.length);
    this.#link();
  }

  run(): 'linearizable' | 'not-linearizable' | 'given-up' {
    let state = this.#model.initial();
    let event = this.#head.next;
    // Operations that never returned need not be taken; when only they are left, all that was promised is explained.
    let promised = this.#operations.filter((operation) => operation.returnedAt !== Number.POSITIVE_INFINITY).length;
    while (promised > 0) {
      assert(event !== undefined, 'a return stands at the end of the list while one is promised');
      let next: State | undefined;
      let isFree = false;
      if (event === this.#head.next) {
        const free = this.#freeCall(event, state);
        if (free !== undefined) {
          event = free;
          next = state;
          isFree = true;
        }
      }
      if (event.match === undefined) {
        // Everything that was called before this return has been tried. What was free has nothing in its place.
        let choice = this.#choices.pop();
        for (; choice !== undefined; choice = this.#choices.pop()) {
          this.#taken.remove(choice.call.operation);
          if (this.#isPromised(choice.call)) promised += 1;
          unlift(choice.call);
          if (!choice.isFree) break;
        }
        if (choice === undefined) return 'not-linearizable';
        state = choice.state;
        event = choice.call.next;
        continue;
      }
      if (!isFree) {
        const operation = must(this.#operations[event.operation], 'operation');
        next = this.#model.step(state, operation.input, operation.output);
      }
      if (next === undefined || !this.#enter(event.operation, next, isFree)) {
        event = event.next;
        continue;
      }
      if (this.configurations > this.#configurationsMax) return 'given-up';
      this.#choices.push({ call: event, state, isFree });
      if (this.#choices.length > this.#longest.length) this.#longest = this.#choices.map(({ call }) => call.operation);
      state = next;
      if (this.#isPromised(event)) promised -= 1;
      lift(event);
      event = this.#head.next;
    }
    return 'linearizable';
  }

  evidence(): {
    readonly longest: readonly Operation<Input, Output>[];
    readonly blocked: Operation<Input, Output> | undefined;
  } {
    const longest = this.#longest.map((at) => must(this.#operations[at], 'operation'));
    const taken = new Set(longest);
    const left = this.#operations.filter((operation) => !taken.has(operation));
    return { longest, blocked: left.sort((a, b) => a.returnedAt - b.returnedAt)[0] };
  }

  /** A call before the first return that only observes, and that the model allows now. */
  #freeCall(first: Event, state: State): Event | undefined {
    for (let event: Event | undefined = first; event?.match !== undefined; event = event.next) {
      const { input, output } = must(this.#operations[event.operation], 'operation');
      // One that was never answered need not happen, and waiting for it costs nothing.
      if (output === undefined || this.#model.observes?.(input, output) !== true) continue;
      if (this.#model.step(state, input, output) !== undefined) return event;
    }
    return undefined;
  }

  #isPromised(call: Event): boolean {
    return this.#operations[call.operation]?.returnedAt !== Number.POSITIVE_INFINITY;
  }

  /** Takes an operation in mind and says whether that leads to a configuration not met before. */
  #enter(operation: number, state: State, isFree: boolean): boolean {
    this.#taken.add(operation);
    // Follows from the one before; nothing is gained by remembering it.
    if (isFree) return true;
    const key = `${this.#taken.key()}|${this.#model.key(state)}`;
    if (this.#seen.has(key)) {
      this.#taken.remove(operation);
      return false;
    }
    this.#seen.add(key);
    this.configurations += 1;
    return true;
  }

  /** Puts calls and returns into one list by time. At equal times calls stand first: the operations then overlap. */
  #link(): void {
    const events: { readonly at: number; readonly event: Event }[] = [];
    this.#operations.forEach(({ calledAt, returnedAt }, operation) => {
      const end: Event = { operation, match: undefined, previous: undefined, next: undefined };
      events.push({ at: calledAt, event: { operation, match: end, previous: undefined, next: undefined } });
      events.push({ at: returnedAt, event: end });
    });
    const rank = ({ match }: Event): number => (match === undefined ? 1 : 0);
    events.sort((a, b) => (a.at === b.at ? rank(a.event) - rank(b.event) : a.at - b.at));
    let last = this.#head;
    for (const { event } of events) {
      last.next = event;
      event.previous = last;
      last = event;
    }
  }
}

/** Takes a call and its return out of the list. */
function lift(call: Event): void {
  for (const event of [call, must(call.match, 'return')]) {
    if (event.previous !== undefined) event.previous.next = event.next;
    if (event.next !== undefined) event.next.previous = event.previous;
  }
}

/** Puts them back where they were; in the opposite order of `lift`. */
function unlift(call: Event): void {
  for (const event of [must(call.match, 'return'), call]) {
    if (event.previous !== undefined) event.previous.next = event;
    if (event.next !== undefined) event.next.previous = event;
  }
}

/** Which operations are taken. All below `#first` are, so only what lies behind needs to be told. */
class TakenSet {
  readonly #words: Uint32Array;
  /** Words before this one are full. */
  #first = 0;
  /** Words from this one on are empty. */
  #end = 0;

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32) + 1);
  }

  add(item: number): void {
    const at = item >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (item & 31));
    if (at >= this.#end) this.#end = at + 1;
    while (this.#words[this.#first] === 0xffffffff) this.#first += 1;
  }

  remove(item: number): void {
    const at = item >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) & ~(1 << (item & 31));
    if (at < this.#first) this.#first = at;
    while (this.#end > 0 && this.#words[this.#end - 1] === 0) this.#end -= 1;
  }

  /** Equal for equal sets only. */
  key(): string {
    let key = String(this.#first);
    for (let at = this.#first; at < this.#end; at += 1) key += `,${(this.#words[at] ?? 0).toString(36)}`;
    return key;
  }
}
