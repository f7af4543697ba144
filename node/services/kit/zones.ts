/** Availability zones: a host's own, by its configuration, unless an aggregate gives it another. */
import type { shoal } from '../../../proto/messages.ts';
import { aggregateTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';

/** Zone of hosts that name none, as Nova calls it. */
export const defaultZone = 'nova';

/** The key of an aggregate's metadata that makes it a zone. */
export const zoneKey = 'availability_zone';

/** The zone of a host as the API names it. */
export function zoneOf(reader: StateReader, host: Pick<shoal.v1.Host, 'id' | 'zone'>): string {
  return zoneByAggregate(reader, host.id) ?? zoneOfHost(host);
}

/** The zone of a host to which no aggregate gives one. */
export function zoneOfHost(host: Pick<shoal.v1.Host, 'zone'>): string {
  return host.zone === '' ? defaultZone : host.zone;
}

/** The zone that aggregates give a host; those that do agree. @param withoutId an aggregate that is not asked. */
export function zoneByAggregate(reader: StateReader, hostId: string, withoutId = ''): string | undefined {
  for (const { record } of aggregateTable.by(reader, 'host', hostId)) {
    if (record.id === withoutId) continue;
    const zone = record.metadata[zoneKey];
    if (zone !== undefined) return zone;
  }
  return undefined;
}
