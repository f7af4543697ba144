import t from 'tap';
import { TokenBuckets } from '../../api-gateway/kit/token-bucket.ts';
import { systemClock } from '../../node/base/clock.ts';

function buckets(keysMax = 10) {
  const time = { ms: 0 };
  const clock = { ...systemClock, monotonicMs: () => time.ms };
  return { time, buckets: new TokenBuckets(clock, { perSecond: 2, burst: 3, keysMax }) };
}

void t.test('a burst is let through, then the rate holds', (t) => {
  const { time, buckets: limiter } = buckets();
  t.strictSame(
    [1, 2, 3, 4].map(() => limiter.take('a')),
    [0, 0, 0, 1],
  );
  time.ms += 500;
  t.equal(limiter.take('a'), 0);
  t.equal(limiter.take('a'), 1);
  time.ms += 1_000_000;
  t.strictSame(
    [1, 2, 3, 4].map(() => limiter.take('a')),
    [0, 0, 0, 1],
    'never more than the burst',
  );
  t.end();
});

void t.test('keys do not share a bucket', (t) => {
  const { buckets: limiter } = buckets();
  for (let i = 0; i < 3; i++) limiter.take('a');
  t.strictSame(
    [1, 2, 3].map(() => limiter.take('b')),
    [0, 0, 0],
  );
  t.end();
});

void t.test('memory is bounded: the key unseen for longest is forgotten', (t) => {
  const { buckets: limiter } = buckets(2);
  for (let i = 0; i < 3; i++) limiter.take('a');
  limiter.take('b');
  limiter.take('c');
  t.equal(limiter.take('a'), 0, 'forgotten, hence full again');
  t.end();
});
