import t from 'tap';
import { circles, fileGraph, floors, type Graph, roomGraph } from '../../../../node/dev/house/graph.ts';

const graphOf = (arrows: Readonly<Record<string, readonly string[]>>): Graph =>
  new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]));

t.test('circles are found, however long, and what merely leads into one is none', async (t) => {
  t.same(circles(graphOf({ a: ['b'], b: ['c'], c: [] })), []);
  t.same(circles(graphOf({ a: ['b'], b: ['c'], c: ['b'], d: ['e'], e: ['f'], f: ['d', 'a'] })), [
    ['b', 'c'],
    ['d', 'e', 'f'],
  ]);
});

t.test('floors are the longest way down, and a circle is one floor', async (t) => {
  t.equal(floors(graphOf({})), 0);
  t.equal(floors(graphOf({ a: [], b: [] })), 1);
  t.equal(floors(graphOf({ a: ['b', 'd'], b: ['c'], c: ['d'], d: [] })), 4);
  t.equal(floors(graphOf({ a: ['b'], b: ['c'], c: ['b', 'd'], d: [] })), 3);
});

t.test('rooms are folders; files of one folder may import one another freely', async (t) => {
  const source = (path: string, imports: readonly string[]) => ({ path, text: '', imports, bindings: [] });
  const files = fileGraph([
    source('x/a.ts', ['x/b.ts', 'y/c.ts', 'node:fs']),
    source('x/b.ts', []),
    source('y/c.ts', ['y/c.ts']),
  ]);
  t.same(files.get('x/a.ts'), new Set(['x/b.ts', 'y/c.ts']));
  t.same(files.get('y/c.ts'), new Set());
  t.same(roomGraph(files).get('x'), new Set(['y']));
});
