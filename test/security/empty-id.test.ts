/** A path that ends, or is empty, where an id belongs names nothing: it is never the list above it (api 7). */
import t from 'tap';
import { startCloud } from '../api-gateway/rest/cloud.ts';

await t.test('api 7: every route with an id is 404 when the id is empty', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const routes = cloud.gateway.server.routes.filter(({ path }) => path.includes(':'));
  t.ok(routes.length > 200, `${routes.length} routes have an id`);
  for (const { method, path } of routes) {
    const names = path.match(/:[A-Za-z_]+/g) ?? [];
    for (const empty of names) {
      const url = path.replace(/:[A-Za-z_]+/g, (name) => (name === empty ? '' : 'x'));
      const answer = await cloud.gateway.call(method, url);
      t.equal(answer.statusCode, 404, `${method} ${url}`);
    }
  }
});

await t.test('api 7: a slash at the end does not matter where no id belongs', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const url of ['/image/', '/compute/v2.1/', '/networking/v2.0/', '/identity/v3/', '/compute/v2.1/limits/']) {
    const answer = await cloud.gateway.call('GET', url);
    t.ok([200, 300].includes(answer.statusCode), `${url}: ${answer.statusCode}`);
  }
});
