/** Hosts as operators look at them. */
import { type Answer, native } from '../../api/client.ts';

type Listed = Answer<'ClusterService/ListHosts'>['hosts'][number];

/** One host of the mesh, with what it last told of itself. */
export interface HostRow {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly domain: string;
  /** `alive`, `suspect`, `dead`, `unknown`; or `disabled`. */
  readonly state: string;
  readonly reason: string;
  readonly version: string;
  readonly address: string;
  readonly accusedBy: readonly string[];
  readonly advert: Listed['advert'];
}

/** What hosts are coloured by. */
export const measures = ['memory', 'vcpus', 'disk', 'cpu'] as const;
export type Measure = (typeof measures)[number];

/** All hosts, by name. */
export async function loadHosts(signal: AbortSignal): Promise<readonly HostRow[]> {
  const { hosts } = await native('ClusterService/ListHosts', {}, signal);
  return hosts.flatMap(rowOf).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function rowOf({ host, advert, condition, accused_by: accusedBy }: Listed): readonly HostRow[] {
  if (host === undefined) return [];
  const { id, name, zone, failure_domain: domain, disabled, disabled_reason: reason, version, peer_address } = host;
  const state = condition === 'alive' && disabled ? 'disabled' : condition;
  return [{ id, name, zone, domain, state, reason, version, address: peer_address, accusedBy, advert }];
}

/** How full the host is, 0 to 1, of what it gives to servers; `cpu`: how busy it is. Undefined: it has told nothing. */
export function fullness({ advert }: HostRow, by: Measure): number | undefined {
  if (advert === undefined) return undefined;
  const part = (used: number, all: number): number => (all <= 0 ? 0 : Math.min(1, used / all));
  const ratio = (value: number): number => (value > 0 ? value : 1);
  switch (by) {
    case 'cpu':
      return part(advert.cpu_percent, 100);
    case 'memory':
      return part(advert.memory_mib_used, advert.memory_mib * ratio(advert.memory_ratio) - advert.memory_mib_reserved);
    case 'vcpus':
      return part(advert.vcpus_used, advert.vcpus * ratio(advert.vcpus_ratio) - advert.vcpus_reserved);
    case 'disk':
      return part(advert.disk_gib_used, advert.disk_gib * ratio(advert.disk_ratio) - advert.disk_gib_reserved);
  }
}

/** Hosts by zone and, in each, by failure domain, both in their order. */
export function byPlace(hosts: readonly HostRow[]): readonly (readonly [place: string, hosts: readonly HostRow[]])[] {
  const places = new Map<string, HostRow[]>();
  for (const host of hosts) {
    const place = host.domain === '' ? host.zone : `${host.zone} / ${host.domain}`;
    const known = places.get(place);
    if (known === undefined) places.set(place, [host]);
    else known.push(host);
  }
  return [...places].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}
