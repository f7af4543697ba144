/** What is known and not here says so; what is wrong with a request is said before. */
import t from 'tap';
import { unservedPart } from '../../../api-gateway/rest/kit/unserved.ts';
import { startCloud } from './cloud.ts';

void t.test('a part owns what lies below its paths and nothing beside them', (t) => {
  const parts = [{ what: 'things', paths: ['/v2/a/:id/things', '/v2/other'] }];
  for (const [path, isFound] of [
    ['/v2/a/1/things', true],
    ['/v2/a/1/things/2?x=1', true],
    ['/v2/a/1/thing', false],
    ['/v2/a/things', false],
    ['/v2/other/', true],
    ['/v2', false],
  ] as const) {
    t.equal(unservedPart(parts, path) !== undefined, isFound, path);
  }
  t.end();
});

void t.test(
  'a known path of OpenStack that is not served answers 501 with a sentence, in the service’s shape',
  async (t) => {
    const cloud = await startCloud();
    t.teardown(() => cloud.stop());
    for (const [method, path, key] of [
      ['POST', '/compute/v2.1/os-volumes_boot', 'notImplemented'],
      ['GET', '/compute/v2.1/servers/none/topology', 'notImplemented'],
      ['GET', '/identity/v3/groups', 'error'],
      ['GET', '/v3/users/none/application_credentials', 'error'],
      ['POST', '/networking/v2.0/trunks', 'NeutronError'],
      ['GET', '/networking/v2.0/qos/policies/1', 'NeutronError'],
    ] as const) {
      const answer = await cloud.gateway.call(method, path);
      t.equal(answer.statusCode, 501, `${method} ${path}`);
      t.match(JSON.stringify(answer.json()[key]), /This version of Shoal does not serve/, path);
    }
    for (const path of [
      '/compute/v2.1/servers/none',
      '/compute/v2.1/no-such-thing',
      '/networking/v2.0/no-such-thing',
    ]) {
      t.equal((await cloud.gateway.call('GET', path)).statusCode, 404, path);
    }
  },
);

void t.test('an unknown server and a wrong value are said before that an action is not there', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { server } = (
    await cloud.gateway.call('POST', '/compute/v2.1/servers', {
      body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' } },
      headers: { 'openstack-api-version': 'compute 2.37' },
    })
  ).json();
  const act = async (id: string, body: object): Promise<number> =>
    (await cloud.gateway.call('POST', `/compute/v2.1/servers/${id}/action`, { body })).statusCode;
  t.equal(await act('none', { resetNetwork: null }), 404);
  t.equal(await act(server.id, { addFixedIp: {} }), 400);
  t.equal(await act(server.id, { createBackup: { name: 'a', backup_type: 'daily', rotation: -1 } }), 400);
  t.equal(await act(server.id, { resetNetwork: null }), 501);
  t.equal(await act(server.id, { noSuchAction: null }), 400);
});

void t.test('what is advertised is there: every service of the catalog, every version', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { catalog } = (await cloud.gateway.call('GET', '/identity/v3/auth/catalog')).json();
  t.notOk(
    catalog.some((service: { type: string }) => service.type === 'placement'),
    'not OpenStack’s Placement',
  );
  for (const { type, endpoints } of catalog) {
    // The placement module is tested with its placer (placement.test.ts).
    if (type === 'shoal-placement') continue;
    const { pathname } = new URL(endpoints[0].url);
    const answer = await cloud.gateway.call('GET', pathname);
    t.ok(answer.statusCode < 400, `${type} at ${pathname}: ${answer.statusCode}`);
  }
  for (const root of ['/compute', '/image', '/networking']) {
    const { versions } = (await cloud.gateway.call('GET', root)).json();
    for (const { id, links } of versions) {
      const { pathname } = new URL(links[0].href);
      const answer = await cloud.gateway.call('GET', pathname);
      t.ok(answer.statusCode < 400, `${id} at ${pathname}: ${answer.statusCode}`);
    }
  }
  const first = await cloud.gateway.call('GET', '/compute/v2/servers', {
    headers: { 'openstack-api-version': 'compute 2.79' },
  });
  t.equal(first.statusCode, 200, 'Nova’s first API is the second’s base');
  t.notOk('openstack-api-version' in first.headers);
});
