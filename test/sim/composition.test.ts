/** The simulator runs the agent as it is built in production: it stands between parts, and reaches into none. */
import t from 'tap';
import { sources } from '../../node/dev/house/source.ts';

const simulator = sources().filter(({ path }) => path.startsWith('sim/'));

/** Lines of the simulator that match, with their place. */
function lines(pattern: RegExp): readonly string[] {
  return simulator.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

await t.test('no method of an object is replaced', (t) => {
  // What an object sets of its own fields is its own affair.
  const assigned = /^\s*(?!this\.#)[\w.#[\]?]+\.#?\w+ = (?:async )?(?:\(|function\b|\w+ =>)/;
  t.match('    machine.apply = (index, command) => {', assigned, 'as it once was');
  t.match('  inner.fresh = async () => inner.local;', assigned);
  t.strictSame(lines(assigned), []);
  t.strictSame(lines(/\bdefineProperty\(|\.prototype\b|\bObject\.assign\(/), []);
  t.end();
});

await t.test('what happened is heard from observers, and from no sentence of the log', (t) => {
  t.strictSame(lines(/\bonLog\b|\bmessage(?:\.startsWith\(| === ')/), []);
  t.end();
});
