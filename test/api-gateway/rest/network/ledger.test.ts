/** LEDGER.md says of every route and attribute of the network API what it is, and which test proves it. Nothing is left out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TSchema } from 'typebox';
import type { AttributeSchema } from '../../../../api-gateway/rest/network/attributes.ts';
import {
  extensions,
  isFixed,
  isHonoured,
  knownExtensions,
  writable,
} from '../../../../api-gateway/rest/network/extensions.ts';
import { quotaPatch, tagsBody } from '../../../../api-gateway/rest/schemas/network.ts';
import { repositoryRoot } from '../../../../node/dev/house/source.ts';
import { startCloud } from '../cloud.ts';
import { rowsOf as queryRows } from '../effects/ledger.ts';
import { listEffects } from './list-effects.ts';

const ledger = readFileSync(join(repositoryRoot, 'api-gateway/rest/network/LEDGER.md'), 'utf8');

/** Rows of the table below a heading, as cells. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, part = ''] = ledger.split(`## ${heading}\n`);
  return (part.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const bodies: Readonly<Record<string, readonly TSchema[]>> = { ...writable, quota: [quotaPatch], tags: [tagsBody] };

/** Attribute to its schemas, for every body that the network API takes. */
const attributes = new Map<string, readonly AttributeSchema[]>();
for (const [resource, schemas] of Object.entries(bodies)) {
  for (const schema of schemas) {
    const { properties = {} }: AttributeSchema = schema;
    for (const [name, found] of Object.entries(properties)) {
      const key = `${resource}.${name}`;
      attributes.set(key, [...(attributes.get(key) ?? []), found]);
    }
  }
}

void t.test('every route of the network API is in the ledger, and no other', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const served = cloud.gateway.server.routes
    .filter(({ method, path }) => path.startsWith('/networking') && method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, path }) => `${method} ${path.slice('/networking'.length).replace(/(.)\/$/, '$1') || '/'}`);
  t.ok(served.length > 60, `${served.length} routes`);
  t.same(
    rowsOf('Routes')
      .map(([route]) => route)
      .sort(),
    [...new Set(served)].sort(),
  );
});

void t.test('every attribute that a body may have is in the ledger, with its verdict', async (t) => {
  const rows = rowsOf('Attributes');
  t.same(rows.map(([attribute]) => attribute).sort(), [...attributes.keys()].sort());
  for (const [attribute = '', verdict = '', note = ''] of rows) {
    t.match(verdict, /^(same|stricter|refused)$/, attribute);
    if (verdict !== 'same') t.ok(note.length > 0, `${attribute} has a reason`);
    const isRefused = (attributes.get(attribute) ?? []).every(isFixed);
    t.equal(verdict === 'refused', isRefused, `${attribute} is refused in the schema and in the ledger alike`);
  }
});

void t.test('the test that proves an attribute is there', async (t) => {
  for (const [attribute = '', , , proof = ''] of rowsOf('Attributes')) {
    const [file = '', ...name] = proof.split(': ');
    const words = name.join(': ');
    t.ok(words.length > 1, `${attribute} has a proof`);
    t.ok(readFileSync(join(repositoryRoot, file), 'utf8').includes(words), `${attribute}: "${words}" is in ${file}`);
  }
});

void t.test('every key of a list is in the ledger, with its proof, and no other', async (t) => {
  const file = 'test/api-gateway/rest/network/list-effects.ts';
  const rows = queryRows('network', 'Queries');
  t.same(rows.map(({ key }) => key).sort(), Object.keys(listEffects).sort());
  for (const { key, verdict, note, proof } of rows) {
    t.match(verdict, /^(same|stricter|more)$/, key);
    if (verdict !== 'same') t.ok(note.length > 0, `${key} has a reason`);
    t.equal(proof, file, key);
  }
  const run = readFileSync(join(repositoryRoot, 'test/api-gateway/rest/network/effects.test.ts'), 'utf8');
  t.ok(run.includes("from './list-effects.ts'"), 'the proofs are run');
});

void t.test('a key that no list has is refused by name, by full lists and by empty ones', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const { key } of queryRows('network', 'Queries').filter((row) => row.key.endsWith(' ?id'))) {
    const path = key.replace(/^GET (.*) \?id$/, '/networking$1');
    for (const query of ['nmae=x', 'nmae=x&id=1', 'toString=1', 'security_group_rules=x']) {
      const answer = await cloud.gateway.call('GET', `${path}?${query}`);
      t.equal(answer.statusCode, 400, `${path}?${query}`);
      t.match(answer.json().NeutronError.message, /is invalid attribute for filtering/);
    }
  }
  const wrong = await cloud.gateway.call('GET', '/networking/v2.0/agents?alive=perhaps');
  t.equal(wrong.statusCode, 400, 'a flag is true or false');
});

void t.test('api 4: an extension is advertised only while all of its attributes have an effect', async (t) => {
  for (const [alias, { attributes: added = [] }] of Object.entries(knownExtensions)) {
    t.equal(extensions.has(alias), added.every(isHonoured), alias);
    for (const attribute of added) {
      if (extensions.has(alias)) t.ok(attributes.has(attribute), `${alias}: ${attribute} can be written`);
    }
  }
  for (const alias of ['binding', 'dvr', 'l3-ha', 'agent', 'extra_dhcp_opt']) t.notOk(extensions.has(alias), alias);
  for (const alias of ['allowed-address-pairs', 'extraroute', 'router', 'security-group', 'revision-if-match']) {
    t.ok(extensions.has(alias), alias);
  }
});
