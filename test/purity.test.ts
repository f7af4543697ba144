/**
 * The pure folders read no clock, no ambient randomness and do no I/O: without this the simulator proves nothing
 * (DESIGN.md section 3). The rule is checked on the text, with comments and strings taken out.
 */
import t from 'tap';
import { type Source, sources } from '../node/dev/house/source.ts';

/** Files that must be pure. */
function isPure(path: string): boolean {
  if (path.startsWith('placement/')) return !path.startsWith('placement/bench/');
  if (path.startsWith('node/raft/')) return !path.startsWith('node/raft/bench/');
  // The in-memory client is the edge: it hands the pure state to code that awaits.
  if (path === 'node/state/memory-state-client.ts') return false;
  if (path.startsWith('node/state/') && path !== 'node/state/types.ts') return true;
  return pureFiles.has(path);
}

const pureFiles = new Set([
  'node/reconciler.ts',
  'node/local-intents.ts',
  'node/autopilot.ts',
  'node/mesh/adverts.ts',
  'node/mesh/detector.ts',
]);

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
      if (imported.startsWith('node:')) offences.push(`${source.path} imports ${imported}`);
    }
  }
  t.same(offences, []);
  t.ok(checked > 20, `${checked} pure files were read`);
  t.end();
});

t.test('every file named as pure exists', (t) => {
  const paths = new Set(sources().map((source) => source.path));
  t.same(
    [...pureFiles].filter((path) => !paths.has(path)),
    [],
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
