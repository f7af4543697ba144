/** The description of the API: every route is in it, and it is OpenAPI. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { nativeMethods } from '../../../api-gateway/native/methods.ts';
import { startWholeCloud } from '../../security/support/whole-cloud.ts';
import { clientFile, clientText } from './client-file.ts';

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly 'x-shoal-policy'?: string;
}

const restFolder = new URL('../../../api-gateway/rest/', import.meta.url);
const whole = await startWholeCloud();
t.teardown(() => whole.stop());
const { gateway } = whole.cloud;
const answer = await gateway.call('GET', '/openapi.json', { token: null });
const document = answer.json();
const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = document.paths;

/** Routes that read no body. A new route either says what its body is or is one of these. */
const withoutBody: readonly RegExp[] = [
  // What the path says is all that there is to say.
  /^PUT .*\/tags\/:(tag|key)$/,
  /^PUT .*\/roles\/:role$/,
  /^POST \/image\/v2\/images\/:id\/actions\/(de|re)activate$/,
  // Refused whatever they say: streams here, and what Cinder's hosts have and these do not.
  /^POST \/shoal\/v1\/\w+\/(Watch|Upload|Download)\w+$/,
  /^PUT \/volume\/v3\/os-services\/[a-z-]+$/,
  /^POST \/volume\/v3\/workers\/cleanup$/,
];

/** Whatever its parameters are called. */
const shapeOf = (path: string): string =>
  path
    .replace(/:\w+|\{\w+\}/g, '{}')
    .replace(/\*$/, '{}')
    .replace(/(?<=.)\/$/, '');

void t.test('it is OpenAPI 3.1', async (t) => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  t.ok(result.valid, JSON.stringify(result.errors)?.slice(0, 2000));
  t.equal(validator.version, '3.1');
});

void t.test('every route is in it, once', (t) => {
  const described = new Set(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${shapeOf(path)}`),
    ),
  );
  const missing = gateway.server.routes
    .map(({ method, path }) => `${method} ${shapeOf(path)}`)
    .filter((route) => !described.has(route));
  t.same(missing, []);
  const ids = Object.values(paths).flatMap((item) =>
    Object.values(item).flatMap(({ operationId = [] }) => operationId),
  );
  t.equal(new Set(ids).size, ids.length, 'ids are unique');
  t.ok(ids.length > 700, `${ids.length} operations`);
  t.end();
});

void t.test('who may is in it, and what needs no token', (t) => {
  t.equal(paths['/compute/v2.1/servers']?.['post']?.['x-shoal-policy'], 'os_compute_api:servers:create');
  t.same(paths['/v3/auth/tokens']?.['post']?.security, []);
  t.same(paths['/compute/v2.1/servers']?.['get']?.security, [{ token: [] }]);
  t.end();
});

void t.test('bodies are the very schemas that the handlers read them by', (t) => {
  const silent = gateway.server.routes
    .filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method))
    .filter(({ method, path }) => {
      const item = Object.entries(paths).find(([described]) => shapeOf(described) === shapeOf(path))?.[1];
      return item?.[method.toLowerCase()]?.requestBody === undefined;
    })
    .map(({ method, path }) => `${method} ${path}`);
  t.same(
    silent.filter((route) => !withoutBody.some((pattern) => pattern.test(route))),
    [],
  );
  for (const pattern of withoutBody)
    t.ok(
      silent.some((route) => pattern.test(route)),
      String(pattern),
    );
  t.end();
});

void t.test('no handler reads its body by another schema than its route says', (t) => {
  const files = readdirSync(restFolder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  let compared = 0;
  for (const file of files) {
    const [, ...routes] = readFileSync(new URL(file, restFolder), 'utf8').split(/\b(?:app|scope)\.(?=[a-z]+[<(])/);
    for (const route of routes) {
      const said = /\bconfig: \{ body: ([\w.]+)/.exec(route)?.[1];
      const read = /^(?:post|put|patch)\b[\s\S]*?\bparse\(\s*([\w.]+),\s*request\.body/.exec(route)?.[1];
      if (read === undefined || said === undefined) continue;
      compared += 1;
      t.equal(said, read, `${file}: ${route.slice(0, 80)}`);
    }
  }
  t.ok(compared > 60, `${compared} routes`);
  t.end();
});

void t.test('the native API has its messages', (t) => {
  for (const { path, isStream, spec } of nativeMethods()) {
    if (isStream) continue;
    const operation = paths[`/shoal/v1${path}`]?.['post'];
    t.same(operation?.requestBody?.content['application/json']?.schema, {
      $ref: `#/components/schemas/${spec.requestName}`,
    });
    t.ok(document.components.schemas[spec.responseName], spec.responseName);
  }
  t.end();
});

void t.test('it is told again only when it differs, and packed for those who take it', async (t) => {
  t.equal(answer.statusCode, 200);
  const { etag } = answer.headers;
  const again = await gateway.call('GET', '/openapi.json', { headers: { 'if-none-match': String(etag) } });
  t.equal(again.statusCode, 304);
  const packed = await gateway.call('GET', '/openapi.json', { headers: { 'accept-encoding': 'gzip, br' } });
  t.equal(packed.headers['content-encoding'], 'gzip');
  t.equal(gunzipSync(packed.rawPayload).toString(), answer.body);
  t.ok(packed.rawPayload.length < answer.body.length / 8, `${packed.rawPayload.length} of ${answer.body.length} bytes`);
  const plain = await gateway.call('GET', '/openapi.json', { headers: { 'accept-encoding': 'gzip;q=0' } });
  t.equal(plain.headers['content-encoding'], undefined);
});

void t.test('the page’s types are made of it', async (t) => {
  t.equal(await clientText(whole), readFileSync(clientFile, 'utf8'), 'else run: npm run client');
});
