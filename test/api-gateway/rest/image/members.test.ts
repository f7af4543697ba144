/** Sharing with single projects: who shares, who sees, lists, downloads and boots what is shared, and what it says of it. */
import type { LightMyRequestResponse } from 'fastify';
import t from 'tap';
import { addMember, startCloud } from '../cloud.ts';

const octets = { 'content-type': 'application/octet-stream' };

/** An image of the cloud's member, with content, and two more projects. */
async function startSharing(visibility = 'shared') {
  const cloud = await startCloud();
  const { gateway, memberToken: owner } = cloud;
  const [blue, green] = [await addMember(gateway), await addMember(gateway)];
  const body = { name: 'mine', disk_format: 'raw', container_format: 'bare', visibility };
  const made = await gateway.call('POST', '/image/v2/images', { body, token: owner });
  const path = `/image/v2/images/${made.json().id}`;
  await gateway.call('PUT', `${path}/file`, { body: Buffer.from('content'), headers: octets, token: owner });
  const call = (method: string, below: string, token: string, content?: unknown): Promise<LightMyRequestResponse> =>
    gateway.call(method, `${path}${below}`, { token, ...(content === undefined ? {} : { body: content }) });
  return { cloud, gateway, owner, blue, green, id: String(made.json().id), call };
}

void t.test('the owner names a project, and it says what it makes of the image', async (t) => {
  const { cloud, owner, blue, green, id, call } = await startSharing();
  t.teardown(() => cloud.stop());
  const [asBlue, asGreen] = [blue.memberToken, green.memberToken];
  const place = `/members/${blue.memberProjectId}`;
  t.equal((await call('GET', '', asBlue)).statusCode, 404, 'not shared yet');
  t.equal((await call('GET', '/members', asBlue)).statusCode, 404);
  const added = await call('POST', '/members', owner, { member: blue.memberProjectId });
  t.equal(added.statusCode, 200);
  t.match(added.json(), {
    image_id: id,
    member_id: blue.memberProjectId,
    status: 'pending',
    created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    schema: '/v2/schemas/member',
  });
  t.equal((await call('POST', '/members', owner, { member: blue.memberProjectId })).statusCode, 409);
  await call('POST', '/members', owner, { member: green.memberProjectId });
  t.equal((await call('GET', '/members', owner)).json().members.length, 2);
  t.strictSame(
    (await call('GET', '/members', asBlue)).json().members.map((one: { member_id: string }) => one.member_id),
    [blue.memberProjectId],
    'a member sees its own place',
  );
  t.equal((await call('GET', place, asBlue)).statusCode, 200);
  t.equal((await call('GET', place, asGreen)).statusCode, 404);
  t.equal((await call('PUT', place, asGreen, { status: 'accepted' })).statusCode, 404);
  t.equal((await call('PUT', place, owner, { status: 'accepted' })).statusCode, 403, 'not the owner’s to say');
  t.equal((await call('POST', '/members', asBlue, { member: 'x' })).statusCode, 403);
  t.equal((await call('DELETE', place, asBlue)).statusCode, 403);
  t.equal((await call('DELETE', `/members/${green.memberProjectId}`, asBlue)).statusCode, 403);
  t.equal((await call('PUT', '/members/nobody', owner, { status: 'accepted' })).statusCode, 404);
  for (const body of [{}, { status: 'perhaps' }, { status: 5 }, [], null]) {
    t.equal((await call('PUT', place, asBlue, body)).statusCode, 400, JSON.stringify(body));
  }
  for (const body of [{}, { member: '' }, { member: 5 }, { member: 'x'.repeat(256) }, null]) {
    t.equal((await call('POST', '/members', owner, body)).statusCode, 400, JSON.stringify(body)?.slice(0, 40));
  }
  t.equal((await call('PUT', place, asBlue, { status: 'accepted' })).json().status, 'accepted');
  t.equal((await call('DELETE', place, owner)).statusCode, 204);
  t.equal((await call('DELETE', place, owner)).statusCode, 404);
  t.equal((await call('GET', '', asBlue)).statusCode, 404, 'shared no more');
  t.equal((await call('DELETE', '', asGreen)).statusCode, 403, 'a member changes nothing');
  t.equal((await call('PUT', '/tags/x', asGreen)).statusCode, 403);
});

void t.test('lists go by what the project made of it; the image itself by its being shared', async (t) => {
  const { cloud, gateway, owner, blue, id, call } = await startSharing();
  t.teardown(() => cloud.stop());
  const asBlue = blue.memberToken;
  await call('POST', '/members', owner, { member: blue.memberProjectId });
  const listed = async (query: string, token = asBlue): Promise<boolean> => {
    const { images } = (await gateway.call('GET', `/image/v2/images?${query}`, { token })).json();
    return images.some((image: { id: string }) => image.id === id);
  };
  const boot = async (): Promise<number> => {
    const server = { name: 's', imageRef: id, flavorRef: '1', networks: 'none' };
    const headers = { 'x-openstack-nova-api-version': '2.60' };
    return (await gateway.call('POST', '/compute/v2.1/servers', { body: { server }, token: asBlue, headers }))
      .statusCode;
  };
  for (const status of ['pending', 'accepted', 'rejected']) {
    await call('PUT', `/members/${blue.memberProjectId}`, asBlue, { status });
    t.equal(await listed(''), status === 'accepted', `${status}: accepted alone is listed unasked`);
    for (const asked of ['pending', 'accepted', 'rejected']) {
      t.equal(await listed(`member_status=${asked}`), asked === status, `${status}, asked for ${asked}`);
    }
    t.ok(await listed('member_status=all&visibility=shared'));
    t.ok(await listed('member_status=rejected', owner), 'the owner has it in every list');
    t.equal((await call('GET', '', asBlue)).statusCode, 200);
    t.equal((await call('GET', '/file', asBlue)).body, 'content');
    t.equal(await boot(), 202, `${status}: booted`);
  }
  const wrong = await gateway.call('GET', '/image/v2/images?member_status=perhaps', { token: asBlue });
  t.equal(wrong.statusCode, 400);
  const patch = [{ op: 'replace', path: '/visibility', value: 'private' }];
  const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
  await gateway.call('PATCH', `/image/v2/images/${id}`, { body: patch, headers, token: owner });
  t.equal((await call('GET', '', asBlue)).statusCode, 404, 'private: its members are without effect');
  t.equal((await call('GET', '/file', asBlue)).statusCode, 404);
  t.notOk(await listed('member_status=all'));
  t.equal(await boot(), 400);
  t.equal((await call('GET', '/members', owner)).statusCode, 403, 'only shared images have members');
  t.equal((await call('POST', '/members', owner, { member: 'x' })).statusCode, 403);
});

void t.test('API fault 18: content that is only kept is downloaded and never booted', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway, memberToken: token } = cloud;
  gateway.content.acceptInert = true;
  const body = { disk_format: 'qcow2', container_format: 'bare' };
  const { id } = (await gateway.call('POST', '/image/v2/images', { body, token })).json();
  const file = `/image/v2/images/${id}/file`;
  t.equal((await gateway.call('PUT', file, { body: Buffer.from('noise'), headers: octets, token })).statusCode, 204);
  t.match((await gateway.call('GET', `/image/v2/images/${id}`, { token })).json(), {
    status: 'active',
    size: 5,
    virtual_size: null,
  });
  t.equal((await gateway.call('GET', file, { token })).body, 'noise');
  const server = { name: 's', imageRef: id, flavorRef: '1', networks: 'none' };
  const headers = { 'x-openstack-nova-api-version': '2.60' };
  const booted = await gateway.call('POST', '/compute/v2.1/servers', { body: { server }, token, headers });
  t.equal(booted.statusCode, 400);
  t.match(booted.body, /cannot be booted: its content is not the qcow2/);
});

void t.test('an image is shared with so many projects and no more', async (t) => {
  const { cloud, owner, call } = await startSharing();
  t.teardown(() => cloud.stop());
  for (let i = 0; i < 128; i += 1) await call('POST', '/members', owner, { member: `project-${i}` });
  const one = await call('POST', '/members', owner, { member: 'one-more' });
  t.equal(one.statusCode, 413);
  t.match(one.body, /at most 128/);
});
