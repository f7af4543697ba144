/** The API as an OpenAPI 3.1 document, made from the routes that the gateway has: none can be missing from it. */
import { ownValue } from '../../node/base/own-value.ts';
import type { Route } from '../rest/kit/routes-known.ts';
import { type Json, nativeMethodsByRoute, nativeSchemas } from './native-schemas.ts';

/** Services by the first part of the path. */
const services: Readonly<Record<string, string>> = {
  compute: 'compute',
  console: 'console',
  identity: 'identity',
  image: 'image',
  networking: 'network',
  placement: 'placement',
  shoal: 'native',
  v3: 'identity',
  volume: 'volume',
};
/** Of a service with microversions: what its header calls it. */
const microversioned: Readonly<Record<string, string>> = {
  compute: 'compute',
  placement: 'placement',
  volume: 'volume',
};
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** @param version of the agent that tells it. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths = new Map<string, { readonly path: string; readonly item: Map<string, Json> }>();
  const native = nativeMethodsByRoute();
  for (const route of routes) {
    // Two paths that differ in the names of their parameters alone are one path here.
    const parsed = templateOf(route.path);
    const known = paths.get(parsed.shape) ?? { path: parsed.path, item: new Map<string, Json>() };
    paths.set(parsed.shape, known);
    known.item.set(route.method.toLowerCase(), operationOf(route, native.get(`${route.method} ${route.path}`)));
  }
  const items = [...paths.values()].map(({ path, item }): [string, Json] => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
    return [path, { ...(parameters.length === 0 ? {} : { parameters }), ...Object.fromEntries(item) }];
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Shoal',
      version,
      summary: 'OpenStack’s APIs and Shoal’s own, as any agent of the mesh serves them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(['operations', ...Object.values(services)])].sort().map((name) => ({ name })),
    paths: Object.fromEntries(items),
    components: {
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } },
      schemas: { ...nativeSchemas(), NativeFault: nativeFault },
    },
  };
}

/** `/a/:id` -> `/a/{id}`, and what it has in common with `/a/:name`. */
function templateOf(route: string): { readonly path: string; readonly shape: string } {
  const path = route
    .replace(/:(\w+)/g, '{$1}')
    .replace(/\*$/, '{path}')
    .replace(/(?<=.)\/$/, '');
  return { path, shape: path.replace(/\{\w+\}/g, '{}') };
}

function operationOf(route: Route, native: { readonly request: string; readonly response: string } | undefined): Json {
  const { method, path, config } = route;
  const service = ownValue(services, path.split('/')[1] ?? '') ?? 'operations';
  const rule = config.guard?.access.find(`${method} ${config.guard.path}`);
  const header = ownValue(microversioned, service);
  return {
    operationId: `${method.toLowerCase()}${path
      .replace(/:/g, 'by_')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/_$/, '')}`,
    tags: [service],
    ...(rule === undefined
      ? {}
      : { description: `Needs ${rule.grant.needs} (rule ${rule.name}).`, 'x-shoal-policy': rule.name }),
    security: config.public === true ? [] : [{ token: [] }],
    ...(header === undefined ? {} : { parameters: [microversionOf(header)] }),
    ...(methodsWithBody.has(method) ? bodyOf(route, native) : {}),
    responses: native === undefined ? plainResponses : nativeResponses(native.response),
  };
}

function microversionOf(service: string): Json {
  return {
    name: 'OpenStack-API-Version',
    in: 'header',
    description: `The microversion: \`${service} 2.1\`, or \`${service} latest\`. Absent: the oldest.`,
    schema: { type: 'string' },
  };
}

function bodyOf({ config, path }: Route, native: { readonly request: string } | undefined): Json {
  if (native !== undefined) return { requestBody: contentOf(['application/json'], reference(native.request)) };
  if (config.actions !== undefined) {
    // The only key of the body says which; what belongs to each is checked when it is known.
    const properties = Object.fromEntries(config.actions.map((action) => [action, {}]));
    const body = { type: 'object', properties, minProperties: 1, maxProperties: 1, additionalProperties: false };
    return { requestBody: { required: true, ...contentOf(['application/json'], body) } };
  }
  if (config.body !== undefined) {
    const types = config.mediaTypes ?? ['application/json'];
    return { requestBody: { required: true, ...contentOf(types, config.body) } };
  }
  if (path.endsWith('/file')) return { requestBody: contentOf(['application/octet-stream'], { type: 'string' }) };
  return {};
}

function contentOf(mediaTypes: readonly string[], schema: object): Json {
  return { content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }])) };
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** What each service answers with is OpenStack's own, and documented there. */
const plainResponses: Json = {
  '2XX': { description: 'What OpenStack’s own service answers.' },
  default: { description: 'A failure, in the words and the shape of OpenStack’s own service.' },
};

function nativeResponses(response: string): Json {
  return {
    '200': { description: 'The answer.', ...contentOf(['application/json'], reference(response)) },
    default: { description: 'A failure.', ...contentOf(['application/json'], reference('NativeFault')) },
  };
}

const nativeFault: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'title', 'message'],
      properties: {
        code: { type: 'integer', description: 'The HTTP status.' },
        title: { type: 'string' },
        message: { type: 'string' },
        reason: { type: 'string', description: 'What failed, as NO_QUORUM.' },
      },
    },
  },
};
