import t from 'tap';
import { startGateway } from '../../../support/gateway.ts';

const extras = { department: 'red', 'cost-centre': 17, nested: { a: [1, null, 'ü'] }, nothing: null };

void t.test('what Keystone does not know is kept and returned, for all four kinds of thing', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const kind of ['project', 'user', 'role', 'domain']) {
    const path = `/v3/${kind}s`;
    const send = (method: string, at: string, fields: object) => gateway.call(method, at, { body: { [kind]: fields } });
    const made = await send('POST', path, { name: `a ${kind}`, ...extras, options: {}, links: { self: 'x' } });
    t.equal(made.statusCode, 201, kind);
    const { id } = made.json()[kind];
    const read = async () => (await gateway.call('GET', `${path}/${id}`)).json()[kind];
    t.match(await read(), extras);
    t.match(
      (await gateway.call('GET', path)).json()[`${kind}s`].find((item: { id: string }) => item.id === id),
      extras,
    );

    const changed = await send('PATCH', `${path}/${id}`, { id, department: 'blue', more: true, description: 'd' });
    t.match(changed.json()[kind], { ...extras, department: 'blue', more: true, description: 'd' });
    t.match(await read(), { ...extras, id, name: `a ${kind}`, department: 'blue', more: true, description: 'd' });
    t.match(await read(), { links: { self: /^http.*\/v3\// }, options: {} }, 'what was sent of links is not kept');

    const full = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`x${i}`, i]));
    const refused: readonly (readonly [object, number])[] = [
      [{ ...full, x64: 64 }, 400],
      [{ long: 'x'.repeat(16_384) }, 400],
      [{ ['x'.repeat(256)]: 1 }, 400],
      [{ '': 1 }, 400],
      [{ id: 'another' }, 400],
      [{ options: { immutable: true } }, 501],
    ];
    for (const [fields, status] of refused) {
      t.equal((await send('PATCH', `${path}/${id}`, fields)).statusCode, status, `${kind} ${Object.keys(fields)[0]}`);
      t.equal((await send('POST', path, { name: `b ${kind}`, ...fields })).statusCode, status);
    }
    t.match(await read(), { department: 'blue' });
    t.equal((await gateway.call('GET', `${path}?name=b%20${kind}`)).json()[`${kind}s`].length, 0);
  }
});

void t.test('an extra attribute takes nothing over', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const body = '{"user":{"name":"ann","__proto__":{"enabled":false},"constructor":1,"password_hash":"x"}}';
  const answer = await gateway.call('POST', '/v3/users', { body, headers: { 'content-type': 'application/json' } });
  t.equal(answer.statusCode, 400);
  const made = await gateway.call('POST', '/v3/users', {
    body: { user: { name: 'ann', constructor: 1, passwordHash: 'x', tokenEpoch: 9 } },
  });
  t.match(made.json().user, { enabled: true, constructor: 1, passwordHash: 'x', tokenEpoch: 9 });
});
