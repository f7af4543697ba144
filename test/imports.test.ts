/** Imports run one way, from the agent down to the ground, and messages are imported by one door. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { circles, fileGraph, roomGraph } from '../node/dev/house/graph.ts';
import { repositoryRoot, sources } from '../node/dev/house/source.ts';

const areas = [
  'proto',
  'node/base',
  'node/config',
  'node/rpc',
  'node/raft',
  'node/state',
  'node/store',
  'node/mesh',
  'node/consensus',
  'node/services',
  'node/tls',
  'node/cluster',
  'node/host',
  'node/agent',
  'node/cli',
  'node/dev',
  'node/bin',
  'placement',
  'drivers',
  // Before the area that they lie in.
  'api-gateway/policies',
  'api-gateway/rest/schemas',
  'api-gateway/web/app',
  'api-gateway',
  'sim',
  'test',
] as const;

type Area = (typeof areas)[number];

function areaOf(path: string): Area | undefined {
  return areas.find((area) => path.startsWith(`${area}/`));
}

/** Below everything: messages, and what every file may use. */
const ground = ['proto', 'node/base'] as const;
/** The parts of an agent below the composition root. */
const parts = [
  ...ground,
  'node/config',
  'node/rpc',
  'node/raft',
  'node/state',
  'node/store',
  'node/mesh',
  'node/consensus',
  'node/services',
  'node/tls',
  'node/cluster',
  'node/host',
  'placement',
  'drivers',
] as const;

/** What each area may import besides itself. */
const allowed: Readonly<Record<Area, readonly Area[]>> = {
  proto: [],
  'node/base': [],
  placement: ['node/base'],
  drivers: ['node/base'],
  'node/config': ['node/base', 'drivers', 'placement', 'api-gateway/policies'],
  'node/rpc': ground,
  'node/raft': ['node/base'],
  'node/state': ground,
  'node/store': [...ground, 'node/raft', 'node/state'],
  'node/mesh': [...ground, 'node/rpc', 'node/state'],
  'node/consensus': [...ground, 'node/raft', 'node/state', 'node/store', 'node/rpc', 'node/mesh'],
  'node/services': [...ground, 'node/state', 'node/mesh', 'node/consensus', 'placement', 'drivers'],
  'node/tls': [...ground, 'node/config', 'node/rpc', 'node/state', 'node/mesh', 'node/services'],
  'node/cluster': [
    ...ground,
    'node/config',
    'node/state',
    'node/store',
    'node/mesh',
    'node/consensus',
    'node/services',
    'placement',
  ],
  'node/host': [
    ...ground,
    'node/config',
    'node/rpc',
    'node/state',
    'node/store',
    'node/mesh',
    'node/services',
    'node/cluster',
    'placement',
    'drivers',
  ],
  'api-gateway/policies': ['node/base'],
  // Free of Node, with all that they import: a web page and a document of the API read them.
  'api-gateway/rest/schemas': ['node/base'],
  // Runs in browsers, and knows the agent by its API alone.
  'api-gateway/web/app': ['api-gateway/rest/schemas'],
  'api-gateway': [
    ...ground,
    'api-gateway/policies',
    'api-gateway/rest/schemas',
    'node/config',
    'node/rpc',
    'node/state',
    'node/mesh',
    'node/services',
    'placement',
    'drivers',
  ],
  'node/agent': [...parts, 'api-gateway', 'api-gateway/policies'],
  'node/cli': [...parts, 'node/agent', 'api-gateway/policies'],
  'node/dev': [...parts, 'node/agent', 'node/cli'],
  'node/bin': ['node/cli', 'sim'],
  // Tenants have no gateway before them and are bound by its policies all the same.
  sim: [...parts, 'node/agent', 'api-gateway/policies'],
  test: areas,
};

t.test('imports run one way', (t) => {
  const offences: string[] = [];
  for (const source of sources()) {
    const from = areaOf(source.path);
    if (from === undefined) continue;
    for (const imported of source.imports) {
      const to = areaOf(imported);
      if (to === undefined || to === from || allowed[from].includes(to)) continue;
      // Benches measure the whole product.
      if (source.path.includes('/bench/') && to !== 'test') continue;
      offences.push(`${source.path} imports ${imported}`);
    }
  }
  t.same(offences, []);
  t.end();
});

t.test('request schemas need no Node, nor does anything that they import', (t) => {
  const byPath = new Map(sources().map((source) => [source.path, source]));
  const reached = new Set([...byPath.keys()].filter((path) => path.startsWith('api-gateway/rest/schemas/')));
  t.ok(reached.size >= 7, `${reached.size} files`);
  for (const path of reached) {
    const source = byPath.get(path);
    t.notMatch(source?.text, /from 'node:|import\('node:|\bprocess\.|\bBuffer\b/u, path);
    // What is named by its package is one that browsers have, too.
    for (const [, name] of source?.text.matchAll(/from '([^.'][^']*)'/gu) ?? []) t.equal(name, 'typebox', path);
    for (const imported of source?.imports ?? []) if (byPath.has(imported)) reached.add(imported);
  }
  t.ok(reached.has('node/base/ip-version.ts'), 'what they import is walked');
  t.end();
});

t.test('the web page needs no Node', (t) => {
  const page = sources().filter(({ path }) => path.startsWith('api-gateway/web/app/'));
  t.ok(page.length > 20, `${page.length} files`);
  for (const { path, text } of page) t.notMatch(text, /from 'node:|\bprocess\.|\bBuffer\b/u, path);
  t.end();
});

t.test('neither files nor folders import one another in circles, types included', (t) => {
  const files = fileGraph(sources().filter(({ path }) => !path.startsWith('test/')));
  t.ok(files.size > 500, `${files.size} files`);
  t.same(circles(files), []);
  t.same(circles(roomGraph(files)), []);
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

/** Made by `npm run proto` and `npm run client`, and so no source. */
const generatedFolders = ['proto/gen/', 'api-gateway/web/app/api/gen/'];

t.test('every imported file of ours exists', (t) => {
  const paths = new Set(sources().map((source) => source.path));
  const offences: string[] = [];
  for (const source of sources()) {
    for (const imported of source.imports) {
      if (areaOf(imported) === undefined || generatedFolders.some((folder) => imported.startsWith(folder))) continue;
      if (/\.(?:json|css)$/u.test(imported)) continue;
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
