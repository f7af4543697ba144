/** G17: a lost password. Root at a host sets a new one over the agent's own socket; nobody else can, and it is written down. */
import { ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import { peerClientLimits } from '../../../node/mesh/peers/peer-limits.ts';
import { GrpcClient } from '../../../node/rpc/client.ts';
import { shoal as messages } from '../../../proto/messages.ts';
import { adminPassword, LoneAgent, shoal } from '../../support/lone-agent.ts';

t.setTimeout(120_000);
t.test('shoal admin reset-password', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const reset = (...args: string[]) =>
    shoal(['admin', 'reset-password', ...args, '--data-dir', agent.dataDir], { SHOAL_ADMIN_PASSWORD: '' });
  const before = await agent.token();
  const get = async (token: string) =>
    (await fetch(`${agent.apiUrl}/v3/users`, { headers: { 'x-auth-token': token } })).status;
  t.equal(await get(before), 200);

  const { status, out, err } = await reset('--json');
  t.equal(status, 0, err);
  const { password, userName, enabled } = JSON.parse(out) as { password: string; userName: string; enabled: boolean };
  t.match({ userName, enabled }, { userName: 'admin', enabled: true });
  t.ok(password.length >= 16, 'drawn');
  await t.rejects(agent.token(adminPassword), /401/, 'the old password is void');
  t.equal(await get(before), 401, 'and so are tokens from before');
  const after = await agent.token(password);
  t.equal(await get(after), 200);
  const line = agent.log.split('\n').find((text) => text.includes('"audit":"reset-password"'));
  t.match(JSON.parse(line ?? '{}'), { userName: 'admin', by: 'operator', requestId: /^req-/ });
  t.notOk(agent.log.includes(password), 'the password is in no log');

  const given = await shoal(['admin', 'reset-password', 'admin', '--domain', 'default', '--data-dir', agent.dataDir], {
    SHOAL_ADMIN_PASSWORD: 'chosen by the operator',
  });
  t.equal(given.status, 0, given.err);
  t.notMatch(given.out, /chosen by/);
  const token = await agent.token('chosen by the operator');
  t.match((await reset('nobody')).err, /There is no user "nobody" in the domain "Default"/);

  const client = new GrpcClient(
    `dns:127.0.0.1:${agent.grpcPort}`,
    ChannelCredentials.createSsl(Buffer.from((await shoal(['ca', '--data-dir', agent.dataDir])).out)),
    peerClientLimits,
  );
  t.teardown(() => client.close());
  await t.rejects(
    client
      .calls(messages.v1.ClusterService)
      .resetPassword({ user: 'admin', password: 'x' }, { timeoutMs: 5000, headers: { 'x-auth-token': token } }),
    { code: 'FORBIDDEN' },
    'not over the network, whatever the token',
  );

  const users = (await (await fetch(`${agent.apiUrl}/v3/users`, { headers: { 'x-auth-token': token } })).json()) as {
    users: { id: string }[];
  };
  const id = users.users[0]?.id ?? '';
  await fetch(`${agent.apiUrl}/v3/users/${id}`, {
    method: 'PATCH',
    headers: { 'x-auth-token': token, 'content-type': 'application/json' },
    body: JSON.stringify({ user: { enabled: false } }),
  });
  t.match((await reset(id)).err, /the user is disabled; say --enable/);
  const enabledAgain = JSON.parse((await reset(id, '--enable', '--json')).out) as { password: string };
  t.ok(await agent.token(enabledAgain.password));
});
