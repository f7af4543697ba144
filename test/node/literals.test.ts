/** Names that mean something to one place alone: everybody else asks that place. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const top = join(import.meta.dirname, '../..');
const sources = ['node', 'placement', 'sim', 'drivers', 'api-gateway']
  .flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(top, path), 'utf8') }));

/** Files that hold what `pattern` matches. */
const holders = (pattern: RegExp): string[] =>
  sources.flatMap(({ path, text }) => (pattern.test(text) ? [path] : [])).sort();

void t.test('the cell has its name in one place', (t) => {
  t.ok(sources.length > 500);
  t.same(holders(/'cell0'/), ['node/base/ids.ts']);
  t.end();
});

void t.test('whether storage is shared is asked of its driver or its advert, not read from its name', (t) => {
  t.same(holders(/\b(?:storage|name|pool)(?:Name)? [!=]== '(?:rbd|local)'/i), [
    // Which of the two that there are is set up.
    'node/config/load.ts',
    'node/dev/start.ts',
    'sim/bench/volumes/operations.ts',
    'sim/run/flags.ts',
  ]);
  t.end();
});
