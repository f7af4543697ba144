/** The page's pure parts: addresses, rows, words. */
import * as fc from 'fast-check';
import t from 'tap';
import { ApiError, messageIn, wordsOf } from '../../../api-gateway/web/app/kit/api-error.ts';
import { byteSize, relativeTime, shellWord } from '../../../api-gateway/web/app/kit/format.ts';
import { matchPath, pathOf } from '../../../api-gateway/web/app/kit/router-paths.ts';
import { filtered, sorted, visibleRange } from '../../../api-gateway/web/app/kit/table-rows.ts';

void t.test('paths are matched part by part, and what is made of anything is found again', (t) => {
  t.same(matchPath('/', '/'), {});
  t.same(matchPath('/servers/:id', '/servers/1'), { id: '1' });
  t.same(matchPath('/servers/:id', '/servers/a%2Fb'), { id: 'a/b' });
  t.equal(matchPath('/servers/:id', '/servers'), undefined);
  t.equal(matchPath('/servers/new', '/servers/1'), undefined);
  t.equal(matchPath('/servers/:id', '/servers/%ff'), undefined, 'no valid URI component');
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (id) => {
      const path = pathOf(['servers', id]);
      return matchPath('/servers/:id', path)?.['id'] === id;
    }),
  );
  t.equal(pathOf(['servers'], { filter: 'a b', sort: '' }), '/servers?filter=a+b');
  t.end();
});

void t.test('every service’s refusal is read, however it is wrapped', (t) => {
  t.equal(messageIn({ badRequest: { code: 400, message: 'a' } }), 'a');
  t.equal(messageIn({ NeutronError: { type: 'X', message: 'b', detail: '' } }), 'b');
  t.equal(messageIn({ error: { code: 401, message: 'c', title: 'd' } }), 'c');
  t.equal(messageIn({ message: 'e' }), 'e');
  for (const none of [undefined, null, 'text', 1, {}, []]) t.equal(messageIn(none), undefined);
  t.equal(wordsOf(new ApiError(409, 'no', 'req-1')), 'no (req-1)');
  t.equal(wordsOf(new ApiError(0, 'no', '')), 'no');
  t.end();
});

void t.test('rows are filtered by every word, sorted as people count, and only those in sight are there', (t) => {
  const columns = [
    { key: 'name', text: (row: { name: string }) => row.name },
    { key: 'size', text: (row: { size: number }) => row.size },
  ] as const;
  const rows = ['web-10', 'web-2', 'db-1'].map((name, at) => ({ id: `id-${at}`, name, size: 10 - at }));
  const names = (found: readonly { name: string }[]) => found.map(({ name }) => name);
  t.same(names(filtered(rows, columns, 'WEB 2')), ['web-2']);
  t.same(names(filtered(rows, columns, 'id-2')), ['db-1']);
  t.equal(filtered(rows, columns, ' '), rows);
  t.same(names(sorted(rows, columns, 'name')), ['db-1', 'web-2', 'web-10']);
  t.same(names(sorted(rows, columns, '-name')), ['web-10', 'web-2', 'db-1']);
  t.same(names(sorted(rows, columns, 'size')), ['db-1', 'web-2', 'web-10']);
  t.equal(sorted(rows, columns, 'other'), rows);
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(500_000), fc.integer({ min: 1, max: 5000 }), (count, top, height) => {
      const { first, end } = visibleRange(count, 40, top, height);
      const isBounded = first >= 0 && first <= count && end <= count && end - first <= height / 40 + 26;
      // Every row that is in sight is among them.
      const seen = Math.min(count - 1, Math.floor(top / 40));
      return isBounded && (top >= count * 40 || (first <= seen && seen < end));
    }),
  );
  t.end();
});

void t.test('times and sizes in words', (t) => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  t.equal(relativeTime('2026-11-30T11:57:00Z', now), '3 minutes ago');
  t.equal(relativeTime('2026-11-30T11:57:00.000000', now), '3 minutes ago', 'without a zone it is UTC');
  t.equal(relativeTime('2026-12-02T12:00:00Z', now), 'in 2 days');
  t.equal(relativeTime('never', now), '');
  t.equal(byteSize(0), '0 B');
  t.equal(byteSize(1536), '1.5 KiB');
  t.equal(byteSize(2 ** 30), '1 GiB');
  t.end();
});

void t.test('what a command shows is one word to a shell, whatever a tenant has named it', (t) => {
  t.equal(shellWord('web-1'), 'web-1');
  t.equal(shellWord("it's $(rm -rf /)"), "'it'\\''s $(rm -rf /)'");
  t.equal(shellWord(''), "''");
  t.end();
});
