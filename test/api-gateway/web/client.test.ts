/** The page's typed client: paths, bodies, and what is sent twice. */
import t, { type Test } from 'tap';
import { native, rest } from '../../../api-gateway/web/app/api/client.ts';
import { ApiError } from '../../../api-gateway/web/app/kit/api-error.ts';
import { texts } from '../../../api-gateway/web/app/kit/texts.ts';

const { unreachable } = texts.errors;

interface Sent {
  readonly url: string;
  readonly method: string | undefined;
  readonly body: unknown;
}

/** Answers with each of `answers` in turn; an error is a connection that breaks. */
function fetching(t: Test, answers: readonly (object | Error)[]): Sent[] {
  const sent: Sent[] = [];
  const real = globalThis.fetch;
  t.teardown(() => {
    globalThis.fetch = real;
  });
  globalThis.fetch = async (url, init) => {
    const answer = answers[sent.length];
    sent.push({ url: String(url), method: init?.method, body: init?.body });
    if (answer instanceof Error || answer === undefined) throw answer ?? new TypeError('nothing more');
    return Response.json(answer);
  };
  return sent;
}

void t.test('a method of the native API is a POST with JSON', async (t) => {
  const sent = fetching(t, [{ count: 3 }]);
  const answer = await native('PlacementService/WhatIf', { flavor_id: '1', count_max: 3 });
  t.same(answer, { count: 3 });
  t.same(sent, [{ url: '/shoal/v1/PlacementService/WhatIf', method: 'POST', body: '{"flavor_id":"1","count_max":3}' }]);
});

void t.test('what a path names is percent-encoded', async (t) => {
  const sent = fetching(t, [{}]);
  await rest('DELETE /compute/v2.1/servers/{id}/tags/{key}', { path: { id: 'a/b', key: 'c d' }, body: undefined });
  t.match(sent, [{ url: '/compute/v2.1/servers/a%2Fb/tags/c%20d', method: 'DELETE', body: undefined }]);
});

void t.test('a read whose connection broke is asked for once more, and a write never', async (t) => {
  const reads = fetching(t, [new TypeError('broken'), { hosts: [], stale: false }]);
  t.same(await native('ClusterService/ListHosts', {}), { hosts: [], stale: false });
  t.equal(reads.length, 2);
  const writes = fetching(t, [new TypeError('broken'), {}]);
  await t.rejects(native('ClusterService/CreateTicket', {}), new ApiError(0, unreachable, ''));
  t.equal(writes.length, 1);
  const lost = fetching(t, [new TypeError('broken'), new TypeError('broken')]);
  await t.rejects(native('ClusterService/GetStatus', {}), new ApiError(0, unreachable, ''));
  t.equal(lost.length, 2);
});
