/**
 * An ordered map as a B+tree of our own: a million keys, O(log n) get, put, delete and range, and a copy of the whole in
 * O(1).
 *
 * Each node carries the owner token of the map that may change it. `fork` gives both maps fresh tokens, so that from then
 * on either copies a node before its first change (copy on write). A snapshot of the state is thus one pointer: it can be
 * walked at leisure while the original goes on changing.
 *
 * Nodes are merged with a neighbour when both fit into one; they are never rebalanced otherwise. The shape of the tree is
 * not part of the state: two maps with the same entries are equal whatever their shapes.
 */
import { must } from '../base/assert.ts';

/** Entries of a leaf and children of a branch. 64 keeps a million keys four levels deep and an insert's copy short. */
const nodeItemsMax = 64;
/** A node this small looks for a neighbour to merge with. */
const nodeItemsLow = 16;

/** What the map holds. Entries are never changed in place. */
interface Keyed {
  readonly key: string;
}

type Owner = Record<never, never>;

interface Leaf<E extends Keyed> {
  readonly isLeaf: true;
  readonly owner: Owner;
  readonly entries: E[];
}

interface Branch<E extends Keyed> {
  readonly isLeaf: false;
  readonly owner: Owner;
  /** `lows[i]` <= every key below `children[i]` < `lows[i + 1]`. `lows[0]` is never compared. */
  readonly lows: string[];
  readonly children: Node<E>[];
}

type Node<E extends Keyed> = Leaf<E> | Branch<E>;

/** A map ordered by key (UTF-16 code units; for ASCII keys this is byte order). */
export class SortedMap<E extends Keyed> {
  #root: Node<E>;
  #owner: Owner = {};
  #size = 0;

  constructor() {
    this.#root = { isLeaf: true, owner: this.#owner, entries: [] };
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  get(key: string): E | undefined {
    let node = this.#root;
    while (!node.isLeaf) node = must(node.children[childIndex(node, key)], 'child');
    const at = lowerBound(node.entries, key);
    const entry = node.entries[at];
    return entry !== undefined && entry.key === key ? entry : undefined;
  }

  /** Adds or replaces; returns what was there before. */
  put(entry: E): E | undefined {
    const root = this.#writable(this.#root);
    const before = this.#putInto(root, entry);
    this.#root = root;
    const right = this.#splitIfFull(root);
    if (right !== undefined) {
      this.#root = { isLeaf: false, owner: this.#owner, lows: ['', right.low], children: [root, right.node] };
    }
    if (before === undefined) this.#size += 1;
    return before;
  }

  /** Removes; returns what was there. */
  delete(key: string): E | undefined {
    // Looked up first, so that deleting an absent key copies nothing.
    const found = this.get(key);
    if (found === undefined) return undefined;
    const root = this.#writable(this.#root);
    this.#deleteFrom(root, key);
    this.#root = root;
    while (!this.#root.isLeaf && this.#root.children.length === 1) this.#root = must(this.#root.children[0], 'child');
    if (itemCount(this.#root) === 0) this.#root = { isLeaf: true, owner: this.#owner, entries: [] };
    this.#size -= 1;
    return found;
  }

  /** The entry with the least key. */
  first(): E | undefined {
    let node = this.#root;
    while (!node.isLeaf) node = must(node.children[0], 'child');
    return node.entries[0];
  }

  /** Entries with keys in [start, end), in order, at most `limit`. `end` undefined: to the last one. */
  range(start: string, end?: string, limit = Number.POSITIVE_INFINITY): E[] {
    const found: E[] = [];
    if (limit > 0) collect(this.#root, start, end, limit, found);
    return found;
  }

  /** All entries from `start` on, in order. The map must not change meanwhile; `fork` first where it may. */
  *entries(start = ''): Generator<E, void, undefined> {
    yield* walk(this.#root, start);
  }

  /** A copy that shares everything until either changes. O(1). */
  fork(): SortedMap<E> {
    const copy = new SortedMap<E>();
    copy.#root = this.#root;
    copy.#size = this.#size;
    // Both get tokens that no existing node carries.
    this.#owner = {};
    return copy;
  }

  #writable(node: Node<E>): Node<E> {
    if (node.owner === this.#owner) return node;
    return node.isLeaf
      ? { isLeaf: true, owner: this.#owner, entries: [...node.entries] }
      : { isLeaf: false, owner: this.#owner, lows: [...node.lows], children: [...node.children] };
  }

  #putInto(node: Node<E>, entry: E): E | undefined {
    if (node.isLeaf) {
      const at = lowerBound(node.entries, entry.key);
      const there = node.entries[at];
      if (there !== undefined && there.key === entry.key) {
        node.entries[at] = entry;
        return there;
      }
      node.entries.splice(at, 0, entry);
      return undefined;
    }
    const at = childIndex(node, entry.key);
    const child = this.#writable(must(node.children[at], 'child'));
    node.children[at] = child;
    const before = this.#putInto(child, entry);
    const right = this.#splitIfFull(child);
    if (right !== undefined) {
      node.lows.splice(at + 1, 0, right.low);
      node.children.splice(at + 1, 0, right.node);
    }
    return before;
  }

  /** Moves the upper part of an over-full node to a new one. The node must be writable. */
  #splitIfFull(node: Node<E>): { low: string; node: Node<E> } | undefined {
    const length = node.isLeaf ? node.entries.length : node.children.length;
    if (length <= nodeItemsMax) return undefined;
    // Ids and indexes mostly grow, so a node that overflowed at its end is left nearly full.
    const at = Math.floor(length * 0.75);
    if (node.isLeaf) {
      const entries = node.entries.splice(at);
      return { low: must(entries[0], 'entry').key, node: { isLeaf: true, owner: this.#owner, entries } };
    }
    const lows = node.lows.splice(at);
    const children = node.children.splice(at);
    return { low: must(lows[0], 'low'), node: { isLeaf: false, owner: this.#owner, lows, children } };
  }

  #deleteFrom(node: Node<E>, key: string): void {
    if (node.isLeaf) {
      node.entries.splice(lowerBound(node.entries, key), 1);
      return;
    }
    const at = childIndex(node, key);
    const child = this.#writable(must(node.children[at], 'child'));
    node.children[at] = child;
    this.#deleteFrom(child, key);
    if (itemCount(child) === 0) {
      // An empty node would hide its right neighbour from `first`.
      node.lows.splice(at, 1);
      node.children.splice(at, 1);
    } else if (itemCount(child) < nodeItemsLow) {
      this.#mergeAround(node, at);
    }
  }

  /** Joins `children[at]` with a neighbour when both fit into one node. */
  #mergeAround(parent: Branch<E>, at: number): void {
    for (const left of [at - 1, at]) {
      const a = parent.children[left];
      const b = parent.children[left + 1];
      if (a === undefined || b === undefined || itemCount(a) + itemCount(b) > nodeItemsMax) continue;
      const into = this.#writable(a);
      if (into.isLeaf && b.isLeaf) into.entries.push(...b.entries);
      else if (!into.isLeaf && !b.isLeaf) {
        into.lows.push(must(parent.lows[left + 1], 'low'), ...b.lows.slice(1));
        into.children.push(...b.children);
      }
      parent.children[left] = into;
      parent.children.splice(left + 1, 1);
      parent.lows.splice(left + 1, 1);
      return;
    }
  }
}

function itemCount<E extends Keyed>(node: Node<E>): number {
  return node.isLeaf ? node.entries.length : node.children.length;
}

/** Position of the first entry whose key is not below `key`. */
function lowerBound<E extends Keyed>(entries: readonly E[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as E).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position of the child below which `key` belongs. */
function childIndex<E extends Keyed>(branch: Branch<E>, key: string): number {
  let low = 1;
  let high = branch.lows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((branch.lows[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns whether to go on. */
function collect<E extends Keyed>(
  node: Node<E>,
  start: string,
  end: string | undefined,
  limit: number,
  found: E[],
): boolean {
  if (node.isLeaf) {
    for (let at = lowerBound(node.entries, start); at < node.entries.length; at += 1) {
      const entry = node.entries[at] as E;
      if ((end !== undefined && entry.key >= end) || found.length >= limit) return false;
      found.push(entry);
    }
    return found.length < limit;
  }
  for (let at = childIndex(node, start); at < node.children.length; at += 1) {
    if (!collect(node.children[at] as Node<E>, start, end, limit, found)) return false;
  }
  return true;
}

function* walk<E extends Keyed>(node: Node<E>, start: string): Generator<E, void, undefined> {
  if (node.isLeaf) {
    for (let at = lowerBound(node.entries, start); at < node.entries.length; at += 1) yield node.entries[at] as E;
    return;
  }
  for (let at = childIndex(node, start); at < node.children.length; at += 1) {
    yield* walk(node.children[at] as Node<E>, start);
  }
}
