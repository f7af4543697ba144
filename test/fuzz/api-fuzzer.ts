/**
 * A fuzzer of the REST API: requests to every route that there is, by callers of every role, made from the routes' own
 * schemas and from what earlier answers said, and then spoiled. It knows no API by heart: a new route is fuzzed as it is.
 *
 * What it holds for true: no request is answered by 500 or more, but for 501 and 503, which are said on purpose; every list
 * answers afterwards; nothing that acts on the records (hosts, network views) stumbles over what was written.
 */
import * as compute from '../../api-gateway/rest/schemas/compute.ts';
import * as identity from '../../api-gateway/rest/schemas/identity.ts';
import * as network from '../../api-gateway/rest/schemas/network.ts';
import type { HostId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { unreadableRecords } from '../../node/services/kit/unreadable-records.ts';
import { hostNetworkView } from '../../node/services/network/host-view.ts';
import { type Cloud, startCloud } from '../api-gateway/rest/cloud.ts';
import { hostsAct } from '../node/services/compute-world.ts';
import { type JsonSchema, nastyTexts, nastyValue, pick, valueFor } from './values.ts';

/** One request, so that it can be sent again. */
export interface FuzzRequest {
  readonly number: number;
  readonly method: string;
  readonly route: string;
  readonly url: string;
  readonly caller: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64; undefined: none. */
  readonly body: string | undefined;
}

export interface FuzzReport {
  readonly requests: number;
  readonly routes: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Routes that were answered below 300 at least once. */
  readonly routesDone: number;
  /** What must not be: each with the request that showed it. */
  readonly failures: readonly { readonly what: string; readonly request: FuzzRequest | undefined }[];
}

type Caller = 'admin' | 'member' | 'reader' | 'nobody';
const callers: readonly Caller[] = [
  'admin',
  'admin',
  'admin',
  'member',
  'member',
  'member',
  'member',
  'reader',
  'nobody',
];

/** What a path that changes something must not name, else the callers are gone: their user, project, roles. */
const lasting = ['admin', 'manager', 'member', 'reader', 'default', 'cirros', 'Default'];
const failuresMax = 20;
/** Requests between two looks at the lists and the hosts. */
const lookEvery = 1000;
const idsKept = 40;

/** Runs `requests` requests drawn from `seed`. */
export async function fuzzApi(options: {
  readonly requests: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}): Promise<FuzzReport> {
  const fuzzer = new ApiFuzzer(options.seed);
  await fuzzer.start();
  try {
    return await fuzzer.run(options.requests, options.onProgress ?? (() => {}));
  } finally {
    await fuzzer.stop();
  }
}

class ApiFuzzer {
  readonly #random: Prng;
  readonly #tokens = new Map<Caller, string>();
  readonly #texts = new Map<string, string[]>();
  readonly #kept = new Set<string>();
  /** Schemas of a service that a route has taken, and all that there are. */
  readonly #taken = new Map<string, JsonSchema[]>();
  readonly #schemas: Readonly<Record<string, readonly JsonSchema[]>>;
  readonly #statuses = new Map<number, number>();
  readonly #done = new Set<string>();
  readonly #failures: { what: string; request: FuzzRequest | undefined }[] = [];
  #broken: unknown;
  #cloud: Cloud | undefined;

  constructor(seed: number) {
    this.#random = new Prng(seed);
    this.#schemas = {
      compute: bodiesOf(compute),
      identity: bodiesOf(identity),
      v3: bodiesOf(identity),
      networking: networkBodies(),
      image: imageBodies,
    };
  }

  get #running(): Cloud {
    if (this.#cloud === undefined) throw new Error('the fuzzer has not started');
    return this.#cloud;
  }

  async start(): Promise<void> {
    const many = 1e9;
    this.#cloud = await startCloud({
      limits: {
        requestsPerSecond: many,
        requestsBurst: many,
        authAttemptsPerSecond: many,
        authAttemptsBurst: many,
        pageItemsMax: 50,
      },
      onInvariantBroken: (error) => {
        this.#broken = error;
      },
    });
    const { gateway, memberToken, memberProjectId } = this.#cloud;
    this.#tokens.set('admin', gateway.token).set('member', memberToken);
    this.#tokens.set('reader', await this.#reader(memberProjectId));
    for (const url of [
      '/identity/v3/users',
      '/identity/v3/projects',
      '/identity/v3/roles',
      '/identity/v3/domains',
      '/compute/v2.1/flavors',
      '/image/v2/images',
    ]) {
      const answer = await gateway.call('GET', url);
      for (const id of idsIn(answer.json())) this.#kept.add(id);
      this.#learn(answer.json());
    }
    for (const name of lasting) this.#kept.add(name);
  }

  async stop(): Promise<void> {
    await this.#cloud?.stop();
  }

  async #reader(projectId: string): Promise<string> {
    const { gateway } = this.#running;
    const body = { user: { name: 'the-reader', password: 'a long password' } };
    const user = (await gateway.call('POST', '/identity/v3/users', { body })).json().user;
    const role = (await gateway.call('GET', '/identity/v3/roles?name=reader')).json().roles[0];
    await gateway.call('PUT', `/identity/v3/projects/${projectId}/users/${user.id}/roles/${role.id}`);
    const password = { user: { id: user.id, password: 'a long password' } };
    const auth = { identity: { methods: ['password'], password }, scope: { project: { id: projectId } } };
    const answer = await gateway.call('POST', '/identity/v3/auth/tokens', { token: null, body: { auth } });
    return String(answer.headers['x-subject-token']);
  }

  async run(requests: number, onProgress: (done: number) => void): Promise<FuzzReport> {
    // Most routes read; what is read has to be made.
    const routes = this.#running.gateway.server.routes
      .filter(({ method }) => method !== 'HEAD')
      .flatMap((route) => (route.method === 'POST' ? [route, route, route, route] : [route]));
    let number = 0;
    for (; number < requests && this.#failures.length < failuresMax; number += 1) {
      const { method, path } = pick(this.#random, routes);
      await this.#send(number, method, path);
      if ((number + 1) % lookEvery !== 0) continue;
      await this.#lookAround();
      onProgress(number + 1);
    }
    await this.#lookAround();
    return {
      requests: number,
      routes: new Set(routes).size,
      statuses: this.#statuses,
      routesDone: this.#done.size,
      failures: this.#failures,
    };
  }

  async #send(number: number, method: string, route: string): Promise<void> {
    const random = this.#random;
    const caller = pick(random, callers);
    const schema = method === 'GET' || method === 'DELETE' ? undefined : this.#schemaFor(route);
    const body = this.#body(method, schema);
    const url = this.#url(method, route);
    const headers = this.#headers(route, method);
    const request: FuzzRequest = {
      number,
      method,
      route,
      url,
      caller,
      headers,
      body: body === undefined ? undefined : Buffer.from(body).toString('base64'),
    };
    const answer = await this.#running.gateway.call(method, url, {
      token: this.#tokens.get(caller) ?? null,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const { statusCode } = answer;
    this.#statuses.set(statusCode, (this.#statuses.get(statusCode) ?? 0) + 1);
    if (statusCode >= 500 && statusCode !== 501 && statusCode !== 503) {
      this.#failures.push({ what: `${statusCode}: ${answer.body.slice(0, 300)}`, request });
    }
    if (this.#broken !== undefined)
      this.#failures.push({ what: `an invariant is broken: ${String(this.#broken)}`, request });
    this.#broken = undefined;
    if (statusCode >= 300) return;
    this.#done.add(`${method} ${route}`);
    if (schema !== undefined) this.#taken.set(route, [...(this.#taken.get(route) ?? []), schema].slice(-8));
    if (/json/.test(String(answer.headers['content-type']))) this.#learn(answer.json());
  }

  /** One that the route has taken before, or any of its service. */
  #schemaFor(route: string): JsonSchema {
    const taken = this.#taken.get(route) ?? [];
    if (taken.length > 0 && this.#random.below(4) > 0) return pick(this.#random, taken);
    const all = this.#schemas[route.split('/')[1] ?? ''] ?? [{ type: 'object' }];
    // What a body is about is called as what the path ends in: `network` in `/networks`, `server_group` in `/os-server-groups`.
    const container =
      route
        .replace(/\/:[A-Za-z_]+$/, '')
        .split('/')
        .at(-1)
        ?.replace(/-/g, '_') ?? '';
    const alike = all.filter(({ properties }) =>
      Object.keys(properties ?? {}).some((key) => container.includes(key.toLowerCase())),
    );
    return pick(this.#random, alike.length > 0 && this.#random.below(5) > 0 ? alike : all);
  }

  #body(method: string, schema: JsonSchema | undefined): string | Uint8Array | undefined {
    const random = this.#random;
    if (schema === undefined)
      return method !== 'GET' && random.below(20) === 0 ? JSON.stringify(nastyValue(random)) : undefined;
    const value = valueFor(random, schema, '', (key) => this.#text(key));
    const text = JSON.stringify(random.below(4) === 0 ? this.#spoil(value, 0) : value) ?? '';
    switch (random.below(40)) {
      case 0:
        return text.slice(0, random.below(text.length + 1));
      case 1:
        return Buffer.concat([
          Buffer.from(text.slice(0, 12)),
          Buffer.from([0xff, 0xc0, 0x80]),
          Buffer.from(text.slice(12)),
        ]);
      case 2:
        return `{"__proto__":{"x":1},${text.slice(1)}`;
      case 3:
        return text.replace(/"([a-z_]+)":/, '"$1":1e999,"$1":');
      default:
        return text;
    }
  }

  /** The value with one part of it exchanged for something else. */
  #spoil(value: unknown, depth: number): unknown {
    const random = this.#random;
    if (typeof value !== 'object' || value === null || depth > 4 || random.below(5) === 0) return nastyValue(random);
    const entries = Object.entries(value);
    if (entries.length === 0) return Object.fromEntries([[pick(random, nastyTexts), nastyValue(random)]]);
    const at = random.below(entries.length);
    const changed = entries.map(([key, part], index): [string, unknown] => [
      index === at && random.below(8) === 0 ? pick(random, nastyTexts) : key,
      index === at ? this.#spoil(part, depth + 1) : part,
    ]);
    return Array.isArray(value) ? changed.map(([, part]) => part) : Object.fromEntries(changed);
  }

  #url(method: string, route: string): string {
    const random = this.#random;
    const changesIdentity = /^(\/identity)?\/v3\//.test(route) && method !== 'GET';
    const path = route.replace(/:([A-Za-z_]+)|\*/g, (_, name: string | undefined) => {
      const nasty = random.below(6) === 0;
      const text = nasty ? pick(random, nastyTexts) : this.#idFor(route, name ?? 'id');
      if (changesIdentity && this.#kept.has(text)) return 'gone';
      return nasty && text.startsWith('%') ? text : encodeURIComponent(text.toWellFormed().slice(0, 2000));
    });
    if (random.below(3) > 0) return path;
    const terms = Array.from({ length: 1 + random.below(3) }, () => {
      const key = pick(random, queryKeys);
      const value =
        random.below(2) === 0 ? pick(random, nastyTexts) : pick(random, [this.#text(key), 'asc', 'desc', '1', 'true']);
      return `${key}=${value.startsWith('%') ? value : encodeURIComponent(value.toWellFormed().slice(0, 2000))}`;
    });
    return `${path}?${terms.join(random.below(12) === 0 ? '&&=&' : '&')}`;
  }

  #headers(route: string, method: string): Record<string, string> {
    const random = this.#random;
    const patch = 'application/openstack-images-v2.1-json-patch';
    const type =
      route.startsWith('/image') && method === 'PATCH'
        ? patch
        : route.endsWith('/file')
          ? 'application/octet-stream'
          : 'application/json';
    const minor = 1 + random.below(97);
    return {
      ...(random.below(3) === 0 ? {} : { 'openstack-api-version': `compute 2.${minor}` }),
      'content-type':
        random.below(30) === 0
          ? pick(random, ['text/plain', 'application/xml', 'x', 'application/json; charset=utf-16'])
          : type,
      ...(random.below(12) === 0
        ? { accept: pick(random, ['text/html', '*/*', 'x'.repeat(300), 'application/xml']) }
        : {}),
      ...(random.below(20) === 0
        ? {
            'x-subject-token': pick(random, [
              ...(method === 'DELETE' ? [] : this.#tokens.values()),
              'x',
              'é'.repeat(50),
            ]),
          }
        : {}),
      ...(random.below(40) === 0 ? { 'x-client-token': 'x'.repeat(random.below(300)) } : {}),
    };
  }

  #idFor(route: string, name: string): string {
    const parts = route.split('/');
    const container = parts[parts.indexOf(`:${name}`) - 1] ?? '';
    const known =
      this.#texts.get(`id of ${container.replace(/-/g, '_')}`) ??
      this.#texts.get(`id of ${container.replace(/^os-/, '').replace(/-/g, '_')}`);
    return known === undefined || this.#random.below(8) === 0 ? this.#text(name) : pick(this.#random, known);
  }

  /** A text that belongs under the key, as far as earlier answers tell. */
  #text(key: string): string {
    const random = this.#random;
    if (random.below(80) === 0) return pick(random, nastyTexts);
    const container = key.replace(/(_id|Ref)$/, '');
    const known = this.#texts.get(`id of ${container}s`) ?? this.#texts.get(key);
    if (known !== undefined && random.below(10) > 0) return pick(random, known);
    if (/cidr|prefix|destination/.test(key)) return `10.${random.below(4)}.${random.below(4)}.0/24`;
    if (/ip|address|nexthop|start|end|gateway/.test(key))
      return `10.${random.below(4)}.${random.below(4)}.${random.below(256)}`;
    if (/mac/.test(key)) return `fa:16:3e:00:00:${random.below(90) + 10}`;
    return `text-${random.below(50)}`;
  }

  /** Keeps ids and other texts of an answer, to be used later. */
  #learn(answer: unknown, container = ''): void {
    if (typeof answer !== 'object' || answer === null) return;
    if (Array.isArray(answer)) {
      for (const member of answer) this.#learn(member, container);
      return;
    }
    for (const [key, value] of Object.entries(answer)) {
      if (typeof value === 'object') this.#learn(value, key);
      else if (typeof value === 'string' && value.length < 100 && value !== '') {
        this.#note(key, value);
        if (key === 'id') this.#note(`id of ${container.endsWith('s') ? container : `${container}s`}`, value);
      }
    }
  }

  #note(key: string, text: string): void {
    const known = this.#texts.get(key) ?? [];
    this.#texts.set(key, known);
    if (known.includes(text)) return;
    if (known.length < idsKept) known.push(text);
    else known[this.#random.below(idsKept)] = text;
  }

  /** Everything that can be listed is listed, and the hosts act. */
  async #lookAround(): Promise<void> {
    const { gateway, world } = this.#running;
    const fail = (what: string): void => void this.#failures.push({ what, request: undefined });
    try {
      await hostsAct(world);
    } catch (caught) {
      fail(`the hosts could not act: ${caught instanceof Error ? caught.stack : String(caught)}`);
    }
    for (const host of ['1', '2']) {
      for (const { what, error } of hostNetworkView(world.state.local, host.repeat(32) as HostId).failures) {
        fail(`the network of host ${host}: ${what}: ${String(error)}`);
      }
    }
    for (const { table, id, why } of unreadableRecords(world.state.local))
      fail(`${table} ${id} cannot be read: ${why}`);
    for (const { method, path } of gateway.server.routes) {
      if (method !== 'GET' || path.includes(':') || path.includes('*')) continue;
      for (const caller of ['admin', 'member'] as const) {
        const token = this.#tokens.get(caller) ?? null;
        const answer = await gateway.call('GET', path, { token, headers: { 'x-subject-token': String(token) } });
        if (answer.statusCode >= 500 && answer.statusCode !== 501)
          fail(`${path} for ${caller}: ${answer.statusCode} ${answer.body.slice(0, 300)}`);
        if (answer.statusCode === 401) fail(`${path}: the token of ${caller} is good no more`);
      }
    }
  }
}

const queryKeys = [
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'page_reverse',
  'fields',
  'name',
  'status',
  'id',
  'tags',
  'tags-any',
  'not-tags',
  'all_tenants',
  'all_projects',
  'project_id',
  'tenant_id',
  'host',
  'changes-since',
  'changes-before',
  'ip',
  'network_id',
  'device_id',
  'fixed_ips',
  'visibility',
  'size_min',
  'created_at',
  'os_hidden',
  'owner',
  'user.id',
  'scope.project.id',
  'effective',
  'include_names',
  'domain_id',
  'enabled',
  'reserved',
  'detailed',
  'hypervisor_hostname_pattern',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'deleted',
  'flavor',
  'image',
  'user_id',
  'detail',
  'locked',
  'minDisk',
  'is_public',
];

function bodiesOf(module: object): readonly JsonSchema[] {
  return Object.entries(module)
    .filter(([name, value]) => name.endsWith('Body') && typeof value === 'object')
    .map(([, value]) => value as JsonSchema);
}

/** The network API's schemas say what is inside the one key of a body. */
function networkBodies(): readonly JsonSchema[] {
  return Object.entries(network).flatMap(([name, inner]): JsonSchema[] => {
    const key = name
      .replace(/(New|Patch)$/, '')
      .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      .replace('floating_ip', 'floatingip');
    if (!/(New|Patch)$/.test(name)) return [inner as JsonSchema];
    const one: JsonSchema = { type: 'object', properties: { [key]: inner as JsonSchema }, required: [key] };
    const many: JsonSchema = {
      type: 'object',
      properties: { [`${key}s`]: { type: 'array', items: inner as JsonSchema } },
      required: [`${key}s`],
    };
    return name.endsWith('New') ? [one, one, many] : [one];
  });
}

const text: JsonSchema = { type: 'string' };
const imageBodies: readonly JsonSchema[] = [
  {
    type: 'object',
    properties: {
      name: text,
      id: text,
      disk_format: { enum: ['qcow2', 'raw', 'iso', 'x'] },
      container_format: { enum: ['bare', 'ovf'] },
      visibility: { enum: ['private', 'public', 'shared', 'community', 'x'] },
      tags: { type: 'array', items: text },
      min_disk: { type: 'integer' },
      min_ram: { type: 'integer' },
      protected: { type: 'boolean' },
      owner: text,
      hw_some_property: text,
    },
    additionalProperties: text,
  },
  {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        op: { enum: ['add', 'replace', 'remove'] },
        path: {
          enum: ['/name', '/tags', '/__proto__', '/constructor', '/x~1y', '/min_disk', '/visibility', '/a/b', '/~2'],
        },
        value: {},
      },
      required: ['op', 'path', 'value'],
    },
  },
];

function idsIn(answer: unknown): readonly string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  return Object.entries(answer).flatMap(([key, value]) => (key === 'id' ? [String(value)] : idsIn(value)));
}
