/** What monitors are told: hosts by their names, and which parts fail. */
import { Registry } from 'prom-client';
import t from 'tap';
import { operationsModule } from '../../../api-gateway/rest/kit/operations.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { startCloud } from './cloud.ts';

void t.test('/readyz and /healthz call hosts by their names', async (t) => {
  const names = new Map([
    [1, 'h1'],
    [2, 'h2'],
    [3, 'h3'],
  ]);
  const state = new MemoryStateClient();
  const operations = operationsModule({
    registry: new Registry(),
    metricsReaders: [],
    status: () => ({ ...state.status(), leaderRaftId: 2, missingVoters: [3, 1, 9] }),
    warnings: () => ({}),
    troubles: () => ({}),
    degraded: () => ({ clock: 'h3 is 900 s ahead' }),
    nameOf: (raftId) => names.get(raftId) ?? `voter ${raftId}`,
    version: '0.1.0',
  });
  const cloud = await startCloud({ modules: [operations] });
  t.teardown(() => cloud.stop());
  const ready = await cloud.gateway.call('GET', '/readyz', {});
  t.same(ready.json().missingVoters, ['h1', 'h3', 'voter 9']);
  t.same(ready.json().degraded, { clock: 'h3 is 900 s ahead' });
  const health = await cloud.gateway.call('GET', '/healthz', {});
  t.match(health.json(), { leader: 'h2', status: 'degraded' });
});
