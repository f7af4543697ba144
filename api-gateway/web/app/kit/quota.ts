/** What a project may have and has, of all services. */
import { get } from './api.ts';
import { session } from './session.ts';
import { texts } from './texts.ts';

/** One limit. */
interface Quota {
  readonly name: string;
  readonly used: number;
  /** -1: none. */
  readonly limit: number;
}

/** Nova and Cinder say `in_use`, Neutron `used`. */
type Details = Readonly<
  Record<string, { readonly limit: number; readonly in_use?: number; readonly used?: number } | string>
>;

const wanted: Readonly<Record<'compute' | 'volume' | 'network', readonly (keyof typeof texts.quotas)[]>> = {
  compute: ['instances', 'cores', 'ram', 'server_groups'],
  volume: ['volumes', 'gigabytes', 'snapshots', 'backups'],
  network: ['network', 'subnet', 'router', 'port', 'floatingip', 'security_group'],
};

/** Of the project that the user works in. */
export async function loadQuotas(signal: AbortSignal): Promise<readonly Quota[]> {
  const id = session.value?.project.id ?? '';
  const [compute, volume, network] = await Promise.all([
    get<{ quota_set: Details }>(`/compute/v2.1/os-quota-sets/${id}/detail`, signal),
    get<{ quota_set: Details }>(`/volume/v3/os-quota-sets/${id}?usage=True`, signal),
    get<{ quota: Details }>(`/networking/v2.0/quotas/${id}/details`, signal),
  ]);
  return [
    ...quotasIn(compute.quota_set, wanted.compute),
    ...quotasIn(volume.quota_set, wanted.volume),
    ...quotasIn(network.quota, wanted.network),
  ];
}

function quotasIn(details: Details, names: readonly (keyof typeof texts.quotas)[]): readonly Quota[] {
  const found: Quota[] = [];
  for (const name of names) {
    const detail = new Map(Object.entries(details)).get(name);
    const label = texts.quotas[name];
    if (detail === undefined || typeof detail === 'string' || typeof label !== 'string') continue;
    found.push({ name: label, used: detail.in_use ?? detail.used ?? 0, limit: detail.limit });
  }
  return found;
}
