import t from 'tap';
import type { StateEvent } from '../../../node/state/types.ts';
import { historyBytesMax, historyEventsMax, WatchHub } from '../../../node/state/watch.ts';

const event = (revision: number, key: string, value: Uint8Array | undefined = new Uint8Array(0)): StateEvent => ({
  revision,
  key,
  value,
});

function hub(revision = 0): WatchHub {
  return new WatchHub(revision, (error) => {
    throw error;
  });
}

await t.test('a watcher hears its prefix, in order, from where it asked', (t) => {
  const watches = hub();
  const early: string[] = [];
  watches.watch({ prefix: 'a/' }, (events) => early.push(...events.map((e) => `${e.revision}:${e.key}`)));
  watches.publish(1, [event(1, 'a/x'), event(1, 'b/x')]);
  watches.publish(2, []);
  watches.publish(3, [event(3, 'b/y')]);
  watches.publish(4, [event(4, 'a/y'), event(4, 'a/z', undefined)]);
  t.same(early, ['1:a/x', '4:a/y', '4:a/z']);
  const late: string[] = [];
  watches.watch({ prefix: 'a/', afterRevision: 1 }, (events) =>
    late.push(...events.map((e) => `${e.revision}:${e.key}`)),
  );
  t.same(late, ['4:a/y', '4:a/z'], 'what it missed comes at once');
  const now: string[] = [];
  const watch = watches.watch({ prefix: '' }, (events) => now.push(...events.map((e) => e.key)));
  const future: string[] = [];
  watches.watch({ prefix: '', afterRevision: 5 }, (events) => future.push(...events.map((e) => e.key)));
  watches.publish(5, [event(5, 'a/five')]);
  watch.close();
  watch.close();
  watches.publish(6, [event(6, 'a/six')]);
  t.same(now, ['a/five'], 'nothing after close');
  t.same(future, ['a/six'], 'a watcher may be ahead');
  t.equal(watches.watcherCount, 3);
  t.end();
});

await t.test('a watcher from before the history is told that it is stale', (t) => {
  const watches = hub(10);
  t.throws(() => watches.watch({ prefix: '', afterRevision: 9 }, () => {}), { code: 'STALE' });
  t.doesNotThrow(() => watches.watch({ prefix: '', afterRevision: 10 }, () => {}));
  t.end();
});

await t.test('the history is bounded in events and in bytes', (t) => {
  const many = hub();
  for (let n = 1; n <= historyEventsMax + 500; n += 1) many.publish(n, [event(n, 'k')]);
  t.throws(() => many.watch({ prefix: '', afterRevision: 499 }, () => {}), { code: 'STALE' });
  let count = 0;
  many.watch({ prefix: '', afterRevision: 500 }, (events) => {
    count += events.length;
  });
  t.equal(count, historyEventsMax);
  const large = hub();
  const value = new Uint8Array(1024 * 1024);
  const fits = Math.floor(historyBytesMax / (value.length + 1));
  for (let n = 1; n <= fits + 10; n += 1) large.publish(n, [event(n, 'k', value)]);
  t.throws(() => large.watch({ prefix: '', afterRevision: 9 }, () => {}), { code: 'STALE' });
  t.doesNotThrow(() => large.watch({ prefix: '', afterRevision: 10 }, () => {}));
  t.end();
});

await t.test('one listener that throws does not keep the others from hearing', (t) => {
  const errors: unknown[] = [];
  const watches = new WatchHub(0, (error) => errors.push(error));
  const heard: string[] = [];
  watches.watch({ prefix: '' }, () => {
    throw new Error('listener');
  });
  watches.watch({ prefix: '' }, (events) => heard.push(...events.map((e) => e.key)));
  watches.publish(1, [event(1, 'a')]);
  t.same(heard, ['a']);
  t.equal(errors.length, 1);
  t.end();
});

await t.test('a snapshot reaches open watches and ends the history before it', (t) => {
  const watches = hub();
  const heard: string[] = [];
  watches.watch({ prefix: 'a' }, (events) => heard.push(...events.map((e) => `${e.revision}:${e.key}`)));
  watches.publish(1, [event(1, 'a')]);
  watches.publishSnapshot(9, [event(7, 'a2'), event(9, 'a3', undefined), event(9, 'b')]);
  t.same(heard, ['1:a', '7:a2', '9:a3']);
  t.throws(() => watches.watch({ prefix: '', afterRevision: 8 }, () => {}), { code: 'STALE' });
  t.equal(watches.revision, 9);
  t.end();
});
