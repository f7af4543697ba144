/** Of a query key that stands several times every value counts, or the query is refused (B15). */
import t from 'tap';
import { startCloud } from './cloud.ts';

await t.test('B15: servers: filters that repeat are alternatives, sort keys go in pairs', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway } = cloud;
  const images = (await gateway.call('GET', '/image/v2/images')).json().images;
  const headers = { 'openstack-api-version': 'compute 2.37' };
  for (const name of ['a', 'b', 'c']) {
    const server = { name, flavorRef: '1', imageRef: images[0].id, networks: 'none' };
    const answer = await gateway.call('POST', '/compute/v2.1/servers', { body: { server }, headers });
    t.equal(answer.statusCode, 202, answer.body);
  }
  const names = async (query: string): Promise<unknown> => {
    const answer = await gateway.call('GET', `/compute/v2.1/servers?${query}`);
    return answer.statusCode === 200
      ? answer
          .json()
          .servers.map((server: { readonly name: string }) => server.name)
          .sort()
      : answer.statusCode;
  };
  t.same(await names('name=^a$&name=^b$'), ['a', 'b']);
  t.same(await names('status=BUILD&status=ACTIVE'), ['a', 'b', 'c']);
  t.same(await names('status=SHUTOFF&status=ERROR'), []);
  t.equal(await names('limit=1&limit=2'), 400);
  t.equal(await names('sort_dir=up'), 400);
  t.equal(await names('sort_key=display_name&sort_dir=up'), 400);
  t.equal(await names('sort_key=no_such'), 400);
  t.equal(await names('sort_key=display_name&sort_dir=asc&sort_dir=asc'), 400);
  const ordered = await gateway.call(
    'GET',
    '/compute/v2.1/servers?sort_key=vm_state&sort_dir=asc&sort_key=display_name&sort_dir=desc',
  );
  t.same(
    ordered.json().servers.map((server: { readonly name: string }) => server.name),
    ['c', 'b', 'a'],
  );
});

await t.test('B15: networks: the same', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway } = cloud;
  for (const [name, description] of [
    ['a', '2'],
    ['b', '1'],
    ['c', '2'],
  ]) {
    await gateway.call('POST', '/networking/v2.0/networks', { body: { network: { name, description } } });
  }
  const names = async (query: string): Promise<unknown> => {
    const answer = await gateway.call('GET', `/networking/v2.0/networks?${query}`);
    return answer.statusCode === 200
      ? answer.json().networks.map((network: { readonly name: string }) => network.name)
      : answer.statusCode;
  };
  t.same(await names('name=a&name=c&sort_key=name&sort_dir=desc'), ['c', 'a']);
  t.same(await names('sort_key=description&sort_dir=desc&sort_key=name&sort_dir=asc'), ['a', 'c', 'b']);
  t.equal(await names('sort_key=name&sort_dir=up'), 400);
  t.equal(await names('sort_key=no_such&sort_dir=asc'), 400);
  t.equal(await names('sort_key=name&sort_dir=asc&sort_dir=desc'), 400);
  t.equal(await names('limit=1&limit=2'), 400);
});
