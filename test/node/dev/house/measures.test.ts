/** Each bound of the house is one that can be broken. */
import t from 'tap';
import { exportsOf } from '../../../../node/dev/house/exports.ts';
import { measure, offences } from '../../../../node/dev/house/measures.ts';
import { brokenReferences } from '../../../../node/dev/house/references.ts';
import { documents, paths, type Source, sources } from '../../../../node/dev/house/source.ts';
import { oldWordsIn } from '../../../../node/dev/house/words.ts';

const source = (path: string, text: string, from: readonly string[] = []): Source => ({
  path,
  text,
  imports: from,
  bindings: from.map((file) => ({ from: file, names: ['one'] })),
});

t.test('a measure out of bounds is an offence', async (t) => {
  const many = Array.from({ length: 21 }, (_, at) => source(`node/many/f${at}.ts`, ''));
  const found = offences(
    measure(
      [
        ...many,
        source('node/a/a.ts', '/** It counts. */\nexport const one = 1;\nexport const two = 2;\n', ['node/b/b.ts']),
        source('node/b/b.ts', 'export const one = 1; // hearsay\n', ['node/a/a.ts']),
        source('node/c/c.ts', '\n'.repeat(1_200)),
      ],
      [],
    ),
  );
  for (const what of [
    'node/many holds 21 files',
    'files import one another: node/a/a.ts, node/b/b.ts',
    'folders import one another: node/a, node/b',
    'node/c/c.ts has 1200 lines',
    'nobody imports node/a/a.ts two',
    '1 of 3 exports are documented',
    'where the field says: gossip',
  ]) {
    t.ok(
      found.some((offence) => offence.includes(what)),
      what,
    );
  }
  t.equal(found.length, 7, found.join('; '));
});

t.test('an old word is found in code and in words, and a stored name is none', (t) => {
  const uses = oldWordsIn([
    { path: 'a.ts', text: "const quarantineField = 'doubt';" },
    { path: 'b.md', text: 'The log is in doubt: `doubt` on disk.' },
  ]);
  t.same(uses, [{ path: 'b.md', times: 1, instead: 'quarantined' }]);
  t.same(measure(sources(), paths()).oldWords, []);
  t.ok(documents(paths()).some(({ path }) => path === 'README.md'));
  t.end();
});

t.test('a docstring counts when it stands right before the export', async (t) => {
  const text =
    '/** Far away. */\nconst a = 1;\nexport function b(): void {}\n/** Near. */\nexport async function c(): Promise<void> {}\n';
  t.same(
    exportsOf(source('x.ts', text)).map(({ name, isDocumented }) => [name, isDocumented]),
    [
      ['b', false],
      ['c', true],
    ],
  );
});

t.test('every file that a comment or a README names is there', async (t) => {
  t.same(brokenReferences(paths()), []);
  t.same(brokenReferences(['README.md']).length > 10, true, 'of nothing but the README, all that it names is missing');
});

t.test('the sources are read with what they take from one another', async (t) => {
  const own = sources().find(({ path }) => path === 'node/dev/house/measures.ts');
  t.ok(own?.bindings.some(({ from, names }) => from === 'node/dev/house/graph.ts' && names.includes('circles')));
});
