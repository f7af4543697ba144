/** A field that is sealed with the mesh key and is not named as such would be lost when that changes. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { sources } from '../../../../node/dev/house/source.ts';
import { sealedFields } from '../../../../node/services/cluster/sealed-fields.ts';
import { Table } from '../../../../node/state/table.ts';
import * as tables from '../../../../node/state/tables/index.ts';

interface Message {
  readonly fields?: Readonly<
    Record<string, { readonly type: string; readonly rule?: string; readonly keyType?: string }>
  >;
}

/** Sealed in other ways, each with the place that sees to it when the mesh key changes. */
const elsewhere: readonly string[] = [
  // Sealed again in the very transaction that changes the key: node/mesh/identity/rekey.ts.
  'mesh sealedAuthorityKey',
  // The mesh keys themselves, sealed to hosts.
  'mesh-key-epoch keys.sealed',
];

const schema = JSON.parse(readFileSync(new URL('../../../../proto/gen/shoal.json', import.meta.url), 'utf8')) as {
  readonly nested: {
    readonly shoal: { readonly nested: { readonly v1: { readonly nested: Record<string, Message> } } };
  };
};
const messages = schema.nested.shoal.nested.v1.nested;

/** Paths of fields with "seal" in their name, through all messages inside. */
function sealedPaths(name: string, seen: readonly string[] = []): readonly string[] {
  if (seen.includes(name)) return [];
  return Object.entries(messages[name]?.fields ?? {}).flatMap(([snake, { type }]) => {
    const field = snake.replace(/_(.)/g, (_match, letter: string) => letter.toUpperCase());
    const below = sealedPaths(type.split('.').at(-1) ?? '', [...seen, name]).map((path) => `${field}.${path}`);
    const isSealed = type === 'bytes' && /seal/i.test(field);
    return isSealed ? [field, ...below] : below;
  });
}

t.test('every sealed field of every table is sealed again with the mesh key, or is named here', (t) => {
  const found: string[] = [];
  for (const table of Object.values(tables)) {
    if (!(table instanceof Table)) continue;
    const { name, codec } = table.definition;
    const message = 'name' in codec && typeof codec.name === 'string' ? codec.name : '';
    t.ok(messages[message], `the message of table ${name} is known`);
    found.push(...sealedPaths(message).map((path) => `${name} ${path}`));
  }
  const known = sealedFields.flatMap(({ table, fields }) => Object.keys(fields).map((path) => `${table} ${path}`));
  t.same([...found].sort(), [...known, ...elsewhere].sort());
  t.end();
});

t.test('nothing is sealed with the mesh key but by what names a kind of secret', (t) => {
  const sealing = sources()
    .filter(({ path, imports }) => !path.startsWith('test/') && imports.includes('node/mesh/identity/seal.ts'))
    .map(({ path }) => path);
  t.same([...sealing].sort(), ['node/mesh/identity/authority.ts', 'node/services/cluster/mesh-sealing.ts']);
  t.end();
});
