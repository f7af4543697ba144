/**
 * The ledgers of the compute, identity and image APIs say of every route, attribute, query key and scheduling attribute
 * what it is beside the real service's, and where its effect is proved. Nothing is left out, and nothing is in them
 * that is not there. A proof is an entry of a table of `effects/effects.ts`, which checks that it sends what its row is
 * about.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { TSchema } from 'typebox';
import { computePolicies } from '../../../api-gateway/policies/compute.ts';
import { identityPolicies } from '../../../api-gateway/policies/identity.ts';
import { imagePolicies } from '../../../api-gateway/policies/image.ts';
import type { PolicyRule } from '../../../api-gateway/policies/rule.ts';
import { queries } from '../../../api-gateway/rest/compute/kit/queries.ts';
import { endpointFilters, regionFilters, serviceFilters } from '../../../api-gateway/rest/identity/catalog-routes.ts';
import {
  assignmentFilters,
  domainFilters,
  projectFilters,
  roleFilters,
  userFilters,
} from '../../../api-gateway/rest/identity/filters.ts';
import { listKeys as imageList } from '../../../api-gateway/rest/image/list-query.ts';
import * as computeBodies from '../../../api-gateway/rest/schemas/compute.ts';
import * as consoleBodies from '../../../api-gateway/rest/schemas/consoles.ts';
import * as identityBodies from '../../../api-gateway/rest/schemas/identity.ts';
import { fieldsSchema, olderPatchSchema, patchSchema } from '../../../api-gateway/rest/schemas/image.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { repositoryRoot, sources } from '../../../node/dev/house/source.ts';
import {
  type AttributeRule,
  extraSpecRules,
  imagePropertyRules,
  schedulerHintRules,
} from '../../../node/services/compute/attribute-rules.ts';
import { interfaceEffects } from './compute/attachments/interface-effects.ts';
import { consoleEffects } from './compute/consoles/console-effects.ts';
import { listEffects } from './compute/list-effects.ts';
import { microversionEffects } from './compute/microversions/microversion-effects.ts';
import { liveMigrationEffects } from './compute/moves/live-migration-effects.ts';
import { migrationEffects } from './compute/moves/migration-effects.ts';
import { operatorEffects } from './compute/operators/operator-effects.ts';
import { proxyEffects } from './compute/proxies/proxy-effects.ts';
import { quotaEffects } from './compute/quota-effects.ts';
import { resourceEffects } from './compute/resource-effects.ts';
import { serverEffects } from './compute/server-effects.ts';
import { serverImageEffects } from './compute/server-image-effects.ts';
import { serverListEffects } from './compute/server-list-effects.ts';
import { volumeEffects } from './compute/volume-effects.ts';
import type { Effects } from './effects/effects.ts';
import { cellsOf, type LedgerRow, rowsOf } from './effects/ledger.ts';
import * as identityAttributes from './identity/attribute-effects.ts';
import * as identityLists from './identity/list-effects.ts';
import * as imageAttributes from './image/attribute-effects.ts';
import * as imageLists from './image/list-effects.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const verdicts = /^(same|stricter|more|refused|ignored|not served)$/;

interface SchemaParts {
  readonly anyOf?: readonly TSchema[];
  readonly items?: TSchema;
  readonly properties?: Readonly<Record<string, TSchema>>;
}

/** The attributes of a body, by their paths: `server.networks[].uuid`. */
function attributesOf(schema: TSchema, at = ''): readonly string[] {
  const { anyOf, items, properties }: SchemaParts = schema;
  if (anyOf !== undefined) return [...new Set(anyOf.flatMap((member) => attributesOf(member, at)))];
  if (items !== undefined) return attributesOf(items, `${at}[]`);
  return Object.entries(properties ?? {}).flatMap(([name, member]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [path, ...attributesOf(member, path)];
  });
}

interface Service {
  readonly policies: readonly PolicyRule[];
  readonly bodies: Readonly<Record<string, TSchema>>;
  readonly queryKeys: readonly string[];
  /** The proofs of attributes and queries, by the file they are in. `effects.test.ts` beside them runs them. */
  readonly proofs: Readonly<Record<string, Effects>>;
}

const identityFilters = {
  domains: domainFilters,
  projects: projectFilters,
  users: userFilters,
  roles: roleFilters,
  role_assignments: assignmentFilters,
  services: serviceFilters,
  endpoints: endpointFilters,
  regions: regionFilters,
};

const services: Readonly<Record<'compute' | 'identity' | 'image', Service>> = {
  compute: {
    policies: computePolicies,
    bodies: { ...computeBodies, ...consoleBodies },
    queryKeys: Object.entries(queries).flatMap(([route, { keys }]) =>
      Object.keys(keys).map((key) => `${route} ?${key}`),
    ),
    proofs: {
      'test/api-gateway/rest/compute/attachments/interface-effects.ts': interfaceEffects,
      'test/api-gateway/rest/compute/consoles/console-effects.ts': consoleEffects,
      'test/api-gateway/rest/compute/list-effects.ts': listEffects,
      'test/api-gateway/rest/compute/microversions/microversion-effects.ts': microversionEffects,
      'test/api-gateway/rest/compute/moves/live-migration-effects.ts': liveMigrationEffects,
      'test/api-gateway/rest/compute/moves/migration-effects.ts': migrationEffects,
      'test/api-gateway/rest/compute/operators/operator-effects.ts': operatorEffects,
      'test/api-gateway/rest/compute/proxies/proxy-effects.ts': proxyEffects,
      'test/api-gateway/rest/compute/quota-effects.ts': quotaEffects,
      'test/api-gateway/rest/compute/resource-effects.ts': resourceEffects,
      'test/api-gateway/rest/compute/server-effects.ts': serverEffects,
      'test/api-gateway/rest/compute/server-image-effects.ts': serverImageEffects,
      'test/api-gateway/rest/compute/server-list-effects.ts': serverListEffects,
      'test/api-gateway/rest/compute/volume-effects.ts': volumeEffects,
    },
  },
  identity: {
    policies: identityPolicies,
    bodies: identityBodies,
    // Keystone's comparisons (`name__contains`) go with their names.
    queryKeys: Object.entries(identityFilters).flatMap(([list, filters]) =>
      [...Object.keys(filters).filter((key) => !key.includes('__')), 'limit', 'marker'].map(
        (key) => `GET /v3/${list} ?${key}`,
      ),
    ),
    proofs: {
      'test/api-gateway/rest/identity/attribute-effects.ts': identityAttributes.attributeEffects,
      'test/api-gateway/rest/identity/list-effects.ts': identityLists.listEffects,
    },
  },
  image: {
    policies: imagePolicies,
    bodies: { fieldsSchema, patchSchema, olderPatchSchema },
    queryKeys: imageList.map((key) => `GET /v2/images ?${key}`),
    proofs: {
      'test/api-gateway/rest/image/attribute-effects.ts': imageAttributes.attributeEffects,
      'test/api-gateway/rest/image/list-effects.ts': imageLists.listEffects,
    },
  },
};

const serviceNames = ['compute', 'identity', 'image'] as const;

/** A row names the file whose table of proofs has it, and that runs. `its parts`: rows below it have proofs of their own. */
function checkProof(
  t: Test,
  row: LedgerRow,
  rows: readonly LedgerRow[],
  proofs: Readonly<Record<string, Effects>>,
): void {
  const { key, verdict, note, proof } = row;
  t.match(verdict, verdicts, key);
  if (verdict !== 'same') t.ok(note.length > 0, `${key} has a reason`);
  if (proof === 'its parts') {
    t.equal(verdict, 'same', `${key} has a proof of its own unless it is the same`);
    t.ok(
      rows.some((other) => other.key.startsWith(`${key}.`) && other.proof !== 'its parts'),
      `${key} has parts`,
    );
    return;
  }
  t.ok(Object.hasOwn(ownValue(proofs, proof) ?? {}, key), `${key}: ${proof} proves it`);
}

void t.test('every table of proofs is run, and no proof is of no row', async (t) => {
  for (const service of serviceNames) {
    const { proofs } = services[service];
    const keys = new Set([...rowsOf(service, 'Attributes'), ...rowsOf(service, 'Queries')].map(({ key }) => key));
    const folder = `test/api-gateway/rest/${service}`;
    const files = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' });
    const tests = files.filter((name) => name.endsWith('effects.test.ts'));
    const run = tests.map((name) => read(`${folder}/${name}`)).join('\n');
    for (const [file, effects] of Object.entries(proofs)) {
      t.ok(run.includes(`/${file.split('/').at(-1)}'`), `${file} is run`);
      for (const key of Object.keys(effects)) t.ok(keys.has(key), `${file}: ${key} is in the ledger`);
    }
  }
});

for (const service of serviceNames) {
  const { policies, bodies, queryKeys, proofs } = services[service];

  void t.test(`${service}: every route is in the ledger, and no other`, async (t) => {
    const rows = rowsOf(service, 'Routes');
    const operations = policies.flatMap((rule) => rule.operations).filter((operation) => !operation.startsWith('rpc '));
    t.ok(operations.length > 10);
    t.same(rows.map(({ key }) => key).sort(), operations.sort());
    for (const { key, verdict, note } of rows) {
      t.match(verdict, verdicts, key);
      if (verdict !== 'same') t.ok(note.length > 0, `${key} has a reason`);
    }
  });

  void t.test(`${service}: every attribute of a body is in the ledger, with its proof, and no other`, async (t) => {
    const rows = rowsOf(service, 'Attributes');
    const attributes = Object.entries(bodies).flatMap(([body, schema]) =>
      attributesOf(schema).map((attribute) => `${body}: ${attribute}`),
    );
    t.same(rows.map(({ key }) => key).sort(), attributes.sort());
    for (const row of rows) checkProof(t, row, rows, proofs);
  });

  void t.test(`${service}: every key of a query is in the ledger, with its proof, and no other`, async (t) => {
    const rows = rowsOf(service, 'Queries');
    t.same(rows.map(({ key }) => key).sort(), [...queryKeys].sort());
    for (const row of rows) checkProof(t, row, rows, proofs);
  });
}

void t.test('compute: every extra spec, image property and hint is in the ledger, and what sees to it', async (t) => {
  for (const [heading, rules] of [
    ['Extra specs', extraSpecRules],
    ['Image properties', imagePropertyRules],
    ['Scheduler hints', schedulerHintRules],
  ] as const) {
    const rows = cellsOf('compute', heading);
    t.same(
      rows.map(([names, values, by]) => [names, values, by]),
      rules.map(({ names, values, by }) => [
        `\`${names.source}\``,
        values === undefined ? 'all' : `\`${values.source}\``,
        'filter' in by ? by.filter : 'gives' in by ? by.gives : by.always,
      ]),
    );
    rules.forEach((rule, at) => {
      const proof = rows[at]?.[3] ?? '';
      t.ok(mentions(read(proof), rule), `${proof} speaks of ${rule.names.source}`);
    });
  }
});

/** A filter by its name; of what every server is anyway, one of the names. */
function mentions(text: string, { names, by }: AttributeRule): boolean {
  if ('filter' in by) return text.includes(by.filter);
  return [...text.matchAll(/'([^'\n]+)'/g)].some(([, word = '']) => names.test(word));
}

void t.test('handlers of compute read no key of a query that is not in its table', async (t) => {
  const known = new Set(Object.values(queries).flatMap(({ keys }) => Object.keys(keys)));
  const found = new Set<string>();
  for (const { path, text } of sources()) {
    if (!path.startsWith('api-gateway/rest/compute/')) continue;
    for (const [, key = ''] of text.matchAll(/(?:query|Query\.of\(request\))\.(?:one|all|number)\('([^']+)'\)/g)) {
      found.add(key);
    }
    // The filters that a list declares, by the function that makes each.
    const makers = 'once|single|alternatives|pattern|equal|caseless|atLeast|changed|tagged';
    for (const [, key = ''] of text.matchAll(new RegExp(`^\\s+'?([\\w-]+)'?: (?:${makers})\\(`, 'gm'))) found.add(key);
  }
  t.ok(found.size > 25, `${found.size} keys`);
  t.same(
    [...found].filter((key) => !known.has(key)),
    [],
  );
});
