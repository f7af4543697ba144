import type { Cloud } from '../cloud.ts';

/** The administrator's project makes more than a project may by default. */
export async function liftQuotas({ gateway }: Cloud): Promise<void> {
  const project = gateway.adminProjectId;
  const quota_set = { instances: -1, cores: -1, ram: -1, server_groups: -1, key_pairs: -1 };
  await gateway.call('PUT', `/compute/v2.1/os-quota-sets/${project}`, { body: { quota_set } });
  const quota = { network: -1, subnet: -1, port: -1, security_group: -1, security_group_rule: -1 };
  await gateway.call('PUT', `/networking/v2.0/quotas/${project}`, { body: { quota } });
}
