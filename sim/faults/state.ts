import { keyRow } from '../../node/state/rows.ts';
import type { KeyValue } from '../../node/state/types.ts';
import { ballastPrefix } from '../world/ballast.ts';
import type { SimNode } from '../world/node.ts';
import type { FaultKind, FaultWorld, Struck } from './fault.ts';

/** A running node whose state may be damaged, with a row of it that nobody reads. */
function target(world: FaultWorld): { readonly node: SimNode; readonly row: KeyValue } | undefined {
  const node = world.random.pick(world.nodes);
  const rows = node.process?.log.machine.range(ballastPrefix, `${ballastPrefix}~`) ?? [];
  const full = rows.filter(({ value }) => value.length > 0);
  if (full.length === 0 || !world.mayDamage(node)) return undefined;
  return { node, row: world.random.pick(full) };
}

function flipped(world: FaultWorld, value: Uint8Array): Uint8Array {
  const copy = new Uint8Array(value);
  const at = world.random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << world.random.below(8));
  return copy;
}

function damaged(node: SimNode, row: KeyValue): Struck {
  node.isDamaged = true;
  node.isStateDamaged = true;
  node.wasStateDamaged = true;
  return { detail: `${node.name} ${row.key}` };
}

export const stateFaults = {
  'state-row-differs': {
    text: 'a node holds another value in a row of its state, as if it had applied something else',
    strike(world) {
      const found = target(world);
      if (found === undefined) return undefined;
      const { node, row } = found;
      node.process?.log.machine.load(keyRow({ ...row, value: flipped(world, row.value) }));
      return damaged(node, row);
    },
  },
  'state-row-of-its-own': {
    text: 'a node holds a row that no other has',
    strike(world) {
      const found = target(world);
      if (found === undefined) return undefined;
      const { node, row } = found;
      node.process?.log.machine.load(keyRow({ ...row, key: `${ballastPrefix}more` }));
      return damaged(node, row);
    },
  },
  'memory-rots': {
    text: "a bit flips in a row of a node's state, in memory, and nothing tells of it",
    strike(world) {
      const found = target(world);
      if (found === undefined) return undefined;
      Reflect.set(found.row, 'value', flipped(world, found.row.value));
      return damaged(found.node, found.row);
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
