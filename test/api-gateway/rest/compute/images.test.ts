/** Nova's own view of images: there up to 2.35, and of the image service's images (api 16). */
import t from 'tap';
import { startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });

void t.test('images as Nova showed them, for who may see them, and no longer from 2.36 on', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, memberToken: token } = cloud;
  const body = { name: 'mine', disk_format: 'raw', container_format: 'bare', min_ram: 64, colour: 'red' };
  const { id } = (await gateway.call('POST', '/image/v2/images', { token, body })).json();
  const secret = (await gateway.call('POST', '/image/v2/images', { body: { name: 'secret' } })).json().id;
  const url = '/compute/v2.1/images';

  const { images } = (await gateway.call('GET', url, { token })).json();
  t.same(
    images.map(({ name }: { name: string }) => name),
    ['mine', 'cirros'],
  );
  t.same(Object.keys(images[0]).sort(), ['id', 'links', 'name']);
  const shown = (await gateway.call('GET', `${url}/${id}`, { token })).json().image;
  t.match(shown, { id, status: 'SAVING', progress: 25, minRam: 64, minDisk: 0, metadata: { colour: 'red' } });
  const detail = (await gateway.call('GET', `${url}/detail?name=cirros`, { token })).json().images;
  t.match(detail, [{ id: 'cirros', status: 'ACTIVE', progress: 100, 'OS-EXT-IMG-SIZE:size': 1000 }]);
  t.same((await gateway.call('GET', `${url}/${id}/metadata`, { token })).json(), { metadata: { colour: 'red' } });
  t.same((await gateway.call('GET', `${url}/${id}/metadata/colour`, { token })).json(), { meta: { colour: 'red' } });

  for (const [path, minor, status] of [
    ['', 35, 200],
    ['', 36, 404],
    ['/detail', 36, 404],
    [`/${id}`, 36, 404],
    [`/${id}/metadata`, 38, 200],
    [`/${id}/metadata`, 39, 404],
    [`/${id}/metadata/none`, 1, 404],
    [`/${secret}`, 1, 404],
    [`/${secret}/metadata`, 1, 404],
    ['?server=x', 1, 200],
    ['?changes-since=x', 1, 400],
  ] as const) {
    const answer = await gateway.call('GET', `${url}${path}`, { token, headers: at(minor) });
    t.equal(answer.statusCode, status, `${path} 2.${minor}`);
  }
  t.equal((await gateway.call('DELETE', `${url}/cirros`, { token })).statusCode, 403, "another's stays");
  t.equal((await gateway.call('DELETE', `${url}/${id}`, { token })).statusCode, 204);
  t.equal((await gateway.call('GET', `/image/v2/images/${id}`, { token })).statusCode, 404);
});
