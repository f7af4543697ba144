/** Imports run one way (DESIGN.md section 3), and messages are imported by one door. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { repositoryRoot, sources } from '../node/dev/house/source.ts';

type Area =
  | 'proto'
  | 'base'
  | 'placement'
  | 'drivers'
  | 'raft'
  | 'state'
  | 'store'
  | 'mesh'
  | 'node'
  | 'gateway'
  | 'sim'
  | 'test';

function areaOf(path: string): Area | undefined {
  const rules: readonly [string, Area][] = [
    ['proto/', 'proto'],
    ['node/base/', 'base'],
    ['node/raft/', 'raft'],
    ['node/state/', 'state'],
    ['node/store/', 'store'],
    ['node/mesh/', 'mesh'],
    ['node/', 'node'],
    ['placement/', 'placement'],
    ['drivers/', 'drivers'],
    ['api-gateway/', 'gateway'],
    ['sim/', 'sim'],
    ['test/', 'test'],
  ];
  return rules.find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** What each area may import besides itself. */
const allowed: Readonly<Record<Area, readonly Area[]>> = {
  proto: [],
  base: [],
  placement: ['base'],
  drivers: ['base'],
  raft: ['base'],
  state: ['base', 'proto'],
  store: ['base', 'proto', 'raft', 'state'],
  mesh: ['base', 'proto', 'raft', 'state'],
  node: ['base', 'proto', 'raft', 'state', 'store', 'mesh', 'placement', 'drivers'],
  gateway: ['base', 'proto', 'state', 'mesh', 'node', 'placement', 'drivers'],
  sim: ['base', 'proto', 'raft', 'state', 'store', 'mesh', 'node', 'placement', 'drivers', 'gateway'],
  test: ['base', 'proto', 'raft', 'state', 'store', 'mesh', 'node', 'placement', 'drivers', 'gateway', 'sim'],
};

/**
 * The exceptions, each with its reason. The composition root starts the gateway, the command line starts the composition
 * root: these two files are the only places of `node/` that look up. The wrapper `shoal` is no part of the agent: it loads
 * one command line or the other.
 */
const exceptions: readonly [string, Area][] = [
  ['node/interfaces.ts', 'gateway'],
  ['node/bin/shoal.mjs', 'sim'],
];

t.test('imports run one way', (t) => {
  const offences: string[] = [];
  for (const source of sources()) {
    const from = areaOf(source.path);
    if (from === undefined) continue;
    for (const imported of source.imports) {
      const to = areaOf(imported);
      if (to === undefined || to === from || allowed[from].includes(to)) continue;
      if (exceptions.some(([path, area]) => path === source.path && area === to)) continue;
      // Benches measure the whole product.
      if (source.path.includes('/bench/') && to !== 'test') continue;
      offences.push(`${source.path} imports ${imported}`);
    }
  }
  t.same(offences, []);
  t.end();
});

t.test('generated messages are imported from proto/messages.ts alone', (t) => {
  const offences = sources()
    .filter((source) => source.path !== 'proto/messages.ts' && !source.path.startsWith('proto/'))
    .filter((source) =>
      source.imports.some((imported) => imported.startsWith('proto/gen/') && imported.endsWith('.js')),
    )
    .map((source) => source.path);
  t.same(offences, []);
  t.end();
});

t.test('every imported file of ours exists', (t) => {
  const paths = new Set(sources().map((source) => source.path));
  const offences: string[] = [];
  for (const source of sources()) {
    for (const imported of source.imports) {
      if (areaOf(imported) === undefined || imported.startsWith('proto/gen/') || imported.endsWith('.json')) continue;
      if (!paths.has(imported)) offences.push(`${source.path} imports ${imported}`);
    }
  }
  t.same(offences, []);
  t.end();
});

t.test('the top level is the one that was agreed', (t) => {
  const agreed = new Set([
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'README.md',
    'node',
    'proto',
    'placement',
    'drivers',
    'api-gateway',
    'sim',
    'test',
    'node_modules',
  ]);
  t.same(
    readdirSync(repositoryRoot).filter((entry) => !entry.startsWith('.') && !agreed.has(entry)),
    [],
  );
  t.end();
});
