import t from 'tap';
import { type Call, faultOf } from './exercised.ts';

const call = (method: string, url: string, status: number, answer: unknown = {}, body?: unknown): Call => {
  const { pathname, searchParams } = new URL(url, 'http://cloud.test');
  return { method, path: pathname, query: searchParams, status, answer: JSON.stringify(answer), body, headers: {} };
};
const row = (key: string, verdict: string) => ({ key, verdict, note: '', proof: '' });
const plain = call('GET', '/v2/things', 200, { things: [1, 2], first: '/v2/things' });

void t.test('a proof of a filter sends it, and sees it find something else', async (t) => {
  const fault = (verdict: string, ...calls: readonly Call[]) =>
    faultOf(row('GET /v2/things ?name', verdict), [], calls);
  const filtered = call('GET', '/v2/things?name=a', 200, { things: [1], first: '/v2/things?name=a' });
  const all = call('GET', '/v2/things?name=a', 200, { things: [1, 2], first: '/v2/things?name=a' });
  const refused = call('GET', '/v2/things?name=', 400);
  t.equal(fault('same', plain, filtered), undefined);
  t.match(fault('same', plain), /never sent/);
  t.match(fault('same', plain, refused), /never taken/);
  t.match(fault('same', filtered), /no two requests/);
  t.match(fault('same', call('GET', '/v2/things?limit=1', 200), filtered), /no two requests/, 'two keys at once');
  t.match(fault('same', plain, all), /no difference/, 'links repeat the question');
  t.match(fault('same', plain, call('GET', '/v2/others?name=a', 200)), /never sent/, 'of another list');
  t.equal(fault('ignored', plain, all), undefined);
  t.match(fault('ignored', plain, filtered), /made a difference/);
  t.match(fault('refused', plain, filtered), /never refused/);
  t.equal(fault('refused', refused), undefined);
  t.match(fault('stricter', plain, filtered), /never refused/);
  t.match(fault('refused', call('GET', '/v2/things?name=', 500)), /never refused/, 'a failure is no refusal');
});

void t.test('a proof of an attribute sends two values to a route that takes its body', async (t) => {
  const fault = (key: string, verdict: string, ...bodies: readonly [number, unknown][]) =>
    faultOf(
      row(`body: ${key}`, verdict),
      ['POST /v2/things/:id/action#do'],
      bodies.map(([status, body]) => call('POST', '/v2/things/1/action', status, {}, { do: body })),
    );
  t.equal(fault('a.b', 'same', [200, { a: { b: 1 } }], [200, { a: { b: 2 } }]), undefined);
  t.equal(fault('a.b', 'same', [200, { a: { b: 1 } }], [200, { a: {} }]), undefined, 'or none');
  t.match(fault('a.b', 'same', [200, { a: { b: 1 } }], [200, { a: { b: 1, c: 2 } }]), /one value only/);
  t.match(fault('a.b', 'same', [200, { b: 1 }], [200, { b: 2 }]), /never sent/);
  t.equal(fault('a[].b', 'same', [200, { a: [{ b: 1 }] }], [200, { a: [{ b: 2 }] }]), undefined);
  t.match(fault('a[].b', 'same', [400, { a: [{ b: 1 }] }], [200, { a: [] }]), /never taken/);
  t.match(fault('a.b', 'stricter', [200, { a: { b: 1 } }], [200, { a: { b: 2 } }]), /never refused/);
  t.equal(fault('a.b', 'refused', [501, { a: { b: 1 } }]), undefined);
  t.match(
    faultOf(row('body: a', 'same'), ['PUT /v2/things'], [call('POST', '/v2/things', 200, {}, { a: 1 })]),
    /never/,
  );
});
