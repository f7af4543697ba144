/**
 * A38, A39, A40: an id of another project is the same as an id that nobody has, on every route that takes one in its path, in
 * every body that names one, below one's own things, and in every list's filters. Nothing of its owner changes.
 */
import t from 'tap';
import { ownValue } from '../../node/base/own-value.ts';
import { publicMethods } from '../support/native-schema.ts';
import { bodiesNaming, bodiesOf, idKindOf } from './support/foreign-requests.ts';
import { GrpcKnocker } from './support/native-methods.ts';
import { PolicyCallers } from './support/policy-callers.ts';
import { restOperations } from './support/rest-operations.ts';
import { addPublicNetwork, makeTenantObjects, snapshot, type TenantObjects } from './support/tenant-objects.ts';
import { startWholeCloud } from './support/whole-cloud.ts';

const whole = await startWholeCloud();
t.teardown(() => whole.stop());
const { cloud } = whole;
const { gateway } = cloud;
const callers = new PolicyCallers(gateway);
const [alice, bob] = [await callers.tenant(), await callers.tenant()];
const publicNetwork = await addPublicNetwork(cloud);
const theirs = await makeTenantObjects(cloud, alice, publicNetwork, 1);
const mine = await makeTenantObjects(cloud, bob, publicNetwork, 2);
const { guarded } = restOperations(gateway.server.routes);
const before = await snapshot(cloud, alice.token, theirs);

/** An id of the same form as the kind's, which nobody has. */
const unknownOf = (kind: keyof TenantObjects): string =>
  (
    ({
      user: 'f'.repeat(32),
      project: 'f'.repeat(32),
      keypair: 'key-9',
    }) as Partial<Record<keyof TenantObjects, string>>
  )[kind] ?? '00000000-0000-4000-8000-00000000dead';

/** Statuses of what does not ask whose the id is, so that 403 and 404 are not expected. */
function notLookedUp(path: string): readonly number[] | undefined {
  // The defaults are the cloud's and the same for every project.
  if (/\/(defaults|default)$/.test(path)) return [200];
  return undefined;
}

function contentType(method: string, url: string): Record<string, string> {
  if (!url.startsWith('/image/')) return {};
  if (method === 'PATCH') return { 'content-type': 'application/openstack-images-v2.1-json-patch' };
  return url.endsWith('/file') && method === 'PUT' ? { 'content-type': 'application/octet-stream' } : {};
}

/** What an answer is apart from the id that was asked about and from the request's own number. */
async function shapeOf(method: string, url: string, body: unknown, id: string): Promise<string> {
  const headers = { 'openstack-api-version': 'compute 2.64', ...contentType(method, url) };
  const answer = await gateway.call(method, url, {
    token: bob.token,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const seen = Object.entries(answer.headers)
    .filter(([name]) => !/request-id|^date$|^content-length$/.test(name))
    .map(([name, value]) => `${name}: ${String(value)}`);
  const text = answer.body.replaceAll(id, 'ID').replace(/req-[0-9a-f-]{36}/g, 'REQUEST');
  return [answer.statusCode, ...seen.sort(), text].join('\n');
}

async function difference(
  method: string,
  urlOf: (id: string) => string,
  bodyOf: (id: string) => unknown,
  kind: keyof TenantObjects,
) {
  const [foreign, unknown] = [theirs[kind], unknownOf(kind)];
  const first = await shapeOf(method, urlOf(unknown), bodyOf(unknown), unknown);
  const second = await shapeOf(method, urlOf(foreign), bodyOf(foreign), foreign);
  if (first === second) return { status: Number(first.slice(0, 3)), found: [] };
  return { status: 0, found: [`${method} ${urlOf(kind)} ${JSON.stringify(bodyOf(kind))}`, first, second] };
}

await t.test('A38: on every route a foreign id is answered as an unknown one', async (t) => {
  const found: unknown[] = [];
  let asked = 0;
  for (const operation of guarded) {
    const { method, path, action } = operation;
    // Block storage, by Nova's old ways too: foreign-volumes.test.ts.
    if (path.startsWith('/volume/') || /\/os-(volumes|snapshots)\/:id$/.test(path)) continue;
    const kind = idKindOf(path);
    if (kind === undefined) continue;
    for (const child of [undefined, ...Object.values(theirs)]) {
      if (child !== undefined && !/os-interface\/:key$|:role$/.test(path)) continue;
      for (const body of bodiesOf(method, path, action, theirs)) {
        const url = (id: string) =>
          path
            .replace(/:(id|name|project|scope)\b/, id)
            .replace(/:user\b/, theirs.user)
            .replace(/:[a-z]+/g, child ?? 'x');
        const result = await difference(method, url, () => body, kind);
        asked += 1;
        found.push(...result.found);
        const expected = notLookedUp(path) ?? [403, 404];
        if (!expected.includes(result.status))
          found.push(`${method} ${url('ID')} ${JSON.stringify(body) ?? ''}: ${result.status}`);
      }
    }
  }
  t.same(found, []);
  t.ok(asked > 300, `${asked} questions`);
});

await t.test('A39: a foreign id in a body or below one’s own thing is answered as an unknown one', async (t) => {
  const found: unknown[] = [];
  for (const { method, url, kind, body } of bodiesNaming(mine, publicNetwork)) {
    const result = await difference(method, url, body, kind);
    found.push(...result.found);
    if (result.found.length === 0) {
      t.ok(
        result.status >= 400 && result.status < 500,
        `${method} ${url(kind)} ${JSON.stringify(body(kind))}: ${result.status}`,
      );
    }
  }
  t.same(found, []);
});

await t.test('A40: no list shows a foreign row, whatever it is filtered by', async (t) => {
  const ids = Object.entries(theirs).filter(([kind]) => kind !== 'keypair');
  const found: string[] = [];
  for (const { method, path } of guarded) {
    if (method !== 'GET' || path.includes(':') || path.startsWith('/v3')) continue;
    // It never ends: test/api-gateway/native/events.test.ts reads what it tells to whom.
    if (path === '/shoal/v1/events') continue;
    for (const query of [
      '',
      ...['project_id', 'tenant_id', 'owner'].map((key) => `${key}=${theirs.project}`),
      `user_id=${theirs.user}`,
      'all_tenants=1',
      'all_projects=1',
      'shared=true',
      'visibility=all',
      'visibility=shared&member_status=all',
      ...ids.flatMap(([, id]) => [`id=${id}`, `device_id=${id}`, `network_id=${id}`, `router_id=${id}`]),
    ]) {
      const answer = await gateway.call('GET', `${path}?${query}`, { token: bob.token });
      if (answer.statusCode >= 300) continue;
      // The link to the first page repeats the question.
      const rows = answer.body.replaceAll(query, '');
      for (const [kind, id] of ids) {
        if (rows.includes(id)) found.push(`${path}?${query} shows the ${kind} of another project`);
      }
    }
  }
  t.same(found, []);
});

/** Kinds of what a field of a gRPC request names. */
const kindOfField: Readonly<Record<string, keyof TenantObjects>> = {
  server_id: 'server',
  image_id: 'image',
  network_id: 'network',
  subnet_id: 'subnet',
  port_id: 'port',
  router_id: 'router',
  floating_ip_id: 'floatingip',
  security_group_id: 'security_group',
  remote_group_id: 'security_group',
  security_group_rule_id: 'security_group_rule',
  device_id: 'server',
  project_id: 'project',
  default_project_id: 'project',
  user_id: 'user',
};

await t.test('A38, A39: by gRPC as by REST: each id that a request takes, in every method', async (t) => {
  const knocker = new GrpcKnocker(whole.grpcPort);
  t.teardown(() => knocker.close());
  const found: string[] = [];
  let asked = 0;
  for (const { path, fields, requestSerialize } of publicMethods()) {
    for (const { name } of fields) {
      const kind = ownValue(kindOfField, name);
      if (kind === undefined) continue;
      const ask = async (id: string) => {
        // What else the request names is one's own, and there.
        const own = fields.flatMap((field) => {
          const ownKind = ownValue(kindOfField, field.name);
          return ownKind === undefined || /Interface$/.test(path) ? [] : [[camelCase(field.name), mine[ownKind]]];
        });
        const message: object = {
          name: 'x',
          flavorId: '1',
          cidr: '10.99.0.0/24',
          direction: 'ingress',
          ...Object.fromEntries(own),
          ...(/Interface$/.test(path) ? { routerId: mine.router } : {}),
          [camelCase(name)]: id,
        };
        const { code, details } = await knocker.ask(path, bob.token, requestSerialize(message));
        return `${code} ${details.replaceAll(id, 'ID')}`;
      };
      const [unknown, foreign] = [await ask(unknownOf(kind)), await ask(theirs[kind])];
      asked += 1;
      if (unknown !== foreign) found.push(`${path} ${name}: ${unknown}, but ${foreign}`);
      // A list that is filtered by it is empty; a change of one's own thing, or a new one, must not be made of it.
      if (foreign.startsWith('OK') && !/\/List/.test(path)) found.push(`${path} takes ${name}`);
    }
  }
  t.same(found, []);
  t.ok(asked > 60, `${asked} questions`);
});

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}

await t.test('A38, A39: nothing of the other project has changed', async (t) => {
  const after = await snapshot(cloud, alice.token, theirs);
  t.same(Object.fromEntries(after), Object.fromEntries(before));
});
