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

/** Rooms whose classes are put together by `buildHost` and `buildServices`. */
const builtRooms = ['node/agent/', 'node/host/', 'node/cluster/', 'node/services/'];

/** What a checker makes by itself, to compare with: the model beside the agent. */
const models = ['sim/cluster/convergence.ts: HostNetworkViews'];

await t.test("parts of a host's agent are built by production's functions, and by nobody else", (t) => {
  const classes = new Set(
    sources()
      .filter(({ path }) => builtRooms.some((room) => path.startsWith(room)))
      .flatMap(({ text }) => [...text.matchAll(/^export class (\w+)/gm)].map(([, name]) => name)),
  );
  for (const part of ['ClaimBook', 'HostLoop', 'GossipPlacer', 'ComputeService', 'PeerCalls', 'ImageCache'])
    t.ok(classes.has(part), part);
  const built = simulator.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnew (\w+)\(/g)].flatMap(([, name]) => (classes.has(name) ? [`${path}: ${name}`] : [])),
  );
  t.strictSame(built, models);
  const agent = simulator.find(({ path }) => path === 'sim/agents/host-agent.ts');
  t.match(agent?.text, /\bbuildHost\(/);
  t.match(agent?.text, /\bbuildServices\(/);
  const length = agent?.text.split('\n').length ?? Number.POSITIVE_INFINITY;
  t.ok(length < 100, `host-agent.ts has ${length} lines`);
  t.end();
});
