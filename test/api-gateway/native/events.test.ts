/** Changes as Server-Sent Events: whose, resumed, bounded, and ended with the right to them. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ChangeFeed } from '../../../api-gateway/native/changes/change-feed.ts';
import { changeStream, type StreamItem } from '../../../api-gateway/native/changes/change-stream.ts';
import { nativeModule } from '../../../api-gateway/native/module.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { addMember, type Cloud, startCloud } from '../rest/cloud.ts';

interface Heard {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: { revision?: number; changes?: { kind: string; id: string; deleted: boolean }[]; reason?: string };
}

interface Listener {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: () => string;
  readonly heard: Heard[];
  readonly response: IncomingMessage;
  hasEnded(): boolean;
  close(): void;
}

async function start(t: Test, limits = {}): Promise<Cloud> {
  const state = new MemoryStateClient();
  const bridged = (): never => {
    throw new Error('no call goes by gRPC here');
  };
  const cloud = await startCloud({ state, listen: true, limits, modules: [nativeModule({ bridged }, state)] });
  t.teardown(() => cloud.stop());
  return cloud;
}

function listen(
  t: Test,
  { gateway }: Cloud,
  token: string,
  { query = '', after }: { readonly query?: string; readonly after?: string } = {},
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: gateway.server.addresses[0]?.port,
        path: `/shoal/v1/events${query}`,
        headers: { 'x-auth-token': token, ...(after === undefined ? {} : { 'last-event-id': after }) },
        agent: false,
      },
      (response) => {
        let text = '';
        let ended = false;
        const heard: Heard[] = [];
        let rest = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          rest += chunk.toString();
          const blocks = rest.split('\n\n');
          rest = blocks.pop() ?? '';
          for (const block of blocks) {
            const fields = new Map(
              block.split('\n').map((line) => [line.split(': ')[0], line.split(': ').slice(1).join(': ')]),
            );
            const event = fields.get('event');
            if (event !== undefined)
              heard.push({ event, id: fields.get('id'), data: JSON.parse(fields.get('data') ?? '') });
          }
        });
        const end = (): void => {
          ended = true;
        };
        response.on('end', end).on('close', end).on('error', end);
        const { statusCode = 0, headers } = response;
        resolve({
          ...{ status: statusCode, headers, heard, response },
          body: () => text,
          hasEnded: () => ended,
          close: () => request.destroy(),
        });
      },
    );
    t.teardown(() => request.destroy());
    request.on('error', reject).end();
  });
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let at = 0; at < 200; at++) {
    if (holds()) return;
    await sleep(50);
  }
  throw new Error(`not within 10 s: ${what}`);
}

const kindsOf = ({ heard }: Listener): string[] =>
  heard.flatMap(({ data }) => (data.changes ?? []).map(({ kind, deleted }) => `${kind}${deleted ? ' deleted' : ''}`));

async function makeNetwork({ gateway }: Cloud, token: string): Promise<string> {
  const answer = await gateway.call('POST', '/networking/v2.0/networks', { token, body: { network: { name: 'one' } } });
  return answer.json().network.id;
}

void t.test('a project hears of its own things, from now on, and of nobody else’s', async (t) => {
  const cloud = await start(t);
  const other = await addMember(cloud.gateway);
  const mine = await listen(t, cloud, cloud.memberToken);
  const theirs = await listen(t, cloud, other.memberToken);
  t.equal(mine.status, 200);
  t.match(mine.headers, { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store' });
  t.ok(mine.headers['x-openstack-request-id']);
  await until('it begins', () => mine.heard.length === 1 && theirs.heard.length === 1);
  t.equal(mine.heard[0]?.event, 'begin');
  t.match(mine.body(), /^retry: 2000\n/);
  const id = await makeNetwork(cloud, cloud.memberToken);
  await until('the change', () => mine.heard.length > 1);
  t.match(mine.heard[1], { event: 'changes', data: { changes: [{ kind: 'network', id, deleted: false }] } });
  t.equal(mine.heard[1]?.id, String(mine.heard[1]?.data.revision));
  await cloud.gateway.call('DELETE', `/networking/v2.0/networks/${id}`, { token: cloud.memberToken });
  await until('the deletion', () => kindsOf(mine).includes('network deleted'));
  await sleep(200);
  t.same(kindsOf(theirs), [], 'not even of the deletion');
});

void t.test('an administrator hears of all projects and of the mesh when asked to', async (t) => {
  const cloud = await start(t);
  const admin = cloud.gateway.token;
  const all = await listen(t, cloud, admin, { query: '?all_projects=true' });
  const networks = await listen(t, cloud, admin, { query: '?all_projects=true&kinds=network' });
  await until('they begin', () => all.heard.length === 1 && networks.heard.length === 1);
  await makeNetwork(cloud, cloud.memberToken);
  const [{ id: hostId } = { id: '' }] = (
    await cloud.gateway.call('GET', '/compute/v2.1/os-services', {
      headers: { 'openstack-api-version': 'compute 2.53' },
    })
  ).json().services;
  const off = await cloud.gateway.call('PUT', `/compute/v2.1/os-services/${hostId}`, {
    body: { status: 'disabled' },
    headers: { 'openstack-api-version': 'compute 2.53' },
  });
  t.equal(off.statusCode, 200, off.body);
  await until('all', () => kindsOf(all).includes('network') && kindsOf(all).includes('host'));
  t.same([...new Set(kindsOf(networks))], ['network']);
  const refused = await listen(t, cloud, cloud.memberToken, { query: '?all_projects=true' });
  t.equal(refused.status, 403);
  t.equal((await listen(t, cloud, cloud.memberToken, { query: '?kinds=host' })).status, 403);
  t.equal((await listen(t, cloud, admin, { query: '?kinds=nothing' })).status, 400);
  t.equal((await listen(t, cloud, admin, { query: '?nothing=1' })).status, 400);
  t.equal((await listen(t, cloud, admin, { after: 'x' })).status, 400);
});

void t.test('who comes again misses nothing, and is told when too much has happened', async (t) => {
  const cloud = await start(t);
  const first = await listen(t, cloud, cloud.memberToken);
  await until('it begins', () => first.heard.length === 1);
  const after = first.heard[0]?.id ?? '';
  first.close();
  const ids = [await makeNetwork(cloud, cloud.memberToken), await makeNetwork(cloud, cloud.memberToken)];
  const again = await listen(t, cloud, cloud.memberToken, { after });
  await until('both', () => kindsOf(again).filter((kind) => kind === 'network').length === 2);
  t.equal(again.heard[0]?.event, 'begin');
  t.equal(again.heard[0]?.id, after);
  const heard = again.heard.flatMap(({ data }) => data.changes ?? []).filter(({ kind }) => kind === 'network');
  t.same(
    heard.map(({ id }) => id),
    ids,
  );
});

void t.test('a token that is revoked ends the stream, also while nothing happens', async (t) => {
  const cloud = await start(t);
  const stream = await listen(t, cloud, cloud.memberToken);
  await until('it begins', () => stream.heard.length === 1);
  const { statusCode } = await cloud.gateway.call('DELETE', '/identity/v3/auth/tokens', {
    headers: { 'x-subject-token': cloud.memberToken },
  });
  t.equal(statusCode, 204);
  await until('it ends', () => stream.hasEnded());
  t.match(stream.heard.at(-1), { event: 'end', data: { reason: 'UNAUTHENTICATED' } });
});

void t.test('a user has a bounded number of streams', async (t) => {
  const cloud = await start(t, { watchStreamsPerUserMax: 2 });
  const streams = [await listen(t, cloud, cloud.memberToken), await listen(t, cloud, cloud.memberToken)];
  await until('they begin', () => streams.every(({ heard }) => heard.length === 1));
  t.equal((await listen(t, cloud, cloud.memberToken)).status, 429);
  t.equal((await listen(t, cloud, cloud.gateway.token)).status, 200, 'another user is not kept out');
  streams[0]?.close();
  let status = 0;
  for (let at = 0; at < 50 && status !== 200; at++) {
    await sleep(50);
    ({ status } = await listen(t, cloud, cloud.memberToken));
  }
  t.equal(status, 200, 'one that has gone makes room');
});

void t.test('a reader that falls behind is cut after 1,000 revisions, and goes on from what it has seen', async (t) => {
  const { world, memberToken, memberProjectId, ...cloud } = await start(t);
  const network = await makeNetwork({ world, memberToken, memberProjectId, ...cloud }, memberToken);
  const feed = new ChangeFeed(world.state);
  const abort = new AbortController();
  const open = (afterRevision?: number) =>
    changeStream(feed, {
      ...{ clock: systemClock, signal: abort.signal, afterRevision },
      sees: ({ projectId }) => projectId === memberProjectId,
      recheck: async () => {},
    });
  const slow = open();
  t.match(await slow.next(), { value: { kind: 'begin', isReset: false } });
  const changes = 1_200;
  for (let at = 0; at < changes; at++) await world.network.networks.update(world.admin, network, { name: `${at}` });
  let last = 0;
  let heard = 0;
  const read = async (stream: AsyncGenerator<StreamItem>): Promise<void> => {
    for await (const item of stream) {
      if (item.kind !== 'changes') continue;
      heard += 1;
      last = item.revision;
      if (heard === changes) break;
    }
  };
  await t.rejects(read(slow), { code: 'STALE' });
  t.equal(heard, 1_000);
  await read(open(last));
  t.equal(heard, changes, 'none is missing');
  abort.abort();
});

void t.test('where the history does not reach back, the stream says that all is to be read again', async (t) => {
  const { world } = await start(t);
  const feed = new ChangeFeed(world.state);
  const old = new Proxy(feed, {
    get(target, key) {
      if (key === 'revision') return 77;
      if (key !== 'listen') return Reflect.get(target, key);
      return (after: number | undefined) => {
        if (after !== undefined) throw new ShoalError('STALE', 'Changes after it are no longer known here.');
        return { close() {} };
      };
    },
  });
  const stream = changeStream(old, {
    ...{ clock: systemClock, signal: new AbortController().signal, afterRevision: 1 },
    ...{ sees: () => true, recheck: async () => {} },
  });
  t.same((await stream.next()).value, { kind: 'begin', revision: 77, isReset: true });
  await stream.return(undefined);
});

void t.test('a gateway that stops ends its streams at once', async (t) => {
  const cloud = await start(t);
  const stream = await listen(t, cloud, cloud.memberToken);
  await until('it begins', () => stream.heard.length === 1);
  const beganMs = Date.now();
  await cloud.gateway.server.stop();
  t.ok(Date.now() - beganMs < 4_000, `${Date.now() - beganMs} ms`);
  await until('it ends', () => stream.hasEnded());
});
