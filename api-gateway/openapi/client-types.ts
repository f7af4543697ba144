/** Types for clients of the API, written from the OpenAPI document: what the page's client (`web/app/api/`) is checked by. */
import type { Json } from './native-schemas.ts';

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

/** As much of JSON Schema as the document has. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** A module of types: messages by name, methods of the native API, and routes of the others with their bodies. */
export function clientTypes(document: Json): string {
  const { paths, components } = document as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const native: string[] = [];
  const routes: string[] = [];
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      const body = schemaOf(operation.requestBody);
      const answer = schemaOf(operation.responses['200']);
      const [, name] = /^\/shoal\/v1\/(.*)$/.exec(path) ?? [];
      if (name !== undefined && body !== undefined && answer !== undefined) {
        native.push(`  '${name}': { request: ${typeOf(body)}; answer: ${typeOf(answer)} };`);
      } else if (name === undefined) {
        routes.push(`  '${method.toUpperCase()} ${path}': ${body === undefined ? 'undefined' : typeOf(body)};`);
      }
    }
  }
  const messages = Object.entries(components.schemas).map(
    ([name, schema]) => `export interface ${name} ${typeOf(schema)}`,
  );
  return [
    '/* Written by test/api-gateway/openapi/write-client.ts from the OpenAPI document: change nothing here. */',
    '/** Methods of the native API: `POST /shoal/v1/SERVICE/METHOD`. */',
    `export interface NativeMethods {\n${native.sort().join('\n')}\n}`,
    '/** Routes of the other services, and what their bodies are. */',
    `export interface RestBodies {\n${routes.sort().join('\n')}\n}`,
    ...messages,
    '',
  ].join('\n\n');
}

function schemaOf(part: Operation['requestBody'] | Operation['responses'][string]): Schema | undefined {
  return Object.values(part?.content ?? {})[0]?.schema;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((one) => `(${typeOf(one)})`).join(' & ');
  if (Array.isArray(schema.type))
    return [...new Set(schema.type.map((type) => typeOf({ ...schema, type })))].join(' | ');
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `readonly (${schema.items === undefined ? 'unknown' : typeOf(schema.items)})[]`;
    case 'object':
      return objectOf(schema);
    default:
      return 'unknown';
  }
}

function objectOf({ properties = {}, patternProperties, additionalProperties, required = [] }: Schema): string {
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
    return `readonly ${key}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`;
  });
  if (members.length > 0) return `{ ${members.join(' ')} }`;
  const [pattern] = Object.values(patternProperties ?? {});
  const values = pattern ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  if (values === undefined && additionalProperties === false) return '{ readonly [name: string]: never }';
  return `{ readonly [name: string]: ${values === undefined ? 'unknown' : typeOf(values)} }`;
}
