/** Limits are kept under ids that a project can have, whichever of the three APIs sets them. */
import t from 'tap';
import { QuotaService } from '../../node/services/kit/quota.ts';
import { quotaTable } from '../../node/state/tables/index.ts';
import { startCloud } from '../api-gateway/rest/cloud.ts';

void t.test('no API sets limits under an id of more than 64 characters', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const set = async (project: string) => {
    const statuses: number[] = [];
    for (const [path, body] of [
      [`/compute/v2.1/os-quota-sets/${project}`, { quota_set: { cores: 3 } }],
      [`/networking/v2.0/quotas/${project}`, { quota: { network: 3 } }],
      [`/image/v2/info/usage/${project}`, { limits: { image_count_total: 3 } }],
    ] as const) {
      statuses.push((await cloud.gateway.call('PUT', path, { body })).statusCode);
    }
    return statuses;
  };
  const recorded = () => quotaTable.list(cloud.world.state.local).map(({ record }) => record.id);
  const before = recorded();
  t.strictSame(await set('p'.repeat(65)), [400, 400, 400]);
  t.strictSame(await set('p'.repeat(700)), [400, 400, 400]);
  t.strictSame(recorded(), before, 'nothing was written');
  t.strictSame(await set('p'.repeat(64)), [200, 200, 200]);
  const quotas = new QuotaService(cloud.world.deps);
  await t.rejects(quotas.set(cloud.world.admin, '', { cores: 1 }), { code: 'INVALID_ARGUMENT' });
});
