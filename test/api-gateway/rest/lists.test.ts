/** One way to read the query of a list, and to filter, order and cut it: rest/kit/lists. */
import t from 'tap';
import { allOf, anyOf, once } from '../../../api-gateway/rest/kit/lists/filter.ts';
import { orderBy } from '../../../api-gateway/rest/kit/lists/order.ts';
import { cutPage, placeOf } from '../../../api-gateway/rest/kit/lists/page.ts';
import { Query } from '../../../api-gateway/rest/kit/lists/query.ts';
import { sources } from '../../../node/dev/house/source.ts';

void t.test('nobody else takes a query apart, or makes the link to another page', (t) => {
  // `request-line.ts` bounds every query before a route is chosen.
  const own = ['api-gateway/rest/kit/lists/', 'api-gateway/rest/kit/request-line.ts'];
  const routes = sources().filter(
    ({ path }) => path.startsWith('api-gateway/rest/') && !own.some((prefix) => path.startsWith(prefix)),
  );
  t.ok(routes.length > 60, `${routes.length} files`);
  for (const { path, text } of routes) t.notMatch(text, /\brequest\.query\b|\bURLSearchParams\b/u, path);
  t.end();
});

void t.test('pages of every size put together are the list, forwards and backwards', (t) => {
  for (let length = 0; length <= 7; length++) {
    const items = Array.from({ length }, (_, at) => `item-${at}`);
    for (let limit = 1; limit <= length + 1; limit++) {
      const there: string[] = [];
      for (let page = cutPage(items, { at: 0, limit }); ; page = cutPage(items, { at: there.length, limit })) {
        t.equal(page.hasPrevious, there.length > 0 && page.items.length > 0);
        there.push(...page.items);
        if (!page.hasNext) break;
      }
      t.same(there, items, `${length} items by ${limit}`);
      const back: string[] = [];
      for (let at = length; ; at = length - back.length) {
        const page = cutPage(items, { at, limit, isReverse: true });
        back.unshift(...page.items);
        if (!page.hasPrevious) break;
      }
      t.same(back, items, `${length} items by ${limit}, backwards`);
    }
    t.same(cutPage(items, { at: length, limit: 3 }), { items: [], hasPrevious: false, hasNext: false });
    t.same(cutPage(items, { at: 0, limit: 0 }), { items: [], hasPrevious: false, hasNext: false });
  }
  const missing = (): Error => new Error('missing');
  t.equal(
    placeOf(['a', 'b'], (item) => item, 'b', missing),
    1,
  );
  t.throws(() => placeOf(['a'], (item) => item, 'b', missing), { message: 'missing' });
  t.end();
});

void t.test('a query has every value of a key, and one where one can be', (t) => {
  const query = new Query('name=a%20b&name=c+d&limit=10&empty=');
  t.same(query.keys, ['name', 'limit', 'empty']);
  t.same(query.all('name'), ['a b', 'c d']);
  t.same(query.all('__proto__'), []);
  t.throws(() => query.one('name'), { code: 'INVALID_ARGUMENT', message: /name is given more than once/ });
  t.equal(query.one('empty'), '');
  t.equal(query.one('absent'), undefined);
  t.equal(query.number('limit'), 10);
  t.throws(() => query.number('empty'), { code: 'INVALID_ARGUMENT' });
  t.end();
});

void t.test('a filter says what becomes of a key that is given several times', (t) => {
  const has = (value: string) => (item: string) => item.includes(value);
  t.ok(anyOf(has)(['a', 'x'], 'key')?.('abc'));
  t.notOk(allOf(has)(['a', 'x'], 'key')?.('abc'));
  t.ok(allOf(has)(['a', 'b'], 'key')?.('abc'));
  t.throws(() => once(has)(['a', 'b'], 'key'), { code: 'INVALID_ARGUMENT', message: /key is given more than once/ });
  t.equal(once(() => undefined)(['a'], 'key'), undefined, 'a value may choose nothing');
  t.end();
});

void t.test('an order is that of its keys in their rank, and refuses others', (t) => {
  const items = [
    { id: 'a', size: 2 },
    { id: 'b', size: 1 },
    { id: 'c', size: 2 },
  ];
  const values = { id: (item: { id: string }) => item.id, size: (item: { size: number }) => item.size };
  const ids = (text: string): string[] => {
    const compare = orderBy<(typeof items)[number]>(new Query(text), { values, fallback: 'asc' });
    return (compare === undefined ? items : items.toSorted(compare)).map(({ id }) => id);
  };
  t.same(ids(''), ['a', 'b', 'c'], 'the list its own');
  t.same(ids('sort_key=size&sort_dir=desc&sort_key=id&sort_dir=desc'), ['c', 'a', 'b']);
  t.same(ids('sort_key=size'), ['b', 'a', 'c']);
  t.throws(() => ids('sort_key=toString'), { code: 'INVALID_ARGUMENT' });
  t.end();
});
