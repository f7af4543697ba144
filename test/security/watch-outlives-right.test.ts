/** F12, A33: a watch ends with the right to it, is bounded for each user, and shows no user data. */
import t from 'tap';
import { ShoalError } from '../../node/base/errors.ts';
import { shoal } from '../../proto/messages.ts';
import { as, revokedTokens, startGrpcGateway } from '../support/grpc-gateway.ts';

void t.test('F12: a watch ends when its token is revoked, also while nothing happens', async (t) => {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  t.teardown(() => revokedTokens.clear());
  const compute = gateway.client.calls(shoal.v1.ComputeService);
  const events: shoal.v1.WatchServersResponse[] = [];
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const options = { headers: as('alice').headers ?? {}, signal: abort.signal };
  const watching = (async () => {
    for await (const event of compute.watchServers({}, options)) events.push(event);
  })();
  watching.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  const draft = { name: 'one', flavorId: '1', imageId: 'image-1', userData: Buffer.from('secret') };
  const made = await compute.createServer(draft, as('alice'));
  t.equal(made.server?.userData.length, 0, 'the answer to a create has no user data');
  for (let i = 0; i < 50 && events.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(events.length > 0, 'while the token is good there are events');
  t.ok(
    events.every(({ server }) => (server?.userData.length ?? 0) === 0),
    'and none shows user data',
  );
  revokedTokens.add('alice');
  await t.rejects(watching, { code: 'UNAUTHENTICATED' });
});

void t.test('F12: one user has a bounded number of watches', async (t) => {
  const gateway = await startGrpcGateway({ watchStreamsPerUserMax: 2 });
  t.teardown(() => gateway.stop());
  const compute = gateway.client.calls(shoal.v1.ComputeService);
  const open = (token: string) => {
    const abort = new AbortController();
    const done = (async () => {
      const options = { headers: as(token).headers ?? {}, signal: abort.signal };
      for await (const event of compute.watchServers({}, options)) void event;
    })().then(
      () => 'ended',
      (caught: unknown) => (caught instanceof ShoalError ? caught.code : 'other'),
    );
    t.teardown(() => abort.abort());
    return done;
  };
  void open('alice');
  void open('alice');
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(await open('alice'), 'RATE_LIMITED');
  const other = await Promise.race([open('bob'), new Promise((resolve) => setTimeout(() => resolve('open'), 500))]);
  t.equal(other, 'open', 'another user is not kept out');
});
