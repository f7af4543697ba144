/** The picture that imports draw: rooms (folders), arrows between them, circles, floors. Types count like values. */
import { posix } from 'node:path';
import type { Source } from './source.ts';

/** From each node to those it imports, itself excluded. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Files and the files of ours that they import. */
export function fileGraph(sources: readonly Source[]): Graph {
  const paths = new Set(sources.map(({ path }) => path));
  return new Map(
    sources.map(({ path, imports }) => [path, new Set(imports.filter((to) => to !== path && paths.has(to)))]),
  );
}

/** Folders and the folders whose files they import. */
export function roomGraph(files: Graph): Graph {
  const rooms = new Map<string, Set<string>>();
  for (const [from, imported] of files) {
    const room = posix.dirname(from);
    const arrows = rooms.get(room) ?? new Set();
    rooms.set(room, arrows);
    for (const to of imported) if (posix.dirname(to) !== room) arrows.add(posix.dirname(to));
  }
  return rooms;
}

/** Groups of nodes that import one another, directly or not; sorted. Method: strongly connected components (Tarjan 1972). */
export function circles(graph: Graph): readonly (readonly string[])[] {
  return components(graph)
    .filter((members) => members.length > 1)
    .map((members) => [...members].sort());
}

/** The most nodes on one way down through the arrows. A circle counts as one node. */
export function floors(graph: Graph): number {
  const groups = components(graph);
  const groupOf = new Map(groups.flatMap((members, at) => members.map((node) => [node, at] as const)));
  // Tarjan's order: a group comes after every group that it imports.
  const heights: number[] = [];
  groups.forEach((members, at) => {
    const below = members
      .flatMap((node) => [...(graph.get(node) ?? [])])
      .map((to) => groupOf.get(to))
      .filter((to) => to !== undefined && to !== at)
      .map((to) => heights[to ?? 0] ?? 0);
    heights[at] = 1 + Math.max(0, ...below);
  });
  return Math.max(0, ...heights);
}

interface Visit {
  readonly index: number;
  low: number;
  isOpen: boolean;
}

function components(graph: Graph): readonly (readonly string[])[] {
  const visits = new Map<string, Visit>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): Visit => {
    const own: Visit = { index: visits.size, low: visits.size, isOpen: true };
    visits.set(node, own);
    open.push(node);
    for (const to of graph.get(node) ?? []) {
      const known = visits.get(to);
      if (known === undefined) own.low = Math.min(own.low, visit(to).low);
      else if (known.isOpen) own.low = Math.min(own.low, known.index);
    }
    if (own.low === own.index) {
      const members = open.splice(open.indexOf(node));
      for (const member of members) {
        const of = visits.get(member);
        if (of !== undefined) of.isOpen = false;
      }
      found.push(members);
    }
    return own;
  };
  for (const node of graph.keys()) if (!visits.has(node)) visit(node);
  return found;
}
