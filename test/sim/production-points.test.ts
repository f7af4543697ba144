import t from 'tap';
import type { PointKind } from '../../node/base/buggify/declared-points.ts';
import { type Source, sources } from '../../node/dev/house/source.ts';
import { productionPoints } from '../../sim/settings/production-points.ts';

/** Declarations of points as they stand in a file: at module level, by a constant. */
const declaration = /^const (\w+) = (buggify|failpoint|coverageMark)\(\s*'([^']+)',\s*'[^\n]+',?\s*\);/gmu;
/** Any call that declares a point, wherever it stands. */
const declaring = /\b(?:buggify|failpoint|coverageMark)\(/gu;
const kinds: Readonly<Record<string, PointKind>> = { buggify: 'buggify', failpoint: 'failpoint', coverageMark: 'mark' };

function production(): readonly Source[] {
  return sources().filter(
    ({ path }) => !path.startsWith('test/') && !path.startsWith('sim/') && !path.startsWith('node/base/buggify/'),
  );
}

t.test('every point of production code is declared at module level, hit, and known to the simulator', async (t) => {
  const found = new Map<string, string>();
  for (const { path, text } of production()) {
    const declared = [...text.matchAll(declaration)];
    t.equal(declared.length, text.match(declaring)?.length ?? 0, `${path}: declared by constants of the module`);
    for (const [, constant = '', kind = '', name = ''] of declared) {
      t.ok(new RegExp(`\\b${constant}\\(\\)`, 'u').test(text), `${path}: ${constant} is hit where it is declared`);
      t.match(name, /^[a-z0-9-]+(\.[a-z0-9-]+)?$/u);
      const key = `${kinds[kind]} ${name}`;
      t.notOk(found.has(key), `${key} is in ${path} alone`);
      found.set(key, path);
    }
  }
  const known = (['buggify', 'failpoint', 'mark'] as const).flatMap((kind) =>
    productionPoints(kind).map((name) => `${kind} ${name}`),
  );
  t.same(known.sort(), [...found.keys()].sort());
});
