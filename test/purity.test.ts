/**
 * The pure folders read no clock, no ambient randomness and do no I/O: without this the simulator proves nothing. The
 * rule is checked on the text, with comments and strings taken out.
 */
import t from 'tap';
import { type Source, sources } from '../node/dev/house/source.ts';

/** Folders whose files are pure. */
const pureFolders = [
  'placement/',
  'node/raft/',
  'node/state/',
  'node/consensus/autopilot/',
  'node/host/plan/',
  'node/mesh/rules/',
  'node/services/compute/machine/',
];

/** What lies in them and is not: benches; the in-memory client, which hands the pure state to code that awaits. */
const exceptions = ['placement/bench/', 'node/raft/bench/', 'node/state/client/', 'node/state/types.ts'];

function isPure(path: string): boolean {
  const lies = (folders: readonly string[]): boolean => folders.some((folder) => path.startsWith(folder));
  return lies(pureFolders) && !lies(exceptions);
}

const forbidden: readonly [RegExp, string][] = [
  [/\bDate\s*\.\s*now\b|\bnew\s+Date\b/, 'reads the wall clock'],
  [/\bperformance\s*\.\s*now\b/, 'reads a clock'],
  [/\bMath\s*\.\s*random\b/, 'draws ambient randomness'],
  [/\bset(Timeout|Interval|Immediate)\b/, 'starts a timer'],
  [/\bqueueMicrotask\b|\bawait\b|\basync\b|\bnew\s+Promise\b|\bPromise\s*</, 'waits'],
  [/\bprocess\s*\./, 'reads the process'],
];

function codeOf(source: Source): string {
  return source.text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");
}

t.test('the pure folders are pure', (t) => {
  const offences: string[] = [];
  let checked = 0;
  for (const source of sources()) {
    if (!isPure(source.path)) continue;
    checked++;
    const code = codeOf(source);
    for (const [pattern, offence] of forbidden) {
      if (pattern.test(code)) offences.push(`${source.path} ${offence}: ${pattern.exec(code)?.[0]}`);
    }
    for (const imported of source.imports) {
      if (imported.startsWith('node:') || imported.startsWith('node/base/buggify/'))
        offences.push(`${source.path} imports ${imported}`);
    }
  }
  t.same(offences, []);
  t.ok(checked > 20, `${checked} pure files were read`);
  t.end();
});

t.test('every folder named as pure holds files', (t) => {
  for (const folder of [...pureFolders, ...exceptions])
    t.ok(
      sources().some(({ path }) => path.startsWith(folder)),
      folder,
    );
  t.end();
});

t.test('the check sees what it is meant to see', (t) => {
  const bad = codeOf({ path: 'x', imports: [], bindings: [], text: 'const a = Date.now(); // fine\n' });
  t.ok(forbidden[0]?.[0].test(bad));
  t.notOk(
    forbidden[0]?.[0].test(
      codeOf({ path: 'x', imports: [], bindings: [], text: "// Date.now()\nconst a = 'Date.now()';" }),
    ),
  );
  t.end();
});
