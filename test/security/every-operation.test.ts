/**
 * F4: two doors, one policy. Every REST route, server action and gRPC method x every caller: who is dead is refused with
 * 401, who may not with 403 before the body is looked at, and who may is heard. A new operation without a line in the
 * policies, or a new kind of grant without a line in support/who-may.ts, fails here.
 */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { isRead } from '../../api-gateway/grpc/kit/reads.ts';
import { nativePolicies, publicOperations } from '../../api-gateway/policies/native.ts';
import { GrpcKnocker, nativeMethods } from './support/native-methods.ts';
import {
  deadCallers,
  type LivingCaller,
  livingCallers,
  type PolicyCaller,
  PolicyCallers,
} from './support/policy-callers.ts';
import { type RestOperation, restOperations, restPolicies } from './support/rest-operations.ts';
import { callersAllowed } from './support/who-may.ts';
import { grpcGatewayOf, startWholeCloud, type WholeCloud } from './support/whole-cloud.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';
/** No JSON: a caller who is not let in must not notice. */
const nonsense = '{"';

/** Rules that any token satisfies: catalogs and descriptions of the services, and what a token says of itself. */
const openToEveryToken = [
  'get_extension',
  'get_info',
  'get_schemas',
  'identity:get_auth_catalog',
  'identity:get_auth_domains',
  'identity:get_auth_projects',
  'identity:get_auth_system',
  'identity:get_endpoint',
  'identity:get_region',
  'identity:get_service',
  'identity:list_endpoints',
  'identity:list_regions',
  'identity:list_services',
  'os_compute_api:extensions',
  'os_compute_api:os-quota-sets:defaults',
  // Whose token it is shows when the handler has read it, which asks rules of its own then.
  'shoal:auth:ask_about_a_token',
  'volume_extension:list_extensions',
];

/** Not GET and yet open to readers: questions with a body, and the end of one's own token. */
const changeNothing = new Set([
  'POST /placement/shoal/v1/explain',
  'POST /placement/shoal/v1/what-if',
  'DELETE /identity/v3/auth/tokens',
  'DELETE /v3/auth/tokens',
  // Reads whose names do not say so, and the end of one's own token.
  'POST /shoal/v1/ComputeService/WatchServers',
  'POST /shoal/v1/IdentityService/RevokeToken',
  'POST /shoal/v1/IdentityService/ValidateToken',
  'POST /shoal/v1/ImageService/DownloadImage',
  'POST /shoal/v1/VolumeService/WatchVolumes',
]);

interface Doors {
  readonly whole: WholeCloud;
  readonly living: ReadonlyMap<LivingCaller, PolicyCaller>;
  readonly dead: ReadonlyMap<string, PolicyCaller>;
}

async function open(): Promise<Doors> {
  const whole = await startWholeCloud();
  const callers = new PolicyCallers(whole.cloud.gateway);
  return { whole, living: await callers.living(), dead: await callers.dead() };
}

const doors = await open();
t.teardown(() => doors.whole.stop());
const { gateway } = doors.whole.cloud;
const operations = restOperations(gateway.server.routes);

function send(operation: RestOperation, caller: PolicyCaller, text: string) {
  // A stream that is let in would not end.
  const query = operation.path === '/shoal/v1/events' ? '?kinds=none' : '';
  const url = `${operation.path}${query}`
    .replace(':project', caller.projectId === '' ? unknownId : caller.projectId)
    .replace(/:(id|user|role|scope)\b/g, unknownId)
    .replace(/:[a-z]+/g, 'unknown')
    // A caller who may not see all projects' moves names the project that is meant.
    .replace(/\/os-migrations$/, `/os-migrations?project_id=${caller.projectId}`);
  const { action, method } = operation;
  const body = action === undefined ? text : JSON.stringify({ [action]: null });
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  return gateway.call(method, url, { token: caller.token, ...(hasBody ? { body } : {}) });
}

function nameOf({ method, path, action }: RestOperation): string {
  return `${method} ${path}${action === undefined ? '' : `#${action}`}`;
}

void t.test('every route has a rule or a reason to be public, and every rule a route', (t) => {
  t.same(operations.unexpected, []);
  t.same(operations.unrouted, []);
  const routed = operations.guarded.filter(({ action }) => action === undefined).length + operations.public.length;
  t.equal(routed, gateway.server.routes.length, 'all that is registered is walked');
  t.ok(operations.guarded.length > 400, `${operations.guarded.length} operations`);
  const files = readdirSync(new URL('../../api-gateway/policies/', import.meta.url)).sort();
  const walked = ['compute', 'identity', 'image', 'mesh', 'network', 'placement', 'volume'];
  // The language and what is made of the rules; `common` guards no operation.
  const others = ['access-policy', 'common', 'native', 'overrides', 'permissions', 'policy', 'rule'];
  t.same(files, [...walked, ...others].map((name) => `${name}.ts`).sort(), 'a new file of rules is walked, too');
  t.end();
});

void t.test('what is open to every token is named here, and changes nothing for readers', (t) => {
  // The native API's routes have the rules of the others.
  const own = Object.entries(restPolicies).filter(([prefix]) => prefix !== '/shoal/v1');
  const rules = [...new Set(own.flatMap(([, policies]) => policies))];
  const toEveryToken = rules.filter(({ grant, operations: named }) => grant.check === '@' && named.length > 0);
  t.same(toEveryToken.map(({ name }) => name).sort(), openToEveryToken);
  const writes = (name: string): boolean =>
    !/^(GET|HEAD) /.test(name) && !changeNothing.has(name) && !isRead(name.replace(/^POST \/shoal\/v1\/\w+\//, ''));
  const loose = operations.guarded.filter(
    (operation) => callersAllowed(operation.rule).includes('reader') && writes(nameOf(operation)),
  );
  t.same(loose.map(nameOf), [], 'no operation that changes something is a reader’s');
  t.end();
});

void t.test('A31 A32 A33: no route hears a token that is none or is one no more', async (t) => {
  t.same([...doors.dead.keys()], deadCallers);
  const heard: string[] = [];
  for (const operation of operations.guarded) {
    for (const [name, caller] of doors.dead) {
      const { statusCode } = await send(operation, caller, nonsense);
      if (statusCode !== 401) heard.push(`${nameOf(operation)}: ${statusCode} for ${name}`);
    }
  }
  t.same(heard, []);
});

void t.test('F4: each route refuses with 403 whom its rule does not let in, and hears the others', async (t) => {
  t.same([...doors.living.keys()], livingCallers);
  const wrong: string[] = [];
  for (const operation of operations.guarded) {
    const allowed = callersAllowed(operation.rule);
    for (const [name, caller] of doors.living) {
      const may = allowed.includes(name);
      // Which user or project the native API is asked about stands in the body.
      const isByBody = operation.path.startsWith('/shoal/v1/') && operation.rule.target !== undefined;
      const { statusCode, body } = await send(operation, caller, may || isByBody ? '{}' : nonsense);
      const heard = statusCode !== 401 && statusCode !== 403 && (statusCode < 500 || statusCode === 501);
      const unserved = operation.action !== undefined && /no such action/i.test(body);
      if (may ? !heard || unserved : statusCode !== 403) {
        wrong.push(`${nameOf(operation)} for ${name}: ${statusCode} ${body.slice(0, 100)}`);
      }
    }
  }
  t.same(wrong, []);
});

void t.test('a public route needs no token, and a bad one changes nothing', async (t) => {
  for (const { method, path } of operations.public) {
    for (const caller of ['no token', 'expired token', 'altered token']) {
      const { token = null } = doors.dead.get(caller) ?? {};
      const body = method === 'POST' ? '{}' : undefined;
      const answer = await gateway.call(method, path.replace(':id', unknownId), { token, body });
      t.ok(answer.statusCode < 401, `${method} ${path} for ${caller}: ${answer.statusCode}`);
    }
  }
});

void t.test('F4: each gRPC method asks the same, of the same callers', async (t) => {
  const knocker = new GrpcKnocker(doors.whole.grpcPort);
  t.teardown(() => knocker.close());
  const rules = new Map(nativePolicies.flatMap((rule) => rule.operations.map((operation) => [operation, rule])));
  const methods = nativeMethods();
  const walked = methods.filter((path) => rules.has(`rpc ${path.slice(1)}`));
  t.equal(walked.length, [...rules.keys()].filter((operation) => operation.startsWith('rpc ')).length);
  const wrong: string[] = [];
  for (const path of methods) {
    if (publicOperations.has(`rpc ${path.slice(1)}`)) continue;
    const rule = rules.get(`rpc ${path.slice(1)}`);
    for (const [name, { token }] of doors.dead) {
      const code = await knocker.knock(path, token);
      if (code !== (rule === undefined ? 'UNIMPLEMENTED' : 'UNAUTHENTICATED'))
        wrong.push(`${path} for ${name}: ${code}`);
    }
    for (const [name, { token }] of doors.living) {
      const code = await knocker.knock(path, token);
      const heard = ['OK', 'NOT_FOUND', 'INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'CANCELLED'].includes(code);
      const right =
        rule === undefined
          ? code === 'UNIMPLEMENTED'
          : callersAllowed(rule).includes(name)
            ? heard
            : code === 'PERMISSION_DENIED';
      if (!right) wrong.push(`${path} for ${name}: ${code}`);
    }
  }
  t.same(wrong, []);
});

void t.test('F4: what needs no token by gRPC is one method, and no token changes what it says', async (t) => {
  t.same([...publicOperations], ['rpc shoal.v1.IdentityService/Authenticate']);
  const knocker = new GrpcKnocker(doors.whole.grpcPort);
  t.teardown(() => knocker.close());
  for (const { token } of [...doors.dead.values(), ...doors.living.values()]) {
    t.equal(await knocker.knock('/shoal.v1.IdentityService/Authenticate', token), 'INVALID_ARGUMENT');
  }
});

void t.test('F4: how the mesh stands and what placement would do is not for tokens without a role', async (t) => {
  const knocker = new GrpcKnocker(doors.whole.grpcPort);
  t.teardown(() => knocker.close());
  for (const name of ['role service', 'role without meaning', 'no scope', 'admin of a domain'] as const) {
    const { token = null } = doors.living.get(name) ?? {};
    for (const method of ['ClusterService/GetStatus', 'PlacementService/Explain', 'PlacementService/WhatIf']) {
      t.equal(await knocker.knock(`/shoal.v1.${method}`, token), 'PERMISSION_DENIED', `${method} for ${name}`);
    }
    for (const path of ['explain', 'what-if']) {
      const body = { flavor_id: '1' };
      const answer = await gateway.call('POST', `/placement/shoal/v1/${path}`, { token, body });
      t.equal(answer.statusCode, 403, `${path} for ${name}`);
    }
  }
  const { token = null } = doors.living.get('reader') ?? {};
  t.equal(await knocker.knock('/shoal.v1.ClusterService/GetStatus', token), 'OK', 'a reader of a project may');
});

void t.test('F4: the gRPC gateway does not start with a method that no rule names', async (t) => {
  for (const { name, operations: named } of nativePolicies) {
    for (const operation of named.filter((one) => one.startsWith('rpc '))) {
      const policies = nativePolicies.map((rule) => ({
        ...rule,
        operations: rule.operations.filter((one) => one !== operation),
      }));
      const unguarded = grpcGatewayOf(doors.whole.cloud, policies);
      await t.rejects(
        unguarded.start(),
        { code: 'CONFIG_INVALID', message: /No policy guards/ },
        `${name}: ${operation}`,
      );
      t.same(unguarded.ports, [], 'and listens nowhere');
    }
  }
});

void t.test('the walk has left the living alive', async (t) => {
  for (const [name, { token }] of doors.living) {
    const answer = await gateway.call('GET', '/identity/v3/auth/catalog', { token });
    t.not(answer.statusCode, 401, name);
  }
});
