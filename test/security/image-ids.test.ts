/** F3, F19: an image's id stands for one image for ever, and has one way of writing it; content goes by its SHA-256. */
import t from 'tap';
import { startGateway } from '../support/gateway.ts';

const formats = { disk_format: 'raw', container_format: 'bare' };
const id = 'abcdef01-2345-4789-abcd-ef0123456789';

t.test('F3: the id of a deleted image is nobody’s again', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const create = (body: object) => gateway.call('POST', '/image/v2/images', { body: { ...formats, ...body } });
  t.equal((await create({ id, name: 'victim' })).statusCode, 201);
  const headers = { 'content-type': 'application/octet-stream' };
  const upload = { body: Buffer.from('SECRET'), headers };
  t.equal((await gateway.call('PUT', `/image/v2/images/${id}/file`, upload)).statusCode, 204);
  t.equal((await gateway.call('DELETE', `/image/v2/images/${id}`)).statusCode, 204);
  for (const name of ['attacker', 'attacker again']) {
    const again = await create({ id, name });
    t.equal(again.statusCode, 409);
    t.match(again.body, /was deleted; its id is not given out again/);
  }
  t.equal((await gateway.call('GET', `/image/v2/images/${id}`)).statusCode, 404);
  t.equal((await create({ name: 'another' })).statusCode, 201, 'ids that the cloud draws are new');
});

t.test('F19: an id with capitals, or written in any other way, is refused', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const create = (wanted: unknown) =>
    gateway.call('POST', '/image/v2/images', { body: { ...formats, id: wanted, name: 'twin' } });
  t.equal((await create(id)).statusCode, 201);
  const others = [
    id.toUpperCase(),
    id.replace('a', 'A'),
    id.replaceAll('-', ''),
    `{${id}}`,
    `urn:uuid:${id}`,
    ` ${id}`,
    '',
  ];
  for (const other of [...others, `${id}\n`, '../../x', 5, null, [id]]) {
    const answer = await create(other);
    t.equal(answer.statusCode, 400, JSON.stringify(other));
  }
  const { images } = (await gateway.call('GET', '/image/v2/images')).json();
  t.equal(images.length, 1, 'no twins');
});
