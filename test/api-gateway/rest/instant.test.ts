/** Times in queries: what all services take, and what none does. */
import t from 'tap';
import { readInstant } from '../../../api-gateway/rest/kit/lists/instant.ts';
import { startCloud } from './cloud.ts';

void t.test('ISO 8601, without a zone in UTC', (t) => {
  const noon = Date.UTC(2026, 1, 28, 12, 30, 15);
  for (const [text, ms] of [
    ['2026-02-28', Date.UTC(2026, 1, 28)],
    ['2026-02-28T12:30', noon - 15_000],
    ['2026-02-28T12:30:15', noon],
    ['2026-02-28 12:30:15', noon],
    ['2026-02-28T12:30:15Z', noon],
    ['2026-02-28t12:30:15z', noon],
    ['2026-02-28T12:30:15.250000', noon + 250],
    ['2026-02-28T13:30:15+01:00', noon],
    ['2026-02-28T13:30:15+0100', noon],
    ['2026-02-28T13:30:15+01', noon],
    ['2026-02-28T12:00:15-00:30', noon],
  ] as const) {
    t.equal(readInstant(text), ms, text);
  }
  for (const text of [
    '',
    '2026',
    '2026/02/28',
    '2026-02-29',
    '2026-13-01',
    '28 Feb 2026',
    '2026-02-28T25:00',
    'T12:00',
    '0',
  ]) {
    t.equal(readInstant(text), undefined, text);
  }
  t.end();
});

void t.test('each service that filters by time refuses what is no time', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const path of [
    '/compute/v2.1/servers?changes-since=',
    '/compute/v2.1/servers/detail?changes-since=',
    '/networking/v2.0/networks?changed_since=',
    '/image/v2/images?created_at=gt:',
    '/v3/users?password_expires_at=gt:',
  ]) {
    t.equal((await cloud.gateway.call('GET', `${path}2026-01-01T00:00:00Z`)).statusCode, 200, path);
    for (const wrong of ['2026/01/01', '2026-02-30T00:00:00Z', 'yesterday']) {
      t.equal((await cloud.gateway.call('GET', `${path}${wrong}`)).statusCode, 400, `${path}${wrong}`);
    }
  }
});
