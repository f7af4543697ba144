/** A101: text of users is never run: nothing of the source evaluates text, and what looks like an expression comes back as sent. */
import t from 'tap';
import { sources } from '../../node/dev/house/source.ts';
import { serverMetadata } from '../../node/services/network/metadata.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import { startCloud } from '../api-gateway/rest/cloud.ts';

/** What makes code of text, in Node. */
const evaluators: readonly RegExp[] = [
  /(?<![\w.$#])eval\s*\(/,
  /\bnew\s+Function\s*\(/,
  /(?<![\w.])Function\s*\(\s*['"`]/,
  /['"](node:)?vm['"]/,
  /\bset(Timeout|Interval)\s*\(\s*['"`]/,
  /import\s*\(\s*`?data:/,
  /\bshell:\s*true\b/,
  /['"](node:)?(repl|inspector)['"]/,
];

/** What may, and why. */
const evaluating: ReadonlyMap<string, string> = new Map([
  [
    "node/bin/agent-script.mjs: 'node:vm'",
    'runs the agent itself, which was built of these sources and is checked by its sum',
  ],
]);

void t.test('A101: no file of the product makes code of text', (t) => {
  const product = sources().filter(({ path }) => !path.startsWith('test/'));
  t.ok(product.length > 300);
  for (const { path, text } of product) {
    for (const evaluator of evaluators) {
      const found = evaluator.exec(text);
      if (found !== null && !evaluating.has(`${path}: ${found[0]}`)) t.fail(`${path}: ${found[0]}`);
    }
  }
  for (const text of ["eval('x')", 'new Function("x")', "import 'node:vm'", "setTimeout('x')", '{ shell: true }']) {
    t.ok(
      evaluators.some((evaluator) => evaluator.test(text)),
      `it would find ${text}`,
    );
  }
  t.end();
});

void t.test('A101: what looks like an expression stays what it is', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  // Ten, as many as a project may have servers.
  const texts = [
    ...['{{7*7}}', '<%= 7*7 %>', '$(id) `id` #{7*7} %{7*7}', `\${7*7} \${jndi:ldap://127.0.0.1/x}`],
    ...['{{constructor.constructor("return process")()}}', '__import__("os").system("id")', '%(name)s {0.__class__}'],
    ...['!!python/object/apply:os.system ["id"]', '=1+1', '"; process.exit(1); "'],
  ];
  for (const text of texts) {
    const answer = await cloud.gateway.call('POST', '/compute/v2.1/servers', {
      body: {
        server: {
          ...{ name: text, description: text, flavorRef: '1', imageRef: 'cirros', networks: 'none' },
          ...{ metadata: { about: text }, tags: [text.replaceAll(/[,/]/g, ' ')] },
          user_data: Buffer.from(text).toString('base64'),
        },
      },
      token: cloud.memberToken,
      headers: { 'openstack-api-version': 'compute 2.67' },
    });
    t.equal(answer.statusCode, 202, answer.body);
    const { id } = answer.json().server;
    const shown = await cloud.gateway.call('GET', `/compute/v2.1/servers/${id}`, {
      token: cloud.memberToken,
      headers: { 'openstack-api-version': 'compute 2.67' },
    });
    t.match(shown.json().server, { name: text, description: text, metadata: { about: text } });
    const bodies = serverMetadata(cloud.world.state.local, serverTable.must(cloud.world.state.local, id).record);
    t.equal(Buffer.from(bodies['/openstack/latest/user_data'] ?? '').toString(), text);
    t.match(JSON.parse(Buffer.from(bodies['/openstack/latest/meta_data.json'] ?? '').toString()), {
      meta: { about: text },
    });
  }
});

void t.test('A101: mappings of foreign identities, which OpenStack evaluates, are not served', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const path of ['mappings/m', 'identity_providers/i', 'saml2/metadata', 'projects']) {
    for (const method of ['GET', 'PUT', 'PATCH'] as const) {
      const answer = await cloud.gateway.call(method, `/identity/v3/OS-FEDERATION/${path}`, {
        ...(method === 'GET'
          ? {}
          : { body: { mapping: { rules: [{ local: [{ user: { name: '{0}' } }], remote: [] }] } } }),
      });
      t.ok([404, 405, 501].includes(answer.statusCode), `${method} ${path}: ${answer.statusCode}`);
    }
  }
});
