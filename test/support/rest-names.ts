/** Names of fields that REST's bodies have and no message of `shoal.v1`: what an error of the native API must not speak of. */
import * as compute from '../../api-gateway/rest/schemas/compute.ts';
import * as identity from '../../api-gateway/rest/schemas/identity.ts';
import { fieldsSchema } from '../../api-gateway/rest/schemas/image.ts';
import * as network from '../../api-gateway/rest/schemas/network.ts';
import { schemas } from './native-schema.ts';

/** Names that are no plain words: a sentence may hold "server", and mean no field. */
const isTelling = (name: string): boolean => /[_:A-Z]/.test(name);

/** All of them. */
export function restOnlyNames(): readonly string[] {
  const native = new Set(Object.values(schemas).flatMap((schema) => Object.keys(schema?.fields ?? {})));
  const names = new Set<string>();
  const walk = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if ('properties' in schema && typeof schema.properties === 'object' && schema.properties !== null) {
      for (const name of Object.keys(schema.properties)) names.add(name);
    }
    for (const part of Object.values(schema)) walk(part);
  };
  for (const part of [compute, identity, network, { fieldsSchema }]) walk(part);
  return [...names].filter((name) => isTelling(name) && !native.has(name));
}

/** The first such name in an error's text; undefined: none. Policy rules are called by OpenStack's names everywhere. */
export function restOnlyNameIn(text: string, names: readonly string[]): string | undefined {
  const words = new Set(text.replace(/\(rule:[^)]*\)|Policy does not allow \S+/g, '').match(/[\w:-]+/g) ?? []);
  return names.find((name) => words.has(name) || words.has(`${name}:`));
}
