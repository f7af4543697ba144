/** The availability zone that a volume is shown in. */
import type { shoal } from '../../../../proto/messages.ts';
import { hostTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { defaultZone, zoneOf } from '../../kit/zones.ts';

/** The zone that was asked for, else that of its host, else the default one. */
export function zoneOfVolume(reader: StateReader, { zone, hostId }: shoal.v1.Volume): string {
  if (zone !== '') return zone;
  const host = hostId === '' ? undefined : hostTable.find(reader, hostId)?.record;
  return host === undefined ? defaultZone : zoneOf(reader, host);
}
