import { indexOfEntryKey } from '../../node/store/log/keys.ts';
import { outlasts } from '../../node/store/log/log-mark.ts';
import type { Head } from '../../node/store/log/records.ts';
import type { DiskCopy } from '../world/disk.ts';
import type { SimNode } from '../world/node.ts';
import type { FaultKind, FaultWorld, Struck } from './fault.ts';

/** How long nothing is lost around a disk that was put back, so that its peers can say what they remember. Unit: ms. */
const rollbackSafeMs = 3_000;

/** Kills a node, damages its disk, and starts it again. */
function damaged(world: FaultWorld, damage: (node: SimNode) => readonly string[]): Struck | undefined {
  const node = world.random.pick(world.nodes);
  if (!world.mayDamage(node)) return undefined;
  const end = endOfLog(node);
  node.crash();
  const before = node.disk.head;
  const keys = damage(node);
  const bootMs = world.random.below(2_000);
  if (keys.length > 0) {
    node.isDamaged = true;
    if (node.disk.looksWhole) keepWithinPromise(world, node, { before, end, bootMs });
    // A mark beside the log may go with the power; then only the others know what it has lost.
    spareWitnesses(world, node);
  }
  world.later(bootMs, () => node.boot());
  return { detail: `${node.name} ${keys.join()}` };
}

/**
 * A loss shows neither in the files nor in the mark. Of a vote, a quarantine or a term fence that cannot be: nothing is done
 * about it, so that it would be found. Entries of the last second before a power cut may go like that: the peers must
 * remember them and be heard; where they do not, that is beyond what is promised (`node/store/log/log-mark.ts`), and the mark is kept.
 */
function keepWithinPromise(
  world: FaultWorld,
  node: SimNode,
  { before, end, bootMs }: { readonly before: Head | undefined; readonly end: Place; readonly bootMs: number },
): void {
  const after = node.disk.head;
  if (before === undefined || after === undefined || outlasts(after, before)) return;
  const others = world.nodes.filter((other) => other !== node);
  if (!others.some((other) => remembers(other, node.raftId, end))) {
    node.disk.keepMark();
    return;
  }
  world.count('mark loss-that-only-peers-know');
  for (const other of others) world.network.protect(node.raftId, other.raftId, bootMs + rollbackSafeMs);
}

/** What the others remember of a node's disk is in their memory first: none of them ends before it may have been asked. */
function spareWitnesses(world: FaultWorld, node: SimNode): void {
  const others = world.nodes.filter((other) => other !== node);
  for (const other of others) other.isWitness = true;
  world.later(rollbackSafeMs, () => {
    for (const other of others) other.isWitness = false;
  });
}

export const diskFaults = {
  'disk-slow': {
    text: "one node's syncs take two hundred times as long",
    strike(world) {
      const node = world.random.pick(world.nodes);
      node.disk.slowFactor = 200;
      return {
        detail: node.name,
        end: () => {
          node.disk.slowFactor = 1;
        },
      };
    },
  },
  'disk-sync-fails': {
    text: "a node's next sync fails; what it wrote is there or not",
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (node.isWitness) return undefined;
      node.disk.failNext = world.random.chance(0.5) ? 'kept' : 'lost';
      return { detail: `${node.name} ${node.disk.failNext}` };
    },
  },
  'disk-full': {
    text: 'a node cannot write at all',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (node.isWitness) return undefined;
      node.disk.isFull = true;
      return {
        detail: node.name,
        end: () => {
          node.disk.isFull = false;
        },
      };
    },
  },
  'disk-rot': {
    text: 'bits flip in rows of one disk, and the node is restarted',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      const kinds = world.random.pick([['l/'], ['r/'], ['head'], ['applied'], ['identity'], ['peer/'], ['l/', 'r/']]);
      node.crash();
      const keys = node.disk.rot(kinds, 1 + world.random.below(3));
      if (keys.length > 0) node.isDamaged = true;
      world.later(world.random.below(2_000), () => node.boot());
      return { detail: `${node.name} ${keys.join()}` };
    },
  },
  'disk-wipe': {
    text: 'a node comes back with an empty disk',
    strike(world) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      node.crash();
      node.disk.wipe();
      node.isDamaged = true;
      world.later(world.random.below(2_000), () => node.boot());
      return { detail: node.name };
    },
  },
  'disk-misdirected': {
    text: "two rows of one disk are found in one another's place, and the node is restarted",
    strike(world) {
      return damaged(world, (node) => node.disk.misdirect(world.random.pick([['l/'], ['r/'], ['l/', 'r/']])));
    },
  },
  'disk-torn': {
    text: 'the end of what was written last is missing, and the node is restarted',
    strike(world) {
      return damaged(world, (node) => node.disk.tear('l/'));
    },
  },
  'disk-block-dropped': {
    text: 'LevelDB leaves out a block of its write-ahead file, entries and state rows alike, and the node is restarted',
    strike(world) {
      return damaged(world, (node) => node.disk.dropBlock());
    },
  },
  'disk-end-missing': {
    text: 'the last batches of the write-ahead file are gone as if never written, and the node is restarted',
    strike(world) {
      return damaged(world, (node) => node.disk.cutEnd());
    },
  },
  'disk-current-gone': {
    text: "LevelDB's CURRENT is gone, and the node is restarted",
    strike(world) {
      return damaged(world, (node) => {
        node.disk.loseCurrent();
        return ['CURRENT'];
      });
    },
  },
  'disk-row-altered': {
    text: 'a row of one disk holds another value, under a checksum that holds, and the node is restarted',
    strike(world) {
      return damaged(world, (node) => node.disk.alter([world.random.pick(['l/', 'r/'])]));
    },
  },
  'disk-row-lost': {
    text: 'a row of the state is gone from one disk, and the node is restarted',
    strike(world) {
      return damaged(world, (node) => node.disk.lose('r/'));
    },
  },
  'disk-from-yesterday': {
    text: 'the database of one disk is put back from a copy that is seconds old, without what lies beside it',
    strike(world, forMs) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      const copy = node.disk.copy();
      world.later(forMs, () => {
        if (!world.mayDamage(node)) return;
        node.crash();
        node.disk.rollBack(copy, 'database');
        node.isDamaged = true;
        node.boot();
      });
      return { detail: node.name };
    },
  },
  'disk-rolled-back': {
    text: 'a disk is put back from a copy that is seconds old, while all others are up and remember',
    strike(world, forMs) {
      const node = world.random.pick(world.nodes);
      if (!world.mayDamage(node)) return undefined;
      const copy = node.disk.copy();
      const held = endOfLog(node, copy);
      const others = world.nodes.filter((other) => other !== node);
      const lives = others.map(({ life }) => life);
      world.later(forMs, () => {
        // What peers have promised one another to remember, those that were restarted since may have forgotten.
        const isRemembered = others.every(({ life }, at) => life !== undefined && life === lives[at] && life.isAlive);
        const isPaused = others.some(({ life }) => (life?.pausedUntilMs ?? 0) > world.nowMs());
        const isFailing = others.some(({ disk }) => disk.isFull || disk.failNext !== undefined);
        if (!isRemembered || isPaused || isFailing || !world.mayDamage(node)) return;
        // A leader that has synced entries since the copy, and told nobody of it yet, would come back unsuspected.
        if (endOfLog(node).index > held.index && !others.some((other) => remembersMore(other, node.raftId, held)))
          return;
        node.crash();
        node.disk.rollBack(copy);
        node.isDamaged = true;
        node.isUnproved = true;
        spareWitnesses(world, node);
        world.later(rollbackSafeMs, () => {
          node.isUnproved = false;
        });
        world.count('mark disk-rolled-back');
        // A rollback that no reachable peer remembers is beyond what is promised: a memory is on disk seconds later.
        for (const other of others) world.network.protect(node.raftId, other.raftId, rollbackSafeMs);
        node.boot();
      });
      return { detail: node.name };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

interface Place {
  readonly index: number;
  readonly term: number;
}

/** The last entry that is durable at a node, or lies in a copy of its disk. */
function endOfLog({ process }: SimNode, copy?: DiskCopy): Place {
  const store = process?.log.store;
  const last = store?.lastIndex() ?? 0;
  const term = store?.term(last);
  const inCopy = [...(copy?.rows.keys() ?? [])].filter((key) => key.startsWith('l/')).map(indexOfEntryKey);
  return { index: Math.max(last, ...inCopy), term: typeof term === 'number' ? term : 0 };
}

/** Whether a member knows of all that is on another's disk up to `place`. */
function remembers({ process }: SimNode, peer: number, { index, term }: Place): boolean {
  const memory = process?.loop.memoryOf(peer);
  return memory !== undefined && memory.matchTerm === term && memory.match >= index;
}

/** Whether a member knows of more on another's disk than is there up to `place`. */
function remembersMore({ process }: SimNode, peer: number, place: Place): boolean {
  const memory = process?.loop.memoryOf(peer);
  if (memory === undefined) return false;
  return memory.matchTerm > place.term || (memory.matchTerm === place.term && memory.match > place.index);
}
