/** The pages "How to add ..." of placement/README.md: their examples are the code that runs, and their steps name what is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filters, resourceClasses } from '../../placement/index.ts';

const top = join(import.meta.dirname, '../..');
const readme = readFileSync(join(top, 'placement/README.md'), 'utf8');
const pages = readme.split(/^## /m).filter((page) => page.startsWith('How to add'));

/** Each example with the file that it is from. */
const examples = pages.flatMap((page) =>
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page: page.slice(0, page.indexOf('\n')),
    path: match[1] ?? '',
    code: match[2] ?? '',
  })),
);

void t.test('each example is in the file that it names, word for word', (t) => {
  t.same(
    examples.map(({ page }) => page),
    ['How to add a resource class', 'How to add a host capability', 'How to add a filter'],
  );
  for (const { page, path, code } of examples) {
    t.ok(readFileSync(join(top, path), 'utf8').includes(code), `${page}: ${path}`);
  }
  t.end();
});

void t.test('what the pages name is there', (t) => {
  for (const page of pages) {
    const named = [...page.matchAll(/`((?:test|node|drivers|placement)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
    for (const path of named) t.ok(existsSync(join(top, path)), path);
  }
  t.end();
});

void t.test('no entry of the list is spelled out where it should be looped over', (t) => {
  // A resource that only some hosts have needs no file but the list: the word stands nowhere else in what is run.
  for (const [name, { isBasic, placementName }] of Object.entries(resourceClasses)) {
    if (isBasic) continue;
    for (const path of [
      'placement/columns/host-columns.ts',
      'placement/columns/resource-column.ts',
      'placement/claims/claims.ts',
      'placement/filters/resource-filter.ts',
      'placement/index/request-class.ts',
      'placement/model/advert-check.ts',
      'node/cluster/advert-mapping.ts',
      'node/cluster/resource-needs.ts',
      'node/config/resources.ts',
      'node/services/compute/attribute-rules.ts',
    ]) {
      const text = readFileSync(join(top, path), 'utf8').replace(/\/\*\*[\s\S]*?\*\//g, '');
      t.notOk(text.includes(name) || text.includes(placementName), `${name} in ${path}`);
    }
  }
  t.ok('ResourceClassFilter' in filters);
  t.end();
});
