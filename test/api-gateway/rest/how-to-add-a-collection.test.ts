/** The page "How to add a collection" shows the example that runs here, to the letter. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { startGateway } from '../../support/gateway.ts';
import { addMember } from './cloud.ts';
import { Notes, noteModule, notePolicies } from './example/notes.ts';

void t.test('the page shows the example as it is', (t) => {
  const page = readFileSync(new URL('../../../api-gateway/rest/README.md', import.meta.url), 'utf8');
  const [, shown] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  t.equal(shown, readFileSync(new URL('./example/notes.ts', import.meta.url), 'utf8'));
  for (const { operations } of notePolicies) t.equal(operations.length, 1);
  t.end();
});

void t.test('the example is served: made, listed, filtered, ordered, paged, shown, changed, deleted', async (t) => {
  const gateway = await startGateway({ modules: () => [noteModule(new Notes())] });
  t.teardown(() => gateway.stop());
  const { memberToken: token } = await addMember(gateway);
  const { memberToken: stranger } = await addMember(gateway);
  for (const title of ['b', 'a', 'c']) {
    const made = await gateway.call('POST', '/notes/v1/notes', { token, body: { note: { title } } });
    t.equal(made.statusCode, 201, made.body);
    t.match(made.json(), { note: { title, pinned: false } });
  }
  const titles = async (query: string, as = token): Promise<unknown> => {
    const answer = await gateway.call('GET', `/notes/v1/notes${query}`, { token: as });
    return answer.statusCode === 200
      ? answer.json().notes.map((note: { readonly title: string }) => note.title)
      : answer.statusCode;
  };
  t.same(await titles(''), ['b', 'a', 'c']);
  t.same(await titles('?sort_key=title&sort_dir=desc'), ['c', 'b', 'a']);
  t.same(await titles('?title=a&title=c'), ['a', 'c']);
  t.same(await titles('?pinned=true'), []);
  t.equal(await titles('?pinned=true&pinned=false'), 400);
  t.equal(await titles('?colour=red'), 400, 'an unknown filter is refused');
  t.same(await titles('', stranger), [], 'a list holds what the project has');
  t.same(await titles('', gateway.token), ['b', 'a', 'c'], 'and for an administrator everything');

  const seen: string[] = [];
  let path = '/notes/v1/notes?sort_key=title&limit=2';
  for (let pages = 0; path !== '' && pages < 3; pages++) {
    const answer = (await gateway.call('GET', path, { token })).json();
    seen.push(...answer.notes.map((note: { readonly title: string }) => note.title));
    const next: string | undefined = answer.next;
    path = next === undefined ? '' : new URL(next).pathname + new URL(next).search;
  }
  t.same(seen, ['a', 'b', 'c'], 'the links lead through the whole list');

  const one = '/notes/v1/notes/note-1';
  t.match((await gateway.call('GET', one, { token })).json(), { note: { id: 'note-1', title: 'b' } });
  t.equal(
    (await gateway.call('GET', one, { token: stranger })).statusCode,
    404,
    'what is not the caller’s is not there',
  );
  t.equal((await gateway.call('GET', one, { token: null })).statusCode, 401);
  const body = { note: { title: 'z', pinned: true } };
  t.match((await gateway.call('PUT', one, { token, body })).json(), body);
  const wrong = await gateway.call('PUT', one, { token, body: { note: { title: 'z', colour: 'red' } } });
  t.equal(wrong.statusCode, 400);
  t.match(wrong.body, /colour/);
  t.equal((await gateway.call('DELETE', one, { token: stranger })).statusCode, 404);
  const gone = await gateway.call('DELETE', one, { token });
  t.equal(gone.statusCode, 204);
  t.equal(gone.body, '');
  t.equal((await gateway.call('GET', one, { token })).statusCode, 404);
});
