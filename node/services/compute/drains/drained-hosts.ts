/** Which hosts a drain empties: one by its name or id, or all of a zone or a failure domain. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { hostTable, jobTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { zoneOf } from '../../kit/zones.ts';

/** What is to be emptied: exactly one of these is not empty. */
export interface DrainScope {
  /** Name, or id. */
  readonly host: string;
  readonly zone: string;
  readonly failureDomain: string;
}

/** The hosts that the job empties. */
export function drainedHosts({ drain }: Pick<shoal.v1.Job, 'drain'>): readonly shoal.v1.DrainedHost[] {
  if (drain === null) return [];
  if (drain.hosts.length > 0) return drain.hosts.map((host) => new shoal.v1.DrainedHost(host));
  return [new shoal.v1.DrainedHost({ hostId: drain.hostId, wasEnabled: drain.wasEnabled })];
}

/** The drain of a host that is under way, alone or with others; undefined: there is none. */
export function drainOf(reader: StateReader, hostId: string): Row<shoal.v1.Job> | undefined {
  return jobTable
    .by(reader, 'under-way', 'yes')
    .find(({ record }) => drainedHosts(record).some((drained) => drained.hostId === hostId));
}

/** Throws `INVALID_ARGUMENT` unless one thing is named, `NOT_FOUND` when there is no such host, zone or domain. */
export function hostsOfScope(
  reader: StateReader,
  { host, zone, failureDomain }: DrainScope,
): { readonly rows: readonly Row<shoal.v1.Host>[]; readonly text: string } {
  if ([host, zone, failureDomain].filter((name) => name !== '').length !== 1) {
    throw new ShoalError('INVALID_ARGUMENT', 'Name one host, zone or failure domain.');
  }
  if (host !== '') {
    const row = hostTable.one(reader, 'name', indexKey(host)) ?? hostTable.get(reader, host);
    if (row !== undefined) return { rows: [row], text: '' };
    throw new ShoalError('NOT_FOUND', `There is no host "${host}" in the mesh; "shoal hosts" lists them.`);
  }
  const isIn = ({ record }: Row<shoal.v1.Host>): boolean =>
    zone === '' ? record.failureDomain === failureDomain : zoneOf(reader, record) === zone;
  const rows = hostTable.list(reader).filter(isIn);
  const text = zone === '' ? `failure domain ${failureDomain}` : `zone ${zone}`;
  if (rows.length > 0) return { rows, text };
  throw new ShoalError('NOT_FOUND', `No host is in ${text}.`);
}
