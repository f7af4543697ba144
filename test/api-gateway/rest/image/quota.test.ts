/** How many images a project has, and how many MiB: counted where they are made, filled, given away and removed. */
import t from 'tap';
import { startGateway } from '../../../support/gateway.ts';
import { addMember } from '../cloud.ts';

const octets = { 'content-type': 'application/octet-stream' };
const patchType = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const mib = 1024 * 1024;

void t.test('an image over the quota is 413 and leaves no trace; what goes is given back', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { memberToken: token, memberProjectId } = await addMember(gateway);
  const other = await addMember(gateway);
  const limits = (project: string) => `/image/v2/info/usage/${project}`;
  const set = (body: object, as?: string) =>
    gateway.call('PUT', limits(memberProjectId), {
      body: { limits: body },
      ...(as === undefined ? {} : { token: as }),
    });
  const usage = async (): Promise<readonly number[]> => {
    const { usage } = (await gateway.call('GET', '/image/v2/info/usage', { token })).json();
    return [usage.image_count_total.usage, usage.image_size_total.usage];
  };
  const make = (body = {}) =>
    gateway.call('POST', '/image/v2/images', {
      body: { disk_format: 'raw', container_format: 'bare', ...body },
      token,
    });
  const fill = (id: string, bytes: number) =>
    gateway.call('PUT', `/image/v2/images/${id}/file`, { body: Buffer.alloc(bytes), headers: octets, token });

  t.equal((await set({ image_count_total: 3 }, token)).statusCode, 403);
  t.equal((await gateway.call('GET', limits(other.memberProjectId), { token })).statusCode, 403);
  for (const body of [
    { image_count_total: -2 },
    { image_size_total: 'x' },
    { instances: 5 },
    { image_size_total: 2 ** 31 },
  ]) {
    t.equal((await set(body)).statusCode, 400, JSON.stringify(body));
  }
  t.match((await set({ image_count_total: 2, image_size_total: 3 })).json().usage, {
    image_count_total: { limit: 2, usage: 0 },
    image_size_total: { limit: 3, usage: 0 },
  });
  const [one, two] = [(await make()).json().id, (await make()).json().id];
  const third = await make();
  t.equal(third.statusCode, 413);
  t.match(third.body, /Quota exceeded for image_count_total.*2 of 2/);
  t.strictSame(await usage(), [2, 0]);
  t.equal((await fill(one, mib + 1)).statusCode, 204);
  t.strictSame(await usage(), [2, 2], 'rounded up');
  const over = await fill(two, mib + 1);
  t.equal(over.statusCode, 413);
  t.match(over.body, /Quota exceeded for image_size_total.*2 of 3/);
  t.strictSame(await usage(), [2, 2]);
  t.equal((await gateway.call('GET', `/image/v2/images/${two}`, { token })).json().status, 'queued');
  t.equal((await fill(two, mib)).statusCode, 204, 'what fits is taken');
  t.strictSame(await usage(), [2, 3]);
  t.equal((await set({ image_size_total: 1 })).statusCode, 400, 'below what is used');

  // To another project: with what it takes.
  const give = [{ op: 'replace', path: '/owner', value: other.memberProjectId }];
  const given = await gateway.call('PATCH', `/image/v2/images/${one}`, { body: give, headers: patchType });
  t.equal(given.statusCode, 200);
  t.strictSame(await usage(), [1, 1]);
  t.match((await gateway.call('GET', limits(other.memberProjectId))).json().usage, {
    image_count_total: { limit: 100, usage: 1 },
    image_size_total: { limit: 102_400, usage: 2 },
  });
  t.equal((await gateway.call('DELETE', `/image/v2/images/${two}`, { token })).statusCode, 204);
  t.strictSame(await usage(), [0, 0]);

  // At once: the counter lets in as many as there is room for.
  const many = await Promise.all(Array.from({ length: 5 }, () => make()));
  t.strictSame(many.map((answer) => answer.statusCode).sort(), [201, 201, 413, 413, 413]);
  const ids = many.filter((answer) => answer.statusCode === 201).map((answer) => answer.json().id as string);
  const filled = await Promise.all(ids.map((id) => fill(id, 2 * mib)));
  t.strictSame(filled.map((answer) => answer.statusCode).sort(), [204, 413]);
  t.strictSame(await usage(), [2, 2]);
});
