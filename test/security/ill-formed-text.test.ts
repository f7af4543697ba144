/** Text that no record can hold is refused where it enters, by whichever door, and nothing of it is kept (F1, F15, F16). */
import t from 'tap';
import { checkInput, inputBounds } from '../../api-gateway/kit/input.ts';
import { parseJson } from '../../api-gateway/rest/kit/json-body.ts';
import { TransactionBuilder } from '../../node/state/table.ts';
import { networkTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import { type Cloud, startCloud } from '../api-gateway/rest/cloud.ts';
import { startGrpcGateway } from '../support/grpc-gateway.ts';
import { publicMethods } from '../support/native-schema.ts';
import { GrpcKnocker } from './support/native-methods.ts';

/** Each takes text that goes into a record. */
const creations: readonly (readonly [string, (text: string) => object])[] = [
  ['/networking/v2.0/networks', (name) => ({ network: { name } })],
  ['/networking/v2.0/networks', (description) => ({ network: { description } })],
  ['/networking/v2.0/routers', (name) => ({ router: { name } })],
  ['/networking/v2.0/security-groups', (name) => ({ security_group: { name } })],
  ['/image/v2/images', (name) => ({ name })],
  ['/image/v2/images', (tag) => ({ name: 'x', tags: [tag] })],
  ['/image/v2/images', (value) => ({ name: 'x', some_property: value })],
  ['/image/v2/images', (key) => ({ name: 'x', [key]: 'value' })],
  ['/compute/v2.1/servers', (name) => ({ server: { name, flavorRef: '1', networks: 'none' } })],
  ['/compute/v2.1/servers', (v) => ({ server: { name: 'x', flavorRef: '1', networks: 'none', metadata: { key: v } } })],
  ['/compute/v2.1/os-server-groups', (name) => ({ server_group: { name, policies: ['affinity'] } })],
  ['/compute/v2.1/os-keypairs', (name) => ({ keypair: { name } })],
  ['/identity/v3/projects', (name) => ({ project: { name } })],
  ['/identity/v3/users', (description) => ({ user: { name: 'x', description } })],
  [
    '/identity/v3/auth/tokens',
    (name) => ({ auth: { identity: { methods: ['password'], password: { user: { name } } } } }),
  ],
];

const lists = [
  '/networking/v2.0/networks',
  '/networking/v2.0/ports',
  '/networking/v2.0/routers',
  '/networking/v2.0/security-groups',
  '/image/v2/images',
  '/compute/v2.1/servers/detail?all_tenants=1',
  '/compute/v2.1/os-server-groups',
  '/compute/v2.1/os-keypairs',
  '/identity/v3/projects',
  '/identity/v3/users',
];

const badTexts = {
  'a high surrogate alone': 'a\ud800b',
  'a low surrogate alone': '\udc00',
  'surrogates the wrong way round': '\udc00\ud800',
  NUL: 'a\u0000b',
  'an escape sequence': '\u001b[31mred',
  'a control character of Latin 1': 'a\u009bb',
};

async function listsOf(cloud: Cloud): Promise<string[]> {
  const texts: string[] = [];
  for (const url of lists) {
    const answer = await cloud.gateway.call('GET', url, { headers: { 'openstack-api-version': 'compute 2.64' } });
    if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
    texts.push(answer.body);
  }
  return texts;
}

await t.test(
  'F1: text that is no Unicode, or controls a terminal, is a 400 in every body, and nothing is kept',
  async (t) => {
    const cloud = await startCloud();
    t.teardown(() => cloud.stop());
    const before = await listsOf(cloud);
    for (const [words, text] of Object.entries(badTexts)) {
      for (const [url, body] of creations) {
        // As JSON text with escapes: what a client sends, and what JSON.parse makes halves of pairs of.
        const answer = await cloud.gateway.call('POST', url, {
          body: body(text),
          headers: { 'content-type': 'application/json' },
        });
        t.equal(answer.statusCode, 400, `${url} with ${words}: ${answer.body}`);
      }
    }
    t.strictSame(await listsOf(cloud), before);
  },
);

await t.test('F1: bytes that are no UTF-8 are a 400, not replaced by something else', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const inName = (...bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from('{"network":{"name":"'), Buffer.from(bytes), Buffer.from('"}}')]);
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]]) {
    const answer = await cloud.gateway.call('POST', '/networking/v2.0/networks', { body: inName(...bytes) });
    t.equal(answer.statusCode, 400, `${bytes}`);
    t.match(answer.body, /not valid UTF-8/);
  }
});

await t.test('F1: what paths and queries say is held against the same', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const bad = ['%00', '%ED%A0%80', '%C0%80', '%FF', '%1b', '%', '%zz', '%C2%9B'];
  for (const text of bad) {
    for (const url of [
      `/networking/v2.0/networks/${text}`,
      `/networking/v2.0/networks?name=${text}`,
      `/networking/v2.0/networks?${text}=x`,
      `/image/v2/images/${text}`,
      `/image/v2/images?name=${text}`,
      `/compute/v2.1/servers/${text}`,
      `/compute/v2.1/servers?name=${text}`,
      `/identity/v3/projects/${text}`,
      `/identity/v3/projects?name=${text}`,
    ]) {
      const answer = await cloud.gateway.call('GET', url);
      t.equal(answer.statusCode, 400, `${url}: ${answer.body}`);
    }
    const tag = await cloud.gateway.call('PUT', `/image/v2/images/x/tags/${text}`);
    t.equal(tag.statusCode, 400, `a tag of ${text}`);
  }
});

await t.test('F15: names that every object has are names as any other, or refused; never a 500', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'valueOf', 'toString', 'prototype']) {
    for (const url of [
      `/image/v2/images?${name}=x`,
      `/image/v2/images?sort=${name}:asc`,
      `/image/v2/images?sort_key=${name}`,
      `/image/v2/images?visibility=${name}`,
      `/image/v2/images/${name}`,
      `/image/v2/schemas/${name}`,
      `/compute/v2.1/servers?${name}=x`,
      `/compute/v2.1/servers?sort_key=${name}`,
      `/compute/v2.1/servers/${name}`,
      `/compute/v2.1/flavors/${name}/os-extra_specs/${name}`,
      `/compute/v2.1/os-quota-sets/${name}`,
      `/networking/v2.0/networks?${name}=x`,
      `/networking/v2.0/networks?sort_key=${name}`,
      `/networking/v2.0/networks?fields=${name}`,
      `/networking/v2.0/${name}/${name}`,
      `/identity/v3/projects?${name}=x`,
      `/identity/v3/roles?name=${name}`,
    ]) {
      const answer = await cloud.gateway.call('GET', url);
      t.ok(answer.statusCode < 500, `${url}: ${answer.statusCode}`);
      t.notMatch(answer.body, /native code/);
    }
    const created = await cloud.gateway.call('POST', '/image/v2/images', { body: `{"name":"x","${name}":"y"}` });
    t.ok(created.statusCode < 500, `an image with the property ${name}: ${created.statusCode}`);
    if (created.statusCode === 201) t.equal(created.json()[name], 'y', `the property ${name} comes back`);
    const limits = await cloud.gateway.call('PUT', `/compute/v2.1/os-quota-sets/p`, {
      body: `{"quota_set":{"${name}":1}}`,
    });
    t.equal(limits.statusCode, 400, `a quota of ${name}`);
  }
});

await t.test('F16: nesting has a bound, at every place where JSON comes in', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const server = `{"name":"x","flavorRef":"1","imageRef":"image-cirros","networks":"none"}`;
  const bodies: readonly (readonly [string, string])[] = [
    ['/compute/v2.1/servers', `{"server":${server},"os:scheduler_hints":{"x":${deep}}}`],
    ['/placement/explain', `{"server":${server},"os:scheduler_hints":{"x":${deep}}}`],
    ['/networking/v2.0/networks', `{"network":${deep}}`],
    ['/image/v2/images', `{"x":${deep}}`],
    ['/identity/v3/auth/tokens', deep],
  ];
  for (const [url, body] of bodies) {
    const answer = await cloud.gateway.call('POST', url, { body });
    t.ok(answer.statusCode === 400 || answer.statusCode === 404, `${url}: ${answer.statusCode}`);
  }
  const patch = await cloud.gateway.call('PATCH', '/image/v2/images/x', {
    body: deep,
    headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
  });
  t.equal(patch.statusCode, 400);
  t.throws(() => parseJson(Buffer.from(deep)), { code: 'INVALID_ARGUMENT', message: /levels deep/ });
  const many = JSON.stringify(Array.from({ length: inputBounds.itemsMax + 1 }, () => 0));
  t.throws(() => parseJson(Buffer.from(many)), { code: 'INVALID_ARGUMENT', message: /elements/ });
  t.throws(() => checkInput({ a: 2 ** 53 }, 'body'), { code: 'INVALID_ARGUMENT', message: /2\^53/ });
  t.throws(() => parseJson(Buffer.from('{"a":1e400}')), { code: 'INVALID_ARGUMENT' });
});

await t.test('F1: the native API holds its text against the same', async (t) => {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  const calls = gateway.client.calls(shoal.v1.ComputeService);
  const options = { timeoutMs: 5000, headers: { 'x-auth-token': 'alice' } };
  const refused = async (request: shoal.v1.CreateServerRequest.$Properties, what: string): Promise<void> => {
    await t.rejects(calls.createServer(request, options), { code: 'INVALID_ARGUMENT' }, what);
  };
  const good = { name: 'x', flavorId: '1', imageId: 'image-1' };
  await refused({ ...good, name: 'a\u0000b' }, 'NUL in a name');
  await refused({ ...good, metadata: { key: 'a\u001b' } }, 'an escape in metadata');
  await refused({ ...good, metadata: { 'a\u0000': 'b' } }, 'NUL in a key');
  await refused({ ...good, networkIds: ['\u0000'] }, 'NUL in an id');
  await refused({ ...good, schedulerHints: Object.fromEntries([['__proto__', 'x']]) }, 'a key that is none');
});

await t.test(
  'F1: bytes that are no message are the caller’s mistake at every gRPC method, and are said so',
  async (t) => {
    const gateway = await startGrpcGateway();
    const knocker = new GrpcKnocker(gateway.port);
    t.teardown(async () => {
      knocker.close();
      await gateway.stop();
    });
    let texts = 0;
    for (const { path, requestName, fields } of publicMethods()) {
      // On the agent's own socket only: refused before anybody looks at what was sent.
      if (path.endsWith('/ResetPassword')) continue;
      const cut = await knocker.ask(path, 'root', Uint8Array.of((15 << 3) | 2, 5, 1));
      t.match(cut, { code: 'INVALID_ARGUMENT', details: `The request is no ${requestName}: index out of range` }, path);
      const text = fields.find(({ type }) => type === 'string');
      if (text === undefined) continue;
      texts += 1;
      // Halves of pairs, too long a form, a byte that UTF-8 never has; short and long ones take different ways in the decoder.
      for (const bytes of [
        [0xff],
        [0xc0, 0x80],
        [0xed, 0xa0, 0x80],
        [0xc3],
        [...new Array<number>(100).fill(0x61), 0xff],
      ]) {
        const answer = await knocker.ask(path, 'root', stringField(text.id, bytes));
        t.same(
          answer,
          {
            code: 'INVALID_ARGUMENT',
            details: `The request is no ${requestName}: one of its strings is not valid UTF-8.`,
          },
          `${path} with ${bytes.slice(0, 4)} in ${text.name}`,
        );
      }
    }
    t.ok(texts > 10, `${texts} methods take text`);
    t.match(await knocker.ask('/shoal.v1.ComputeService/GetServer', 'mallory', stringField(1, [0xff])), {
      code: 'UNAUTHENTICATED',
    });
  },
);

/** One field of a protobuf message: its tag, its length, its bytes. */
function stringField(id: number, bytes: readonly number[]): Uint8Array {
  const tag = (id << 3) | 2;
  return Uint8Array.from([...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), bytes.length, ...bytes]);
}

t.test('F1: what is ill-formed cannot be written either, by any caller', (t) => {
  const insert = (fields: shoal.v1.Network.$Properties): void =>
    networkTable.insert(new TransactionBuilder(), new shoal.v1.Network({ id: 'n', ...fields }));
  t.throws(() => insert({ name: '\ud800' }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => insert({ tags: ['fine', '\udfff'] }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => insert({ id: '\ud800' }), { code: 'INVALID_ARGUMENT' });
  t.throws(() => insert({ createdMs: 2 ** 60 }), { code: 'INVALID_ARGUMENT' });
  t.doesNotThrow(() => insert({ name: 'Grüße, 世界 🙂' }));
  t.end();
});
