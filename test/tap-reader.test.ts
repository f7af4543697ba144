/** The reader of `npm test` itself: what it counts and shows decides whether a failure is ever seen. */
import t from 'tap';
import { type TapFile, TapReader } from './support/tap-reader.ts';

function filesOf(text: string): TapFile[] {
  const files: TapFile[] = [];
  const reader = new TapReader((file) => files.push(file));
  for (const line of text.split('\n')) reader.line(line);
  reader.end();
  return files;
}

const passing = `TAP version 14
1..2
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - two
        ok 2 - three
        1..2
    ok 1 - adds # time=3.1ms
    ok 2 - by itself
    1..2
ok 1 - test/a.test.ts # time=120.5ms`;

t.test('counts assertions, not the subtests around them', async (t) => {
  t.same(filesOf(passing), [
    { name: 'test/a.test.ts', passed: 3, failed: 0, skipped: 0, timeMs: 120.5, failures: [], skips: [] },
  ]);
});

t.test('keeps the path and the diagnostic of what failed, and does not count its parents again', async (t) => {
  const [file] = filesOf(`# Subtest: test/b.test.ts
    # Subtest: outer
        # Subtest: inner
            ok 1 - fine
            not ok 2 - numbers differ
              ---
              compare: ===
              diff: |
                -2
                +1
              not ok 7 - this is inside of the diagnostic
              ...
            1..2
        not ok 1 - inner # time=6.2ms
          ---
          at:
            lineNumber: 3
          ...
        1..1
    not ok 1 - outer # time=7ms
    1..1
not ok 1 - test/b.test.ts # time=50ms
  ---
  exitCode: 1
  ...`);
  t.equal(file?.passed, 1);
  t.equal(file?.failed, 1);
  t.same(file?.failures, [
    {
      path: ['test/b.test.ts', 'outer', 'inner', 'numbers differ'],
      diagnostic: ['compare: ===', 'diff: |', '  -2', '  +1', 'not ok 7 - this is inside of the diagnostic'],
    },
  ]);
});

t.test('a file that fails although all its assertions passed is a failure, with how its process ended', async (t) => {
  const [file] = filesOf(`# Subtest: test/c.test.ts
    ok 1 - fine
    1..1
not ok 1 - test/c.test.ts # time=20ms
  ---
  exitCode: 3
  signal: null
  ...`);
  t.equal(file?.failed, 1);
  t.same(file?.failures, [{ path: ['test/c.test.ts'], diagnostic: ['exitCode: 3', 'signal: null'] }]);
});

t.test('a file whose process ended inside of a subtest is told from the next', async (t) => {
  const files = filesOf(`# Subtest: test/d.test.ts
    # Subtest: cut off
        ok 1 - before
not ok 1 - test/d.test.ts # time=20ms
  ---
  signal: SIGKILL
  ...

# Subtest: test/e.test.ts
    ok 1 - fine
    1..1
ok 2 - test/e.test.ts # time=2ms`);
  t.same(
    files.map(({ name, passed, failed }) => ({ name, passed, failed })),
    [
      { name: 'test/d.test.ts', passed: 1, failed: 1 },
      { name: 'test/e.test.ts', passed: 1, failed: 0 },
    ],
  );
});

t.test('what is skipped is named with its reason, and what is only to come counts with it', async (t) => {
  const [file] = filesOf(`# Subtest: test/f.test.ts
    # Subtest: on real Ceph # SKIP
    ok 1 - on real Ceph # SKIP ceph-osd is not installed
    ok 2 - later # TODO not written
    not ok 3 - much later # TODO
    1..3
ok 1 - test/f.test.ts # time=2ms`);
  t.equal(file?.passed, 0);
  t.equal(file?.skipped, 3);
  t.equal(file?.failed, 0);
  t.same(file?.skips, [
    'test/f.test.ts > on real Ceph: ceph-osd is not installed',
    'test/f.test.ts > later: not written',
    'test/f.test.ts > much later',
  ]);
});
